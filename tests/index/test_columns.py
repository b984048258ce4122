from datetime import datetime
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.vocabulary import default
from dsslic_search.index import compiling
from dsslic_search.index.columns import KIND, LOOKED_UP_ONE_IN, Columns, open_columns
from dsslic_search.index.quanta import TICKS, doubt
from dsslic_search.index.source import Stale
from tests.segments import asked, file_of, ids_in, whole

V = default()


def counts(rng: np.random.Generator, pixels: int) -> dict[int, int]:
    """Pixels of a few classes: class 3 is frequent, the others are rare."""
    classes = [3, *rng.choice([0, 7, 21, 22, 27, 37, 50, 11, 12, 13, 34, 38], 2, replace=False).tolist()]
    shares = rng.multinomial(pixels, rng.dirichlet([1, 1, 1]))
    return {c: int(n) for c, n in zip(classes, shares, strict=True) if n}


@pytest.fixture
def filled(catalog: Any) -> tuple[Any, dict[int, tuple[dict[int, int], int]]]:
    rng = np.random.default_rng(5)
    truth = {}
    for photo_id in range(1, 151):
        pixels = int(rng.choice([10, 100, 640]))
        truth[photo_id] = counts(rng, pixels), pixels

    def fill() -> None:
        with catalog.at_once():
            for photo_id, (classes, pixels) in truth.items():
                catalog.put(photo_id, {c: n / pixels for c, n in classes.items()})

    catalog.holds("classes of 150 photos", fill)
    return catalog, truth


WATER = next(g.members for g in V.groups if g.name == "body of water")  # 22 and 27
ANIMAL = next(g.members for g in V.groups if g.name == "animal")
WAYS = 10**12, 0
"""The patience that has whole-array operations do the work, and compiled loops."""
BOUNDS = ["0", "1/1000000000000", "1/200", "1/10", "3/10", "1/2", "999/1000", "1"]


def test_within_is_exact(filled: tuple[Any, Any], tmp_path: Path) -> None:
    catalog, truth = filled
    columns = open_columns(whole(catalog, tmp_path, V))
    for classes in ((3,), (22,), (8,), WATER, ANIMAL):
        shares = {
            i: sum(Fraction(parts.get(c, 0), pixels) for c in classes) for i, (parts, pixels) in truth.items()
        }
        found = {i: round(share * TICKS) for i, share in shares.items()}
        for low, high in product(BOUNDS, BOUNDS):
            for least, most in ((0, 0), (1, 0), (0, -1), (1, -1)):  # a tick makes a bound an open one
                bounds = round(Fraction(low) * TICKS) + least, round(Fraction(high) * TICKS) + most
                expected = {i for i, share in found.items() if bounds[0] <= share <= bounds[1]}
                assert set(columns.ids[columns.within(classes, *bounds)].tolist()) == expected
        for low, high in ((TICKS + 1, TICKS), (TICKS + 1, 2 * TICKS), (-5, -1), (-5, 2 * TICKS)):
            assert np.all(columns.within(classes, low, high) == (low <= 0 and high >= TICKS))


def test_what_has_no_column_is_refused(filled: tuple[Any, Any], tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        open_columns(whole(filled[0], tmp_path, V)).within((3, 7), 1, TICKS)


def test_quanta_of_some_rows_and_between_bounds(
    filled: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = open_columns(whole(filled[0], tmp_path, V))
    rows = np.arange(0, len(columns), 3)
    among = np.arange(len(columns)) % 5 != 2
    bounds = [
        (0, 0),
        (1, 65_001),
        (0, 65_001),
        (0, 20_000),
        (6_500, 30_000),
        (5, 4),
        (-3, 70_000),
        (65_002, 70_000),
        (-2, -1),
    ]
    for few in (8192, 10):
        monkeypatch.setattr("dsslic_search.index.columns.LOOKED_UP_ROWS", few)
        for classes in ((3,), (22,), (8,), WATER):
            quanta = columns.quanta(classes)
            for patience in WAYS:
                monkeypatch.setattr(compiling, "PATIENCE", compiling.Patience(patience, patience))
                assert columns.at(classes, rows).tolist() == quanta[rows].tolist()
            for (first, last), patience in product(bounds, WAYS):
                monkeypatch.setattr(compiling, "PATIENCE", compiling.Patience(patience, patience))
                expected = (quanta >= first) & (quanta <= last)
                assert columns.between(classes, first, last).tolist() == expected.tolist()
                some = among.copy()
                assert columns.between(classes, first, last, some).tolist() == (expected & among).tolist()
                assert some.tolist() == among.tolist()


def test_exact_fractions_are_asked_for_once(filled: tuple[Any, Any], tmp_path: Path) -> None:
    columns = open_columns(whole(filled[0], tmp_path, V))
    tenths = TICKS // 10
    first = columns.within((3,), 3 * tenths, 5 * tenths)
    filled[0].statements = 0
    assert columns.within((3,), 3 * tenths, 5 * tenths).tolist() == first.tolist()
    assert filled[0].statements == 0


def test_a_catalog_that_has_changed_is_not_asked(filled: tuple[Any, Any], tmp_path: Path) -> None:
    columns = open_columns(whole(filled[0], tmp_path, V))
    before = columns.within((3,), 1, TICKS)
    filled[0].put(1000, {3: 1.0})
    assert columns.within((3,), 1, TICKS).tolist() == before.tolist()  # nothing in doubt
    with pytest.raises(Stale):
        columns.within((3,), TICKS // 10 + 1, TICKS)


def test_the_catalog_is_asked_only_of_photos_in_doubt(filled: tuple[Any, Any], tmp_path: Path) -> None:
    columns = open_columns(whole(filled[0], tmp_path, V))
    held = set(columns.quanta((3,)).tolist())
    bounds = [n * TICKS // 1000 + 1 for n in range(1, 1000)]
    doubted = {low: set(range(doubt(low)[0] + 1, doubt(low)[1])) for low in bounds}
    low = next(low for low, quanta in doubted.items() if quanta and not quanta & held)
    expected = columns.quanta((3,)) > min(doubted[low])
    filled[0].put(1000, {3: 1.0})  # what changed is not looked at either
    assert columns.within((3,), low, TICKS).tolist() == expected.tolist()
    low = next(low for low, quanta in doubted.items() if quanta & held)
    with pytest.raises(Stale):
        columns.within((3,), low, TICKS)


def test_the_row_after_a_date_and_id(catalog: Any, tmp_path: Path) -> None:
    days = [datetime(2020, 1, day) for day in (3, 3, 2, 2, 1)]
    for photo_id, day in zip((4, 9, 2, 7, 1), days, strict=True):
        catalog.put(photo_id, {}, taken=day)
    columns = open_columns(whole(catalog, tmp_path, V))
    moment = {day: int(np.datetime64(day, "us").astype(np.int64)) for day in days}
    assert columns.moments.tolist() == [moment[day] for day in days]
    for row, (photo_id, day) in enumerate(zip((4, 9, 2, 7, 1), days, strict=True)):
        assert columns.row_after(moment[day], photo_id) == row + 1
    assert columns.row_after(moment[days[2]], 5) == 3  # between 2 and 7
    assert columns.row_after(moment[days[0]] + 1, 5) == 0
    assert columns.row_after(0, 5) == 5
    assert columns.rows_of(np.array([7, 1, 4])).tolist() == [3, 4, 0]


def test_rows_are_newest_first_then_by_id(catalog: Any, tmp_path: Path) -> None:
    catalog.put(4, {}, taken=datetime(2020, 1, 1))
    catalog.put(9, {}, added=datetime(2022, 1, 1))  # not known when taken
    catalog.put(2, {}, taken=datetime(2020, 1, 1))
    catalog.put(7, {}, taken=datetime(2023, 1, 1))
    assert open_columns(whole(catalog, tmp_path, V)).ids.tolist() == [7, 9, 2, 4]


def test_frequent_and_rare_things_give_the_same_quanta(filled: tuple[Any, Any], tmp_path: Path) -> None:
    catalog, truth = filled
    columns = open_columns(whole(catalog, tmp_path, V))
    assert columns._full((3,)) is not None
    assert columns._full((22,)) is None
    for classes in ((3,), (22,), WATER):
        found = dict(zip(columns.ids.tolist(), columns.quanta(classes).tolist(), strict=True))
        for photo_id, (parts, pixels) in truth.items():
            own = sum(parts.get(c, 0) for c in classes)
            assert found[photo_id] == (own and 1 + 65_000 * own // pixels)


@pytest.mark.parametrize("compiled", [False, True])
def test_rows_that_are_not_sure_enough_are_left_out_where_there_are_many(
    filled: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: bool
) -> None:
    monkeypatch.setattr(compiling.PATIENCE, "values", 0 if compiled else 10**9)
    monkeypatch.setattr(compiling.PATIENCE, "photos", 0 if compiled else 10**9)
    catalog, _ = filled
    columns = open_columns(whole(catalog, tmp_path, V))
    among = columns.quanta((3,)) > 0
    assert columns._full((3,), "_certainty") is not None
    sure = np.random.default_rng(3).integers(0, 256, len(columns)).astype(np.uint8)
    monkeypatch.setattr(Columns, "_full", lambda *_: sure)
    for least in (0, 1, 128, 255):
        held = among.copy()
        columns.leave_out_unsure((3,), least, held)
        assert np.array_equal(held, among & (sure >= least))
    few = np.zeros(len(columns), bool)
    few[: len(columns) // LOOKED_UP_ONE_IN] = True
    for classes, held in (((3,), few), ((22,), among)):  # which are looked up one by one
        kept = held.copy()
        columns.leave_out_unsure(classes, 255, kept)
        assert np.array_equal(kept, held)


def test_a_full_archive_takes_less_than_a_hundred_bytes_a_photo(
    filled: tuple[Any, Any], tmp_path: Path
) -> None:
    catalog, truth = filled
    columns = open_columns(whole(catalog, tmp_path, V))
    beside = sum(columns.arrays[name].nbytes for name in ("starts", "sizes", "more_starts"))
    assert columns.arrays.nbytes + columns.segment.rows.nbytes - beside < 110 * len(truth)


def test_the_file_is_used_until_the_catalog_changes(filled: tuple[Any, Any], tmp_path: Path) -> None:
    catalog, _ = filled
    before = open_columns(whole(catalog, tmp_path, V))
    catalog.statements = 0
    again = open_columns(whole(catalog, tmp_path, V))
    assert catalog.statements <= 2  # what the state is
    assert np.array_equal(again.quanta(WATER), before.quanta(WATER))
    catalog.put(1000, {3: 1.0})
    assert sorted(ids_in(catalog, tmp_path)) == sorted([*before.ids.tolist(), 1000])


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "empty"])
def test_a_damaged_file_is_built_anew(filled: tuple[Any, Any], tmp_path: Path, damage: str) -> None:
    catalog, _ = filled
    before = open_columns(whole(catalog, tmp_path, V))
    path = file_of(tmp_path, KIND)
    expected = before.quanta((3,)).tolist()
    sound = path.read_bytes()
    changed = bytearray(sound)
    changed[len(changed) * 2 // 3] ^= 4
    path.unlink()
    if damage != "remove":
        path.write_bytes({"flip": bytes(changed), "cut": sound[:-1], "empty": b""}[damage])
    again = asked(catalog, tmp_path, lambda segment: open_columns(segment).quanta((3,)).tolist())
    assert again == expected
    assert path.read_bytes() == sound


def test_a_folder_that_cannot_be_written_is_no_obstacle(filled: tuple[Any, Any], tmp_path: Path) -> None:
    catalog, truth = filled
    (tmp_path / "index").write_text("a file where the folder should be")
    assert len(open_columns(whole(catalog, tmp_path / "index", V))) == len(truth)


def test_an_archive_without_photos(catalog: Any, tmp_path: Path) -> None:
    columns = open_columns(whole(catalog, tmp_path, V))
    assert columns.within((3,), 1, TICKS).tolist() == []
    assert len(open_columns(whole(catalog, tmp_path, V))) == 0


@pytest.mark.parametrize("fractions", [{3: 1.5}, {3: 0.7, 4: 0.7}, {3: -0.5}])
def test_impossible_coverages_are_damage(catalog: Any, tmp_path: Path, fractions: dict[int, float]) -> None:
    catalog.put(1, fractions)
    with pytest.raises(ArchiveError, match="damaged"):
        open_columns(whole(catalog, tmp_path, V))
