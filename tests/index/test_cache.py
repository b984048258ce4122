from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsslic_search.index.cache import load, save

ARRAYS = {
    "ids": np.arange(5, dtype=np.int64),
    "none": np.empty((0, 7), np.uint16),
    "grid": np.arange(12, dtype=np.float32).reshape(3, 4),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "made" / "some.index"
    save(path, "kind", "key", 3, ARRAYS)
    return path


def test_what_was_saved_is_loaded(path: Path) -> None:
    arrays = load(path, "kind", "key", 3)
    assert arrays is not None
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        assert np.array_equal(arrays[name], array)
        assert not arrays[name].flags.writeable
    assert [p.name for p in path.parent.iterdir()] == ["some.index"]


@pytest.mark.parametrize(("kind", "key", "generation"), [("other", "key", 3), ("kind", "other", 3), ("kind", "key", 4), ("kind", "key", 2)])
def test_another_kind_key_or_generation_is_not_there(path: Path, kind: str, key: str, generation: int) -> None:
    assert load(path, kind, key, generation) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_changed_byte_is_noticed(path: Path, place: int, flip: int) -> None:
    sound = path.read_bytes()
    damaged = bytearray(sound)
    damaged[place % len(sound)] ^= flip
    other = path.with_name("damaged")
    other.write_bytes(damaged)
    assert load(other, "kind", "key", 3) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=30)
@given(length=st.integers(0, 10_000))
def test_a_shorter_or_longer_file_is_noticed(path: Path, length: int) -> None:
    sound = path.read_bytes()
    other = path.with_name("damaged")
    other.write_bytes(sound[: length % len(sound)])
    assert load(other, "kind", "key", 3) is None
    other.write_bytes(sound + b"\0")
    assert load(other, "kind", "key", 3) is None


def test_no_file_and_a_folder_are_not_there(tmp_path: Path) -> None:
    assert load(tmp_path / "nothing", "kind", "key", 3) is None
    assert load(tmp_path, "kind", "key", 3) is None


def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        save(path, "kind", "key", 4, ARRAYS)
    assert [p.name for p in path.parent.iterdir()] == ["some.index"]
    assert load(path, "kind", "key", 3) is not None
