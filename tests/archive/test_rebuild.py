"""A catalog that is made anew knows what the lost one knew, and answers as it did."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsslic_search import Archive
from dsslic_search.archive import bin, notes, rating, rebuild
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.check import check
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.journaling import OWN_SETTINGS
from dsslic_search.archive.manifest import Manifest
from dsslic_search.archive.rebuild import BUILDING
from dsslic_search.archive.repair import repair
from dsslic_search.core.errors import ArchiveError, UsageError
from tests.archive.conftest import World
from tests.forks import ended

NOW = datetime(2024, 1, 1)
TABLES = "photo", "path", "tag", "saved_query", "purged"
QUERIES = (
    "everything",
    "is:any",
    "is:removed",
    "is:lost",
    "is:missing",
    "tag:best",
    "camera:box",
    "@mine",
    "like #1",
)

pytestmark = pytest.mark.usefixtures("readable_maps")


def facts(archive: ArchiveFolder) -> dict[str, Any]:
    """Every row of every table, but for what names states of the database itself."""
    with closing(sqlite3.connect(archive.root / "catalog.sqlite")) as plain:
        found: dict[str, Any] = {
            table: sorted(plain.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in TABLES
        }
        settings = dict(plain.execute("SELECT name, value FROM setting").fetchall())
    found["setting"] = {k: v for k, v in settings.items() if k not in {*OWN_SETTINGS, "rebuild"}}
    return found


def answers(archive: ArchiveFolder) -> list[Any]:
    found: list[Any] = []
    with Archive(archive.root) as opened:
        for text in QUERIES:
            try:
                result = opened.query(text, limit=None)
                found.append((text, result.total, [(hit.id, hit.score, hit.path) for hit in result]))
            except (UsageError, ArchiveError) as e:
                found.append((text, str(e)))
        found.append((opened.tags(), opened.saved_queries(), opened.bin()))
    return found


def lose(archive: ArchiveFolder, *journals: Path) -> None:
    """The catalog, the indexes, and the journals that are named."""
    for path in archive.root.glob("catalog*"):
        path.unlink()
    shutil.rmtree(archive.index, ignore_errors=True)
    for path in journals:
        path.unlink()


def journals(archive: ArchiveFolder) -> tuple[Path, Path]:
    return archive.journal, archive.root / "objects" / "journal.jsonl"


def assert_comes_back(world: World, without: int | None = None) -> None:
    """``without``: the journal that is lost, too, 0 for the one in the archive's folder."""
    before = facts(world.archive), answers(world.archive)
    lose(world.archive, *(() if without is None else [journals(world.archive)[without]]))
    rebuild.rebuild(world.archive)
    assert facts(world.archive) == before[0]
    assert answers(world.archive) == before[1]


class Life:
    """Random things that happen to an archive; what there is to choose from follows from a number."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.now = NOW
        self.made = 0

    def step(self, what: str) -> None:
        self.now += timedelta(days=1)
        getattr(self, what)()

    def ids(self) -> np.ndarray:
        with self.world.archive.open_catalog() as catalog:
            every = list(range(1, catalog.count() + 6))
            there = [i for i in every if catalog.photo(i) is not None]
        return np.array(self.chance.sample(there, min(len(there), self.chance.randint(1, 3))), np.int64)

    def files(self) -> list[Path]:
        return sorted(path for path in self.world.photos.rglob("*.jpg"))

    def add(self) -> None:
        for _ in range(self.chance.randint(1, 3)):
            self.made += 1
            self.world.photo(f"{self.chance.choice(['', 'sub/', 'sub/é/'])}{self.made}.jpg")
        self.world.ingest()

    def copy(self) -> None:
        if files := self.files():
            self.made += 1
            shutil.copy(self.chance.choice(files), self.world.photos / f"copy {self.made}.jpg")
        self.world.ingest()

    def edit(self) -> None:
        if files := self.files():
            self.made += 1
            self.chance.choice(files).write_bytes(b"PHOTO edited %d" % self.made)
        self.world.ingest()

    def move(self) -> None:
        if files := self.files():
            self.made += 1
            self.chance.choice(files).rename(self.world.photos / f"moved {self.made}.jpg")
        self.world.ingest()

    def delete(self) -> None:
        if len(files := self.files()) > 1:
            self.chance.choice(files).unlink()
        self.world.ingest()

    def anew(self) -> None:
        self.world.ingest(keep=self.chance.choice(["layers", "exact"]), quality=self.chance.choice([50, 60]))

    def tag(self) -> None:
        with self.world.archive.open_catalog() as catalog:
            notes.add_tags(catalog, self.chance.sample(["best", "zoo", "été"], 2), self.ids())

    def untag(self) -> None:
        with self.world.archive.open_catalog() as catalog:
            if names := catalog.tag_names():
                notes.remove_tags(
                    catalog, [self.chance.choice(names)], self.chance.choice([None, self.ids()])
                )

    def rate(self) -> None:
        with self.world.archive.open_catalog() as catalog:
            rating.rate(catalog, self.chance.choice([0, 3, 5]), self.ids())

    def save(self) -> None:
        with self.world.archive.open_catalog() as catalog:
            notes.save_query(
                catalog, self.chance.choice(["mine", "yours"]), f"sky > 0.{self.made}", replace=True
            )

    def forget(self) -> None:
        with self.world.archive.open_catalog() as catalog:
            for name in list(catalog.saved_queries())[:1]:
                notes.forget_query(catalog, name)

    def remove(self) -> None:
        with self.world.archive.open_catalog() as catalog:
            bin.remove(catalog, self.ids(), self.now)

    def take_back(self) -> None:
        with self.world.archive.open_catalog() as catalog:
            bin.restore(catalog, None)

    def empty(self) -> None:
        bin.empty(self.world.archive, now=self.now, only_copies=self.chance.random() < 0.7)

    def lose_a_file(self) -> None:
        hashes = list(self.world.archive.store.hashes())
        self.world.archive.store.remove(self.chance.choice(hashes)) if hashes else None
        repair(self.world.archive, check(self.world.archive))


STEPS = [name for name in vars(Life) if not name.startswith("_") and name not in ("step", "ids", "files")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=12)
@given(seed=st.integers(0, 2**32), steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=14))
def test_random_lives_come_back(
    tmp_path_factory: pytest.TempPathFactory, seed: int, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("life")
    (folder / "photos").mkdir()
    world = World(folder / "photos", ArchiveFolder(folder / "archive"))
    life = Life(world, seed)
    life.step("add")
    for what in steps:
        life.step(what)
    assert_comes_back(world, seed % 2)
    for what in steps[:2]:
        life.step(what)
    assert_comes_back(world)
    shutil.rmtree(folder)


@pytest.mark.parametrize("how", ["lost", "cut", "flipped", "both", "no header"])
def test_the_objects_are_enough(three: World, how: str) -> None:
    """With the catalog lost, and the journal beside it lost or damaged, names, dates, tags, ratings, kept
    queries and the bin are as they were: out of the folder of the photos' files."""
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["best"], np.array([1, 3]))
        rating.rate(catalog, 4, np.array([2]))
        notes.save_query(catalog, "mine", "tag:best")
        bin.remove(catalog, np.array([3]), NOW)
    before = facts(three.archive), answers(three.archive)
    first, second = journals(three.archive)
    whole = first.read_bytes()
    assert second.read_bytes() == whole
    lose(three.archive)
    if how == "lost":
        first.unlink()
    elif how == "cut":
        first.write_bytes(whole[: len(whole) // 2])
    elif how == "no header":
        first.write_bytes(b"\n" + whole)
    else:
        first.write_bytes(whole.replace(b'"best"', b'"bext"'))
    if how == "both":
        second.write_bytes(whole.replace(b'"rating"', b'"rasing"'))
    damaged = first.read_bytes() if first.exists() else None
    report = rebuild.rebuild(three.archive)
    assert (report.photos, report.from_files, report.unread) == (3, 0, 0)
    assert (facts(three.archive), answers(three.archive)) == before
    assert check(three.archive, read_data=True) == []
    aside = [each.read_bytes() for each in three.archive.root.glob("journal.*.jsonl")]
    assert aside == ([] if damaged is None else [damaged])


def test_a_second_journal_of_another_name_is_not_mixed_in(three: World) -> None:
    first, second = journals(three.archive)
    other = first.read_bytes().replace(b'"journal":"', b'"journal":"x')
    text = other.splitlines()[0][9:]
    later = b"%08x %s\n" % (zlib.crc32(text), text) + b"".join(other.splitlines(keepends=True)[1:])
    more = b'{"n":%d,"set":[["saved","strange","tree"]]}' % later.count(b"\n")
    later += b"%08x %s\n" % (zlib.crc32(more), more)
    second.write_bytes(later)
    assert_comes_back(three)
    assert second.read_bytes() == first.read_bytes()
    assert [each.read_bytes() for each in second.parent.glob("journal.*.jsonl")] == [later]


def test_a_catalog_that_is_set_aside_says_what_a_damaged_line_said(three: World) -> None:
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["best"], np.array([1]))
        notes.save_query(catalog, "mine", "sky > 0.2")
    before = facts(three.archive)
    for path in journals(three.archive):
        path.write_bytes(path.read_bytes().replace(b'"best"', b'"bext"'))
    assert rebuild.rebuild(three.archive).unread == 0
    assert facts(three.archive) == before


def test_an_archive_of_before_the_journal(three: World) -> None:
    """The first that writes begins it; what was known before then is in it."""
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["best"], np.array([1, 3]))
    with sqlite3.connect(three.archive.root / "catalog.sqlite") as plain:
        plain.execute("DELETE FROM setting WHERE name = 'journal'")
    plain.close()
    three.archive.journal.unlink()
    with three.archive.open_catalog() as catalog:
        notes.save_query(catalog, "mine", "sky > 0.2")
    assert_comes_back(three)


def test_a_catalog_that_is_there_is_kept_aside(three: World) -> None:
    before = facts(three.archive)
    report = rebuild.rebuild(three.archive)
    assert report.aside == three.archive.root / "catalog.1.sqlite"
    assert facts(three.archive) == before
    shutil.copy(report.aside, three.archive.root / "copy.sqlite")
    with closing(sqlite3.connect(three.archive.root / "copy.sqlite")) as plain:
        assert plain.execute("SELECT count(*) FROM photo").fetchone() == (3,)
    assert rebuild.rebuild(three.archive).aside == three.archive.root / "catalog.2.sqlite"
    assert not list(three.archive.root.glob("journal.*.jsonl"))


def test_even_without_any_journal_of_a_catalog_that_is_there(three: World) -> None:
    """What it knows is written down before it is set aside."""
    before = facts(three.archive)
    three.archive.journal.unlink()
    rebuild.rebuild(three.archive)
    assert facts(three.archive) == before


@pytest.mark.parametrize("damage", ["cut", "garbage", "a page", "a letter of its schema", "empty"])
def test_a_damaged_catalog(three: World, damage: str) -> None:
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["best"], np.array([2]))
    file = three.archive.root / "catalog.sqlite"
    before = facts(three.archive), answers(three.archive)
    with closing(sqlite3.connect(file)) as plain:
        plain.execute("PRAGMA journal_mode = DELETE")
    data = bytearray(file.read_bytes())
    data[:] = {
        "cut": data[: len(data) // 2],
        "garbage": b"nothing of a catalog" * 1000,
        "a page": data[:8192] + b"\xff" * 8192 + data[16384:],
        "a letter of its schema": data.replace(b"CREATE TABLE ", b"CR\xe9ATE TABLE ", 1),
        "empty": b"",
    }[damage]
    file.write_bytes(data)
    report = rebuild.rebuild(three.archive)
    assert report.aside is not None
    assert report.aside.read_bytes()[:100] == bytes(data[:100])
    assert (facts(three.archive), answers(three.archive)) == before


@pytest.mark.parametrize(
    ("call", "name", "done"),
    [
        ("unlink", "catalog.rebuild.sqlite-wal", "deleted"),
        ("rename", "catalog.sqlite", "renamed"),
        ("replace", "catalog.rebuild.sqlite", "written"),
    ],
)
def test_a_disk_that_fails_while_files_take_their_places(
    three: World, monkeypatch: pytest.MonkeyPatch, call: str, name: str, done: str
) -> None:
    before = facts(three.archive), answers(three.archive)
    usual = getattr(Path, call)

    def failing(path: Path, *given: Any, **named: Any) -> Any:
        if path.name == name:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return usual(path, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Path, call, failing)
        said = rf"cannot be {done} \(Input/output error\); check the disk and its permissions"
        with pytest.raises(ArchiveError, match=said):
            rebuild.rebuild(three.archive)
    rebuild.rebuild(three.archive)
    assert (facts(three.archive), answers(three.archive)) == before


def test_files_alone_are_enough_for_answers(three: World) -> None:
    """Without any journal, too: tags and paths are gone, photos are not."""
    with three.archive.open_catalog() as catalog:
        shown = [row[3:] for row in catalog.rows("SELECT id, path, added_at, coverages FROM photo")[0]]
    lose(three.archive, *journals(three.archive))
    report = rebuild.rebuild(three.archive)
    assert (report.photos, report.from_files) == (3, 3)
    with three.archive.open_catalog() as catalog:
        assert sorted(row[0] for row in catalog.rows("SELECT coverages FROM photo")[0]) == sorted(
            row[0] for row in shown
        )
        assert check(three.archive) == []
    three.ingest()
    with three.archive.open_catalog() as catalog:
        assert sorted(path for (path,) in catalog.rows("SELECT path FROM photo")[0]) == sorted(
            str(three.photos / name) for name in ("a.jpg", "b.jpg", "c.jpg")
        )
        assert catalog.count() == 3


def test_an_original_in_a_file_tells_of_itself(world: World) -> None:
    path = world.photo("a.jpg")
    world.ingest(keep="exact")
    lose(world.archive, *journals(world.archive))
    rebuild.rebuild(world.archive)
    with world.archive.open_catalog() as catalog:
        photo = catalog.photo(1)
    assert photo is not None
    assert (photo.file_size, photo.keep) == (path.stat().st_size, "exact")


def test_a_file_without_a_row_is_taken_up(three: World) -> None:
    with three.archive.open_catalog() as catalog:
        photo = catalog.photo(2)
        assert photo is not None
        data = three.archive.store.read(photo.content_hash)
    new = hashlib.sha256(b"another").hexdigest()
    three.archive.store.write(new, data)
    report = rebuild.rebuild(three.archive)
    assert (report.photos, report.from_files) == (4, 1)
    lose(three.archive)
    assert rebuild.rebuild(three.archive).from_files == 0  # it is in the journal since


def test_a_missing_file_is_set_apart_and_comes_back(three: World) -> None:
    with three.archive.open_catalog() as catalog:
        photo = catalog.photo(2)
        notes.add_tags(catalog, ["best"], np.array([2]))
    assert photo is not None
    before = facts(three.archive)
    data = three.archive.store.read(photo.content_hash)
    three.archive.store.remove(photo.content_hash)
    lose(three.archive)
    assert rebuild.rebuild(three.archive).lost == 1
    with three.archive.open_catalog() as catalog:
        lost = catalog.photo(2)
        assert lost is not None
        assert (lost.state, catalog.tag_counts()) == ("lost", {})
    three.archive.store.write(photo.content_hash, data)
    repair(three.archive, check(three.archive))
    assert facts(three.archive) == before


@pytest.mark.parametrize("how", ["flipped", "missing", "torn"])
def test_damaged_lines_cost_what_they_said_alone(three: World, how: str) -> None:
    with three.archive.open_catalog() as catalog:
        notes.save_query(catalog, "yours", "tree")
        notes.add_tags(catalog, ["best"], np.array([1]))
        notes.save_query(catalog, "mine", "sky > 0.2")
    lines = three.archive.journal.read_bytes().splitlines(keepends=True)
    number = next(i for i, line in enumerate(lines) if b'"best"' in line)
    if how == "flipped":
        lines[number] = lines[number].replace(b"best", b"bext")
    elif how == "missing":
        del lines[number]
    else:
        lines[-1] = lines[-1][:-7]
    three.archive.journal.write_bytes(b"".join(lines))
    damaged = three.archive.journal.read_bytes()
    lose(three.archive, journals(three.archive)[1])
    report = rebuild.rebuild(three.archive)
    assert report.unread == (how != "torn")
    with three.archive.open_catalog() as catalog:
        assert catalog.tag_names() == (["best"] if how == "torn" else [])
        assert set(catalog.saved_queries()) == ({"yours"} if how == "torn" else {"yours", "mine"})
        assert catalog.count() == 3
    aside = list(three.archive.root.glob("journal.*.jsonl"))
    assert [each.read_bytes() for each in aside] == ([] if how == "torn" else [damaged])


def test_a_line_about_a_photo_that_is_damaged_keeps_its_tags(three: World) -> None:
    """What is known of paths and tags waits for the photo, which comes out of its file."""
    with three.archive.open_catalog() as catalog:
        photo = catalog.photo(1)
        notes.add_tags(catalog, ["best"], np.array([1]))
    assert photo is not None
    text = three.archive.journal.read_bytes()
    lines = text.splitlines(keepends=True)
    about = [i for i, line in enumerate(lines) if b'["photo","' + photo.content_hash.encode() in line]
    other = b"".join(
        line if i not in about else line[:20].replace(b"n", b"m") + line[20:] for i, line in enumerate(lines)
    )
    # the paths stand in the same line as the photo: they are said again
    again = b'{"n":%d,"set":[["paths","%s",[]]]}' % (len(lines), photo.content_hash.encode())
    three.archive.journal.write_bytes(other + b"%08x %s\n" % (zlib.crc32(again), again))
    lose(three.archive, journals(three.archive)[1])
    report = rebuild.rebuild(three.archive)
    assert (report.from_files, report.unread) == (1, 1)
    with three.archive.open_catalog() as catalog:
        assert catalog.tag_counts() == {"best": 1}
        assert catalog.count() == 3


def test_nothing_that_a_journal_says_can_do_harm(three: World) -> None:
    """Sound lines of what nobody wrote are passed over."""
    digits = b"ab" * 32
    lines = three.archive.journal.read_bytes()
    start = lines.count(b"\n")
    strange = [
        b'["photo","%s",5]' % digits, b'["photo","%s",{"id":"x"}]' % digits, b'["photo","../../x",{}]',
        b'["photo","%s",{"id":99999999999999999999}]' % digits, b'["tags",5,[]]', b'["tags","%s"]' % digits,
        b'["paths","%s",[5]]' % digits, b'["seen","1-x","2024-01-01"]', b'["seen","1","never"]', b"5",
        b'["saved","mine",{}]', b'["setting","folders",[1]]', b'["purged","%s","x"]' % digits,
        b'["later kind","x",1]',
    ]  # fmt: skip
    for number, change in enumerate(strange, start):
        text = b'{"n":%d,"set":[%s]}' % (number, change)
        lines += b"%08x %s\n" % (zlib.crc32(text), text)
    before = facts(three.archive)
    lose(three.archive, journals(three.archive)[1])
    three.archive.journal.write_bytes(lines)
    report = rebuild.rebuild(three.archive)
    assert report.unread == 12
    assert facts(three.archive) == before


def rebuilt_until(archive: ArchiveFolder, left: int) -> None:
    """Rebuild an archive, and end this process in the midst of a transaction after so many."""
    plain, transactions = Catalog._transaction, iter(range(left))

    @contextmanager
    def transaction(self: Catalog, *arguments: Any) -> Iterator[Any]:
        with plain(self, *arguments) as session:
            yield session
            if next(transactions, None) is None:
                os._exit(9)

    Catalog._transaction = transaction  # type: ignore[method-assign]
    rebuild.PHOTOS_IN_A_BATCH = 1
    rebuild.replaying.LINES_AT_ONCE = 1  # type: ignore[attr-defined]
    rebuild.rebuild(archive)


@pytest.mark.parametrize("lost", [True, False])
def test_a_rebuild_that_is_killed_goes_on(three: World, lost: bool) -> None:
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["best"], np.array([1]))
        bin.remove(catalog, np.array([2]), NOW)
    before = facts(three.archive), answers(three.archive)
    if lost:
        lose(three.archive)
    codes = [
        ended(partial(rebuilt_until, three.archive, left), three.archive.root)
        for left in (0, 1, 4, 3, 3, 2, 2, 1)
    ]
    assert set(codes) <= {9, 0}
    assert codes[0] == 9
    rebuild.rebuild(three.archive)
    assert (facts(three.archive), answers(three.archive)) == before
    assert not (three.archive.root / BUILDING).exists()
    assert not list(three.archive.root.glob("journal.*.jsonl"))


def test_another_catalogs_journal_is_not_used_unasked(three: World, tmp_path: Path) -> None:
    own = three.archive.journal.read_bytes()
    other = World(tmp_path / "others", ArchiveFolder(tmp_path / "other"))
    other.photo("z.jpg")
    other.ingest()
    three.archive.journal.write_bytes(other.archive.journal.read_bytes())
    kept = three.archive.root / "journal.9.jsonl"
    kept.write_bytes(own)
    before = facts(three.archive)
    with pytest.raises(
        ArchiveError, match=r"is not the journal of the catalog that is there; .*journal=path"
    ):
        rebuild.rebuild(three.archive)
    assert facts(three.archive) == before
    rebuild.rebuild(three.archive, journal=kept)
    assert facts(three.archive) == before
    with pytest.raises(UsageError, match="no such file"):
        rebuild.rebuild(three.archive, journal=tmp_path / "nothing")


def test_not_while_others_use_it(three: World) -> None:
    with three.archive.open_catalog() as catalog, catalog.session() as session:
        session.connection()
        with pytest.raises(ArchiveError, match="another program has it open"):
            rebuild.rebuild(three.archive)
    with three.archive.writing(), pytest.raises(ArchiveError, match="writing to"):
        rebuild.rebuild(three.archive)
    Manifest(catalog="sqlite:///x.db").write(three.archive.root)
    with pytest.raises(ArchiveError, match="only a catalog in the archive's own folder"):
        rebuild.rebuild(ArchiveFolder(three.archive.root))


def test_a_log_that_was_left_is_not_read_into_the_new_one(three: World) -> None:
    """SQLite would apply it to whatever lies there under its name."""
    file = three.archive.root / "catalog.sqlite"
    before = facts(three.archive)
    with three.archive.open_catalog() as catalog:
        notes.add_tags(catalog, ["best"], np.array([1]))
        log = file.with_name(file.name + "-wal").read_bytes()
    with three.archive.open_catalog() as catalog:
        notes.remove_tags(catalog, ["best"], None)
    lose(three.archive)
    assert log
    file.with_name(file.name + "-wal").write_bytes(log)
    rebuild.rebuild(three.archive)
    assert facts(three.archive) == before
