"""What photos are like, as vectors of pgvector in a catalog in PostgreSQL: for those that have the database
alone.

Two columns that the database itself makes of what a photo's row says, whoever writes it: ``layout``, the
unit vector of its layout (`features.embedding`), and ``image``, that of its image embedding with zeros behind
(`features.image_words`). They are there where `keep` was asked for and nowhere else: the models know nothing
of them.

Numbers are of two bytes, so a likeness is told to within MARGIN; `query.run.in_sql` scores photos exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Float, LargeBinary, case, cast, func, literal, literal_column, text
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.types import UserDefinedType

from dsslic_search.archive.schema import Photo
from dsslic_search.features.embedding import DIMENSION, WEIGHT_ROOTS
from dsslic_search.features.image_words import MAKER_BYTES, MAX_NUMBERS, ImageWords
from dsslic_search.features.resemblance import mixture

MARGIN = 0.002
"""What a degree of a plan that compares photos (`query.joined`) may differ by from the exact one, where what
is compared with is of length 1. Each number of two bytes is right to 1/2048 of itself, so an inner product of
two such vectors to 1/1024, with sums in float32 and the weights of an index rounded to 0.00105; a likeness
has three quarters of that and a quarter over 0.713, together 0.00115; what photos shall not be like adds at
most half of it."""

_COLUMNS = ("layout", "image")
_SIGNED = "(get_byte(stored, {at}) # 128) - 128"  # a byte as -128..127
_BODIES = {
    "layout": (
        "embedding",
        DIMENSION,
        f"IF length(stored) <> {DIMENSION} THEN RETURN NULL; END IF; RETURN l2_normalize(ARRAY(SELECT "
        f"{_SIGNED.format(at='at')} FROM generate_series(0, {DIMENSION - 1}) AS at)::vector * "
        f"'{WEIGHT_ROOTS.astype(np.float32).tolist()}'::vector)::halfvec;",
    ),
    "image": (
        "words",
        MAX_NUMBERS,
        f"IF length(stored) <= {MAKER_BYTES} OR length(stored) <= {MAKER_BYTES + 1} + "
        f"get_byte(stored, {MAKER_BYTES}) THEN RETURN NULL; END IF; RETURN l2_normalize(ARRAY(SELECT CASE "
        f"WHEN at < get_byte(stored, {MAKER_BYTES}) THEN {_SIGNED.format(at=f'{MAKER_BYTES + 1} + at')} "
        f"ELSE 0 END FROM generate_series(0, {MAX_NUMBERS - 1}) AS at)::vector)::halfvec;",
    ),
}
"""By column: of which it is made, how many numbers it has, and the body of the function that makes it. Bytes
that no embedding has make no layout."""

_MAY = """
SELECT to_regtype('halfvec') IS NOT NULL AND pg_has_role(relowner, 'USAGE')
FROM pg_class WHERE oid = to_regclass('photo')
"""


def are_kept(connection: Connection) -> bool:
    """Whether a catalog has these columns."""
    if connection.dialect.name != "postgresql":
        return False
    named = ", ".join(f"'{name}'" for name in _COLUMNS)
    counted = (
        "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('photo') AND NOT attisdropped "
        f"AND attname IN ({named})"
    )
    return connection.execute(text(counted)).scalar() == len(_COLUMNS)


def keep(connection: Connection) -> bool:
    """Have a catalog keep these columns from now on, if the extension is there, of 0.7 or later, and the
    table is ours; returns whether it does. Meanwhile nobody reads photos."""
    if connection.dialect.name != "postgresql":
        return False
    if are_kept(connection):
        return True
    if not connection.execute(text(_MAY)).scalar():
        return False
    added = []
    for name, (stored, numbers, body) in _BODIES.items():
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {name}_of(stored bytea) RETURNS halfvec LANGUAGE plpgsql IMMUTABLE "
            f"STRICT PARALLEL SAFE SET search_path FROM CURRENT AS $$ BEGIN {body} END $$"
        )
        added.append(f"ADD COLUMN {name} halfvec({numbers}) GENERATED ALWAYS AS ({name}_of({stored})) STORED")
    connection.exec_driver_sql(f"ALTER TABLE photo {', '.join(added)}")
    return True


class _Vector(UserDefinedType[Any]):
    """As text goes to the database."""

    cache_ok = True

    def get_col_spec(self, **_more: Any) -> str:
        return "halfvec"


def unknown() -> ColumnElement[bool]:
    """Of photos whose embedding is none that a layout is made of."""
    layout: ColumnElement[Any] = literal_column("photo.layout", _Vector())
    return layout.is_(None) & (func.length(Photo.embedding) > 0)


def likeness(
    embeddings: NDArray[np.float32], image: ImageWords | None, by_look: bool
) -> ColumnElement[float]:
    """Of each photo, as `query.run.evaluate.Evaluation.likeness` has it, to within MARGIN times the length of
    the longest of ``embeddings``, float32[m, DIMENSION]."""
    if image is not None and by_look:
        return _of_image(image, lambda cosine: cosine, literal(-1.0, Float(53)))
    told = [_inner("layout", each.tolist()) for each in embeddings]
    layout = func.coalesce(told[0] if len(told) == 1 else func.greatest(*told), 0.0)
    if image is None:
        return layout
    mixed = mixture()
    shown = _of_image(image, lambda cosine: func.least(cosine / mixed.enough, 1.0), layout)
    return (1 - mixed.share) * layout + mixed.share * shown


def _of_image(image: ImageWords, made: Any, otherwise: ColumnElement[Any]) -> ColumnElement[Any]:
    """What is ``made`` of the cosine of image embeddings, of photos that have one by the same maker."""
    numbers = np.array(image.embedding, np.float64)
    unit = [*(numbers / max(float(np.linalg.norm(numbers)), 1)).tolist()]
    unit += [0.0] * (MAX_NUMBERS - len(unit))
    maker = func.substring(Photo.stored_words, 1, MAKER_BYTES, type_=LargeBinary())
    return case((maker == bytes.fromhex(image.maker), made(_inner("image", unit))), else_=otherwise)


def _inner(column: str, numbers: Sequence[float]) -> ColumnElement[Any]:
    """The inner product of a column with some numbers."""
    stored: ColumnElement[Any] = literal_column(f"photo.{column}", _Vector())
    asked = cast(literal(str(list(numbers))), _Vector())
    return -stored.op("<#>", return_type=Float(53))(asked)
