"""Endpoints of single photos: what is known of them, their stages as pictures, their files."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack
from functools import partial
from io import FileIO
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from dsslic_search.core.files import name_of
from dsslic_search.web import models
from dsslic_search.web.asking import stages_of
from dsslic_search.web.maps import coded_maps
from dsslic_search.web.pictures import FORMATS, encoded
from dsslic_search.web.refusals import Json, Refusal
from dsslic_search.web.site import LARGEST_ID, Site, refusals, site_of
from dsslic_search.web.work import while_awaited

router = APIRouter(tags=["photos"])

_ID = re.compile(r"[0-9]{1,19}")


def _digits(text: object) -> object:
    """An id as it stands in an address: digits alone, with no blank or line end that numbers may have."""
    if isinstance(text, str) and _ID.fullmatch(text) is None:
        raise PydanticCustomError("id", "an id is a number from 1 on")
    return text


Id = Annotated[int, Path(ge=1, le=LARGEST_ID), BeforeValidator(_digits)]
StageName = Literal["map", "compact", "coarse", "full"]
Form = Literal["png", "webp", "jpeg"]
Version = Annotated[
    str | None, Query(max_length=64, description="The photo's version: the answer may be kept for good.")
]
FOR_GOOD = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"
LARGEST_PICTURE = 16_384
PART_BYTES = 1 << 18
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")


@router.get("/api/photos/{photo_id}", response_model=models.Details, responses=refusals(404))
async def details(request: Request, photo_id: Id) -> Response:
    """All that is known of a photo."""
    site = site_of(request)
    return Json(await site.ask(_details, site, photo_id))


def _details(site: Site, photo_id: int) -> dict[str, Any]:
    archive = site.archive
    info = archive.info(photo_id)
    card = archive.cards([photo_id], maps=True)[photo_id]
    certainty, colours = info["certainty"], info["class_colours"]
    layers, end = [], 0
    for layer in info["layers"]:
        start, end = end, end + layer["bytes"]
        layers.append(
            {
                "name": layer["name"],
                "start": start,
                "end": end,
                "bytes": layer["bytes"],
                "bitsPerPixel": layer["bpp"],
            }
        )
    told = {
        "id", "path", "paths", "content_hash", "width", "height", "taken_at", "file_size", "stored_bytes",
        "keep", "coverage", "certainty", "class_colours", "words", "colours", "regions", "tags", "rating",
        "layers",
    }  # fmt: skip
    return {
        "id": info["id"],
        "name": name_of(info["path"]) or info["path"],
        "path": info["path"],
        "paths": info["paths"],
        "hash": info["content_hash"],
        "version": card.version,
        "width": info["width"],
        "height": info["height"],
        "taken": info["taken_at"],
        "bytes": info["file_size"],
        "stored": info["stored_bytes"],
        "keep": info["keep"],
        "coverage": [
            {"class": name, "fraction": share, "certainty": certainty[name], "colours": colours[name]}
            for name, share in info["coverage"].items()
        ],
        "words": [{"word": w, "probability": p} for w, p in (info["words"] or {}).items()],
        "colours": info["colours"],
        "regions": [
            {
                "class": region["class"],
                "box": [region[side] for side in ("left", "top", "right", "bottom")],
                "area": region["area"],
            }
            for region in info["regions"] or ()
        ],
        "tags": info["tags"],
        "rating": info["rating"],
        "labelledBy": _labelled_by({layer["name"] for layer in layers}),
        "layers": layers,
        "stages": stages_of(card),
        "map": coded_maps(site, [card]).get(photo_id),
        "facts": {name: value for name, value in info.items() if name not in told},
    }


def _labelled_by(layers: set[str]) -> str | None:
    from dsslic_search.api.info import LAYER_NAMES

    if LAYER_NAMES["hand"] in layers:
        return "people"
    return "segmenter" if LAYER_NAMES["SMAP"] in layers else None


async def stage(
    request: Request,
    photo_id: Id,
    stage: StageName,
    format: Annotated[Form, Query(description="Of the picture.")] = "png",
    size: Annotated[
        int | None, Query(ge=1, le=LARGEST_PICTURE, description="The longer side at most, in pixels.")
    ] = None,
    v: Version = None,
    download: Annotated[bool, Query(description="As a file to keep.")] = False,
) -> Response:
    """A stage of a photo as a picture: the label map in the colours of its classes, exactly; the compact
    image; the coarse and the full photo. No more of the photo's file is read than the stage takes."""
    site = site_of(request)
    card = (await site.ask(site.archive.cards, photo_id)).get(photo_id)
    if card is None:
        await site.ask(site.archive.photo, photo_id)
        raise Refusal(404, f"photo {photo_id} is gone")
    version = card.version or "none"
    name = f"{version}-{stage}-{size or 0}.{format}"
    headers = {"ETag": f'"{name}"', "Cache-Control": FOR_GOOD if v == card.version else ASK_AGAIN}
    if download:
        headers["Content-Disposition"] = _attachment(
            f"photo-{photo_id}-{stage}.{format.replace('jpeg', 'jpg')}"
        )
    if _known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    kept = stage in card.stages  # what lies outside the archive may change
    data = await site.ask(site.pictures.get, name) if kept else None
    if data is None:
        drawing = site.decoding.run(partial(_drawn, site, photo_id, stage, format, size, name, kept))
        data = await while_awaited(request.receive, drawing)
    if not kept:
        headers["Cache-Control"] = ASK_AGAIN
        del headers["ETag"]
    return Response(data, media_type=FORMATS[format], headers=headers)


def _drawn(
    site: Site, photo_id: int, stage: str, form: str, size: int | None, name: str, keep: bool
) -> bytes:
    data = encoded(site.archive.preview(photo_id, stage), form, size, site.limits.pixels)
    if keep:
        site.pictures.put(name, data)
    return data


async def file(request: Request, photo_id: Id, v: Version = None) -> Response:
    """A photo's .dsslic file, or a range of its bytes: the first bytes of it show the first stages."""
    site = site_of(request)
    card = (await site.ask(site.archive.cards, photo_id)).get(photo_id)
    path = await site.ask(site.archive.stored_path, photo_id)
    gone = Refusal(404, f"the file of photo {photo_id} is not there or damaged; check the archive")
    if card is None or card.version is None:
        raise gone
    headers = {
        "ETag": f'"{card.version}"',
        "Cache-Control": FOR_GOOD if v == card.version else ASK_AGAIN,
        "Content-Disposition": _attachment(f"photo-{photo_id}.dsslic"),
        "Accept-Ranges": "bytes",
    }
    if _known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    answer = partial(_ranged, request, headers)
    if path is None:
        size = (await site.ask(site.archive.photo, photo_id)).stored_bytes
        start, end, status = answer(size)
        data = await site.ask(site.archive.stored_part, photo_id, start, end)
        return Response(data, status, headers, "application/octet-stream")
    # opened once: another file may take its place meanwhile
    try:
        opened = await site.ask(FileIO, path)
    except OSError as e:
        raise gone from e
    with ExitStack() as kept:
        kept.enter_context(opened)
        start, end, status = answer(os.fstat(opened.fileno()).st_size)
        headers["Content-Length"] = f"{end - start}"
        if request.method == "HEAD":
            return Response(None, status, headers, "application/octet-stream")
        parts = _parts(opened, start, end)
        kept.pop_all()  # the parts close it
        return StreamingResponse(parts, status, headers, "application/octet-stream")


def _ranged(request: Request, headers: dict[str, str], size: int) -> tuple[int, int, int]:
    """From which byte to which of a file of ``size`` is asked for, and the status of the answer, whose
    ``headers`` tell of it. Refusal 416."""
    asked = range_of(request.headers, size, headers["ETag"])
    if asked is None:
        return 0, size, 200
    start, end = asked
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return start, end, 206


async def _parts(opened: FileIO, start: int, end: int) -> AsyncIterator[bytes]:
    with opened:
        opened.seek(start)
        while start < end and (part := await run_in_threadpool(opened.read, min(PART_BYTES, end - start))):
            start += len(part)
            yield part


def range_of(headers: Mapping[str, str], size: int, tag: str) -> tuple[int, int] | None:
    """From which byte to which of a file of ``size`` bytes a request of these ``headers`` asks for. None for
    the whole: what is no single range of bytes, or is asked for of a file of another ETag than ``tag``
    (If-Range), is passed over, as if nothing were said of ranges. Refusal 416 for bytes that it does not
    have."""
    found = _RANGE.fullmatch(headers.get("range", "").replace(" ", ""))
    if found is None or headers.get("if-range", tag) != tag:
        return None
    first, last, ending = found[1], found[2], found[3]
    if last and int(last) < int(first):
        return None
    if (first is not None and int(first) >= size) or (ending is not None and int(ending) == 0):
        raise Refusal(
            416, f"the file has {size} bytes; ask for some of these", {"Content-Range": f"bytes */{size}"}
        )
    if ending is not None:
        return max(0, size - int(ending)), size
    return int(first), min(size, int(last) + 1) if last else size


async def original(request: Request, photo_id: Id) -> Response:
    """The file that was put in, bit for bit, as an attachment: where it is kept, or still lies at its
    place."""
    site = site_of(request)
    photo = await site.ask(site.archive.photo, photo_id)
    data = await site.decoding.run(site.archive.original, photo_id)
    name = name_of(photo.path) or f"photo-{photo_id}"
    headers = {
        "Content-Disposition": _attachment(name),
        "ETag": f'"{photo.content_hash}"',
        "Cache-Control": ASK_AGAIN,
    }
    return Response(data, media_type="application/octet-stream", headers=headers)


def _known(request: Request, tag: str) -> bool:
    """Whether who asks has the answer already."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    return any(each.strip().removeprefix("W/") in (tag, "*") for each in given.split(","))


def _attachment(name: str) -> str:
    """A header that names a file, whatever its name holds."""
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)[:150].strip() or "photo"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"


_PICTURES: dict[str, Any] = {media: {} for media in FORMATS.values()}
_BYTES: dict[str, Any] = {"application/octet-stream": {}}
_ROUTES: tuple[tuple[str, Any, dict[int | str, dict[str, Any]]], ...] = (
    (
        "/api/photos/{photo_id}/stages/{stage}",
        stage,
        {200: {"content": _PICTURES}, 304: {"description": "Known already."}, **refusals(404)},
    ),
    (
        "/api/photos/{photo_id}/file",
        file,
        {
            200: {"content": _BYTES},
            206: {"content": _BYTES, "description": "Some bytes."},
            304: {"description": "Known already."},
            **refusals(404, 416),
        },
    ),
    ("/api/photos/{photo_id}/original", original, {200: {"content": _BYTES}, **refusals(404)}),
)
for _path, _endpoint, _more in _ROUTES:
    router.add_api_route(_path, _endpoint, methods=["GET"], responses=_more, response_class=Response)
    router.add_api_route(_path, _endpoint, methods=["HEAD"], include_in_schema=False, response_class=Response)
