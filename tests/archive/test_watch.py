"""Following folders as their files change: what is done about given events, and once with real ones."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dsslic_search import Archive
from dsslic_search.archive.ingest.report import IngestReport
from dsslic_search.archive.ingest.sync import sync
from dsslic_search.archive.ingest.walk import Scope
from dsslic_search.archive.ingest.wanted import Wanted
from dsslic_search.archive.lock import locked
from dsslic_search.archive.settling import Settling
from dsslic_search.archive.watch import Watch, changes_of_files, require_folders
from dsslic_search.core.errors import ArchiveError, BusyError, MissingExtraError, UsageError
from dsslic_search.core.settings import Settings

GUARD_SECONDS = 60
"""After which a test that waits for what never comes fails."""


class Play:
    """A watch of ``root`` with given events and a given clock. What `follow` is to do at each sync stands in
    ``answers``: an error to raise, or a report; at the end of the events the watch is stopped."""

    def __init__(self, root: Path, *answers: BaseException | IngestReport, every: float = 100) -> None:
        self.root, self.answers, self.every = root, list(answers), every
        self.asked: list[list[Path | Scope]] = []
        self.waits: list[float] = []
        self.reports: list[IngestReport] = []
        self.troubles: list[str] = []
        self.now = 0.0
        self.opened: list[Sequence[Path]] = []

    def run(self, *rounds: Sequence[tuple[float, list[str]]]) -> None:
        """Play ``rounds`` of events: at which time which paths, relative to the root."""
        stop, left = threading.Event(), list(rounds)

        def changes(folders: Sequence[Path]) -> Generator[list[str]]:
            self.opened.append(folders)
            for self.now, names in left.pop(0):
                yield [str(self.root / name) for name in names]
            if not left:
                stop.set()

        settling = Settling([self.root], self.root / "archive")
        told, trouble = self.reports.append, self.troubles.append
        Watch(
            self.follow, [self.root], settling, changes, stop, told, trouble, self.every, lambda: self.now
        ).run()

    def follow(self, folders: Sequence[Path | Scope], unsettled: frozenset[str], wait: float) -> IngestReport:
        self.asked.append(list(folders))
        self.waits.append(wait)
        answer = self.answers.pop(0) if self.answers else IngestReport()
        if isinstance(answer, BaseException):
            raise answer
        return answer


def test_first_all_is_synchronised_then_what_has_settled(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    play = Play(tmp_path)
    play.run([(0, []), (1, ["a.jpg"]), (2, []), (3, []), (4, []), (5, [])])
    assert play.asked == [[tmp_path], [Scope(tmp_path, False, tmp_path)]]
    assert len(play.reports) == 2
    assert play.opened == [[tmp_path]]


def test_from_time_to_time_all_is_synchronised_again(tmp_path: Path) -> None:
    play = Play(tmp_path, every=10)
    play.run([(0, []), (9, []), (10, []), (11, [])], [(12, []), (21, []), (22, [])], [(30, [])])
    assert play.asked == [[tmp_path]] * 3


def test_a_folder_that_is_another_now_begins_a_new_round(tmp_path: Path) -> None:
    root = tmp_path / "disk"
    root.mkdir()
    play = Play(root)
    follow = play.follow

    def mounted(*given: Any) -> IngestReport:
        if len(play.asked) == 0:
            root.rename(tmp_path / "before")
        return follow(*given)

    play.follow = mounted  # type: ignore[method-assign]  # the disk goes away while it is synchronised
    play.run([(0, []), (1, [])], [(2, []), (3, [])])
    assert play.asked == [[root]] * 2
    assert play.opened == [[root], []]


def test_another_writer_is_waited_for_and_told_of_once(tmp_path: Path) -> None:
    busy = BusyError("process 7 (sync) is writing to it since 12:00", "wait")
    play = Play(tmp_path, busy, busy)
    play.run([(0, []), (1, []), (2, []), (3, [])])
    assert play.asked == [[tmp_path]] * 3
    assert play.troubles == ["process 7 (sync) is writing to it since 12:00; waiting for it"]
    assert play.waits[0] == 0
    assert all(wait > 0 for wait in play.waits[1:])
    assert len(play.reports) == 1


def test_what_failed_is_told_and_tried_again_with_the_next_change(tmp_path: Path) -> None:
    for name in ("a.jpg", "in/b.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    play = Play(tmp_path, IngestReport(), ArchiveError("the disk is full"))
    play.run([(0, ["a.jpg"]), (2, []), (3, ["in/b.jpg"]), (4, []), (5, []), (6, [])])
    first, second = Scope(tmp_path, False, tmp_path), Scope(tmp_path / "in", False, tmp_path)
    assert play.asked == [[tmp_path], [first], [first, second]]
    assert play.troubles == ["the disk is full; it is tried again with the next change"]


def test_what_failed_is_tried_again_in_the_next_round(tmp_path: Path) -> None:
    play = Play(tmp_path, IngestReport(), OSError("the disk is away"), every=10)
    play.run([(0, []), (10, [])], [(11, []), (21, [])], [(22, [])])
    assert play.asked == [[tmp_path]] * 3
    assert len(play.reports) == 2


def test_that_nothing_can_be_synchronised_ends_it_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="no archive"):
        Play(tmp_path, ArchiveError("no archive there")).run([(0, []), (1, [])])


def test_an_interruption_goes_through_once_it_is_told(tmp_path: Path) -> None:
    play = Play(tmp_path, IngestReport(interrupted=True))
    with pytest.raises(KeyboardInterrupt):
        play.run([(0, []), (1, [])])
    assert [report.interrupted for report in play.reports] == [True]


def test_only_folders_are_watched_and_one_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    require_folders([tmp_path, tmp_path / "away"])
    for folders in ([], [tmp_path / "a.jpg"], [tmp_path / "away"]):
        with pytest.raises(UsageError):
            require_folders(folders)


def test_without_the_package_its_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    with pytest.raises(MissingExtraError, match=r"dsslic-search\[watch\]"):
        Archive(tmp_path / "archive").watch(tmp_path)


def test_that_the_system_cannot_watch_so_many_folders_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def watch(*_folders: Path, **_more: Any) -> Iterator[set[tuple[int, str]]]:
        raise OSError("OS file watch limit reached. about [...]")
        yield set()

    monkeypatch.setattr("watchfiles.watch", watch)
    with pytest.raises(ArchiveError, match=r"max_user_watches .* poll=True"):
        next(changes_of_files(threading.Event(), poll=False)([tmp_path]))


@contextmanager
def watching(world: Any, poll: bool = False) -> Iterator[Callable[[], IngestReport]]:
    """Real files are watched; gives what waits for the next report that tells of anything."""
    reports: queue.Queue[IngestReport | BaseException] = queue.Queue()
    stop = threading.Event()

    def follow(folders: Sequence[Path | Scope], unsettled: frozenset[str], wait: float) -> IngestReport:
        return sync(
            replace(world.archive, wait=wait),
            folders,
            settings=Settings(),
            wanted=Wanted(unsettled=unsettled),
            workers=1,
            prepare=world.prepare,
        )

    def run() -> None:
        settling = Settling([world.photos], world.archive.root, quiet=0.2)
        changes = changes_of_files(stop, poll, tick_milliseconds=100)
        try:
            Watch(follow, [world.photos], settling, changes, stop, reports.put, print).run()
        except BaseException as e:
            reports.put(e)

    def following() -> IngestReport:
        while True:
            report = reports.get(timeout=GUARD_SECONDS)
            if isinstance(report, BaseException):
                raise report
            if report.added or report.moved or report.missing or report.unseen or report.versions:
                return report

    thread = threading.Thread(target=run)
    thread.start()
    try:
        reports.get(timeout=GUARD_SECONDS)  # of the first sync
        yield following
    finally:
        stop.set()
        thread.join(GUARD_SECONDS)
    assert not thread.is_alive()


def test_real_files_are_followed(world: Any, tmp_path: Path) -> None:
    world.archive = replace(world.archive, root=world.photos / "archive")
    old = world.photo("a.jpg")
    os.utime(old, (10**9, 10**9))
    world.ingest(workers=1)
    with watching(world) as report:
        world.photo("b.jpg")
        assert report().added == 1
        (world.photos / "a.jpg").rename(world.photos / "c.jpg")
        moved = report()
        assert [(Path(m.before).name, Path(m.path).name) for m in moved.moved] == [("a.jpg", "c.jpg")]
        assert moved.missing == []
        for name in ("in/deep/d.jpg", "in/e.jpg"):
            outside = tmp_path / "outside" / name
            outside.parent.mkdir(parents=True, exist_ok=True)
            outside.write_bytes(b"PHOTO" + name.encode())
        (tmp_path / "outside" / "in").rename(world.photos / "in")
        assert report().added == 2
        (world.photos / "in").rename(tmp_path / "away")
        assert sorted(Path(m.path).name for m in report().missing) == ["d.jpg", "e.jpg"]
        world.photo("b.jpg", "edited")
        assert [Path(v.path).name for v in report().versions] == ["b.jpg"]
        world.photo(os.fsdecode(b"caf\xe9.jpg"))
        assert report().added == 1
    with locked(world.archive.root):  # nothing is held any more
        pass


def test_files_are_followed_by_reading_them_again_and_again(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dsslic_search.archive.watch.POLL_MILLISECONDS", 100)
    world.photo("a.jpg")
    world.ingest(workers=1)
    with watching(world, poll=True) as report:
        world.photo("b.jpg")
        assert report().added == 1
