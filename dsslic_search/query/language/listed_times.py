"""Times that are listed: "summer 2019 or 2020" are two summers, "march or april 2019" two months of one year,
and of "2019 and 2021" no photo is in both, so either is asked for."""

from __future__ import annotations

import re
from calendar import isleap
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise

from dsslic_search.query.ast import Or, Period, Recurring
from dsslic_search.query.language.dates import Span, period
from dsslic_search.query.language.pieces import Piece

_JOINERS = {"AND", "OR", "COMMA"}
_LEAD = re.compile(r"(?:(?:taken|shot|in|on|at|from|of|during|the|year)\s+)*")
_YEAR = re.compile(rf"{_LEAD.pattern}([12][0-9]{{3}})")
_OF_A_YEAR = re.compile(r"(?=.*[a-z]).*\b([12][0-9]{3})", re.DOTALL)
_NO_NAME = re.compile(
    r"\b(?:since|before|after|until|till|between|from|to|than|later|earlier|ago|last|this|past)\b"
    r"|[12][0-9]{3}.*[12][0-9]{3}|[-–+]"
)
"""What is in a time that is more than the name of one in a year."""
_MOVES = re.compile("easter|thanksgiving")


def listed(text: str, pieces: list[Piece], now: datetime) -> list[Piece]:
    """The tokens of a query with times that are listed as one, where they are told in words."""
    made: list[Piece] = []
    index = 0
    while index < len(pieces):
        end = index + 1
        while (
            _is_time(text, pieces[index])
            and end + 1 < len(pieces)
            and pieces[end].type in _JOINERS
            and _is_time(text, pieces[end + 1])
        ):
            end += 2
        made += _joined(text, pieces[index:end], now) if end > index + 1 else pieces[index:end]
        index = end
    return made


def _is_time(text: str, piece: Piece) -> bool:
    node = piece.node
    if piece.type != "FILTER" or ":" in text[piece.start : piece.end]:
        return False
    return isinstance(node, Recurring) or (isinstance(node, Period) and node.field == "taken")


def _joined(text: str, run: list[Piece], now: datetime) -> list[Piece]:
    """The tokens of a list of times, with each one's year; a single one where they exclude one another."""
    times = run[::2]
    said = [" ".join(text[piece.start : piece.end].casefold().split()) for piece in times]
    said = [each[found.end() :] if (found := _LEAD.match(each)) else each for each in said]
    nodes = [node for piece in times if isinstance(node := piece.node, Period | Recurring)]
    notes = []
    for index in range(len(nodes) - 1, 0, -1):  # "march or april 2019"
        year = _named_in_a_year(said[index])
        earlier = nodes[index - 1]
        if year and isinstance(earlier, Recurring):
            given = _in_year(earlier, int(year[1]), now)
            if given is not None:
                bare = said[index - 1]
                nodes[index - 1], said[index - 1] = given, f"{bare} {year[1]}"
                notes.append(f"{bare}: read as {said[index - 1]}")
    for index in range(1, len(nodes)):  # "summer 2019 or 2020"
        year, before = _YEAR.fullmatch(said[index]), _named_in_a_year(said[index - 1])
        if year and before and not _MOVES.search(said[index - 1]):
            moved = _moved(nodes[index - 1], int(year[1]) - int(before[1]), now)
            if moved is not None:
                name = said[index - 1][: before.start(1)].strip()
                nodes[index], said[index] = moved, f"{name} {year[1]}"
                notes.append(f"{year[1]}: read as {said[index]}")
    for piece, node in zip(times, nodes, strict=True):
        piece.node = node
    if notes:
        times[0].note = "; ".join([each for each in [times[0].note] if each] + notes)
    alternatives = notes or any(joiner.type != "OR" for joiner in run[1::2])
    if alternatives and _exclude_one_another(nodes):
        return [replace(times[0], end=times[-1].end, node=Or(tuple(nodes)))]
    return run


def _named_in_a_year(said: str) -> re.Match[str] | None:
    """The match of a name with its year, "march 2019"; None for "2019", "since march 2019" and the like."""
    return None if _YEAR.fullmatch(said) or _NO_NAME.search(said) else _OF_A_YEAR.fullmatch(said)


def _in_year(time: Recurring, year: int, now: datetime) -> Period | None:
    """Months or days of one year; a range past its end goes on into the next."""
    if time.field not in {"month", "day"}:
        return None
    first, last = ((n, 1) if time.field == "month" else divmod(n, 100) for n in (time.low, time.high))
    until = (last[0] + 1, 1) if time.field == "month" else (last[0], last[1] + 1)
    return _period((year, *first), (year + (time.high < time.low), *until), now)


def _period(first: tuple[int, int, int], until: tuple[int, int, int], now: datetime) -> Period | None:
    """The days from one to before another, which may be the first past the end of its month or year."""
    year, month, day = until
    if month <= 12 and day > _days_of(year, month):
        month, day = month + 1, 1
    if month > 12:
        year, month = year + 1, 1
    if first[2] > _days_of(*first[:2]):
        return None
    return period("taken", Span(date(*first), date(year, month, day)), now)


def _days_of(year: int, month: int) -> int:
    return 29 if month == 2 and isleap(year) else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def _moved(node: Period | Recurring, years: int, now: datetime) -> Period | None:
    """The same days of another year."""
    if not isinstance(node, Period) or node.start is None or node.end is None:
        return None
    first, until = ((d.year + years, d.month, d.day) for d in (node.start, node.end))
    return _period(first, until, now)


def _exclude_one_another(nodes: list[Period | Recurring]) -> bool:
    """Whether no photo was taken at any two of them."""
    periods = [node for node in nodes if isinstance(node, Period)]
    if len(periods) == len(nodes):
        ordered = sorted(periods, key=lambda each: each.start or datetime.min)
        return all(
            one.end is not None and other.start is not None and one.end <= other.start
            for one, other in pairwise(ordered)
        )
    again = [node for node in nodes if isinstance(node, Recurring)]
    if len(again) < len(nodes) or len({node.field for node in again}) > 1:
        return False
    ordered_again = sorted(again, key=lambda node: node.low)
    apart = all(one.low <= one.high < other.low for one, other in pairwise(ordered_again))
    last = ordered_again[-1]
    return apart and (last.low <= last.high or last.high < ordered_again[0].low)
