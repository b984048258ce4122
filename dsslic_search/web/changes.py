"""Endpoints that change what people say of photos: tags, ratings, saved queries, the bin. No file of anybody
is ever changed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request
from pydantic import Field
from starlette.responses import Response

from dsslic_search.api.keeping import MOST_STARS
from dsslic_search.core.files import name_of
from dsslic_search.web import models
from dsslic_search.web.photos import Id
from dsslic_search.web.refusals import Json, Refusal
from dsslic_search.web.site import LARGEST_ID, QUERY_CHARACTERS, Site, refusals, site_of

router = APIRouter(tags=["changing"])

PhotoId = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Stars = Annotated[float, Field(ge=0, le=MOST_STARS, allow_inf_nan=False)]
Name = Annotated[str, Path(min_length=1, max_length=200)]
TagName = Annotated[str, Field(max_length=200)]


class TagChange(models.Model):
    """Tags that photos get, and tags that are taken from them."""

    ids: list[PhotoId]
    add: list[TagName] = Field(default_factory=list)
    remove: list[TagName] = Field(default_factory=list)


class Rating(models.Model):
    """0 for none."""

    rating: Stars


class Ratings(Rating):
    ids: list[PhotoId]


class SavedText(models.Model):
    """``replace``: also where there is one of that name."""

    query: Annotated[str, Field(max_length=QUERY_CHARACTERS)]
    replace: bool = False


class Ids(models.Model):
    ids: list[PhotoId]


class SomeIds(models.Model):
    """null: all."""

    ids: list[PhotoId] | None


@router.get("/api/tags", response_model=dict[str, int], responses=refusals())
async def tags(request: Request) -> Response:
    """All tags with how many photos have them, most frequent first."""
    site = site_of(request)
    return Json(await site.ask(site.archive.tags))


@router.post("/api/tags", response_model=models.Tagged, responses=refusals(404))
async def tag(request: Request, change: Annotated[TagChange, Body()]) -> Response:
    """Take tags from photos, and give them others; for each tag, how many photos it made a difference to."""
    site = site_of(request)
    site.check_rows(len(change.ids))
    return Json(await site.change(_tag, site, change))


def _tag(site: Site, change: TagChange) -> dict[str, Any]:
    archive = site.archive
    removed = archive.untag(change.remove, change.ids) if change.remove else {}
    added = archive.tag(change.add, change.ids) if change.add else {}
    return {"added": added, "removed": removed}


@router.put("/api/photos/{photo_id}/rating", response_model=Rating, responses=refusals(404))
async def rate(request: Request, photo_id: Id, given: Annotated[Rating, Body()]) -> Response:
    """Give a photo 0.5 to 5 stars, or 0 for none."""
    site = site_of(request)
    await site.change(site.archive.rate, given.rating, [photo_id])
    return Json({"rating": given.rating})


@router.post("/api/ratings", response_model=Rating, responses=refusals(404))
async def rate_several(request: Request, given: Annotated[Ratings, Body()]) -> Response:
    """Give photos a rating."""
    site = site_of(request)
    site.check_rows(len(given.ids))
    await site.change(site.archive.rate, given.rating, given.ids)
    return Json({"rating": given.rating})


@router.get("/api/saved", response_model=dict[str, str], responses=refusals())
async def saved(request: Request) -> Response:
    """The texts of all saved queries by name."""
    site = site_of(request)
    return Json(await site.ask(site.archive.saved_queries))


@router.get("/api/saved/{name:path}", response_model=models.SavedQuery, responses=refusals(404))
async def saved_query(request: Request, name: Name) -> Response:
    """The text of a saved query."""
    from dsslic_search.core.text import folded

    site = site_of(request)
    known = await site.ask(site.archive.saved_queries)
    if (key := folded(name.removeprefix("@"))) not in known:
        raise Refusal(404, f'no saved query "{name}"')
    return Json({"name": key, "query": known[key]})


@router.put("/api/saved/{name:path}", response_model=models.SavedQuery, responses=refusals(404, 409))
async def save(request: Request, name: Name, text: Annotated[SavedText, Body()]) -> Response:
    """Keep a query under a name, for "@name" in others."""
    site = site_of(request)
    await site.change(_save, site, name, text)
    return await saved_query(request, name)


def _save(site: Site, name: str, text: SavedText) -> None:
    site.archive.save(name, text.query, replace=text.replace)


@router.delete("/api/saved/{name:path}", status_code=204, responses=refusals(404), response_class=Response)
async def forget(request: Request, name: Name) -> Response:
    """Delete a saved query."""
    site = site_of(request)
    await site.change(site.archive.forget, name)
    return Response(status_code=204)


@router.get("/api/bin", response_model=models.Bin, responses=refusals())
async def binned(request: Request) -> Response:
    """What is in the bin, what was removed last first."""
    site = site_of(request)
    found = await site.ask(site.archive.bin)
    return Json(
        {
            "photos": [
                {
                    "id": each.id,
                    "name": name_of(each.path) or each.path,
                    "path": each.path,
                    "removed": each.removed_at.isoformat(),
                    "bytes": each.bytes,
                }
                for each in found
            ]
        }
    )


@router.post("/api/bin", response_model=models.Moved, responses=refusals(404))
async def remove(request: Request, chosen: Annotated[Ids, Body()]) -> Response:
    """Put photos into the bin: they leave the answers until they are taken back."""
    site = site_of(request)
    site.check_rows(len(chosen.ids))
    moved = await site.change(site.archive.remove, chosen.ids)
    return Json({"ids": list(moved.ids), "others": list(moved.others)})


@router.post("/api/bin/restore", response_model=models.Moved, responses=refusals(404))
async def restore(request: Request, chosen: Annotated[SomeIds, Body()]) -> Response:
    """Take photos, or all that are there, back out of the bin."""
    site = site_of(request)
    site.check_rows(len(chosen.ids or ()))
    moved = await site.change(site.archive.restore, chosen.ids)
    return Json({"ids": list(moved.ids), "others": list(moved.others)})
