"""The JSON files that Google Photos writes beside each photo of an export."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dsslic_search.codec.picture.facts import PROSE_CHARACTERS, PhotoFacts, clean, joined_words
from dsslic_search.core.plain_json import parsed


def read(data: bytes) -> PhotoFacts | None:
    """What such a file tells of its photo, by the catalog's columns: when it was taken (UTC; no time zone is
    told), where, its description, and who is on it. None for JSON of another kind, ValueError for what is no
    JSON."""
    told = parsed(data)
    if not isinstance(told, dict) or not isinstance(told.get("title"), str):
        return None
    latitude, longitude = _place(told)
    return {
        "taken_at": _moment(told.get("photoTakenTime")),
        "latitude": latitude,
        "longitude": longitude,
        "description": clean(_text(told.get("description")), PROSE_CHARACTERS) or None,
        "people": joined_words(_text(each.get("name")) for each in _objects(told.get("people"))),
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _moment(value: Any) -> datetime | None:
    seconds = value.get("timestamp") if isinstance(value, dict) else None
    try:
        found = datetime.fromtimestamp(int(str(seconds)), UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.year > 1 else None


def _place(told: dict[str, Any]) -> tuple[float | None, float | None]:
    """What somebody corrected goes before what the photo said. Zeros stand for none."""
    for name in ("geoData", "geoDataExif"):
        data = told.get(name)
        if isinstance(data, dict):
            north, east = data.get("latitude"), data.get("longitude")
            if isinstance(north, (int, float)) and isinstance(east, (int, float)) and (north or east):
                return (float(north), float(east)) if abs(north) <= 90 and abs(east) <= 180 else (None, None)
    return None, None
