"""What whole photos show: likely words, and a vector for likeness.

Revision 0008. Photos that were there have none until describing adds them to their files.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("photo", sa.Column("words", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("photo") as photo:
        photo.drop_column("words")
