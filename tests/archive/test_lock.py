from __future__ import annotations

import json
import os
import platform
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dsslic_search.archive.lock import NEXT, WRITER, locked, may_be_held
from dsslic_search.core.errors import ArchiveError

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def refusal(root: Path, now: datetime = NOON) -> str:
    with pytest.raises(ArchiveError) as refused, locked(root, now=lambda: now):
        pytest.fail("the lock was had twice")
    return str(refused.value)


def test_whether_it_may_be_held_is_told_without_asking_for_it(tmp_path: Path) -> None:
    assert not may_be_held(tmp_path)
    with locked(tmp_path):
        assert may_be_held(tmp_path)
        told = json.loads((tmp_path / WRITER).read_bytes())
    assert not may_be_held(tmp_path)
    for said, may in (
        ({"pid": 2**31 - 1}, False),
        ({"pid": 2**31 - 1, "host": "nas"}, True),
        ({"pid": "x"}, True),
    ):
        (tmp_path / WRITER).write_text(json.dumps(told | said))
        assert may_be_held(tmp_path) == may


def test_who_holds_the_lock_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/dss-search", "sync", "/photos"])
    with locked(tmp_path, now=lambda: NOON):
        told = json.loads((tmp_path / WRITER).read_bytes())
        assert told["pid"] == os.getpid()
        local = NOON.astimezone()
        said = f"process {os.getpid()} (sync) is writing to it since {local:%H:%M}"
        assert f"{tmp_path}: {said}; wait for it with" in refusal(tmp_path)
        assert f"{said} of {local:%Y-%m-%d};" in refusal(tmp_path, NOON + timedelta(days=2))
        (tmp_path / WRITER).write_text(json.dumps(told | {"host": platform.node() + "-nas"}))
        assert re.search(rf"\(sync\) on {re.escape(platform.node())}-nas is writing", refusal(tmp_path))
        for torn in (b"", b'{"pid": 12', b"[]", b'{"pid": "x", "since": 4}'):
            (tmp_path / WRITER).write_bytes(torn)
            assert refusal(tmp_path).startswith(f"another dss-search is writing to {tmp_path}; wait")
        (tmp_path / WRITER).unlink()
        assert refusal(tmp_path).startswith("another dss-search")
    assert not (tmp_path / WRITER).exists()


def test_waiting_ends_when_the_other_does(tmp_path: Path) -> None:
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(tmp_path):
            held.set()
            let_go.wait()

    other = threading.Thread(target=hold)
    other.start()
    held.wait()
    refusal(tmp_path)
    told: list[str] = []

    def waiting(sentence: str) -> None:
        told.append(sentence)
        let_go.set()

    with locked(tmp_path, wait=60, waiting=waiting):
        other.join()
        assert len(told) == 1
        assert re.search(r"is writing to it since .*; waiting for it, 60 seconds at most$", told[0])
        assert (tmp_path / WRITER).exists()


@pytest.mark.parametrize("times", [1, 3])
def test_who_asks_again_at_once_stands_behind_who_waits(tmp_path: Path, times: int) -> None:
    """However often: who waits holds the next turn before he is told so."""
    waits, order = threading.Event(), []

    def other() -> None:
        with locked(tmp_path, wait=60, waiting=lambda _: waits.set()):
            order.append("other")

    for _ in range(times):
        waits.clear()
        thread = threading.Thread(target=other)
        with locked(tmp_path):
            thread.start()
            waits.wait()
        with locked(tmp_path, wait=60):
            order.append("again")
        thread.join()
    assert order == ["other", "again"] * times


def test_who_does_not_wait_is_refused_while_another_is_next(tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / NEXT):
        assert refusal(tmp_path).startswith("another dss-search is writing")
    with locked(tmp_path):
        refusal(tmp_path)
    with locked(tmp_path):
        pass


def test_who_need_not_wait_is_told_nothing(tmp_path: Path) -> None:
    with locked(tmp_path, wait=60, waiting=pytest.fail):
        pass
    with locked(tmp_path), pytest.raises(ArchiveError), locked(tmp_path, waiting=pytest.fail):
        pass
