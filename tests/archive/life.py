"""What must be known of an archive's photos, by content: the model of `tests.archive.test_life`, and the ways
to end a command in its midst."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from unittest import mock

from sqlalchemy import event
from sqlalchemy.orm import Session

from dsslic_search.archive.store import Store
from tests.archive.conftest import dsslic_of

DELETED = ""  # in the place of a content that was deleted for good


@dataclass
class Known:
    """What must be known of some content. ``live``: files at which it lies, and the time of each when it was
    seen. ``ends``: those at which it lay, with the content that took its place, if it ended so. ``given``: of
    those, whose tags were given on. ``stored``: what is on the disk where the archive keeps it."""

    live: dict[str, int] = field(default_factory=dict)
    ends: dict[str, str | None] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    removed: bool = False
    lost: bool = False
    stored: Literal["sound", "damaged", "away"] = "sound"

    @property
    def state(self) -> str:
        replaced = any(by is not None for by in self.ends.values())
        lies = "here" if self.live else "replaced" if replaced else "missing"
        return "removed" if self.removed else "lost" if self.lost else lies

    @property
    def fault(self) -> str | None:
        """What a check finds of it."""
        if self.lost:
            return "returned" if self.stored == "sound" else None
        return {"sound": None, "damaged": "damaged", "away": "missing"}[self.stored]

    def end(self, file: str, by: str | None) -> None:
        self.live.pop(file, None)
        self.ends[file] = None if self.live else by
        self.given.discard(file)


class Model(dict[str, Known]):
    """By content. ``purged``: contents that were deleted for good."""

    def __init__(self) -> None:
        super().__init__()
        self.purged: set[str] = set()

    def with_state(self, *states: str) -> set[str]:
        return {content for content, known in self.items() if known.state in states}

    def saw(self, file: str, content: str, time: int) -> None:
        own = self.setdefault(content, Known())
        own.ends.pop(file, None)
        own.live[file] = time
        own.ends = dict.fromkeys(own.ends)
        for other in self.values():
            if other is not own and file in other.live:
                other.end(file, content)

    def store(self, content: str) -> None:
        """Its original was stored, for the first time or anew."""
        known = self.setdefault(content, Known())
        known.stored, known.lost = "sound", False
        self.purged.discard(content)

    def give_tags(self) -> None:
        pairs = [
            (each, file, self[by])
            for each in self.values()
            for file, by in each.ends.items()
            if by not in (None, DELETED) and file not in each.given
        ]
        while any(not each.tags <= later.tags for each, _, later in pairs):
            for each, _, later in pairs:
                later.tags |= each.tags
        for each, file, _ in pairs:
            each.given.add(file)

    def take_back(self) -> None:
        for known in self.values():
            known.lost = known.lost and known.stored != "sound"

    def repair(self) -> None:
        self.take_back()
        for known in self.values():
            if known.stored != "sound":
                known.lost = True
                known.stored = "away"

    def purge(self, content: str) -> None:
        del self[content]
        self.purged.add(content)
        for other in self.values():
            for file, by in other.ends.items():
                other.ends[file] = DELETED if by == content else by


def original_of(content: str) -> bytes:
    return b"PHOTO" + content.encode()


def hash_of(content: str) -> str:
    return hashlib.sha256(original_of(content)).hexdigest()


def damage(store: Store, content: str) -> None:
    store.path_of(hash_of(content)).write_bytes(dsslic_of(original_of(content))[:-1])


def put_back(store: Store, content: str) -> None:
    store.path_of(hash_of(content)).write_bytes(dsslic_of(original_of(content)))


class Killed(BaseException):
    """As when a process ends at once: nothing catches it."""


@contextmanager
def killed_at(number: int) -> Iterator[None]:
    """Ends a command at the so manieth time that it is about to write, rename or delete a file of the
    archive, or to commit a transaction."""
    left = number

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise Killed

    def before(real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **more: Any) -> Any:
            count()
            return real(*given, **more)

        return counted

    event.listen(Session, "before_commit", count)
    try:
        with (
            mock.patch.object(Store, "write", before(Store.write)),
            mock.patch.object(Store, "remove", before(Store.remove)),
            mock.patch.object(Store, "set_aside", before(Store.set_aside)),
        ):
            yield
    finally:
        event.remove(Session, "before_commit", count)
