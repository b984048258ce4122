"""The facts of files: from a real catalog, and against plain Python on made ones."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from dsslic_search.archive.paths import FileThere, gone, seen
from dsslic_search.archive.schema import Photo, Tag
from dsslic_search.core.fields import INDEXED
from dsslic_search.core.files import path_to_text
from dsslic_search.core.moments import NEVER, microseconds
from dsslic_search.core.text import folded_name
from dsslic_search.core.vocabulary import default
from dsslic_search.index.files import KEY, KIND, Files, open_files
from dsslic_search.index.patterns import name_test, path_test
from dsslic_search.index.segments import open_segments
from dsslic_search.index.source import Stale
from tests.query.made import NOWHERE, MadeArchive, MadePhoto
from tests.segments import file_of, whole

V = default()
DAY = timedelta(days=1)
START = datetime(2023, 5, 1)
FACTS: dict[int, dict[str, Any]] = {
    3: {"taken_at": START, "path": "/a/Trip/x.jpg", "width": 4000, "height": 3000, "camera": "Canon EOS R5",
    "iso": 400, "exposure": 0.004, "rating": 4.5, "keywords": "Sandy beach\nÉté", "title": "Ben's birthday"},
    1: {"taken_at": START, "path": "/a/trip/day 1/Y.JPG", "width": 3000, "height": 4000,
    "camera": "NIKON Z 6", "format": "PNG", "iso": 6400, "keywords": "art\nbeach", "people": "Anna Lee\nBen"},
    7: {"exposure": 30.0, "rating": 1.0, "people": "Joanna", "description": "a party by the sea",
    "taken_at": START + DAY, "path": "/b/é.jpg", "width": 5000, "height": 2500, "latitude": 48.85,
    "longitude": 2.35},
    4: {"added_at": START + 3 * DAY, "path": "/b/x.jpg", "width": 1000, "height": 1000, "latitude": 0.0,
    "longitude": 179.999},
    9: {"taken_at": START - DAY, "path": "/a/Trip/x.jpg", "file_size": 3_000_000_000, "latitude": 89.9999,
    "longitude": -60.0},
    5: {"added_at": START + timedelta(microseconds=5), "path": "/c.jpg", "keep": "exact", "latitude": 0.0,
    "longitude": -179.999},
}  # fmt: skip
ORDER = [4, 7, 5, 1, 3, 9]  # newest first: date taken, else added; then by id


@pytest.fixture
def filled(catalog: Any) -> Any:
    catalog.holds("facts", partial(fill, catalog))
    return catalog


def fill(catalog: Any) -> None:
    with catalog.changing() as session:
        for photo_id, own in FACTS.items():
            plain = {
                "content_hash": str(photo_id), "file_size": 10 * photo_id, "modified_at": START,
                "added_at": START + 9 * DAY,
                "format": "JPEG",
                "width": 1, "height": 1, "keep": "layers", "quality": 75, "stored_bytes": 1, "map_bytes": 1,
                "vocabulary": "v",
                "segmenter": "s", "embedding": b"", "taken_at": None, "camera": None, "lens": None,
                "latitude": None,
                "longitude": None,
            }  # fmt: skip
            session.execute(insert(Photo), {"id": photo_id} | plain | own)
        session.execute(
            insert(Tag),
            [
                {"name": "best", "photo_id": 7},
                {"name": "best", "photo_id": 3},
                {"name": "dark", "photo_id": 3},
            ],
        )


@pytest.fixture
def files(filled: Any, tmp_path: Path) -> Files:
    return open_files(whole(filled, tmp_path, V))


def test_rows_are_newest_first_then_by_id(files: Files, filled: Any) -> None:
    assert files.ids.tolist() == ORDER
    with filled.snapshot() as snapshot:
        assert snapshot.photo_ids().tolist() == ORDER
        found = snapshot.newest_first()
        moments = {i: FACTS[i].get("taken_at") or FACTS[i].get("added_at", START + 9 * DAY) for i in ORDER}
        assert found.ids.tolist() == ORDER
        assert found.moments.tolist() == [microseconds(moments[i]) for i in ORDER]
        some = np.array([ORDER[3], 77, ORDER[1]])
        assert snapshot.newest_first(some).ids.tolist() == [ORDER[1], ORDER[3]]


def found(files: Files, mask: np.ndarray) -> list[int]:
    assert mask.dtype == bool
    assert mask.shape == files.ids.shape
    return sorted(files.ids[mask].tolist())


@pytest.mark.parametrize(
    ("column", "start", "end", "expected"),
    [
        ("taken", None, None, [1, 3, 7, 9]),
        ("taken", START, None, [1, 3, 7]),
        ("taken", None, START, [9]),
        ("taken", START, START + DAY, [1, 3]),
        ("taken", START + timedelta(microseconds=1), START + DAY, []),
        ("taken", START, START + DAY + timedelta(microseconds=1), [1, 3, 7]),
        ("taken", START + DAY, START, []),
        ("added", None, START + DAY, [5]),
        ("added", START + timedelta(microseconds=6), START + 9 * DAY, [4]),
        ("added", START + 9 * DAY, None, [1, 3, 7, 9]),
        ("added", datetime.min, datetime.max, [1, 3, 4, 5, 7, 9]),
    ],
)
def test_periods(
    files: Files, column: Any, start: datetime | None, end: datetime | None, expected: list[int]
) -> None:
    assert found(files, files.period(column, start, end)) == expected


@pytest.mark.parametrize(
    ("column", "low", "high", "expected"),
    [
        ("width", 4000, None, [3, 7]),
        ("width", None, 1000, [4, 5, 9]),
        ("height", 2500, 3000, [3, 7]),
        ("height", 3000.5, None, [1]),
        ("megapixels", 12, 12, [1, 3]),
        ("megapixels", 12.5, None, [7]),
        ("size", 2**31, None, [9]),
        ("size", 30, 40, [3, 4]),
        ("id", 4, 7, [4, 5, 7]),
        ("id", None, None, [1, 3, 4, 5, 7, 9]),
        ("iso", 400, None, [1, 3]),
        ("iso", None, 400, [3]),
        ("iso", None, None, [1, 3]),
        ("exposure", None, 0.0039999, []),
        ("exposure", 0.004, 1, [3]),
        ("rating", 4, None, [3]),
    ],
)
def test_figures(
    files: Files, column: Any, low: float | None, high: float | None, expected: list[int]
) -> None:
    assert found(files, files.figure(column, low, high)) == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("portrait", [1]), ("landscape", [3, 7]), ("square", [4, 5, 9]), ("panorama", [7])]
)
def test_orientations(files: Files, name: Any, expected: list[int]) -> None:
    assert found(files, files.orientation(name)) == expected


@pytest.mark.parametrize(
    ("latitude", "longitude", "metres", "expected"),
    [
        (48.85, 2.35, 0, [7]),
        (48.86, 2.35, 1200, [7]),
        (48.86, 2.35, 1100, []),
        (0, 180, 112, [4, 5]),  # across the date line
        (0, 180, 111, []),
        (89.9999, 120, 23, [9]),  # across the pole
        (0, 0, 2.1e7, [4, 5, 7, 9]),
    ],
)
def test_places(files: Files, latitude: float, longitude: float, metres: float, expected: list[int]) -> None:
    assert found(files, files.near(latitude, longitude, metres)) == expected


@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        ((-90, -180, 90, 180), [4, 5, 7, 9]),
        ((48, 2, 49, 3), [7]),
        ((48.85, 2.35, 48.85, 2.35), [7]),
        ((48.86, 2, 49, 3), []),
        ((-2, 178, 2, -178), [4, 5]),  # across the date line
        ((-2, -178, 2, 178), []),
    ],
)
def test_places_between_two_corners(
    files: Files, corners: tuple[float, float, float, float], expected: list[int]
) -> None:
    assert found(files, files.within(*corners)) == expected


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("taken", [4, 5]),
        ("camera", [4, 5, 7, 9]),
        ("place", [1, 3]),
        ("iso", [4, 5, 7, 9]),
        ("keyword", [4, 5, 7, 9]),
        ("title", [1, 4, 5, 7, 9]),
    ],
)
def test_what_is_not_known(files: Files, column: Any, expected: list[int]) -> None:
    assert found(files, files.unknown(column)) == expected


@pytest.mark.parametrize(
    ("column", "pattern", "expected"),
    [
        ("camera", "canon", [3]),
        ("camera", "n", [1, 3]),
        ("camera", "z 6", [1]),
        ("camera", "sony", []),
        ("camera", "canon*", [3]),
        ("camera", "*?*", [1, 3]),
        ("lens", "*", []),
        ("keyword", "beach", [1, 3]),
        ("keyword", "SANDY  beach", [3]),
        ("keyword", "each", []),
        ("keyword", "beach*", [1]),
        ("keyword", "*", [1, 3]),
        ("keyword", "e\u0301te\u0301", [3]),
        ("people", "anna", [1]),
        ("people", "lee", [1]),
        ("people", "*anna*", [1, 7]),
        ("title", "birth", [3]),
        ("title", "b*y", [3]),
        ("description", "party", [7]),
        ("text", "party", [7]),
        ("text", "birthday", [3]),
        ("text", "ann", [1, 7]),
        ("text", "beach", [1, 3]),
        ("text", "y.jpg", [1]),
        ("text", "trip", []),  # of a name, not of folders
        ("text", "sandy*", [3]),
        ("format", "jpeg", [3, 4, 5, 7, 9]),
        ("format", "jp", []),
        ("keep", "exact", [5]),
        ("tag", "best", [3, 7]),
        ("tag", "dark", [3]),
        ("tag", "bes", []),
        ("path", "trip/**", [1, 3, 9]),
        ("path", "trip/*", [3, 9]),
        ("path", "trip/*.jpg", [3, 9]),
        ("path", "a/**/y.jpg", [1]),
        ("path", "*.jpg", [1, 3, 4, 5, 7, 9]),
        ("path", "rip/d", [1]),
        ("path", "e\u0301", [7]),
        ("path", "c.", [5]),
        ("name", "x*", [3, 4, 9]),
        ("name", "day 1", []),
        ("name", "y", [1]),
        ("name", "?.jpg", [1, 3, 4, 5, 7, 9]),
    ],
)
def test_texts(files: Files, column: Any, pattern: str, expected: list[int]) -> None:
    for _ in range(2):  # what was asked before is remembered, and not the caller's own
        mask = files.text(column, pattern)
        assert found(files, mask) == expected
        mask[:] = True


def test_only_the_names_in_doubt_are_asked_for(files: Files, filled: Any) -> None:
    filled.statements = 0
    files.text("path", "trip/**")
    assert filled.statements <= 2  # what the state is
    files.text("path", "trip/*.jpg")
    assert filled.statements == 1
    files.text("path", "trip/*.jpg")
    assert filled.statements == 1


def test_counts(files: Files) -> None:
    assert files.counts("keyword") == {"Sandy beach": 1, "art": 1, "beach": 1, "Été": 1}
    assert files.counts("people", np.flatnonzero(files.ids == 1)) == {"Anna Lee": 1, "Ben": 1}
    assert files.counts("rating") == {"1": 1, "4.5": 1}
    assert files.counts("rating", np.flatnonzero(files.ids == 1)) == {}
    assert files.counts("camera", np.flatnonzero(files.ids == 1)) == {"NIKON Z 6": 1}


def test_texts_are_asked_of_the_catalog_as_it_was(files: Files, filled: Any) -> None:
    with filled.changing() as session:
        session.execute(update(Photo).where(Photo.id == 4).values(title="new"))
    for column in ("title", "text"):
        with pytest.raises(Stale):
            files.text(column, "new")
    assert found(files, files.text("keyword", "beach")) == [1, 3]


def test_values_to_sort_by(files: Files) -> None:
    taken = [FACTS[i].get("taken_at") for i in ORDER]
    assert files.values("taken").tolist() == [NEVER if date is None else microseconds(date) for date in taken]
    assert files.values("megapixels").tolist() == [
        FACTS[i].get("width", 1) * FACTS[i].get("height", 1) for i in ORDER
    ]
    assert files.values("size").tolist() == [FACTS[i].get("file_size", 10 * i) for i in ORDER]
    assert files.values("id").tolist() == ORDER
    assert files.values("iso").tolist() == [FACTS[i].get("iso", NEVER) for i in ORDER]
    assert files.values("exposure").tolist() == [
        round(FACTS[i]["exposure"] * 10**7) if "exposure" in FACTS[i] else NEVER for i in ORDER
    ]
    paths = sorted({(str(FACTS[i]["path"]).casefold(), FACTS[i]["path"]) for i in ORDER})
    assert files.values("path").tolist() == [
        paths.index((str(FACTS[i]["path"]).casefold(), FACTS[i]["path"])) for i in ORDER
    ]
    assert [files.path(row) for row in range(len(files))] == [FACTS[i]["path"] for i in ORDER]


def test_where_a_path_belongs(files: Files) -> None:
    ranks = dict(zip(ORDER, files.values("path").tolist(), strict=True))
    for photo_id, own in FACTS.items():
        assert files.rank_of("path", own["path"]) == (ranks[photo_id], True)
    assert files.rank_of("path", "/A") == (ranks[1], False)  # before the first
    assert files.rank_of("path", "/b/a") == (ranks[4], False)
    assert files.rank_of("path", "/z") == (max(ranks.values()) + 1, False)
    names = dict(zip(ORDER, files.values("name").tolist(), strict=True))
    assert files.rank_of("name", "/anywhere/x.jpg") == (names[3], True)
    assert names[3] == names[4] == names[9]


def test_tables(files: Files) -> None:
    assert files.table("camera") == ("", "Canon EOS R5", "NIKON Z 6")
    assert files.table("format") == ("JPEG", "PNG")
    assert [files.table("folder")[n] for n in files.arrays["folder"].tolist()] == [
        "/b/",
        "/b/",
        "/",
        "/a/trip/day 1/",
        "/a/trip/",
        "/a/trip/",
    ]


def test_the_file_is_used_until_the_catalog_changes(filled: Any, files: Files, tmp_path: Path) -> None:
    filled.statements = 0
    again = open_files(whole(filled, tmp_path, V))
    assert filled.statements <= 2  # what the state is
    assert again.arrays.keys() == files.arrays.keys()
    assert all(
        np.array_equal(array, again.arrays[name], equal_nan=array.dtype.kind == "f")
        for name, array in files.arrays.items()
    )
    with filled.changing() as session:
        session.execute(update(Photo).where(Photo.id == 3).values(camera="SONY"))
    assert found(files, files.text("camera", "sony")) == []
    for column, pattern in (("path", "new*"), ("name", "new")):
        with pytest.raises(Stale):
            files.text(column, pattern)  # type: ignore[arg-type]
    with pytest.raises(Stale):
        files.rank_of("path", "/a")
    assert found(files, files.text("path", "trip/**")) == [1, 3, 9]
    assert file_of(tmp_path, KIND).exists()
    before, renewed = map(open_files, open_segments(filled, tmp_path, V).parts)
    assert found(renewed, renewed.text("camera", "sony")) == [3]
    assert before.segment.gone is not None
    assert before.ids[before.segment.gone].tolist() == [3]


def test_a_file_from_before_a_fact_came_is_built_anew(
    filled: Any, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del files
    path = file_of(tmp_path, KIND)
    before = path.read_bytes()
    open_files(whole(filled, tmp_path, V))
    assert path.read_bytes() == before
    monkeypatch.setattr("dsslic_search.index.files.KEY", KEY.removesuffix(f" {INDEXED[-1].array}"))
    open_files(whole(filled, tmp_path, V))
    assert path.read_bytes() != before


def test_many_values_of_a_table(catalog: Any, tmp_path: Path) -> None:
    for photo_id in range(1, 101):
        catalog.put(photo_id, {})
    with catalog.changing() as session:
        for photo_id in range(1, 101):
            session.execute(update(Photo).where(Photo.id == photo_id).values(camera=f"camera {photo_id:03}"))
    files = open_files(whole(catalog, tmp_path, V))
    for digit in "0123456789":
        expected = [i for i in range(1, 101) if digit in f"{i:03}"]
        assert found(files, files.text("camera", digit)) == expected


def test_an_archive_without_photos(catalog: Any, tmp_path: Path) -> None:
    files = open_files(whole(catalog, tmp_path, V))
    masks = [
        files.period("taken", None, None),
        files.figure("megapixels", 1, None),
        files.orientation("square"),
        files.near(0, 0, 1e9),
    ]
    masks += [
        files.unknown("camera"),
        files.text("path", "a*"),
        files.text("path", "a/**"),
        files.text("camera", "x"),
        files.text("tag", "x"),
    ]
    assert all(mask.tolist() == [] for mask in masks)
    assert files.rank_of("path", "/a") == (1, False)
    assert files.values("path").tolist() == []


def test_distances_are_those_along_the_surface(files: Files) -> None:
    radius, north = 6_371_008.8, math.radians(48.85)
    for degrees in (1e-5, 0.5, 90, 179):
        away = 2 * radius * math.asin(math.cos(north) * math.sin(math.radians(degrees) / 2))
        assert 7 in found(files, files.near(48.85, 2.35 + degrees, away * 1.0001 + 0.001))
        assert 7 not in found(files, files.near(48.85, 2.35 + degrees, away * 0.9999 - 0.001))


names = st.binary(min_size=1, max_size=3).map(lambda b: b.replace(b"/", b"u").replace(b"\0", b"d"))
native_paths = (
    st.lists(names | st.sampled_from([b"a", b"A\xe9", b"caf\xe9 a.jpg", b"trip"]), min_size=1, max_size=3)
    .map(lambda parts: "/" + b"/".join(parts).decode("utf-8", "surrogateescape"))
    .filter(lambda path: not {".", ".."} & set(path.split("/")))
)


@settings(max_examples=100)
@given(
    paths=st.lists(st.lists(native_paths, min_size=1, max_size=3), min_size=1, max_size=4),
    pattern=st.sampled_from(
        [
            "*",
            "a*",
            "caf\udce9*",
            "caf//udce9*",
            "caf*",
            "//udce9*",
            "trip/**",
            "/a/*",
            "?",
            "a?",
            "u",
            "/",
            "trip",
        ]
    )
    | names.map(lambda name: name.decode("utf-8", "surrogateescape")),
    asked=st.sampled_from(["path", "name"]),
)
def test_any_of_several_paths_matches(paths: list[list[str]], pattern: str, asked: str) -> None:
    """Against testing every path, byte for byte as files have it."""
    photos = [
        MadePhoto(
            i + 1,
            np.zeros((1, 1), np.uint8),
            path=path_to_text(own[0]),
            copies=tuple(map(path_to_text, own[1:])),
        )
        for i, own in enumerate(paths)
    ]
    files = open_files(whole(MadeArchive(photos), NOWHERE, V))
    native = re.sub("//u(d[89a-f][0-9a-f]{2})", lambda found: chr(int(found[1], 16)), pattern)
    test = (path_test if asked == "path" else name_test)(native)
    expected = [i + 1 for i, own in enumerate(paths) if any(test.path(folded_name(path)) for path in own)]
    assert found(files, files.text(asked, pattern)) == expected  # type: ignore[arg-type] # a name of a fact


def test_live_paths_of_a_real_catalog_match_and_ended_ones_do_not(filled: Any, tmp_path: Path) -> None:
    with filled.changing() as session:
        for path in ("/b/é.jpg", "/other/Copy.jpg", "/old/gone.jpg"):
            seen(session, 7, FileThere(Path(path), 1, 1), START)
        gone(session, [3], START)
    files = open_files(whole(filled, tmp_path, V))
    assert files.table("folder") == ("/", "/a/trip/", "/a/trip/day 1/", "/b/", "/other/")
    assert found(files, files.text("name", "copy*")) == [7]
    assert found(files, files.text("path", "/other/**")) == [7]
    assert found(files, files.text("text", "copy")) == [7]
    assert found(files, files.text("name", "gone*")) == []


YEAR_OF_HOURS = [datetime(2020, 1, 1) + timedelta(hours=7 * n) for n in range(366 * 24 // 7 + 40)]
OLD = [datetime(1969, 12, 31, 23, 59), datetime(1899, 2, 28, 5), datetime(1968, 2, 29, 0, 30)]


@pytest.mark.parametrize(
    ("name", "low", "high", "number"),
    [
        ("month", 2, 2, lambda taken: taken.month),
        ("month", 11, 2, lambda taken: taken.month),
        ("weekday", 6, 7, lambda taken: taken.isoweekday()),
        ("weekday", 7, 1, lambda taken: taken.isoweekday()),
        ("hour", 5, 11, lambda taken: taken.hour),
        ("hour", 23, 0, lambda taken: taken.hour),
        ("day", 229, 229, lambda taken: 100 * taken.month + taken.day),
        ("day", 1224, 101, lambda taken: 100 * taken.month + taken.day),
    ],
)
def test_times_that_come_again(name: str, low: int, high: int, number: Any) -> None:
    """Of leap years and of dates before 1970 too; a photo without a date was never taken in any."""
    sky = np.zeros((1, 1), np.uint8)
    photos = [MadePhoto(i, sky, taken=taken) for i, taken in enumerate([*YEAR_OF_HOURS, *OLD, None], 1)]
    archive = MadeArchive(photos)
    held = open_files(whole(archive, NOWHERE, V)).recurring(name, low, high)

    def within(photo: MadePhoto) -> bool:
        if photo.taken is None:
            return False
        found = number(photo.taken)
        return low <= found <= high if low <= high else found >= low or found <= high

    expected = [within(photo) for photo in archive.in_order]
    assert held.tolist() == expected
    assert any(expected)
