from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.errors import ArchiveError
from dsslic_search.index.columns import FILE, open_columns
from dsslic_search.index.quanta import TICKS
from dsslic_search.vocabulary import default

V = default()


def counts(rng: np.random.Generator, pixels: int) -> dict[int, int]:
    """Pixels of a few classes: class 3 is frequent, the others are not."""
    classes = [3, *rng.choice([0, 7, 21, 37, 50, 11, 12, 13], 2, replace=False).tolist()]
    shares = rng.multinomial(pixels, rng.dirichlet([1, 1, 1]))
    return {c: int(n) for c, n in zip(classes, shares, strict=True) if n}


@pytest.fixture
def filled(catalog: Any) -> tuple[Any, dict[int, tuple[dict[int, int], int]]]:
    rng = np.random.default_rng(5)
    truth = {}
    for photo_id in range(1, 151):
        pixels = int(rng.choice([10, 100, 640]))
        truth[photo_id] = counts(rng, pixels), pixels
        catalog.put(photo_id, {c: n / pixels for c, n in truth[photo_id][0].items()})
    return catalog, truth


@pytest.mark.parametrize("classes", [(3,), (7,), (21, 37), (3, 7, 50), (8,), (8, 9)])
@pytest.mark.parametrize("bound", ["0", "1/1000000000000", "1/200", "1/10", "3/10", "1/2", "999/1000", "1"])
def test_at_least_is_exact(filled: tuple[Any, Any], tmp_path: Path, classes: tuple[int, ...], bound: str) -> None:
    catalog, truth = filled
    columns = open_columns(catalog, tmp_path, V)
    held = columns.at_least(classes, round(Fraction(bound) * TICKS))
    expected = {i for i, (parts, pixels) in truth.items() if sum(Fraction(parts.get(c, 0), pixels) for c in classes) >= Fraction(bound)}
    assert set(columns.ids[held].tolist()) == expected
    assert not columns.at_least(classes, TICKS + 1).any()


def test_rows_are_newest_first_then_by_id(catalog: Any, tmp_path: Path) -> None:
    catalog.put(4, {}, taken=datetime(2020, 1, 1))
    catalog.put(9, {}, added=datetime(2022, 1, 1))  # not known when taken
    catalog.put(2, {}, taken=datetime(2020, 1, 1))
    catalog.put(7, {}, taken=datetime(2023, 1, 1))
    assert open_columns(catalog, tmp_path, V).ids.tolist() == [7, 9, 2, 4]


def test_frequent_and_rare_classes_give_the_same_quanta(filled: tuple[Any, Any], tmp_path: Path) -> None:
    catalog, truth = filled
    columns = open_columns(catalog, tmp_path, V)
    assert columns.arrays["places"][3] >= 0 > columns.arrays["places"][7]
    for class_id in (3, 7):
        found = dict(zip(columns.ids.tolist(), columns.quanta(class_id).tolist(), strict=True))
        for photo_id, (parts, pixels) in truth.items():
            own = parts.get(class_id, 0)
            assert found[photo_id] == (own and 1 + 65_000 * own // pixels)


def test_a_full_archive_takes_less_than_a_hundred_bytes_a_photo(filled: tuple[Any, Any], tmp_path: Path) -> None:
    catalog, truth = filled
    columns = open_columns(catalog, tmp_path, V)
    assert columns.nbytes - columns.arrays["starts"].nbytes - columns.arrays["places"].nbytes < 100 * len(truth)


def test_the_file_is_used_until_the_catalog_changes(filled: tuple[Any, Any], tmp_path: Path) -> None:
    catalog, _ = filled
    before = open_columns(catalog, tmp_path, V)
    catalog.statements = 0
    again = open_columns(catalog, tmp_path, V)
    assert catalog.statements == 0
    assert np.array_equal(again.total((3, 7)), before.total((3, 7)))
    catalog.put(1000, {3: 1.0})
    assert 1000 in open_columns(catalog, tmp_path, V).ids
    assert catalog.statements > 0


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "empty"])
def test_a_damaged_file_is_built_anew(filled: tuple[Any, Any], tmp_path: Path, damage: str) -> None:
    catalog, _ = filled
    path = tmp_path / FILE
    before = open_columns(catalog, tmp_path, V)
    expected = before.total((3,)).tolist()
    sound = path.read_bytes()
    changed = bytearray(sound)
    changed[len(changed) * 2 // 3] ^= 4
    path.unlink()
    if damage != "remove":
        path.write_bytes({"flip": bytes(changed), "cut": sound[:-1], "empty": b""}[damage])
    assert open_columns(catalog, tmp_path, V).total((3,)).tolist() == expected
    assert path.read_bytes() == sound


def test_a_folder_that_cannot_be_written_is_no_obstacle(filled: tuple[Any, Any], tmp_path: Path) -> None:
    catalog, truth = filled
    (tmp_path / "index").write_text("a file where the folder should be")
    assert len(open_columns(catalog, tmp_path / "index", V)) == len(truth)


def test_an_archive_without_photos(catalog: Any, tmp_path: Path) -> None:
    columns = open_columns(catalog, tmp_path, V)
    assert columns.at_least((3,), 1).tolist() == []
    assert len(open_columns(catalog, tmp_path, V)) == 0


@pytest.mark.parametrize("fractions", [{3: 1.5}, {3: 0.7, 4: 0.7}, {3: -0.5}])
def test_impossible_coverages_are_damage(catalog: Any, tmp_path: Path, fractions: dict[int, float]) -> None:
    catalog.put(1, fractions)
    with pytest.raises(ArchiveError, match="damaged"):
        open_columns(catalog, tmp_path, V)
