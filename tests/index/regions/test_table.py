from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.archive import snapshot
from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.vocabulary import Group, default
from dsslic_search.features.region_numbers import UNITS
from dsslic_search.features.regions import regions
from dsslic_search.features.scene import SceneRegions
from dsslic_search.index import blocks, cache, packing
from dsslic_search.index.columns import open_columns
from dsslic_search.index.regions import table
from dsslic_search.index.regions.build import AXES, SIDES
from dsslic_search.index.regions.groups import Groups, placed
from dsslic_search.index.regions.relate import Anywhere, Between, InZone, Related
from dsslic_search.index.regions.table import KIND, Regions, open_regions
from dsslic_search.index.room import Room
from tests import oracle
from tests.segments import asked, file_of, ids_in, stored_regions, whole

TOUCHED = (0, 3, 4)
V = replace(default(), groups=(*default().groups, Group("three", TOUCHED, ())))


def label_map(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(0, 5, (4, 5)), np.ones((2, 3), int)).astype(np.uint8)


@pytest.fixture
def filled(catalog: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of photos 1 to 40, the later the newer, read in several lists."""
    monkeypatch.setattr(snapshot, "WIDE_CHUNK", 7)

    def fill() -> None:
        with catalog.at_once():
            for photo_id in range(1, 41):
                taken = datetime(2020, 1, 1) + timedelta(days=photo_id)
                catalog.put(photo_id, {0: 1.0}, taken, regions=stored_regions(label_map(photo_id), V))

    catalog.holds("regions of 40 photos", fill)
    return catalog


def test_rows_are_those_of_the_columns(filled: Any, tmp_path: Path) -> None:
    index = open_regions(whole(filled, tmp_path, V))
    assert (
        index.ids.tolist() == list(range(40, 0, -1)) == open_columns(whole(filled, tmp_path, V)).ids.tolist()
    )
    assert len(index) == 40


@pytest.mark.parametrize("relation", ["left of", "below", "in", "next to"])
def test_answers_from_a_catalog(filled: Any, tmp_path: Path, relation: str) -> None:
    index = open_regions(whole(filled, tmp_path, V))
    found = index.passing((1, 2), Related(relation, TOUCHED))
    passing = {
        i: oracle.related(oracle.regions_of(label_map(i)), (1, 2), relation, TOUCHED) for i in range(1, 41)
    }
    assert found.counts is not None
    rows = np.flatnonzero(found.counts)
    counts = dict(zip(index.ids[rows].tolist(), found.counts[rows].tolist(), strict=True))
    assert counts == {i: len(degrees) for i, degrees in passing.items() if degrees}
    assert counts


def test_the_file_is_used_until_the_catalog_changes(filled: Any, tmp_path: Path) -> None:
    before = open_regions(whole(filled, tmp_path, V))
    filled.statements = 0
    again = open_regions(whole(filled, tmp_path, V))
    assert filled.statements <= 2  # what the state is
    assert again.arrays.keys() == before.arrays.keys()
    assert all(np.array_equal(again.arrays[name], before.arrays[name]) for name in before.arrays)
    assert not again.arrays["left"].flags.writeable
    filled.put(1000, {}, regions=regions(label_map(1000)).to_bytes())
    assert 1000 in ids_in(filled, tmp_path)


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "empty"])
def test_a_damaged_file_is_built_anew(filled: Any, tmp_path: Path, damage: str) -> None:
    before = open_regions(whole(filled, tmp_path, V))
    path = file_of(tmp_path, KIND)
    expected = before.arrays["left"].tolist()
    sound = path.read_bytes()
    changed = bytearray(sound)
    changed[len(changed) * 2 // 3] ^= 4
    path.unlink()
    if damage != "remove":
        path.write_bytes({"flip": bytes(changed), "cut": sound[:-1], "empty": b""}[damage])
    again = asked(filled, tmp_path, lambda segment: open_regions(segment).arrays["left"].tolist(), V)
    assert again == expected
    assert path.read_bytes() == sound


def test_a_folder_that_cannot_be_written_is_no_obstacle(filled: Any, tmp_path: Path) -> None:
    (tmp_path / "index").write_text("a file where the folder should be")
    index = open_regions(whole(filled, tmp_path / "index", V))
    assert index.passing((1,), Anywhere()).best.any()


def test_an_archive_without_photos(catalog: Any, tmp_path: Path) -> None:
    for _ in range(2):
        index = open_regions(whole(catalog, tmp_path, V))
        assert len(index) == 0
        for test in (
            Anywhere(),
            InZone("left"),
            Related("on", (1,)),
            Related("above", (1, 2)),
            Related("in", TOUCHED),
        ):
            found = index.passing((1,), test)
            assert found.counts is not None
            assert (found.best.size, found.counts.size) == (0, 0)


def test_photos_without_regions(catalog: Any, tmp_path: Path) -> None:
    noise = (np.arange(60 * 60) * 7 % 251).reshape(60, 60).astype(np.uint8) % 50
    catalog.put(1, {}, regions=regions(label_map(1)).to_bytes())
    catalog.put(2, {}, regions=b"\1\0\0")
    catalog.put(3, {}, regions=regions(noise).to_bytes())
    index = open_regions(whole(catalog, tmp_path, V))
    assert index.ids.tolist() == [1, 2, 3]
    assert not index.passing((0,), Anywhere()).best[1]


def test_a_catalog_that_knows_no_regions_yet(filled: Any, tmp_path: Path) -> None:
    filled.put(77, {0: 1.0})
    with pytest.raises(ArchiveError, match=r"regions of photo 77.*Archive.reindex"):
        open_regions(whole(filled, tmp_path, V))
    assert not list(tmp_path.glob(f"*.{KIND}"))


@pytest.mark.parametrize("stored", [b"", b"nonsense", regions(label_map(0)).to_bytes()[:-1]])
def test_nonsense_is_damage(filled: Any, tmp_path: Path, stored: bytes) -> None:
    filled.put(77, {0: 1.0}, regions=stored)
    with pytest.raises(ArchiveError, match=r"damaged.*Archive.reindex"):
        open_regions(whole(filled, tmp_path, V))


@pytest.mark.parametrize("part", ["regions", "contacts"])
def test_a_class_that_is_not_in_the_vocabulary_is_damage(filled: Any, tmp_path: Path, part: str) -> None:
    scene = regions(label_map(0))
    arrays = {"regions": scene.regions.copy(), "contacts": scene.contacts.copy()}
    arrays[part]["class_id"][-1] = len(V) + (len(V.groups) if part == "contacts" else 0)
    filled.put(77, {0: 1.0}, regions=SceneRegions(**arrays).to_bytes())
    with pytest.raises(ArchiveError, match="not in the vocabulary"):
        open_regions(whole(filled, tmp_path, V))


@pytest.mark.parametrize("classes", [(1,), (0, 3), (4, 7, 40)])
def test_groups_are_the_regions_of_a_class_in_a_photo(
    filled: Any, tmp_path: Path, classes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """None where a photo has none."""
    monkeypatch.setattr("dsslic_search.index.regions.groups.PHOTOS_AT_ONCE", 2)
    filled.put(41, {}, regions=regions(np.full((4, 4), 40, np.uint8)).to_bytes())
    index = open_regions(whole(filled, tmp_path, V))
    photos = np.array([0, 1, 5, 39, 40], np.uint32)
    starts = index.arrays["starts"]
    for class_id in classes:
        rows, sizes = index.rows((class_id,)), index._of_groups("sizes", class_id)
        own = Groups(rows, sizes, int(starts[class_id]))
        parts = list(placed([own, own], photos))
        assert [part.photos.size for part in parts] == [2, 2, 1]
        firsts = np.concatenate([part.firsts[:, :-1] for part in parts], axis=1)
        found = np.concatenate([part.sizes[:, :-1] for part in parts], axis=1)
        expected = []
        for photo_id in index.ids[photos].tolist():
            scene = label_map(photo_id) if photo_id != 41 else np.full((4, 4), 40, np.uint8)
            expected.append(sum(region.class_id == class_id for region in oracle.regions_of(scene)))
        assert found.tolist() == [expected] * 2
        before = [int(starts[class_id]) + int(sizes[rows < row].sum()) for row in photos]
        there = [first for first, size in zip(before, expected, strict=True) if size]
        assert [own[sizes > 0].tolist() for own, sizes in zip(firsts, found, strict=True)] == [there] * 2
        areas = {
            row: max(
                r.area for r in oracle.regions_of(label_map(int(index.ids[row]))) if r.class_id == class_id
            )
            for row in rows.tolist()
            if index.ids[row] != 41
        }
        kept = dict(zip(rows.tolist(), index._of_groups("areas", class_id).tolist(), strict=True))
        assert {row: area for row, area in kept.items() if index.ids[row] != 41} == areas


def test_bytes_a_photo(filled: Any, tmp_path: Path) -> None:
    """Before they are packed: six a contact of half a region or more, 16 a region, 8 for each class of a
    photo, 4 a photo, 16 for each class of the vocabulary, and 8 for each two of which one may touch the
    other."""
    index = open_regions(whole(filled, tmp_path, V))
    scenes = [regions(label_map(i), V.classes_of_groups) for i in range(1, 41)]
    groups = sum(np.unique(scene.regions["class_id"]).size for scene in scenes)
    things, contacts = len(V) + len(V.groups), index.arrays["toucher"].size
    assert contacts < 0.7 * sum(scene.contacts.size for scene in scenes)
    expected = sum(16 * scene.regions.size for scene in scenes) + 8 * groups + 6 * contacts
    beside = 16 * (len(V) + 1) + 8 * (len(V) * things + 1) + 16 + 4 * 40
    assert index.arrays.nbytes == expected + beside


def boxes(index: Regions, class_id: int) -> list[tuple[int, list[int]]]:
    """Row, left, top, right, bottom and centroid of each region of a class, as its arrays tell."""
    (start, stop), found = index.arrays["starts"][class_id : class_id + 2].tolist(), []
    rows = np.repeat(index.rows((class_id,)), index._of_groups("sizes", class_id)).tolist()
    for row, region in zip(rows, range(start, stop), strict=True):
        box: dict[str, int] = {}
        for axis, (low, centre, high) in AXES.items():
            side = int(index.arrays[SIDES[axis]][row])
            box[low] = int(index.arrays[low][region]) * UNITS // side
            box[high] = (side - int(index.arrays[high][region])) * UNITS // side
            box[centre] = (box[low] + box[high]) // 2 + int(index.arrays[centre][region])
        found.append((row, [box[name] for name in BOX]))
    return found


BOX = ("left", "top", "right", "bottom", "x", "y")


def test_a_photo_whose_edges_are_on_no_grid_keeps_them(catalog: Any, tmp_path: Path) -> None:
    wide = regions(np.tile(np.array([[0, 1, 1]], np.uint8), (2, 100))[:, :283])
    catalog.put(1, {}, regions=wide.to_bytes())
    catalog.put(2, {}, regions=regions(label_map(2)).to_bytes())
    index = open_regions(whole(catalog, tmp_path, V))
    assert sorted(index.arrays["width"].tolist()) == [5, 60_000]
    (row,) = np.flatnonzero(index.ids == 1)
    own = wide.regions[wide.regions["class_id"] == 1]
    found = [box for photo, box in boxes(index, 1) if photo == row]
    assert found == [[int(region[name]) for name in BOX] for region in own]


def test_boxes_and_centroids_are_those_of_the_scene(filled: Any, tmp_path: Path) -> None:
    """As the catalog has them."""
    index = open_regions(whole(filled, tmp_path, V))
    for class_id in (1, 3):
        found = boxes(index, class_id)
        for row in index.rows((class_id,)).tolist():
            scene = regions(label_map(int(index.ids[row]))).regions
            own = scene[scene["class_id"] == class_id]
            expected = [[int(region[name]) for name in BOX] for region in own]
            assert [box for photo, box in found if photo == row] == expected


def test_contacts_of_half_and_of_groups_are_those_of_the_scene(filled: Any, tmp_path: Path) -> None:
    """A group's are its own where the scene tells them, else the sums of its classes'."""
    index = open_regions(whole(filled, tmp_path, V))
    for relation in ("on", "in", "surrounded by"):
        for classes in ((2,), TOUCHED):
            found = index.passing((1,), Related(relation, classes), count=True)
            for row in range(40):
                there = oracle.regions_of(label_map(int(index.ids[row])))
                degrees = oracle.related(there, (1,), relation, classes)
                assert found.counts is not None
                assert int(found.counts[row]) == len(degrees)


def test_what_is_made_of_a_class_is_made_again_when_there_was_no_room(
    filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = open_regions(whole(filled, tmp_path, V))
    asked_ = [
        ((1,), Related("left of", (2,))),
        ((2, 3), InZone("left")),
        ((3,), Related("on", TOUCHED)),
        ((1,), Between((2,), (3,))),
    ]
    found = [index.passing(*each, count=count).best.tolist() for each in asked_ for count in (True, False)]
    narrow = Room(1)
    monkeypatch.setattr(table, "ROOM", narrow)
    monkeypatch.setattr(blocks, "ROOM", narrow)
    again = [index.passing(*each, count=count).best.tolist() for each in asked_ for count in (True, False)]
    assert again == found
    assert any(map(any, found))


def test_what_is_unpacked_ahead_is_there_when_it_is_asked_for(
    filled: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "PACKED_FROM", 1)
    monkeypatch.setattr(packing, "WORTH_ONE_IN", 1 << 20)
    index = open_regions(whole(filled, tmp_path, V))
    asked_: list[tuple[str, int]] = []
    plain = cache.Arrays.parts

    def parts(self: cache.Arrays, name: str, bounds: Any) -> Any:
        asked_.extend((name, start) for start, _ in bounds)
        return plain(self, name, bounds)

    monkeypatch.setattr(cache.Arrays, "parts", parts)
    index.unpack_ahead(0)
    starts = index.arrays["starts"]
    first = int(np.argmax(np.diff(starts)))
    assert ("left", int(starts[first])) in asked_
    assert len({start for name, start in asked_ if name == "left"}) == 1
    index.unpack_ahead(1 << 30)
    there = {start for name, start in asked_ if name == "columns half"}
    assert there == set(starts[:-1].tolist())
