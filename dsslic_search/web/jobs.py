"""Work that goes on while the server answers: one thing after the other, with events that pages follow."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dsslic_search.core.errors import DSSError
from dsslic_search.web.refusals import Refusal, Worded, plain_error

if TYPE_CHECKING:
    from dsslic_search.api import Duplicates

EVENTS_KEPT = 10_000
LISTENERS = 64
WAITING_JOBS = 100
SECONDS_BETWEEN_SIGNS = 15
"""Of life, where nothing happens."""


class Events:
    """What happened, numbered from 1, the last ones kept; and who listens. ``add`` may be called from any
    thread."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, str, dict[str, Any]]] = deque(maxlen=EVENTS_KEPT)
        self._number = 0
        self._turn = threading.Lock()
        self._listeners: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._ended = False

    @property
    def last(self) -> int:
        """The number of the last event; 0 before the first."""
        return self._number

    def add(self, kind: str, data: dict[str, Any]) -> None:
        """Tell something."""
        with self._turn:
            self._number += 1
            self._kept.append((self._number, kind, data))
        self._wake()

    def end(self) -> None:
        """Let everybody go who listens."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        for loop, event in list(self._listeners):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def after(self, number: int) -> list[tuple[int, str, dict[str, Any]]]:
        """The events kept that came after a number."""
        with self._turn:
            return [each for each in self._kept if each[0] > number]

    async def listen(self, after: int) -> AsyncIterator[bytes]:
        """Events after a number, as server-sent events, until the server ends."""
        event = asyncio.Event()
        me = asyncio.get_running_loop(), event
        self._listeners.add(me)
        try:
            yield b": here\n\n"
            while not self._ended:
                event.clear()
                for number, kind, data in self.after(after):
                    after = number
                    text = json.dumps(data, separators=(",", ":"))
                    yield f"id: {number}\nevent: {kind}\ndata: {text}\n\n".encode("ascii")
                try:
                    await asyncio.wait_for(event.wait(), SECONDS_BETWEEN_SIGNS)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._listeners.discard(me)

    def check_room(self) -> None:
        """Refusal 503 where too many listen."""
        if len(self._listeners) >= LISTENERS:
            raise Refusal(503, "too many pages follow already; close some", {"Retry-After": "10"})


class Jobs:
    """A queue of work, of which one piece is done at a time, in a thread of its own."""

    def __init__(self, name: str, worded: Worded) -> None:
        self.events = Events()
        self.ending = threading.Event()
        self._worded = worded
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._held = 0
        self._number = 0
        self._turn = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether anything is done, or waits."""
        return self._held > 0

    def start(self, work: Callable[[int], None]) -> int:
        """Have ``work`` done with the number of its job, which is returned. An error of the library is told
        as the event "failed". Refusal 503 where too much waits."""
        with self._turn:
            if self._held >= WAITING_JOBS:
                raise Refusal(503, "too much waits to be done; try again later", {"Retry-After": "60"})
            self._held += 1
            self._number += 1
            number = self._number
        self._executor.submit(self._done, work, number)
        return number

    def _done(self, work: Callable[[int], None], number: int) -> None:
        try:
            if not self.ending.is_set():
                work(number)
        except DSSError as e:
            self.events.add("failed", {"job": number, "error": plain_error(e, self._worded)})
        except Exception as e:
            trouble = DSSError(f"the server failed ({type(e).__name__}: {e}); please report it")
            self.events.add("failed", {"job": number, "error": plain_error(trouble, str)})
        finally:
            with self._turn:
                self._held -= 1

    def end(self) -> None:
        """Begin no more, and ask what runs to stop soon."""
        self.ending.set()
        self.events.end()

    def close(self) -> None:
        """Wait for what runs."""
        self.end()
        self._executor.shutdown(wait=True, cancel_futures=True)


@dataclass
class Search:
    """The last search for duplicates: ``state`` is "idle", "running", "done" or "failed"."""

    state: str = "idle"
    done: int = 0
    total: int = 0
    found: Duplicates | None = None
    error: dict[str, Any] | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)
