"""Work off the event loop: a few threads, and few requests that wait for one."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.types import Receive

from dsslic_search.web.refusals import Refusal

T = TypeVar("T")


async def while_awaited(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives. It is cancelled when who asked, of whom ``receive`` tells, has left: what waits
    for a thread of a `Pool` is not begun then. Refusal 503, which nobody reads."""
    answer, leaving = asyncio.create_task(work), asyncio.create_task(_left(receive))
    try:
        await asyncio.wait((answer, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise Refusal(503, "nobody waits for this any more")
        return answer.result()
    finally:
        answer.cancel()
        leaving.cancel()
        await asyncio.gather(answer, leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Pool:
    """``threads`` threads; at most ``waiting`` more pieces of work wait for one."""

    def __init__(self, name: str, threads: int, waiting: int, seconds: float) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._room = threads + waiting
        self._seconds = seconds
        self._held = 0
        self._last = time.monotonic()
        self._turn = threading.Lock()

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """What ``work`` gives, or raises. Refusal 503 when too many wait, when the pool is closed, and when
        it takes too long: then it goes on to its end, but nobody waits for it."""
        with self._turn:
            if self._held >= self._room:
                raise Refusal(
                    503, "the server has too much to do; ask again in a moment", {"Retry-After": "1"}
                )
            self._held += 1
        try:
            future = self._executor.submit(work, *arguments)
        except RuntimeError:  # no thread takes anything after `close`
            raise Refusal(503, "the server is ending") from None
        future.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._seconds)
        except TimeoutError:
            raise Refusal(
                503, f"this took longer than {self._seconds:g} seconds; ask for less", {"Retry-After": "10"}
            ) from None

    def _done(self, _future: Future[Any]) -> None:
        with self._turn:
            self._held -= 1
            self._last = time.monotonic()

    def seconds_of_rest(self) -> float:
        """For how long there has been nothing to do."""
        with self._turn:
            return 0.0 if self._held else time.monotonic() - self._last

    def close(self) -> None:
        """Wait for what runs; what waits is given up."""
        self._executor.shutdown(wait=True, cancel_futures=True)
