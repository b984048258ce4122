"""What many tests need, worked out once a run: what SegNet sees in a photo, and a new catalog.

Both follow from what they are given alone, so they are kept by it: the answer of SegNet for each photo's
pixels, whichever process of pytest asked first, and one empty catalog that others are copies of. Where the
networks, the catalog and the migrations are at home (`at_home`), each is made anew.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from dsslic_search.archive import database
from dsslic_search.networks import runtime

SEGMENT, NETWORK, UPGRADE = runtime.segment, runtime.network, database.upgrade


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """While in it, answers of SegNet are kept in a folder, and so is the empty catalog."""
    making = threading.Lock()

    def segment(pixels: np.ndarray, map_size: tuple[int, int]) -> np.ndarray:
        if runtime.network is not NETWORK:  # a test has put another one there
            return SEGMENT(pixels, map_size)
        digest = hashlib.blake2b(f"{pixels.shape} {pixels.dtype} {map_size}".encode())
        digest.update(np.ascontiguousarray(pixels))
        kept = folder / f"{digest.hexdigest()[:32]}.npy"
        if not kept.is_file():
            labels = SEGMENT(pixels, map_size)
            made = kept.with_suffix(f".{os.getpid()}-{threading.get_ident()}.npy")
            np.save(made, labels)
            made.replace(kept)
        found: np.ndarray = np.load(kept)
        return found

    def upgrade(engine: Engine, revision: str = "head") -> None:
        path = engine.url.database
        if revision != "head" or not path or engine.dialect.name != "sqlite" or not _is_empty(path):
            UPGRADE(engine, revision)
            return
        empty = folder / f"{os.getpid()}.sqlite"
        with making:
            if not empty.is_file():
                made = database.make_engine(database.url_of(empty), foreign_keys=False)
                UPGRADE(made)
                made.dispose()
        with closing(sqlite3.connect(empty)) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "segment", segment)
        patch.setattr(database, "upgrade", upgrade)
        yield


@contextmanager
def at_home() -> Iterator[None]:
    """While in it, nothing is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "segment", SEGMENT)
        patch.setattr(database, "upgrade", UPGRADE)
        yield


def _is_empty(path: str) -> bool:
    """Whether an SQLite file that is there has no tables yet."""
    with closing(sqlite3.connect(path)) as database_file:
        return database_file.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
