"""Photos out of the archive in one file: their facts as CSV, JSON, Parquet or paths, their originals as
zip."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from dsslic_search.api import export
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import Outputs
from dsslic_search.web.asking import Text
from dsslic_search.web.refusals import Refusal
from dsslic_search.web.site import Site, refusals, site_of

router = APIRouter(tags=["getting out"])

MEDIA = {
    "csv": ("text/csv; charset=utf-8", "csv"),
    "json": ("application/json", "json"),
    "parquet": ("application/vnd.apache.parquet", "parquet"),
    "paths": ("text/plain; charset=utf-8", "txt"),
    "zip": ("application/zip", "zip"),
}
IDS = r"^[0-9]{1,18}(,[0-9]{1,18})*$"


@router.get(
    "/api/export",
    response_class=Response,
    responses={
        200: {"content": {media.partition(";")[0]: {} for media, _ in MEDIA.values()}},
        **refusals(404),
    },
)
async def exported(
    request: Request,
    q: Text = "",
    ids: Annotated[str | None, Query(max_length=1_000_000, pattern=IDS)] = None,
    format: Annotated[Literal["csv", "json", "parquet", "paths", "zip"], Query()] = "csv",
) -> Response:
    """All photos of a query, or those of some ids, in one file. A zip file holds the originals, as far as
    they are kept or still lie at their places, and says which do not."""
    site = site_of(request)
    if q.strip() and ids is not None:
        raise UsageError("q and ids exclude each other; choose one")
    if format != "zip":
        export.check_format(format)
    chosen = None if ids is None else [int(each) for each in ids.split(",")]
    path = await site.exporting.run(_written, site, q, chosen, format)
    media, ending = MEDIA[format]
    return FileResponse(
        path,
        media_type=media,
        filename=f"photos.{ending}",
        headers={"Cache-Control": "no-store"},
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


def _written(site: Site, text: str, chosen: list[int] | None, form: str) -> Path:
    """A temporary file that the one who takes it deletes."""
    archive = site.archive
    if chosen is None:
        found = archive.find(text if text.strip() else "everything", limit=None)
    else:
        for photo_id in set(chosen) - archive.cards(chosen).keys():
            archive.photo(photo_id)
        found = archive.chosen(chosen)
    if found.listed > (most := site.limits.exported):
        raise Refusal(413, f"{found.listed:,} photos are more than the {most:,} of one export; ask for fewer")
    with tempfile.NamedTemporaryFile(prefix="dss-export-", delete=False) as made:
        path = Path(made.name)
    try:
        if form == "zip":
            ids: Any = [hit.id for hit in found] if chosen is None else chosen
            archive.zip_originals(ids, path, replace=True)
        else:
            export.write(found, form, path, outputs=Outputs(replace=True))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
