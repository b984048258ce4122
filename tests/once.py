"""What many tests need, worked out once a run: what networks see in a photo and make of it, coded pictures, a
new catalog, archives of sample photos, the text of statements, machine code. And what no test needs: waiting
until a disk has what was written.

What follows from what it is given alone is kept by it: the answers of SegNet and of the image words for each
photo's pixels, whichever process of pytest asked first; one empty catalog that others are copies of; and in
each process what FineNet and the restoration network make and what x265 codes.
Where the networks, the coder (`coded_anew`), the catalog and the migrations are at home (`at_home`),
each is made anew.
Machine code is kept by the package itself; here one process compiles, and others wait for what it keeps.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy
from filelock import FileLock
from sqlalchemy import URL, Dialect, Engine
from sqlalchemy.util import LRUCache

from dsslic_search.archive import database
from dsslic_search.codec.bpg import file
from dsslic_search.codec.machine_code import Loop, MachineCode
from dsslic_search.index import compiling
from dsslic_search.networks import runtime, weights
from tests.measured import as_written

SEGMENT, IMAGE_WORDS = runtime.segment, runtime.image_words
UPGRADE, CREATE_ENGINE = database.upgrade, sqlalchemy.create_engine
MADE, COMPILE, COMPILED = MachineCode.made, MachineCode.compile, compiling._compiled
MAKE_ENGINE = database.make_engine

AT_HOME = runtime.network, weights.find, weights.folder  # what says which network is asked
MAKE_COARSE, CORRECTIONS, ENCODE_INTRA = runtime.make_coarse, runtime.corrections, file.encode_intra

STATEMENTS = 2000  # kept as text
KEPT: list[Path] = []
"""The folder that all processes of a run share, while there is one."""
RESULTS = 200  # of one kind of work, kept in memory
LARGEST_RESULT_BYTES = 300_000


def digest(*given: Any) -> bytes:
    """Tells arguments apart: arrays by their content, sequences by what is in them, others by their repr."""
    made = hashlib.blake2b(digest_size=16)
    for each in given:
        if isinstance(each, np.ndarray):
            made.update(f"{each.shape} {each.dtype}".encode())
            made.update(np.ascontiguousarray(each))
        else:
            made.update(
                digest(*each) if isinstance(each, tuple | list) else f"{type(each)} {each!r}".encode()
            )
        made.update(b"|")
    return made.digest()


def remembered(work: Callable[..., Any]) -> Callable[..., Any]:
    """What ``work`` returns for the same arguments, which has to follow from these alone: worked out once in
    this process, and given as a copy."""
    kept: Any = LRUCache(RESULTS)

    def found(*given: Any, **how: Any) -> Any:
        if (runtime.network, weights.find, weights.folder) != AT_HOME:  # a test has put others there
            return work(*given, **how)
        key = digest(*given, *sorted(how.items()))
        data = kept.get(key)
        if data is None:
            made = work(*given, **how)
            data = pickle.dumps(list(made) if isinstance(made, Iterator) else made)
            if len(data) <= LARGEST_RESULT_BYTES:
                kept[key] = data
        return pickle.loads(data)

    return found


def filled(name: str, fill: Callable[[Path], object]) -> Path:
    """A folder of the run that ``fill`` was given, by whichever process came first; for tests to copy, not to
    change."""
    folder = KEPT[-1] / name
    with FileLock(f"{folder}.lock"):
        whole = folder.with_name(f"{name}.whole")
        if not whole.is_file():
            shutil.rmtree(folder, ignore_errors=True)  # of a process that could not fill it
            folder.mkdir()
            fill(folder)
            whole.touch()
    return folder


def copying(empty: Path) -> Callable[..., None]:
    """What stands for `database.upgrade` where migrations are not what is tested: a catalog that has nothing
    yet becomes a copy of the one at ``empty``, which is made when the first is asked for."""
    making = threading.Lock()

    def upgrade(engine: Engine, revision: str = "head") -> None:
        path = engine.url.database
        if revision != "head" or not path or engine.dialect.name != "sqlite" or not _is_empty(path):
            UPGRADE(engine, revision)
            return
        with making:
            if not empty.is_file():
                made = database.make_engine(database.url_of(empty), foreign_keys=False)
                UPGRADE(made)
                made.dispose()
        with closing(sqlite3.connect(empty)) as source, closing(sqlite3.connect(path)) as target:
            target.execute("PRAGMA synchronous = OFF")  # as the others of tests, see `make_engine`
            source.backup(target)

    return upgrade


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """While in it, answers of networks are kept in a folder, and so is the empty catalog."""
    KEPT.append(folder)

    def seen(
        look: Callable[..., tuple[Any, Any]], pixels: np.ndarray, *how: Any, **named: Any
    ) -> tuple[Any, Any]:
        if runtime.network is not AT_HOME[0]:  # a test has put another one there
            return look(pixels, *how, **named)
        digest = hashlib.blake2b(f"{look.__name__} {pixels.shape} {pixels.dtype} {how} {named}".encode())
        digest.update(np.ascontiguousarray(pixels))
        kept = folder / digest.hexdigest()[:32]
        if not kept.is_file():
            made = kept.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            made.write_bytes(pickle.dumps(look(pixels, *how, **named)))
            made.replace(kept)
        # No .npy: threads of Python before 3.11.8 that read its headers at once fail now and then.
        found: tuple[Any, Any] = pickle.loads(kept.read_bytes())
        return found

    dialects: dict[str, Dialect] = {}
    statements: Any = LRUCache(STATEMENTS)

    def create_engine(url: URL, **options: Any) -> Engine:
        """Engines of one kind of database share the statements that are made into text."""
        made = CREATE_ENGINE(url, **options)
        known = dialects.setdefault(url.drivername, made.dialect)
        if hasattr(
            known, "default_isolation_level"
        ):  # else its engine has not yet reached a server, or never
            made.dialect = made.pool._dialect = known
        else:
            dialects[url.drivername] = made.dialect
        made._compiled_cache = statements
        return made

    def make_engine(*given: Any, **how: Any) -> Engine:
        """Catalogs of tests have to outlive no power cut."""
        made = MAKE_ENGINE(*given, **how)
        if made.dialect.name == "sqlite":
            sqlalchemy.event.listen(
                made, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF")
            )
        return made

    def machine_code(code: MachineCode, pays: bool = True) -> Loop | None:
        if code.is_known:
            return MADE(code)
        with FileLock(folder / f"{code.entry.__name__}.lock"):
            return MADE(code, pays)

    def compile_(code: MachineCode) -> Any:
        with as_written(f for module in code.modules for f in vars(module).values()):
            return COMPILE(code)

    @cache
    def compiled(loop: compiling.Loop) -> compiling.Loop:
        with as_written([loop]):
            made: Any = COMPILED(loop)

        def run(*arrays: Any) -> Any:
            if getattr(made, "overloads", True):  # it is made for some kinds of arrays
                return made(*arrays)
            with FileLock(folder / "loops.lock"), as_written([loop]):
                return made(*arrays)

        return run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # which refuses what is no open file, too
        patch.setattr(database, "make_engine", make_engine)
        patch.setattr(runtime, "segment", partial(seen, SEGMENT))
        patch.setattr(runtime, "image_words", partial(seen, IMAGE_WORDS))
        patch.setattr(runtime, "make_coarse", remembered(MAKE_COARSE))
        patch.setattr(runtime, "corrections", remembered(CORRECTIONS))
        patch.setattr(file, "encode_intra", remembered(ENCODE_INTRA))
        patch.setattr(database, "upgrade", copying(folder / f"{os.getpid()}.sqlite"))
        patch.setattr(database, "create_engine", create_engine)
        patch.setattr(MachineCode, "made", machine_code)
        patch.setattr(MachineCode, "compile", compile_)
        patch.setattr(compiling, "_compiled", compiled)
        try:
            yield
        finally:
            KEPT.pop()


@contextmanager
def at_home() -> Iterator[None]:
    """While in it, nothing is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "segment", SEGMENT)
        patch.setattr(runtime, "image_words", IMAGE_WORDS)
        patch.setattr(runtime, "make_coarse", MAKE_COARSE)
        patch.setattr(runtime, "corrections", CORRECTIONS)
        patch.setattr(file, "encode_intra", ENCODE_INTRA)
        patch.setattr(database, "upgrade", UPGRADE)
        patch.setattr(database, "create_engine", CREATE_ENGINE)
        patch.setattr(MachineCode, "made", MADE)
        yield


@contextmanager
def coded_anew() -> Iterator[None]:
    """While in it, pictures that x265 codes are not kept; all else is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file, "encode_intra", ENCODE_INTRA)
        yield


def _is_empty(path: str) -> bool:
    """Whether an SQLite file that is there has no tables yet."""
    with closing(sqlite3.connect(path)) as database_file:
        return database_file.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
