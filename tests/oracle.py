"""What queries mean, done slowly: everything from the pixels of label maps, in plain Python, with none of the
package's code.

Regions are sets of pixels found by flood fill; each definition of docs/query-language.md is one function.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from struct import pack, unpack

UNITS = 60_000  # coordinates are whole numbers of 1/UNITS of a side, rounded down
SHARES = 252  # shares are whole numbers of 1/SHARES, rounded down
LINES = ("first half", "second half", "first third", "middle third", "last third", "middle half")

Pixel = tuple[int, int]  # column, row
Map = Sequence[Sequence[int]]  # rows of class ids

ZONES = {
    "left": ("first half", None),
    "right": ("second half", None),
    "top": (None, "first half"),
    "bottom": (None, "second half"),
    "left third": ("first third", None),
    "middle third": ("middle third", None),
    "right third": ("last third", None),
    "top third": (None, "first third"),
    "bottom third": (None, "last third"),
    "centre": ("middle half", "middle half"),
    "middle": ("middle half", "middle half"),
    "top left": ("first half", "first half"),
    "top right": ("second half", "first half"),
    "bottom left": ("first half", "second half"),
    "bottom right": ("second half", "second half"),
}
RELATIONS = (
    "left of",
    "right of",
    "above",
    "below",
    "on",
    "in",
    "surrounded by",
    "next to",
    "in front of",
    "behind",
)


@dataclass(frozen=True, eq=False)
class OracleRegion:
    """One region: its class, its pixels and the map that they are in."""

    class_id: int
    pixels: frozenset[Pixel]
    of: Map
    told: dict[tuple[str, int], float] = field(default_factory=dict, repr=False)
    """How clearly it lies so to the regions of a class, by relation and class."""

    @cached_property
    def width(self) -> int:
        return len(self.of[0])

    @cached_property
    def height(self) -> int:
        return len(self.of)

    @cached_property
    def in_column(self) -> Counter[int]:
        """How many of the pixels lie in each column."""
        return Counter([x for x, _ in self.pixels])

    @cached_property
    def in_row(self) -> Counter[int]:
        return Counter([y for _, y in self.pixels])

    @cached_property
    def area(self) -> int:
        return len(self.pixels) * UNITS // (self.width * self.height)

    @cached_property
    def left(self) -> int:
        return min(self.in_column) * UNITS // self.width

    @cached_property
    def right(self) -> int:
        return (max(self.in_column) + 1) * UNITS // self.width

    @cached_property
    def top(self) -> int:
        return min(self.in_row) * UNITS // self.height

    @cached_property
    def bottom(self) -> int:
        return (max(self.in_row) + 1) * UNITS // self.height

    @cached_property
    def x(self) -> int:
        doubled = sum((2 * x + 1) * number for x, number in self.in_column.items())
        return doubled * UNITS // (2 * len(self.pixels) * self.width)

    @cached_property
    def y(self) -> int:
        doubled = sum((2 * y + 1) * number for y, number in self.in_row.items())
        return doubled * UNITS // (2 * len(self.pixels) * self.height)

    def share_of_columns(self, line: str) -> int:
        """Share of the pixels whose centre lies in a stretch of the width."""
        return SHARES * _within(self.in_column, self.width, line) // len(self.pixels)

    def share_of_rows(self, line: str) -> int:
        return SHARES * _within(self.in_row, self.height, line) // len(self.pixels)

    @cached_property
    def beyond(self) -> Counter[int | None]:
        """How many pixel edges of the outline have each class beyond them; None for edges of the photo, which
        are part of it."""
        return Counter(
            self.of[v][u] if 0 <= u < self.width and 0 <= v < self.height else None
            for x, y in self.pixels
            for u, v in ((x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1))
            if (u, v) not in self.pixels
        )

    def border(self, classes: Collection[int]) -> int:
        """The share of the outline that some classes, as one thing, take."""
        return SHARES * sum(self.beyond[c] for c in set(classes)) // self.beyond.total()

    @cached_property
    def foot(self) -> list[Pixel]:
        """The lowest pixel of each column, where it lies in the lowest quarter of the box."""
        highest, lowest = min(self.in_row), max(self.in_row)
        end_of: dict[int, int] = {}
        for x, y in self.pixels:
            end_of[x] = max(y, end_of.get(x, y))
        return [(x, y) for x, y in end_of.items() if 4 * (y + 1 - highest) > 3 * (lowest + 1 - highest)]

    @cached_property
    def below(self) -> Counter[frozenset[int]]:
        """How many pixels of the foot have these classes, and no others, right below."""
        gap = max(1, self.height // 50)
        return Counter(
            frozenset(self.of[v][x] for v in range(y + 1, min(y + 1 + gap, self.height)))
            for x, y in self.foot
        )

    def under(self, classes: Collection[int]) -> int:
        """The share of the foot that has some of the classes, as one thing, right below."""
        standing = sum(number for below, number in self.below.items() if not below.isdisjoint(classes))
        return SHARES * standing // self.below.total()


class Scene(list[OracleRegion]):
    """The regions of one map."""

    @cached_property
    def by_class(self) -> dict[int, list[OracleRegion]]:
        found: dict[int, list[OracleRegion]] = defaultdict(list)
        for region in self:
            found[region.class_id].append(region)
        return found


def _within(counts: Counter[int], side: int, line: str) -> int:
    """How many of the pixels counted by their place along a side have their centre in a stretch of it."""
    return sum(number for place, number in counts.items() if in_line(place, side, line))


@cache
def in_line(place: int, side: int, line: str) -> bool:
    """Whether the centre of pixel ``place`` of ``side`` lies in a stretch of the side."""

    def part(k: int) -> int:
        return (2 * place + 1) * k // (2 * side)

    return {
        "first half": part(2) == 0,
        "second half": part(2) == 1,
        "first third": part(3) == 0,
        "middle third": part(3) == 1,
        "last third": part(3) == 2,
        "middle half": part(4) in (1, 2),
    }[line]


def regions_of(label_map: Iterable[Iterable[int]]) -> Scene:
    """The regions of a map (a list of rows, or an array), largest first, then by first pixel."""
    rows = [[int(c) for c in row] for row in label_map]
    height, width = len(rows), len(rows[0])
    left = {(x, y): rows[y][x] for y in range(height) for x in range(width)}  # in no region yet
    found = []
    for first in list(left):
        if first not in left:
            continue
        class_id, pixels, edge = left.pop(first), [first], [first]
        while edge:
            x, y = edge.pop()
            for near in (
                (x - 1, y - 1), (x, y - 1), (x + 1, y - 1), (x - 1, y),
                (x + 1, y), (x - 1, y + 1), (x, y + 1), (x + 1, y + 1),
            ):  # fmt: skip
                if left.get(near) == class_id:
                    del left[near]
                    pixels.append(near)
                    edge.append(near)
        if 1000 * len(pixels) >= width * height:
            found.append(OracleRegion(class_id, frozenset(pixels), rows))
    return Scene(sorted(found, key=lambda region: -len(region.pixels)))


# What follows takes the regions of one map, and gives the degrees of those that pass: none passing, none
# given.


def anywhere(regions: Scene, classes: Collection[int]) -> list[float]:
    """The regions of some classes."""
    return [_single(min(1, 4 * a.area / UNITS)) for a in regions if a.class_id in classes]


def in_zone(regions: Scene, classes: Collection[int], zone: str) -> list[float]:
    """The regions of some classes that lie in a zone."""
    columns, rows = ZONES[zone]
    degrees = []
    for a in regions:
        shares = []
        if columns is not None:
            shares.append(a.share_of_columns(columns))
        if rows is not None:
            shares.append(a.share_of_rows(rows))
        if a.class_id in classes and min(shares) >= SHARES / 2:
            degrees.append(_single(min(shares) / SHARES))
    return degrees


def related(regions: Scene, classes: Collection[int], relation: str, others: Collection[int]) -> list[float]:
    """The regions of some classes that lie so to another region, or to the pixels, of other classes."""
    best = [degree_of(relation, a, regions, others) for a in regions if a.class_id in classes]
    return [degree for degree in best if degree > 0]


def between(
    regions: Scene, classes: Collection[int], first: Collection[int], second: Collection[int]
) -> list[float]:
    """The regions of some classes that lie between one of ``first`` and one of ``second``."""
    best = []
    for a in regions:
        if a.class_id not in classes:
            continue
        before = {way: degree_of(way, a, regions, first) for way in ("left of", "right of", "above", "below")}
        after = {way: degree_of(way, a, regions, second) for way in ("left of", "right of", "above", "below")}
        pairs = (("right of", "left of"), ("left of", "right of"), ("below", "above"), ("above", "below"))
        best.append(max(min(before[one], after[other]) for one, other in pairs))
    return [degree for degree in best if degree > 0]


def holds(
    relation: str, label_map: Iterable[Iterable[int]], classes: Collection[int], others: Collection[int]
) -> bool:
    """Whether some region of ``classes`` lies so to one of ``others``."""
    return bool(related(regions_of(label_map), classes, relation, others))


def degree_of(relation: str, a: OracleRegion, regions: Scene, others: Collection[int]) -> float:
    """How clearly a region lies so to ``others``, 0 when it does not."""
    if relation in ("on", "in", "surrounded by"):
        under, border = a.under(others), a.border(others)
        share = {"on": under, "in": max(under, border), "surrounded by": border}[relation]
        enough = share >= (SHARES * 3 / 4 if relation == "surrounded by" else SHARES / 2)
        return _single(share / SHARES) if enough else 0.0
    return max((_of_class(relation, a, regions, c) for c in others), default=0.0)


def _of_class(relation: str, a: OracleRegion, regions: Scene, class_id: int) -> float:
    """The same of the regions of one class; kept, as trees ask it of a map again and again."""
    if (relation, class_id) not in a.told:
        others = [b for b in regions.by_class.get(class_id, ()) if b is not a]
        a.told[relation, class_id] = max((_of_pair(relation, a, b) for b in others), default=0.0)
    return a.told[relation, class_id]


def _of_pair(relation: str, a: OracleRegion, b: OracleRegion) -> float:
    if relation in ("right of", "below", "behind"):
        a, b = b, a
    if relation in ("left of", "right of"):
        return _clear(b.x - a.x) if a.right <= b.x and a.x <= b.left else 0.0
    if relation in ("above", "below"):
        return _clear(b.y - a.y) if a.bottom <= b.y and a.y <= b.top else 0.0
    share_rows = a.top < b.bottom and b.top < a.bottom
    if relation in ("in front of", "behind"):
        share_columns = a.left < b.right and b.left < a.right
        return _clear(a.bottom - b.bottom) if share_columns and share_rows and a.bottom > b.bottom else 0.0
    assert relation == "next to"
    gap = max(b.left - a.right, a.left - b.right)
    near = UNITS // 20
    return _single((2 * near - max(gap, 0)) / (2 * near)) if share_rows and gap <= near else 0.0


def _clear(distance: int) -> float:
    """Half the photo is as clear as can be; what holds is never 0."""
    return _single(min(1.0, max(1 / 255, 2 * distance / UNITS)))


def _single(value: float) -> float:
    """Rounded to float32, as degrees are."""
    rounded: float = unpack("f", pack("f", value))[0]
    return rounded
