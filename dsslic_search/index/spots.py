"""Which photos were taken where, by arrays of an index of files: ``latitude`` and ``longitude``, float64[n]
in degrees, not a number where that is not known, and ``placed``, the rows of those known, from south to
north."""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS = 6_371_008.8  # metres, the mean


def near(
    arrays: Mapping[str, NDArray[Any]], latitude: float, longitude: float, metres: float
) -> NDArray[np.bool_]:
    """Photos taken at most so far from a place (degrees), along the surface of a sphere: bool[n]."""
    latitudes, longitudes, placed = (arrays[name] for name in ("latitude", "longitude", "placed"))
    band = np.degrees(metres / EARTH_RADIUS) + 1e-9
    first, last = (bisect.bisect_left(placed, latitude + side, key=latitudes.item) for side in (-band, band))
    rows = placed[first:last]
    if abs(latitude) + band < 89:  # away from the poles longitudes differ little as well
        most = np.degrees(np.arcsin(np.sin(np.radians(band)) / np.cos(np.radians(latitude)))) + 1e-9
        rows = rows[np.abs((longitudes[rows] - longitude + 180) % 360 - 180) <= most]
    one, other = np.radians(latitude), np.radians(latitudes[rows])
    along = np.sin((other - one) / 2) ** 2
    along += np.cos(one) * np.cos(other) * np.sin(np.radians(longitudes[rows] - longitude) / 2) ** 2
    held = np.zeros(latitudes.size, bool)
    held[rows] = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(along, 1))) <= metres
    return held


def within(
    arrays: Mapping[str, NDArray[Any]], south: float, west: float, north: float, east: float
) -> NDArray[np.bool_]:
    """Photos taken between two latitudes, and from one longitude eastward to another (degrees): bool[n]."""
    latitudes, longitudes, placed = (arrays[name] for name in ("latitude", "longitude", "placed"))
    first = bisect.bisect_left(placed, south, key=latitudes.item)
    last = bisect.bisect_right(placed, north, key=latitudes.item)
    rows = placed[first:last]
    after, before = longitudes[rows] >= west, longitudes[rows] <= east
    held = np.zeros(latitudes.size, bool)
    held[rows] = after & before if west <= east else after | before
    return held
