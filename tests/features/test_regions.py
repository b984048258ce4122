import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsslic_search.features.regions import Region, regions

MAPS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24), elements=st.integers(0, 2))


def flood(label_map: np.ndarray) -> list[Region]:
    """The same by flood fill, pixel by pixel."""
    height, width = label_map.shape
    seen: set[tuple[int, int]] = set()
    found = []
    for start in np.ndindex(height, width):
        if start in seen:
            continue
        seen.add(start)
        part, edge = [], [start]
        while edge:
            y, x = edge.pop()
            part.append((y, x))
            for v in range(max(y - 1, 0), min(y + 2, height)):
                for u in range(max(x - 1, 0), min(x + 2, width)):
                    if (v, u) not in seen and label_map[v, u] == label_map[start]:
                        seen.add((v, u))
                        edge.append((v, u))
        ys, xs = zip(*part, strict=True)
        if len(part) / (height * width) >= 0.001:
            found.append(
                Region(
                    int(label_map[start]),
                    len(part) / (height * width),
                    min(xs) / width,
                    min(ys) / height,
                    (max(xs) + 1) / width,
                    (max(ys) + 1) / height,
                    (sum(xs) / len(xs) + 0.5) / width,
                    (sum(ys) / len(ys) + 0.5) / height,
                )
            )
    return sorted(found, key=lambda region: -region.area)


def assert_same(found: list[Region], expected: list[Region]) -> None:
    assert [(r.class_id, r.area, r.left, r.top, r.right, r.bottom) for r in found] == [
        (r.class_id, r.area, r.left, r.top, r.right, r.bottom) for r in expected
    ]
    assert np.allclose([(r.x, r.y) for r in found], [(r.x, r.y) for r in expected])


@given(MAPS)
def test_regions_are_those_of_a_flood_fill(label_map: np.ndarray) -> None:
    assert_same(regions(label_map), flood(label_map))


@pytest.mark.parametrize("seed", range(3))
def test_large_maps_of_blobs_and_noise(seed: int) -> None:
    rng = np.random.default_rng(seed)
    label_map = np.kron(rng.integers(0, 3, (20, 25)), np.ones((4, 4), int)).astype(np.uint8)
    noisy = rng.random(label_map.shape) < 0.1
    label_map[noisy] = rng.integers(0, 3, int(noisy.sum()))
    assert_same(regions(label_map), flood(label_map))


def test_a_spiral_is_one_region() -> None:
    spiral = np.zeros((41, 41), np.uint8)
    y = x = 0
    dy, dx = 0, 1
    spiral[0, 0] = 1
    for _ in range(5000):
        v, u = y + dy, x + dx
        far_v, far_u = v + dy, u + dx
        blocked = not (0 <= v < 41 and 0 <= u < 41) or (0 <= far_v < 41 and 0 <= far_u < 41 and spiral[far_v, far_u])
        if blocked:
            dy, dx = dx, -dy
            continue
        y, x = v, u
        spiral[y, x] = 1
    assert_same(regions(spiral), flood(spiral))
    assert [r.class_id for r in regions(spiral)].count(1) == 1


def test_corners_connect_and_the_checkerboard_is_two_regions() -> None:
    board = (np.indices((9, 9)).sum(0) % 2).astype(np.uint8)
    assert [(r.class_id, round(r.area * 81)) for r in regions(board)] == [(0, 41), (1, 40)]


@pytest.mark.parametrize(("pixels", "kept"), [(2, 1), (1, 0)])
def test_a_region_needs_one_thousandth_of_the_pixels(pixels: int, kept: int) -> None:
    label_map = np.zeros((40, 50), np.uint8)
    label_map[7, 5 : 5 + pixels] = 3
    assert sum(r.class_id == 3 for r in regions(label_map)) == kept


def test_one_pixel() -> None:
    assert regions(np.array([[9]], np.uint8)) == [Region(9, 1, 0, 0, 1, 1, 0.5, 0.5)]


def test_a_map_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        regions(np.zeros((0, 3), np.uint8))
