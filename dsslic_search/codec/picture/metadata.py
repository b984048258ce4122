"""What a photo's EXIF data says, and the part of it that is kept (CIPA DC-008 / JEITA CP-3451)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

MAX_BYTES = 1 << 16

_CAMERA_TEXT = 120
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


@dataclass(frozen=True)
class PhotoFacts:
    """``taken_at``: the camera's local time. ``camera``: make and model. Degrees: north and east positive.
    None where not known."""

    taken_at: datetime | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None


def read_facts(exif: Image.Exif) -> PhotoFacts:
    """Facts from EXIF data; what is missing, malformed or impossible is None."""
    shot = exif.get_ifd(ExifTags.IFD.Exif)
    taken = _date(shot.get(ExifTags.Base.DateTimeOriginal)) or _date(
        shot.get(ExifTags.Base.DateTimeDigitized)
    )
    latitude, longitude = _position(exif.get_ifd(ExifTags.IFD.GPSInfo))
    return PhotoFacts(
        taken, _camera(exif.get(ExifTags.Base.Make), exif.get(ExifTags.Base.Model)), latitude, longitude
    )


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
    return " ".join(text.split())[:_CAMERA_TEXT]


def _camera(make: Any, model: Any) -> str | None:
    """Makers often repeat their name in the model: "NIKON CORPORATION", "NIKON D90" → "NIKON D90"."""
    maker, name = _clean(make), _clean(model)
    if maker and name and maker.split()[0].casefold() != name.split()[0].casefold():
        return f"{maker} {name}"
    return name or maker or None


def _position(gps: dict[int, Any]) -> tuple[float, float] | tuple[None, None]:
    latitude = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "N", "S", 90)
    longitude = _degrees(
        gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "E", "W", 180
    )
    return (None, None) if latitude is None or longitude is None else (latitude, longitude)


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
