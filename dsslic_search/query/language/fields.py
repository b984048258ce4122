"""Filters written as a field and a value: "taken:2023-06", "camera:canon", "width:>4000", and the order,
"sort:-taken"."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Literal, cast

from dsslic_search.core.text import closest, did_you_mean, folded, listed, normal
from dsslic_search.query.ast import DESCENDING, Leaf, Number, Shape, Sort, Text, Thing, Unknown
from dsslic_search.query.language.values import dates
from dsslic_search.query.language.values.numbers import BYTES, MEGAPIXELS, PIXELS, PLAIN, Measure, bounds

KEEPS = ("layers", "exact", "reference")
SHAPES = ("portrait", "landscape", "square", "panorama")
FORMATS = {"jpg": "jpeg", "tif": "tiff", "jp2": "jpeg2000", "jpeg 2000": "jpeg2000"}
ORDERS = ("taken", "added", "size", "width", "height", "megapixels", "path", "name", "id", "relevance")

_Value = Callable[[str, datetime], Leaf]


def _period(column: Literal["taken", "added"]) -> _Value:
    def read(value: str, now: datetime) -> Leaf:
        if column == "taken" and normal(value) == "unknown":
            return Unknown(column)
        return dates.value(folded(value).strip(), column, now)

    return read


def _number(column: Literal["width", "height", "megapixels", "size", "id"], measure: Measure) -> _Value:
    def read(value: str, now: datetime) -> Leaf:
        text = folded(value).strip()
        low, high = bounds(text.removeprefix("#") if column == "id" else text, measure)
        return Number(column, low, high, f"{column}:{''.join(value.split())}")

    return read


def _text(column: Literal["camera", "path", "name", "format", "tag", "keep"]) -> _Value:
    def read(value: str, now: datetime) -> Leaf:
        pattern = value.casefold()
        if column in {"format", "keep", "tag"}:
            pattern = folded(value).strip()
        if column == "format":
            pattern = FORMATS.get(pattern, pattern)
        if column == "keep" and pattern not in KEEPS:
            raise ValueError(f"photos are kept as {listed(KEEPS)}: write one of them, as in keep:exact")
        if column == "camera" and pattern == "unknown":
            return Unknown("camera")
        return Text(column, pattern, f"{column}:{_written(value)}")

    return read


def _shape(value: str, now: datetime) -> Leaf:
    name = folded(value).strip()
    if name not in SHAPES:
        raise ValueError(
            f"a photo's orientation is {listed(SHAPES)}: write one of them, as in orientation:landscape"
        )
    return Shape(cast(Literal["portrait", "landscape", "square", "panorama"], name))


def _place(value: str, now: datetime) -> Leaf:
    if normal(value) != "unknown":
        raise ValueError(
            "only place:unknown is understood, for photos that do not say where; for others write near "
            "48.85,2.35 5km"
        )
    return Unknown("place")


_FIELDS: dict[str, _Value] = {
    "taken": _period("taken"),
    "added": _period("added"),
    "camera": _text("camera"),
    "path": _text("path"),
    "name": _text("name"),
    "format": _text("format"),
    "tag": _text("tag"),
    "keep": _text("keep"),
    "width": _number("width", PIXELS),
    "height": _number("height", PIXELS),
    "megapixels": _number("megapixels", MEGAPIXELS),
    "size": _number("size", BYTES),
    "id": _number("id", PLAIN),
    "orientation": _shape,
    "place": _place,
}
_OTHER_NAMES = {
    "date": "taken",
    "mp": "megapixels",
    "filename": "name",
    "type": "format",
    "tags": "tag",
    "order": "sort",
}
_HINTS = {
    "near": "write near 48.85,2.35 5km",
    "like": "write like beach.jpg or like #12",
    "not": 'leave out the ":"',
}
EXAMPLES = {
    "taken": "taken:2023-06",
    "added": "added:today",
    "camera": "camera:canon",
    "path": "path:holiday/**",
    "name": "name:IMG_*",
    "format": "format:jpeg",
    "tag": "tag:best",
    "keep": "keep:exact",
    "width": "width:>4000",
    "height": "height:>4000",
    "megapixels": "megapixels:>=12",
    "size": "size:>2MB",
    "id": "id:12",
    "orientation": "orientation:landscape",
    "place": "place:unknown",
    "sort": "sort:-taken",
}
FIELDS = tuple(EXAMPLES)
"""The names of the fields."""


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
    return _FIELDS[name](value, now)


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


def _written(value: str) -> str:
    """A value as it can stand after a field, in quotes where it needs them."""
    joins = unicodedata.category(value[0])[0] == "M"  # a mark would join the colon before it
    if not joins and not any(c.isspace() or c in ",()" for c in value) and value[0] not in "\"'“„‘«":
        return value
    quotes = next((pair for pair in ('""', "''", "«»") if pair[1] not in value), '""')
    return f"{quotes[0]}{value}{quotes[1]}"
