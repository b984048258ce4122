"""Endpoints that take what photos shall be like: a sketch, or a photo that is looked at and not stored. Each
gives a token for `/api/query`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, File, Path, Request, UploadFile
from starlette.responses import Response

from dsslic_search.core.errors import PixelsError, UsageError
from dsslic_search.core.plain_json import parsed
from dsslic_search.web import models
from dsslic_search.web.refusals import Json, Refusal
from dsslic_search.web.site import Site, refusals, site_of

if TYPE_CHECKING:
    from dsslic_search.api import Resembled

router = APIRouter(tags=["likeness"])

KEYS = {"width", "height", "classes"}


_SHAPES = {
    "type": "object",
    "properties": {
        "width": {"type": "integer", "minimum": 1, "maximum": 4096},
        "height": {"type": "integer", "minimum": 1, "maximum": 4096},
        "classes": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "array",
                "minItems": 1,
                "items": {"type": ["integer", "string", "null"]},
            },
        },
    },
    "required": ["width", "height", "classes"],
}


@router.post(
    "/api/sketch",
    response_model=models.Token,
    responses=refusals(415),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _SHAPES},
                "image/png": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
)
async def sketch(request: Request) -> Response:
    """A layout to find photos by: a PNG in the colours of the classes, or as JSON rows of classes by id or
    name, null where anything may be; or a list of shapes, as in a file of the command `sketch`."""
    site = site_of(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "image/png"):
        raise Refusal(415, "a sketch is a PNG or JSON; say which in Content-Type")
    data = await request.body()
    return Json({"token": await site.ask(_sketched, site, data, kind)})


def _sketched(site: Site, data: bytes, kind: str) -> str:
    painted: Any = data
    if kind == "application/json":
        try:
            told = parsed(data)
        except ValueError as e:
            raise UsageError(f"the sketch: not readable as JSON ({e})") from None
        if isinstance(told, dict) and told.keys() <= KEYS:
            painted = told.get("classes")
            rows = painted if isinstance(painted, list) else []
            size = len(rows[0]) if rows and isinstance(rows[0], list) else 0, len(rows)
            if size != (told.get("width"), told.get("height")):
                raise UsageError("the sketch: width and height are not those of classes")
    elif not data.startswith(b"\x89PNG"):
        raise UsageError("the sketch: no PNG; send the bytes of a PNG file, or JSON")
    canvas = site.archive.canvas(painted)
    shown = hashlib.blake2b(repr(canvas.label_map.shape).encode(), digest_size=18)
    shown.update(canvas.label_map.tobytes() + canvas.known.tobytes())
    return site.likenesses.sketches.give(canvas, shown.hexdigest())


@router.get("/api/sketch/{token}", response_model=models.Sketch, responses=refusals(404))
async def sketched(request: Request, token: Annotated[str, Path(max_length=100)]) -> Response:
    """A layout that was sent, cell by cell."""
    site = site_of(request)
    return Json(await site.ask(_cells, site, token))


def _cells(site: Site, token: str) -> dict[str, Any]:
    canvas = site.likenesses.sketches.of(token)
    height, width = canvas.label_map.shape
    rows = [
        [label if is_known else None for label, is_known in zip(*row, strict=True)]
        for row in zip(canvas.label_map.tolist(), canvas.known.tolist(), strict=True)
    ]
    return {"width": width, "height": height, "classes": rows}


@router.post("/api/similar", response_model=models.Token, responses=refusals())
async def similar(
    request: Request, photo: Annotated[UploadFile, File(description="The bytes of a photo file.")]
) -> Response:
    """A photo to find others by. It is looked at and not stored."""
    site = site_of(request)
    data = await photo.read()
    found = await site.looking.run(_looked_at, site, data)
    return Json({"token": site.likenesses.photos.give(found)})


def _looked_at(site: Site, data: bytes) -> Resembled:
    from dsslic_search.codec.picture.open import read_header

    most = site.limits.pixels
    try:
        read_header(data, "the photo", most)
    except PixelsError:  # whose remedy is another setting's
        raise Refusal(413, f"the photo has more than {most:,} pixels; send a smaller one") from None
    return site.archive.resembled(data)
