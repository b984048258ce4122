"""The days on which feasts are."""

from __future__ import annotations

from datetime import date, timedelta

from dsslic_search.query.language.dates import Span


def feast_of(name: str, year: int) -> Span:
    """The days of a feast, "christmas eve", in a year."""
    if name == "easter":  # from Good Friday to Monday
        sunday = _easter(year)
        return Span(sunday - timedelta(2), sunday + timedelta(2))
    if name == "thanksgiving":  # the fourth Thursday of November
        first = date(year, 11, 1)
        day = first + timedelta((3 - first.weekday()) % 7 + 21)
        return Span(day, day + timedelta(1))
    first_day, last_day = fixed(name)
    return Span(date(year, *divmod(first_day, 100)), date(year, *divmod(last_day, 100)) + timedelta(1))


def fixed(name: str) -> tuple[int, int]:
    """Month and day, as 100 times the month and the day, of the first and the last day of a feast."""
    word = name.replace("years", "year").replace("valentines", "valentine")
    return {
        "christmas": (1224, 1226),
        "christmas eve": (1224, 1224),
        "christmas day": (1225, 1225),
        "new year eve": (1231, 1231),
        "new year day": (101, 101),
        "halloween": (1031, 1031),
        "valentine day": (214, 214),
    }[word]


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus 1991, after an anonymous correspondent of Nature,
    1876)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    lunar = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * lunar) // 451
    month, day = divmod(h + lunar - 7 * m + 114, 31)
    return date(year, month, day + 1)
