"""A checksum in each photo's row, over what the catalog says of its label map and compact image: SQLite has
none of its own, and the journal leaves out what can be made again.

::

    presence, lengths and whole numbers ─► bytes of embedding, regions, words, coverages ─► CRC-32

It is taken over the values as they are stored. Whoever writes these columns writes it too, all of them in one
statement, so that nothing that flipped before gets a right sum.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection

from dsslic_search.features.embedding import to_stored

COLUMNS = ("embedding", "regions", "brightness", "colours", "words", "coverages")
"""Of the table ``photo``."""
SUM = "description_sum"
"""The column of their checksum; a row that was made without one has 0."""

_HEAD = struct.Struct("<B6q")
_ROWS_AT_ONCE = 1000


def sum_of(
    embedding: bytes | None,
    regions: bytes | None,
    brightness: int | None,
    colours: int | None,
    words: bytes | None,
    coverages: bytes | None,
) -> int:
    """The checksum, a signed 32-bit number, of a photo's values in the order of `COLUMNS`; the embedding as
    float32 or as it is stored. Which of them have to be there the database says."""
    stored = None if embedding is None else to_stored(embedding)
    return sum_of_stored(stored, regions, brightness, colours, words, coverages)


def sum_of_stored(*values: Any) -> int:
    """The same of values as they are stored. TypeError or struct.error where one is of another kind."""
    embedding, regions, brightness, colours, words, coverages = values
    some = embedding, regions, words, coverages
    known = sum(1 << place for place, value in enumerate(values) if value is not None)
    lengths = (0 if each is None else len(each) for each in some)
    numbers = (0 if each is None else each for each in (brightness, colours))
    crc = zlib.crc32(_HEAD.pack(known, *lengths, *numbers))
    for each in some:
        if each is not None:
            crc = zlib.crc32(each, crc)
    return crc - ((crc & 1 << 31) << 1)


def is_sum_of(said: int, values: Sequence[Any]) -> bool:
    """Whether a photo's checksum is that of these values, as `sum_of` takes them; not of ones of another
    kind."""
    try:
        return said == sum_of(*values)
    except (TypeError, ValueError, struct.error):
        return False


def differing(connection: Connection) -> Iterator[int]:
    """The ids of photos whose values are not those of which their checksums were made."""
    asked = f"SELECT id, {SUM}, {', '.join(COLUMNS)} FROM photo ORDER BY id"
    streamed = {"yield_per": _ROWS_AT_ONCE}
    with connection.exec_driver_sql(asked, execution_options=streamed) as result:
        for rows in result.partitions():
            for photo_id, said, *values in rows:
                if said != _sum_or_none(values):
                    yield photo_id


def _sum_or_none(values: list[Any]) -> int | None:
    try:
        return sum_of_stored(*values)
    except (TypeError, struct.error):  # a text where bytes were, or bytes where a number was
        return None
