from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.codec.bpg import colour
from dsslic_search.codec.bpg.chroma import downsample, upsample

AFTER = (-1, 4, -10, 57, 18, -6, 2)  # chroma samples -3..3 around k, for luma a quarter sample after k
HALF = (-1, 4, -11, 40, 40, -11, 4, -1)  # -3..4, for luma half a sample after k


def interpolate_slowly(line: list[int], count: int, cosited: bool) -> list[int]:
    """One line at ``count`` luma positions, 64 times as large, one sample at a time."""
    result = []
    for x in range(count):
        k, odd = divmod(x, 2)
        if cosited:
            taps = [(i - 3, w) for i, w in enumerate(HALF)] if odd else [(0, 64)]
        else:
            taps = [((i - 3) if odd else (3 - i), w) for i, w in enumerate(AFTER)]
        result.append(sum(w * line[min(max(k + d, 0), len(line) - 1)] for d, w in taps))
    return result


def upsample_slowly(
    plane: np.ndarray, height: int, width: int, chroma: str, bit_depth: int, cosited: bool
) -> np.ndarray:
    rows, shift = plane.astype(int), 6
    if chroma == "420":
        rows, shift = (
            np.array([interpolate_slowly(column, height, False) for column in rows.T.tolist()]).T,
            12,
        )
    wide = np.array([interpolate_slowly(row, width, cosited) for row in rows.tolist()])
    return np.clip((wide + (1 << shift >> 1)) >> shift, 0, 2**bit_depth - 1)


@pytest.mark.parametrize("chroma", ["420", "422"])
@pytest.mark.parametrize("cosited", [False, True])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (5, 7), (33, 18), (9, 700)])
@pytest.mark.parametrize("bit_depth", [8, 12])
def test_upsampling_equals_the_slow_one(
    chroma: str, cosited: bool, height: int, width: int, bit_depth: int
) -> None:
    shape = (-(-height // 2) if chroma == "420" else height, -(-width // 2))
    plane = (
        np.random.default_rng(height)
        .integers(0, 2**bit_depth, shape)
        .astype(np.uint8 if bit_depth == 8 else np.uint16)
    )
    wide = upsample(plane, height, width, chroma=chroma, bit_depth=bit_depth, cosited=cosited)
    assert wide.dtype == plane.dtype
    assert np.array_equal(wide, upsample_slowly(plane, height, width, chroma, bit_depth, cosited))


@pytest.mark.parametrize("chroma", ["420", "422"])
def test_bands_do_not_show(chroma: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colour, "_BAND_SAMPLES", 1 << 13)
    plane = np.random.default_rng(1).integers(0, 256, (45, 101), np.uint8)
    assert len(list(colour.bands(45, 4 * 101))) == 3
    height = 90 if chroma == "420" else 45
    wide = upsample(plane, height, 202, chroma=chroma, bit_depth=8)
    assert np.array_equal(wide, upsample_slowly(plane, height, 202, chroma, 8, False))
    small = downsample(wide, chroma=chroma, bit_depth=8)
    turned = downsample(wide[:, ::-1], chroma=chroma, bit_depth=8)
    assert np.array_equal(small, turned[:, ::-1])  # midway samples: mirroring commutes when the width is even
    if chroma == "420":
        assert np.array_equal(small, downsample(wide[::-1], chroma=chroma, bit_depth=8)[::-1])


@pytest.mark.parametrize("chroma", ["420", "422", "444"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (16, 31)])
def test_flat_planes_stay_flat(chroma: str, shape: tuple[int, int]) -> None:
    for level in (0, 77, 1023):
        plane = np.full(shape, level, np.uint16)
        small = downsample(plane, chroma=chroma, bit_depth=10)
        assert np.all(small == level)
        assert np.array_equal(upsample(small, *shape, chroma=chroma, bit_depth=10), plane)


@pytest.mark.parametrize("chroma", ["420", "422"])
def test_smooth_planes_survive(chroma: str) -> None:
    y, x = np.mgrid[:96, :128]
    plane = np.rint(128 + 60 * np.sin(x / 9) + 50 * np.cos(y / 7)).astype(np.uint8)
    small = downsample(plane, chroma=chroma, bit_depth=8)
    back = upsample(small, 96, 128, chroma=chroma, bit_depth=8)
    inside = (slice(8, -8), slice(8, -8))
    assert np.abs(back[inside].astype(int) - plane[inside]).max() <= 2
