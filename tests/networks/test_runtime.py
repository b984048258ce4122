"""Running the shipped networks: any size, tiles without seams, several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dsslic_search.core import vocabulary
from dsslic_search.networks import grid, runtime

RNG = np.random.default_rng(4)


def smooth(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    base = np.stack([128 + 100 * np.sin(x / 17 + y / 29), 128 + 90 * np.cos(y / 13), (x * 3 + y) % 256], -1)
    return (base + RNG.normal(0, 4, base.shape)).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (65, 97), (240, 320)])
def test_segment_gives_known_classes_at_the_size_asked_for(size):
    labels = runtime.segment(smooth(*size), size)[0]
    assert labels.shape == size
    assert labels.dtype == np.uint8
    assert labels.max() < len(vocabulary.default())


@pytest.mark.parametrize("aspect", [(1, 100_000), (100_000, 1), (352, 448), (3000, 4000)])
def test_working_size_is_bounded(aspect):
    height, width = runtime.working_size(*aspect, 448 * 352)
    assert height % 32 == width % 32 == 0
    assert 0.5 < height * width / (448 * 352) < 2


def test_network_labels_are_those_under_each_block():
    labels = RNG.integers(0, 51, (13, 20), dtype=np.uint8)  # of a photo of 39×60 at scale 3
    marks = grid.network_labels(labels, 3, (5, 8))
    assert marks.shape == (10, 16)
    for i in range(10):
        for j in range(16):
            assert marks[i, j] == labels[min((4 * i + 2) // 3, 12), min((4 * j + 2) // 3, 19)]


def test_tiles_leave_no_seam(monkeypatch):
    photo = smooth(8 * 24, 8 * 34)
    labels = RNG.integers(0, 51, (48, 68)).astype(np.int64)
    whole = runtime.make_compact(photo, labels)
    coarse = runtime.make_coarse(whole, labels, 189, 271)
    monkeypatch.setattr(grid, "TILE", 16)
    assert np.abs(runtime.make_compact(photo, labels).astype(int) - whole).max() <= 1
    tiled = runtime.make_coarse(whole, labels, 189, 271)
    assert tiled.shape == (189, 271, 3)
    difference = np.abs(tiled.astype(int) - coarse)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_threads_agree():
    photo, labels = smooth(96, 128), np.zeros((24, 32), np.int64)
    alone = runtime.make_compact(photo, labels), runtime.segment(photo, (96, 128))[0]
    with ThreadPoolExecutor(3) as pool:
        for compact, parsed in pool.map(
            lambda _: (runtime.make_compact(photo, labels), runtime.segment(photo, (96, 128))[0]), range(3)
        ):
            assert np.abs(compact.astype(int) - alone[0]).max() <= 1
            assert (parsed == alone[1]).mean() > 0.99
