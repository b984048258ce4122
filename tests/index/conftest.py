"""A catalog in memory, of photos that are nothing but coverages, dates, embeddings and regions."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from datetime import datetime

import numpy as np
import pytest
from sqlalchemy import create_engine, event, insert
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.schema import Base, Photo
from dsslic_search.features.coverage import Shown, pack_shown
from dsslic_search.features.embedding import DIMENSION

NOON = datetime(2024, 5, 1, 12)
FILLED: dict[str, sqlite3.Connection] = {}
"""Catalogs that others of this process begin as copies of."""


class Counting(Catalog):
    """``statements`` counts the SQL statements that read photos."""

    statements = 0
    _open: Session | None = None

    def holds(self, name: str, fill: Callable[[], object]) -> None:
        """Fill it, while it is empty, as it was filled under this name before in this process."""
        with closing(self.engine.raw_connection()) as pooled:
            own = pooled.driver_connection
            if name in FILLED:
                FILLED[name].backup(own)
        if name not in FILLED:
            fill()
            FILLED[name] = sqlite3.connect(":memory:", check_same_thread=False)
            own.backup(FILLED[name])

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is put meanwhile is one change."""
        with self.changing() as self._open:
            yield
        self._open = None

    def put(
        self,
        photo_id: int,
        fractions: Mapping[int, float],
        taken: datetime | None = None,
        added: datetime = NOON,
        embedding: np.ndarray | None = None,
        regions: bytes | None = None,
    ) -> None:
        vector = np.zeros(DIMENSION, "<f4") if embedding is None else embedding.astype("<f4")
        photo = {
            "id": photo_id, "content_hash": str(photo_id), "path": f"/{photo_id}.jpg", "file_size": 1,
            "modified_at": NOON,
            "added_at": added,
            "format": "JPEG", "width": 1, "height": 1, "taken_at": taken, "keep": "layers", "quality": 75,
            "stored_bytes": 1,
            "map_bytes": 1,
            "vocabulary": "v", "segmenter": "s", "embedding": vector.tobytes(), "regions": regions,
            "stored_coverages": pack_shown(Shown(*pair) for pair in sorted(fractions.items())),
        }  # fmt: skip
        with self.changing() if self._open is None else nullcontext(self._open) as session:
            session.execute(insert(Photo), photo)


@pytest.fixture
def catalogs() -> Iterator[Callable[[], Counting]]:
    """Makes empty catalogs."""
    made: list[Counting] = []

    def new() -> Counting:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        catalog = Counting(engine)
        catalog.holds("", lambda: Base.metadata.create_all(engine))
        made.append(catalog)

        @event.listens_for(engine, "before_cursor_execute")
        def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            catalog.statements += "FROM photo" in statement

        return catalog

    yield new
    for catalog in made:
        catalog.close()


@pytest.fixture
def catalog(catalogs: Callable[[], Counting]) -> Counting:
    return catalogs()
