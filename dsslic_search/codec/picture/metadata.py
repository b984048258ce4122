"""What a photo's EXIF data says, and the part of it that is kept (CIPA DC-008 / JEITA CP-3451)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

from dsslic_search.core.fields import EXIF_COLUMNS, FROM_EXIF, ExifTag, FactValue, Kind

MAX_BYTES = 1 << 16

TEXT_CHARACTERS = 120
"""Of a text such as a camera's name; what is longer is cut."""

_DATE = re.compile(r"\s*(\d{4})[:\-/.](\d\d)[:\-/.](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_KEPT = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.XResolution,
    ExifTags.Base.YResolution,
    ExifTags.Base.ResolutionUnit,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.HostComputer,
    ExifTags.Base.Rating,
    ExifTags.Base.Copyright,
)
_SIZE_TAGS = (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)


PhotoFacts = Mapping[str, FactValue]
"""What EXIF data tell, by the catalog's columns: dates are the camera's local time, degrees positive to the
north and east; None where not known."""

NO_FACTS: PhotoFacts = dict.fromkeys(EXIF_COLUMNS)


def read_facts(exif: Image.Exif) -> PhotoFacts:
    """Every fact of `core.fields.FROM_EXIF`; what is missing, malformed or impossible is None."""
    found = dict(NO_FACTS)
    for fact in FROM_EXIF:
        values = _READERS[fact.kind]([_tag(exif, tag) for tag in fact.exif])
        found.update(zip((column.name for column in fact.columns), values, strict=True))
    return found


def kept_facts(kept: bytes) -> PhotoFacts:
    """The facts in what `kept_bytes` kept of a photo's EXIF data; none for b""."""
    exif = Image.Exif()
    try:
        exif.load(kept)
        return read_facts(exif)
    except Exception:  # as of the photo itself: damage can make Pillow raise nearly anything
        return NO_FACTS


def _tag(exif: Image.Exif, tag: ExifTag) -> Any:
    return (exif.get_ifd(tag.directory) if tag.directory else exif).get(tag.number)


def kept_bytes(exif: Image.Exif, width: int, height: int) -> bytes:
    """EXIF data to keep with an upright photo of that size, at most 64 KiB; b"" when there is nothing worth
    keeping.

    Kept: camera, description, dates, authorship, exposure and GPS. Orientation becomes 1. Left out: the
    thumbnail, the structure of TIFF files, and the maker's note, whose inner offsets do not survive a
    rewriting.
    """
    kept = Image.Exif()
    for tag in _KEPT:
        if tag in exif:
            kept[tag] = exif[tag]
    shot = {
        tag: value
        for tag, value in exif.get_ifd(ExifTags.IFD.Exif).items()
        if tag not in (ExifTags.Base.MakerNote, ExifTags.IFD.Interop)
    }
    position = dict(exif.get_ifd(ExifTags.IFD.GPSInfo))
    for name, ifd in ((ExifTags.IFD.Exif, shot), (ExifTags.IFD.GPSInfo, position)):
        if ifd:
            kept[name] = ifd
    if not len(kept):
        return b""
    if any(tag in shot for tag in _SIZE_TAGS):
        shot.update(zip(_SIZE_TAGS, (width, height), strict=True))
    kept[ExifTags.Base.Orientation] = 1
    data = kept.tobytes()
    return data if len(data) <= MAX_BYTES else b""


def _date(value: Any) -> datetime | None:
    found = _DATE.match(value) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        return datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]  # six numbers, never tzinfo
    except ValueError:  # 0000:00:00 and the like
        return None


def _clean(value: Any) -> str:
    text = value if isinstance(value, str) else ""
    text = "".join(c if c.isprintable() else " " for c in text.split("\0")[0])
    return " ".join(text.split())[:TEXT_CHARACTERS]


def _first_date(values: Sequence[Any]) -> Sequence[FactValue]:
    return [next(filter(None, map(_date, values)), None)]


def _text(values: Sequence[Any]) -> Sequence[FactValue]:
    """All texts together. Makers often repeat their name in the model: "NIKON CORPORATION", "NIKON D90" →
    "NIKON D90"."""
    joined = ""
    for text in filter(None, map(_clean, values)):
        repeats = joined and joined.split()[0].casefold() == text.split()[0].casefold()
        joined = text if repeats else f"{joined} {text}".lstrip()
    return [joined or None]


def _place(values: Sequence[Any]) -> Sequence[FactValue]:
    north, north_letter, east, east_letter = values
    latitude = _degrees(north, north_letter, "N", "S", 90)
    longitude = _degrees(east, east_letter, "E", "W", 180)
    return [None, None] if latitude is None or longitude is None else [latitude, longitude]


def _degrees(value: Any, reference: Any, positive: str, negative: str, limit: float) -> float | None:
    """Signed decimal degrees from (degrees, minutes, seconds) and the hemisphere's letter."""
    side = _clean(reference).upper()[:1]
    if side not in (positive, negative) or not isinstance(value, tuple) or len(value) != 3:
        return None
    try:
        degrees, minutes, seconds = (float(part) for part in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    total = degrees + minutes / 60 + seconds / 3600
    if not math.isfinite(total) or min(degrees, minutes, seconds) < 0 or total > limit:
        return None
    return -total if side == negative and total else total


_READERS: Mapping[Kind, Callable[[Sequence[Any]], Sequence[FactValue]]] = {
    "date": _first_date,
    "text": _text,
    "place": _place,
}
"""From the values of a fact's tags to those of its columns."""
