"""Reading a whole catalog as it was at one moment, rows by the thousand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Executable

CHUNK = 20_000  # rows


class Snapshot:
    """The catalog as it was at one moment, however long the reading takes; made by `Catalog.snapshot`.

    ``generation`` is that moment's; what is built from the snapshot carries it.
    """

    def __init__(self, connection: Connection, generation: int) -> None:
        self.generation = generation
        self._connection = connection

    def rows(self, statement: Executable, chunk: int = CHUNK) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of any SELECT over the catalog, in lists of ``chunk`` (the last may be shorter)."""
        with self._connection.execution_options(yield_per=chunk).execute(statement) as result:
            yield from (list(map(tuple, part)) for part in result.partitions())
