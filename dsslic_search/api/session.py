"""A conversation with an archive: questions that refine one another, with results that have numbers.

What a terminal, or a page, does between a person's lines is kept here; reading lines and showing photos is
theirs.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dsslic_search.api.arguments import count_of, text_of
from dsslic_search.core.errors import UsageError

if TYPE_CHECKING:
    from dsslic_search.api.answers import Hit, QueryResult
    from dsslic_search.api.archive import Archive
    from dsslic_search.api.statistics import Statistics

PAGE = 20  # photos, unless told
QUESTIONS_KEPT = 100  # that one can go back to

_JOINED = re.compile(r"\s*(?:(?:and|but)\b\s*,?|[&,])\s*(?:\+\s*)?|\s*\+\s*", re.IGNORECASE)
_LESS = re.compile(r"\s*(?:(?:without|except|excluding)\b|[-−!])", re.IGNORECASE)
_LIKE_NUMBERS = re.compile(
    r"""\b(?P<like>like\s+)(?P<numbers>[0-9]+(?![0-9.%/])
        (?:\s*(?:,|\band\b|\bor\b)\s*(?:\#?[0-9]+)(?=\s*(?:$|[,)]|\b(?:and|but|or|not|no|with|without)\b)))*)""",
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER = re.compile(r"(?<![#0-9])[0-9]+")


@dataclass(frozen=True)
class Question:
    """What was asked: the first text and those that refined it; and the pages of the answer so far, at least
    one."""

    texts: tuple[str, ...]
    pages: tuple[QueryResult, ...]

    @property
    def hits(self) -> tuple[Hit, ...]:
        """The photos shown so far, best first."""
        return tuple(hit for page in self.pages for hit in page.hits)

    @property
    def total(self) -> int:
        """How many photos match."""
        return self.pages[0].total

    @property
    def text(self) -> str:
        """The texts on one line."""
        return "; ".join(self.texts)


class Session:
    """Questions to an archive, each answered a page at a time, and the way back to earlier ones.

    A question that cannot be understood raises QueryError and changes nothing. The results of the last
    answer are numbered from 1 on, over its pages: their numbers are the ``rank`` of its hits."""

    def __init__(self, archive: Archive, page: int = PAGE) -> None:
        """``page``: photos on a page, at least 1."""
        self.archive = archive
        self.page = count_of(page, "page", 1)
        self._asked: deque[Question] = deque(maxlen=QUESTIONS_KEPT)

    @property
    def question(self) -> Question | None:
        """The last question that was answered; None before any was."""
        return self._asked[-1] if self._asked else None

    def say(self, line: str) -> QueryResult:
        """The answer to a line as people type it: a refinement of the last question where it begins with
        "and", "but", "without", "except", "+" or "-", else a new question."""
        refinement = refinement_of(line)
        if refinement is not None and (self._asked or _LESS.match(line) is None):
            return self.refine(refinement)
        return self.ask(line)

    def ask(self, text: str) -> QueryResult:
        """The first page of a new question's answer."""
        return self._answered((self.in_ids(text_of(text)),))

    def refine(self, text: str) -> QueryResult:
        """The first page of those photos of the last answer that ``text`` asks for too, in its order where it
        names one. UsageError where nothing was asked before."""
        return self._answered((*self._last.texts, self.in_ids(text_of(text))))

    def more(self) -> QueryResult | None:
        """The next page of the last answer; None where all of it was shown."""
        last = self._last
        cursor = last.pages[-1].cursor
        if cursor is None:
            return None
        page = self._found(last.texts, after=cursor)
        self._asked[-1] = replace(last, pages=(*last.pages, page))
        return page

    def back(self) -> Question:
        """The question before the last one, which is the last again. UsageError where there is none."""
        if len(self._asked) < 2:
            raise UsageError("there is no question before this one to go back to")
        self._asked.pop()
        return self._asked[-1]

    def explain(self) -> str:
        """How the last question was understood, and what each part of it matches."""
        *among, text = self._last.texts
        return self.archive.find(text, limit=0, explain=True, among=among).explanation

    def statistics(self) -> Statistics:
        """Of the last answer; of the whole archive where nothing was asked."""
        if not self._asked:
            return self.archive.statistics()
        *among, text = self._last.texts
        return self.archive.statistics(text, among=among)

    def id_of(self, number: int) -> int:
        """The id of the photo that has a number in the last answer. UsageError where none has."""
        shown = self._last.hits
        for hit in shown:
            if hit.rank == number:
                return hit.id
        if not shown:
            raise UsageError(f"{number}: the last answer has no photo, so there is no number to name")
        raise UsageError(
            f"{number}: the numbers shown are {shown[0].rank} to {shown[-1].rank}; more shows further ones, "
            "and # before a number names a photo by its id"
        )

    def in_ids(self, text: str) -> str:
        """A query in which numbers of results after "like" became ids: "like 3" is "like #12"."""
        return _LIKE_NUMBERS.sub(
            lambda found: (
                found["like"]
                + _NUMBER.sub(lambda number: f"#{self.id_of(int(number.group()))}", found["numbers"])
            ),
            text,
        )

    @property
    def _last(self) -> Question:
        if not self._asked:
            raise UsageError("nothing was asked yet; ask what photos should show, as in road and >30% sky")
        return self._asked[-1]

    def _answered(self, texts: tuple[str, ...]) -> QueryResult:
        page = self._found(texts)
        self._asked.append(Question(texts, (page,)))
        return page

    def _found(self, texts: tuple[str, ...], after: str | None = None) -> QueryResult:
        *among, text = texts
        result = self.archive.find(text, limit=self.page, after=after, among=among)
        _ = result.hits  # looked up now, so that numbers stay what they are whatever the archive becomes
        return result


def refinement_of(line: str) -> str | None:
    """What a line that begins as a refinement asks of the last answer, as a query of its own; None for a line
    that begins otherwise."""
    if joined := _JOINED.match(line):
        return line[joined.end() :]
    return line.strip() if _LESS.match(line) else None
