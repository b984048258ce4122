"""Every kind of predicate on random archives, against a slow reading of the same trees over the label
maps."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise, product
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dsslic_search.core.vocabulary import default
from dsslic_search.index.regions import frequent
from dsslic_search.index.regions.relate import ZONES
from dsslic_search.query.ast import (
    Amid,
    And,
    Anywhere,
    Balance,
    Coloured,
    Compare,
    Near,
    Node,
    Not,
    Number,
    Or,
    Orientation,
    Period,
    Presence,
    Recurring,
    Regional,
    Relation,
    Shows,
    Text,
    Thing,
    Unknown,
    Where,
    Zone,
    leaves,
)
from dsslic_search.query.contradiction import impossible
from dsslic_search.query.language.spatial import RELATIONS
from dsslic_search.query.plan import plan
from dsslic_search.query.run.evaluate import Evaluation, Indexes, Operands
from dsslic_search.query.run.order import ByDegree
from tests.query.made import NOON, MadeArchive, MadePhoto
from tests.query.slow import degree, holds

V = default()
TICKS = 10**12
CLASSES = [V.id_of(n) for n in ("sky", "sea", "water", "tree", "road", "car", "bus", "person")]
THINGS = [Thing(V.classes[c].name, V.classes[c].name, (c,), 0) for c in CLASSES]
THINGS += [Thing(g.name, g.name, g.members, 0) for g in V.groups]
GROUPS = {frozenset(group.members) for group in V.groups}
PRESENCES = [Fraction(0), Fraction(1, 200), Fraction(1, 200), Fraction(1, 10), Fraction(1)]
SHARES = [
    0,
    1,
    TICKS // 200,
    TICKS // 100,
    TICKS // 20,
    TICKS // 10,
    TICKS // 5,
    3 * TICKS // 10,
    TICKS // 2,
    TICKS,
]
PATTERNS = ["a*", "*.jpg", "**/b/**", "a/**", "b", "?.png", "a/*.png", "**a**", "*/*", "a/b"]
PLACES = [(48.85, 2.35), (48.86, 2.35), (-33.9, 151.2), (0.0, 179.99), (0.0, -179.99), (89.9, 10.0)]
LEAVES = [0, 1, 2, 500, 999]
PARTS = [1, 60, 128, 200, 255]
EXAMPLES, QUERIES = int(os.environ.get("DSS_TEST_ARCHIVES", "60")), 24
"""Archives, and random trees for each; DSS_TEST_ARCHIVES=850 asks more than 20 000 trees."""

Random = np.random.Generator
Any = TypeVar("Any")


def one(rng: Random, of: Sequence[Any]) -> Any:
    return of[int(rng.integers(len(of)))]


# Random archives


def made_map(rng: Random) -> np.ndarray:
    """Blobs, stripes or noise of a few classes; now and then a map of so many pixels that the smallest parts
    are no regions, or a thing amid a group."""
    if rng.random() < 0.15:
        return map_of_a_thing_amid_a_group(rng)
    height, width = (rng.integers(1, 13, 2) if rng.random() < 0.97 else rng.integers(35, 45, 2)).tolist()
    classes = rng.choice(CLASSES, int(rng.integers(1, 6)))
    y, x = np.mgrid[:height, :width]
    match int(rng.integers(4)):
        case 0:
            seeds = rng.random((len(classes) + 2, 2)) * (height, width)
            nearest = np.argmin(
                (y[..., None] - seeds[:, 0]) ** 2 + (x[..., None] - seeds[:, 1]) ** 2, axis=-1
            )
            label_map = classes[nearest % len(classes)]
        case 1:
            label_map = np.sort(rng.choice(classes, (height, 1)), axis=0).repeat(width, axis=1)
        case 2 if height * width < 50:
            label_map = rng.choice(classes, (height, width))
        case _:
            label_map = np.full((height, width), classes[0])
    for class_id in rng.choice(CLASSES, int(rng.integers(0, 4))):
        top, left = int(rng.integers(height)), int(rng.integers(width))
        label_map[top : top + int(rng.integers(1, 5)), left : left + int(rng.integers(1, 5))] = class_id
    return label_map.astype(np.uint8)


def map_of_a_thing_amid_a_group(rng: Random) -> np.ndarray:
    """Several classes of a group are at the outline of a thing and, where the map is high, below the same
    pixels of its foot."""
    members = one(rng, [among for group in V.groups if len(among := [*{*group.members} & {*CLASSES}]) > 1])
    height, width = int(one(rng, [6, 110])), int(rng.integers(3, 8))
    label_map = rng.choice([*members, int(rng.choice(CLASSES))], (height, width))
    top, left = int(rng.integers(1, height - 4)), int(rng.integers(width - 1))
    label_map[top : top + int(rng.integers(1, 5)), left : left + int(rng.integers(1, 4))] = rng.choice(
        CLASSES
    )
    return label_map.astype(np.uint8)


def certainties(rng: Random) -> dict[int, int]:
    """Of some classes nothing is known; steps that are large, so that photos tie."""
    return {c: int(one(rng, [60, 150, 254])) for c in CLASSES if rng.random() < 0.8}


def made_photo(rng: Random, photo_id: int) -> MadePhoto:
    day = timedelta(days=1)
    width, height = (int(one(rng, [1, 2, 3, 4, 6, 1000])) for _ in range(2))
    return MadePhoto(
        id=photo_id,
        label_map=made_map(rng),
        taken=NOON + int(rng.integers(5)) * day if rng.random() < 0.8 else None,
        added=NOON + int(rng.integers(5)) * day,
        width=width,
        height=height,
        size=int(rng.integers(1, 5)),
        place=one(rng, PLACES) if rng.random() < 0.7 else None,
        camera=one(rng, ["Canon EOS", "NIKON", None]),
        lens=one(rng, ["SIGMA 35mm f/1.4", "EF50mm f/1.8 STM", None]),
        iso=one(rng, [100, 6400, None]),
        exposure=one(rng, [0.004, 30.0, None]),
        rating=one(rng, [1.0, 4.5, None]),
        keywords=one(rng, ["beach", "Sandy  Beach\nbirthday", "art\nparty", None]),
        people=one(rng, ["Anna Lee\nBen", "Joanna", None]),
        title=one(rng, ["A birthday", "The beach", None]),
        certainties=certainties(rng),
        class_colours={c: int(rng.integers(1, 8)) for c in CLASSES if rng.random() < 0.7},
        colours=one(rng, [None, 1, 6, 12, 1 << 11 | 2]),
        brightness=one(rng, [None, 0, 30, 255]),
        description=one(rng, ["by the b sea", None, None]),
        format=one(rng, ["JPEG", "PNG"]),
        keep=one(rng, ["layers", "exact", "reference"]),
        path=one(rng, ["/a/b.jpg", "/a/b/c.png", "/b/a.jpg", "/A/b/a.PNG", "/c.jpg", f"/b/{photo_id}.jpg"]),
        tags=tuple(tag for tag in ("best", "trip") if rng.random() < 0.4),
        words=made_words(rng) if rng.random() < 0.8 else None,
    )


def made_words(rng: Random) -> tuple[tuple[int, int], ...]:
    """Few leaves, so that many photos have them, with probabilities that come often."""
    leaves = rng.choice(LEAVES, int(rng.integers(0, 4)), replace=False).tolist()
    return tuple(sorted(((leaf, one(rng, PARTS)) for leaf in leaves), key=lambda word: (-word[1], word[0])))


def made_archive(rng: Random) -> MadeArchive:
    ids = rng.choice(100, int(rng.integers(5, 11)), replace=False) + 1
    return MadeArchive([made_photo(rng, photo_id) for photo_id in ids.tolist()])


# Random trees


def made_tree(rng: Random, archive: MadeArchive, depth: int = 3) -> Node:
    kind = rng.random()
    if depth == 0 or kind < 0.4:
        return made_leaf(rng, archive)
    if kind < 0.6:
        return Not(made_tree(rng, archive, depth - 1))
    parts = tuple(made_tree(rng, archive, depth - 1) for _ in range(int(rng.integers(2, 4))))
    return And(parts) if kind < 0.8 else Or(parts)


def made_leaf(rng: Random, archive: MadeArchive) -> Node:
    thing = one(rng, THINGS)
    match int(rng.integers(12)):
        case 11:
            return made_balance(rng, archive)
        case 10:
            return Coloured(thing, one(rng, ["black", "white", "red"]))
        case 0:
            return Presence(thing, one(rng, [None, None, TICKS // 10]))
        case 1 | 2:
            low, high = sorted(bound(rng, archive, thing) for _ in range(2))
            return one(
                rng,
                [Compare(thing, low, TICKS, ""), Compare(thing, 0, high, ""), Compare(thing, low, high, "")],
            )
        case 3 | 4 | 5 | 6:
            low = int(rng.integers(0, 4))
            low, high = one(rng, [(1, None), (low, None), (low, low), (0, low), (low, low + 1)])
            where = made_where(rng)
            if where == Relation("around", thing):
                low, high = 1, None
            return Regional(thing, where, low, high, "")
        case _:
            return made_fact(rng)


def made_balance(rng: Random, archive: MadeArchive) -> Balance:
    """One thing against another, or several together."""
    one_thing, other, above = one(rng, THINGS), one(rng, THINGS), bool(rng.integers(2))
    match int(rng.integers(4)):
        case 0:
            return Balance(((one_thing, 1), (other, -1)), 0, above, "")
        case 1:
            return Balance(((one_thing, 5), (other, -4)), 0, above, "")
        case 2:
            return Balance(((one_thing, -4), (other, 15)), 0, above, "")
    shares = [
        round(Fraction(int(np.isin(photo.label_map, thing.classes).sum()), photo.label_map.size) * TICKS)
        for photo, thing in [(one(rng, archive.photos), one_thing), (one(rng, archive.photos), other)]
    ]
    share = sum(shares) if rng.random() < 0.5 else one(rng, SHARES)
    return Balance(((one_thing, 1), (other, 1)), max(share, 1), above, "")


def bound(rng: Random, archive: MadeArchive, thing: Thing) -> int:
    """Shares that people name, and the very coverage of some photo, or a tick beside it."""
    if rng.random() < 0.5:
        return one(rng, SHARES)
    label_map = one(rng, archive.photos).label_map
    share = round(Fraction(int(np.isin(label_map, thing.classes).sum()), label_map.size) * TICKS)
    return min(max(share + int(rng.integers(-1, 2)), 0), TICKS)


def made_where(rng: Random) -> Where:
    match int(rng.integers(8)):
        case 0:
            return Anywhere()
        case 1 | 2:
            return Zone(one(rng, list(ZONES)))
        case 3:
            return Amid(one(rng, THINGS), one(rng, THINGS))
        case _:
            return Relation(one(rng, list(RELATIONS)), one(rng, THINGS))


def made_fact(rng: Random) -> Node:
    start, end = sorted(NOON + timedelta(hours=12 * int(rng.integers(-1, 11))) for _ in range(2))
    low, high = sorted(one(rng, [1.0, 2.0, 3.0, 4.0, 4.5, 50.0, 1000.0]) for _ in range(2))
    column = one(rng, ["width", "height", "size", "id", "megapixels"])
    scale = 1e-6 if column == "megapixels" else 1
    place = one(rng, PLACES)
    every: list[Callable[[], Node]] = [
        lambda: Period(
            one(rng, ["taken", "added"]), *one(rng, [(start, end), (None, end), (start, None)]), ""
        ),
        lambda: Number(
            column,
            *one(rng, [(low * scale, high * scale), (None, high * scale), (low * scale, None)]),
            "",
        ),
        lambda: Text("camera", one(rng, ["canon", "nik", "on"]), ""),
        lambda: Text("lens", one(rng, ["sigma*", "*1.8*", "mm f", "ef??mm*", "f*"]), ""),
        lambda: Number(one(rng, ["iso", "rating"]), *one(rng, [(4.0, None), (None, 100.0), (1.0, 4.5)]), ""),
        lambda: Recurring("month", *one(rng, [(5, 5), (1, 4), (11, 5), (6, 4)]), ""),
        lambda: Recurring("weekday", *one(rng, [(1, 5), (6, 7), (7, 3), (4, 4)]), ""),
        lambda: Recurring("hour", *one(rng, [(12, 12), (13, 11), (0, 11), (11, 13)]), ""),
        lambda: Recurring("day", *one(rng, [(501, 502), (503, 501), (1224, 502)]), ""),
        lambda: Number("exposure", *one(rng, [(0.004, 1.0), (None, 0.0039999), (30.0, None)]), ""),
        lambda: Text("keyword", one(rng, ["beach", "art", "sandy beach", "*art*", "b*", "each"]), ""),
        lambda: Text("people", one(rng, ["anna", "lee", "anna lee", "jo*"]), ""),
        lambda: Text("title", one(rng, ["birth", "a*", "beach"]), ""),
        lambda: Text("text", one(rng, ["birthday", "b", "*beach", "ann", "c.png"]), ""),
        lambda: Text("format", one(rng, ["jpeg", "png", "p"]), ""),
        lambda: Text("keep", one(rng, ["layers", "exact"]), ""),
        lambda: Text("tag", one(rng, ["best", "trip", "none"]), ""),
        lambda: Text(one(rng, ["path", "name"]), one(rng, PATTERNS), ""),
        lambda: Orientation(one(rng, ["portrait", "landscape", "square", "panorama"])),
        lambda: Near(*place, one(rng, [0.0, 1200.0, 5000.0, 1e6, 2e7])),
        lambda: Text("colour", one(rng, ["black", "red", "black and white", "colourful"]), ""),
        lambda: Number("brightness", *one(rng, [(None, 60.0), (30.0, 200.0)]), ""),
        lambda: Unknown(
            one(
                rng,
                [
                    "colour",
                    "tag",
                    "brightness",
                    "taken",
                    "camera",
                    "lens",
                    "place",
                    "iso",
                    "keyword",
                    "title",
                    "word",
                ],
            )
        ),
        lambda: Shows("", tuple(sorted(rng.choice(LEAVES, 2, replace=False).tolist())), one(rng, PARTS), ""),
    ]
    return one(rng, every)()


def test_groups_in_every_relation() -> None:
    """As one thing, that several classes at a time are."""
    for seed in range(2):
        rng = np.random.default_rng(seed)
        archive = MadeArchive([MadePhoto(i, map_of_a_thing_amid_a_group(rng)) for i in range(1, 13)])
        (indexes,) = archive.indexes()
        for group, relation in product(V.groups, RELATIONS):
            things = [one(rng, THINGS), Thing(group.name, group.name, group.members, 0)]
            for thing, other in (things, things[::-1]):
                tree = Regional(thing, Relation(relation, other), 1, None, "")
                assert_as_slowly(tree, archive, indexes)


def assert_as_slowly(tree: Node, archive: MadeArchive, indexes: Indexes) -> None:
    """What a tree finds among photos, and how well, is what the slow reading of them says."""
    step = plan(tree, 1)
    evaluation = Evaluation(indexes, Operands(lambda operand, mirrored: np.empty(0), {}))
    assert step.mask(evaluation).tolist() == [holds(tree, p, Fraction(0)) for p in archive.in_order]
    expected = [degree(tree, p, Fraction(0)) for p in archive.in_order]
    every = np.arange(len(archive.in_order))
    assert step.degrees(evaluation, every).tolist() == pytest.approx(expected), tree


def kinds(node: Node) -> set[str]:
    found = set()
    for leaf in leaves(node):
        match leaf:
            case Regional(_, Relation(name, Thing(classes=classes))):
                found |= {name, f"{name} a group"} if frozenset(classes) in GROUPS else {name}
            case Regional(_, Zone(name)):
                found.add(name)
            case Regional(_, where):
                found.add(type(where).__name__)
            case Text(column) | Period(column) | Recurring(column) | Number(column) | Unknown(column):
                found.add(f"{type(leaf).__name__} {column}")
            case _:
                found.add(type(leaf).__name__)
    return found


def test_the_executor_finds_exactly_what_a_slow_reading_of_the_maps_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every other time with answers that the index of regions keeps only in large archives."""
    tried: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, database=None, phases=[Phase.generate])
    @given(st.integers(0, 2**32 - 1))
    def check(seed: int) -> None:
        rng = np.random.default_rng(seed)
        monkeypatch.setattr(frequent, "KEPT_FROM", int(rng.choice([0, 10**9])))
        archive = made_archive(rng)
        photos, (indexes,) = archive.in_order, archive.indexes()
        for _ in range(QUERIES):
            tree, presence = made_tree(rng, archive), one(rng, PRESENCES)
            step = plan(tree, max(1, round(presence * TICKS)))
            evaluation = Evaluation(indexes, Operands(lambda operand, mirrored: np.empty((0, 0)), {}))
            mask = step.mask(evaluation)
            expected = [holds(tree, photo, presence) for photo in photos]
            assert mask.tolist() == expected, tree
            assert not (impossible(step) and any(expected)), tree
            rows = np.flatnonzero(mask)
            degrees = step.degrees(evaluation, rows).tolist()
            assert (step.most(evaluation, rows) >= np.array(degrees, np.float32)).all()
            if degrees:
                least, held = one(rng, degrees), mask.copy()
                step.leave_out_unsure(evaluation, least, False, held)
                assert held[rows[np.array(degrees) >= least]].all()
            slow = [
                degree(tree, photo, presence)
                for photo, matches in zip(photos, expected, strict=True)
                if matches
            ]
            # the columns round coverage up, which a narrow range makes much of
            assert all(
                abs(a - b) < 0.01 or _narrow(tree, presence) for a, b in zip(degrees, slow, strict=True)
            ), tree
            first, more = ByDegree(evaluation, step, reverse=False).page(mask, 3, None)
            assert (
                first.rows.tolist()
                == sorted(rows.tolist(), key=lambda row: -degrees[rows.tolist().index(row)])[:3]
            )
            assert more == (rows.size > 3)
            tried.update(kinds(tree) | {"photos and queries"} - {"photos and queries"})
            tried["photos and queries"] += len(photos)

    check()
    assert tried["photos and queries"] >= 10_000
    relations, zones = set(RELATIONS), set(ZONES)
    of_groups = {f"{relation} a group" for relation in relations}
    often = EXAMPLES // 10  # trees are drawn at random
    assert {kind for kind, count in tried.items() if count >= often} >= relations | of_groups | zones | {
        "Presence",
        "Compare",
        "Balance",
        "Coloured",
        "Amid",
        "Anywhere",
    }


def _narrow(tree: Node, presence: Fraction) -> bool:
    """Whether a range of coverage is so narrow that rounding by 1/65000 changes a degree visibly."""
    for leaf in leaves(tree):
        bounds = []
        if isinstance(leaf, Compare):
            bounds = [0, leaf.low, leaf.high, TICKS]
        elif isinstance(leaf, Balance):
            highest = TICKS * max(0, *(times for _, times in leaf.terms))
            lowest = TICKS * min(0, *(times for _, times in leaf.terms))
            bounds = [lowest, leaf.bound, highest]
        elif isinstance(leaf, Presence):
            bounds = [0, int(presence * TICKS), leaf.below or TICKS, TICKS]
        if any(0 < b - a < TICKS // 200 for a, b in pairwise(bounds)) or len(set(bounds)) < len(bounds) - 1:
            return True
    return False
