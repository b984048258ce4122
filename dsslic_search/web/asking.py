"""Endpoints that answer questions: the archive, queries, how they are read, completions, facets."""

from __future__ import annotations

import math
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from dsslic_search import __version__
from dsslic_search.api.browsing import EVERYTHING
from dsslic_search.core.errors import UsageError
from dsslic_search.core.files import name_of
from dsslic_search.core.kinds import KeepMode, Stage
from dsslic_search.web import models
from dsslic_search.web.maps import coded_maps
from dsslic_search.web.pictures import FORMATS
from dsslic_search.web.refusals import Json, plain_error
from dsslic_search.web.site import LARGEST_ID, QUERY_CHARACTERS, Site, refusals, site_of

if TYPE_CHECKING:
    from dsslic_search.api import Hit
    from dsslic_search.api.browsing import Card
    from dsslic_search.api.facets import Tally

router = APIRouter(tags=["asking"])

Text = Annotated[str, Query(max_length=QUERY_CHARACTERS, description="A query; empty for all photos.")]
MONTHS = "months"


@router.get("/api/archive", response_model=models.About, responses=refusals())
async def about(request: Request) -> Response:
    """What the archive is, and what this server allows."""
    site = site_of(request)
    return Json(await site.ask(_about, site))


def _about(site: Site) -> dict[str, Any]:
    archive = site.archive
    photos = {each.name: each.count for each in archive.facets().values["classes"]}
    states = archive.overview()
    return {
        "name": archive.folder.root.absolute().name,
        "photos": states.photos,
        "bytes": states.stored_bytes,
        "version": __version__,
        "generation": states.generation,
        "classes": [
            {"id": c.id, "name": c.name, "colour": colour, "photos": photos.get(c.name, 0)}
            for c, colour in zip(archive.vocabulary.classes, archive.palette().values(), strict=True)
        ],
        "canRate": not site.read_only,
        "formats": list(FORMATS),
        "keep": [mode.value for mode in KeepMode if mode is not KeepMode.UNDECODED],
        "folders": [str(folder) for folder in states.folders],
        "watching": site.watching,
        "readOnly": site.read_only,
        "limits": asdict(site.limits),
    }


@router.get("/api/query", response_model=models.Answer, responses=refusals(404))
async def query(
    request: Request,
    q: Text = "",
    limit: Annotated[int, Query(ge=0, description="Photos at most.")] = 60,
    cursor: Annotated[str | None, Query(max_length=70_000, description="Of the page before.")] = None,
    start: Annotated[int, Query(ge=0, le=2**53, description="So many photos are passed over.")] = 0,
    similar: Annotated[
        str | None,
        Query(max_length=100, description="A photo's id, or the token of a photo that was sent."),
    ] = None,
    by: Annotated[Literal["both", "layout", "look"], Query(description="What likeness is by.")] = "both",
    sketch: Annotated[str | None, Query(max_length=100, description="The token of a sketch.")] = None,
    mirrored: Annotated[bool, Query(description="Left and right may be exchanged.")] = False,
    maps: Annotated[bool, Query(description="The label map of each photo comes with it.")] = False,
) -> Response:
    """The photos that a query asks for, best first; without one, all, newest first. With `similar` or
    `sketch` those most like it first, of which the query asks for."""
    site = site_of(request)
    site.check_rows(limit)
    if similar is not None and sketch is not None:
        raise UsageError("similar and sketch exclude each other; choose one")
    work = partial(_answered, site, q, limit, cursor, start, similar, by, sketch, mirrored, maps)
    return Json(await site.ask(work))


def _answered(
    site: Site,
    q: str,
    limit: int,
    cursor: str | None,
    start: int,
    similar: str | None,
    by: Literal["both", "layout", "look"],
    sketch: str | None,
    mirrored: bool,
    with_maps: bool,
) -> dict[str, Any]:
    archive = site.archive
    text = q if q.strip() else EVERYTHING
    resemble = None
    if similar is not None:
        sent = not similar.removeprefix("#").isdecimal()
        like = site.likenesses.photos.of(similar) if sent else _id_of(similar)
        resemble = archive.resembled(like, by, mirrored)
    elif sketch is not None:
        painted = site.likenesses.sketches.of(sketch)
        resemble = archive.resembled(painted, mirrored=mirrored)
    found = archive.find(text, limit=limit, after=cursor, start=start, resemble=resemble)
    hits = found.hits
    cards = archive.cards([hit.id for hit in hits], maps=with_maps)
    maps = coded_maps(site, cards.values()) if with_maps else {}
    warnings = [*found.notes, *(f"no photo shows: {name}" for name in found.unseen)]
    return {
        "reading": found.reading if q.strip() else "",
        "warnings": warnings,
        "total": found.total,
        "listed": found.listed,
        "cursor": found.cursor,
        "start": found.start,
        "objects": [object_of(hit, cards[hit.id], maps.get(hit.id)) for hit in hits if hit.id in cards],
    }


def _id_of(text: str) -> int:
    """A photo's id as it stands in an address. UsageError for what is none."""
    from dsslic_search.api.arguments import id_of

    number = id_of(text)
    if not 0 < number <= LARGEST_ID:
        raise UsageError(f"{number} is no id of a photo; ids are the numbers that a query lists")
    return number


def object_of(hit: Hit, card: Card, coded_map: str | None) -> dict[str, Any]:
    """A photo of an answer."""
    facts: dict[str, Any] = dict(hit.facts)
    width, height = facts["width"], facts["height"]
    taken = facts["taken"]
    return {
        "id": hit.id,
        "name": name_of(hit.path) or hit.path,
        "path": hit.path,
        "width": width,
        "height": height,
        "taken": None if taken is None else taken.isoformat(),
        "bytes": facts["size"],
        "score": hit.score,
        "ratio": round(width / height, 6) if width and height else 1.0,
        "tags": list(card.tags),
        "rating": facts["rating"],
        "version": card.version,
        "stages": stages_of(card),
        "map": coded_map,
    }


def stages_of(card: Card) -> dict[str, int | None]:
    """The bytes that hold each stage; None for those that the file does not."""
    return {stage.value: card.stages.get(stage.value) for stage in Stage}


@router.get("/api/read", response_model=models.ReadAs, responses=refusals())
async def read(request: Request, q: Text = "") -> Response:
    """How a query is understood, part by part, or why it is not."""
    site = site_of(request)
    found = await site.ask(site.archive.read, q)
    return Json(
        {
            "reading": found.reading,
            "exactly": found.exactly,
            "error": None if found.error is None else plain_error(found.error, site.worded),
            "chips": [asdict(chip) for chip in found.chips],
            "order": found.order,
            "notes": list(found.notes),
        }
    )


@router.get("/api/complete", response_model=models.Completions, responses=refusals())
async def complete(
    request: Request,
    q: Text = "",
    at: Annotated[int | None, Query(ge=0, le=QUERY_CHARACTERS, description="Where the cursor is.")] = None,
) -> Response:
    """What the query may go on with at the cursor, likely ones first."""
    site = site_of(request)
    end = len(q) if at is None else min(at, len(q))
    found = await site.ask(site.archive.completions, q[:end])
    start = min((each.start for each in found), default=end)
    # all stand for the same characters: those that begin later carry what stands before them
    items = [
        {"text": q[start : each.start] + each.text, "kind": each.kind, "note": each.meaning} for each in found
    ]
    return Json({"start": start, "end": end, "items": items})


def within(south: float, west: float, north: float, east: float) -> str:
    """The part of a query for what was taken between these, as finely as it is written (a metre)."""
    corners = [
        ",".join(f"{to(degrees * 1e5) / 1e5:.5f}" for degrees in corner)
        for to, corner in ((math.floor, (south, west)), (math.ceil, (north, east)))
    ]
    return "within " + "..".join(corners)


def _tally(found: Tally) -> dict[str, Any]:
    values = [{"name": each.name, "count": each.count, "query": each.query} for each in found.values]
    return {"by": found.by, "values": values, "more": found.more, "without": found.without}


@router.get("/api/facets", response_model=models.Facets, responses=refusals())
async def facets(request: Request, q: Text = "") -> Response:
    """What the photos of a query have in common, each with the query that asks for those alone."""
    site = site_of(request)
    found = await site.ask(site.archive.facets, q)
    listed = {
        name: [
            {"month" if name == MONTHS else "name": each.name, "count": each.count, "query": each.query}
            for each in values
        ]
        for name, values in found.values.items()
    }
    places = [
        [spot.latitude, spot.longitude, spot.photos, spot.id, within(*spot.box)] for spot in found.places
    ]
    return Json(
        {
            "photos": found.photos,
            **listed,
            "more": found.more,
            "places": places,
            "undated": found.undated,
            "tally": found.tally and _tally(found.tally),
        }
    )
