from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.archive.store import Store
from dsslic_search.core import files
from dsslic_search.core.errors import ArchiveError

A, B = "a" * 64, "0b" * 32


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "objects")


def test_what_is_written_is_read(store: Store) -> None:
    store.write(A, b"first")
    store.write(B, b"other")
    store.write(A, b"second")
    assert store.read(A) == b"second"
    assert store.path_of(A) == store.root / "aa" / f"{A}.dsslic"
    assert store.size_of(A) == 6
    assert list(store.hashes()) == [B, A]
    store.set_aside(A)
    store.set_aside(A)
    assert store.path_of(A).with_name(A + ".dsslic.damaged").exists()
    assert store.size_of(A) is None
    assert list(store.hashes()) == [B]


def test_a_file_is_deleted_for_good_and_its_bytes_are_told(store: Store) -> None:
    store.write(A, b"first")
    store.write(B, b"other one")
    assert store.remove(A) == 5
    assert not store.path_of(A).exists()
    assert store.remove(A) == 0
    assert Store(store.root / "none").remove(A) == 0
    assert list(store.hashes()) == [B]
    assert not list(store.leftovers())


def test_an_empty_store(store: Store) -> None:
    assert list(store.hashes()) == []
    assert store.remove_leftovers() == 0
    with pytest.raises(ArchiveError, match=r"cannot be read \(No such file.*Archive.check"):
        store.read_prefix(A, 3)


@pytest.mark.parametrize("bad", ["", "a" * 63, "A" * 64, "../" + "a" * 61, "g" * 64, "a" * 64 + "\n"])
def test_only_hashes_are_names(store: Store, bad: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        store.path_of(bad)


@given(data=st.binary(max_size=50), n=st.integers(0, 60), start=st.integers(0, 60))
def test_prefix_is_a_slice(tmp_path_factory: pytest.TempPathFactory, data: bytes, n: int, start: int) -> None:
    store = Store(tmp_path_factory.getbasetemp() / "slices")
    store.write(A, data)
    assert store.read_prefix(A, n) == data[:n]
    assert store.read_prefix(A, n, start=start) == data[start:n]


def test_no_byte_is_read_that_was_not_asked_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write(A, bytes(100_000))
    asked: list[int] = []
    real = os.pread

    def slow(number: int, n: int, start: int) -> bytes:
        part = real(number, min(n, 7), start)  # a slow disk gives less than asked
        asked.append(len(part))
        return part

    monkeypatch.setattr(os, "pread", slow)
    assert len(store.read_prefix(A, 30, start=10)) == 20
    assert sum(asked) == 20


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file(
    store: Store, monkeypatch: pytest.MonkeyPatch, failing: str, error: BaseException
) -> None:
    store.write(A, b"old")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(*((os, "fsync", fail) if failing == "fsync" else (Path, "replace", fail)))
    with pytest.raises(ArchiveError if isinstance(error, OSError) else KeyboardInterrupt) as caught:
        store.write(A, b"new")
    monkeypatch.undo()
    if isinstance(error, OSError):
        assert "free some space" in str(caught.value)
    assert store.read(A) == b"old"
    assert not list(store.leftovers())


def test_leftovers_are_found_and_removed_and_nothing_else(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(A, b"kept")
    with monkeypatch.context() as m:  # die between writing and renaming, without any clean-up
        m.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        m.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            store.write(B, b"half")
    assert list(store.hashes()) == [A]
    assert [p.parent.name for p in store.leftovers()] == ["0b"]
    assert store.remove_leftovers() == 1
    assert list(store.leftovers()) == []
    assert store.read(A) == b"kept"


def test_write_atomically_flushes_file_before_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace
    monkeypatch.setattr(files.os, "fsync", lambda fd: (steps.append("sync"), real_sync(fd))[1])
    monkeypatch.setattr(Path, "replace", lambda p, q: (steps.append("rename"), real_replace(p, q))[1])
    files.write_atomically(tmp_path / "x", b"data")
    assert steps == ["sync", "rename", "sync"]
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_new_folders_are_flushed_before_a_file_is_written_in_them(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder's name is durable when the folder that holds it is flushed: without that, the file is lost
    with it when the power fails, though its row stays."""
    steps: list[object] = []
    monkeypatch.setattr(files, "sync_folder", steps.append)
    monkeypatch.setattr(files, "write_atomically", lambda path, _data: steps.append(path))
    store.write(A, b"first")
    assert steps == [store.root, store.root.parent, store.path_of(A)]
    steps.clear()
    store.write(A, b"second")
    assert steps == [store.path_of(A)]
    store.write(B, b"other")
    assert store.root in steps[: steps.index(store.path_of(B))]
