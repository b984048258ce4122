"""The application: endpoints, errors, the page, and the guard around all of them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from dsslic_search import __version__
from dsslic_search.core.errors import BusyError, DSSError
from dsslic_search.web import asking, changes, doubles, exports, ingesting, likeness, photos
from dsslic_search.web.compressing import Compressed
from dsslic_search.web.guard import Guard
from dsslic_search.web.refusals import Json, Refusal, plain_error, refused, status_of, told
from dsslic_search.web.site import Site

PAGE = Path(str(files("dsslic_search.web") / "page"))
_VERSION = re.compile(r"v-[0-9a-f]{12}")
ROUTERS = tuple(each.router for each in (asking, photos, changes, exports, likeness, doubles, ingesting))


def application(site: Site, *, names: Sequence[str] = (), token: str | None = None) -> ASGIApp:
    """The whole server of an archive, as ASGI has it. ``names``: hosts that it is called by besides its
    addresses; ``token``: asked of everybody, if it is not None."""
    app = bare(site)
    return Guard(Compressed(app), names=names, token=token, limits=site.limits)


def bare(site: Site) -> FastAPI:
    """The endpoints without a guard."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        yield
        site.close()

    app = FastAPI(
        title="dsslic-search",
        version=__version__,
        description="Photos of one archive: asked for, shown, tagged. Names are those of the command line.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.site = site
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(DSSError, _trouble)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)
    app.add_api_route("/", _page, methods=["GET", "HEAD"], include_in_schema=False)
    app.mount("/static", _Page(directory=PAGE))
    original = app.openapi

    def documented() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = original()
            for path in schema["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)  # it is 400 here
            for name in ("HTTPValidationError", "ValidationError"):
                schema.get("components", {}).get("schemas", {}).pop(name, None)
        return cast("dict[str, Any]", app.openapi_schema)

    app.openapi = documented  # type: ignore[method-assign]
    return app


def page_version() -> str:
    """Of the page's files as they are now: another one where any of them was written anew."""
    seen = hashlib.sha256()
    for path in sorted(PAGE.rglob("*")):
        looks = path.stat()
        seen.update(f"{path} {looks.st_mtime_ns} {looks.st_size}\n".encode(errors="surrogateescape"))
    return f"v-{seen.hexdigest()[:12]}"


class _Page(StaticFiles):
    """The page's files: kept for good under their version, which the page names; else asked for again each
    time. What a page of an earlier version asks for is that of now."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        version, _, inside = path.partition(os.sep)
        is_told = _VERSION.fullmatch(version) is not None
        answer = await super().get_response(inside if is_told else path, scope)
        present = is_told and version == page_version()
        answer.headers["Cache-Control"] = photos.FOR_GOOD if present else "no-cache"
        return answer


async def _page() -> Response:
    text = (PAGE / "index.html").read_text().replace('"/static/', f'"/static/{page_version()}/')
    return Response(text, media_type="text/html", headers={"Cache-Control": "no-cache"})


async def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return told(error)


async def _trouble(request: Request, error: Exception) -> Response:
    assert isinstance(error, DSSError)
    site: Site = request.app.state.site
    headers = {"Retry-After": "5"} if isinstance(error, BusyError) else {}
    return Json({"error": plain_error(error, site.worded)}, status_of(error), headers)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    return refused(400, f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}", what=where)


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentences = {404: "there is nothing at this address", 405: "this address is not asked in that way"}
    return refused(
        error.status_code, sentences.get(error.status_code, error.detail), headers=error.headers or {}
    )


async def _unforeseen(_request: Request, error: Exception) -> Response:
    return refused(500, f"the server failed: {type(error).__name__}; what is wrong is in its log")
