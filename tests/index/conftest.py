"""A catalog in memory, of photos that are nothing but coverages, dates and embeddings."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pytest
from sqlalchemy import Engine, create_engine, event, insert
from sqlalchemy.pool import StaticPool

from dsslic_search.archive.models import Base, Coverage, Photo
from dsslic_search.features.embedding import DIMENSION

NOON = datetime(2024, 5, 1, 12)


@dataclass
class Catalog:
    engine: Engine
    changes: int = 1
    statements: int = 0

    def generation(self) -> int:
        return self.changes

    def add(
        self,
        photo_id: int,
        fractions: Mapping[int, float],
        taken: datetime | None = None,
        added: datetime = NOON,
        embedding: np.ndarray | None = None,
    ) -> None:
        vector = np.zeros(DIMENSION, "<f4") if embedding is None else embedding.astype("<f4")
        photo = {
            "id": photo_id, "content_hash": str(photo_id), "path": f"/{photo_id}.jpg", "file_size": 1, "modified_at": NOON,
            "added_at": added,
            "format": "JPEG", "width": 1, "height": 1, "taken_at": taken, "keep": "layers", "quality": 75, "stored_bytes": 1,
            "map_bytes": 1,
            "vocabulary": "v", "segmenter": "s", "embedding": vector.tobytes(),
        }  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(insert(Photo), photo)
            for class_id, fraction in fractions.items():
                connection.execute(insert(Coverage), {"photo_id": photo_id, "class_id": class_id, "fraction": fraction})
        self.changes += 1


@pytest.fixture
def catalogs() -> Iterator[Callable[[], Catalog]]:
    """Makes empty catalogs; ``statements`` counts the SQL statements of each."""
    made: list[Engine] = []

    def new() -> Catalog:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        Base.metadata.create_all(engine)
        catalog = Catalog(engine)
        made.append(engine)

        @event.listens_for(engine, "before_cursor_execute")
        def count(*_: object) -> None:
            catalog.statements += 1

        return catalog

    yield new
    for engine in made:
        engine.dispose()


@pytest.fixture
def catalog(catalogs: Callable[[], Catalog]) -> Catalog:
    return catalogs()
