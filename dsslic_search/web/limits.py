"""What one client, and all of them together, may ask of the server; each a setting with a name."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields, replace

from dsslic_search.core.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """Each from an argument, else the environment (``DSS_SERVE_BODY`` and so on), else its default.

    ``body``: bytes of a request with JSON or a sketch; ``upload``: of one with photos (413). ``seconds``: for
    a request's body to arrive, beside what its bytes take at 20 kB a second (408), and for work on a request
    (503). ``pixels``: of a photo that is sent to find others by, or a picture that is asked for (413).
    ``rows``: photos in one page of an answer, or ids in one request (413).
    ``exported``: photos in one export (413). ``rate``: requests a second of one client, of which the worth of
    four seconds may come at once (429). ``decoders``: pictures made at once, by default as many as half of
    the processors, since a browser on the same machine needs some; ``waiting``: requests that may wait for
    one (503). ``cache``: bytes of pictures kept on disk.
    ``shards``: processes that find photos, each with a part of the indexes in memory."""

    body: int = 4_000_000
    upload: int = 1_000_000_000
    seconds: int = 60
    pixels: int = 200_000_000
    rows: int = 1_000
    exported: int = 1_000_000
    rate: int = 500
    decoders: int = field(default_factory=lambda: max(1, (os.cpu_count() or 1) // 2))
    waiting: int = 200
    cache: int = 1_000_000_000
    shards: int = 1

    def __post_init__(self) -> None:
        for each in fields(self):
            if (value := getattr(self, each.name)) < 1:
                raise UsageError(f"the limit {each.name} is {value}: it must be 1 or more")


def limits_of(**told: int | None) -> Limits:
    """The limits that are told by name, the others from the environment. UsageError for what is no whole
    number of at least 1."""
    found: dict[str, int] = {}
    for each in fields(Limits):
        name = f"DSS_SERVE_{each.name.upper()}"
        if (value := told.get(each.name)) is not None:
            found[each.name] = value
        elif name in os.environ:
            text = os.environ[name]
            if not text.isascii() or not text.isdecimal() or len(text) > 15:
                raise UsageError(f"{name}={text}: must be a whole number of at least 1")
            found[each.name] = int(text)
    return replace(Limits(), **found)
