"""A layout that somebody painted: which class shall be where, and where nothing is asked for.

A canvas is a PNG in the colours of the vocabulary's palette, in which transparent and white pixels are left
open, or a list of shapes in JSON (:mod:`dsslic_search.features.shapes`). Either becomes a label map with a
mask, and that a query for layouts.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.core.errors import Remedy, UsageError
from dsslic_search.core.text import printable
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


def read_picture(data: bytes, name: str, vocabulary: Vocabulary) -> Canvas:
    """The canvas in the bytes of a PNG file in palette colours."""
    pixels = _opened(data, name)
    shape = pixels.shape[:2]
    values, value_of = np.unique(pixels.reshape(-1, 4).view("<u4").ravel(), return_inverse=True)
    colours = values[:, None].view(np.uint8).astype(np.int16)
    palette = np.array([c.colour for c in vocabulary.classes] + [UNPAINTED], np.int16)
    distances = np.abs(colours[:, None, :3] - palette).max(axis=2)
    labels, painted = distances.argmin(axis=1).astype(np.uint8), colours[:, 3] >= PAINTED_ALPHA
    strange = painted & (distances.min(axis=1) > COLOUR_TOLERANCE)
    if strange.any():
        raise UsageError(_strangeness(name, pixels, strange[value_of].reshape(shape), vocabulary))
    labels[~painted] = len(vocabulary)
    known = (labels < len(vocabulary))[value_of].reshape(shape)
    if not known.any():
        raise UsageError(f"{name}: nothing is painted; transparent and white pixels ask for nothing")
    labels[labels == len(vocabulary)] = 0
    return Canvas(labels[value_of].reshape(shape), known)


def _opened(data: bytes, name: str) -> NDArray[np.uint8]:
    """Red, green, blue and alpha, uint8 [h, w, 4]."""
    sizes = data[PNG_SIZE_OFFSET : PNG_SIZE_OFFSET + 8]
    width, height = struct.unpack(">II", sizes) if len(sizes) == 8 else (0, 0)
    if width * height > MAX_CANVAS_PIXELS:
        raise UsageError(
            f"{name}: {width} × {height} pixels are more than a canvas may have; reduce it to 1000 × 1000"
        )
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            mode, pixels = picture.mode, np.array(picture.convert("RGBA"))
    except Exception as e:  # damage can make Pillow raise nearly anything
        raise UsageError(f"{name}: a damaged PNG ({printable(str(e))}); save it again") from e
    if mode not in ("P", "RGB", "RGBA"):
        raise UsageError(f"{name}: a picture without colours; paint with those that {Remedy.PALETTE} lists")
    return pixels


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
