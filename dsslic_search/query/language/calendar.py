"""What people say of time besides dates: seasons, feasts, weekends, mornings, "two weeks ago"; and months or
days of any year."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta

from dsslic_search.query.ast import Period, Recurring, RecurringField
from dsslic_search.query.language.dates import MONTHS, Span, period
from dsslic_search.query.language.feasts import feast_of, fixed

SEASONS: Mapping[str, int] = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
"""The first month of each, of three, in the northern hemisphere."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS: Mapping[str, tuple[int, int]] = {
    "morning": (5, 11),
    "noon": (11, 13),
    "midday": (11, 13),
    "afternoon": (12, 17),
    "evening": (18, 22),
}
"""The hours that begin in each part of the day, both included."""
RECENT_DAYS = 30
DECADES = ("twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties")
"""Of the twentieth century."""
_PARTS_OF_YEAR: Mapping[str, tuple[int, int]] = {
    "early": (1, 4), "mid": (5, 8), "late": (9, 12), "first half of": (1, 6), "second half of": (7, 12),
    "beginning of": (1, 4), "start of": (1, 4), "middle of": (5, 8), "end of": (9, 12),
}  # fmt: skip
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}

_MONTH = "|".join(MONTHS)
_LEAD = r"(?:taken\s+)?(?:(?:in|on|at|around|about|during|from|of|over|every|each|the|an?)\s+){0,3}"
_FEASTS = (
    r"christmas(?:\s+(?:eve|day))?(?!\s+trees?\b)|new\s+year'?s?\s+(?:eve|day)|"
    r"halloween|easter|valentine'?s?\s+day|thanksgiving"
)
_YEAR = r"(?:19|20)[0-9]{2}(?![0-9:%/]|s\b|\.[0-9]|-[0-9]{1,2}(?![0-9])|\s*%)"


def _of_its_year(name: str) -> str:
    return rf"(?:,?\s+(?:of\s+)?(?P<{name}>{_YEAR}))?"


_NTH: Mapping[str, int] = {
    "first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": 0,
}  # fmt: skip
_PARTS_OF_MONTH: Mapping[str, tuple[int, int]] = {
    "early": (1, 10), "beginning of": (1, 10), "start of": (1, 10), "mid": (11, 20), "middle of": (11, 20),
    "late": (21, 31), "end of": (21, 31), "first half of": (1, 15), "second half of": (16, 31),
}  # fmt: skip
"""Days of a month, both included; the last day is that of the month."""
_NEXT_TO_A_DAY = r"(?=\s*(?:$|[,()]|(?:and|or|with|without|photos?|pictures?)\b))"
_AGO = r"(?P<count>[0-9]{1,3}|a|an|one|two|three|four|five|six)\s+(?P<unit>day|week|month|year)s?\s+ago\b"
_OR_ON = (
    r"(?P<year_on>\s*\+(?!\w)|\s+(?:or|and)\s+(?:later|newer|after|onwards?)\b)|"
    r"(?P<year_back>\s+(?:or|and)\s+(?:earlier|older|before)\b)"
)
_FORMS = (
    rf"(?P<nth>{'|'.join(_NTH)})\s+(?P<nth_unit>week|weekend)\s+(?:of|in)\s+(?P<nth_month>{_MONTH})\b"
    + _of_its_year("nth_year"),
    rf"(?P<month_part>{'|'.join(_PARTS_OF_MONTH)})[\s-]+(?P<part_month>{_MONTH})\b"
    + _of_its_year("part_month_year"),
    rf"(?P<any_day>[0-9]{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<any_month>{_MONTH})\b(?!,?\s+(?:of\s+)?[0-9])",
    rf"(?P<any_month2>{_MONTH})\s+(?P<any_day2>[0-9]{{1,2}})(?:(?:st|nd|rd|th)\b(?!,?\s+[0-9])|{_NEXT_TO_A_DAY})",
    r"(?P<same>(?:this|same)\s+day(?:\s+in\s+(?:other|earlier|previous)\s+years|\s+of\s+other\s+years)?(?!\s+in\b))",
    rf"(?:(?P<which>last|this)\s+)?(?P<season>spring|summer|autumn|fall|winter)s?"
    rf"(?:\s+(?:holidays?|vacations?|break))?(?:\s+(?:of\s+)?(?P<season_year>{_YEAR}))?\b",
    rf"(?:(?P<which_feast>last|this)\s+)?(?P<feast>{_FEASTS})(?:\s+(?:of\s+)?(?P<feast_year>{_YEAR}))?\b",
    rf"(?:between\s+)?(?P<first>{_MONTH})\s*(?:-|–|to|until|till|through|and)\s*(?P<last>{_MONTH})"
    rf"(?:\s+(?:of\s+)?(?P<months_year>{_YEAR}))?\b",
    rf"(?:(?P<which_month>last|this)\s+)?(?P<month>{_MONTH})\b(?!\s+[0-9]{{4}}|\s+[0-9]{{1,2}}+(?!(?:-[0-9]+)?\s*%?\s*(?!(?:st|nd|rd|th)\b)[a-z]))",
    rf"(?P<today>today\s+)?{_AGO}(?P<ago_today>\s+today\b)?",
    r"today\s+last\s+(?P<today_last>year)\b",
    r"(?P<end>last|this)\s+weekend\b",
    r"(?P<weekends>weekends?)\b",
    r"(?P<workdays>week\s?days|workdays|working\s+days)\b",
    rf"(?P<from_day>{'|'.join(WEEKDAYS)})s?\s*(?:-|–|to|until|till|through)\s*(?P<to_day>{'|'.join(WEEKDAYS)})s?\b",
    rf"(?:(?P<which_day>last)\s+)?(?P<weekday>{'|'.join(WEEKDAYS)})s?\b(?!\s*(?:-|–|to|through)\b)",
    rf"(?P<hour>{'|'.join(HOURS)})s?\b",
    r"'?(?P<decade>(?:18|19|20)?[0-9]0)s\b",
    rf"(?P<decade_word>{'|'.join(DECADES)})\b",
    rf"(?P<part>{'|'.join(_PARTS_OF_YEAR)})\s+(?P<part_year>{_YEAR})",
    r"(?P<recent>recent(?:ly)?)\b",
    r"(?P<day>[0-9]{1,2})\.(?P<day_month>[0-9]{1,2})\.(?P<day_year>[0-9]{4})\b",
    r"(?P<month_number>0?[1-9]|1[0-2])[/.](?P<month_year>(?:19|20)[0-9]{2})\b(?![/.]?[0-9])",
    r"(?P<one>[0-9]{1,2})/(?P<other>[0-9]{1,2})/(?P<either_year>[0-9]{4})\b",
    rf"(?P<year>{_YEAR})(?:\s*(?:-|–|to|until|till|through)\s*(?P<year_end>{_YEAR})|{_OR_ON})?(?!\s*(?:px|pixels?|mb|kb|gb)\b)",
)
_TOLD = re.compile(_LEAD + f"(?:{'|'.join(_FORMS)})")
OPENERS = frozenset(
    {
        "taken",
        "in",
        "on",
        "at",
        "around",
        "about",
        "during",
        "from",
        "of",
        "over",
        "every",
        "each",
        "the",
        "this",
        "same",
        "last",
    }
    | {
        "between",
        "christmas",
        "new",
        "halloween",
        "easter",
        "valentine",
        "valentine's",
        "thanksgiving",
        "a",
        "an",
    }
    | {*SEASONS, *WEEKDAYS, *HOURS, *DECADES, *MONTHS, "weekend", "weekends", "weekdays", "week", "working"}
    | {"workdays", "recent", "recently", "early", "mid", "late", "first", "second", "one", "two", "three"}
    | {"third", "fourth", "beginning", "start", "middle", "end", "today"}
    | {"four", "five", "six"}
    | {f"{word}s" for word in (*SEASONS, *WEEKDAYS, *HOURS)}
)
"""The words with which such a time can begin."""


def told(text: str, start: int, now: datetime, south: bool) -> tuple[Period | Recurring, int] | None:
    """The time that running text in normal form speaks of from ``start`` on, and where that ends; None if it
    speaks of none. ``south``: whether seasons are those of the southern hemisphere.

    Raises ValueError with a sentence for a date that does not exist, or that could be two."""
    found = _TOLD.match(text, start)
    if found is None:
        return None
    part = {name: said for name, said in found.groupdict().items() if said is not None}
    kind = next(name for name in _MAKERS if name in part)
    made = _MAKERS[kind](part, now, south)
    return (made if isinstance(made, Recurring) else period("taken", made, now)), found.end()


Part = Mapping[str, str]


def _same_day(part: Part, now: datetime, south: bool) -> Recurring:
    return recurring("day", 100 * now.month + now.day, 100 * now.month + now.day)


def _nth(part: Part, now: datetime, south: bool) -> Span | Recurring:
    """A week of a month is seven days from its 1st, 8th, 15th or 22nd on, the last one its last seven; a
    weekend the one that begins with the first, second … Saturday."""
    month, number = MONTHS.index(part["nth_month"]) + 1, _NTH[part["nth"]]
    if "nth_year" not in part:
        if part["nth_unit"] == "weekend" or not number:
            unit = part["nth_unit"]
            raise ValueError(
                f"this {unit} moves from year to year: write its year, as in last {unit} of june "
                f"{now.year - 1}"
            )
        return recurring("day", 100 * month + 7 * number - 6, 100 * month + 7 * number)
    whole = _months(int(part["nth_year"]), month, 1)
    assert whole.start is not None
    assert whole.end is not None
    if part["nth_unit"] == "week":
        first = whole.start + timedelta(7 * (number - 1)) if number else whole.end - timedelta(7)
        return Span(first, first + timedelta(7))
    first = whole.start + timedelta((5 - whole.start.weekday()) % 7 + 7 * (number - 1))
    if not number:
        first = whole.end - timedelta((whole.end.weekday() - 5) % 7 or 7)
    return Span(first, first + timedelta(2))


def _part_of_month(part: Part, now: datetime, south: bool) -> Span | Recurring:
    first, last = _PARTS_OF_MONTH[" ".join(part["month_part"].split())]
    month = MONTHS.index(part["part_month"]) + 1
    last = min(last, 29 if month == 2 else 30 if month in {4, 6, 9, 11} else 31)
    if "part_month_year" not in part:
        return recurring("day", 100 * month + first, 100 * month + last)
    whole = _months(int(part["part_month_year"]), month, 1)
    assert whole.start is not None
    assert whole.end is not None
    return Span(whole.start + timedelta(first - 1), min(whole.start + timedelta(last), whole.end))


def _day_of_any_year(part: Part, now: datetime, south: bool) -> Recurring:
    name = part.get("any_month") or part["any_month2"]
    month, day = MONTHS.index(name) + 1, int(part.get("any_day") or part["any_day2"])
    _one_day(2000, month, day)
    return recurring("day", 100 * month + day, 100 * month + day)


def _season(part: Part, now: datetime, south: bool) -> Span | Recurring:
    first = (SEASONS[part["season"]] + (6 if south else 0) - 1) % 12 + 1
    if "season_year" in part:
        return _months(int(part["season_year"]), first, 3)
    if "which" not in part:
        return recurring("month", first, (first + 1) % 12 + 1)
    this = _months(now.year, first, 3)
    assert this.start is not None
    if this.start > now.date() and first > 10:  # a winter that began last year
        earlier = _months(now.year - 1, first, 3)
        assert earlier.end is not None
        this = earlier if now.date() < earlier.end else this
    if part["which"] == "this":
        return this
    assert this.start is not None
    assert this.end is not None
    year = this.start.year if this.end <= now.date() else this.start.year - 1
    return _months(year, first, 3)


def _feast(part: Part, now: datetime, south: bool) -> Span | Recurring:
    name = " ".join(part["feast"].replace("'", "").split())
    if "feast_year" not in part and "which_feast" not in part:
        if name in {"easter", "thanksgiving"}:
            raise ValueError(f"{name} moves from year to year: write its year, as in {name} {now.year - 1}")
        first, last = fixed(name)
        return recurring("day", first, last)
    if "feast_year" in part:
        return feast_of(name, int(part["feast_year"]))
    span = feast_of(name, now.year)
    assert span.start is not None
    if part["which_feast"] == "last" and span.start >= now.date():
        span = feast_of(name, now.year - 1)
    return span


def _named_months(part: Part, now: datetime, south: bool) -> Span | Recurring:
    first, last = MONTHS.index(part["first"]) + 1, MONTHS.index(part["last"]) + 1
    if "months_year" not in part:
        return recurring("month", first, last)
    year = int(part["months_year"])
    if last < first:
        raise ValueError("the dates are the wrong way round: write the earlier one first")
    return _months(year, first, last - first + 1)


def _month(part: Part, now: datetime, south: bool) -> Span | Recurring:
    number = MONTHS.index(part["month"]) + 1
    if "which_month" in part:
        return _months(now.year - (part["which_month"] == "last" and number >= now.month), number, 1)
    return recurring("month", number, number)


def _weekdays(part: Part, now: datetime, south: bool) -> Span | Recurring:
    first, last = (WEEKDAYS.index(part.get(name) or part["weekday"]) for name in ("from_day", "to_day"))
    if "which_day" in part:
        day = now.date() - timedelta((now.weekday() - first - 1) % 7 + 1)
        return Span(day, day + timedelta(1))
    return recurring("weekday", first + 1, last + 1)


def _ago(part: Part, now: datetime, south: bool) -> Span:
    count, today = _number_of(part), now.date()
    match part["unit"]:
        case "day":
            return Span(today - timedelta(count), today - timedelta(count - 1))
        case "week":
            monday = today - timedelta(today.weekday() + 7 * count)
            return Span(monday, monday + timedelta(7))
        case "month":
            months = 12 * today.year + today.month - 1 - count
            return _months(months // 12, months % 12 + 1, 1)
    return Span(date(today.year - count, 1, 1), date(today.year - count + 1, 1, 1))


def _years_ago_today(part: Part, now: datetime, south: bool) -> Span:
    """The same day of an earlier year, or so many days, weeks or months before."""
    if "today_last" not in part and part["unit"] in {"day", "week"}:
        day = now.date() - timedelta(_number_of(part) * (7 if part["unit"] == "week" else 1))
        return Span(day, day + timedelta(1))
    months = 12 if "today_last" in part else _number_of(part) * (12 if part["unit"] == "year" else 1)
    month = 12 * now.year + now.month - 1 - months
    return _one_day(month // 12, month % 12 + 1, now.day)


def _number_of(part: Part) -> int:
    said = part["count"]
    return _COUNTS[said] if said in _COUNTS else int(said)


def _this_weekend(part: Part, now: datetime, south: bool) -> Span:
    saturday = now.date() - timedelta(now.weekday() - 5 + 7 * (part["end"] == "last"))
    return Span(saturday, saturday + timedelta(2))


def _decade(part: Part, now: datetime, south: bool) -> Span:
    if "decade_word" in part:
        first = 1920 + 10 * DECADES.index(part["decade_word"])
    else:
        first = int(part["decade"])
        first += 0 if first > 99 else 2000 if first < now.year % 100 else 1900
    return Span(date(first, 1, 1), date(first + 10, 1, 1))


def _part_of_year(part: Part, now: datetime, south: bool) -> Span:
    first, last = _PARTS_OF_YEAR[" ".join(part["part"].split())]
    return _months(int(part["part_year"]), first, last - first + 1)


def _recent(part: Part, now: datetime, south: bool) -> Span:
    return Span(now.date() - timedelta(RECENT_DAYS - 1), now.date() + timedelta(1))


def _day(part: Part, now: datetime, south: bool) -> Span:
    return _one_day(int(part["day_year"]), int(part["day_month"]), int(part["day"]))


def _either_day(part: Part, now: datetime, south: bool) -> Span:
    """A day with slashes, which some write month first and some day first."""
    one, other, year = int(part["one"]), int(part["other"]), int(part["either_year"])
    if one <= 12 and other <= 12 and one != other:
        raise ValueError(
            f"this date could be two: write {year}-{one:02}-{other:02} or {year}-{other:02}-{one:02}"
        )
    month, day = (one, other) if one <= 12 else (other, one)
    return _one_day(year, month, day)


def _one_day(year: int, month: int, day: int) -> Span:
    try:
        found = date(year, month, day)
    except ValueError:
        raise ValueError(
            f"there is no day {day} of month {month} in {year}: write it as in 2023-06-05"
        ) from None
    return Span(found, found + timedelta(1))


def _years(part: Part, now: datetime, south: bool) -> Span:
    first, last = int(part["year"]), int(part.get("year_end", part["year"]))
    if last < first:
        raise ValueError("the dates are the wrong way round: write the earlier one first")
    begins, ends = date(first, 1, 1), date(last + 1, 1, 1)
    return Span(None if "year_back" in part else begins, None if "year_on" in part else ends)


_MAKERS: Mapping[str, Callable[[Part, datetime, bool], Span | Recurring]] = {
    "same": _same_day,
    "ago_today": _years_ago_today,
    "today": _years_ago_today,
    "today_last": _years_ago_today,
    "from_day": _weekdays,
    "season": _season,
    "feast": _feast,
    "first": _named_months,
    "month": _month,
    "count": _ago,
    "end": _this_weekend,
    "weekends": lambda part, now, south: recurring("weekday", 6, 7),
    "workdays": lambda part, now, south: recurring("weekday", 1, 5),
    "weekday": _weekdays,
    "hour": lambda part, now, south: recurring("hour", *HOURS[part["hour"]]),
    "decade": _decade,
    "decade_word": _decade,
    "part": _part_of_year,
    "recent": _recent,
    "day": _day,
    "month_number": lambda part, now, south: _months(int(part["month_year"]), int(part["month_number"]), 1),
    "one": _either_day,
    "nth": _nth,
    "month_part": _part_of_month,
    "any_day": _day_of_any_year,
    "any_day2": _day_of_any_year,
    "year": _years,
}


def _months(year: int, first: int, count: int) -> Span:
    """Whole months from the ``first`` of a year on."""
    after = 12 * year + first - 1 + count
    return Span(date(year, first, 1), date(after // 12, after % 12 + 1, 1))


# Times that come again, as fields: "month:6..8", "weekday:6..7", "hour:5..11", "day:12-24..12-26".

RECURRING_FIELDS: Mapping[RecurringField, str] = {
    "month": "month:6..8",
    "weekday": "weekday:6..7",
    "hour": "hour:5..11",
    "day": "day:12-24..12-26",
}
"""Each with an example."""
_RANGES = {"month": (1, 12), "weekday": (1, 7), "hour": (0, 23), "day": (101, 1231)}
_VALUE = re.compile(r"([0-9]{1,2}(?:-[0-9]{1,2})?)(?:\s*\.\.\s*([0-9]{1,2}(?:-[0-9]{1,2})?))?")


def recurring(field: RecurringField, low: int, high: int) -> Recurring:
    """The time of every year, week or day from ``low`` to ``high``; past the end and on from the beginning
    where ``high`` is less."""
    one, other = (f"{n // 100:02}-{n % 100:02}" if field == "day" else str(n) for n in (low, high))
    return Recurring(field, low, high, f"{field}:{one if low == high else f'{one}..{other}'}")


def value(field: RecurringField, text: str) -> Recurring:
    """What a value in normal form means: "6..8", "12-24". Raises ValueError with a sentence if nothing."""
    found = _VALUE.fullmatch(text.strip())
    low, high = (0, 0) if found is None else (_number(field, found[1]), _number(field, found[2] or found[1]))
    least, most = _RANGES[field]
    if found is None or not (least <= low <= most and least <= high <= most):
        raise ValueError(
            f"a number from {least} to {most} or two belong here, as in {RECURRING_FIELDS[field]}"
        )
    return recurring(field, low, high)


def _number(field: RecurringField, text: str) -> int:
    month, dash, day = text.partition("-")
    if (field == "day") != bool(dash):
        return -1
    return 100 * int(month) + int(day) if dash else int(month)
