"""Endpoints that find the same picture twice, in the background."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from pydantic import Field
from starlette.responses import Response

from dsslic_search.api import Archive, Copy
from dsslic_search.core.errors import DSSError
from dsslic_search.core.files import name_of
from dsslic_search.web import models
from dsslic_search.web.jobs import Search
from dsslic_search.web.refusals import Json, plain_error
from dsslic_search.web.site import Site, refusals, site_of

router = APIRouter(tags=["duplicates"])


class Wanted(models.Model):
    """``threshold``: likeness from which photos count as the same picture; ``mirrored``: mirror images,
    too."""

    threshold: Annotated[float | None, Field(ge=0.5, le=1, allow_inf_nan=False)] = None
    mirrored: bool = False


@router.post("/api/duplicates", status_code=202, response_model=models.Doubles, responses=refusals())
async def start(request: Request, wanted: Annotated[Wanted | None, Body()] = None) -> Response:
    """Begin to look for photos that show the same picture; one search at a time: while one runs, this changes
    nothing."""
    site = site_of(request)
    search = site.search
    with search.turn:
        begins = search.state != "running"
        if begins:
            search.state, search.done, search.total, search.error = "running", 0, 0, None
    if begins:
        chosen = wanted or Wanted()
        site.searches.start(lambda _number: _searched(site, chosen))
    return Json(_told(search, site), 202)


def _searched(site: Site, wanted: Wanted) -> None:
    search = site.search

    def progress(done: int, total: int) -> None:
        search.done, search.total = done, total
        if site.searches.ending.is_set():
            raise DSSError("the server ended")

    own = site.archive
    try:
        with Archive(own.folder.root, own.settings) as archive:
            found = archive.duplicates(
                threshold=wanted.threshold, mirrored=wanted.mirrored, progress=progress
            )
    except DSSError as e:
        search.error, search.state = plain_error(e, site.worded), "failed"
    except BaseException:
        search.state = "failed"
        raise
    else:
        search.found, search.state = found, "done"


@router.get("/api/duplicates", response_model=models.Doubles, responses=refusals())
async def found(request: Request) -> Response:
    """How far the search is, and the groups of the last one that ended, the surest first."""
    site = site_of(request)
    return Json(await site.ask(_told, site.search, site))


def _told(search: Search, site: Site) -> dict[str, Any]:
    groups = () if search.found is None else search.found.groups
    there = site.archive.cards([copy.id for group in groups for copy in group])
    left = [[copy for copy in group if copy.id in there] for group in groups]
    return {
        "state": search.state,
        "progress": {"done": search.done, "total": search.total},
        "groups": [_group(group) for group in left if len(group) > 1],
        "error": search.error,
    }


def _group(group: list[Copy]) -> dict[str, Any]:
    best, *others = group
    pixels = best.width * best.height
    if all(pixels > each.width * each.height for each in others):
        why = "it has the most pixels"
    elif all(best.bytes > each.bytes for each in others if each.width * each.height == pixels):
        why = "of those with the most pixels it has the most bytes"
    else:
        why = "it came first of those that are as large"
    return {
        "keep": best.id,
        "why": why,
        "photos": [
            {
                "id": copy.id,
                "name": name_of(copy.path) or copy.path,
                "path": copy.path,
                "width": copy.width,
                "height": copy.height,
                "bytes": copy.bytes,
                "likeness": copy.likeness,
                "mirrored": copy.mirrored,
            }
            for copy in group
        ],
    }
