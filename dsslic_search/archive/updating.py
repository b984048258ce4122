"""What bringing a catalog up to date tells of itself: whatever was asked of an archive may open it, and a
million photos take minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

Progress = Callable[[int, int], None]
"""Called with rows settled and in all."""


@dataclass(frozen=True)
class Watcher:
    """Who is told. ``begun`` gives what is called while a part of the work goes on; ``say`` takes a
    sentence."""

    begun: Callable[[], AbstractContextManager[Progress]] = lambda: nullcontext(lambda _done, _total: None)
    say: Callable[[str], None] = lambda _sentence: None


MANY_ROWS = 50_000  # to convert, which take long enough to be told first

_WATCHERS = [Watcher()]


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Until the block ends, whatever this process brings up to date is told to ``watcher``."""
    _WATCHERS.append(watcher)
    try:
        yield
    finally:
        _WATCHERS.remove(watcher)


@contextmanager
def counting(rows: int) -> Iterator[Callable[[int], None]]:
    """A block that settles so many rows; what it gives is called with how many more are."""
    done = 0
    if rows >= MANY_ROWS:
        say(
            f"bringing the catalog up to date: {rows} rows, all or none of them; whoever stops it leaves the "
            "catalog as it was"
        )
    with _WATCHERS[-1].begun() as progress:

        def settled(more: int) -> None:
            nonlocal done
            done += more
            progress(done, rows)

        yield settled


def say(sentence: str) -> None:
    """Tell what is not what it should be, or takes long."""
    _WATCHERS[-1].say(sentence)
