"""Several machines that put photos into one archive at once: PostgreSQL and a bucket, real ones."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.check import check
from dsslic_search.archive.features import MapFeatures
from dsslic_search.archive.folder import OBJECTS_SETTING, ArchiveFolder
from dsslic_search.archive.ingest.encode import Prepared, Source
from dsslic_search.archive.leases import number_of
from dsslic_search.archive.manifest import Manifest
from dsslic_search.archive.schema import Change, Moment, Photo
from dsslic_search.archive.triggers import UNSETTLED
from dsslic_search.core.errors import ArchiveError, BusyError
from dsslic_search.index.source import State
from tests.archive.conftest import World, prepare

PHOTOS = 12


class Encoder:
    """The one of these tests, which counts, and goes on when all others are where it is."""

    def __init__(self, machines: int) -> None:
        self.made: list[bytes] = []
        self._first = threading.Barrier(machines)
        self._waited = threading.local()

    def __call__(self, source: Source, *more: Any) -> Prepared:
        if not hasattr(self._waited, "once"):
            self._waited.once = True
            self._first.wait(60)
        self.made.append(source.data)
        return prepare(source, *more)


@pytest.fixture
def machines(tmp_path: Path, new_catalog_url: str, bucket: str) -> list[World]:
    """Two of them, at the same folder of photos."""
    with Catalog.open(new_catalog_url) as catalog:
        catalog.remember(OBJECTS_SETTING, bucket)
    photos = tmp_path / "photos"
    photos.mkdir()
    worlds = []
    for name in "one", "other":
        worlds.append(World(photos, ArchiveFolder(tmp_path / name, Manifest(catalog=new_catalog_url))))
        worlds[-1].archive.make()
    return worlds


def test_machines_share_a_folder_and_double_nothing(machines: list[World]) -> None:
    one, other = machines
    for number in range(PHOTOS):
        one.photo(f"{number}.jpg", f"content {number % (PHOTOS // 2)}")  # of each there is a copy
    encoder = Encoder(2)
    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(each.ingest, prepare=encoder, workers=1) for each in machines]
        reports = [run.result(100) for run in runs]
    assert all(report.added for report in reports)
    assert sum(report.added for report in reports) == PHOTOS // 2
    assert sorted(encoder.made) == sorted(set(encoder.made))
    assert [report.found for report in reports] == [PHOTOS, PHOTOS]
    assert not any(report.failed for report in reports)
    other.assert_whole(PHOTOS // 2)
    assert check(one.archive, read_data=True) == []
    with other.archive.open_catalog() as catalog, catalog.session() as session:
        live = session.execute(text("SELECT count(*) FROM path WHERE ended_at IS NULL")).scalar()
        held = session.execute(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")).scalar()
        assert (live, held) == (PHOTOS, 0)
    assert one.ingest().present == PHOTOS


ENCODES_UNTIL_IT_IS_KILLED = """
import sys, time
from pathlib import Path
from dsslic_search.archive.folder import ArchiveFolder
from tests.archive.conftest import World, prepare

def last(source, *more):
    if source.data.endswith(b"5.jpg"):
        print("encoding", flush=True)
        time.sleep(600)
    return prepare(source, *more)

World(Path(sys.argv[1]), ArchiveFolder(Path(sys.argv[2]))).ingest(prepare=last, workers=1)
"""


def test_what_a_killed_machine_was_at_is_done_by_another(machines: list[World]) -> None:
    one, other = machines
    for number in range(PHOTOS):
        one.photo(f"{number:02}.jpg")
    made: list[str] = []
    told: list[str] = []
    command = [sys.executable, "-c", ENCODES_UNTIL_IT_IS_KILLED, str(one.photos), str(one.archive.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == "encoding\n"

        def counted(source: Source, *more: Any) -> Prepared:
            made.append(Path(source.name).name)
            return prepare(source, *more)

        with (
            pytest.raises(BusyError, match=rf"process {killed.pid} on .* is writing"),
            other.archive.writing(),
        ):
            pass

        def waiting(sentence: str) -> None:
            told.append(sentence)
            killed.kill()

        archive = replace(other.archive, waiting=waiting)
        report = replace(other, archive=archive).ingest(prepare=counted, workers=1)
    assert told == [f"{one.photos}/05.jpg: another machine is putting it in; waiting until it has, or ends"]
    stored = 5  # by the first, which was at the sixth, and had two more in flight
    assert (report.found, report.added, len(made)) == (PHOTOS, PHOTOS - stored, PHOTOS - stored)
    assert made[-3:] == ["05.jpg", "06.jpg", "07.jpg"]
    other.assert_whole(PHOTOS)
    assert check(other.archive, read_data=True) == []


def test_whoever_lost_its_leases_stores_nothing(machines: list[World]) -> None:
    one, other = machines
    one.photo("a.jpg")

    def cut_off(source: Source, *more: Any) -> Prepared:
        with Catalog.open(other.archive.catalog) as catalog, catalog.session() as session:
            session.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
            )
        return prepare(source, *more)

    with pytest.raises(ArchiveError, match="ended the connection"):
        one.ingest(prepare=cut_off)
    other.assert_whole(0)
    assert one.ingest().added == 1


def test_who_changes_all_photos_is_alone(machines: list[World]) -> None:
    one, other = machines
    with one.archive.writing(together=True) as first, other.archive.writing(together=True) as second:
        assert first.leases.take("a")
        assert not second.leases.take("a")
        assert second.leases.take("b")
        first.leases.keep_only(())
        assert second.leases.take("a")
        with Catalog.open(one.archive.catalog) as third, pytest.raises(BusyError), third.writer(0, print):
            pass
    with one.archive.writing(), pytest.raises(BusyError):
        replace(other, archive=replace(other.archive, wait=0)).ingest()


def test_a_key_has_one_number_on_every_machine() -> None:
    assert number_of("/photos/é\udcff.jpg") == -8828176217238021453
    assert all(-(2**63) <= number_of(str(each)) < 2**63 for each in range(100))


def test_the_turn_of_a_new_photo_is_short(
    new_catalog_url: str, photo_row: Callable[..., Photo], features: Callable[[int], MapFeatures]
) -> None:
    """While its row is put in, the largest part, others go on; then there are six trips to the database."""
    with Catalog.open(new_catalog_url) as catalog, catalog.writer(0, print, together=True):
        catalog.add(photo_row("1"), features(1))
        said: list[str] = []
        engine = catalog.engine
        event.listen(engine, "before_cursor_execute", lambda _c, _u, statement, *_: said.append(statement))
        catalog.add(photo_row("2"), features(2))
    assert [statement.split()[0] for statement in said[:2]] == ["INSERT", "SELECT"]
    assert "pg_advisory_xact_lock" in said[1]
    assert len([statement for statement in said[1:] if "unlock" not in statement]) == 5  # and the commit


def test_of_states_between_those_of_several_writers_nothing_is_missed(
    new_catalog_url: str, photo_row: Callable[..., Photo], features: Callable[[int], MapFeatures]
) -> None:
    writers, each = 3, 5

    def write(number: int) -> None:
        with Catalog.open(new_catalog_url) as catalog, catalog.writer(0, print, together=True):
            for digit in range(number * each, (number + 1) * each):
                catalog.add(photo_row(f"{digit:x}", path="/photos/one.jpg"), features(1))

    seen: dict[State, set[int]] = {}
    with Catalog.open(new_catalog_url) as catalog, ThreadPoolExecutor(writers) as pool:
        done = [pool.submit(write, number) for number in range(writers)]
        ended = False
        while not ended:
            ended = all(each.done() for each in done)
            with catalog.snapshot() as snapshot:
                now = set(snapshot.photo_ids().tolist())
                for state, before in seen.items():
                    changed = snapshot.changed_since(state)
                    assert changed is not None
                    assert now - before <= set(changed.tolist())
                seen[snapshot.state] = now
        assert [each.result() for each in done] == [None] * writers
        assert catalog.generation() == writers * each == len(now)
        assert catalog.states()["replaced"].photos == writers * each - 1
        with catalog.session() as session:
            known = session.scalars(select(Moment.generation).order_by(Moment.generation)).all()
            assert known[-writers * each :] == list(range(1, writers * each + 1))
            assert session.scalars(select(Change).where(Change.generation == UNSETTLED)).all() == []
