"""The facts of a photo's file that can be asked for, one entry each.

An entry says where its fact is read from, in which column the catalog keeps it, under which name the index
and a query have it, what its values are and what they are measured in. The EXIF reader, the catalog's
columns, the index of files, the query language, counts and exports all go by these entries: a new fact is an
entry here, a migration for its column, and their tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from dsslic_search.core.kinds import KeepMode
from dsslic_search.core.text import BYTE_UNITS

Kind = Literal["date", "number", "text", "path", "word", "tag", "orientation", "place"]
"""How a fact is asked for: a period of days; bounds; a part of a text, or a glob for all of it, without
regard to capitals; the same for a path, where "*" and "?" stop at slashes; a whole word; one of many words;
the proportions of the sides; a place on Earth, by its distance."""

Values = Literal["date", "whole", "pixels", "degrees", "text", "path"]
"""What a column holds: a date and time without a time zone, a whole number below 2⁶³, one below 2³², an
angle, one of some thousand texts at most, a text of nearly every photo's own."""

FactValue = str | int | float | datetime | None

IFD0, EXIF_IFD, GPS_IFD = 0, 0x8769, 0x8825
"""Where a file's EXIF data hold a tag: the first directory, or the tags of it that lead to another."""


@dataclass(frozen=True)
class ExifTag:
    """A tag of EXIF (CIPA DC-008): its directory and its number there."""

    directory: int
    number: int


@dataclass(frozen=True)
class Column:
    """``name``: of the column in the catalog's table of photos. ``array``: of what the index keeps of it."""

    name: str
    array: str
    values: Values


@dataclass(frozen=True)
class Measure:
    """What a number is measured in: each unit's worth, the one of a number without any as "", the least step
    there is, bounds as an example, and a sign that may stand before the number."""

    units: Mapping[str, Decimal]
    step: Decimal
    example: str
    sign: str = ""


PIXELS = Measure(dict.fromkeys(("", "px", "pixels"), Decimal(1)), Decimal(1), ">4000, 4000 or 1000..4000")
MEGAPIXELS = Measure(dict.fromkeys(("", "mp"), Decimal(1)), Decimal("0.000001"), ">=12, 12 or 8..16")
BYTES = Measure(BYTE_UNITS, Decimal(1), ">2MB, 500kB or 1..3MB")
NUMBERS = Measure({"": Decimal(1)}, Decimal(1), "12 or 3..90", sign="#")


@dataclass(frozen=True)
class Fact:
    """One fact.

    ``name``: before the colon in a query, and in an export; ``aliases``: other words before the colon.
    ``source``: where it is read from; ``exif``: in which tags, in the order in which its kind takes them: of
    dates the first that is one, of texts all that are there together, of a place latitude, "N" or "S",
    longitude, "E" or "W".
    ``columns``: none for what has a table of its own, two where a fact is made of both.
    ``optional``: a photo may have none, which a query asks for as "unknown".
    ``values``: the words there are (any, where none are listed), which ``values_are`` begins to say;
    ``spellings``: other ways to write them.
    """

    name: str
    kind: Kind
    source: Literal["EXIF", "file", "archive"]
    columns: tuple[Column, ...]
    example: str
    aliases: tuple[str, ...] = ()
    exif: tuple[ExifTag, ...] = ()
    optional: bool = False
    measure: Measure | None = None
    values: tuple[str, ...] = ()
    values_are: str = ""
    spellings: Mapping[str, str] = field(default_factory=dict)


_PATH = Column("path", "path", "path")
_WIDTH, _HEIGHT = Column("width", "width", "pixels"), Column("height", "height", "pixels")

FACTS = (
    Fact(
        "taken",  # the camera's local time
        "date",
        "EXIF",
        (Column("taken_at", "taken", "date"),),
        "taken:2023-06",
        aliases=("date",),
        exif=(ExifTag(EXIF_IFD, 0x9003), ExifTag(EXIF_IFD, 0x9004)),  # DateTimeOriginal, DateTimeDigitized
        optional=True,
    ),
    Fact("added", "date", "archive", (Column("added_at", "added", "date"),), "added:today"),  # UTC
    Fact(
        "camera",
        "text",
        "EXIF",
        (Column("camera", "camera", "text"),),
        "camera:canon",
        exif=(ExifTag(IFD0, 0x010F), ExifTag(IFD0, 0x0110)),  # Make, Model
        optional=True,
    ),
    Fact(
        "lens",
        "text",
        "EXIF",
        (Column("lens", "lens", "text"),),
        "lens:sigma*",
        exif=(ExifTag(EXIF_IFD, 0xA434),),  # LensModel
        optional=True,
    ),
    Fact("path", "path", "file", (_PATH,), "path:holiday/**"),
    Fact("name", "path", "file", (_PATH,), "name:IMG_*", aliases=("filename",)),
    Fact(
        "format",
        "word",
        "file",
        (Column("format", "format", "text"),),
        "format:jpeg",
        aliases=("type",),
        spellings={"jpg": "jpeg", "tif": "tiff", "jp2": "jpeg2000", "jpeg 2000": "jpeg2000"},
    ),
    Fact("tag", "tag", "archive", (), "tag:best", aliases=("tags",)),
    Fact(
        "keep",
        "word",
        "archive",
        (Column("keep", "keep", "text"),),
        "keep:exact",
        values=tuple(KeepMode),
        values_are="photos are kept as",
    ),
    Fact("width", "number", "file", (_WIDTH,), "width:>4000", measure=PIXELS),
    Fact("height", "number", "file", (_HEIGHT,), "height:>4000", measure=PIXELS),
    Fact(
        "megapixels",
        "number",
        "file",
        (_WIDTH, _HEIGHT),
        "megapixels:>=12",
        aliases=("mp",),
        measure=MEGAPIXELS,
    ),
    Fact("size", "number", "file", (Column("file_size", "size", "whole"),), "size:>2MB", measure=BYTES),
    Fact("id", "number", "archive", (Column("id", "ids", "whole"),), "id:12", measure=NUMBERS),
    Fact(
        "orientation",
        "orientation",
        "file",
        (_WIDTH, _HEIGHT),
        "orientation:landscape",
        values=("portrait", "landscape", "square", "panorama"),
        values_are="a photo's orientation is",
    ),
    Fact(
        "place",
        "place",
        "EXIF",
        (Column("latitude", "latitude", "degrees"), Column("longitude", "longitude", "degrees")),
        "place:unknown",
        exif=tuple(ExifTag(GPS_IFD, number) for number in (2, 1, 4, 3)),  # latitude, its letter, longitude …
        optional=True,
    ),
)
NAMED: Mapping[str, Fact] = {fact.name: fact for fact in FACTS}

# Facts in the order in which people are shown them.
SORTED_BY = ("taken", "added", "size", "width", "height", "megapixels", "path", "name", "id")
"""Those that photos can be put in order by."""
COUNTED = ("format", "camera", "lens")
"""Those whose values statistics count."""
EXPORTED: tuple[str, ...] = ("lens",)
"""Those that answers carry into JSON, CSV and Parquet, beside id and path."""

FROM_EXIF = tuple(fact for fact in FACTS if fact.exif)
EXIF_COLUMNS = tuple(column.name for fact in FROM_EXIF for column in fact.columns)
COLUMNS = tuple(dict.fromkeys(column for fact in FACTS for column in fact.columns))
"""Every column of the catalog that holds a fact."""
INDEXED = tuple(column for column in COLUMNS if column.values != "path")
"""Those of which the index keeps an array; of paths it keeps their order alone."""
