"""Answers against a slow reading of the same tree over exact pixel counts."""

from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsslic_search.errors import PhotoError, QueryError
from dsslic_search.features.coverage import coverage
from dsslic_search.features.embedding import embed
from dsslic_search.index.columns import open_columns
from dsslic_search.index.vectors import open_vectors
from dsslic_search.query.execute import Answer, answer
from dsslic_search.query.parse import LITTLE, parse
from dsslic_search.query.tree import And, Compare, Node, Not, Or, Presence
from dsslic_search.vocabulary import default

V = default()
TICKS = 10**12
PRESENCE = Fraction(1, 200)
SIZES = [(1, 10), (2, 5), (5, 20), (20, 10), (9, 7), (25, 40)]
CLASSES = [V.id_of(n) for n in ("sky", "road", "car", "bus", "water", "sea", "tree", "person")]


def make_maps() -> list[np.ndarray]:
    """Maps with many coverages that are exactly on bounds: tenths, twentieths, halves, 1/200."""
    rng = np.random.default_rng(11)
    maps = []
    for index in range(120):
        height, width = SIZES[index % len(SIZES)]
        cuts = np.sort(rng.integers(0, height * width + 1, rng.integers(0, 4)))
        flat = np.empty(height * width, np.uint8)
        for part, name in zip(np.split(np.arange(flat.size), cuts), rng.permutation(CLASSES), strict=False):
            flat[part] = name
        maps.append(flat.reshape(height, width))
    return maps


MAPS = make_maps()
DATES = [datetime(2024, 1, 1) + timedelta(days=(7 * i) % 40) for i in range(len(MAPS))]
EMBEDDINGS = [embed(m, V) for m in MAPS]
ROWS = sorted(range(len(MAPS)), key=lambda i: (-DATES[i].toordinal(), i))  # the order of ties


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Answer]:
    from sqlalchemy import create_engine, insert
    from sqlalchemy.pool import StaticPool

    from dsslic_search.archive.catalog import Catalog
    from dsslic_search.archive.models import Base, Coverage, Photo

    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        for i, label_map in enumerate(MAPS):
            row = dict.fromkeys(("file_size", "width", "height", "quality", "stored_bytes", "map_bytes"), 1)
            words = dict.fromkeys(("path", "format", "keep", "vocabulary", "segmenter"), "x")
            dates = {"modified_at": DATES[0], "added_at": DATES[0], "taken_at": DATES[i]}
            photo = {"id": i + 1, "content_hash": str(i), "embedding": EMBEDDINGS[i].tobytes(), **row, **words, **dates}
            connection.execute(insert(Photo), photo)
            for class_id, fraction in enumerate(coverage(label_map, len(V)).tolist()):
                if fraction:
                    connection.execute(insert(Coverage), {"photo_id": i + 1, "class_id": class_id, "fraction": fraction})

    folder, source = tmp_path_factory.mktemp("index"), Catalog(engine)
    columns, vectors = open_columns(source, folder, V), open_vectors(source, folder, V)

    def locate(operand: str) -> np.ndarray:
        if not operand.startswith("#"):
            raise PhotoError(f"{operand}: no such file")
        return EMBEDDINGS[int(operand[1:]) - 1]

    def asked(text: str, limit: int | None = None, presence: float = 0.005, **others: Any) -> Answer:
        given = {"columns": columns, "vectors": vectors, "vocabulary": V, "locate": locate} | others
        return answer(text, presence=presence, limit=limit, **given)

    return asked


def covered(label_map: np.ndarray, classes: tuple[int, ...]) -> Fraction:
    return Fraction(int(np.isin(label_map, classes).sum()), label_map.size)


def holds(node: Node, label_map: np.ndarray) -> bool:
    match node:
        case Presence(thing, below):
            share = covered(label_map, thing.classes)
            return share >= PRESENCE and (below is None or share < Fraction(LITTLE, TICKS))
        case Compare(thing, low, high, _):
            # open bounds are one tick off the written one, much less than any two coverages differ
            return (
                Fraction(low, TICKS) - Fraction(1, TICKS) / 2
                <= covered(label_map, thing.classes)
                <= Fraction(high, TICKS) + Fraction(1, TICKS) / 2
            )
        case Not(part):
            return not holds(part, label_map)
        case And(parts):
            return all(holds(part, label_map) for part in parts)
        case Or(parts):
            return any(holds(part, label_map) for part in parts)
    raise AssertionError(node)


NAMES = st.sampled_from(["sky", "road", "car", "vehicle", "body of water", "nature", "people", "indoor", "dog"])
PERCENT = st.sampled_from(["0%", "0.5%", "1%", "5%", "10%", "20%", "30%", "33.3%", "50%", "60%", "90%", "100%"])
RANGES = st.tuples(PERCENT, PERCENT).map(lambda two: sorted(two, key=lambda p: float(p[:-1])))
LEAVES = st.one_of(
    NAMES,
    NAMES.map("little {}".format),
    NAMES.map("mostly {}".format),
    st.builds("{} {} {}".format, NAMES, st.sampled_from([">", ">=", "<", "<=", "="]), PERCENT),
    st.builds(lambda name, two: f"{name} between {two[0]} and {two[1]}", NAMES, RANGES),
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.lists(inner, min_size=2, max_size=3).map(lambda qs: "(" + " and ".join(qs) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda qs: "(" + " or ".join(qs) + ")"),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=QUERIES, limit=st.integers(0, 30))
def test_the_photos_found_are_exactly_those_of_a_full_scan(ask: Callable[..., Answer], text: str, limit: int) -> None:
    found = ask(text)
    tree = parse(text, V)
    expected = {i + 1 for i, label_map in enumerate(MAPS) if holds(tree, label_map)}
    assert set(found.ids.tolist()) == expected
    assert found.total == len(expected) == found.ids.size
    assert found.ids.dtype == np.int64
    assert found.scores.dtype == np.float64
    assert np.all((found.scores >= 0) & (found.scores <= 1))
    order = [(-score, ROWS.index(photo_id - 1)) for photo_id, score in zip(found.ids.tolist(), found.scores.tolist(), strict=True)]
    assert order == sorted(order)
    first = ask(text, limit)
    assert first.total == found.total
    assert first.ids.tolist() == found.ids.tolist()[:limit]
    assert first.scores.tolist() == found.scores.tolist()[:limit]
    found.explain()
    if "no photo can match" in found.explain():
        assert not expected


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("sky", lambda c: (c - 0.005) / 0.995),
        ("sky > 30%", lambda c: (c - 0.3) / 0.7),
        ("sky < 30%", lambda c: (0.3 - c) / 0.3),
        ("no sky", lambda c: (0.005 - c) / 0.005),
        ("sky between 20% and 60%", lambda c: min(c - 0.2, 0.6 - c) / 0.2),
        ("mostly sky", lambda c: (c - 0.5) / 0.5),
        ("sky >= 0%", lambda c: 1),
        ("sky = 100%", lambda c: (c - 0.995) / 0.005),
    ],
)
def test_degrees_of_single_predicates(ask: Callable[..., Answer], text: str, share: Callable[[float], float]) -> None:
    found = ask(text)
    assert found.total
    for photo_id, score in zip(found.ids.tolist(), found.scores.tolist(), strict=True):
        # the columns round coverage up by 1/65000 at most, which a narrow range makes more of
        slack = 1.1 / 65000 / (0.005 if text in {"no sky", "sky = 100%"} else 0.2)
        assert score == pytest.approx(share(float(covered(MAPS[photo_id - 1], (3,)))), abs=slack)


def test_and_takes_the_least_and_or_the_greatest(ask: Callable[..., Answer]) -> None:
    def scores(text: str) -> dict[int, float]:
        found = ask(text)
        return dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))

    sky, road = scores("sky > 10%"), scores("road > 10%")
    assert scores("sky > 10% and road > 10%") == {i: min(sky[i], road[i]) for i in sky.keys() & road.keys()}
    assert scores("sky > 10% or road > 10%") == {i: max(sky.get(i, 0), road.get(i, 0)) for i in sky.keys() | road.keys()}


def by_likeness(target: int, among: set[int] | None = None) -> list[int]:
    likeness = {i: float(EMBEDDINGS[i] @ EMBEDDINGS[target - 1]) for i in range(len(MAPS)) if among is None or i + 1 in among}
    return [i + 1 for i in sorted(likeness, key=lambda i: (-round(max(likeness[i], 0), 5), ROWS.index(i)))]


@pytest.mark.parametrize("limit", [None, 1, 7, 119])
def test_like_alone_ranks_all_photos(ask: Callable[..., Answer], limit: int | None) -> None:
    found = ask("like #8", limit)
    assert found.total == len(MAPS)
    assert found.ids[0] in {i + 1 for i, e in enumerate(EMBEDDINGS) if np.allclose(e, EMBEDDINGS[7], atol=1e-6)}
    assert found.scores[0] == pytest.approx(1, abs=1e-5)
    exact = [max(float(EMBEDDINGS[i - 1] @ EMBEDDINGS[7]), 0) for i in by_likeness(8)]
    assert found.scores.tolist() == pytest.approx(exact[:limit], abs=2e-5)
    assert found.ids.tolist() == ask("like #8").ids.tolist()[:limit]
    assert len(set(found.ids.tolist())) == found.ids.size
    assert found.classes == ()


def test_predicates_filter_what_likeness_ranks(ask: Callable[..., Answer]) -> None:
    filtered = set(ask("no sky").ids.tolist())
    found = ask("like #8 and no sky")
    assert found.total == len(filtered) == found.ids.size
    all_ranked = ask("like #8")
    assert found.ids.tolist() == [i for i in all_ranked.ids.tolist() if i in filtered]
    assert ask("no sky, like #8", 3).ids.tolist() == found.ids.tolist()[:3]
    assert ask("like #8 or road").total == len(MAPS)


def test_the_vectors_are_opened_only_for_like(ask: Callable[..., Answer]) -> None:
    def refuse() -> None:
        raise RuntimeError("opened")

    assert ask("sky", vectors=refuse).total
    with pytest.raises(RuntimeError, match="opened"):
        ask("like #1", vectors=refuse)


def test_errors_come_through(ask: Callable[..., Answer]) -> None:
    with pytest.raises(PhotoError, match="no such file"):
        ask("like nowhere.jpg and sky > 30% and sky < 20%")
    with pytest.raises(QueryError, match="unknown word"):
        ask("skyy")


def test_presence_is_a_setting_and_nothing_is_present_at_zero(ask: Callable[..., Answer]) -> None:
    sky = [covered(m, (3,)) for m in MAPS]
    assert ask("sky", presence=0).total == sum(c > 0 for c in sky)
    assert ask("sky", presence=0.3).total == sum(c >= Fraction(3, 10) for c in sky)
    assert ask("no sky", presence=0.3).total == sum(c < Fraction(3, 10) for c in sky)
    assert ask("sky", presence=1).total == sum(c == 1 for c in sky)


def test_classes_of_a_query_are_its_groups_members_too(ask: Callable[..., Answer]) -> None:
    assert ask("bodies of water and not sky").classes == (3, 22, 27)


def test_explain(ask: Callable[..., Answer]) -> None:
    found = ask("Vehicles and not >30% skies or like #8")
    counts = {text: ask(text).total for text in ("vehicle", "sky <= 30%")}
    members = "car + aeroplane + bicycle + boat + bus + motorbike + train"
    assert found.explain().split("\n") == [
        "query:  Vehicles and not >30% skies or like #8",
        "read as: (vehicle and not sky > 30%) or like #8",
        "words:",
        f"  Vehicles: vehicle = {members}",
        "  skies: sky",
        "  #8: the photo to compare with",
        "plan:",
        "  any of",
        "    all of",
        f"      vehicle >= 0.5%: {counts['vehicle']} photos",
        f"      sky <= 30%: {counts['sky <= 30%']} photos",
        "    ranked by likeness to #8: 120 photos",
        "120 of 120 photos match",
    ]


@pytest.mark.parametrize(
    ("text", "warns"),
    [
        (">60% sky and >50% sea", True),
        ("no animals and >10% dogs", True),
        ("sky > 30% and sky < 20%", True),
        ("sky > 100%", True),
        (">60% nature, >50% car, dog", True),
        ("(>60% sky and >50% sea) or road", False),
        (">60% sky and >30% sea", False),
        (">60% sky and >50% nature", False),
        ("no sky and >50% nature", False),
        (">50.1% sky and >=50% sea", True),
        (">=50% sky and >=50% sea", False),
    ],
)
def test_a_query_that_nothing_can_match_is_told(ask: Callable[..., Answer], text: str, warns: bool) -> None:
    assert ("warning" in ask(text).explain()) == warns
