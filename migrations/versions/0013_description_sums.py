"""A checksum over what each photo's row says of its label map and compact image.

Revision 0013. ``description_sum`` is that of `archive.sums`: of the values that are there, whatever they are,
since nothing tells of earlier ones whether they are what was written. Triggers do not note it: what indexes
hold is the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from alembic import op

from dsslic_search.archive import updating
from dsslic_search.archive.sums import sum_of_stored

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ROWS = 5_000
_STORED = "embedding, regions, brightness, colours, words, coverages"

_NEXT = "(SELECT CAST(value AS INTEGER) + 1 FROM setting WHERE name = 'generation')"
_PHOTO_CHANGED = (
    "CREATE TRIGGER photo_changed AFTER UPDATE ON photo BEGIN INSERT INTO change (photo_id, generation) "
    "SELECT new.id, coalesce(" + _NEXT + ", 1) WHERE true ON CONFLICT (photo_id) DO UPDATE SET generation = "
    "excluded.generation WHERE generation < excluded.generation; END"
)


def upgrade() -> None:
    op.add_column("photo", sa.Column("description_sum", sa.Integer(), nullable=False, server_default="0"))
    count = op.get_bind().execute(sa.text("SELECT count(*) FROM photo")).scalar_one()
    put = sa.text("UPDATE photo SET description_sum = :sum WHERE id = :id")
    with _unnoted(), updating.counting(int(count)) as settled:
        for rows in _photos():
            op.get_bind().execute(put, [{"id": photo_id, "sum": _sum(values)} for photo_id, *values in rows])
            settled(len(rows))


def downgrade() -> None:
    op.drop_column("photo", "description_sum")


@contextmanager
def _unnoted() -> Iterator[None]:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER photo_changed")
        yield
        op.execute(_PHOTO_CHANGED)
    else:
        op.execute("ALTER TABLE photo DISABLE TRIGGER photo_changed")
        yield
        op.execute("ALTER TABLE photo ENABLE TRIGGER photo_changed")


def _photos() -> Iterator[Sequence[Any]]:
    """Id and stored values of all photos by id, in lists."""
    asked = sa.text(f"SELECT id, {_STORED} FROM photo WHERE id > :last ORDER BY id LIMIT {_ROWS}")
    last = -(2**63)
    while rows := op.get_bind().execute(asked, {"last": last}).all():
        yield rows
        last = rows[-1][0]


def _sum(values: Sequence[Any]) -> int:
    try:
        return sum_of_stored(*values)
    except (TypeError, struct.error):  # damaged already; `check` tells so
        return 0
