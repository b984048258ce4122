"""Places on Earth as people write them: "near 48.85,2.35 5km", "within 500 m of 48.85°N 2.35°E"."""

from __future__ import annotations

import re

from dsslic_search.query.ast import Near

DEFAULT_METRES = 1000.0
FARTHEST = 20_040_000  # metres; no two places are farther apart
OPENERS = frozenset({"near", "within"})
"""The words with which a place can begin."""

_DEGREES = r"([-+−]?[0-9]{1,3}+(?:\.[0-9]{1,15}+)?+)(?![0-9])(?:\s*+°)?+"
_SPOT = _DEGREES + r"(?:\s*+([ns])\b)?+\s*+,?\s*+" + _DEGREES + r"(?:\s*+([ew])\b)?+(?!\w|\s*%|\.\d)"
_DISTANCE = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(km|m|mi|miles?|met(?:re|er)s?|kilomet(?:re|er)s?)\b"
_NEAR = re.compile(rf"near\s+{_SPOT}(?:\s*+,?\s*+{_DISTANCE})?")
_WITHIN = re.compile(rf"within\s+{_DISTANCE}\s+(?:of|from)\s+{_SPOT}")
_NUMBER_FOLLOWS = re.compile(r"(?:near|within)\s+[-+−.]?[0-9]")


def place(text: str, start: int) -> tuple[Near, int] | None:
    """The place that ``text``, in normal form, speaks of from ``start`` on, and where that ends; None if it
    speaks of none.

    Raises ValueError with a sentence for numbers that are no place."""
    if found := _NEAR.match(text, start):
        north, south, east, west, distance, unit = found.groups()
    elif found := _WITHIN.match(text, start):
        distance, unit, north, south, east, west = found.groups()
    elif _NUMBER_FOLLOWS.match(text, start):
        raise ValueError(
            "no place is given here: write one in degrees, as in near 48.85,2.35 5km, or a thing, as in near "
            "a house"
        )
    else:
        return None
    latitude, longitude = _degrees(north, south), _degrees(east, west)
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError(
            "a latitude is from -90 to 90 and a longitude from -180 to 180 degrees: write the latitude first"
        )
    metres = DEFAULT_METRES if distance is None else float(distance) * _metres(unit)
    if not 0 < metres <= FARTHEST:
        raise ValueError("a distance is more than 0 and at most 20 040 km, half way round the Earth")
    return Near(latitude, longitude, metres), found.end()


def _degrees(number: str, letter: str | None) -> float:
    degrees = float(number.replace("−", "-"))
    return -degrees if letter in {"s", "w"} else degrees


def _metres(unit: str) -> float:
    return 1000.0 if unit.startswith("k") else 1609.344 if unit.startswith("mi") else 1.0
