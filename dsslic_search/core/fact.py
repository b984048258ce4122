"""What a fact of a photo's file is made of: where it can be read, its column, its values, what they are
measured in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from dsslic_search.core.text import BYTE_UNITS

Kind = Literal[
    "date",
    "number",
    "text",
    "prose",
    "texts",
    "words",
    "path",
    "word",
    "tag",
    "orientation",
    "place",
    "colour",
    "shown",
]
"""How a fact is asked for: a period of days; bounds; a part of a text, or a glob for all of it, without
regard to capitals; the same for a text of a photo's own, and for several texts at once; whole words of one of
many texts, or a glob for all of one; the same as for a text, of a path, where "*" and "?" stop at slashes; a
whole word; one of many words; the proportions of the sides; a place on Earth, by its distance; one of the
colours that there are; a word for what the whole photo shows."""

Values = Literal[
    "date",
    "whole",
    "pixels",
    "degrees",
    "whole or none",
    "number or none",
    "text",
    "words",
    "prose",
    "path",
    "colours",
]
"""What a column holds: a date and time without a time zone, a whole number below 2⁶³, one below 2³², an
angle, a whole number below 2³¹ or nothing, any number or nothing, one of some thousand texts at most, several
of such texts (one a line), a text of a photo's own or nothing, a text of nearly every photo's own, a mask of
`core.colour_terms` or nothing."""

ASKED_OF_THE_CATALOG: tuple[Values, ...] = ("prose", "path")
"""What indexes keep no array of."""

FactValue = str | int | float | datetime | None

IFD0, EXIF_IFD, GPS_IFD = 0, 0x8769, 0x8825
"""Where a file's EXIF data hold a tag: the first directory, or the tags of it that lead to another."""


@dataclass(frozen=True)
class ExifTag:
    """A tag of EXIF (CIPA DC-008): its directory, its number there, and its name."""

    directory: int
    number: int
    name: str


@dataclass(frozen=True)
class XmpProperty:
    """A property of XMP (ISO 16684-1) by its usual prefix and its name, as "dc:title"; or "people", those who
    are named in regions of the picture. ``levels``: a value is a path, as "Places|Bergen", whose last part
    counts, after one of these signs."""

    name: str
    levels: str = ""


@dataclass(frozen=True)
class IptcDataset:
    """A dataset of IPTC (IIM 4.2): its record, its number there, and its name."""

    record: int
    number: int
    name: str


Tags = tuple[ExifTag, ...] | tuple[XmpProperty, ...] | tuple[IptcDataset, ...]
"""Tags of one source that make a value together."""


@dataclass(frozen=True)
class Column:
    """``name``: of the column in the catalog's table of photos. ``array``: of what the index keeps of it."""

    name: str
    array: str
    values: Values


@dataclass(frozen=True)
class Measure:
    """What a number is measured in: each unit's worth, the one of a number without any as "", the least step
    there is, bounds as an example, a sign that may stand before the number, whether that may be written as
    1/250, and the units as an error names them where all their spellings would be too many."""

    units: Mapping[str, Decimal]
    step: Decimal
    example: str
    sign: str = ""
    fractions: bool = False
    usual_units: str = ""


PIXELS = Measure(dict.fromkeys(("", "px", "pixels"), Decimal(1)), Decimal(1), ">4000, 4000 or 1000..4000")
MEGAPIXELS = Measure(dict.fromkeys(("", "mp"), Decimal(1)), Decimal("0.000001"), ">=12, 12 or 8..16")
BYTES = Measure(
    BYTE_UNITS,
    Decimal(1),
    ">2MB, 500kB or 1..3MB",
    usual_units="B, kB, MB, GB or TB, or of 1024 KiB, MiB, GiB or TiB",
)
NUMBERS = Measure({"": Decimal(1)}, Decimal(1), "12 or 3..90", sign="#")
SENSITIVITY = Measure({"": Decimal(1)}, Decimal(1), ">=1600, 400 or 100..800")
MILLIMETRES = Measure(dict.fromkeys(("", "mm"), Decimal(1)), Decimal("0.01"), ">=200, 50 or 24..70")
SECONDS = Measure(
    {"": Decimal(1), "s": Decimal(1), "sec": Decimal(1), "ms": Decimal("0.001")},
    Decimal("0.0000001"),
    "<1/250, 1/60 or 1..30s",
    fractions=True,
)
F_NUMBERS = Measure({"": Decimal(1)}, Decimal("0.01"), "<=2.8, 8 or 5.6..11", sign="f/")
STARS = Measure({"": Decimal(1)}, Decimal("0.1"), ">=4, 5 or 2..3")
BITS = Measure(dict.fromkeys(("", "bit", "bits"), Decimal(1)), Decimal(1), ">8, 16 or 10..12")
LUMA = Measure({"": Decimal(1)}, Decimal(1), "<60, 128 or 100..200")
TURNS = Measure({"": Decimal(1)}, Decimal(1), "6 or 2..8")

ISO_STOPS = tuple(25 * 2**n for n in range(16))
EXPOSURE_STOPS = (
    *(1 / n for n in (8000, 4000, 2000, 1000, 500, 250, 125, 60, 30, 15, 8, 4, 2)),
    *(1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0),
)
F_STOPS = (1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0, 22.0, 32.0)
"""Whole stops, as cameras have them (ISO 12232, ISO 516, ISO 517)."""
FOCAL_LENGTHS = (3.0, 5.0, 10.0, 14.0, 20.0, 28.0, 35.0, 50.0, 70.0, 100.0, 135.0, 200.0, 300.0, 400.0, 600.0)
"""Millimetres, of lenses that are sold; those of phones are below 10."""


@dataclass(frozen=True)
class Fact:
    """One fact.

    ``name``: before the colon in a query, and in an export; ``aliases``: other words before the colon.
    ``source``: where it is read from; ``read``: in which tags of a photo's metadata, the best first: the
    first that say something count, but of "words" all do. Tags that stand together are those of a day and a
    time, the parts of a text, or of a place in EXIF latitude, "N" or "S", longitude, "E" or "W", in XMP
    latitude and longitude. ``possible``: the least and the greatest number that is believed; ``unsaid``:
    numbers that stand for none; ``stops``: bounds between which statistics count a number, ascending.
    ``columns``: none for what has a table of its own, several where a fact is made of them.
    ``optional``: a photo may have none, which a query asks for as "unknown".
    ``values``: the words there are (any, where none are listed), which ``values_are`` begins to say;
    ``spellings``: other ways to write them.
    """

    name: str
    kind: Kind
    source: Literal["metadata", "file", "archive"]
    columns: tuple[Column, ...]
    example: str
    aliases: tuple[str, ...] = ()
    read: tuple[Tags, ...] = ()
    optional: bool = False
    measure: Measure | None = None
    possible: tuple[float, float] = (0, math.inf)
    unsaid: frozenset[float] = frozenset()
    stops: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    values_are: str = ""
    spellings: Mapping[str, str] = field(default_factory=dict)
