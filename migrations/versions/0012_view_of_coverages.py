"""Coverages unpacked, for clients that have the database alone.

Revision 0012. In PostgreSQL, whose functions read bytes, a view has a row for each class that a photo shows.
In SQLite nothing changes.
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_VIEW = """
CREATE VIEW coverage AS
SELECT photo.id AS photo_id,
       get_byte(photo.coverages, at) AS class_id,
       (((((((((high & 15) + 16)::bigint * 256 + get_byte(photo.coverages, at + 9)) * 256
           + get_byte(photo.coverages, at + 8)) * 256 + get_byte(photo.coverages, at + 7)) * 256
           + get_byte(photo.coverages, at + 6)) * 256 + get_byte(photo.coverages, at + 5)) * 256
           + get_byte(photo.coverages, at + 4)))::float8
           / 4503599627370496 / (1::bigint << (1023 - (top * 16 + (high >> 4))))::float8 AS fraction,
       CASE WHEN get_byte(photo.coverages, at + 3) & 64 = 64
            THEN get_byte(photo.coverages, at + 1) / 255::float8 END AS certainty
FROM photo
CROSS JOIN LATERAL generate_series(0, length(photo.coverages) - 12, 12) AS at
CROSS JOIN LATERAL (SELECT get_byte(photo.coverages, at + 10) AS high,
                           get_byte(photo.coverages, at + 11) AS top) AS ending
"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_VIEW)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP VIEW coverage")
        for name in "layout", "image":  # which archive/layouts.py may have added
            op.execute(f"ALTER TABLE photo DROP COLUMN IF EXISTS {name}")
            op.execute(f"DROP FUNCTION IF EXISTS {name}_of(bytea)")
