from __future__ import annotations

from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsslic_search.core.errors import FormatError
from dsslic_search.core.vocabulary import default
from dsslic_search.features.region_numbers import CONTACT, LINES, REGION, SHARES, UNITS
from dsslic_search.features.regions import regions
from dsslic_search.features.scene import PLAIN, SceneRegions, read_scenes
from tests.oracle import regions_of

MAPS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24), elements=st.integers(0, 2))
GROUPS = {100: (0, 1), 101: (1, 2), 200: (0, 1, 2), 255: (2,)}
PLACES = ("class_id", "area", "left", "top", "right", "bottom", "x", "y")


def assert_same(scene: SceneRegions, label_map: np.ndarray) -> None:
    """As the oracle finds it, in every number."""
    expected = regions_of(label_map)
    assert [tuple(int(r[name]) for name in PLACES) for r in scene.regions] == [
        tuple(getattr(r, name) for name in PLACES) for r in expected
    ]
    assert scene.regions["columns"].tolist() == [
        [r.share_of_columns(line) for line in LINES] for r in expected
    ]
    assert scene.regions["rows"].tolist() == [[r.share_of_rows(line) for line in LINES] for r in expected]
    contacts = [
        (number, c, r.under([c]), r.border([c]))
        for number, r in enumerate(expected)
        for c in range(int(label_map.max()) + 1)
        if r.under([c]) or r.border([c])
    ]
    classes = scene.contacts[scene.contacts["class_id"] < min(GROUPS)]
    assert classes.tolist() == contacts


@given(MAPS)
def test_regions_are_those_of_a_flood_fill(label_map: np.ndarray) -> None:
    assert_same(regions(label_map), label_map)


@pytest.mark.parametrize("seed", range(12))
def test_a_group_is_touched_where_any_of_its_classes_is(seed: int) -> None:
    """It has a contact of its own where that is not what those of its classes say together, from half on."""
    height = 130 if seed % 2 else 20
    rng = np.random.default_rng(seed)
    label_map = rng.integers(0, 4, (height // 2, 6)).repeat(2, axis=0).repeat(3, axis=1).astype(np.uint8)
    label_map[rng.random(label_map.shape) < 0.2] = 3
    scene = regions(label_map, GROUPS)
    assert_same(scene, label_map)
    own = 0
    for number, region in enumerate(regions_of(label_map)):
        shares = {int(c["class_id"]): c for c in scene.contacts if c["region"] == number}
        for group, members in GROUPS.items():
            summed = tuple(
                min(sum(int(shares[c][name]) for c in members if c in shares), SHARES)
                for name in ("under", "border")
            )
            joined = region.under(members), region.border(members)
            different = [pair for pair in zip(summed, joined, strict=True) if pair[0] != pair[1]]
            assert (group in shares) == any(max(pair) >= SHARES // 2 for pair in different)
            if group in shares:
                own += 1
                assert (int(shares[group]["under"]), int(shares[group]["border"])) == joined
    assert own
    assert SceneRegions.from_bytes(scene.to_bytes()).contacts.tolist() == scene.contacts.tolist()


def test_the_groups_whose_contacts_are_stored_belong_to_the_format() -> None:
    """Where groups change, what is stored of them is wrong: then PLAIN has to be another."""
    text = repr(sorted(default().classes_of_groups.items()))
    assert (PLAIN, sha256(text.encode()).hexdigest()[:8]) == (2, "4e571602")


def blobs(seed: int, height: int = 80, width: int = 100) -> np.ndarray:
    """A map of blocks with some noise."""
    rng = np.random.default_rng(seed)
    label_map = np.kron(rng.integers(0, 3, (-(-height // 4), -(-width // 4))), np.ones((4, 4), int))[
        :height, :width
    ].astype(np.uint8)
    noisy = rng.random(label_map.shape) < 0.1
    label_map[noisy] = rng.integers(0, 3, int(noisy.sum()))
    return label_map


@pytest.mark.parametrize("shape", [(80, 100), (101, 37), (1, 300), (170, 3)])
def test_large_maps_of_blobs_and_noise(shape: tuple[int, int]) -> None:
    label_map = blobs(sum(shape), *shape)
    assert_same(regions(label_map), label_map)


def test_the_ground_may_begin_a_fiftieth_of_the_height_below_a_foot() -> None:
    label_map = np.zeros((200, 8), np.uint8)
    label_map[100:150, 2:6] = 1
    label_map[150:153] = 2
    label_map[153:] = 3
    label_map[152, 2:4] = 3
    thing = regions(label_map)
    number = thing.regions["class_id"].tolist().index(1)
    under = {int(c["class_id"]): int(c["under"]) for c in thing.contacts if c["region"] == number}
    assert under == {0: 0, 2: SHARES, 3: SHARES}
    assert [regions_of(label_map)[number].under([c]) for c in range(4)] == [0, 0, SHARES, SHARES]
    label_map[100:150, 2:6] = 0
    label_map[99:149, 2:6] = 1  # a row higher: class 3 is four rows below in two columns, five in the others
    assert_same(regions(label_map), label_map)
    foot = [SHARES, 0, SHARES, SHARES // 2]
    assert [regions_of(label_map)[number].under([c]) for c in range(4)] == foot


def test_a_spiral_is_one_region() -> None:
    spiral = np.zeros((41, 41), np.uint8)
    y = x = 0
    dy, dx = 0, 1
    spiral[0, 0] = 1
    for _ in range(5000):
        v, u = y + dy, x + dx
        far_v, far_u = v + dy, u + dx
        blocked = not (0 <= v < 41 and 0 <= u < 41) or (
            0 <= far_v < 41 and 0 <= far_u < 41 and spiral[far_v, far_u]
        )
        if blocked:
            dy, dx = dx, -dy
            continue
        y, x = v, u
        spiral[y, x] = 1
    assert_same(regions(spiral), spiral)
    assert regions(spiral).regions["class_id"].tolist().count(1) == 1


def test_corners_connect_and_the_checkerboard_is_two_regions() -> None:
    board = (np.indices((9, 9)).sum(0) % 2).astype(np.uint8)
    found = regions(board)
    assert found.regions[["class_id", "area"]].tolist() == [(0, 41 * UNITS // 81), (1, 40 * UNITS // 81)]
    assert_same(found, board)


@pytest.mark.parametrize(("pixels", "kept"), [(2, 1), (1, 0)])
def test_a_region_needs_one_thousandth_of_the_pixels(pixels: int, kept: int) -> None:
    label_map = np.zeros((40, 50), np.uint8)
    label_map[7, 5 : 5 + pixels] = 3
    assert regions(label_map).regions["class_id"].tolist().count(3) == kept


def test_a_map_may_have_no_region() -> None:
    noise = (np.arange(60 * 60) * 7 % 251).reshape(60, 60).astype(np.uint8)
    found = regions(noise)
    assert (found.regions.size, found.contacts.size) == (0, 0)
    assert SceneRegions.from_bytes(found.to_bytes()).regions.size == 0


def test_one_pixel() -> None:
    found = regions(np.array([[9]], np.uint8))
    third = [0, SHARES, 0, SHARES, 0, SHARES]  # its centre counts as right of and below the middle
    assert found.regions.tolist()[0][:8] == (9, UNITS, 0, 0, UNITS, UNITS, UNITS // 2, UNITS // 2)
    assert found.regions["columns"].tolist() == found.regions["rows"].tolist() == [third]
    assert found.contacts.size == 0


def test_a_map_without_pixels_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        regions(np.zeros((0, 3), np.uint8))


@given(st.lists(MAPS, max_size=4))
def test_what_is_stored_comes_back(label_maps: list[np.ndarray]) -> None:
    made = [regions(label_map) for label_map in label_maps]
    stored = [scene.to_bytes() for scene in made]
    read = read_scenes(stored)
    assert read.counts.tolist() == [scene.regions.size for scene in made]
    assert read.touching.tolist() == [scene.contacts.size for scene in made]
    assert read.regions.tobytes() == b"".join(scene.regions.tobytes() for scene in made)
    assert read.contacts.tobytes() == b"".join(scene.contacts.tobytes() for scene in made)
    for scene, data in zip(made, stored, strict=True):
        assert SceneRegions.from_bytes(data).to_bytes() == data
        assert SceneRegions.from_bytes(scene.plain()).to_bytes() == data


def changed(part: str, field: str, value: Any, row: int = 0) -> bytes:
    """The bytes of a scene with one number replaced."""
    scene = regions(blobs(1))
    arrays = {"regions": scene.regions.copy(), "contacts": scene.contacts.copy()}
    arrays[part][field][row] = value
    return SceneRegions(**arrays).to_bytes()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "cut off"),
        (b"\1\0", "cut off"),
        (b"\0\0\0", "another format"),
        (b"\4\0\0", "another format"),
        (b"\3", "cut off"),
        (regions(blobs(1)).to_bytes()[:-1], "cut off"),
        (regions(blobs(1)).to_bytes() + b"\0", "left over"),
        (b"\1\2\0" + bytes(REGION.itemsize), "cut off"),
        (regions(blobs(1)).plain()[:-1], "left over"),
        (regions(blobs(1)).plain() + b"\0", "left over"),
        (regions(blobs(1)).plain() + bytes(CONTACT.itemsize), "no label map"),
        (changed("regions", "right", 60_001), "no label map"),
        (changed("regions", "left", 60_000), "no label map"),
        (changed("regions", "bottom", 0), "no label map"),
        (changed("regions", "y", 60_000, 3), "no label map"),
        (changed("regions", "area", 59), "no label map"),
        (changed("regions", "columns", 253), "no label map"),
        (changed("regions", "rows", 253), "no label map"),
        (changed("contacts", "under", 253), "no label map"),
        (changed("contacts", "border", 253), "no label map"),
        (changed("contacts", "region", 60_000, -1), "no label map"),
        (changed("contacts", "class_id", 255), "no label map"),
    ],
)
def test_nonsense_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_scenes([regions(blobs(2)).to_bytes(), data])
