"""The lens that a photo was taken with.

Revision 0004. Photos that were there have none until reindexing reads it from what is kept of them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("photo", sa.Column("lens", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("photo") as photo:
        photo.drop_column("lens")
