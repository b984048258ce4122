"""Errors as answers: one shape for all of them, and which status each kind has."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.responses import HTMLResponse, Response

from dsslic_search.core.errors import (
    BusyError,
    DSSError,
    MissingExtraError,
    NotThereError,
    PhotoError,
    PixelsError,
    QueryError,
    StageError,
    TakenError,
    UsageError,
)
from dsslic_search.core.text import printable

Worded = Callable[[str], str]
"""Makes, of a sentence of the library, one with remedies as the reader knows them."""


class Refusal(Exception):
    """A request that is not answered as asked: ``status`` and a ``sentence``."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = dict(headers or {})


class Json(Response):
    """JSON in ASCII alone: whatever characters names and metadata hold, the bytes are sound."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def refused(
    status: int,
    sentence: str,
    *,
    what: str = "",
    start: int | None = None,
    end: int | None = None,
    suggestions: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Json:
    """The answer for an error."""
    return Json(
        {"error": error_of(sentence, what=what, start=start, end=end, suggestions=suggestions)},
        status,
        dict(headers or {}),
    )


def told(refusal: Refusal) -> Json:
    """The answer that says why a request is refused."""
    return refused(refusal.status, refusal.sentence, headers=refusal.headers)


def shown(refusal: Refusal) -> HTMLResponse:
    """The same for somebody who opened an address in a browser."""
    sentence = html.escape(refusal.sentence[:1].upper() + refusal.sentence[1:])
    return HTMLResponse(_PAGE.format(sentence=sentence), refusal.status, refusal.headers)


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Not shown</title>
<h1>Not shown</h1>
<p>{sentence}.</p>
</html>
"""


def error_of(
    sentence: str,
    *,
    what: str = "",
    start: int | None = None,
    end: int | None = None,
    suggestions: Sequence[str] = (),
) -> dict[str, Any]:
    """An error as plain values."""
    return {
        "sentence": sentence,
        "what": what,
        "start": start,
        "end": end,
        "suggestions": list(suggestions),
    }


def plain_error(error: DSSError, worded: Worded) -> dict[str, Any]:
    """An error of the library as plain values. A query's sentence is without the place, which is told in
    characters beside it."""
    sentence = worded(str(error))
    if not isinstance(error, QueryError) or error.end is None:
        return error_of(printable(sentence))
    sentence = sentence.partition("\n")[0].rpartition(" (at ")[0] or sentence
    start, end = error.position, max(error.end, error.position)
    return error_of(sentence, what=error.text[start:end], start=start, end=end, suggestions=error.suggestions)


def status_of(error: DSSError) -> int:
    """The status that an error of the library has."""
    match error:
        case NotThereError() | StageError():
            return 404
        case PixelsError():
            return 413
        case BusyError():
            return 503
        case UsageError() | PhotoError() | MissingExtraError():
            return 400
        case TakenError():
            return 409
    return 500
