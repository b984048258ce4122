#!/bin/sh
# Expected: pure blue in an AVIF of narrow range (BT.709 or BT.2020, 8 bits) opens as blue 255, as one of 10 bits does.
# Happens: its blue is 243 (BT.709) or 239 (BT.2020), and each blue or yellow between is off in proportion. libavif
# converts 8 bits through libyuv, which as it is built for these wheels keeps its factors below 2; the matrices need
# 2.11 and 2.14 for blue. Full range needs 1.86 and 1.88, and is right; 10 bits go another way. Seen with
# pillow 13.0.0 (libavif 1.4.2) and imagecodecs 2026.3.6 (libavif 1.4.0); stored samples by PyAV 18.1.0. In talk about
# libavif's change 1059 a build option of libyuv is named that lifts the bound; no report tells of what is seen.
# Guess beforehand: that the matrix is taken for another one (wrong: red and green are right to one level), then a bound
# in libyuv (right, as far as its numbers tell).
# Matters: narrow range is what video encoders write, and so do services that make AVIF by them; skies lose their
# depth, and pictures of 8 and 10 bits that should be equal are not.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "pillow==13.0.0" "imagecodecs==2026.3.6" "av==18.1.0" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import io
import sys

import av
import imagecodecs
import numpy as np
from PIL import Image, features

WEIGHTS = {1: (0.2126, 0.0722), 9: (0.2627, 0.0593)}  # of red and blue, by matrix of H.273
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "sky": (110, 160, 240)}


def planes_of(colour: tuple[int, ...], matrix: int, narrow: bool) -> np.ndarray:
    """Luma and chroma of 8 bits by ITU-T H.273."""
    red, blue = WEIGHTS[matrix]
    r, g, b = np.array(colour) / 255
    y = red * r + (1 - red - blue) * g + blue * b
    chroma = np.array([(b - y) / (2 - 2 * blue), (r - y) / (2 - 2 * red)])
    return np.rint([16 + 219 * y, *(128 + 224 * chroma)] if narrow else [255 * y, *(128 + 255 * chroma)])


def colour_of(planes: np.ndarray, matrix: int, narrow: bool) -> np.ndarray:
    red, blue = WEIGHTS[matrix]
    y, u, v = (planes - [16, 128, 128]) / [219, 224, 224] if narrow else (planes - [0, 128, 128]) / 255
    r, b = y + (2 - 2 * red) * v, y + (2 - 2 * blue) * u
    return np.rint(np.clip([r, (y - red * r - blue * b) / (1 - red - blue), b], 0, 1) * 255).astype(int)


def file_of(colour: tuple[int, ...], matrix: int) -> bytes:
    """A file that says narrow range: written as full range, of what has the samples wanted, then one bit changed."""
    inner = colour_of(planes_of(colour, matrix, narrow=True), matrix, narrow=False).astype(np.uint8)
    picture = np.broadcast_to(inner, (64, 64, 3)).copy()
    data = bytearray(
        imagecodecs.avif_encode(picture, 99, pixelformat="444", primaries=1, transfer=13, matrix=matrix)
    )
    at = data.index(b"nclx") + 10
    assert data[at] == 0x80
    data[at] = 0
    return bytes(data)


print("pillow", Image.__version__, "libavif", features.version("avif"), "and imagecodecs", imagecodecs.avif_version())
short = []
for matrix in WEIGHTS:
    for name, colour in COLOURS.items():
        file = file_of(colour, matrix)
        frame = next(av.open(io.BytesIO(file)).decode(video=0))
        stored = np.array([bytes(plane)[32 * plane.line_size + 32] for plane in frame.planes])
        wanted = colour_of(stored, matrix, narrow=True)
        shown = [np.asarray(Image.open(io.BytesIO(file)))[32, 32], imagecodecs.avif_decode(file)[32, 32]]
        print(f"matrix {matrix}, {name}: stored {stored.tolist()}, by H.273 {wanted.tolist()}, "
              f"shown {[each.tolist() for each in shown]}")
        short += [wanted - each for each in shown]
off = np.array(short, int).reshape(2, len(COLOURS), 2, 3)
pure = off[:, 2, :, 2]
strange = np.abs(off[..., :2]).max() <= 2 and (pure[0] >= 10).all() and (pure[1] >= 14).all()
print("blue falls short" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
