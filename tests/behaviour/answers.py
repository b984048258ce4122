"""Queries: what an archive answers to each, and the errors of those that are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dsslic_search import Archive
from tests.behaviour import texts
from tests.behaviour.plain import attempt, lines, undated

PHOTOS_OF_A_PAGE = 7
PAGES_LOOKED_AT = 41  # more are a cursor that never ends
CURSORS = ("", "x", "AAAA", "AVOI-Iz8OFM7", "é", ".5", "AAAA.5", "A" * 70000)


def answered(archive: Archive, text: str, **options: Any) -> dict[str, Any]:
    """What a query gives: total; rank, id, score and coverages of each photo; how it was understood."""
    found = archive.query(text, **({"limit": None, "explain": True} | options))
    hits = []
    for hit in found.hits:
        coverages = (f"{name} {part!r}" for name, part in hit.coverage.items())
        hits.append(" ".join([f"{hit.rank}. #{hit.id} {hit.score!r}", *coverages]))
    return {
        "total": found.total,
        "hits": hits,
        "explanation": lines(found.explanation) if found.explanation else [],
        "unseen": list(found.unseen),
        "more": found.cursor is not None,
    }


def paged(archive: Archive, text: str) -> list[str]:
    """All pages of an answer, with the ranks and ids of their photos."""
    pages: list[str] = []
    cursor = None
    while len(pages) < PAGES_LOOKED_AT:
        found = archive.query(text, limit=PHOTOS_OF_A_PAGE, after=cursor)
        pages.append(f"{found.total}: " + " ".join(f"{hit.rank}.#{hit.id}" for hit in found.hits))
        cursor = found.cursor
        if cursor is None:
            break
    return pages


def asked(
    archive: Archive, *, words: Mapping[str, Sequence[str]], stored: bool, painted: bool
) -> dict[str, Any]:
    """Answers and errors of every query.

    ``words``: the synonyms of each name. ``stored``: the archive was filled on another day, so what depends
    on that is not asked. ``painted``: the archive shows enough to ask much more of it."""
    asking = [*texts.QUERIES, *texts.REFUSED, *(f"{name} > 2%" for name in words)]
    if painted:
        asking += [*texts.crossed(), *texts.combinations()]
    found: dict[str, Any] = {text: attempt(answered, archive, text) for text in asking}
    for word in texts.each_word(words):
        found[f"word: {word}"] = attempt(answered, archive, word, limit=0)
    for name, text in texts.LONG.items():
        found[f"long: {name}"] = attempt(answered, archive, text, limit=3)
    for text in () if stored else texts.OF_TODAY:
        found[f"today: {text}"] = undated(attempt(answered, archive, text))
    for text in texts.PAGED:
        found[f"pages: {text}"] = attempt(paged, archive, text)
    for cursor in CURSORS:
        found[f"cursor: {cursor[:20]}"] = attempt(answered, archive, "sky", after=cursor)
    other = archive.query("sky", limit=1).cursor
    found["cursor of another query"] = attempt(answered, archive, "sea", after=other)
    for limit in (-1, 0, 1, 10**9):
        found[f"limit: {limit}"] = attempt(answered, archive, "sky", limit=limit)
    return found
