"""Answers of text, smaller: JSON and the page's own files shrink to a fourth, pictures would only grow."""

from __future__ import annotations

import re

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LEAST_BYTES = 1_000
_NO_TEXT = re.compile(r"/api/(photos/\d+/(stages/\w+|file|original)|export)")
"""Answers that are compressed as they are, or of which parts are asked for by their bytes."""


class Compressed:
    """Middleware: gzip for whoever takes it, where it helps. Server-sent events are left as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._gzip = GZipMiddleware(app, minimum_size=LEAST_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_text = (
            scope["type"] == "http"
            and _NO_TEXT.fullmatch(scope["path"]) is None
            and all(name != b"range" for name, _ in scope["headers"])  # of bytes as the file has them
        )
        await (self._gzip if is_text else self._plain)(scope, receive, send)
