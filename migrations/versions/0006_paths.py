"""The paths at which photos lie or lay, what became of photos, and content that was deleted for good.

Revision 0006. Each photo that is there gets its path; the first ingest or sync that finds a file there reads
it once. Of photos that share a path the last one lies there; each of the others was replaced by the next, and
is not answered any more unless it is asked for. Going back drops all of it: photos in the bin, replaced and
lost ones are answered again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SUMMED = ["stored_bytes", "map_bytes", "file_size", "width", "height"]

_PATHS_OF_PHOTOS = """
INSERT INTO path (photo_id, path, part, file_size, first_seen, last_seen,
                  ended_at, ended, replaced_by, tags_given)
SELECT this.id, this.path, '', this.file_size, this.added_at, this.added_at, later.added_at,
       CASE WHEN later.id IS NULL THEN NULL ELSE 'replaced' END, later.id, later.id IS NOT NULL
FROM photo AS this LEFT JOIN photo AS later ON later.id = (
    SELECT min(other.id) FROM photo AS other WHERE other.path = this.path AND other.id > this.id
)
"""
# People may have tagged both, so nothing is given on.


def upgrade() -> None:
    op.create_table(
        "path",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("file_size", sa.Integer(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=True),
        sa.Column("first_seen", sa.DateTime(), nullable=False),
        sa.Column("last_seen", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("ended", sa.String(8), nullable=True),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.Column("tags_given", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["replaced_by"], ["photo.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("path", "part", "photo_id"),
    )
    op.create_index("ix_path_photo_id", "path", ["photo_id"])
    op.create_index("ix_path_replaced_by", "path", ["replaced_by"])
    op.create_table(
        "purged",
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("purged_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("content_hash"),
    )
    op.add_column("photo", sa.Column("state", sa.String(16), nullable=False, server_default="here"))
    op.add_column("photo", sa.Column("removed_at", sa.DateTime(), nullable=True))
    op.add_column("photo", sa.Column("lost_at", sa.DateTime(), nullable=True))
    op.drop_index("ix_photo_bytes", "photo")
    op.create_index("ix_photo_bytes", "photo", [*_SUMMED, "state"])
    op.execute(_PATHS_OF_PHOTOS)
    op.execute(
        "UPDATE photo SET state = 'replaced' WHERE id IN (SELECT photo_id FROM path WHERE ended = 'replaced')"
    )


def downgrade() -> None:
    op.drop_index("ix_photo_bytes", "photo")
    with op.batch_alter_table("photo") as photo:
        for name in ("lost_at", "removed_at", "state"):
            photo.drop_column(name)
    op.create_index("ix_photo_bytes", "photo", _SUMMED)
    op.drop_table("purged")
    op.drop_table("path")
