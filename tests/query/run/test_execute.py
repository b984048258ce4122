"""Answers to texts against a slow reading of the same tree over exact pixel counts; ranking, sorting,
explanations."""

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsslic_search.core.errors import PhotoError, QueryError
from dsslic_search.core.trust import in_words, of_class
from dsslic_search.core.vocabulary import default
from dsslic_search.features.embedding import embed
from dsslic_search.index.source import Stale
from dsslic_search.query.language.parse import parse
from dsslic_search.query.run.execute import Answer, answer
from tests.query.made import MadeArchive, MadePhoto
from tests.query.slow import covered, holds

V = default()
PRESENCE = Fraction(1, 200)
SIZES = [(1, 10), (2, 5), (5, 20), (20, 10), (9, 7), (25, 40)]
CLASSES = [V.id_of(n) for n in ("sky", "road", "car", "bus", "water", "sea", "tree", "person")]
NOW = datetime(2024, 3, 1, 15)


def made_maps() -> list[np.ndarray]:
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


MAPS = made_maps()
PHOTOS = [
    MadePhoto(
        id=i + 1,
        label_map=label_map,
        taken=datetime(2024, 1, 1) + timedelta(days=(7 * i) % 40) if i % 9 else None,
        added=datetime(2024, 2, 1) + timedelta(hours=i),
        width=100 * (1 + i % 4),
        height=200,
        size=1000 * (i % 7),
        camera=("Canon EOS", "NIKON", None)[i % 3],
        path=f"/photos/{'Trip' if i % 2 else 'home'}/{i * 37 % 60:03}.jpg",
    )
    for i, label_map in enumerate(MAPS)
]
ARCHIVE = MadeArchive(PHOTOS)
ROWS = [photo.id for photo in ARCHIVE.in_order]  # the order of ties
EMBEDDINGS = [embed(m, V) for m in MAPS]


@pytest.fixture(scope="module")
def ask() -> Callable[..., Answer]:
    indexes = ARCHIVE.indexes()

    def embeddings_of(operand: str, mirrored: bool) -> np.ndarray:
        if not operand.startswith("#"):
            raise PhotoError(f"{operand}: no such file")
        own = MAPS[int(operand[1:]) - 1]
        return np.stack(
            [embed(m, V) for m in ([own, np.ascontiguousarray(own[:, ::-1])] if mirrored else [own])]
        )

    def asked(text: str, limit: int | None = None, presence: float = 0.005, **others: Any) -> Answer:
        given = {"indexes": indexes, "vocabulary": V, "embeddings_of": embeddings_of, "now": NOW} | others
        return answer(text, presence=presence, limit=limit, **given)

    return asked


NAMES = st.sampled_from(
    ["sky", "road", "car", "vehicle", "body of water", "nature", "people", "indoor", "dog"]
)
PERCENT = st.sampled_from(
    ["0%", "0.5%", "1%", "5%", "10%", "20%", "30%", "33.3%", "50%", "60%", "90%", "100%"]
)
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


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=QUERIES, limit=st.integers(0, 30))
def test_the_photos_found_are_exactly_those_of_a_full_scan(
    ask: Callable[..., Answer], text: str, limit: int
) -> None:
    found = ask(text)
    tree = parse(text, V).tree
    assert tree is not None
    expected = {photo.id for photo in PHOTOS if holds(tree, photo, PRESENCE)}
    assert set(found.ids.tolist()) == expected
    assert found.all_ids.tolist() == [i for i in ROWS if i in expected]
    assert found.total == len(expected) == found.ids.size
    assert found.ids.dtype == np.int64
    assert found.scores.dtype == np.float64
    assert np.all((found.scores >= 0) & (found.scores <= 1))
    order = [
        (-score, ROWS.index(photo_id))
        for photo_id, score in zip(found.ids.tolist(), found.scores.tolist(), strict=True)
    ]
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
def test_degrees_of_single_predicates(
    ask: Callable[..., Answer], text: str, share: Callable[[float], float]
) -> None:
    found = ask(text)
    assert found.total
    for photo_id, score in zip(found.ids.tolist(), found.scores.tolist(), strict=True):
        # the columns round coverage up by 1/65000 at most, which a narrow range makes more of
        slack = 1.1 / 65000 / (0.005 if text in {"no sky", "sky = 100%"} else 0.2)
        assert score == pytest.approx(share(float(covered(PHOTOS[photo_id - 1], (3,)))), abs=slack)


def test_and_takes_the_least_and_or_the_greatest(ask: Callable[..., Answer]) -> None:
    def scores(text: str) -> dict[int, float]:
        found = ask(text)
        return dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))

    sky, road = scores("sky > 10%"), scores("road > 10%")
    assert scores("sky > 10% and road > 10%") == {i: min(sky[i], road[i]) for i in sky.keys() & road.keys()}
    assert scores("sky > 10% or road > 10%") == {
        i: max(sky.get(i, 0), road.get(i, 0)) for i in sky.keys() | road.keys()
    }


def by_likeness(target: int, among: set[int] | None = None) -> list[int]:
    likeness = {
        i: float(EMBEDDINGS[i] @ EMBEDDINGS[target - 1])
        for i in range(len(MAPS))
        if among is None or i + 1 in among
    }
    return [
        i + 1 for i in sorted(likeness, key=lambda i: (-round(max(likeness[i], 0), 5), ROWS.index(i + 1)))
    ]


@pytest.mark.parametrize("limit", [None, 1, 7, 119])
def test_like_alone_ranks_all_photos(ask: Callable[..., Answer], limit: int | None) -> None:
    found = ask("like #8", limit)
    assert found.total == len(MAPS)
    assert found.ids[0] in {
        i + 1 for i, e in enumerate(EMBEDDINGS) if np.allclose(e, EMBEDDINGS[7], atol=1e-6)
    }
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


def test_a_mirrored_photo_is_as_near_as_its_mirror_image(ask: Callable[..., Answer]) -> None:
    plain, mirrored = (
        dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))
        for found in map(ask, ("like #8", "like #8 mirrored"))
    )
    flipped = embed(np.ascontiguousarray(MAPS[7][:, ::-1]), V)
    for i, score in mirrored.items():
        assert score == pytest.approx(max(plain[i], float(EMBEDDINGS[i - 1] @ flipped), 0), abs=2e-5)


def test_likeness_to_several_photos_is_to_the_least_or_to_the_most_alike(ask: Callable[..., Answer]) -> None:
    def scores(text: str) -> np.ndarray:
        found = ask(text)
        assert found.total == len(MAPS)
        return found.scores[np.argsort(found.ids)]

    one, other = scores("like #8"), scores("like #3")
    assert np.array_equal(scores("like #8 and #3"), np.minimum(one, other))
    assert np.array_equal(scores("like #8 or #3"), np.maximum(one, other))
    assert np.allclose(scores("not like #3"), 1 - other / 2, atol=1e-6)
    assert np.allclose(scores("like #8, not like #3"), np.clip(one - other / 2, 0, 1), atol=1e-6)
    third = scores("like #40")
    both = np.clip(one - np.maximum(other, third) / 2, 0, 1)
    assert np.allclose(scores("like #8, not like #3 or #40"), both, atol=1e-6)
    assert np.array_equal(scores("like #8, not like #3, unlike #40"), scores("like #8, not like #3 or #40"))
    shunned = ask("like #8, not like #8 or #3", 4)
    assert shunned.ids.tolist() == ask("like #8, not like #8 or #3").ids.tolist()[:4]
    assert "ranked down by likeness to #3: 120 photos" in shunned.explain()


@pytest.mark.parametrize(
    ("among", "text", "whole"),
    [
        (["sky"], "no road", "sky and no road"),
        (["sky or road"], "no cars", "(sky or road) and no cars"),
        (["sky sort:size"], "road", "sky and road sort:size"),
        (["sky sort:size", "road"], "sort:-taken", "sky and road sort:-taken"),
        (["like #8", "no sky"], "camera:canon or road", "like #8, no sky, (camera:canon or road)"),
        (["everything"], "sky", "sky"),
    ],
)
def test_a_query_refines_those_before(
    ask: Callable[..., Answer], among: list[str], text: str, whole: str
) -> None:
    refined, plain = ask(text, 9, among=among), ask(whole, 9)
    assert (refined.total, refined.ids.tolist()) == (plain.total, plain.ids.tolist())
    assert refined.scores.tolist() == plain.scores.tolist()
    following = ask(text, 9, after=refined.cursor, among=among)
    assert following.ids.tolist() == ask(whole, 9, after=plain.cursor).ids.tolist()
    assert ask(text, 0, among=among).explain().startswith(f"query:  {'; '.join([*among, text])}\n")


def test_a_sketch_ranks_what_the_text_filters(ask: Callable[..., Answer]) -> None:
    sketch = EMBEDDINGS[7][None]
    alone = ask("", resemble=sketch)
    assert alone.total == len(MAPS)
    assert alone.ids.tolist() == ask("like #8").ids.tolist()
    assert ask("no sky", resemble=sketch).ids.tolist() == ask("no sky and like #8").ids.tolist()
    assert ask(" ", 5, resemble=sketch).ids.tolist() == alone.ids.tolist()[:5]
    assert "ranked by likeness to the sketch: 120 photos" in alone.explain()
    with pytest.raises(QueryError):
        ask("")


def test_indexes_are_opened_only_when_needed(ask: Callable[..., Answer]) -> None:
    def refuse() -> None:
        raise RuntimeError("opened")

    (made,) = ARCHIVE.indexes()
    indexes = [dataclasses.replace(made, vectors=refuse, regions=refuse, files=refuse)]
    found = ask("sky and no road", 3, indexes=indexes)
    assert found.total
    assert ask("sky and no road", 3, indexes=indexes, after=found.cursor).total
    for text in ("like #1", "2 cars", "camera:canon", "sky sort:size"):
        with pytest.raises(RuntimeError, match="opened"):
            ask(text, indexes=indexes)


@pytest.mark.parametrize(
    "text", ["like #1", "2 cars", "camera:canon", "sky sort:size", "path:*0*", "sky > 30%"]
)
def test_an_index_of_another_generation_is_stale(ask: Callable[..., Answer], text: str) -> None:
    archive = MadeArchive(list(PHOTOS))
    indexes = archive.indexes()
    archive.changes += 1
    with pytest.raises(Stale):
        ask(text, indexes=indexes)


def test_rows_without_a_page(ask: Callable[..., Answer]) -> None:
    found = ask("sky", 0)
    assert (found.ids.size, found.scores.size, found.cursor) == (0, 0, None)
    assert found.all_ids.size == found.total > 0


def test_errors_come_through(ask: Callable[..., Answer]) -> None:
    with pytest.raises(PhotoError, match="no such file"):
        ask("like nowhere.jpg and sky > 30% and sky < 20%")
    with pytest.raises(QueryError, match="unknown word"):
        ask("skyy")


def test_presence_is_a_setting_and_nothing_is_present_at_zero(ask: Callable[..., Answer]) -> None:
    sky = [covered(photo, (3,)) for photo in PHOTOS]
    assert ask("sky", presence=0).total == sum(c > 0 for c in sky)
    assert ask("sky", presence=0.3).total == sum(c >= Fraction(3, 10) for c in sky)
    assert ask("no sky", presence=0.3).total == sum(c < Fraction(3, 10) for c in sky)
    assert ask("sky", presence=1).total == sum(c == 1 for c in sky)


def test_classes_of_a_query_are_its_groups_members_too(ask: Callable[..., Answer]) -> None:
    assert ask("bodies of water and not sky").classes == (3, 22, 27)


@pytest.mark.parametrize(
    ("sort", "key", "reverse"),
    [
        ("taken", lambda p: p.taken, False),
        ("-taken", lambda p: p.taken, True),
        ("added", lambda p: p.added, False),
        ("size", lambda p: p.size, False),
        ("-size", lambda p: p.size, True),
        ("-megapixels", lambda p: p.width * p.height, True),
        ("width", lambda p: p.width, False),
        ("id", lambda p: p.id, False),
        ("path", lambda p: p.path.lower(), False),
        ("-path", lambda p: p.path.lower(), True),
        ("name", lambda p: p.path[-7:], False),
        ("sky", lambda p: covered(p, (3,)), True),
        ("-sky", lambda p: covered(p, (3,)), False),
    ],
)
@pytest.mark.parametrize("limit", [None, 7])
def test_sorting(
    ask: Callable[..., Answer], sort: str, key: Callable[[MadePhoto], Any], reverse: bool, limit: int | None
) -> None:
    found = ask(f"no road sort:{sort}", limit)
    matching = [photo for photo in ARCHIVE.in_order if not covered(photo, (7,)) >= PRESENCE]
    # equals stay as they are
    known = sorted((p for p in matching if key(p) is not None), key=key, reverse=reverse)
    expected = known + [p for p in matching if key(p) is None]
    assert found.ids.tolist() == [p.id for p in expected][:limit]
    degrees = dict(zip(*(a.tolist() for a in (ask("no road").ids, ask("no road").scores)), strict=True))
    assert found.scores.tolist() == [degrees[i] for i in found.ids.tolist()]


def test_sorting_by_relevance_and_backwards(ask: Callable[..., Answer]) -> None:
    assert ask("sky sort:relevance").ids.tolist() == ask("sky").ids.tolist()
    worst = ask("sky sort:-relevance")
    scores = dict(zip(worst.ids.tolist(), worst.scores.tolist(), strict=True))
    assert worst.ids.tolist() == sorted(scores, key=lambda i: (scores[i], ROWS.index(i)))
    assert ask("sky sort:-relevance", 9).ids.tolist() == worst.ids.tolist()[:9]
    backwards = ask("like #8 sort:-relevance", 9)
    assert backwards.scores.tolist() == sorted(ask("like #8").scores.tolist())[:9]
    assert ask("sort:-size").total == len(PHOTOS)


def test_filters_do_not_change_the_score(ask: Callable[..., Answer]) -> None:
    every = dict(zip(*(a.tolist() for a in (ask("sky").ids, ask("sky").scores)), strict=True))
    found = ask(
        "sky and camera:canon and taken:2024 and orientation:landscape or sky and orientation:portrait and "
        "path:trip/**"
    )
    assert 0 < found.total < len(every)
    assert found.scores.tolist() == [every[i] for i in found.ids.tolist()]
    assert set(ask("camera:canon").scores.tolist()) == {1.0}
    assert ask("camera:canon").ids.tolist() == [i for i in ROWS if PHOTOS[i - 1].camera == "Canon EOS"]


def area(name: str) -> str:
    """What is told of the word for a class."""
    return f"{name}, an area of the label map; {in_words(of_class(name))}"


def test_explain(ask: Callable[..., Answer]) -> None:
    found = ask("Vehicles and not >30% skies or like #8")
    counts = {text: ask(text).total for text in ("vehicle", "sky <= 30%")}
    members = "car + aeroplane + bicycle + boat + bus + motorbike + train"
    assert found.explain().split("\n") == [
        "query:  Vehicles and not >30% skies or like #8",
        "read as: (vehicle and not sky > 30%) or like #8",
        "words:",
        f"  Vehicles: vehicle = {members}, areas of the label map",
        f"  skies: {area('sky')}",
        "  #8: the photo to compare with, by layout alone, as it has no image words",
        "plan:",
        "  any of",
        "    all of",
        f"      vehicle >= 0.5%: {counts['vehicle']} photos",
        f"      sky <= 30%: {counts['sky <= 30%']} photos",
        "    ranked by likeness to #8: 120 photos",
        "120 of 120 photos match",
    ]


def test_explain_regions_filters_and_order(ask: Callable[..., Answer]) -> None:
    found = ask(
        "no car on road, camera:canon, at least 2 cars, sea in the bottom left, sky and tree around people "
        "sort:-taken"
    )
    count = {
        text: ask(text).total
        for text in (
            "no car on road",
            "camera:canon",
            "at least 2 cars",
            "sea in the bottom left",
            "sky",
            "tree around people",
        )
    }
    lines = found.explain().split("\n")
    assert lines[lines.index("words:") : lines.index("plan:")] == [
        "words:",
        f"  car: {area('car')}",
        f"  road: {area('road')}",
        "  on: the other is right under half of its foot or more",
        f"  cars: {area('car')}",
        "  at least 2: so many regions, which are connected and at least 0.1% of the photo",
        f"  sea: {area('sea')}",
        "  bottom left: half of a region or more is in the left half, and half or more in the bottom half",
        f"  sky: {area('sky')}",
        f"  tree: {area('tree')}",
        f"  people: {area('person')}",
        "  around: it is at three quarters of the other's outline or more",
    ]
    assert [
        line.replace(" photos", "").replace(" photo", "") for line in lines[lines.index("plan:") :][:8]
    ] == [
        "plan:",
        "  all of",
        f"    sky >= 0.5%: {count['sky']}",
        f"    camera:canon: {count['camera:canon']}",
        f"    no region of car on road: {count['no car on road']}",
        f"    2 regions or more of car: {count['at least 2 cars']}",
        f"    1 region or more of sea in bottom left: {count['sea in the bottom left']}",
        f"    1 region or more of person surrounded by tree: {count['tree around people']}",
    ]
    assert lines[-2:] == [
        "order: taken, descending, equal ones newest first",
        f"{found.total} of 120 photos match",
    ]


def test_explain_everything(ask: Callable[..., Answer]) -> None:
    assert ask("everything sort:-sky").explain().split("\n") == [
        "query:  everything sort:-sky",
        "read as: everything sort:-sky",
        "words:",
        f"  sky: {area('sky')}",
        "plan:",
        "  every photo: 120 photos",
        "order: sky, ascending, equal ones newest first",
        "120 of 120 photos match",
    ]


def test_counting_for_an_explanation_costs_a_query_nothing(ask: Callable[..., Answer]) -> None:
    archive = MadeArchive(PHOTOS)
    found = ask("sky > 21% and sea > 13%", 5, indexes=archive.indexes())
    asked = archive.asked
    assert f"sky > 21%: {ask('sky > 21%').total} photos" in found.explain()
    assert archive.asked == asked


CONTRADICTIONS = [
    ">60% sky and >50% sea",
    "no animals and >10% dogs",
    "sky > 30% and sky < 20%",
    "sky > 30% and sky <= 30%",
    "sky > 100%",
    ">60% nature, >50% car, dog",
    ">50.1% sky and >=50% sea",
    "6 people and no people",
    "at least 3 people and at most 2 people",
    "2 dogs and 2 cats and at most 3 animals",
    "2 cars on road and at most 1 car",
    "car on road and road < 0%",
    "taken:2020 and taken:2021",
    "taken:2020 and not taken:2019..2021",
    "taken:unknown and taken:2020",
    "camera:unknown and camera:canon",
    "lens:sigma* and lens:unknown",
    "near 10,10 5km and place:unknown",
    "width:>4000 and width:<3000",
    "width:>4000 and not width:>3000",
    "portrait and orientation:landscape",
    "square and panorama",
    "not portrait, not orientation:landscape, not orientation:square",
    "format:jpeg and format:png",
    "tag:best and no sky and not tag:best",
    "(portrait and orientation:landscape) or (sky > 30% and sky < 20%)",
]
POSSIBLE = [
    "lens:sigma* and lens:*art and camera:unknown",
    "(>60% sky and >50% sea) or road",
    ">60% sky and >30% sea",
    ">60% sky and >50% nature",
    "no sky and >50% nature",
    ">=50% sky and >=50% sea",
    "3 people and no people",
    "2 cars on road and at most 2 cars",
    "2 cars and at most 1 car on road",
    "car on road and no road",
    "taken:2020..2022 and taken:2021",
    "taken:2020 and not taken:2020-05",
    "taken:unknown and added:2020",
    "not taken:2020 and not taken:..2019 and not taken:2021..",
    "width:>3000 and not width:>4000",
    "portrait and panorama",
    "not portrait, not orientation:landscape",
    "tag:best and tag:trip",
]


@pytest.mark.parametrize(
    ("text", "warns"), [(t, True) for t in CONTRADICTIONS] + [(t, False) for t in POSSIBLE]
)
def test_a_query_that_nothing_can_match_is_told(ask: Callable[..., Answer], text: str, warns: bool) -> None:
    assert ("warning" in ask(text).explain()) == warns


def test_things_that_no_photo_shows(ask: Callable[..., Answer]) -> None:
    """Wherever in the query they are, and each once."""
    assert ask("sky and not (dog or road) or dog on water or indoor").unseen() == ("dog", "indoor")
    assert ask("vehicle > 5%").unseen() == ask("taken:2024").unseen() == ()
