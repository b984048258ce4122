#!/bin/sh
# Expected: JPEG 2000 files of fewer than 8 bits a channel (of 1, 2 and 4 here), opened with Pillow, show their greatest
# sample as white, 255, since Pillow gives a picture of 8 bits a channel without an error or a warning.
# Happens: samples are shifted up to 8 bits and not scaled, so that white of 1 bit is 128, a middle grey, of 2 bits 192
# and of 4 bits 240. Seen with Pillow 13.0.0 (src/libImaging/Jpeg2KDecode.c shifts by 8 minus the precision).
# Matters: a picture of black and white becomes one of black and grey, and nothing tells so. Those who know that more
# than 8 bits go wrong there do not expect it of fewer. imagecodecs gives the samples as they are.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "pillow==13.0.0" "imagecodecs==2026.3.6" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import io
import sys

import imagecodecs
import numpy as np
import PIL
from PIL import Image

print("Pillow", PIL.__version__, "and imagecodecs", imagecodecs.__version__)
strange = True
for bits, seen in ((1, 128), (2, 192), (4, 240)):
    most = (1 << bits) - 1
    patches = np.zeros((8, 16), np.uint8)
    patches[:, :8] = most
    file = imagecodecs.jpeg2k_encode(patches, level=0, reversible=True, bitspersample=bits)
    there = imagecodecs.jpeg2k_decode(file)
    exact = np.array_equal(there, patches)
    shown = np.asarray(Image.open(io.BytesIO(file)).convert("L"))[0, ::8]
    print(f"{bits} bits: in the file {there[0, ::8].tolist()} of {most}, as Pillow shows it {shown.tolist()} of 255")
    strange &= exact and shown.tolist() == [seen, 0]
print("white is grey" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
