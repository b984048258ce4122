"""Pictures laid over others by compiled loops, as by numpy."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench.copies import ALTERED
from dsslic_search.features.agreement import agreement, portrait
from dsslic_search.features.fingerprint import fingerprint, luma
from dsslic_search.features.likeness import (
    MAX_SCALE,
    MAX_SHIFT,
    PLAIN,
    align,
    at_rest,
    detailed,
    likeness,
    looked,
    softened,
)
from dsslic_search.index import alignment, compiling

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.jpg"))


@pytest.fixture(scope="module")
def prints() -> np.ndarray:
    """Of a few photos, each with its copies beside it."""
    photos = [Image.open(path).convert("RGB").reduce(4) for path in SAMPLES[:4]]
    every = [each for photo in photos for each in (photo, *(how(photo) for how in ALTERED.values()))]
    return np.array([fingerprint(np.asarray(each.reduce(2))) for each in every])


@pytest.fixture(scope="module")
def cells(prints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    fine = softened(luma(prints).astype(np.float32))
    return fine, np.roll(fine, 1, 0)


def anywhere(count: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    made = at_rest(count)
    made[:, ::2] = rng.uniform(1 / MAX_SCALE, MAX_SCALE, (count, 2))
    made[:, 1::2] = rng.uniform(-MAX_SHIFT, MAX_SHIFT, (count, 2))
    return made


def test_cells_are_softened_and_halved_the_same(prints: np.ndarray) -> None:
    for found, expected in zip(alignment.sizes(luma(prints)), PLAIN.sizes(luma(prints)), strict=True):
        assert np.allclose(found, expected, atol=1e-4)


def test_what_is_seen_is_the_same_wherever_pictures_lie(cells: tuple[np.ndarray, np.ndarray]) -> None:
    for places in (at_rest(len(cells[0])), anywhere(len(cells[0]))):
        level, share, change = alignment.looked(*cells, places)
        expected = looked(*cells, places)
        assert np.allclose(level, expected[0], atol=1e-4)
        assert np.allclose(share, expected[1])
        assert np.allclose(change, expected[2], atol=1e-3)
        assert np.allclose(alignment.detailed(*cells, places), detailed(*cells, places), atol=1e-4)


def test_pictures_are_laid_over_each_other_where_numpy_lays_them(
    cells: tuple[np.ndarray, np.ndarray],
) -> None:
    found = align(*cells, at_rest(len(cells[0])), 5, alignment.COMPILED)
    expected = align(*cells, at_rest(len(cells[0])), 5)
    levels = looked(*cells, found)[0], looked(*cells, expected)[0]
    assert np.allclose(*levels, atol=1e-3)


def test_likeness_and_agreement_are_the_same(prints: np.ndarray) -> None:
    other = np.roll(prints, 1, 0)
    assert np.allclose(likeness(prints, other, alignment.COMPILED), likeness(prints, other), atol=1e-3)
    # so small that they are compared in cells for which there are loops already
    photos = [Image.open(path).convert("RGB").reduce(32) for path in SAMPLES[:2]]
    one, two = (
        [portrait(np.asarray(how(photo))) for photo in photos for how in (lambda p: p, changed)]
        for changed in (ALTERED["darker"], ALTERED["cropped by 4 %"])
    )
    turned = np.array([False, True, False, False])
    expected = agreement(one, two, turned)
    assert np.allclose(agreement(one, two, turned, alignment.COMPILED), expected, atol=1e-3)


def test_pictures_without_detail_are_nothing_to_lay_over() -> None:
    flat = np.full((2, 24, 24), 77, np.float32)
    level, share, change = alignment.looked(flat, flat, at_rest(2))
    assert np.abs(level).max() < 1e-6
    assert np.all(share == 1)
    assert np.abs(change).max() < 1e-6


def test_the_loops_do_the_same_uncompiled(cells: tuple[np.ndarray, np.ndarray], prints: np.ndarray) -> None:
    few = tuple(np.ascontiguousarray(each[:2, :12, :12]) for each in cells)
    compiled = alignment.looked(*few, anywhere(2))
    detail, sizes = alignment.detailed(*few, anywhere(2)), alignment.sizes(luma(prints[:1]))
    with mock.patch.object(alignment, "compiled", lambda loop: loop):
        for found, expected in zip(alignment.looked(*few, anywhere(2)), compiled, strict=True):
            assert np.allclose(found, expected, atol=1e-5)
        assert np.allclose(alignment.detailed(*few, anywhere(2)), detail, atol=1e-5)
        assert np.array_equal(alignment.sizes(luma(prints[:1]))[0], sizes[0])


def test_few_pairs_are_compared_without_loading_numba() -> None:
    assert alignment.arithmetic(alignment.COMPILED_FROM - 1) is PLAIN
    assert alignment.arithmetic(alignment.COMPILED_FROM) is alignment.COMPILED
    with mock.patch.object(compiling, "_compiled", lambda loop: loop):  # where numba is missing
        assert alignment.arithmetic(alignment.COMPILED_FROM) is PLAIN
