"""The coverages of a photo stand packed in its row, and its embedding with a byte a number where that is all
there is to it.

Revision 0010. ``coverages`` takes the place of a table of the same, with 12 bytes a class: its id, certainty,
a mask of colours with two bits more that tell whether certainty and colours are known, and the fraction as it
was. An embedding of 176 numbers that were whole ones before they were brought to length 1 is kept as these;
any other stays as it is. Both ways without loss. Triggers do not note it: what indexes hold is the same.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op
from numpy.typing import NDArray

from dsslic_search.archive import updating
from dsslic_search.core.errors import ArchiveError

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_CLASS = struct.Struct("<BBHd")
_CERTAINTY_KNOWN, _COLOURS_KNOWN = 1 << 14, 1 << 15
_ROWS = 5_000

_CELL_WEIGHTS = np.array([18, *(2, 3, 4, 3, 2) * 5])
_WEIGHTS = np.repeat(_CELL_WEIGHTS, [26, *[6] * 25])  # of each number
_ROOTS = np.sqrt(_WEIGHTS.astype(np.float64))
_BLOCK_NORM = 127

_NEXT = "(SELECT CAST(value AS INTEGER) + 1 FROM setting WHERE name = 'generation')"
_NOTE = (
    "INSERT INTO change (photo_id, generation) SELECT {photo}, coalesce(" + _NEXT + ", 1) WHERE true "
    "ON CONFLICT (photo_id) DO UPDATE SET generation = excluded.generation "
    "WHERE generation < excluded.generation;"
)
_PHOTO_CHANGED = (
    f"CREATE TRIGGER photo_changed AFTER UPDATE ON photo BEGIN {_NOTE.format(photo='new.id')} END"
)
_OF_COVERAGE = {
    "coverage_added": ("INSERT ON coverage", ["new.photo_id"]),
    "coverage_changed": ("UPDATE ON coverage", ["old.photo_id", "new.photo_id"]),
    "coverage_removed": ("DELETE ON coverage", ["old.photo_id"]),
}
_INDEX = "ix_coverage_class_fraction"
_INDEXED = ["class_id", "fraction", "photo_id", "certainty", "colours"]

_PHOTO = sa.table("photo", sa.column("id"), sa.column("embedding"), sa.column("coverages"))
_COVERAGE = sa.table(
    "coverage", *map(sa.column, ("photo_id", "class_id", "fraction", "certainty", "colours"))
)


def upgrade() -> None:
    with _unnoted(), updating.counting(_count()) as settled:
        op.add_column(
            "photo",
            sa.Column(
                "coverages",
                sa.LargeBinary(),
                nullable=False,
                server_default=sa.text("x''" if _is_sqlite() else "''"),
            ),
        )
        for photos in _photos(_PHOTO.c.id, _PHOTO.c.embedding):
            covered = _covered(photos[0][0], photos[-1][0])
            _change(
                [
                    {"this": i, "embedding": _packed(embedding), "coverages": covered.get(i, b"")}
                    for i, embedding in photos
                ]
            )
            settled(len(photos))
        op.drop_table("coverage")


def downgrade() -> None:
    op.create_table(
        "coverage",
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("class_id", sa.Integer(), nullable=False),
        sa.Column("fraction", sa.Float(), nullable=False),
        sa.Column("certainty", sa.Integer(), nullable=True),
        sa.Column("colours", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["photo_id"], ["photo.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("photo_id", "class_id"),
    )
    with _unnoted(), updating.counting(_count()) as settled:
        for photos in _photos(_PHOTO.c.id, _PHOTO.c.embedding, _PHOTO.c.coverages):
            rows = [row for i, _, coverages in photos for row in _rows(i, coverages)]
            if rows:
                op.get_bind().execute(sa.insert(_COVERAGE), rows)
            _change([{"this": i, "embedding": _unpacked(embedding)} for i, embedding, _ in photos])
            settled(len(photos))
        op.drop_column("photo", "coverages")
    op.create_index(_INDEX, "coverage", _INDEXED)
    if _is_sqlite():
        for name, (when, noted) in _OF_COVERAGE.items():
            notes = " ".join(_NOTE.format(photo=photo) for photo in noted)
            op.execute(f"CREATE TRIGGER {name} AFTER {when} BEGIN {notes} END")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


@contextmanager
def _unnoted() -> Iterator[None]:
    if _is_sqlite():
        op.execute("DROP TRIGGER photo_changed")
    yield
    if _is_sqlite():
        op.execute(_PHOTO_CHANGED)


def _count() -> int:
    return int(op.get_bind().execute(sa.select(sa.func.count()).select_from(_PHOTO)).scalar_one())


def _photos(*columns: Any) -> Iterator[Sequence[Any]]:
    """Columns of all photos by id, of which the first is that, in lists."""
    last = -(2**63)
    while photos := (
        op.get_bind()
        .execute(sa.select(*columns).where(_PHOTO.c.id > last).order_by(_PHOTO.c.id).limit(_ROWS))
        .all()
    ):
        yield photos
        last = photos[-1][0]


def _change(values: list[dict[str, Any]]) -> None:
    names = [name for name in values[0] if name != "this"]
    changed = sa.update(_PHOTO).where(_PHOTO.c.id == sa.bindparam("this"))
    op.get_bind().execute(changed.values({name: sa.bindparam(name) for name in names}), values)


def _covered(first: int, last: int) -> dict[int, bytes]:
    """The packed coverages of photos by their ids, from ``first`` to ``last``."""
    chosen = sa.select(_COVERAGE).where(_COVERAGE.c.photo_id.between(first, last))
    found: dict[int, bytes] = {}
    for photo_id, *row in op.get_bind().execute(chosen.order_by(_COVERAGE.c.photo_id, _COVERAGE.c.class_id)):
        try:
            found[photo_id] = found.get(photo_id, b"") + _class(*row)
        except (struct.error, ValueError):
            raise ArchiveError(
                f"the catalog is damaged: of photo {photo_id} it has a coverage that cannot be; describe its "
                "photos anew with the version that made it, or restore it from a backup"
            ) from None
    return found


def _class(class_id: int, fraction: float, certainty: int | None, colours: int | None) -> bytes:
    if (colours or 0) >= _CERTAINTY_KNOWN:
        raise ValueError
    known = (0 if certainty is None else _CERTAINTY_KNOWN) + (0 if colours is None else _COLOURS_KNOWN)
    return _CLASS.pack(class_id, certainty or 0, (colours or 0) + known, fraction)


def _rows(photo_id: int, coverages: bytes) -> Iterator[dict[str, Any]]:
    for class_id, certainty, colours, fraction in _CLASS.iter_unpack(coverages):
        yield {
            "photo_id": photo_id,
            "class_id": class_id,
            "fraction": fraction,
            "certainty": certainty if colours & _CERTAINTY_KNOWN else None,
            "colours": colours % _CERTAINTY_KNOWN if colours & _COLOURS_KNOWN else None,
        }


def _packed(embedding: bytes) -> bytes:
    if len(embedding) != 4 * _WEIGHTS.size:  # no version made one of 176 bytes before
        return embedding
    numbers = np.frombuffer(embedding, "<f4") / _ROOTS
    with np.errstate(invalid="ignore"):
        guessed = np.rint(numbers * (_BLOCK_NORM * np.sqrt(_CELL_WEIGHTS.sum())))
        whole = np.rint(numbers * _length(guessed)).clip(-_BLOCK_NORM, _BLOCK_NORM).astype(np.int8)
    return whole.tobytes() if _unpacked(whole.tobytes()) == embedding else embedding


def _unpacked(embedding: bytes) -> bytes:
    if len(embedding) != _WEIGHTS.size:
        return embedding
    whole = np.frombuffer(embedding, np.int8)
    return (whole * _ROOTS / _length(whole)).astype("<f4").tobytes()


def _length(whole: NDArray[Any]) -> Any:
    return np.sqrt(np.maximum((whole.astype(np.int64) ** 2) @ _WEIGHTS, 1))
