"""Questions asked of several processes: what one process answers, or an error."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dsslic_search import Archive
from dsslic_search.api import shards
from dsslic_search.core.errors import ArchiveError
from dsslic_search.core.settings import Settings
from dsslic_search.query.run import evaluate
from tests.archive.conftest import World

QUERIES = (
    "everything", "building", "not building", ">15% building", "<30% sky", "tree or >18% sky",
    "building and sky sort:taken", "everything sort:path", "everything sort:-name", "sky sort:-relevance",
    "everything sort:-size", "everything sort:id", "everything sort:-sky", "tree sort:rating",
    "like #2", "like #2 mirrored and sky", "building and not like #3", "tag:best", "name:1*", "path:photos",
    "taken:2023", "camera:box", "is:any", "is:removed",
    "sky left of building", "two trees", "first 4 photos of sky", "no dog", "dog",
)  # fmt: skip
PAGE = 3


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An archive with photos in three segments, and a few more, some of them gone from theirs."""
    folder = tmp_path_factory.mktemp("shards")
    (folder / "photos").mkdir()
    from dsslic_search.archive.folder import ArchiveFolder

    world = World(folder / "photos", ArchiveFolder(folder / "archive"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dsslic_search.index.segments.WRITTEN_FROM", 3)
        for start, end in (0, 9), (9, 16), (16, 20), (20, 22):
            for number in range(start, end):
                world.photo(f"{number}.jpg")
            world.ingest(workers=1)
            with Archive(world.archive.root) as archive:
                assert archive.query("everything").total == end
                archive.tag("best", [end - 1])
        with Archive(world.archive.root) as archive:
            archive.rate(3, [1, 10])
            archive.rate(1, [17])
    yield world.archive.root


@pytest.fixture(scope="module")
def several(root: Path) -> Iterator[Archive]:
    with Archive(root, Settings(shards=2)) as archive:
        yield archive


def pages(first: Archive, second: Archive, query: str) -> Any:
    """All pages of an answer, each asked of one archive and then of the other."""
    found, cursor, asked = [], None, (first, second)
    while True:
        result = asked[0].query(query, limit=PAGE, after=cursor)
        hits = [(hit.rank, hit.id, hit.score, hit.path) for hit in result.hits]
        found.append((result.total, hits, result.unseen, result.read_as))
        asked, cursor = asked[::-1], result.cursor
        if cursor is None:
            return found


def test_what_one_process_answers(root: Path, several: Archive) -> None:
    with Archive(root) as alone:
        for query in QUERIES:
            expected = pages(alone, alone, query)
            assert pages(several, several, query) == expected, query
            assert pages(several, alone, query) == expected, query
        for asked in alone, several:
            assert len(asked.query("everything", limit=None).hits) == 22
        assert several.query("sky", limit=0).total == alone.query("sky", limit=0).total
        assert several.query("sky", explain=True).explanation == alone.query("sky", explain=True).explanation
        assert several.facets("sky") == alone.facets("sky")
        assert several.statistics("sky") == alone.statistics("sky")
        embedding = alone.embeddings_of("#5")
        one, other = (each.find("", resemble=embedding, limit=5) for each in (alone, several))
        assert [hit.id for hit in one.hits] == [hit.id for hit in other.hits]
    several.unpack_ahead()
    assert len(several._shards.pids) == 2  # type: ignore[union-attr]  # they were begun


def test_loops_of_questions_about_regions_are_loaded_ahead(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    with Archive(root) as alone:
        commonest = next(each.name for each in alone.classes() if each.name != "other")
        find = alone.find
        monkeypatch.setattr(alone, "find", lambda text, **more: asked.append(text) or find(text, **more))
        alone.unpack_ahead()
        assert not asked  # of few photos they are not compiled
        monkeypatch.setattr(evaluate, "LOOPS_AHEAD_FROM", 22)
        alone.unpack_ahead()
        assert asked == [f"{commonest} above {commonest}", f"{commonest} in the left half"]
        assert find(asked[1]).total


def test_what_changes_is_seen(root: Path, several: Archive) -> None:
    with Archive(root) as alone:
        alone.remove([4])
        assert several.query("everything").total == alone.query("everything").total
        alone.restore([4])
        alone.tag("new", [2, 21])
        assert several.query("tag:new").total == 2
        assert pages(several, several, "everything") == pages(alone, alone, "everything")


def test_a_lost_process_is_no_smaller_answer(several: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    total = several.query("everything").total
    pids = several._shards.pids  # type: ignore[union-attr]  # as above
    with monkeypatch.context() as patch:
        patch.setattr(shards._Process, "has_ended", property(lambda self: self._lost))  # not noticed in time
        os.kill(pids[1], signal.SIGKILL)
        os.waitid(os.P_PID, pids[1], os.WEXITED | os.WNOWAIT)
        with pytest.raises(ArchiveError, match=rf"of the 2 processes .*, {pids[1]} has ended \(signal 9\)"):
            several.query("everything")
    assert several.query("everything").total == total
    assert several._shards.pids[0] == pids[0] != several._shards.pids[1]  # type: ignore[union-attr]  # as above


def test_a_process_that_hangs_is_ended_and_one_that_works_is_waited_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def command(root: Path, count: int) -> list[str]:
        return [sys.executable, "-c", SLOW, str(root), str(count)]

    monkeypatch.setattr(shards, "of_archive", command)
    with Archive(root, Settings(shards=2)) as archive:
        total = archive.query("everything").total
        processes = archive._shards._processes  # type: ignore[union-attr]  # they were begun
        for process in processes:
            with socket.socket(fileno=os.dup(process._connection.fileno())) as connection:
                shards.hear_at_most(connection, 5)
        assert archive.query("everything").total == total  # it takes longer than that
        os.kill(processes[1].pid, signal.SIGSTOP)
        with pytest.raises(ArchiveError, match=rf"2 processes .*, {processes[1].pid} gave no sign .* begun"):
            archive.query("everything")
        assert [process.has_ended for process in processes] == [False, True]


SLOW = """
import time
from dsslic_search.api import shard, shards

def answer(self, told, answered=shards._Shard.answer):
    if told.number > 1:
        time.sleep(5.5)
    return answered(self, told)

shards._Shard.answer, shards.BEAT_SECONDS = answer, 0.05
shard.main()
"""


def test_processes_end_with_who_began_them(root: Path) -> None:
    with Archive(root, Settings(shards=2)) as archive:
        archive.query("sky")
        pids = archive._shards.pids  # type: ignore[union-attr]  # as above
        assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
