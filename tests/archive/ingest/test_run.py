from __future__ import annotations

import errno
import itertools
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.check import check
from dsslic_search.archive.ingest import encode as original
from dsslic_search.archive.ingest import flight, sources
from dsslic_search.archive.ingest import run as ingest_module
from dsslic_search.archive.repair import repair
from dsslic_search.archive.store import Store
from dsslic_search.core.errors import ArchiveError, FormatError, PhotoError, WeightsError
from dsslic_search.core.settings import LOSSLESS
from tests.forks import forked

UNDECODED = "nothing was decoded: files that are no photos, or damaged, show only when they are put in"


def trace(top: Path) -> dict[str, bytes | None]:
    return {str(p.relative_to(top)): p.read_bytes() if p.is_file() else None for p in sorted(top.rglob("*"))}


def test_photos_are_added_once(world: Any) -> None:
    for i in range(7):
        world.photo(f"{i}/photo.jpg", str(i))
    report = world.ingest()
    assert (report.found, report.added, report.present, report.failed, report.interrupted) == (
        7,
        7,
        0,
        [],
        False,
    )
    assert report.bytes_in == 7 * 6
    assert report.bytes_stored == sum(p.stat().st_size for p in world.archive.root.rglob("*.dsslic"))
    assert report.milliseconds["encode"] == 7
    assert report.milliseconds["store"] > 0
    assert report.seconds > 0
    world.assert_whole(7)
    again = world.ingest()
    assert (again.found, again.added, again.present, again.bytes_in) == (7, 0, 7, 0)
    world.assert_whole(7)


def test_storing_is_told_in_milliseconds(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(step=0.25)  # a clock that goes on with each look at it
    monkeypatch.setattr(flight, "time", SimpleNamespace(perf_counter=lambda: next(seconds)))
    for i in range(3):
        world.photo(f"{i}.jpg")
    assert world.ingest().milliseconds["store"] == 3 * 250


@pytest.mark.parametrize(("asked", "threads"), [(0, 1), (1, 1), (3, 3)])
def test_as_many_threads_encode_as_are_asked_for(
    world: Any, monkeypatch: pytest.MonkeyPatch, asked: int, threads: int
) -> None:
    started: list[int] = []

    class Watched(ThreadPoolExecutor):
        def __init__(self, max_workers: int, prefix: str) -> None:
            started.append(max_workers)
            super().__init__(max_workers, prefix)

    monkeypatch.setattr(flight, "ThreadPoolExecutor", Watched)
    world.photo("a.jpg")
    assert world.ingest(workers=asked).added == 1
    assert started == [threads]


def test_the_row_says_what_the_file_was(world: Any) -> None:
    path = world.photo("a.jpg")
    os.utime(path, (1e9, 1e9))
    world.ingest(path)
    with world.archive.open_catalog() as catalog:
        (photo,) = catalog.at_path(path)
    assert photo.content_hash == original.read_original(path).content_hash
    assert (photo.file_size, photo.format, photo.width, photo.height) == (path.stat().st_size, "JPEG", 8, 6)
    assert str(photo.modified_at) == "2001-09-09 01:46:40"
    assert (photo.camera, photo.latitude, photo.longitude) == ("Box Brownie", 48.85, None)
    assert (photo.keep, photo.quality, photo.vocabulary, photo.segmenter) == (
        "layers",
        60,
        "11" * 8,
        "22" * 8,
    )
    assert photo.stored_bytes == world.archive.store.size_of(photo.content_hash)


@pytest.mark.parametrize("workers", [1, 4])
def test_the_same_content_is_added_once(world: Any, workers: int) -> None:
    for i in range(6):
        world.photo(f"{i}.jpg", str(i % 2))
    report = world.ingest(workers=workers)
    assert (report.found, report.added, report.present) == (6, 2, 4)
    world.assert_whole(2)


def test_bad_files_are_skipped_with_their_reason(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.photo("good.jpg")
    (world.photos / "empty.jpg").touch()
    for name in ("text1.jpg", "text2.png"):
        (world.photos / name).write_bytes(b"just text")
    for name, error in {
        "memory.jpg": MemoryError(),
        "stream.jpg": FormatError("odd stream"),
        "bug.jpg": ZeroDivisionError("division by zero"),
    }.items():
        world.photo(name)
        ERRORS[name] = error
    world.photo("unreadable.jpg")
    real = original.open_without_waiting

    def opener(name: str, flags: int) -> int:
        if name.endswith("unreadable.jpg"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(name, flags)

    monkeypatch.setattr(original, "open_without_waiting", opener)

    def prepare(source: Any, *more: Any) -> Any:
        if error := ERRORS.get(Path(source.name).name):
            raise error
        return world.prepare(source, *more)

    events = []
    report = world.ingest(world.photos, world.photos / "nowhere", prepare=prepare, progress=events.append)
    assert report.added == 1
    assert {Path(f.path).name: f.reason for f in report.failed} == {
        "nowhere": "no such file or directory",
        "empty.jpg": "the file is empty (0 bytes)",
        "text1.jpg": "not an image",
        "text2.png": "not an image",
        "memory.jpg": "not enough memory to encode it",
        "stream.jpg": "odd stream",
        "bug.jpg": "unexpected error, please report it (ZeroDivisionError: division by zero)",
        "unreadable.jpg": "cannot be read (Permission denied)",
    }
    world.assert_whole(1)
    assert [(e.done, e.total) for e in events] == [(0, 8), *((i, 8) for i in range(9))]
    assert sorted(e.kind for e in events) == ["added", *["failed"] * 8, "found"]
    assert [(e.path, e.reason) for e in events if e.kind == "failed"] == report.failed


ERRORS: dict[str, BaseException] = {}


def test_a_file_without_read_permission(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.photo("a.jpg").chmod(0)
    world.photo("b.jpg")
    real = os.open

    def denied(path: Any, *more: Any, **others: Any) -> int:
        if str(path).endswith("a.jpg"):  # root may read everything
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *more, **others)

    monkeypatch.setattr(os, "open", denied)
    report = world.ingest()
    assert [(Path(f.path).name, f.reason) for f in report.failed] == [
        ("a.jpg", "cannot be read (Permission denied)")
    ]
    assert report.added == 1


def test_a_file_that_changes_after_the_walk(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.photo("a.jpg")
    gone, pipe = world.photo("gone.jpg"), world.photo("pipe.jpg")

    def progress(event: Any) -> None:
        if event.kind == "found":
            gone.unlink()
            pipe.unlink()
            os.mkfifo(pipe)

    report = world.ingest(progress=progress)
    assert report.added == 1
    assert [f.reason for f in report.failed] == ["disappeared before it was read", "not a regular file"]


def test_a_file_that_is_too_large(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(original, "LARGEST_FILE_BYTES", 10)
    world.photo("large.jpg", "x" * 100)
    world.photo("fits.jpg", "x")
    report = world.ingest()
    assert report.added == 1
    assert "more than the largest file" in report.failed[0].reason


def test_odd_names(world: Any) -> None:
    odd = [
        os.fsdecode(b"caf\xe9 \xff.jpg"),
        "été 猫 🐈.jpg",
        "new\nline.jpg",
        "quote'\".jpg",
        "-rf.jpg",
        "%s%d.jpg",
    ]
    for name in odd:
        world.photo(name)
    (world.photos / os.fsdecode(b"bad\xff.jpg")).write_bytes(b"text")
    events: list[Any] = []
    report = world.ingest(
        world.photos, world.photos / os.fsdecode(b"\xfe"), world.photos / ("x" * 300), progress=events.append
    )
    assert report.added == len(odd)
    assert [f.reason for f in report.failed] == [
        "no such file or directory",
        "cannot be read (File name too long)",
        "not an image",
    ]
    assert [(e.path, e.reason) for e in events if e.kind == "failed"] == report.failed
    for failure in report.failed:
        failure.path.encode()
    with world.archive.open_catalog() as catalog:
        for name in odd:
            assert len(catalog.at_path(world.photos / name)) == 1
    assert world.ingest().present == len(odd)


def test_nothing_found_makes_no_archive(world: Any) -> None:
    report = world.ingest(world.photos, world.photos / "nowhere")
    assert report.found == 0
    assert "no photos in this folder" in report.notes[0]
    assert report.failed[0].reason == "no such file or directory"
    assert not world.archive.root.exists()


def test_dry_run_leaves_no_trace(world: Any) -> None:
    world.photo("a.jpg", "same")
    world.photo("b.jpg", "same")
    (world.photos / "c.jpg").touch()
    report = world.ingest(dry_run=True)
    assert (report.dry_run, report.found, report.added, report.present) == (True, 3, 1, 1)
    assert [f.reason for f in report.failed] == ["the file is empty (0 bytes)"]
    assert not world.archive.root.exists()
    world.ingest()
    world.photo("d.jpg")
    before = trace(world.archive.root)
    report = world.ingest(dry_run=True)
    assert (report.found, report.added, report.present) == (4, 1, 2)
    assert trace(world.archive.root) == before


def test_of_photos_that_stay_those_that_were_just_made_are_none(world: Any) -> None:
    for name in "abcdef":  # more than are in flight at once
        world.photo(f"{name}.jpg")
    world.photo("z/copy.jpg", "a.jpg")
    assert world.ingest(effort=1).notes == []
    stay = "stay as they are: effort, tune, importances and targets count for new photos only"
    assert world.ingest(effort=2).notes == [f"6 photos {stay}"]
    assert world.ingest(tune="ssim").notes == [f"6 photos {stay}"]
    assert world.ingest().notes == []


def test_what_an_archive_of_originals_has_not_is_said(world: Any) -> None:
    world.photo("a.jpg")
    for name in ("a.xmp", "lone.xmp", "clip.mp4", "song.mp3", "notes.txt", ".hidden", "Thumbs.db"):
        (world.photos / name).write_bytes(b"-")
    left = "1 video, 1 audio file, 1 sidecar used, 1 sidecar without a photo, 1 other (1 .txt)"
    said = f"not in the archive, keep them when you delete originals: {left}"
    assert said not in world.ingest().notes
    for _ in range(2):
        assert said in world.ingest(keep="exact").notes
    assert said in world.ingest(keep="exact", dry_run=True).notes
    assert said not in world.ingest(world.photos / "a.jpg", keep="exact").notes


def test_the_archive_itself_is_not_ingested(world: Any, tmp_path: Path) -> None:
    world.archive = replace(world.archive, root=world.photos / "archive")
    world.photo("a.jpg")
    world.ingest()
    (world.archive.root / "index").mkdir()
    (world.archive.root / "index" / "picture.png").write_bytes(b"PHOTO of a cache")
    assert world.ingest().found == 1


@pytest.mark.parametrize("at", [1, 2, 4, 6])
@pytest.mark.parametrize("where", ["prepare", "store", "row", "told"])
def test_an_interruption_anywhere_loses_and_doubles_nothing(
    world: Any, monkeypatch: pytest.MonkeyPatch, where: str, at: int
) -> None:
    for i in range(6):
        world.photo(f"{i}.jpg")
    calls = iter(range(1, 100))

    def interrupting(real: Any, *, after: bool = False) -> Any:
        def call(*args: Any, **more: Any) -> Any:
            now = next(calls) == at
            if now and not after:
                raise KeyboardInterrupt
            result = real(*args, **more)
            if now:
                raise KeyboardInterrupt
            return result

        return call

    more: dict[str, Any] = {}
    with monkeypatch.context() as m:
        if where == "prepare":
            more["prepare"] = interrupting(world.prepare)
        elif where == "store":
            m.setattr(Store, "write", interrupting(Store.write, after=True))  # between the file and its row
        elif where == "row":
            m.setattr(Catalog, "add", interrupting(Catalog.add, after=True))  # between the row and the report
        else:
            more["progress"] = interrupting(lambda event: None)
        report = world.ingest(**more)
    assert report.interrupted
    assert report.added < 6 or where == "told"
    if (world.archive.root / "archive.json").exists():
        with world.archive.open_catalog() as catalog:
            assert catalog.count() - report.added in ((0, 1) if where == "row" else (0,))
    rest = world.ingest()
    assert (rest.interrupted, rest.failed, rest.added + rest.present) == (False, [], 6)
    world.assert_whole(6)


def test_what_is_encoded_at_an_interruption_is_kept(world: Any) -> None:
    for name in "abc":
        world.photo(f"{name}.jpg")
    both = threading.Barrier(2)

    def prepare(source: Any, *more: Any) -> Any:
        if source.name.endswith("c.jpg"):
            raise AssertionError("was cancelled")
        both.wait(300)
        if source.name.endswith("a.jpg"):
            raise KeyboardInterrupt
        time.sleep(0.2)
        return world.prepare(source, *more)

    report = world.ingest(prepare=prepare)
    # c may have started in a's thread
    assert (report.interrupted, report.added) == (True, 1) or report.failed
    with world.archive.open_catalog() as catalog:
        assert catalog.at_path(world.photos / "b.jpg")


def test_no_more_photos_in_memory_than_promised(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(20):
        world.photo(f"{i:02}.jpg")
    most = alive = 0
    lock, full = threading.Lock(), threading.Event()
    real_read, real_settled = sources.read_original, ingest_module.Teller._settled

    def count(by: int) -> None:
        nonlocal most, alive
        with lock:
            alive += by
            most = max(most, alive)
            if most == 3:
                full.set()

    def read(*args: Any) -> Any:
        count(1)
        return real_read(*args)

    def settled(*args: Any) -> None:
        count(-1)
        real_settled(*args)

    monkeypatch.setattr(sources, "read_original", read)
    monkeypatch.setattr(ingest_module.Teller, "_settled", settled)

    def prepare(*args: Any) -> Any:
        full.wait(300)
        time.sleep(0.005)  # lets reading run ahead, as far as it may
        return world.prepare(*args)

    assert world.ingest(workers=3, prepare=prepare).added == 20
    assert 3 <= most <= 5


def test_workers_work_at_once(world: Any) -> None:
    for i in range(4):
        world.photo(f"{i}.jpg")
    both = threading.Barrier(2)

    def prepare(*args: Any) -> Any:
        both.wait(300)  # breaks, and fails the photo, unless two photos are encoded at the same time
        return world.prepare(*args)

    assert world.ingest(workers=2, prepare=prepare).added == 4


@pytest.mark.parametrize("error", [WeightsError("no weights"), ArchiveError("gone")])
def test_what_is_no_photos_fault_stops_the_ingest(world: Any, error: Exception) -> None:
    for i in range(5):
        world.photo(f"{i}.jpg")

    def prepare(source: Any, *more: Any) -> Any:
        if source.name.endswith("2.jpg"):
            raise error
        return world.prepare(source, *more)

    with pytest.raises(type(error), match=str(error)):
        world.ingest(prepare=prepare)
    assert world.ingest().failed == []
    world.assert_whole(5)


def test_a_full_disk_stops_the_ingest(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(5):
        world.photo(f"{i}.jpg")
    world.ingest(world.photos / "0.jpg")
    with monkeypatch.context() as m:
        m.setattr(
            os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device"))
        )
        with pytest.raises(ArchiveError, match="free some space and run it again"):
            world.ingest()
    world.assert_whole(1)
    assert world.ingest().added == 4
    world.assert_whole(5)


def test_a_newer_archive_is_left_alone(world: Any) -> None:
    world.photo("a.jpg")
    world.ingest()
    with closing(sqlite3.connect(world.archive.root / "catalog.sqlite")) as db, db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
    world.photo("b.jpg")
    before = trace(world.archive.root)
    for more in ({}, {"dry_run": True}):
        with pytest.raises(ArchiveError, match=r"newer.*update dsslic-search"):
            world.ingest(**more)
    assert trace(world.archive.root) == before


def test_a_crash_between_file_and_row(world: Any) -> None:
    path = world.photo("a.jpg")
    content_hash = original.read_original(path).content_hash
    world.photo("b.jpg")
    world.ingest(world.photos / "b.jpg")
    world.archive.store.write(content_hash, b"whatever a killed process had written")
    (world.archive.store.path_of(content_hash).parent / ".x.dsslic.0.tmp").write_bytes(b"half")
    assert world.ingest().added == 1
    world.assert_whole(2)
    assert world.archive.store.read(content_hash) != b"whatever a killed process had written"


@pytest.mark.parametrize(
    ("first", "then", "updated"),
    [
        (("layers", 60), ("exact", 60), True),
        (("reference", 60), ("exact", 60), True),
        (("reference", 60), ("layers", 60), True),
        (("layers", 60), ("reference", 60), True),
        (("layers", 60), ("layers", 90), True),
        (("layers", 60), ("layers", 60), False),
        (("reference", 60), ("reference", 90), False),
        (("exact", 60), ("exact", 90), False),
        (("layers", 60), ("layers", LOSSLESS), True),
        (("layers", LOSSLESS), ("layers", LOSSLESS), False),
        (("layers", 60), ("coarse", 60), True),
        (("coarse", 60), ("coarse", 90), True),
        (("coarse", 60), ("coarse", 60), False),
    ],
)
def test_other_options_store_a_photo_anew(world: Any, first: Any, then: Any, updated: bool) -> None:
    for name in "ab":
        world.photo(f"{name}.jpg")
    world.ingest(keep=first[0], quality=first[1])
    with world.archive.open_catalog() as catalog:
        before = catalog.at_path(world.photos / "a.jpg")[0], catalog.generation()
    (world.photos / "a.jpg").rename(world.photos / "new.jpg")
    shape = {"keep": then[0], "quality": then[1]}
    traced = trace(world.archive.root)
    rehearsal = world.ingest(dry_run=True, **shape)
    assert trace(world.archive.root) == traced
    events: list[Any] = []
    report = world.ingest(**shape, progress=events.append)
    counts = (0, 2, 0) if updated else (0, 0, 2)
    for each in (rehearsal, report):
        assert (each.found, each.added, each.updated, each.present, each.failed) == (2, *counts, [])
        assert each.notes == ([UNDECODED] if each is rehearsal and updated else [])
        assert each.kept_before == ({first[0]: 2} if first[0] != then[0] and updated else {})
    assert report.bytes_stored == (
        sum(p.stat().st_size for p in world.archive.root.rglob("*.dsslic")) if updated else 0
    )
    assert [e.kind for e in events] == ["found", *["updated" if updated else "present"] * 2, "moved"]
    world.assert_whole(2)
    keep, quality = then if updated else first
    assert world.kept() == [(keep, quality, keep)] * 2
    with world.archive.open_catalog() as catalog:
        after = catalog.photo(before[0].id)
        assert catalog.generation() > before[1]  # it lies at another path
    assert (after.added_at, after.embedding, after.taken_at) == (
        before[0].added_at,
        before[0].embedding,
        before[0].taken_at,
    )
    assert [Path(row.path).name for row in after.paths] == ["new.jpg", "a.jpg"]
    again = world.ingest(**shape)
    assert (again.updated, again.present) == (0, 2)


def test_a_photo_kept_exactly_stays_so(world: Any) -> None:
    for name in "abc":
        world.photo(f"{name}.jpg")
    world.ingest(world.photos / "a.jpg", world.photos / "b.jpg", keep="exact")
    twin = world.photo("twin.jpg", "a.jpg")
    for dry_run in (True, False):
        report = world.ingest(keep="layers", dry_run=dry_run)
        assert (report.added, report.updated, report.present) == (1, 0, 3)
        said = [UNDECODED] if dry_run else []
        assert report.notes == [*said, "2 photos are kept exactly already and stay so"]
    assert [keep for keep, _, _ in world.kept()] == ["exact", "exact", "layers"]
    assert world.ingest(twin, keep="reference").notes == ["1 photo is kept exactly already and stays so"]
    assert world.ingest(twin, keep="exact").notes == []


@pytest.mark.parametrize("damage", ["missing", "shorter", "longer", "empty", "header"])
@pytest.mark.parametrize("keep", ["layers", "exact"])
def test_a_photo_whose_file_is_lost_is_stored_anew(world: Any, keep: str, damage: str) -> None:
    for name in "ab":
        world.photo(f"{name}.jpg")
    world.ingest(keep=keep)
    path = next(world.archive.root.rglob("*.dsslic"))
    sound = path.read_bytes()
    flipped = sound[:20] + bytes([sound[20] ^ 1]) + sound[21:]
    path.write_bytes({"shorter": sound[:-1], "longer": sound + b"x", "header": flipped}.get(damage, b""))
    if damage == "missing":
        path.unlink()
    for dry_run in (True, False):
        report = world.ingest(dry_run=dry_run)
        assert (report.added, report.updated, report.present) == (0, 1, 1)
    assert path.read_bytes() == sound  # in mode exact too, though not asked for
    world.assert_whole(2)
    assert check(world.archive, read_data=True) == []


@pytest.mark.usefixtures("readable_maps")
@pytest.mark.parametrize("mend", ["ingest", "ingest with other options", "repair"])
@pytest.mark.parametrize("first", ["layers", "reference"])
def test_a_crash_between_the_new_file_and_its_row(
    world: Any, monkeypatch: pytest.MonkeyPatch, first: str, mend: str
) -> None:
    world.photo("a.jpg")
    world.ingest(keep=first)
    with monkeypatch.context() as m:
        m.setattr(Catalog, "update", lambda *_, **_more: (_ for _ in ()).throw(KeyboardInterrupt))
        assert world.ingest(keep="exact").interrupted
    problems = check(world.archive, read_data=True)
    assert [p.kind for p in problems] == ["outdated"]
    if mend == "repair":
        assert repair(world.archive, problems) == problems
    else:
        report = world.ingest(keep="exact" if mend == "ingest" else first)
        assert (report.updated, report.present, len(report.notes)) == (1, 0, int(mend != "ingest"))
    assert world.kept() == [("exact", 60, "exact")]
    world.assert_whole(1)
    assert check(world.archive, read_data=True) == []


def ingesting(world: Any, free: int, gate: Path) -> Callable[[Callable[[str], None]], None]:
    """Ingests the first ``free`` photos; the rest wait until it is interrupted, which leaves ``gate``."""

    def slow(source: Any, *more: Any) -> Any:
        while int(Path(source.name).stem) >= free and not gate.exists():
            time.sleep(0.01)
        time.sleep(0.02)
        return world.prepare(source, *more)

    def interrupted(*_: object) -> None:
        gate.touch()
        raise KeyboardInterrupt

    def work(say: Callable[[str], None]) -> None:
        signal.signal(signal.SIGINT, interrupted)
        report = world.ingest(prepare=slow, progress=lambda event: say(event.kind))
        say("interrupted" if report.interrupted else "done")

    return work


@pytest.mark.parametrize(("how", "after"), [(signal.SIGKILL, 2), (signal.SIGKILL, 6), (signal.SIGINT, 4)])
def test_a_process_that_is_stopped_while_another_waits(
    world: Any, tmp_path: Path, how: signal.Signals, after: int
) -> None:
    for i in range(30):
        world.photo(f"{i:02}.jpg")
    with world.archive.writing(create=True):
        pass  # an empty catalog, which is made faster here than by all migrations in a process of its own
    with forked(ingesting(world, after, tmp_path / "gate"), world.archive.root) as process:
        for _ in range(after):
            assert process.line() in ("found", "added")
        with pytest.raises(ArchiveError, match="is writing to it since"):
            world.ingest()
        process.send(how)
        rest = process.rest()
    assert (rest[-1:] == ["interrupted"]) == (how == signal.SIGINT)
    assert ("stopping" in rest) == (how == signal.SIGINT)
    told = after - 1  # all but "found"
    report = world.ingest()
    assert (report.failed, report.added + report.present) == ([], 30)
    assert report.present >= told
    assert report.added > 0
    world.assert_whole(30)


def test_reading_an_original(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"not a regular file|cannot be read"):
        original.read_original(tmp_path)
    (tmp_path / "a").write_bytes(b"abc")
    found = original.read_original(tmp_path / "a")
    assert found.content_hash == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (found.data, found.name) == (b"abc", str(tmp_path / "a"))


def test_when_a_file_was_changed_is_in_utc_and_the_epoch_where_no_calendar_has_it() -> None:
    assert original.changed_at(1e9) == datetime(2001, 9, 9, 1, 46, 40)
    assert original.changed_at(1e30) == original.changed_at(float("nan")) == datetime(1970, 1, 1)
