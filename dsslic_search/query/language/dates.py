"""Dates as people write them, in values ("2023-06..today") and in running text ("before 2020", "in june
2020", "yesterday")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal

from dsslic_search.query.ast import Period

YEARS = range(1800, 2200)
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)

_MONTH = (
    "("
    + "|".join(f"{name[:3]}(?:{name[3:]})?" if len(name) > 3 else name for name in MONTHS)
    + r"|sept)\b\.?"
)
_APART = r"[\s-]+"
_FORMS = (
    r"(?P<iso>[0-9]{4}(?:[-/][0-9]{1,2}){0,2})(?![-/]?\w|\s*%|\s*per\s*cent)",
    r"(?P<decade>[0-9]{3}0)s\b",
    rf"(?:(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?{_APART})?(?P<month>{_MONTH}){_APART}(?P<year>[0-9]{{4}})\b",
    rf"(?P<month2>{_MONTH}){_APART}(?P<day2>[0-9]{{1,2}})(?:st|nd|rd|th)?,?{_APART}(?P<year2>[0-9]{{4}})\b",
    r"(?P<today>today|yesterday)\b(?!\s+(?:last\s+year|\w+\s+(?:day|week|month|year)s?\s+ago)\b)",
    rf"(?P<which>this|last){_APART}(?P<unit>week|month|year)\b(?!{_APART}(?:of|in){_APART}{_MONTH})",
    rf"(?:last|past){_APART}(?P<count>[0-9]{{1,4}}|two|three|four|five|six|ten|twelve){_APART}?"
    r"(?P<unit2>day|week|month|year)s?\b",
    rf"past{_APART}(?P<unit4>week|month|year)\b",
    r"(?P<count3>[0-9]{1,4})(?P<unit3>[dwmy])\b",
)
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "twelve": 12, "a": 1, "an": 1}
_DATE = re.compile("|".join(_FORMS))
_SPOKEN = re.compile("|".join(_FORMS[:-1]))
_LEAD = re.compile(
    r"(?:(?P<field>taken|added)\b\s*)?(?:(?P<word>before|after|since|until|till|in|on|during|from|between|(?:older|earlier|newer|later)\s+than)\b\s*)?(?:the\s+)?"
)
_AGED = re.compile(
    r"([0-9]{1,4}|an?|two|three|four|five|six|ten|twelve)\s+(day|week|month|year)s?\b(?!\s+ago\b)"
)
"""The age behind "older than"."""
_TO = {
    "from": re.compile(r"\s*(?:to|until|till|through|-|–|—|\.\.)\s*(?:the\s+)?"),
    "between": re.compile(r"\s*(?:and|&)\s*(?:the\s+)?"),
}
_ON = re.compile(r"\s+onwards?\b|\s+on(?=\s*(?:$|[,).]))")
_ONLY_MONTH = re.compile(rf"(?:before|after|since|until|till)\s+{_MONTH}(?!\w)")
_COMPARED = re.compile(r"(>=|=>|<=|=<|==|[≥≤><=])\s*")

OPENERS = frozenset(
    {"taken", "added", "before", "after", "since", "until", "till", "in", "on", "during", "from", "between"}
    | {"older", "earlier", "newer", "later", "today", "yesterday", "this", "last", "past", "sept"}
    | {word for name in MONTHS for word in (name, name[:3])}
)
"""The words with which a date in running text can begin."""


@dataclass(frozen=True)
class Span:
    """Days from ``start`` to before ``end``; None: no bound."""

    start: date | None
    end: date | None


def value(text: str, field: str, now: datetime) -> Period:
    """The period that a value in normal form means: "2023-06", "2020..", ">=2020", "today", "7d". ValueError
    if none."""
    words = text.strip()
    if compared := _COMPARED.match(words):
        only = _whole(words[compared.end() :], now)
        match compared.group(1):
            case ">=" | "=>" | "≥":
                span = Span(only.start, None)
            case "<=" | "=<" | "≤":
                span = Span(None, only.end)
            case ">":
                span = Span(only.end, None)
            case "<":
                span = Span(None, only.start)
            case _:
                span = only
    elif ".." in words:
        first, _, last = (part.strip() for part in words.partition(".."))
        if not first and not last:
            raise ValueError("a range of dates needs one side at least, as in 2020.. or 2023-06..2023-09")
        span = _from_to(
            _whole(first, now) if first else Span(None, None), _whole(last, now) if last else Span(None, None)
        )
    else:
        span = _whole(words, now)
    return period(field, span, now)


def spoken(text: str, start: int, now: datetime) -> tuple[Period, int] | None:
    """The period that running text in normal form speaks of from ``start`` on, and where that ends; None if
    it speaks of none.

    Raises ValueError with a sentence for a date that does not exist."""
    lead = _LEAD.match(text, start)
    assert lead is not None
    field = "added" if lead["field"] == "added" else "taken"
    word = " ".join((lead["word"] or "").split())
    word = {"older than": "before", "earlier than": "before"}.get(word, word)
    word = {"newer than": "after", "later than": "after"}.get(word, word)
    if aged := _AGED.match(text, lead.end()) if lead["word"] != word else None:
        day = _ago(now.date(), _COUNTS.get(aged[1]) or int(aged[1]), aged[2][0])
        return period(field, Span(None, day) if word == "before" else Span(day, None), now), aged.end()
    found = _SPOKEN.match(text, lead.end())
    if found is None:
        if month := _ONLY_MONTH.match(text, start):
            raise ValueError(f"a month needs its year: write {' '.join(month.group().split())} {now.year}")
        return None
    span, end = _span(found, now), found.end()
    if word in _TO and (to := _TO[word].match(text, end)) and (last := _SPOKEN.match(text, to.end())):
        span, end = _from_to(span, _span(last, now)), last.end()
    elif word == "between":
        return None
    elif word == "from" and (on := _ON.match(text, end)):
        span, end = Span(span.start, None), on.end()
    elif word in {"before", "after", "since", "until", "till"}:
        span = {
            "before": Span(None, span.start),
            "after": Span(span.end, None),
            "since": Span(span.start, None),
        }.get(word, Span(None, span.end))
    return period(field, span, now), end


def period(field: str, span: Span, now: datetime) -> Period:
    """The days of ``span`` as the catalog counts time: taken is local already, added is UTC, and the days are
    those of ``now``."""
    zone: tzinfo | Literal["local"] | None = None if field == "taken" else now.tzinfo or "local"
    return Period(field, _midnight(span.start, zone), _midnight(span.end, zone), f"{field}:{_shown(span)}")


def _midnight(day: date | None, zone: tzinfo | Literal["local"] | None) -> datetime | None:
    """The beginning of a day, without a zone: in UTC for a day of ``zone`` ("local": the machine's), as it is
    for None."""
    if day is None:
        return None
    midnight = datetime(day.year, day.month, day.day)
    if zone is None:
        return midnight
    return midnight.replace(tzinfo=None if zone == "local" else zone).astimezone(UTC).replace(tzinfo=None)


def _whole(text: str, now: datetime) -> Span:
    found = _DATE.fullmatch(text.replace("_", " "))
    if found is None:
        raise ValueError(
            "a date belongs here, as in 2023, 2023-06, 2023-06-05, june-2023, today, last-week, 2020.. or "
            "2023-06..2023-09"
        )
    return _span(found, now)


def _span(found: re.Match[str], now: datetime) -> Span:
    """The days of a match of _DATE or _SPOKEN."""
    part = {name.rstrip("23"): text for name, text in found.groupdict().items() if text}
    today = now.date()
    if iso := part.get("iso"):
        return _days(*map(int, re.split("[-/]", iso)))
    if decade := part.get("decade"):
        return Span(_days(int(decade)).start, _days(int(decade) + 9).end)
    if month := part.get("month"):
        number = next(i for i, name in enumerate(MONTHS, 1) if name[:3] == month[:3])
        return _days(int(part["year"]), number, *([int(part["day"])] if "day" in part else []))
    if word := part.get("today"):
        day = today if word == "today" else today - timedelta(1)
        return Span(day, day + timedelta(1))
    if count := part.get("count"):
        return Span(_ago(today, _COUNTS.get(count) or int(count), part["unit"][0]), today + timedelta(1))
    if "unit4" in part:
        return Span(_ago(today, 1, part["unit4"][0]), today + timedelta(1))
    return _calendar(today, part["which"] == "last", part["unit"])


def _days(year: int, month: int | None = None, day: int | None = None) -> Span:
    if year not in YEARS:
        raise ValueError(f"the year {year} is not understood: write a year from {YEARS[0]} to {YEARS[-1]}")
    if month is None:
        return Span(date(year, 1, 1), date(year + 1, 1, 1))
    if not 1 <= month <= 12:
        raise ValueError(f"there is no month {month}: months go from 1 to 12, as in {year}-06")
    first, next_month = date(year, month, 1), _month_after(date(year, month, 1), 1)
    if day is None:
        return Span(first, next_month)
    if not 1 <= day <= (next_month - first).days:
        raise ValueError(
            f"{MONTHS[month - 1].capitalize()} {year} has no day {day}, only {(next_month - first).days} days"
        )
    return Span(first.replace(day=day), first.replace(day=day) + timedelta(1))


def _calendar(today: date, last: bool, unit: str) -> Span:
    """This or the last week (Monday to Sunday), month or year."""
    if unit == "week":
        monday = today - timedelta(today.weekday() + 7 * last)
        return Span(monday, monday + timedelta(7))
    if unit == "month":
        first = _month_after(today.replace(day=1), -last)
        return Span(first, _month_after(first, 1))
    return Span(date(today.year - last, 1, 1), date(today.year - last + 1, 1, 1))


def _ago(today: date, count: int, unit: str) -> date:
    """The first of the last ``count`` days or weeks, today included; or the same day of the month months or
    years ago."""
    if not 0 < count <= 1000:
        raise ValueError(
            f"{count} is too {'many' if count else 'few'} days, weeks, months or years: write a number from "
            "1 to 1000"
        )
    if unit in "dw":
        return today - timedelta(count * (7 if unit == "w" else 1) - 1)
    months = count * (12 if unit == "y" else 1)
    if today.year - months // 12 <= YEARS[0]:
        raise ValueError(f"that is before {YEARS[0]}: write a smaller number")
    first = _month_after(today.replace(day=1), -months)
    return min(first + timedelta(today.day - 1), _month_after(first, 1) - timedelta(1))


def _month_after(first: date, months: int) -> date:
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _from_to(first: Span, last: Span) -> Span:
    if first.start is not None and last.end is not None and first.start >= last.end:
        raise ValueError("the dates are the wrong way round: write the earlier one first")
    return Span(first.start, last.end)


def _shown(span: Span) -> str:
    """The shortest value that means the span."""
    first, end = span.start, span.end
    begins = "" if first is None else _short(first, first)
    ends = "" if end is None else _short(end - timedelta(1), end)
    if first and end:
        if first + timedelta(1) == end:
            return first.isoformat()
        if first.day == 1 and end == _month_after(first, 1):
            return first.isoformat()[:7]
        if begins == ends:
            return begins
    return f"{begins}..{ends}"


def _short(day: date, edge: date) -> str:
    """A day as its year or month when ``edge``, the day itself or the one after, begins one."""
    return day.isoformat()[: 10 if edge.day > 1 else 7 if edge.month > 1 else 4]
