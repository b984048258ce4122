"""Catalogs on disks that cannot be written: full and read-only ones that are really there, where root may
mount them. Every call that can fail: `tests.reliability.troubles`."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from dsslic_search.api import Archive
from dsslic_search.archive import unwritable
from dsslic_search.core.errors import ArchiveError

QUESTION = "sky or no sky, sort: path"


def mounted(where: Path, *command: str) -> None:
    """Mount a file system, or skip the test where this process may not."""
    where.mkdir(exist_ok=True)
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount file systems, on Linux")
    done = subprocess.run(["mount", *command, str(where)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"this machine does not let root mount file systems: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Of four megabytes."""
    where = tmp_path / "disk"
    mounted(where, "-t", "tmpfs", "-o", "size=4m", "tmpfs")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def filled(disk: Path) -> None:
    """Take all the space that is left."""
    with suppress(OSError), (disk / "filling").open("wb", buffering=0) as f:
        while f.write(bytes(4096)) == 4096:
            pass


def paths(root: Path) -> list[str]:
    with Archive(root) as archive:
        return [hit.path for hit in archive.query(QUESTION).hits]


def killed_with_a_log(archive: Path) -> None:
    """As a process leaves it that was killed: its last change is in the log alone."""
    log, kept = archive / "catalog.sqlite-wal", archive.parent / "kept"
    with Archive(archive) as opened:
        opened.tag("late", [1])
        shutil.copyfile(log, kept)
        shutil.copyfile(archive / "catalog.sqlite", archive.parent / "catalog")
    shutil.move(archive.parent / "catalog", archive / "catalog.sqlite")
    shutil.move(kept, log)


@pytest.mark.parametrize("log_waits", [False, True])
@pytest.mark.parametrize("indexes", [False, True])
def test_questions_are_answered_on_a_full_disk(
    world: Any, disk: Path, log_waits: bool, indexes: bool
) -> None:
    for i in range(3):
        world.photo(f"{i}.jpg")
    world.ingest()
    wanted = paths(world.archive.root)
    root = disk / "archive"
    shutil.copytree(world.archive.root, root)
    if not indexes:
        shutil.rmtree(root / "index")
    if log_waits:
        killed_with_a_log(root)
    filled(disk)
    assert paths(root) == wanted
    with Archive(root) as archive:
        assert archive.tags() == ({"late": 1} if log_waits else {})
        with pytest.raises(ArchiveError, match="free"):
            archive.tag("never", [1])
        assert archive.tags() == ({"late": 1} if log_waits else {})
    (disk / "filling").unlink()
    with Archive(root) as archive:
        archive.tag("now", [1])
        assert archive.tags() == ({"late": 1} if log_waits else {}) | {"now": 1}
        assert archive.check(read_data=True) == []


@pytest.mark.parametrize("log_waits", [False, True])
def test_questions_are_answered_on_a_read_only_disk(world: Any, disk: Path, log_waits: bool) -> None:
    for i in range(3):
        world.photo(f"{i}.jpg")
    world.ingest()
    wanted = paths(world.archive.root)
    shutil.copytree(world.archive.root, disk / "archive")
    if log_waits:
        killed_with_a_log(disk / "archive")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert paths(disk / "archive") == wanted
    with Archive(disk / "archive") as archive:
        assert archive.tags() == ({"late": 1} if log_waits else {})
        assert archive.check(read_data=True) == []
        with pytest.raises(ArchiveError, match="check the path, its permissions"):
            archive.tag("never", [1])


def test_what_waits_in_a_log_is_read_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE t (x)")
        made.execute("INSERT INTO t VALUES (7)")
        for file in (path, path.with_name("a.sqlite-wal")):
            shutil.copyfile(file, tmp_path / f"later {file.name}")
    for ending in ("", "-wal"):
        (tmp_path / f"later a.sqlite{ending}").replace(tmp_path / f"a.sqlite{ending}")
    monkeypatch.setattr(unwritable, "_can_be_written", lambda _path: False)
    trouble = sqlite3.OperationalError("disk I/O error")
    trouble.sqlite_errorcode = sqlite3.SQLITE_IOERR  # type: ignore[misc]
    connect = unwritable.reading(path, trouble)
    assert connect is not None
    for _ in range(2):
        with closing(connect()) as read:
            assert read.execute("SELECT x FROM t").fetchall() == [(7,)]
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                read.execute("INSERT INTO t VALUES (8)")


def test_what_is_no_trouble_of_the_disk_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.touch()
    trouble = sqlite3.OperationalError("no")
    trouble.sqlite_errorcode = sqlite3.SQLITE_BUSY  # type: ignore[misc]
    assert unwritable.reading(path, trouble) is None
    trouble.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN  # type: ignore[misc]
    assert unwritable.reading(path, trouble) is None  # it can be written
    assert unwritable.reading(path, None) is None
    assert list(tmp_path.iterdir()) == [path]
