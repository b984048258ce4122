"""Who works on what, where several machines put photos into one archive.

A lease is of a file, while it is read and its photo is encoded, or of content, by its hash, until its row is
committed; so no photo is encoded twice, and no other way of keeping one comes between its file and its row.
Leases are locks of the database (PostgreSQL's advisory ones) that belong to the connection of
who holds them: with that they end, so nobody has to keep a clock, and what a process held that was killed is
free at once. Nobody waits for another's while work in flight is his own: see `archive.ingest.taking`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

POLL_SECONDS = 0.1


class Leases:
    """Of an archive to which one process alone writes: it may have everything."""

    shared = False
    """Whether others may hold some."""

    def take(self, _key: str) -> bool:
        """Whether the lease of a key, a path or a content hash, is ours now. Raises SQLAlchemyError, as all
        of these do, when the connection that they belong to has ended."""
        return True

    def keep_only(self, keys: Collection[str]) -> None:
        """Give all others back."""

    def require_held(self) -> None:
        """Raise SQLAlchemyError unless what was taken is still ours."""

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Let no other process be in such a block of its own."""
        yield


class SharedLeases(Leases):
    """Of a catalog in PostgreSQL, on a connection in autocommit mode; for use by one thread at a time."""

    shared = True

    def __init__(self, connection: Connection, apart: int) -> None:
        """``apart``: the number of the lock of `apart`."""
        self._connection, self._apart = connection, apart
        self._held: set[str] = set()

    def take(self, key: str) -> bool:
        if key in self._held or self._scalar("SELECT pg_try_advisory_lock(:number)", number_of(key)):
            self._held.add(key)
            return True
        return False

    def keep_only(self, keys: Collection[str]) -> None:
        for key in self._held.difference(keys):
            self._scalar("SELECT pg_advisory_unlock(:number)", number_of(key))
            self._held.discard(key)

    def require_held(self) -> None:
        self._scalar("SELECT :number", 1)

    @contextmanager
    def apart(self) -> Iterator[None]:
        self._scalar("SELECT pg_advisory_lock(:number)", self._apart)
        try:
            yield
        finally:
            self._scalar("SELECT pg_advisory_unlock(:number)", self._apart)

    def _scalar(self, statement: str, number: int) -> object:
        from sqlalchemy import text

        return self._connection.execute(text(statement), {"number": number}).scalar()


def number_of(key: str) -> int:
    """The number of a key's lock, 64 bits with a sign. Two keys of one number would but wait for each
    other."""
    digest = hashlib.sha256(b"lease " + key.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
