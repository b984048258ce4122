"""Filters written as a field and a value: "taken:2023-06", "camera:canon", "width:>4000", and the order,
"sort:-taken". The fields, but for the order, are the facts of `core.fields`."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, cast

from dsslic_search.core.fields import FACTS, NAMED, SORTED_BY, Fact, Kind
from dsslic_search.core.text import closest, did_you_mean, folded, listed, normal
from dsslic_search.query.ast import DESCENDING, Leaf, Number, Orientation, Sort, Text, Thing, Unknown
from dsslic_search.query.language.values import dates
from dsslic_search.query.language.values.numbers import bounds

ORDERS = (*SORTED_BY, "relevance")
EXAMPLES = {fact.name: fact.example for fact in FACTS} | {"sort": "sort:-taken"}
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
    """The predicate of a field, any but "sort", and a value as it was typed. Raises ValueError with a
    sentence for a bad value."""
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
    word = _OTHER_NAMES.get(normal(key), normal(key))
    if word in ORDERS:
        return Sort(word, None, reverse != (word in DESCENDING))
    found = thing(key)
    if found is None:
        raise ValueError(f"photos are sorted by {listed(ORDERS)}, or by a thing, as in sort:sky")
    return Sort("thing", found, not reverse)


# One reader for each kind of fact: the value as it was typed → the predicate, with what it says in a normal
# form.


def _period(fact: Fact, value: str, now: datetime) -> Leaf:
    return dates.value(folded(value).strip(), fact.name, now)


def _number(fact: Fact, value: str, now: datetime) -> Leaf:
    assert fact.measure is not None
    low, high = bounds(folded(value).strip(), fact.measure)
    return Number(fact.name, low, high, f"{fact.name}:{''.join(value.split())}")


def _text(fact: Fact, value: str, now: datetime) -> Leaf:
    return Text(fact.name, value.casefold(), f"{fact.name}:{_written(value)}")


def _word(fact: Fact, value: str, now: datetime) -> Leaf:
    word = folded(value).strip()
    word = fact.spellings.get(word, word)
    if fact.values and word not in fact.values:
        raise ValueError(f"{fact.values_are} {listed(fact.values)}: write one of them, as in {fact.example}")
    return Text(fact.name, word, f"{fact.name}:{_written(value)}")


def _orientation(fact: Fact, value: str, now: datetime) -> Leaf:
    word = _word(fact, value, now)
    assert isinstance(word, Text)
    return Orientation(cast(Literal["portrait", "landscape", "square", "panorama"], word.pattern))


def _place(fact: Fact, value: str, now: datetime) -> Leaf:
    raise ValueError(
        "only place:unknown is understood, for photos that do not say where; for others write near "
        "48.85,2.35 5km"
    )


_READERS: Mapping[Kind, Callable[[Fact, str, datetime], Leaf]] = {
    "date": _period,
    "number": _number,
    "text": _text,
    "path": _text,
    "word": _word,
    "tag": _word,
    "orientation": _orientation,
    "place": _place,
}


def _written(value: str) -> str:
    """A value as it can stand after a field, in quotes where it needs them."""
    joins = unicodedata.category(value[0])[0] == "M"  # a mark would join the colon before it
    if not joins and not any(c.isspace() or c in ",()" for c in value) and value[0] not in "\"'“„‘«":
        return value
    quotes = next((pair for pair in ('""', "''", "«»") if pair[1] not in value), '""')
    return f"{quotes[0]}{value}{quotes[1]}"
