"""A canvas as a list of shapes in JSON; docs/layout.md shows all that it may hold.

::

    [{"class": "sky", "box": [0, 0, 1, 0.4]},
     {"class": "boat", "ellipse": [0.5, 0.6, 0.2, 0.1]}]

Coordinates are fractions of the width and the height, from the upper left corner; later shapes lie on earlier
ones. A pixel belongs to a shape when its centre does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core import naming
from dsslic_search.core.errors import Remedy, UsageError
from dsslic_search.core.plain_json import parsed
from dsslic_search.core.text import closest, did_you_mean, plural_of
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.features.embedding import Canvas

DRAWN_SIDE = 240  # pixels of the longer side of the label map that shapes are drawn on
DEFAULT_SIDES = (4, 3)  # width and height, in proportion, when none are given
MAX_SHAPES = 1000
MAX_POINTS = 1000
MAX_JSON_BYTES = 1 << 20
MAX_WORD_CHARACTERS = 100
MAX_SIDE = 1e9  # number that may stand for a side
MAX_ASPECT = 10  # longer side over shorter

Coordinates = tuple[NDArray[np.float64], NDArray[np.float64]]  # of pixel centres: x as a row, y as a column
Mask = NDArray[np.bool_]


def read_shapes(data: bytes, name: str, vocabulary: Vocabulary) -> Canvas:
    """The canvas that a JSON text describes. UsageError says which shape of the file ``name`` is wrong, and
    how."""
    if len(data) > MAX_JSON_BYTES:
        raise UsageError(f"{name}: more than {MAX_JSON_BYTES} bytes are too many for a list of shapes")
    try:
        value = parsed(data.decode("utf-8-sig"))
    except ValueError as e:
        raise UsageError(f"{name}: not readable as JSON ({e}); write a list of shapes") from e
    try:
        return draw_shapes(value, vocabulary)
    except UsageError as e:
        raise UsageError(f"{name}: {e}") from e


def draw_shapes(value: Any, vocabulary: Vocabulary) -> Canvas:
    """The canvas for what JSON gave: a list of shapes, or an object with "shapes" and perhaps "canvas" and
    "background"."""
    if isinstance(value, list):
        value = {"shapes": value}
    if not isinstance(value, dict):
        raise UsageError(f"a list of shapes is needed, not {_shown(value)}")
    _check_keys(value, ("canvas", "background", "shapes"), "the file")
    width, height = _size(value.get("canvas", list(DEFAULT_SIDES)))
    label_map, known = np.zeros((height, width), np.uint8), np.zeros((height, width), bool)
    if "background" in value:
        label_map[:] = class_meant(value["background"], vocabulary, "background")
        known[:] = True
    shapes = value.get("shapes", [])
    if not isinstance(shapes, list) or len(shapes) > MAX_SHAPES:
        raise UsageError(f'"shapes" must be a list of at most {MAX_SHAPES} shapes')
    centres = (np.arange(width)[None] + 0.5) / width, (np.arange(height)[:, None] + 0.5) / height
    for number, shape in enumerate(shapes, 1):
        class_id, covered = _drawn(shape, number, centres, vocabulary)
        label_map[covered] = class_id
        known |= covered
    if not known.any():
        raise UsageError('nothing is painted; give at least one shape or a "background"')
    return Canvas(label_map, known)


def class_meant(word: Any, vocabulary: Vocabulary, where: str) -> int:
    """The id of the class that a name, plural or synonym means. UsageError names the closest ones."""
    if not isinstance(word, str) or not 0 < len(word.strip()) <= MAX_WORD_CHARACTERS:
        raise UsageError(f'{where}: a class must be a name such as "sky", not {_shown(word)}')
    named = naming.class_named(word, vocabulary)
    if named.how != "unknown":
        return named.class_id
    asked = naming.normal(word)
    for group in vocabulary.groups:
        words = (group.name, *group.synonyms)
        if asked in map(naming.normal, (*words, *map(plural_of, words))):
            some = ", ".join(vocabulary.classes[c].name for c in group.members[:4])
            raise UsageError(
                f"{where}: {_shown(word)} stands for several classes; choose one, such as {some}"
            )
    known = {w.casefold(): w for c in vocabulary.classes for w in (c.name, c.plural, *c.synonyms)}
    close = [known[w] for w in closest(asked, known)]
    hint = did_you_mean(close) if close else f"{Remedy.CLASSES} lists all names"
    raise UsageError(f"{where}: no class is called {_shown(word)}; {hint}")


def _drawn(shape: Any, number: int, centres: Coordinates, vocabulary: Vocabulary) -> tuple[int, Mask]:
    """The class of a shape, and the pixels that it covers."""
    where = f"shape {number}"
    if not isinstance(shape, dict):
        raise UsageError(
            f'{where}: an object such as {{"class": "sky", "box": [0, 0, 1, 0.4]}} is needed, not '
            f"{_shown(shape)}"
        )
    if "class" not in shape:
        raise UsageError(f'{where}: "class" is missing')
    class_id = class_meant(shape["class"], vocabulary, where)
    where += f" ({vocabulary.classes[class_id].name})"
    _check_keys(shape, ("class", *_SHAPES), where)
    kinds = [kind for kind in _SHAPES if kind in shape]
    if len(kinds) != 1:
        raise UsageError(
            f"{where}: exactly one of {', '.join(_SHAPES)} is needed, not {' and '.join(kinds) or 'none'}"
        )
    where += f', "{kinds[0]}"'
    covered = _SHAPES[kinds[0]](shape[kinds[0]], centres, where)
    if not covered.any():
        raise UsageError(f"{where}: covers nothing; make it larger")
    return class_id, covered


def _box(value: Any, centres: Coordinates, where: str) -> Mask:
    left, top, right, bottom = _numbers(value, "[left, top, right, bottom]", where)
    if left >= right or top >= bottom:
        raise UsageError(
            f"{where}: left must be less than right and top less than bottom, and {_shown(value)} is not so"
        )
    x, y = centres
    return (left <= x) & (x < right) & (top <= y) & (y < bottom)


def _ellipse(value: Any, centres: Coordinates, where: str) -> Mask:
    return _round(_numbers(value, "[x, y, half of the width, half of the height]", where), centres, where)


def _circle(value: Any, centres: Coordinates, where: str) -> Mask:
    """A circle's radius is a fraction of the shorter side."""
    x, y, radius = _numbers(value, "[x, y, radius]", where)
    (width, height) = (axis.size for axis in centres)
    shorter = min(width, height)
    return _round((x, y, radius * shorter / width, radius * shorter / height), centres, where)


def _round(numbers: Sequence[float], centres: Coordinates, where: str) -> Mask:
    x, y, across, down = numbers
    if across <= 0 or down <= 0:
        raise UsageError(f"{where}: radii must be more than 0")
    inside: Mask = ((centres[0] - x) / across) ** 2 + ((centres[1] - y) / down) ** 2 <= 1
    return inside


def _polygon(value: Any, centres: Coordinates, where: str) -> Mask:
    """A pixel is inside when a line from it to the right crosses the outline an odd number of times."""
    if not isinstance(value, list) or not 3 <= len(value) <= MAX_POINTS:
        raise UsageError(f"{where}: 3 to {MAX_POINTS} points [x, y] are needed, not {_shown(value)}")
    points = [_numbers(point, "[x, y]", f"{where}, point {i}") for i, point in enumerate(value, 1)]
    x, y = centres
    inside = np.zeros((y.size, x.size), bool)
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        if y0 != y1:
            crossed = (y < y0) != (y < y1)
            inside ^= crossed & (x < x0 + (y - y0) * ((x1 - x0) / (y1 - y0)))
    return inside


_SHAPES: dict[str, Callable[[Any, Coordinates, str], Mask]] = {
    "box": _box,
    "polygon": _polygon,
    "ellipse": _ellipse,
    "circle": _circle,
}


def _numbers(value: Any, meaning: str, where: str) -> list[float]:
    """As many numbers 0..1 as ``meaning`` names."""
    if not isinstance(value, list) or len(value) != meaning.count(",") + 1:
        raise UsageError(f"{where}: {meaning} is needed, not {_shown(value)}")
    for number in value:
        if not _is_number(number) or not 0 <= number <= 1:
            raise UsageError(f"{where}: {_shown(number)} is no number from 0 to 1")
    return [float(number) for number in value]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < MAX_SIDE


def _size(value: Any) -> tuple[int, int]:
    """Width and height, in pixels, of a canvas with the sides that are given."""
    if not isinstance(value, list) or len(value) != 2 or not all(_is_number(n) and n > 0 for n in value):
        raise UsageError(f'"canvas" must be [width, height], two numbers above 0, not {_shown(value)}')
    width, height = value
    if not 1 / MAX_ASPECT <= width / height <= MAX_ASPECT:
        raise UsageError(
            f'"canvas" {_shown(value)}: one side may be {MAX_ASPECT} times as long as the other at most'
        )
    scale = DRAWN_SIDE / max(width, height)
    return round(width * scale), round(height * scale)


def _check_keys(value: dict[str, Any], allowed: tuple[str, ...], where: str) -> None:
    for key in value:
        if key not in allowed:
            close = [f'"{name}"' for name in closest(key, allowed, 1)]
            raise UsageError(
                f"{where}: {_shown(key)} is not known; "
                + (did_you_mean(close) if close else f"use {', '.join(allowed)}")
            )


def _shown(value: Any) -> str:
    """A value as JSON, short enough for a sentence."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:59] + "…"
