"""Packed regions against a slow reader that follows the table of the module bit by bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsslic_search.core.errors import FormatError
from dsslic_search.features import packed_loops
from dsslic_search.features.packed_scene import MAX_SIDE, PACKED, Packing, read_fields, read_packed
from dsslic_search.features.region_numbers import CONTACT, REGION, SHARES, UNITS, Scenes
from dsslic_search.features.regions import regions
from dsslic_search.features.scene import PLAIN, SceneRegions, packed, plain, read_scenes

GROUPS = {100: (0, 1), 101: (1, 2), 200: (0, 1, 2), 255: (2,)}
MAPS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24), elements=st.integers(0, 4))


class Slow:
    """The numbers of one photo, one after another."""

    def __init__(self, data: bytes) -> None:
        assert data[0] == PACKED
        self.bits = int.from_bytes(data[1:], "little")
        self.left = 8 * len(data) - 8

    def take(self, bits: int) -> int:
        assert bits <= self.left
        value = self.bits & ((1 << bits) - 1)
        self.bits >>= bits
        self.left -= bits
        return value

    def take_all(self, widths: Sequence[int]) -> list[int]:
        return [self.take(bits) for bits in widths]


def slowly(data: bytes) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """Regions and contacts as lists of numbers."""
    reader = Slow(data)
    count, things, width, height = (reader.take(bits) for bits in (10, 8, 8, 8))
    thing = reader.take_all([8] * things)
    classes = [thing[i] for i in reader.take_all([max(things - 1, 0).bit_length()] * count)]
    boxes = []
    for side in (width, height):
        wide = [side.bit_length()] * count  # of one less than there are cells
        begin = reader.take_all(wide)
        end = [b + n + 1 for b, n in zip(begin, reader.take_all(wide), strict=True)]
        boxes.append(
            [(b * UNITS // (side + 1), e * UNITS // (side + 1)) for b, e in zip(begin, end, strict=True)]
        )
    across, down = boxes
    most = [
        (right - left + 1) * (b - t + 1) // UNITS for (left, right), (t, b) in zip(across, down, strict=True)
    ]
    area = reader.take_all([each.bit_length() for each in most])
    x = [left + reader.take((right - left).bit_length()) for left, right in across]
    y = [t + reader.take((b - t).bit_length()) for t, b in down]
    lines = []
    for box in (across, down):

        def crossing(*at: int, box: list[tuple[int, int]] = box) -> list[int]:
            return [i for i, (low, high) in enumerate(box) if any(low < UNITS * k // 12 < high for k in at)]

        def beyond(
            k: int, share: dict[int, int], before: bool, box: list[tuple[int, int]] = box
        ) -> list[int]:
            line = UNITS * k // 12
            return [
                share.get(i, SHARES * (high <= line if before else low >= line))
                for i, (low, high) in enumerate(box)
            ]

        shares = {i: reader.take(8) for i in crossing(6)}
        lacking = {i: reader.take(1) for i in crossing(6)}
        half = beyond(6, shares, True)
        first = beyond(4, {i: reader.take(8) for i in crossing(4)}, True)
        last = beyond(8, {i: reader.take(8) for i in crossing(8)}, False)
        lost = {i: reader.take(2) for i in crossing(4, 8)}
        centre = {i: reader.take(8) for i in crossing(3, 9)}
        lines.append(
            [
                [h, SHARES - h - lacking.get(i, 0), f, SHARES - f - e - lost.get(i, 0), e]
                + [centre.get(i, SHARES * (4 * low >= UNITS and 4 * high <= 3 * UNITS))]
                for i, (h, f, e, (low, high)) in enumerate(zip(half, first, last, box, strict=True))
            ]
        )
    touched = [(i, thing[k]) for i in range(count) for k in range(things) if reader.take(1)]
    stands = [reader.take(1) for _ in touched]
    under = [reader.take(8) if each else 0 for each in stands]
    border = reader.take_all([8] * len(touched))
    assert reader.left < 8
    assert not reader.bits
    return (
        [
            (c, a, left, t, right, b, cx, cy, lines[0][i], lines[1][i])
            for i, (c, a, (left, right), (t, b), cx, cy) in enumerate(
                zip(classes, area, across, down, x, y, strict=True)
            )
        ],
        [(i, c, u, o) for (i, c), u, o in zip(touched, under, border, strict=True)],
    )


def listed(scene: SceneRegions) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    return (
        [(*row[:8], *(list(lines) for lines in row[8:])) for row in scene.regions.tolist()],
        scene.contacts.tolist(),
    )


@given(st.lists(MAPS, min_size=1, max_size=4))
def test_every_number_stands_where_it_is_said(label_maps: list[np.ndarray]) -> None:
    made = [regions(label_map, GROUPS) for label_map in label_maps]
    stored = packed([scene.plain() for scene in made])
    for scene, data in zip(made, stored, strict=True):
        assert slowly(data) == listed(scene)
        assert len(data) <= len(scene.plain()) + 3
    assert plain(stored) == [scene.plain() for scene in made]


def noise(seed: int, height: int, width: int) -> np.ndarray:
    """A map of blobs of many sizes."""
    rng = np.random.default_rng(seed)
    label_map = np.zeros((height, width), np.uint8)
    for _ in range(40):
        top, left = rng.integers(height), rng.integers(width)
        down, across = 1 + rng.integers(-(-height // 2)), 1 + rng.integers(-(-width // 2))
        label_map[top : top + down, left : left + across] = rng.integers(40)
    return label_map


@pytest.mark.parametrize(
    ("height", "width"), [(256, 171), (171, 256), (256, 256), (1, 256), (97, 1), (144, 192)]
)
def test_maps_of_any_size_up_to_the_greatest_are_packed(height: int, width: int) -> None:
    made = [regions(noise(seed, height, width), GROUPS) for seed in range(5)]
    stored = packed([scene.plain() for scene in made])
    assert {data[0] for data in stored} == {PACKED}
    assert [slowly(data) for data in stored] == [listed(scene) for scene in made]
    if min(height, width) > 1:
        assert sum(map(len, stored)) < 0.6 * sum(len(scene.plain()) for scene in made)


def test_what_cannot_be_packed_stays_plain_among_others() -> None:
    large = regions(noise(1, 90, MAX_SIDE + 3), GROUPS).plain()
    small = regions(noise(2, 90, 80), GROUPS).plain()
    odd = bytearray(small)
    odd[3 + 15] ^= 1  # a share that does not follow
    older = b"\1" + SceneRegions.none().plain()[1:]
    stored = [small, large, older, bytes(odd), small]
    made = packed(stored)
    assert [data[0] for data in made] == [PACKED, PLAIN, 1, PLAIN, PACKED]
    assert plain(made) == stored
    assert packed(made) == made
    whole, alone = read_scenes([large, older, small]), read_scenes([large, older, made[0]])
    assert all(np.array_equal(one, other) for one, other in zip(whole, alone, strict=True))
    assert Packing(whole).fits().tolist() == [False, True, True]


@pytest.mark.parametrize(
    "damaged", [b"", b"\2", b"\2\1", b"\2\1\0" + bytes(5), b"\2\1\0" + b"\xff" * REGION.itemsize]
)
def test_nonsense_stays_as_it_is(damaged: bytes) -> None:
    small = regions(noise(2, 90, 80), GROUPS).plain()
    assert packed([small, damaged, small])[1] == damaged
    assert packed([small, damaged, small])[0][0] == PACKED


@given(st.binary(max_size=60), st.integers(0, 400))
def test_any_bytes_are_read_or_refused(data: bytes, bit: int) -> None:
    """Never with another error, and never much memory."""
    sound = bytearray(packed([regions(noise(3, 60, 70), GROUPS).plain()])[0])
    sound[1 + bit // 8 % (len(sound) - 1)] ^= 1 << bit % 8
    for stored in (bytes([PACKED]) + data, bytes(sound)):
        try:
            found = read_packed([stored])
        except FormatError:
            continue
        assert found.regions.dtype == REGION
        assert found.contacts.dtype == CONTACT
        assert found.regions.size == found.counts.sum() <= 8 * len(stored)


def by_field(scenes: Scenes) -> list[list[int]]:
    regions, contacts, counts, touching = scenes
    wide = [regions[name].tolist() for name in ("area", "left", "top", "right", "bottom", "x", "y")]
    shares = [*regions["columns"].T.tolist(), *regions["rows"].T.tolist()]
    region = np.repeat(np.cumsum(counts) - counts, touching) + contacts["region"]
    touched = [contacts[name].tolist() for name in ("class_id", "under", "border")]
    return [*wide, regions["class_id"].tolist(), *shares, counts.tolist(), region.tolist(), *touched]


@given(st.binary(max_size=60), st.lists(st.integers(0, 4000), max_size=3), st.integers(-1, 1))
def test_the_loop_takes_what_whole_arrays_take_and_reads_the_same(
    data: bytes, flipped: list[int], longer: int
) -> None:
    photos = packed([regions(noise(seed, 30, 20 + seed), GROUPS).plain() for seed in range(3)])
    damaged = bytearray(photos[1])
    for bit in flipped:
        damaged[bit // 8 % len(damaged)] ^= 1 << bit % 8
    photos[1] = bytes(damaged[: len(damaged) + min(longer, 0)]) + bytes(max(longer, 0))
    for stored in (photos, [bytes([PACKED]) + data]):
        found = read_fields(stored, packed_loops.read)
        try:
            scenes = read_scenes(stored)
        except FormatError:
            assert found is None
            continue
        if any(photo[0] != PACKED for photo in stored):
            assert found is None
            continue
        assert found is not None
        region = np.repeat(np.arange(found.touching.size), found.touching).tolist()
        fields = [*found.wide.tolist(), *found.small.tolist(), found.counts.tolist(), region]
        assert [*fields, *found.contacts.tolist()] == by_field(scenes)
