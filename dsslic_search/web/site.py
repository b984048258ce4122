"""What all endpoints share: the archive, who works on it, what is kept, what is allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from fastapi import Request

from dsslic_search.web.jobs import Jobs, Search
from dsslic_search.web.limits import Limits
from dsslic_search.web.models import Refused
from dsslic_search.web.pictures import Cache
from dsslic_search.web.refusals import Refusal, Worded
from dsslic_search.web.tokens import Likenesses
from dsslic_search.web.work import Pool

if TYPE_CHECKING:
    from dsslic_search.api import Archive, Event, IngestReport

T = TypeVar("T")

QUERY_CHARACTERS = 10_000
LARGEST_ID = 2**63 - 1
EXPORT_SECONDS = 3600
ASKING_THREADS = 4
"""Questions answered at once; indexes are read in parallel as far as numpy lets go of the interpreter."""


class Says(Protocol):
    """Tells whoever runs the server what becomes of photos that are put in; the page has its events."""

    def step(self, event: Event) -> None:
        """A step of any ingest."""

    def report(self, report: IngestReport) -> None:
        """What a sync of the folders that the archive follows did."""

    def trouble(self, sentence: str) -> None:
        """What does not go well with following them."""


class SaysNothing:
    """To nobody."""

    def step(self, event: Event) -> None: ...

    def report(self, report: IngestReport) -> None: ...

    def trouble(self, sentence: str) -> None: ...


@dataclass
class Site:
    """``archive``: open as long as the server runs. ``worded``: sentences of the library in the reader's
    words. ``incoming``: the folder that files go into which are dropped on the page. ``read_only``: nothing
    is changed; ``watching``: the archive follows its folders meanwhile. ``says``: to whoever runs the
    server, from any thread."""

    archive: Archive
    limits: Limits
    pictures: Cache
    worded: Worded = str
    incoming: Path | None = None
    read_only: bool = False
    watching: bool = False
    says: Says = field(default_factory=SaysNothing)
    asking: Pool = field(init=False)
    decoding: Pool = field(init=False)
    changing: Pool = field(init=False)
    exporting: Pool = field(init=False)
    looking: Pool = field(init=False)
    likenesses: Likenesses = field(init=False)
    search: Search = field(default_factory=Search)
    searches: Jobs = field(init=False)
    ingests: Jobs = field(init=False)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        limits = self.limits
        self.asking = Pool("asking", ASKING_THREADS, limits.waiting, limits.seconds)
        self.decoding = Pool("decoding", limits.decoders, limits.waiting, limits.seconds)
        self.changing = Pool("changing", 1, limits.waiting, limits.seconds)
        self.exporting = Pool("exporting", 1, 8, EXPORT_SECONDS)
        self.searches, self.ingests = Jobs("searching", self.worded), Jobs("ingesting", self.worded)
        self.looking = Pool("looking", 1, limits.waiting, limits.seconds)
        self.likenesses = Likenesses(self.pictures, self.archive.vocabulary.identity)

    async def ask(self, work: Callable[..., T], *arguments: Any) -> T:
        """What the archive answers, off the event loop."""
        return await self.asking.run(work, *arguments)

    async def change(self, work: Callable[..., T], *arguments: Any) -> T:
        """What a change of the archive gives: one after the other. Refusal 403 where nothing is changed."""
        self.check_writable()
        return await self.changing.run(work, *arguments)

    def check_writable(self) -> None:
        """Refusal 403 where nothing is to be changed."""
        if self.read_only:
            raise Refusal(403, "this server changes nothing; start it without --read-only")

    def check_rows(self, count: int) -> None:
        """Refusal 413 for more photos than are given, or taken, at once."""
        if count > self.limits.rows:
            raise Refusal(
                413, f"{count:,} photos are more than the {self.limits.rows:,} of one request; ask for fewer"
            )

    def end(self) -> None:
        """Let go of those who follow events, and begin nothing more in the background."""
        self.ended.set()
        for jobs in (self.searches, self.ingests):
            jobs.end()

    def close(self) -> None:
        """Wait for work that is under way."""
        for jobs in (self.searches, self.ingests):
            jobs.close()
        for pool in (self.asking, self.decoding, self.changing, self.exporting, self.looking):
            pool.close()


def site_of(request: Request) -> Site:
    """That of a request."""
    site: Site = request.app.state.site
    return site


MEANINGS = {
    400: "The request makes no sense: a query that is not understood, a value out of its range.",
    401: "A token is needed: open the address that the server told.",
    403: "The request comes from elsewhere, or the server changes nothing.",
    404: "Nothing is there under that name.",
    408: "The request took too long to arrive.",
    409: "The name is taken.",
    413: "More bytes, pixels or photos than the server allows.",
    415: "A body of another kind than is taken.",
    416: "The file has no such bytes.",
    429: "Too many requests.",
    503: "Too much to do, too slow, or another process is writing; ask again later.",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of errors that an endpoint may answer with, beside those of all."""
    every = sorted({400, 401, 403, 408, 413, 415, 429, 503, *statuses})
    return {status: {"model": Refused, "description": MEANINGS[status]} for status in every}
