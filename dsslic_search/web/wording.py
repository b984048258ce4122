"""What the archive's web face says where the library speaks Python: an address, or a member of a request's
JSON, for each remedy that a request can bring. Others are for whoever runs the server (`Site.worded`)."""

from __future__ import annotations

from dsslic_search.core.errors import Remedy, in_words

REQUESTS: dict[Remedy, str] = {
    Remedy.CLASSES: "/api/archive",
    Remedy.PALETTE: "/api/archive",
    Remedy.REPLACE: '"replace": true',
    Remedy.SAVED_QUERIES: "/api/saved",
    Remedy.TAG: "POST /api/tags",
    Remedy.TAGS: "/api/tags",
    Remedy.WAIT: "the same request some seconds later",
    Remedy.OTHER_ARCHIVE: "a server of its own",
}


def in_requests(sentence: str) -> str:
    """A sentence of the library with those of its remedies as requests."""
    return in_words(sentence, REQUESTS)
