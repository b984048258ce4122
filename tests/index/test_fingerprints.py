from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.features.fingerprint import descriptors, fingerprint, hues, mirrored
from dsslic_search.index import fingerprints as module
from dsslic_search.index.fingerprints import (
    EXHAUSTIVE_UP_TO,
    FINGERPRINTS,
    HUE_WEIGHT,
    MAX_NEIGHBOURS,
    MIN_PROMISE,
    candidates,
    kept_rows,
)


def name(number: int) -> str:
    """A content hash."""
    return f"{number * 7919 % 65537:016x}" * 4


def made(number: int) -> np.ndarray:
    return fingerprint(np.random.default_rng(number).integers(0, 256, (6, 6, 3)).astype(np.uint8))


class Maker:
    """Makes fingerprints of numbers, but for those that are ``bad``, and counts them."""

    def __init__(self, numbers: Sequence[int], bad: Sequence[int] = ()) -> None:
        self.numbers, self.bad, self.asked = numbers, bad, 0

    def __call__(self, places: Sequence[int]):
        for place in places:
            self.asked += 1
            if self.numbers[place] not in self.bad:
                yield place, made(self.numbers[place])


def get(folder: Path, numbers: Sequence[int], maker: Maker):
    return kept_rows(FINGERPRINTS, folder, [name(number) for number in numbers], maker)


def test_only_new_photos_are_asked_for(tmp_path: Path):
    for numbers, asked in (
        (range(5), 5),
        (range(5), 0),
        ([7, 3, 1, 8], 2),
        ([3, 8, 7], 0),
        ([], 0),
        ([0, 3], 1),
    ):
        maker = Maker(list(numbers))
        prints, known = get(tmp_path, list(numbers), maker)
        assert maker.asked == asked
        assert known.all()
        assert np.array_equal(prints, np.array([made(n) for n in numbers]).reshape(-1, prints.shape[1]))


def test_what_cannot_be_made_is_asked_for_again(tmp_path: Path):
    prints, known = get(tmp_path, [1, 2, 3], Maker([1, 2, 3], bad=[2]))
    assert known.tolist() == [True, False, True]
    assert np.array_equal(prints[2], made(3))
    again = Maker([1, 2, 3])
    assert get(tmp_path, [1, 2, 3], again)[1].all()
    assert again.asked == 1


def test_an_interruption_loses_nothing(tmp_path: Path):
    def stops(places):
        for place in places:
            if place == 2:
                raise KeyboardInterrupt
            yield place, made(place)

    with pytest.raises(KeyboardInterrupt):
        kept_rows(FINGERPRINTS, tmp_path, [name(n) for n in range(4)], stops)
    rest = Maker(range(4))
    get(tmp_path, range(4), rest)
    assert rest.asked == 2


def test_damage_costs_time_and_nothing_else(tmp_path: Path):
    get(tmp_path, range(3), Maker(range(3)))
    path = tmp_path / FINGERPRINTS.file
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    maker = Maker(range(3))
    prints, _ = get(tmp_path, range(3), maker)
    assert maker.asked == 3
    assert np.array_equal(prints[2], made(2))
    nowhere = tmp_path / "file"
    nowhere.write_bytes(b"")
    assert get(nowhere, range(3), Maker(range(3)))[1].all()


@pytest.fixture(scope="module")
def pairs() -> tuple[np.ndarray, np.ndarray]:
    """600 pictures, and after them a noisy copy of each of the first 200."""
    rng = np.random.default_rng(1)
    pictures = rng.integers(0, 256, (600, 7, 7, 3))
    copies = (pictures[:200] + rng.integers(-30, 31, (200, 7, 7, 3))).clip(0, 255)
    prints = np.array([fingerprint(p.astype(np.uint8)) for p in np.concatenate([pictures, copies])])
    return prints, np.stack([np.arange(200), np.arange(600, 800)], 1)


def as_set(pairs: np.ndarray) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in pairs}


def slowly(prints: np.ndarray, others: np.ndarray, neighbours: int = MAX_NEIGHBOURS) -> set[tuple[int, int]]:
    near = descriptors(others) @ descriptors(prints).T
    promise = near + HUE_WEIGHT * (hues(others) @ hues(prints).T)
    found = set()
    for i, row in enumerate(near):
        for j in np.argsort(-row, kind="stable")[: neighbours + 1]:
            if promise[i, j] >= MIN_PROMISE and i != j:
                found.add((min(i, int(j)), max(i, int(j))))
    return found


def test_candidates_are_the_nearest_by_outline(pairs):
    prints, same = pairs
    found = candidates(prints)
    assert as_set(found) == slowly(prints, prints)
    assert as_set(same) <= as_set(found)
    assert np.all(found[:, 0] < found[:, 1])


@pytest.mark.parametrize("neighbours", [1, 4])
def test_a_crowded_picture_has_so_many_neighbours(monkeypatch: pytest.MonkeyPatch, neighbours: int):
    """Of 30 that are all alike."""
    rng = np.random.default_rng(2)
    picture = rng.integers(60, 190, (7, 7, 3))
    noise = rng.integers(-2, 3, (30, 7, 7, 3)) * np.arange(1, 31)[:, None, None, None] // 8
    prints = np.array([fingerprint(p.astype(np.uint8)) for p in picture + noise])
    assert np.all(descriptors(prints) @ descriptors(prints).T > MIN_PROMISE)
    monkeypatch.setattr(module, "MAX_NEIGHBOURS", neighbours)
    assert as_set(candidates(prints)) == slowly(prints, prints, neighbours)


def test_pictures_of_other_colours_are_no_candidates():
    """One pattern, red at the left and red above: descriptors are near, since they hardly see colours."""
    light = np.kron(np.random.default_rng(3).integers(60, 190, (6, 6)), np.ones((4, 4)))[..., None]
    redder = np.linspace(-80, 80, 24)[:, None, None] * np.array([0.701, -0.299, -0.299])  # luma stays
    one, other = (
        fingerprint((light + tint).astype(np.uint8)) for tint in (redder, redder.transpose(1, 0, 2))
    )
    prints = np.array([one, other])
    assert np.prod(descriptors(prints), axis=0).sum() > module.MIN_PRODUCT + 0.1
    assert candidates(prints).size == 0
    assert candidates(np.array([one, one])).tolist() == [[0, 1]]


def test_candidates_of_mirror_images(pairs):
    prints, same = pairs
    turned = np.concatenate([prints[:600], mirrored(prints[600:])])
    assert not as_set(same) & as_set(candidates(turned))
    found = as_set(candidates(turned, mirror=True))
    assert found == slowly(turned, mirrored(turned))
    assert as_set(same) <= found


def test_beyond_a_number_of_photos_nearly_all_are_found_by_cells(pairs):
    prints, same = pairs
    found = as_set(candidates(prints, exact=100))
    assert len(as_set(same) & found) >= 190
    assert found <= as_set(candidates(prints, exact=EXHAUSTIVE_UP_TO)) | slowly(prints, prints)


def test_blocks_do_not_show(pairs, monkeypatch: pytest.MonkeyPatch):
    whole = candidates(pairs[0])
    monkeypatch.setattr(module, "PHOTOS_AT_ONCE", 77)
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 5)
    assert np.array_equal(candidates(pairs[0]), whole)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_photos(count: int):
    prints = (
        np.array([made(1)] * count, np.uint8).reshape(count, -1)
        if count
        else np.zeros((0, module.FINGERPRINT_BYTES), np.uint8)
    )
    assert candidates(prints).tolist() == ([[0, 1]] if count == 2 else [])
