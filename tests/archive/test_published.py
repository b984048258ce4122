"""Indexes that one machine made are taken by others, and answers are those of indexes made from nothing."""

from __future__ import annotations

import json
import random
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import settings
from sqlalchemy import update

from dsslic_search import Archive
from dsslic_search.api.indexes import OpenIndexes
from dsslic_search.archive import history, published
from dsslic_search.archive.bin import empty
from dsslic_search.archive.bucket import Bucket
from dsslic_search.archive.catalog import Catalog, utc_now
from dsslic_search.archive.findings import Problem
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.manifest import Manifest
from dsslic_search.archive.objects import Folder
from dsslic_search.archive.published import FOLDER, SETTING, Published, publishing
from dsslic_search.archive.schema import Moment
from dsslic_search.archive.store import Store
from dsslic_search.core.errors import ArchiveError, MissingExtraError
from dsslic_search.index import segment, segments
from tests.archive.conftest import World
from tests.index.segment_answers import QUERIES, Kept, Killed
from tests.query.made import V

IS_LONG = settings().max_examples == settings.get_profile("long").max_examples
SEEDS, STEPS = (range(100), 30) if IS_LONG else (range(1), 10)
WRITTEN_FROM = 5
"""Photos that make a segment here."""
ALL = 1000
"""Photos on a page."""


class Shared(Kept):
    """A catalog in PostgreSQL and a store, as several machines have them, each with a folder of indexes."""

    def __init__(self, url: str, store: Store, top: Path) -> None:
        self.catalog, self.store, self.top, self.number = Catalog.open(url), store, top, 0

    def published(self, machine: str) -> Published:
        return Published(self.store, self.catalog.settings, self.top / machine)

    def new(self, machine: str) -> OpenIndexes:
        """Of a new process of a machine."""
        return OpenIndexes(self, self.top / machine, V, self.published(machine))

    def publish(self, machine: str) -> None:
        """As `api.following` does it."""
        with publishing(self.published(machine), self.catalog):
            state = self.new(machine).settle()
        if state is not None:
            with self.catalog.noting() as session:
                history.forget(session, state)

    def objects(self) -> set[str]:
        return set(self.store.objects.names(FOLDER))

    def assert_right(self, *machines: str, questions: tuple[str, ...] = QUERIES) -> None:
        plain = self.plainly()
        for text in questions:
            expected = self.asked(plain, text, ALL)
            for machine in machines:
                assert self.asked(self.new(machine), text, ALL) == expected, f"{text}, asked on {machine}"


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "WRITTEN_FROM", WRITTEN_FROM)


@pytest.fixture
def shared(new_catalog_url: str, tmp_path: Path, small_segments: None) -> Iterator[Shared]:
    made = Shared(new_catalog_url, Store(tmp_path / "objects"), tmp_path)
    yield made
    made.close()


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of files that are made of the catalog and written, but for those of rows."""
    kinds: list[str] = []
    kept = segment._kept

    def counted(path: Path | None, kind: str, *more: Any) -> Any:
        if path is not None and path.parent.is_dir() and kind != segment.ROWS:
            kinds.append(kind)
        return kept(path, kind, *more)

    monkeypatch.setattr(segment, "_kept", counted)
    return kinds


KINDS = ["coverage", "files", "image", "layout", "regions", "words"]


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_a_new_machine_takes_what_it_needs_and_makes_nothing(
    place: str, shared: Shared, built: list[str], request: pytest.FixtureRequest
) -> None:
    if place == "bucket":
        shared.store = Store(request.getfixturevalue("bucket"))
    shared.add(12, seed=1)
    shared.publish("a")
    assert sorted(built) == KINDS
    assert len(shared.objects()) == len(KINDS) + 3  # rows, manifest, and the list
    shared.assert_right("b", questions=("sky",))
    taken = {path.suffix for path in (shared.top / "b").iterdir()}
    assert taken == {".rows", ".coverage", ".manifest", ".json"}
    shared.assert_right("b", questions=("like #1", "2 cars", "camera:canon"))
    assert sorted(built) == KINDS
    files = {path.name: path.read_bytes() for path in (shared.top / "b").glob("*.[cflr]*")}
    assert len(files) == 5
    assert files == {name: (shared.top / "a" / name).read_bytes() for name in files}


def test_what_is_missing_or_damaged_is_made_of_the_catalog(shared: Shared, built: list[str]) -> None:
    shared.add(12, seed=1)
    shared.publish("a")
    objects = shared.store.objects
    listed = shared.published("a")._listed_here()
    for name, stored in listed.items():
        if name.endswith(".coverage"):
            objects.remove(f"{FOLDER}/{stored.hash}")
        elif name.endswith(".regions"):
            data = objects.read(f"{FOLDER}/{stored.hash}")
            objects.write(f"{FOLDER}/{stored.hash}", data[:-1] + bytes([data[-1] ^ 1]))
    built.clear()
    shared.assert_right("b", questions=("sky", "2 cars", "camera:canon"))
    assert sorted(built) == ["coverage", "regions"]
    shared.publish("a")  # what is missing is put there again
    assert (
        f"{FOLDER}/{next(s.hash for n, s in listed.items() if n.endswith('.coverage'))}" in shared.objects()
    )
    for part in ("list", "all"):
        for name in shared.objects():
            if part == "all" or name == f"{FOLDER}/{shared.catalog.settings()[SETTING]}":
                objects.remove(name)
        shared.assert_right(part, questions=("sky",))


def test_a_file_that_was_published_damaged_is_not_asked_for_again_and_again(
    shared: Shared, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.add(12, seed=1)
    with publishing(shared.published("a"), shared.catalog):
        shared.new("a").settle()
        (path,) = (shared.top / "a").glob("*.coverage")
        data = bytearray(path.read_bytes())
        data[-100] ^= 1
        path.write_bytes(data)
    assert not any(name.endswith(".coverage") for name in shared.published("a")._listed_here())
    # as one would publish it who looks away
    with monkeypatch.context() as patch, publishing(shared.published("a"), shared.catalog):
        patch.setattr(published.cache, "is_damaged", lambda _path: False)
    assert any(name.endswith(".coverage") for name in shared.published("a")._listed_here())
    built.clear()
    shared.assert_right("b", questions=("sky",))
    assert built == ["coverage"]


def test_a_store_that_cannot_be_reached_is_waited_for_once(
    shared: Shared, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.add(12, seed=1)
    shared.publish("a")
    here, taken = shared.published("b"), shared.published("c")
    for each in here, taken:
        assert each.bring(segments.THEIRS)
    tried: list[str] = []

    def fails(objects: Folder, name: str, *_bounds: int) -> bytes:
        tried.append(name)
        raise ArchiveError("unreachable") from OSError("no route")

    names = [name for name in here._listed_here() if name.endswith((".coverage", ".files", ".words"))]
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "read", fails)
        assert not any(here.fetch(name) for name in names)
        assert not here.bring(segments.THEIRS)
        assert len(tried) == 1
        patch.setattr(published, "REST_SECONDS", -1)
        assert not any(taken.fetch(name) for name in names)
        assert len(tried) == 1 + len(names)
    assert all(taken.fetch(name) for name in names)
    gone = next(iter(names))
    shared.store.objects.remove(f"{FOLDER}/{taken._listed_here()[gone].hash}")
    late = shared.published("d")
    assert late.bring(segments.THEIRS)
    assert [late.fetch(name) for name in names] == [False, *[True] * (len(names) - 1)]  # others are there


def test_without_the_extra_for_buckets_nothing_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in "obstore", "obstore.store", "obstore.exceptions":
        monkeypatch.setitem(sys.modules, module, None)
    store = Store("s3://nowhere/at-all")
    with pytest.raises(MissingExtraError, match="pip install"):
        store.objects.read("a/b")
    assert not Published(store, lambda: {SETTING: "0" * 64}, tmp_path).bring(segments.THEIRS)


def test_of_another_past_nothing_is_taken(shared: Shared, built: list[str]) -> None:
    shared.add(12, seed=1)
    shared.publish("a")
    with shared.catalog.noting() as session:  # as of a copy of the database that went another way
        session.execute(update(Moment).values(token="another"))
    shared.add(1, seed=2)
    built.clear()
    shared.assert_right("b", questions=("sky",))
    assert built == ["coverage"]


def test_two_that_publish_go_on_from_one_another(
    shared: Shared, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "GROWTH", 1)
    for number, machine in enumerate("abab"):
        shared.add(30 if number == 0 else 6, seed=number)
        shared.publish(machine)
        if number == 0:
            first = set(shared.published("a")._listed_here())
    both = [threading.Thread(target=shared.publish, args=(machine,)) for machine in "ab"]
    shared.add(6, seed=5)
    for each in both:
        each.start()
    for each in both:
        each.join()
    newest = shared.published("c")
    assert newest.bring(segments.THEIRS)
    listed = newest._listed_here()
    assert {name for name in first if name != segments.MANIFEST} <= set(listed)  # too large to be joined
    named = {f"{FOLDER}/{each.hash}" for each in listed.values()}
    assert shared.objects() == named | {f"{FOLDER}/{shared.catalog.settings()[SETTING]}"}
    built.clear()
    shared.assert_right("a", "b", "d", questions=("sky", "2 cars"))
    assert built == []


def test_one_that_publishes_for_ever_keeps_no_other_from_its_work(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "TURN_SECONDS", 0.01)
    shared.add(12, seed=1)
    with shared.catalog.publishing(wait=0) as sleeping:
        assert sleeping is not None
        shared.publish("a")
        assert not shared.objects()
        assert list((shared.top / "a").glob("*.coverage"))
    shared.publish("a")
    assert shared.objects()


def test_what_a_killed_publisher_left(
    tmp_path: Path, new_catalog_url: str, bucket: str, small_segments: None, built: list[str]
) -> None:
    """Through an archive, as people have it: put in, check, repair, ask."""
    photos = tmp_path / "photos"
    photos.mkdir()
    one, other = (World(photos, ArchiveFolder(tmp_path / name)) for name in ("one", "other"))
    for each in one, other:
        each.archive.root.mkdir()
        Manifest(bucket, new_catalog_url).write(each.archive.root)
    with Archive(one.archive.root) as archive:
        for number in range(6):
            one.photo(f"{number}.jpg")
        assert one.ingest().added == 6
        with ended_in_publishing(5), suppress(Killed):
            archive._settle()
        objects = archive.folder.store.objects
        left = [objects.where(name) for name in objects.names(FOLDER)]
        assert len(left) == 4
        with archive.catalog.publishing(wait=0):  # as long as one is at it
            assert archive.check() == []
        findings = archive.check()
        assert [(each.what, each.where) for each in findings] == [(Problem.LEFTOVER, each) for each in left]
        assert archive.repair(findings) == findings
        assert archive.check() == [] == list(objects.names(FOLDER))
        archive._settle()
        assert archive.check(read_data=True) == []
    built.clear()
    with Archive(other.archive.root) as archive:
        assert archive.query("everything").total == 6
        assert built == []
        assert list((other.archive.index).glob("*.coverage"))
        archive.remove([1, 2])
        assert len(empty(other.archive, now=utc_now(), only_copies=True).deleted) == 2
        assert archive.query("everything").total == 4
        assert archive.check() == []


@contextmanager
def ended_in_publishing(number: int) -> Iterator[None]:
    """Killed the so manieth time that something is about to be written there, said or deleted."""
    left = number

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left <= 0:
                raise Killed
            return real(*given, **more)

        return call

    with ExitStack() as patches:
        for owner, name in ((Folder, "write"), (Folder, "remove"), (Bucket, "write"), (published, "_say")):
            patches.enter_context(mock.patch.object(owner, name, counted(getattr(owner, name))))
        yield


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_are_those_of_indexes_made_from_nothing(shared: Shared, seed: int) -> None:
    """Whatever is done on two machines, and is killed or lost, in any order."""
    chance = random.Random(seed)
    lasting = {machine: shared.new(machine) for machine in "ab"}
    shared.add(8, seed=seed)
    for step in range(STEPS):
        machine = chance.choice("ab")
        ids = shared.ids
        done = chance.choice(("ingest", "ingest", "few", "change", "tag", "bin", "remove", "kill", "lose"))
        if done in ("ingest", "kill"):
            shared.add(chance.randrange(WRITTEN_FROM, 12), seed=step)
            end = chance.randrange(1, 12) if done == "kill" else 1000
            with suppress(Killed), ended_in_publishing(end):
                shared.publish(machine)
        elif done == "few":
            shared.add(2, seed=step)
        elif done == "change":
            shared.describe_anew(chance.choice(ids), seed=step)
        elif done == "tag":
            shared.tag(chance.choice(ids), take=chance.random() < 0.3)
        elif done == "bin":
            shared.put(chance.choice(ids), into_bin=chance.random() < 0.7)
        elif done == "remove":
            shared.catalog.remove(chance.sample(ids, min(6, len(ids) - 1)))
        elif objects := sorted(shared.objects()):
            shared.store.objects.remove(chance.choice(objects))
        if step % 3 == 0:
            shutil.rmtree(shared.top / machine, ignore_errors=True)  # as of one that is new
        text = chance.choice(QUERIES)
        expected = shared.asked(shared.plainly(), text, ALL)
        for name, indexes in (*lasting.items(), (machine, shared.new(machine))):
            assert shared.asked(indexes, text, ALL) == expected, f"{done}, then {text} on {name}"


def test_only_where_several_machines_can_be(tmp_path: Path) -> None:
    def has(**where: str) -> bool:
        return ArchiveFolder(tmp_path / "a", Manifest(**where)).published(dict) is not None

    (tmp_path / "a").mkdir()
    assert not has(objects="s3://b/c")
    assert not has(catalog="postgresql+psycopg:///c")
    assert has(objects="s3://b/c", catalog="postgresql+psycopg:///c")
    (tmp_path / "a" / "objects").symlink_to(tmp_path)
    assert has(catalog="postgresql+psycopg:///c")


@pytest.mark.parametrize(
    "files",
    [
        {"../x.rows": ["0" * 64, 1]},
        {"0123456789abcdef.rows": ["0" * 64, -1]},
        {"0123456789abcdef.rows": ["../" + "0" * 61, 1]},
        {"0123456789abcdef.rows": ["0" * 64]},
        ["0123456789abcdef.rows"],
    ],
)
def test_a_list_that_nobody_wrote_lists_nothing(files: Any) -> None:
    told = {"format": "dsslic-search indexes", "version": 1, "files": files}
    assert published._files_of(json.dumps(told).encode()) == {}
