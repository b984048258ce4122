"""Tokens of what running text tells of times, places and facts of files: "before 2020", "last summer", "near
48.85,2.35", "larger than 5 MB"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache

from dsslic_search.query.ast import Near, Period, Recurring, Within
from dsslic_search.query.language import (
    calendar,
    clock,
    dates,
    fields,
    file_facts,
    foreign,
    plain_facts,
    words,
)
from dsslic_search.query.language.pieces import Piece, Source

_PATTERN = re.compile(r"[\w.-]{1,80}(?:\*|\.[a-z0-9]{2,6}\b)|[a-z]{2,5}[_-]?[0-9]{3}|f[0-9]{1,2}\b")
_DAY_FIRST = re.compile(r"[0-9]{1,2}(?:st|nd|rd|th)?[\s-]+[a-z]{3}|(?:19|20)[0-9]{2}[-/][0-9]|[0-9]{3}0s\b")
_POSSESSIVE = re.compile(r"'s\b")  # "last week's photos"
_TO = re.compile(r"\s+(?:to|until|till|through|[-–])\s+(?=[\w'])")
_WORD = re.compile(r"\S+")
_BEFORE_AN_AMOUNT = {"COMPARE", "BETWEEN", "MID", "RELATION"}
"""After these a number is none that tells a time or a fact."""
_Teller = Callable[[str, int, datetime, bool], tuple[plain_facts.Told, int] | None]


def _time_told(text: str, start: int, now: datetime, south: bool) -> tuple[plain_facts.Told, int] | None:
    found: tuple[Period | Recurring, int] | None = calendar.told(text, start, now, south)
    if found is None and _DAY_FIRST.match(text, start):
        found = dates.spoken(text, start, now)
    return None if found is None else (plain_facts.Told(found[0]), found[1])


def _clock_told(text: str, start: int, now: datetime, south: bool) -> tuple[plain_facts.Told, int] | None:
    found = clock.told(text, start)
    return None if found is None else (plain_facts.Told(found[0]), found[1])


def _fact_told(text: str, start: int, now: datetime, south: bool) -> tuple[plain_facts.Told, int] | None:
    return file_facts.told(text, start, now) or plain_facts.told(text, start, now)


def _date_told(text: str, start: int, now: datetime, south: bool) -> tuple[plain_facts.Told, int] | None:
    found = None if text[start].isdecimal() else dates.spoken(text, start, now)
    return None if found is None else (plain_facts.Told(found[0]), found[1])


_BOUND = re.compile(
    r"(?:taken\s+)?(?P<word>before|after|since|until|till)\s+(?:the\s+)?(?:(?P<edge>beginning|start|end)\s+of\s+)?"
)
"""Before a time that bounds others: "before christmas 2020", "until the end of may 2021"."""


def _bounded_told(text: str, start: int, now: datetime, south: bool) -> tuple[plain_facts.Told, int] | None:
    lead = _BOUND.match(text, start)
    if lead is None:
        return None
    found = _time_told(text, lead.end(), now, south) or _date_told(text, lead.end(), now, south)
    if found is None:
        return None
    span, word = found[0].node, lead["word"]
    if isinstance(span, Recurring) and span.field in {"month", "day"}:
        told_time = " ".join(text[lead.end() : found[1]].split())
        raise ValueError(
            f"{told_time} comes every year: write its year, as in {word} {told_time} {now.year - 1}"
        )
    if not isinstance(span, Period) or span.start is None or span.end is None:
        return None
    begins, ends = span.start.date(), span.end.date()
    if lead["edge"]:
        begins = ends = ends if lead["edge"] == "end" else begins
    bounds = {"before": (None, begins), "after": (ends, None), "since": (begins, None)}
    node = dates.period("taken", dates.Span(*bounds.get(word, (None, ends))), now)
    return plain_facts.Told(node), found[1]


_BIRTHDAY = re.compile(
    r"(?:(?:on|from|taken)\s+)*(?:(?:my|our|his|her|their)\s+)?birthday,?\s+(?:on\s+)?(?:the\s+)?(?=[0-9])"
)
"""Before the day of a birthday: "from my birthday 5 may"."""


def _birthday_told(text: str, start: int, now: datetime, south: bool) -> tuple[plain_facts.Told, int] | None:
    lead = _BIRTHDAY.match(text, start)
    return None if lead is None else _time_told(text, lead.end(), now, south)


_TELLERS: tuple[tuple[_Teller, frozenset[str]], ...] = (
    (_birthday_told, frozenset({"on", "from", "taken", "my", "our", "his", "her", "their", "birthday"})),
    (_clock_told, clock.OPENERS),
    (_date_told, dates.OPENERS),
    (_bounded_told, frozenset({"taken", "before", "after", "since", "until", "till"})),
    (_fact_told, plain_facts.OPENERS | file_facts.OPENERS),
    (_time_told, calendar.OPENERS),
)


@cache
def foreign_time_words() -> frozenset[str]:
    """The words with which a time in another language begins, with the article before a vowel too."""
    openers = calendar.OPENERS | dates.OPENERS
    first = {
        phrase.split()[0]
        for phrase, entries in foreign.foreign_words().items()
        if any(entry.english[0] in openers for entry in entries)
    }
    return frozenset(first | {elided + word for word in first for elided in foreign.ELIDED})


def foreign_time(source: Source, start: int, end: int) -> tuple[list[Piece], int] | None:
    """The token of a time in another language, which begins with the word at ``start``: "noël 2022"."""
    text = source.folded.text
    phrase = words.foreign_phrase(source, start, end)
    english = phrase[0] if phrase else foreign.english_of(text[start:end], source.language, source.is_english)
    if english is None or not (english[0] in calendar.OPENERS or english[0] in dates.OPENERS):
        return None
    last = phrase[1] if phrase else end
    told_in = " ".join(english)
    for teller in (_date_told, _time_told):
        try:
            found = teller(told_in + text[last : last + MAX_YEAR_CHARACTERS], 0, source.now, source.south)
        except ValueError as error:
            raise source.complaint(start, last, str(error)) from None
        if found is not None and found[0].node is not None and found[1] >= len(told_in):
            last += found[1] - len(told_in)
            return [Piece("FILTER", "name", *source.folded.span(start, last), node=found[0].node)], last
    return None


MAX_YEAR_CHARACTERS = 40
"""So many characters behind a time in another language are looked at for its year."""


def told(
    source: Source, kind: str | None, first: str, start: int, before: str
) -> tuple[list[Piece], int] | None:
    """The tokens of a time or a fact in plain words that begins at ``start``, and where they end; None if
    none begins there. ``kind``: "word", "number" or "symbol", with its text ``first``; ``before``: the type
    of the token before."""
    if kind == "word":
        first = first.removesuffix("'s")
        tellers = [teller for teller, openers in _TELLERS if first in openers]
        if not tellers and _PATTERN.match(source.folded.text, start):
            tellers = [_fact_told]
    elif kind == "number" and before not in _BEFORE_AN_AMOUNT:
        tellers = [teller for teller, _ in _TELLERS]
    elif kind == "symbol" and first == "*":
        tellers = [_fact_told]
    else:
        return None
    for teller in tellers:
        found = _asked(source, teller, start, start + len(first))
        if found is not None:
            found = _until(source, *found)
            if possessive := _POSSESSIVE.match(source.folded.text, found[1]):
                return _pieces(source, found[0], start, found[1]), possessive.end()
            return _pieces(source, found[0], start, found[1]), found[1]
    return None


def _asked(source: Source, teller: _Teller, start: int, end: int) -> tuple[plain_facts.Told, int] | None:
    """What a teller finds from ``start`` on. QueryError, at the characters up to ``end``, for a date that
    does not exist."""
    try:
        return teller(source.folded.text, start, source.now, source.south)
    except ValueError as error:
        raise source.complaint(start, end, str(error)) from None


def _until(source: Source, first: plain_facts.Told, end: int) -> tuple[plain_facts.Told, int]:
    """A time with the one after "to", as in "from christmas 2020 to 3 january 2021"."""
    joint, told_first = _TO.match(source.folded.text, end), first.node
    if joint is None or not isinstance(told_first, Period) or told_first.field != "taken":
        return first, end
    begins, ends = told_first.start, told_first.end
    if begins is None:
        return first, end
    word = _WORD.match(source.folded.text, joint.end())
    assert word is not None
    for teller in (_time_told, _date_told):
        found = _asked(source, teller, *word.span())
        last = found[0].node if found is not None else None
        if found is None or not isinstance(last, Period) or last.start is None or last.end is None:
            continue
        if ends is None or last.end < begins:
            raise source.complaint(
                end, found[1], "the dates are the wrong way round: write the earlier one first"
            )
        span = dates.Span(begins.date(), last.end.date())
        return plain_facts.Told(dates.period("taken", span, source.now)), found[1]
    return first, end


def _pieces(source: Source, told: plain_facts.Told, start: int, end: int) -> list[Piece]:
    span = source.folded.span(start, end)
    made = []
    if told.node is not None:
        made.append(Piece("FILTER", "", *span, node=told.node))
    if told.sort is not None:
        made.append(Piece("SORT", "", *span, sort=told.sort))
    if told.limit is not None:
        made.append(Piece("LIMIT", "", *span, number=told.limit))
    if told.tally is not None:
        made.append(Piece("TALLY", told.tally, *span))
    return made


def spoken(source: Source, word: str, start: int, end: int) -> tuple[list[Piece], int] | None:
    """The filter that running text such as "before 2020" or "near 48.85,2.35" is, if it is one."""
    try:
        found: tuple[Period | Near | Within, int] | None
        if word in fields.NEAR_OPENERS:
            found = fields.near(source.folded.text, start)
        else:
            found = dates.spoken(source.folded.text, start, source.now)
    except ValueError as error:
        raise source.complaint(start, end, str(error)) from None
    if found is None:
        return None
    node, end = found
    return [Piece("FILTER", "", *source.folded.span(start, end), node=node)], end
