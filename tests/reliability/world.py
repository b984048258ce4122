"""A small archive of real photos, what is done to it, and everything that is to be told of it afterwards."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import URL, Dialect, Engine, select
from sqlalchemy.util import LRUCache

from dsslic_search.api import Archive, restore_backup
from dsslic_search.archive import database
from dsslic_search.archive.ingest import encode, run, sync
from dsslic_search.archive.ingest.encode import Prepared, Source
from dsslic_search.archive.journaling import OWN_SETTINGS
from dsslic_search.archive.restoring import RESTORING
from dsslic_search.archive.schema import KnownPath, Photo, Purged, Tag
from dsslic_search.core.errors import QueryError, UsageError
from dsslic_search.core.output import ARCHIVE_MANIFEST

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
QUERIES = ("everything", "sky or no sky", "tag:kept", "path:*b*", "no person, sort: path")
OLDEST = "0005"
"""The revision from which a catalog is migrated here."""


class Preparing:
    """Another process, in which photos are prepared: one that never had networks in memory forks in a
    fraction of the time."""

    def __init__(self) -> None:
        self._here, there = multiprocessing.Pipe()
        if os.fork() == 0:
            try:
                self._here.close()
                while True:
                    there.send(self._answer(*there.recv()))
            finally:  # when nobody is left who could ask, too
                os._exit(0)
        there.close()

    @staticmethod
    def _answer(*given: Any) -> Prepared | Exception:
        try:
            return encode.prepare_photo(*given)
        except Exception as e:
            return e

    def prepare_photo(self, source: Source, options: Any, settings: Any, beside: Any) -> Prepared:
        """As `encode.prepare_photo`; one at a time."""
        self._here.send((source, options, settings, beside))
        answer: Prepared | Exception = self._here.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


PREPARE = [encode.prepare_photo]
"""What prepares the photos of this process and those that it forks."""


@lru_cache(maxsize=200)
def _prepared(data: bytes, name: str, options: Any, settings: Any, beside: Any, source: Any) -> Prepared:
    return PREPARE[-1](source.value, options, settings, beside)


class _Same:
    """Stands beside the key of a cache and is no part of it."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same)

    def __hash__(self) -> int:
        return 0


def prepare_once(source: Source, options: Any, settings: Any, beside: Any) -> Prepared:
    """As the ingest prepares a photo, with the networks and the encoder; each once a process and those that
    it forks."""
    return _prepared(source.data, source.name, options, settings, beside, _Same(source))


def keep_what_is_alike(apart: bool = False) -> None:
    """Have all ingests of this process prepare photos so, and its engines share statements. ``apart``: photos
    are prepared by another process, which only one at a time may ask."""
    share_statements()
    if apart:
        PREPARE.append(Preparing().prepare_photo)
    for function in (run.ingest, sync.sync):
        assert function.__kwdefaults__ is not None
        function.__kwdefaults__["prepare"] = prepare_once


def share_statements() -> None:
    """Have all engines of this process share the statements that are made into text."""
    make = database.create_engine
    dialects: dict[str, Dialect] = {}
    statements: Any = LRUCache(2000)

    def create_engine(url: URL, **options: Any) -> Engine:
        made = make(url, **options)
        made.dialect = made.pool._dialect = dialects.setdefault(url.drivername, made.dialect)
        made._compiled_cache = statements
        return made

    database.create_engine = create_engine


def picture(number: int, path: Path) -> None:
    """A small photo, always the same by its number."""
    names = sorted(SAMPLES.glob("*.jpg"))
    with Image.open(names[number % len(names)]) as image:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.resize((48 + number, 32)).save(path, quality=80)
    os.utime(path, ns=(10**18 + number * 10**10,) * 2)


@dataclass(frozen=True)
class World:
    """Photos and their archive under ``root``, or another one that lies there under a ``name``."""

    root: Path
    name: str = "archive"

    @property
    def photos(self) -> Path:
        return self.root / "photos"

    @property
    def archive(self) -> Path:
        return self.root / self.name

    def ingest(self, **wishes: Any) -> None:
        with Archive(self.archive) as opened:
            opened.ingest([self.photos], **{"quality": 60, "effort": 1, "workers": 1} | wishes)

    def id_of(self, name: str) -> int:
        """Of the photo that lies, or lay, at a file of the folder."""
        with Archive(self.archive) as opened:
            return int(opened.catalog.at_path(self.photos / name)[0].id)

    def begin(self) -> None:
        """Three photos, two tagged, one query kept, and indexes."""
        for number, name in enumerate(("a.jpg", "b.jpg", "in/c.jpg")):
            picture(number, self.photos / name)
        self.ingest()
        with Archive(self.archive) as opened:
            opened.tag("kept", [self.id_of("a.jpg"), self.id_of("b.jpg")])
            opened.save("mine", "tag:kept")
            answers(opened)


@dataclass(frozen=True)
class Operation:
    """Something that changes an archive. ``prepare``: makes of the world of `World.begin` what it begins
    with; ``act``: is stopped, and done again; ``deletes``: it takes photos out for good; ``finds``: what
    `check` finds until it is done, by kind; ``said``: what an archive may say of itself until then; ``made``:
    the name of the archive that it writes to; ``begins``: that one has no photos before."""

    prepare: Callable[[World], None]
    act: Callable[[World], None]
    deletes: bool = False
    finds: frozenset[str] = frozenset()
    said: tuple[str, ...] = ()
    made: str = "archive"
    begins: bool = False


def _nothing(_world: World) -> None:
    """All is as it is to be."""


def _no_archive(world: World) -> None:
    shutil.rmtree(world.archive)


def _one_more(world: World) -> None:
    picture(3, world.photos / "d.jpg")


def _changed_files(world: World) -> None:
    (world.photos / "a.jpg").rename(world.photos / "in" / "moved.jpg")
    picture(4, world.photos / "b.jpg")
    (world.photos / "in" / "c.jpg").unlink()
    picture(5, world.photos / "e.jpg")


def _binned(world: World) -> None:
    with Archive(world.archive) as opened:
        opened.remove([world.id_of("a.jpg"), world.id_of("b.jpg")])


def _damaged(world: World) -> None:
    with Archive(world.archive) as opened:
        store = opened.folder.store
        for name in ("a.jpg", "b.jpg"):
            path = store.path_of(opened.photo(world.id_of(name)).content_hash)
            path.write_bytes(path.read_bytes()[:-1] + b"?" if name == "a.jpg" else b"")
    left = path.with_name(".half.tmp")
    left.write_bytes(b"half")


def _older(world: World) -> None:
    from alembic import command

    path = world.archive / "catalog.sqlite"
    engine = database.make_engine(database.url_of(path), foreign_keys=False)
    with database.for_writing(engine).begin() as connection:
        command.downgrade(database.alembic_config(connection), OLDEST)
    engine.dispose()


def _without_catalog(world: World) -> None:
    for path in world.archive.glob("catalog.sqlite*"):
        path.unlink()
    shutil.rmtree(world.archive / "index")


def _without_journal(world: World) -> None:
    _without_catalog(world)
    (world.archive / "journal.jsonl").unlink()


def _back_up(world: World) -> None:
    with Archive(world.archive) as opened:
        opened.backup(world.root / "copy")


def _backed_up_and_changed(world: World) -> None:
    _back_up(world)
    _one_more(world)
    world.ingest()
    with Archive(world.archive) as opened:
        opened.tag("later", [world.id_of("d.jpg")])
        opened.remove([world.id_of("in/c.jpg")])


def _restore(world: World) -> None:
    back = world.root / "back"
    if (back / ARCHIVE_MANIFEST).exists() and not (back / RESTORING).exists():
        with pytest.raises(
            UsageError, match="is not empty"
        ):  # it had come to its end: nothing is overwritten
            restore_backup(world.root / "copy", back)
    else:
        restore_backup(world.root / "copy", back)


def _open(world: World) -> None:
    with Archive(world.archive) as opened:
        opened.catalog.count()


def _act(work: Callable[[Archive, World], object]) -> Callable[[World], None]:
    def act(world: World) -> None:
        with Archive(world.archive) as opened:
            work(opened, world)

    return act


def _repair(opened: Archive, _world: World) -> None:
    opened.repair(opened.check(read_data=True))


def _relink(opened: Archive, world: World) -> None:
    with suppress(UsageError):  # nothing lies there any more, once it is done
        opened.relink(world.photos, world.root / "elsewhere")


def _ask_and_merge(opened: Archive, _world: World) -> None:
    answers(opened)
    opened._settle()


UNFINISHED = "no archive there", "run it again", "make it anew from the photos"

OPERATIONS = {
    "first ingest": Operation(
        _no_archive, World.ingest, said=("no archive there", "run it again"), begins=True
    ),
    "ingest": Operation(_one_more, lambda world: world.ingest(keep="exact")),
    "sync": Operation(_changed_files, _act(lambda opened, _: opened.sync(workers=1))),
    "remove": Operation(
        _nothing, _act(lambda opened, world: opened.remove([world.id_of("a.jpg"), world.id_of("b.jpg")]))
    ),
    "restore": Operation(_binned, _act(lambda opened, _: opened.restore(None))),
    "empty-bin": Operation(_binned, _act(lambda opened, _: opened.empty_bin()), deletes=True),
    "tag": Operation(
        _nothing,
        _act(
            lambda opened, world: opened.tag(["one", "two"], [world.id_of("a.jpg"), world.id_of("in/c.jpg")])
        ),
    ),
    "rate": Operation(_nothing, _act(lambda opened, world: opened.rate(4, [world.id_of("a.jpg")]))),
    "save": Operation(_nothing, _act(lambda opened, _: opened.save("other", "tag:kept", replace=True))),
    "relink": Operation(
        lambda world: world.photos.rename(world.root / "elsewhere") and None,
        _act(_relink),
    ),
    "reindex": Operation(_nothing, _act(lambda opened, _: opened.reindex(workers=1))),
    "merge": Operation(lambda world: (_one_more(world), world.ingest())[0], _act(_ask_and_merge)),
    "migration": Operation(_older, _open),
    "repair": Operation(_damaged, _act(_repair), finds=frozenset(("damaged", "missing"))),
    "rebuild": Operation(
        _without_catalog, _act(lambda opened, _: opened.rebuild()), said=("make it anew from the photos",)
    ),
    "rebuild from objects": Operation(
        _without_journal, _act(lambda opened, _: opened.rebuild()), said=("make it anew from the photos",)
    ),
    "backup": Operation(_nothing, _back_up, said=UNFINISHED, made="copy", begins=True),
    "backup again": Operation(_backed_up_and_changed, _back_up, finds=frozenset(("journal",)), made="copy"),
    "restore-backup": Operation(_back_up, _restore, said=UNFINISHED, made="back", begins=True),
    "parity": Operation(
        _nothing, _act(lambda opened, _: opened.parity(10)), finds=frozenset(("parity",))
    ),
}  # fmt: skip
"""By name; each ends, done twice or once, in the same archive."""


def answers(opened: Archive) -> dict[str, list[str]]:
    """The paths that queries find, in order of paths."""
    found = {}
    for query in QUERIES:
        try:
            found[query] = sorted(hit.path for hit in opened.query(query).hits)
        except QueryError:  # of a tag that no photo has
            found[query] = ["refused"]
    return found


def told(world: World) -> dict[str, Any]:
    """Everything of an archive but moments and numbers: rows, paths, tags, kept queries, what lies in the
    store, and answers."""
    with Archive(world.archive) as opened:
        with opened.catalog.session() as session:
            hashes = dict(session.execute(select(Photo.id, Photo.content_hash)).all())  # type: ignore[arg-type]
            photos = sorted(
                [p.content_hash, p.path, p.state, p.keep, p.quality, p.stored_bytes, p.map_bytes, p.rating]
                + [hashlib.sha256(repr((p.coverages, p.regions, p.embedding)).encode()).hexdigest()]
                for p in session.scalars(select(Photo))
            )
            paths = sorted(
                [hashes[p.photo_id], p.path, p.ended or "", hashes.get(p.replaced_by, "")]
                for p in session.scalars(select(KnownPath))
            )
            tags = sorted([hashes[t.photo_id], t.name] for t in session.scalars(select(Tag)))
            purged = sorted(session.scalars(select(Purged.content_hash)).all())
        store = opened.folder.store
        return {
            "photos": photos,
            "paths": paths,
            "tags": tags,
            "purged": purged,
            "saved": opened.saved_queries(),
            "settings": {
                name: value for name, value in opened.catalog.settings().items() if name not in OWN_SETTINGS
            },
            "files": {each: hashlib.sha256(store.read(each)).hexdigest() for each in store.hashes()},
            "answers": answers(opened),
        }


def sound(path: Path) -> bool:
    """Whether SQLite itself finds nothing wrong with a database; true of one that is not there."""
    if not path.exists():
        return True
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
