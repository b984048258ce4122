#!/bin/sh
# Expected: JPEG 2000 files of 10, 12 and 16 bits a channel, opened with Pillow, show white as white, since Pillow
# opens them without an error or a warning and gives a picture of 8 bits a channel.
# Happens: the greatest sample becomes 0. Pure red, green and white come out black, while samples in the middle of the
# range come out right, so that a photo looks as if only its lights were burnt in. Seen with Pillow 13.0.0 (its OpenJPEG
# decoder rounds while it shifts samples down to 8 bits, and the rounded value of the greatest one does not fit into a
# byte).
# Matters: JPEG 2000 is what archives, newspapers' digitisations and satellites deliver, often with more than 8 bits, and
# Pillow is what most Python programs open it with; nothing tells that the whites are gone. imagecodecs gives the
# samples as they are.
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
for bits in (10, 12, 16):
    most = (1 << bits) - 1
    patches = np.zeros((8, 24, 3), np.uint16)
    patches[:, :8], patches[:, 8:16], patches[:, 16:] = most, most // 2, most // 4
    file = imagecodecs.jpeg2k_encode(patches, level=0, reversible=True, bitspersample=bits)
    there = imagecodecs.jpeg2k_decode(file)[0, ::8, 0].astype(int) * 255 // most
    shown = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))[0, ::8, 0]
    print(f"{bits} bits: in the file {there.tolist()}, as Pillow shows it {shown.tolist()} of 255")
    strange &= int(there[0]) == 255 and int(shown[0]) == 0 and abs(int(shown[1]) - 127) <= 1
print("white is black" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
