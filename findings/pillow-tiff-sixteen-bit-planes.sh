#!/bin/sh
# Expected: an RGB TIFF of 16 bits a channel whose planes are stored one after the other (PlanarConfiguration 2) opens in
# Pillow with the colours that it has, or is refused, as Pillow refuses other layouts that it does not know.
# Happens: it opens without a word, and the samples of all planes are read as if they lay side by side: a picture of
# three vertical bands, red, green and blue, comes out as stripes of other colours. Seen with Pillow 13.0.0; the same
# picture with its channels side by side is read right.
# Matters: scanners, microscopes and satellite software write planes apart, in 16 bits more than in any other depth;
# a pipeline that trains on or indexes such pictures learns from noise and is not told.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "pillow==13.0.0" "tifffile==2026.3.3" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np
import PIL
import tifffile
from PIL import Image

bands = np.zeros((6, 12, 3), np.uint16)
for channel in range(3):
    bands[:, 4 * channel : 4 * channel + 4, channel] = 65535


def shown(samples: np.ndarray, planes: str) -> list[list[int]]:
    file = io.BytesIO()
    tifffile.imwrite(file, samples, photometric="rgb", planarconfig=planes)
    return np.asarray(Image.open(file).convert("RGB"))[0, ::4].tolist()


together = shown(bands, "contig")
apart = shown(np.ascontiguousarray(np.moveaxis(bands, -1, 0)), "separate")
print("Pillow", PIL.__version__, "and tifffile", tifffile.__version__)
print("channels side by side:", together)
print("planes apart:         ", apart)
right = [[255, 0, 0], [0, 255, 0], [0, 0, 255]]
strange = together == right and apart != right
print("planes are mixed" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
