"""The outline of land that the page draws places on, made from Natural Earth (public domain) as the npm
package world-atlas 2.0.2 (ISC) carries it.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python -m dsslic_search.web.land package/land-50m.json > dsslic_search/web/page/land.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

SOURCE = "Natural Earth 1:50m land (public domain), by way of the npm package world-atlas 2.0.2 (ISC)"
TOLERANCE = 0.09
"""Degrees that a simplified outline may lie off the one that it was made from."""
LEAST_SIZE = 0.35
"""Degrees: an island is left out when neither of its sides is longer."""
STEPS = 50
"""Of a degree, in which positions are written."""

Ring = list[tuple[float, float]]


def rings_of(topology: dict[str, Any]) -> Iterator[Ring]:
    """The rings of all polygons of a TopoJSON file's ``land``: (longitude, latitude) in degrees, the first
    point again at the end."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for steps in topology["arcs"]:
        x = y = 0
        arc = []
        for dx, dy in steps:
            x, y = x + dx, y + dy
            arc.append((x * sx + tx, y * sy + ty))
        arcs.append(arc)
    for geometry in topology["objects"]["land"]["geometries"]:
        polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
        for polygon in polygons:
            for numbers in polygon:
                ring: Ring = []
                for number in numbers:
                    arc = arcs[number] if number >= 0 else arcs[~number][::-1]
                    ring += arc if not ring else arc[1:]
                yield ring


def unrolled(ring: Ring) -> list[Ring]:
    """A ring without jumps from 180° to −180°: longitudes go on beyond these, in a second copy for the other
    edge of the map; one that goes round a pole is led along it."""
    shift, before = 0.0, ring[0][0]
    plain: Ring = []
    for lon, lat in ring:
        if abs(lon - before) > 180:
            shift += 360 if lon < before else -360
        before = lon
        plain.append((lon + shift, lat))
    if abs(plain[-1][0] - plain[0][0]) > 180:
        pole = 90.0 if plain[0][1] > 0 else -90.0
        plain += [(plain[-1][0], pole), (plain[0][0], pole), plain[0]]
    lons = [lon for lon, _ in plain]
    if max(lons) > 180:
        return [plain, [(lon - 360, lat) for lon, lat in plain]]
    if min(lons) < -180:
        return [plain, [(lon + 360, lat) for lon, lat in plain]]
    return [plain]


def simplified(line: Sequence[tuple[float, float]], tolerance: float) -> Ring:
    """A line with fewer points, none of those left out farther than ``tolerance`` from it (Douglas and
    Peucker, 1973). The first and last stay."""
    keep = {0, len(line) - 1}
    todo = [(0, len(line) - 1)]
    while todo:
        first, last = todo.pop()
        far, worst = tolerance, None
        for i in range(first + 1, last):
            if (off := _distance(line[i], line[first], line[last])) > far:
                far, worst = off, i
        if worst is not None:
            keep.add(worst)
            todo += [(first, worst), (worst, last)]
    return [line[i] for i in sorted(keep)]


def _distance(point: tuple[float, float], one: tuple[float, float], other: tuple[float, float]) -> float:
    """Of a point from the stretch between two."""
    (px, py), (x, y), (dx, dy) = point, one, (other[0] - one[0], other[1] - one[1])
    length = dx * dx + dy * dy
    along = 0.0 if length == 0 else min(max(((px - x) * dx + (py - y) * dy) / length, 0), 1)
    return float(((px - x - along * dx) ** 2 + (py - y - along * dy) ** 2) ** 0.5)


def outline(topology: dict[str, Any]) -> dict[str, Any]:
    """What the page reads: ``rings`` of whole numbers, longitude and latitude in ``steps`` of a degree, each
    but the first as what it is more than the one before."""
    rings = []
    for ring in (each for whole in rings_of(topology) for each in unrolled(whole)):
        lons, lats = zip(*ring, strict=True)
        if max(max(lons) - min(lons), max(lats) - min(lats)) < LEAST_SIZE:
            continue
        half = len(ring) // 2  # a closed line has no two ends to be simplified between
        points = simplified(ring[: half + 1], TOLERANCE)[:-1] + simplified(ring[half:], TOLERANCE)
        steps: list[int] = []
        x = y = 0
        for lon, lat in points[:-1]:
            here = round(lon * STEPS), round(lat * STEPS)
            if steps and here == (x, y):
                continue
            steps += [here[0] - x, here[1] - y]
            x, y = here
        if len(steps) >= 6:
            rings.append(steps)
    return {"source": SOURCE, "steps": STEPS, "rings": rings}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    json.dump(outline(json.loads(Path(sys.argv[1]).read_text())), sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")
