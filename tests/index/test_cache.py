import errno
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsslic_search.core.errors import ArchiveError
from dsslic_search.index import blocks, cache
from dsslic_search.index.blocks import BLOCK, Damaged
from dsslic_search.index.cache import load, load_whole, save
from dsslic_search.index.packing import BLOCK_VALUES
from dsslic_search.index.room import Room

ARRAYS = {
    "ids": np.arange(5, dtype=np.int64),
    "none": np.empty((0, 7), np.uint16),
    "grid": np.arange(12, dtype=np.float32).reshape(3, 4),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "made" / "some.index"
    save(path, "kind", "key", ARRAYS)
    return path


def test_what_was_saved_is_loaded(path: Path) -> None:
    arrays = load(path, "kind", "key")
    assert arrays is not None
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        assert np.array_equal(arrays[name], array)
        assert not arrays[name].flags.writeable
    assert [p.name for p in path.parent.iterdir()] == ["some.index"]


@pytest.mark.parametrize(("kind", "key"), [("other", "key"), ("kind", "other")])
def test_another_kind_or_key_is_not_there(path: Path, kind: str, key: str) -> None:
    assert load(path, kind, key) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_changed_byte_is_noticed(path: Path, place: int, flip: int) -> None:
    sound = path.read_bytes()
    damaged = bytearray(sound)
    damaged[place % len(sound)] ^= flip
    other = path.with_name("damaged")
    other.unlink(missing_ok=True)
    other.write_bytes(damaged)
    assert load_whole(other, "kind", "key") is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30)
@given(length=st.integers(0, 10_000))
def test_a_shorter_or_longer_file_is_noticed(path: Path, length: int) -> None:
    sound = path.read_bytes()
    other = path.with_name("damaged")
    other.write_bytes(sound[: length % len(sound)])
    assert load(other, "kind", "key") is None
    other.write_bytes(sound + b"\0")
    assert load(other, "kind", "key") is None


def test_no_file_and_a_folder_are_not_there(tmp_path: Path) -> None:
    assert load(tmp_path / "nothing", "kind", "key") is None
    assert load(tmp_path, "kind", "key") is None


def test_permissions_are_those_that_the_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save(tmp_path / "some.index", "kind", "key", ARRAYS)
    finally:
        os.umask(before)
    assert (tmp_path / "some.index").stat().st_mode & 0o777 == 0o640


def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        save(path, "kind", "key", ARRAYS)
    assert [p.name for p in path.parent.iterdir()] == ["some.index"]
    assert load(path, "kind", "key") is not None


def test_only_what_is_asked_for_is_read_and_damage_elsewhere_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "some.index"
    grid = np.random.default_rng(1).integers(0, 2**32, (3, BLOCK)).astype(np.uint32)
    save(path, "kind", "key", {"grid": grid, "line": grid[0]})
    damaged = bytearray(path.read_bytes())
    place = damaged.index(grid[1, 7 : BLOCK // 2].tobytes())  # in the middle row
    damaged[place] ^= 1
    path.unlink()
    path.write_bytes(damaged)
    arrays = load(path, "kind", "key")
    assert arrays is not None
    assert np.array_equal(arrays.row("grid", 0), grid[0])
    assert np.array_equal(arrays.part("grid", BLOCK // 2, BLOCK), grid[:, BLOCK // 2 :])
    assert np.array_equal(arrays.part("line", 0, 9), grid[0, :9])
    for wrong in (
        lambda: arrays["grid"],
        lambda: arrays.row("grid", 1),
        lambda: arrays.part("grid", 0, 10),
    ):
        with pytest.raises(Damaged):
            wrong()
    assert load(path, "kind", "key") is None  # from now on


@given(shapes=st.lists(st.integers(0, 3 * BLOCK), min_size=1, max_size=4), place=st.integers(0))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
def test_blocks_end_anywhere(tmp_path: Path, shapes: list[int], place: int) -> None:
    path = tmp_path / "some.index"
    made = {f"{number}": np.arange(size, dtype=np.uint8) for number, size in enumerate(shapes)}
    save(path, "kind", "key", made)
    arrays = load_whole(path, "kind", "key")
    assert arrays is not None
    assert all(np.array_equal(arrays[name], array) for name, array in made.items())
    changed = bytearray(path.read_bytes())
    changed[place % len(changed)] ^= 16
    path.unlink()
    path.write_bytes(changed)
    assert load_whole(path, "kind", "key") is None


@pytest.mark.parametrize("way", ["whole", "part", "parts", "row"])
def test_of_a_packed_array_no_more_is_read_than_is_asked_for(tmp_path: Path, way: str) -> None:
    path = tmp_path / "some.index"
    grid = np.random.default_rng(1).integers(0, 2**20, (4, BLOCK_VALUES)).astype(np.uint32)
    save(path, "kind", "key", {"ids": np.arange(9), "grid": grid, "none": np.empty((2, 0))})
    assert path.stat().st_size < 0.7 * grid.nbytes
    sound = load_whole(path, "kind", "key")
    assert sound is not None
    assert list(sound) == ["ids", "none", "grid"]
    assert np.array_equal(sound["grid"], grid)
    assert not sound["grid"].flags.writeable
    assert 0.6 * grid.nbytes < sound.nbytes < 0.7 * grid.nbytes
    damaged = bytearray(path.read_bytes())
    damaged[-40_000] ^= 8  # in the last row
    path.unlink()
    path.write_bytes(damaged)
    assert load_whole(path, "kind", "key") is None
    path.unlink()
    path.write_bytes(damaged)  # another file, which is not known to be damaged yet
    arrays = load(path, "kind", "key")
    assert arrays is not None
    assert np.array_equal(arrays.row("grid", 1), grid[1])
    few = arrays.parts("ids", [(1, 3), (5, 5)])
    assert few[1:3].tolist() == [1, 2]
    with pytest.raises(Damaged):
        {
            "whole": lambda: arrays["grid"],
            "part": lambda: arrays.part("grid", 0, 10),
            "parts": lambda: arrays.parts("grid", [(0, 0), (7, 9)]),
            "row": lambda: arrays.row("grid", 3),
        }[way]()
    assert load(path, "kind", "key") is None


def test_what_is_unpacked_is_kept_only_while_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "some.index"
    made = {name: np.arange(number, number + 100_000) for number, name in enumerate("abc")}
    save(path, "kind", "key", made)
    arrays = load(path, "kind", "key")
    assert arrays is not None
    room = Room(2 * made["a"].nbytes)
    monkeypatch.setattr(blocks, "ROOM", room)
    kept = arrays["a"]
    assert arrays["a"] is kept
    for name, array in made.items():
        assert np.array_equal(arrays[name], array)
        assert room.taken <= room.nbytes
    assert arrays["a"] is not kept
    assert np.array_equal(kept, made["a"])


def test_too_many_open_files_are_no_damage(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else every index would be made anew, again and again."""

    def full(_descriptor: int, _size: int) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(cache, "mapped", full)
    with pytest.raises(ArchiveError, match="ulimit"):
        load(path, "kind", "key")
