"""Photos into the archive: files that are dropped on the page, and folders that the archive follows."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Header, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response, StreamingResponse

from dsslic_search.api import Archive, Event, IngestReport
from dsslic_search.core.errors import DSSError, UsageError
from dsslic_search.core.files import TEMPORARY, name_of, path_to_text
from dsslic_search.core.kinds import PhotoState
from dsslic_search.core.text import counted, printable
from dsslic_search.web import models
from dsslic_search.web.refusals import Json, Refusal, plain_error
from dsslic_search.web.site import Site, refusals, site_of

router = APIRouter(tags=["ingest"])

FILES_AT_ONCE = 1_000
WRITER_SECONDS = 60
"""That a job waits for another process that writes, unless told to wait longer."""
WATCHING = 0
"""The job of the folders that are watched."""
NAME_BYTES = 180
"""Of a name, so that a number still goes to its end."""
COPIED_AT_ONCE = 1 << 20
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|\ud800-\udfff]+")

_FOLDER = {
    "type": "object",
    "properties": {"folder": {"type": "string", "maxLength": 10_000}},
    "required": ["folder"],
    "additionalProperties": False,
}
_FILES = {
    "type": "object",
    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
    "required": ["files"],
}


@router.post(
    "/api/ingest",
    status_code=202,
    response_model=models.Started,
    responses=refusals(404, 415),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": _FILES},
                "application/json": {"schema": _FOLDER},
            },
        }
    },
)
async def ingest(request: Request) -> Response:
    """Put photo files into the archive, kept as those before: they are written into the server's folder for
    incoming files, each under a name that no other has. Or synchronise a folder that the archive follows.
    What becomes of them is told by the events."""
    site = site_of(request)
    site.check_writable()
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        folder = await _folder(request, site)
        job = site.ingests.start(lambda number: _synchronised(site, number, folder))
        return Json({"job": job, "files": 0}, 202)
    if kind != "multipart/form-data":
        raise Refusal(415, "send files as multipart/form-data, or a folder as JSON")
    async with request.form(max_files=FILES_AT_ONCE, max_fields=10) as form:
        files = [each for each in form.getlist("files") if isinstance(each, UploadFile)]
        if not files:
            raise UsageError('no file was sent; send photos as parts named "files"')
        written = [await site.change(_received, site, each) for each in files]
    job = site.ingests.start(lambda number: _taken(site, number, written))
    return Json({"job": job, "files": len(written)}, 202)


async def _folder(request: Request, site: Site) -> Path:
    try:
        told = await request.json()
    except (ValueError, RecursionError):
        raise UsageError("the request is not readable as JSON") from None
    if not isinstance(told, dict) or set(told) != {"folder"} or not isinstance(told["folder"], str):
        raise UsageError('the request is to be {"folder": "/one/that/is/followed"}')
    followed = (await site.ask(site.archive.overview)).folders
    for folder in followed:
        if told["folder"] in (str(folder), path_to_text(folder)):
            return folder
    raise Refusal(404, "the archive does not follow that folder; ingest it once on the command line")


class Written(NamedTuple):
    """A file that was sent: its name, the SHA-256 of its bytes, and where it lies, or ``reason`` why it does
    not."""

    name: str
    content_hash: str
    place: Path | None
    reason: str = ""


def _received(site: Site, sent: UploadFile) -> Written:
    """Write a file into the folder of incoming ones, whole or not at all; not where its photo is there."""
    name = plain_name(sent.filename or "")
    assert site.incoming is not None
    folder = site.incoming
    temporary = folder / f".{secrets.token_hex(8)}{TEMPORARY}"
    seen = hashlib.sha256()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as out:
            while part := sent.file.read(COPIED_AT_ONCE):
                seen.update(part)
                out.write(part)
        if reason := _there_already(site, seen.hexdigest()):
            return Written(name, seen.hexdigest(), None, reason)
        return Written(name, seen.hexdigest(), _placed(temporary, folder / name))
    except OSError as e:
        raise DSSError(
            f"{folder}: cannot be written ({e.strerror or e}); free space, or choose another"
        ) from e
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _there_already(site: Site, content_hash: str) -> str:
    """Why a photo is not put in again; "" where it is to be. One that is lost is mended by its original."""
    known = site.archive.known(content_hash)
    state = None if known is None else site.archive.photo(known).state
    if state == PhotoState.REMOVED:
        return f"it is photo {known}, which lies in the bin; bring it back there"
    return "" if state in (None, PhotoState.LOST, PhotoState.MISSING) else f"it is photo {known} already"


def plain_name(given: str) -> str:
    """The name of a file that was sent, as a name in one folder: no path, nothing hidden, not too long."""
    name = _NOT_IN_NAMES.sub("_", re.split(r"[/\\]", given)[-1]).strip(" .")
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, dot + ending) if stem and len(ending) <= 10 else (name, "")
    cut = stem.encode()[: NAME_BYTES - len(ending.encode())].decode(errors="ignore")
    return f"{cut or 'photo'}{ending}"


def _placed(temporary: Path, wanted: Path) -> Path:
    """Give a file its name, or one with a number where that is taken: nothing is ever replaced."""
    number = 1
    while True:
        place = wanted if number == 1 else wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
        try:
            place.hardlink_to(temporary)
        except FileExistsError:
            number += 1
        else:
            return place


def _taken(site: Site, number: int, written: list[Written]) -> None:
    told = Told(site, number)
    for each in written:
        if each.place is None:
            told.skipped(each.name, each.reason)
    assert site.incoming is not None
    report = IngestReport()
    try:
        if any(each.place is not None for each in written):
            report = _followed(site, site.incoming, told)
    finally:
        # what the archive has not taken would be tried again and again; who sent it has it still
        left = [each for each in written if each.place and site.archive.known(each.content_hash) is None]
        for each in left:
            if each.place is not None:
                each.place.unlink(missing_ok=True)
    for each in left:
        if not report.interrupted and not told.knows(each.place):
            told.skipped(each.name, "it is no photo by the ending of its name")
    # nothing is deleted: how a photo is kept says how much of it the archive holds
    lie = [f"the files that were sent lie in {path_to_text(site.incoming)}"] if report.added else []
    told.done(report, *lie)


def _synchronised(site: Site, number: int, folder: Path) -> None:
    told = Told(site, number)
    told.done(_followed(site, folder, told))


def _followed(site: Site, folder: Path, told: Told) -> IngestReport:
    own = site.archive
    wait = max(own.settings.wait, WRITER_SECONDS)
    with Archive(own.folder.root, own.settings, wait=wait, waiting=told.waiting) as archive:
        return archive.sync([folder], workers=_workers(), progress=told.step)


def _workers() -> int:
    """Photos that are encoded at once: a core is left to those who ask."""
    return max(1, (os.cpu_count() or 1) - 1)


def watch(site: Site) -> None:
    """Make the archive follow its folders until the server ends; what is taken is told by the events. To be
    called in a thread of its own."""
    jobs, own = site.ingests, site.archive
    told = Told(site, WATCHING)

    def report(found: IngestReport) -> None:
        if not found.interrupted:  # by the server's end
            site.says.report(found)
        if found.changed or found.failed:
            told.done(found)

    def trouble(sentence: str) -> None:
        site.says.trouble(sentence)
        told.waiting(sentence)

    try:
        with Archive(own.folder.root, own.settings) as archive:
            archive.watch(
                workers=_workers(),
                progress=told.step,
                told=report,
                trouble=trouble,
                stop=jobs.ending,
            )
    except KeyboardInterrupt:  # of `Told.step`, where the server ends
        return
    except DSSError as e:
        site.says.trouble(f"{e}; the folders are not followed until the server is started again")
        jobs.events.add("failed", {"job": WATCHING, "error": plain_error(e, site.worded)})


class Told:
    """Makes events of the steps of one ingest."""

    def __init__(self, site: Site, number: int) -> None:
        self._jobs = site.ingests
        self._worded, self._says = site.worded, site.says
        self._number = number
        self._failed: set[str] = set()
        self._skipped = 0
        self._add("progress", done=0, total=0)

    def knows(self, place: Path | None) -> bool:
        """Whether it was told why a file is not taken."""
        return place is not None and printable(path_to_text(place)) in self._failed

    def _add(self, kind: str, **data: Any) -> None:
        self._jobs.events.add(kind, {"job": self._number, **data})

    def waiting(self, sentence: str) -> None:
        """Another process is writing."""
        self._add("progress", done=0, total=0, note=printable(self._worded(sentence)))

    def skipped(self, name: str, reason: str) -> None:
        """A file that is not taken."""
        self._skipped += 1
        self._add("skipped", name=name, reason=self._worded(reason), done=0, total=0)

    def step(self, event: Event) -> None:
        """One step of the ingest; raises KeyboardInterrupt, which ends it well, where the server ends."""
        if self._jobs.ending.is_set() and event.kind != "stopping":
            raise KeyboardInterrupt
        if event.kind != "stopping":
            self._says.step(event)
        counts = {"done": event.done, "total": event.total}
        name = name_of(event.path) or event.path
        match event.kind:
            case "added" | "updated":
                self._add("stored", name=name, path=event.path, **counts)
            case "failed":
                self._failed.add(event.path)
                reason = printable(self._worded(event.reason))
                self._skipped += 1
                self._add("skipped", name=name, path=event.path, reason=reason, **counts)
            case "present":
                self._add("progress", name=name, note="already there", **counts)
            case _:
                self._add("progress", name=name, note=event.kind, **counts)

    def done(self, report: IngestReport, *more: str) -> None:
        """The end, with what came of it, and ``more`` to say."""
        self._add(
            "done",
            added=report.added,
            updated=report.updated,
            present=report.present,
            skipped=self._skipped,
            moved=len(report.moved),
            missing=len(report.missing),
            interrupted=report.interrupted,
            notes=[printable(self._worded(note)) for note in (*report.notes, *more)],
            summary=f"{counted(report.added, 'photo')} added",
        )


@router.get(
    "/api/ingest/events",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}, **refusals()},
)
async def events(
    request: Request,
    after: Annotated[str | None, Header(alias="Last-Event-ID", max_length=20)] = None,
    once: bool = False,
) -> Response:
    """Server-sent events of ingests: `progress`, `stored`, `skipped` (with the reason), `done` and `failed`.
    Those that were missed come first where Last-Event-ID tells the last that was not. With `once` those that
    are kept, and then the end."""
    jobs = site_of(request).ingests
    jobs.events.check_room()
    number = (
        int(after) if after and after.isascii() and after.isdecimal() else 0 if once else jobs.events.last
    )

    async def kept() -> AsyncIterator[bytes]:
        stream = jobs.events.listen(number)
        left = len(jobs.events.after(number)) + 1
        async for part in stream:
            yield part
            left -= 1
            if once and left <= 0:
                return

    return StreamingResponse(kept(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
