"""Filters written as a field and a value: "taken:2023-06", "camera:canon", "width:>4000", and the order,
"sort:-taken". The fields, but for the order, are the facts of `core.fields`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Literal, cast

from dsslic_search.core.fact import Fact, Kind, Measure
from dsslic_search.core.fields import FACTS, NAMED, SORTED_BY
from dsslic_search.core.text import closest, did_you_mean, folded, listed, normal, quoted
from dsslic_search.query.ast import (
    DESCENDING,
    Leaf,
    Near,
    Number,
    Orientation,
    Sort,
    Text,
    Thing,
    Unknown,
    Within,
)
from dsslic_search.query.language import calendar, dates
from dsslic_search.query.language.written import value_as_written

ORDERS = (*SORTED_BY, "relevance")
EXAMPLES: dict[str, str] = {
    **{fact.name: fact.example for fact in FACTS},
    **{str(name): example for name, example in calendar.RECURRING_FIELDS.items()},
    "sort": "sort:-taken",
    "limit": "limit:10",
    "count": "count:year",
}
FIELDS = tuple(EXAMPLES)
"""The names of the fields."""

_OTHER_NAMES = {alias: fact.name for fact in FACTS for alias in fact.aliases} | {"order": "sort"}
_HINTS = {
    "near": "write near 48.85,2.35 5km",
    "like": "write like beach.jpg or like #12",
    "not": 'leave out the ":"',
}


def field_name(word: str) -> str | None:
    """The field that a word before a colon means, if any."""
    name = _OTHER_NAMES.get(word, word)
    return name if name in FIELDS else None


def no_such_field(word: str) -> tuple[str, tuple[str, ...]]:
    """What to tell about a word before a colon that is no field, and the closest fields."""
    if word in _HINTS:
        return _HINTS[word], ()
    close = tuple(f"{field}:" for field in closest(word, FIELDS, 2))
    return did_you_mean(close) if close else f"the fields are {listed(FIELDS, 'and')}", close


def filter_of(name: str, value: str, now: datetime) -> Leaf:
    """The predicate of a field, any but "sort", "limit" and "count", and a value as it was typed.
    Raises ValueError with a sentence for a bad value."""
    for recurring in calendar.RECURRING_FIELDS:
        if name == recurring:
            return calendar.value(recurring, folded(value))
    fact = NAMED[name]
    if fact.optional and normal(value) == "unknown":
        return Unknown(name)
    return _READERS[fact.kind](fact, value, now)


def sort_of(value: str, thing: Callable[[str], Thing | None]) -> Sort:
    """The order that a value of "sort" means; ``thing`` looks up a word. Raises ValueError with a sentence
    for a bad value."""
    text = value.strip()
    reverse = text[:1] in {"-", "−"}
    key = text[1:] if reverse else text.removeprefix("+")
    word = normal(key).replace(" ", "_")
    word = _OTHER_NAMES.get(word, word)
    if word in ORDERS:
        return Sort(word, None, reverse != (word in DESCENDING))
    found = thing(key)
    if found is None:
        raise ValueError(f"photos are sorted by {listed(ORDERS)}, or by a thing, as in sort:sky")
    return Sort("thing", found, not reverse)


COUNTED_BY = ("year", "month", "camera", "lens", "format")
"""What photos can be counted by."""
MAX_LIMIT = 1_000_000


def limit_of(value: str) -> int:
    """How many photos a value of "limit" means; ValueError with a sentence for none."""
    word = folded(value).strip()
    if not word.isdecimal() or not 1 <= int(word[:9]) <= MAX_LIMIT:
        raise ValueError(f"a whole number from 1 to {MAX_LIMIT} belongs here, as in limit:10")
    return int(word)


def tally_of(value: str) -> str:
    """What a value of "count" asks to count by, "" for "all"; ValueError with a sentence for nothing."""
    word = folded(value).strip()
    if word not in (*COUNTED_BY, "all"):
        raise ValueError(f"photos are counted by {listed(COUNTED_BY)}, or count:all")
    return "" if word == "all" else word


# One reader for each kind of fact: the value as it was typed → the predicate, with what it says in a normal
# form.


def _period(fact: Fact, value: str, now: datetime) -> Leaf:
    return dates.value(folded(value).strip(), fact.name, now)


def _number(fact: Fact, value: str, now: datetime) -> Leaf:
    assert fact.measure is not None
    low, high = bounds(folded(value).strip(), fact.measure)
    return Number(fact.name, low, high, f"{fact.name}:{''.join(value.split())}")


def _text(fact: Fact, value: str, now: datetime) -> Leaf:
    return Text(fact.name, value.casefold(), f"{fact.name}:{value_as_written(value)}")


def _word(fact: Fact, value: str, now: datetime) -> Leaf:
    word = folded(value).strip()
    word = fact.spellings.get(word, word)
    if fact.values and word not in fact.values:
        raise ValueError(f"{fact.values_are} {listed(fact.values)}: write one of them, as in {fact.example}")
    return Text(fact.name, word, f"{fact.name}:{value_as_written(value)}")


def _orientation(fact: Fact, value: str, now: datetime) -> Leaf:
    word = _word(fact, value, now)
    assert isinstance(word, Text)
    return Orientation(cast(Literal["portrait", "landscape", "square", "panorama"], word.pattern))


def _place(fact: Fact, value: str, now: datetime) -> Leaf:
    raise ValueError(
        "only place:unknown is understood, for photos that do not say where; for others write near "
        "48.85,2.35 5km"
    )


def _shown(fact: Fact, value: str, now: datetime) -> Leaf:
    from dsslic_search.query.language import image_words

    return image_words.asked_for(value, fact.example)


_READERS: Mapping[Kind, Callable[[Fact, str, datetime], Leaf]] = {
    "date": _period,
    "number": _number,
    "text": _text,
    "prose": _text,
    "texts": _text,
    "words": _text,
    "path": _text,
    "word": _word,
    "tag": _word,
    "colour": _word,
    "orientation": _orientation,
    "place": _place,
    "shown": _shown,
}


# Numbers: bounds such as ">4000", "1000..2000" or ">=2MB".

_SIGNS = {"≥": ">=", "=>": ">=", "≤": "<=", "=<": "<=", "==": "="}
_NUMBER = r"([0-9](?:_?[0-9]){0,17}(?:\.[0-9]{1,9})?(?:/[0-9]{1,9})?)\s*+([a-z]*)"
HALF = Decimal("0.5")
_BOUND = re.compile(rf"(>=|=>|<=|=<|==|[≥≤><=])?+\s*+{_NUMBER}")
_BETWEEN = re.compile(rf"(?:{_NUMBER})?\s*+\.\.\s*+(?:{_NUMBER})?")


def bounds(text: str, measure: Measure) -> tuple[float | None, float | None]:
    """The least and the greatest number, both included, that a value in normal form means; None: no bound.

    A number alone means what rounds to it as it is written: 12 megapixels are 11.5 or more and less than
    12.5. Raises ValueError with a sentence for a value that is none."""
    text = text.removeprefix(measure.sign)
    if between := _BETWEEN.fullmatch(text):
        first, unit, last, last_unit = between.groups()
        if first is None and last is None:
            raise ValueError(f"a range needs a number on one side at least, as in {measure.example}")
        low = None if first is None else _amount(first, unit or last_unit or "", measure)
        high = None if last is None else _amount(last, last_unit, measure)
        if low is not None and high is not None and low > high:
            raise ValueError("the bounds are the wrong way round: write the smaller number first")
        return _float(low), _float(high)
    found = _BOUND.fullmatch(text)
    if found is None:
        raise ValueError(f"a number belongs here, as in {measure.example}")
    sign, number, unit = found.groups()
    amount = _amount(number, unit, measure)
    match _SIGNS.get(sign, sign):
        case ">=":
            return _float(amount), None
        case ">":
            return _float(amount + measure.step), None
        case "<=":
            return None, _float(amount)
        case "<":
            return None, _float(amount - measure.step)
    least, greatest = _rounding_to(number, unit, measure)
    low, high = (_up(bound, measure.step) for bound in (least, greatest))
    return _float(low), _float(max(high - measure.step, low))


def _rounding_to(number: str, unit: str, measure: Measure) -> tuple[Decimal, Decimal]:
    """From and to below which amount all amounts round to a number as it is written: of a fraction, by its
    denominator, so that 1/250 is from 1/250.5 to 1/249.5."""
    above, slash, below = number.partition("/")
    if slash:
        _amount(number, unit, measure)  # says what is wrong with it
        worth = _amount(above, unit, measure)
        return worth / (Decimal(below) + HALF), worth / max(Decimal(below) - HALF, HALF)
    half = _amount(str(Decimal(1).scaleb(-len(number.partition(".")[2]))), unit, measure) / 2
    amount = _amount(number, unit, measure)
    return amount - half, amount + half


def _amount(number: str, unit: str, measure: Measure) -> Decimal:
    if unit not in measure.units:
        known = measure.usual_units or ", ".join(filter(None, measure.units))
        raise ValueError(
            f"{quoted(unit)} is no unit of this; "
            + (f"there are {known}" if known else "write the number alone")
        )
    above, slash, below = number.partition("/")
    if not slash:
        return Decimal(number) * measure.units[unit]
    if not measure.fractions or not int(below):
        raise ValueError(f"a number belongs here, as in {measure.example}")
    steps = Decimal(above) * measure.units[unit] / Decimal(below) / measure.step
    return steps.to_integral_value() * measure.step  # as what it is compared with was rounded


def _up(amount: Decimal, step: Decimal) -> Decimal:
    """The least whole multiple of ``step`` that is at least ``amount``."""
    return (amount / step).to_integral_value(ROUND_CEILING) * step


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


# Places on Earth, in running text: "near 48.85,2.35 5km", "within 500 m of 48.85°N 2.35°E".

DEFAULT_METRES = 1000.0
MAX_METRES = 20_040_000  # no two places are farther apart
NEAR_OPENERS = frozenset({"near", "within"})
"""The words with which a place can begin."""

_DEGREES = r"([-+−]?[0-9]{1,3}+(?:\.[0-9]{1,15}+)?+)(?![0-9])(?:\s*+°)?+"
_SPOT = _DEGREES + r"(?:\s*+([ns])\b)?+\s*+,?\s*+" + _DEGREES + r"(?:\s*+([ew])\b)?+(?!\w|\s*%|\.\d)"
_DISTANCE = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(km|m|mi|miles?|met(?:re|er)s?|kilomet(?:re|er)s?)\b"
_NEAR = re.compile(rf"near\s+{_SPOT}(?:\s*+,?\s*+{_DISTANCE})?")
_WITHIN = re.compile(rf"within\s+{_DISTANCE}\s+(?:of|from)\s+{_SPOT}")
_BOX = re.compile(rf"within\s+{_SPOT}\s*+\.\.\s*+{_SPOT}")
_NUMBER_FOLLOWS = re.compile(r"(?:near|within)\s+[-+−.]?[0-9]")


def near(text: str, start: int) -> tuple[Near | Within, int] | None:
    """The place, or the part of the Earth between two corners, that ``text``, in normal form, speaks of from
    ``start`` on, and where that ends; None if it speaks of none.

    Raises ValueError with a sentence for numbers that are no place."""
    if found := _BOX.match(text, start):
        return _box(*found.groups()), found.end()
    if found := _NEAR.match(text, start):
        north, south, east, west, distance, unit = found.groups()
    elif found := _WITHIN.match(text, start):
        distance, unit, north, south, east, west = found.groups()
    elif _NUMBER_FOLLOWS.match(text, start):
        raise ValueError(
            "no place is given here: write one in degrees, as in near 48.85,2.35 5km, or a thing, as in near "
            "a house"
        )
    else:
        return None
    latitude, longitude = _spot(north, south, east, west)
    metres = DEFAULT_METRES if distance is None else float(distance) * _metres(unit)
    if not 0 < metres <= MAX_METRES:
        raise ValueError("a distance is more than 0 and at most 20 040 km, half way round the Earth")
    return Near(latitude, longitude, metres), found.end()


def _spot(latitude: str, side: str | None, longitude: str, other_side: str | None) -> tuple[float, float]:
    found = _degrees(latitude, side), _degrees(longitude, other_side)
    if abs(found[0]) > 90 or abs(found[1]) > 180:
        raise ValueError(
            "a latitude is from -90 to 90 and a longitude from -180 to 180 degrees: write the latitude first"
        )
    return found


def _box(*corners: str | None) -> Within:
    """From the south-western to the north-eastern corner."""
    (south, west), (north, east) = _spot(*corners[:4]), _spot(*corners[4:])  # type: ignore[arg-type]
    if south > north:
        raise ValueError("two corners are written from the south-western one to the north-eastern one")
    return Within(south, west, north, east)


def _degrees(number: str, letter: str | None) -> float:
    degrees = float(number.replace("−", "-"))
    return -degrees if letter in {"s", "w"} else degrees


def _metres(unit: str) -> float:
    return 1000.0 if unit.startswith("k") else 1609.344 if unit.startswith("mi") else 1.0
