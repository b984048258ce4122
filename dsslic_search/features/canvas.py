"""A layout that somebody painted: which class shall be where, and where nothing is asked for.

A canvas is a PNG in the colours of the vocabulary's palette, in which transparent and white pixels are left
open, or a list of shapes in JSON (:mod:`dsslic_search.features.shapes`). Either becomes a label map with a
mask, and that a query for layouts.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from dsslic_search.core.errors import Remedy, UsageError
from dsslic_search.core.text import printable, quoted
from dsslic_search.core.vocabulary import Vocabulary, hex_colour
from dsslic_search.features.embedding import Canvas
from dsslic_search.features.shapes import read_shapes

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_SIZE_OFFSET = 16  # bytes before width and height, two big-endian u32
MAX_CANVAS_PIXELS = 1 << 23
# of each of red, green and blue; no two colours of the palette are nearer than twice that
COLOUR_TOLERANCE = 9
PAINTED_ALPHA = 128  # alpha from which a pixel counts as painted
UNPAINTED = (255, 255, 255)  # no class has this colour, and programs that know no transparency paint on it


def read_canvas(data: bytes, name: str, vocabulary: Vocabulary) -> Canvas:
    """The canvas in the bytes of a PNG or JSON file, called ``name`` in errors. UsageError says what is
    wrong, and where."""
    if data.startswith(PNG_MAGIC):
        return read_picture(data, name, vocabulary)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{"):
        return read_shapes(data, name, vocabulary)
    raise UsageError(f"{name}: neither a PNG nor a list of shapes in JSON; see docs/layout.md for both")


def read_cells(rows: Sequence[Sequence[Any]], name: str, vocabulary: Vocabulary) -> Canvas:
    """The canvas of rows of cells, each the id or the name of a class, or None where nothing is asked for."""
    if not isinstance(rows, Sequence) or not rows or not all(isinstance(row, Sequence) for row in rows):
        raise UsageError(f"{name}: a list of rows is needed, each a list of classes")
    width = len(rows[0])
    if not width or any(len(row) != width for row in rows):
        raise UsageError(f"{name}: all rows must have the same number of cells, at least one")
    if width * len(rows) > MAX_CANVAS_PIXELS:
        raise UsageError(
            f"{name}: {width} × {len(rows)} cells are more than a canvas may have; reduce it to 1000 × 1000"
        )
    ids: dict[Any, int] = {c.name: c.id for c in vocabulary.classes} | {None: -1}
    labels = np.empty((len(rows), width), np.int16)
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            own = isinstance(cell, int) and not isinstance(cell, bool) and 0 <= cell < len(vocabulary)
            if not own and not (isinstance(cell, str) or cell is None):
                raise UsageError(f"{name}: column {x}, row {y}: no class has the id {str(cell)[:40]}")
            if not own and cell not in ids:
                raise UsageError(
                    f"{name}: column {x}, row {y}: no class is called {quoted(str(cell))}; see "
                    f"{Remedy.CLASSES}"
                )
            labels[y, x] = cell if own else ids[cell]
    known = labels >= 0
    if not known.any():
        raise UsageError(f"{name}: nothing is painted; cells without a class ask for nothing")
    return Canvas(np.where(known, labels, 0).astype(np.uint8), known)


def read_picture(data: bytes, name: str, vocabulary: Vocabulary) -> Canvas:
    """The canvas in the bytes of a PNG file in palette colours."""
    pixels = _opened(data, name)
    values, spread = _values(pixels)
    colours = values[:, None].view(np.uint8).astype(np.int16)
    palette = np.array([c.colour for c in vocabulary.classes] + [UNPAINTED], np.int16)
    distances = np.abs(colours[:, None, :3] - palette).max(axis=2)
    labels, painted = distances.argmin(axis=1).astype(np.uint8), colours[:, 3] >= PAINTED_ALPHA
    strange = painted & (distances.min(axis=1) > COLOUR_TOLERANCE)
    if strange.any():
        raise UsageError(_strangeness(name, pixels, spread(strange), vocabulary))
    labels[~painted] = len(vocabulary)
    known = spread(labels < len(vocabulary))
    if not known.any():
        raise UsageError(f"{name}: nothing is painted; transparent and white pixels ask for nothing")
    labels[labels == len(vocabulary)] = 0
    return Canvas(spread(labels), known)


def _values(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.uint32], Callable[[NDArray[Any]], NDArray[Any]]]:
    """The values that pixels, uint8 [h, w, 4], have, and what makes [h, w] of one entry for each value."""
    packed = pixels.reshape(-1, 4).view("<u4").ravel()
    begins = np.ones(packed.size, bool)
    np.not_equal(packed[1:], packed[:-1], out=begins[1:])
    starts = np.flatnonzero(begins)  # of what is painted alike: far fewer than pixels are to be sorted
    values, value_of = np.unique(packed[starts], return_inverse=True)
    lengths = np.diff(starts, append=packed.size)
    return values, lambda each: np.repeat(each[value_of], lengths).reshape(pixels.shape[:2])


def _opened(data: bytes, name: str) -> NDArray[np.uint8]:
    """Red, green, blue and alpha, uint8 [h, w, 4]."""
    sizes = data[PNG_SIZE_OFFSET : PNG_SIZE_OFFSET + 8]
    width, height = struct.unpack(">II", sizes) if len(sizes) == 8 else (0, 0)
    _check_size(width, height, name)
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            _check_size(*picture.size, name)  # Pillow takes it from wherever it stands
            mode, pixels = picture.mode, np.array(picture.convert("RGBA"))
    except UsageError:
        raise
    except UnidentifiedImageError as e:  # which only tells of an object of Python's
        raise UsageError(f"{name}: a damaged PNG; save it again") from e
    except Exception as e:  # damage can make Pillow raise nearly anything
        raise UsageError(f"{name}: a damaged PNG ({printable(str(e))}); save it again") from e
    if mode not in ("P", "RGB", "RGBA"):
        raise UsageError(f"{name}: a picture without colours; paint with those that {Remedy.PALETTE} lists")
    return pixels


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_CANVAS_PIXELS:
        raise UsageError(
            f"{name}: {width} × {height} pixels are more than a canvas may have; reduce it to 1000 × 1000"
        )


def _strangeness(
    name: str, pixels: NDArray[np.uint8], strange: NDArray[np.bool_], vocabulary: Vocabulary
) -> str:
    """What to say of colours that are in no palette: the first of them, and the class whose colour is
    nearest."""
    y, x = (int(n) for n in np.argwhere(strange)[0])
    colour = tuple(int(n) for n in pixels[y, x, :3])
    nearest = min(
        vocabulary.classes, key=lambda c: sum((a - b) ** 2 for a, b in zip(c.colour, colour, strict=True))
    )
    count = int(strange.sum())
    others = f" (and {count - 1} more pixels are of no class's colour)" if count > 1 else ""
    return (
        f"{name}: the colour {hex_colour(colour)} at column {x}, row {y} is no class's{others}; the nearest "
        "is "
        f"{hex_colour(nearest.colour)}, {nearest.name}. Paint with hard edges in the colours that "
        f"{Remedy.PALETTE} lists"
    )
