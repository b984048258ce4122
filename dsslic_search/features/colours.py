"""The colours of a photo and of each class that it shows, from its compact image and its label map.

A cell, a pixel of the compact image, has one of the eleven basic colour terms by where it lies in OKLCh
(Ottosson 2020), whose hues stay the same from dark to light: in CIELAB, blue that gets lighter turns purple.
The borders between terms are set by hand, by what people call colours rather than by equal angles:

- What has next to no chroma is black, grey or white by its lightness. The limit is well above that of a
  monitor's grey, since daylight and shade tint what is white: a white dog in the shade is bluish, not blue.
  Black begins lighter and white darker than on paper: black paint mirrors the sky, white wool lies in shade.
- Orange is a name for light colours alone: the same hues, dark or dull, are brown (wood, earth, skin in the
  shade). Dull dark yellow is olive, a kind of green; dark red stays red as long as it is vivid.
- Pink is light red and light purple.
- Turquoise is green up to the hue of teal, and blue beyond.

A class shows a term where enough of its cells have it. Of things of every colour a good part is in the shade
or shines, and is grey; some is black, white or brown. So vivid colours need least, and grey most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.colour_terms import BLACK_AND_WHITE, TERMS, bit_of

FAIR_SHARES = dict.fromkeys(TERMS, 0.15) | {"black": 0.2, "white": 0.2, "brown": 0.2, "grey": 0.45}
"""Of a class's cells, from which it shows a term."""
GREY_CHROMA = 0.025
"""A cell of a black-and-white photo has less, in OKLab, whatever coding did to it."""
TINTED_CELLS_ONE_IN = 100
"""In a black-and-white photo at most one cell in so many has more."""
MAX_CELLS = 1 << 16
"""About so many cells are looked at; of larger compact images some rows and columns are left out."""
CELL_PIXELS = 8  # of the photo, each way
_SAMPLED = (1, 4, 6)  # pixels of a cell, each way, whose labels are looked at
_LEVELS = 32  # of each channel, that colours are named in


@dataclass(frozen=True)
class ColourFeatures:
    """``of_class``: for class ids, the mask of `core.colour_terms` of what the class shows; classes that are
    too small for a cell are not there. ``photo``: the mask of the whole photo. ``brightness``: mean luma,
    0..255."""

    of_class: Mapping[int, int]
    photo: int
    brightness: int


def colour_features(
    compact: NDArray[np.uint8], label_map: NDArray[np.uint8], map_scale: int
) -> ColourFeatures:
    """Of a compact image, uint8 [h, w, 3] or grey [h, w], and class ids, uint8, each for ``map_scale`` pixels
    of the photo each way.

    A cell belongs to the class that most of its labels are of. Cells of several classes count only for
    classes that have no cell of their own."""
    stride = int(np.ceil(np.sqrt(compact.shape[0] * compact.shape[1] / MAX_CELLS))) or 1
    rows, columns = (np.arange(0, n, stride) for n in compact.shape[:2])
    cells = compact[np.ix_(rows, columns)]
    terms, chroma = _named(cells)
    labels, pure = _labels_of(label_map, map_scale, rows, columns)
    places = labels.astype(np.intp) * len(TERMS) + terms
    size = (int(labels.max()) + 1) * len(TERMS)
    whole = np.bincount(places[pure], minlength=size).reshape(-1, len(TERMS))
    mixed = np.bincount(places[~pure], minlength=size).reshape(-1, len(TERMS))
    counts = np.where(whole.sum(1, keepdims=True) > 0, whole, mixed)
    photo = _shown(np.bincount(terms.ravel(), minlength=len(TERMS)))
    if np.count_nonzero(chroma >= GREY_CHROMA) * TINTED_CELLS_ONE_IN <= chroma.size:
        photo |= bit_of(BLACK_AND_WHITE)
    return ColourFeatures(
        of_class={int(c): _shown(counts[c]) for c in np.flatnonzero(counts.any(1))},
        photo=photo,
        brightness=int(np.rint(_luma(cells).mean())),
    )


def _labels_of(
    label_map: NDArray[np.uint8], map_scale: int, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The label of each cell, uint8 [h, w], and whether all its labels are that one."""
    sampled = [
        [np.minimum((CELL_PIXELS * at + inner) // map_scale, length - 1) for inner in _SAMPLED]
        for at, length in ((rows, label_map.shape[0]), (columns, label_map.shape[1]))
    ]
    found = np.sort([label_map[np.ix_(y, x)] for y in sampled[0] for x in sampled[1]], axis=0)
    pure: NDArray[np.bool_] = np.equal(found[0], found[-1])
    return found[len(found) // 2], pure  # the middle one is that of any majority


def _shown(counts: NDArray[np.intp]) -> int:
    """The mask of the terms that enough cells have, of the cells of each term; of the commonest at least."""
    shares: NDArray[np.float64] = counts / counts.sum()
    mask = bit_of(TERMS[int(np.argmax(counts))])
    for term, share in zip(TERMS, shares.tolist(), strict=True):
        if share >= FAIR_SHARES[term]:
            mask |= bit_of(term)
    return mask


def _luma(cells: NDArray[np.uint8]) -> NDArray[np.float64]:
    return cells.astype(np.float64) @ (0.299, 0.587, 0.114) if cells.ndim == 3 else cells.astype(np.float64)


def _named(cells: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The number of each cell's term, and its chroma."""
    whole = cells if cells.ndim == 3 else np.repeat(cells[..., None], 3, 2)
    terms, chroma = _table()
    levels = (whole // (256 // _LEVELS)).astype(np.intp)
    places = (levels[..., 0] * _LEVELS + levels[..., 1]) * _LEVELS + levels[..., 2]
    # the table's steps alone would tint greys
    narrow = whole.max(2).astype(np.int16) - whole.min(2) <= 3
    return terms[places], np.where(narrow, np.float32(0), chroma[places])


@cache
def _table() -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Term and chroma of sRGB in `_LEVELS` steps of each channel."""
    step = 256 // _LEVELS
    axis = np.arange(_LEVELS) * step + (step - 1) / 2
    lightness, chroma, hue = oklch(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3))
    names = [term_of(*each) for each in zip(lightness.tolist(), chroma.tolist(), hue.tolist(), strict=True)]
    return np.array([TERMS.index(name) for name in names], np.uint8), chroma.astype(np.float32)


def oklch(
    srgb: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lightness 0..1, chroma 0..0.33 and hue in degrees, 0..360, of sRGB [..., 3] in 0..255."""
    value = np.asarray(srgb, np.float64) / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(linear @ np.array(_TO_CONES).T)
    lightness, a, b = np.moveaxis(cones @ np.array(_TO_LAB).T, -1, 0)
    return lightness, np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360


_TO_CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def term_of(lightness: float, chroma: float, hue: float) -> str:
    """The basic colour term of a colour in OKLCh."""
    warm = 20 <= hue < 100 and lightness < 0.6  # a trace of it makes dark things brown
    if lightness < 0.2 or (lightness < 0.36 and chroma < (0.03 if warm else 0.045)):
        return "black"
    if chroma < (0.028 if warm else 0.035) or (lightness > 0.85 and chroma < 0.045):
        return "black" if lightness < 0.4 else "grey" if lightness < 0.74 else "white"
    if hue < 12 or hue >= 345:
        return _crimson(lightness, chroma, hue)
    if hue < 42:
        return _red(lightness, chroma)
    if hue < 80:
        return _orange(lightness, chroma, hue)
    if hue < 117:
        return _yellow(lightness, chroma, hue)
    if hue < 185:
        return "green"
    if hue < 283:
        return "blue"
    return "pink" if hue >= 318 and lightness >= (0.7 if hue < 333 else 0.58) else "purple"


def _crimson(lightness: float, chroma: float, hue: float) -> str:
    if lightness >= 0.55:
        return "pink"
    if 345 <= hue < 357:
        return "purple"
    return "red" if chroma >= 0.1 else "brown"


def _red(lightness: float, chroma: float) -> str:
    if lightness >= 0.7:
        return "pink" if chroma < 0.16 else "red"
    if chroma >= 0.11:
        return "red"
    return "brown" if lightness < 0.65 else "pink"


def _orange(lightness: float, chroma: float, hue: float) -> str:
    if (lightness >= 0.66 and chroma >= 0.125) or (lightness >= 0.75 and chroma >= 0.11):
        return "orange"
    if lightness < 0.83:
        return "brown"
    return "pink" if hue < 60 else "yellow" if chroma >= 0.08 else "white"


def _yellow(lightness: float, chroma: float, hue: float) -> str:
    if lightness >= 0.7 and chroma >= 0.09:
        return "yellow"
    if lightness >= 0.88:
        return "yellow" if chroma >= 0.06 else "white"
    return "brown" if hue < 97 else "green"
