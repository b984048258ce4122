"""What people add: tags and saved queries; and an index from which the bytes of all photos are summed.

Revision 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tag",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("name", "photo_id"),
    )
    op.create_index("ix_tag_photo_id", "tag", ["photo_id"])
    op.create_table(
        "saved_query",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_photo_bytes", "photo", ["stored_bytes", "map_bytes", "file_size", "width", "height"])


def downgrade() -> None:
    op.drop_index("ix_photo_bytes", "photo")
    op.drop_table("saved_query")
    op.drop_table("tag")
