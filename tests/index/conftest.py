"""A catalog in memory, of photos that are nothing but coverages, dates, embeddings and regions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
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


class Counting(Catalog):
    """``statements`` counts the SQL statements that read photos."""

    statements = 0
    _open: Session | None = None

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
        Base.metadata.create_all(engine)
        catalog = Counting(engine)
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
