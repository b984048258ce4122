"""Hours of the day as people write them: "at 5 pm", "after 18:00", "between 8 and 10 am", "before noon"."""

from __future__ import annotations

import re

from dsslic_search.query.ast import Recurring
from dsslic_search.query.language.calendar import recurring

_WORD = r"(?:(?:taken|shot)\s+)?(?P<word>at|around|about|after|before|since|from|until|till)\s+"
_HALF = r"(?P<{}>[ap]\.?m\b\.?)"
_FORMS = (
    r"(?:(?:between|from)\s+)?(?P<first>1?[0-9])(?::[0-5][0-9])?\s*(?P<first_half>[ap]\.?m\b\.?)?\s*(?:and|to|-|–)\s*"
    rf"(?P<last>1?[0-9])(?::00)?\s*{_HALF.format('last_half')}",
    rf"(?:{_WORD})?(?P<hour>1?[0-9])(?::[0-5][0-9])?\s*{_HALF.format('half')}",
    rf"{_WORD.replace('word', 'word3')}(?P<hours>[0-2]?[0-9]):[0-5][0-9]\b(?!:)",
    r"(?:taken\s+)?(?P<word2>after|before|around|at)\s+(?P<named>noon|midday|midnight)\b",
)
_TOLD = re.compile("|".join(_FORMS))
OPENERS = frozenset(
    {"taken", "shot", "between", "from", "at", "around", "about", "after", "before", "since", "until", "till"}
)
"""The words with which an hour can begin; besides, it may begin with a number."""


def told(text: str, start: int) -> tuple[Recurring, int] | None:
    """The hours of which running text in normal form speaks from ``start`` on, and where that ends; None if
    it speaks of none. Raises ValueError with a sentence for an hour that there is not."""
    found = _TOLD.match(text, start)
    if found is None:
        return None
    if re.search(r"\band\b", found.group()) and "between" not in found.group():
        return None  # "5 am and 6 am"
    part = {name.rstrip("23"): said for name, said in found.groupdict().items() if said is not None}
    word = part.get("word", "")
    if "last" in part:
        last = _of_half(part["last"], part["last_half"])
        first = _of_half(part["first"], part.get("first_half", part["last_half"]))
        if first > last and "first_half" not in part:  # "between 11 and 1 pm"
            first = (first + 12) % 24
        return recurring("hour", first, (last - 1) % 24), found.end()
    if "named" in part:
        if word in {"around", "at"}:
            return (recurring("hour", 23, 0), found.end()) if part["named"] == "midnight" else None
        if part["named"] == "midnight":
            raise ValueError("no hour begins a night: write hours, as in after 10 pm")
        hour = 12
    elif "half" in part:
        hour = _of_half(part["hour"], part["half"])
    else:
        hour = int(part["hours"])
        if hour > 23:
            raise ValueError(f"there is no hour {hour}: hours go from 0 to 23, as in after 18:00")
    if word in {"after", "since", "from"}:
        return recurring("hour", hour, 23), found.end()
    if word in {"before", "until", "till"}:
        if not hour:
            raise ValueError("a day begins at midnight: write hours, as in before 6 am")
        return recurring("hour", 0, hour - 1), found.end()
    return recurring("hour", hour, hour), found.end()


def _of_half(said: str, half: str) -> int:
    """The hour of the day, 0 to 23, for one of its halves, "am" or "pm"."""
    hour = int(said)
    if not 1 <= hour <= 12:
        raise ValueError(f"there is no hour {hour} {half}: write 1 to 12, or 24 hours as in after 18:00")
    return hour % 12 + 12 * half.startswith("p")
