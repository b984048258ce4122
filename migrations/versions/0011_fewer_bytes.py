"""Rows in fewer bytes, without loss.

Revision 0011. In PostgreSQL, triggers note what changes from here on, and bytes are counted in 64 bits. In
SQLite, whose columns take values of any kind: dates as microseconds since 1970, and hashes
and identities of hexadecimal digits as bytes. Regions are packed. Two indexes that no question uses are gone,
and one has the rows alone that say something. Triggers do not note it: what indexes hold is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from dsslic_search.archive import updating
from dsslic_search.archive.digits import to_bytes, to_text
from dsslic_search.core.errors import ArchiveError
from dsslic_search.features.scene import packed, plain

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ROWS = 5_000
_EPOCH = datetime(1970, 1, 1)
_DIGITS = {"photo": {"content_hash": 64, "vocabulary": 16, "segmenter": 16}, "purged": {"content_hash": 64}}
_DATES = {
    "photo": ["modified_at", "added_at", "taken_at", "removed_at", "lost_at"],
    "path": ["first_seen", "last_seen", "ended_at"],
    "purged": ["purged_at"],
}
_KEYS = {"photo": "id", "path": "id", "purged": "rowid"}
_GONE = {"ix_photo_path": "path", "ix_photo_taken_at": "taken_at"}

_NEXT = "(SELECT CAST(value AS INTEGER) + 1 FROM setting WHERE name = 'generation')"
_NOTE = (
    "INSERT INTO change (photo_id, generation) SELECT {photo}, coalesce(" + _NEXT + ", 1) WHERE true "
    "ON CONFLICT (photo_id) DO UPDATE SET generation = excluded.generation "
    "WHERE generation < excluded.generation;"
)
_TRIGGERS = {
    "photo_added": ("INSERT ON photo", ["new.id"]),
    "photo_changed": ("UPDATE ON photo", ["new.id"]),
    "photo_removed": ("DELETE ON photo", ["old.id"]),
    "path_added": ("INSERT ON path", ["new.photo_id"]),
    "path_changed": ("UPDATE OF photo_id, path, part, ended_at ON path", ["old.photo_id", "new.photo_id"]),
    "path_removed": ("DELETE ON path", ["old.photo_id"]),
}

_NOTE_UNSETTLED = (
    "INSERT INTO change (photo_id, generation) VALUES ({photo}, 2147483647) "
    "ON CONFLICT (photo_id) DO UPDATE SET generation = excluded.generation;"
)
_COUNTED = {"photo": ["file_size", "stored_bytes", "map_bytes"], "path": ["file_size"]}


def upgrade() -> None:
    for name in _GONE:
        op.drop_index(name, "photo")
    op.drop_index("ix_path_replaced_by", "path")
    with _unnoted(), updating.counting(_count()) as settled:
        _regions(packed, settled)
        for table in _DATES if _is_sqlite() else ():
            _convert(table, _DATES[table], _number, settled)
            _retype(table, sa.BigInteger(), lambda _length: sa.LargeBinary())  # of which text becomes bytes
            _convert(table, list(_DIGITS.get(table, {})), lambda text: to_bytes(text.decode()), settled)
    some = sa.text("replaced_by IS NOT NULL")
    op.create_index("ix_path_replaced_by", "path", ["replaced_by"], sqlite_where=some, postgresql_where=some)
    if _is_postgresql():
        for table, columns in _COUNTED.items():
            for column in columns:
                op.alter_column(table, column, type_=sa.BigInteger())
        for name, (when, noted) in _TRIGGERS.items():
            notes = " ".join(_NOTE_UNSETTLED.format(photo=photo) for photo in noted)
            op.execute(
                f"CREATE FUNCTION note_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {notes} "
                "RETURN NULL; END $$"
            )
            op.execute(f"CREATE TRIGGER {name} AFTER {when} FOR EACH ROW EXECUTE FUNCTION note_{name}()")


def downgrade() -> None:
    if _is_postgresql():
        for name, (when, _noted) in _TRIGGERS.items():
            op.execute(f"DROP TRIGGER {name} ON {when.rpartition(' ')[2]}")
            op.execute(f"DROP FUNCTION note_{name}()")
        for table, columns in _COUNTED.items():
            for column in columns:
                op.alter_column(table, column, type_=sa.Integer())
    op.drop_index("ix_path_replaced_by", "path")
    with _unnoted(), updating.counting(_count()) as settled:
        _regions(plain, settled)
        for table in _DATES if _is_sqlite() else ():
            _convert(table, list(_DIGITS.get(table, {})), to_text, settled)
            _retype(table, sa.DateTime(), sa.String)
            _convert(table, _DATES[table], _written, settled)
    op.create_index("ix_path_replaced_by", "path", ["replaced_by"])
    for name, column in _GONE.items():
        op.create_index(name, "photo", [column])


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"


@contextmanager
def _unnoted() -> Iterator[None]:
    """Without the triggers, which go with the tables that are made anew."""
    if _is_sqlite():
        for name in _TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
    yield
    if _is_sqlite():
        for name, (when, noted) in _TRIGGERS.items():
            notes = " ".join(_NOTE.format(photo=photo) for photo in noted)
            op.execute(f"CREATE TRIGGER {name} AFTER {when} BEGIN {notes} END")


def _rows(table: str, key: str, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
    """The key and columns of all rows by the key, in lists."""
    asked = (
        f"SELECT {', '.join([key, *columns])} FROM {table} WHERE {key} > :last ORDER BY {key} LIMIT {_ROWS}"
    )
    last = -(2**63)
    while rows := op.get_bind().execute(sa.text(asked), {"last": last}).all():
        yield rows
        last = rows[-1][0]


def _change(table: str, key: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
    values = ", ".join(f"{column} = :{column}" for column in columns)
    statement = sa.text(f"UPDATE {table} SET {values} WHERE {key} = :key")
    names = ("key", *columns)
    op.get_bind().execute(statement, [dict(zip(names, row, strict=True)) for row in rows])


def _count() -> int:
    """Rows that are converted, as often as they are."""
    times = {table: 1 + (table in _DIGITS) for table in _DATES} if _is_sqlite() else {}
    times["photo"] = times.get("photo", 0) + 1
    counts = {table: op.get_bind().execute(sa.text(f"SELECT count(*) FROM {table}")) for table in times}
    return sum(times[table] * int(counts[table].scalar_one()) for table in times)


def _regions(convert: Callable[[Sequence[bytes]], list[bytes]], settled: Callable[[int], None]) -> None:
    for rows in _rows("photo", "id", ["regions"]):
        settled(len(rows))
        known = [(key, bytes(stored)) for key, stored in rows if stored is not None]
        changed = convert([stored for _, stored in known])
        if known:
            _change(
                "photo", "id", ["regions"], [(k, new) for (k, _), new in zip(known, changed, strict=True)]
            )


def _convert(
    table: str, columns: Sequence[str], convert: Callable[[Any], Any], settled: Callable[[int], None]
) -> None:
    """Give the values of columns another form."""
    key = _KEYS[table]
    for rows in _rows(table, key, columns) if columns else ():
        settled(len(rows))
        changed = []
        for row, *values in rows:
            try:
                forms = [None if value is None else convert(value) for value in values]
            except (TypeError, ValueError):
                raise ArchiveError(
                    f"the catalog is damaged: row {row} of its table {table} has a date or a hash that is "
                    "none; restore it from a backup"
                ) from None
            changed.append((row, *forms))
        _change(table, key, columns, changed)


def _retype(table: str, date: sa.types.TypeEngine[Any], digits: Callable[[int], Any]) -> None:
    """Say in the table's definition what its columns hold."""
    with op.batch_alter_table(table) as changed:
        for column in _DATES[table]:
            changed.alter_column(column, type_=date)
        for column, length in _DIGITS.get(table, {}).items():
            changed.alter_column(column, type_=digits(length))


def _number(date: str) -> int:
    return (datetime.fromisoformat(date) - _EPOCH) // timedelta(microseconds=1)


def _written(number: int) -> str:
    """As SQLAlchemy writes dates into SQLite."""
    date = _EPOCH + timedelta(microseconds=number)
    return date.isoformat(" ", "microseconds")
