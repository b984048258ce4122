#!/bin/sh
# Expected: a grey picture written as HEIC of narrow range (`full_range_flag` 0) has its samples moved into 16 to 235
# and back on reading, as a colour picture written in the same way has.
# Happens: its samples stay as they are, while the file says that they are narrow; the reader leaves them too, so that a
# round trip shows nothing. The same greys as RGB are stored as 30 and 217, as pure grey as 16 and 235. A reader that
# believes the file shows 16 as black and 235 as white, and libheif shows other writers' grey pictures of narrow range
# washed out. Seen with libheif 1.23.6 in pillow-heif 1.8.1; the stored samples are read by FFmpeg in PyAV 18.1.0.
# libheif's issue 580 tells of its reader for AVIF.
# Guess beforehand: that the reader leaves the samples (right); of the writer there was no guess.
# Matters: scans of documents and of film are grey; one archive then has two meanings of black, and no test by round
# trip with this library can find it.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "pillow-heif==1.8.1" "pillow==13.0.0" "av==18.1.0" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import io
import sys

import av
import numpy as np
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
GREYS = (16, 235)
halves = np.full((64, 64), GREYS[0], np.uint8)
halves[:, 32:] = GREYS[1]
print("pillow-heif", pillow_heif.__version__, "with libheif", pillow_heif.libheif_version())
found = {}
for mode in ("L", "RGB"):
    file = io.BytesIO()
    said = {"color_primaries": 1, "transfer_characteristics": 13, "matrix_coefficients": 6, "full_range_flag": 0}
    Image.fromarray(halves).convert(mode).save(file, "HEIF", quality=-1, chroma="444", **said)
    item = file.getvalue()
    narrow = item[item.index(b"nclx") + 10] >> 7 == 0
    opened = Image.open(file)
    shown = np.asarray(opened.convert("L"))[32, [8, 56]].tolist()
    luma = next(av.open(io.BytesIO(item)).decode(video=0)).planes[0]
    rows = np.frombuffer(luma, np.uint8).reshape(luma.height, luma.line_size)
    found[mode] = (opened.mode, narrow, rows[32, [8, 56]].tolist(), shown)
    print(mode, "opens as", opened.mode, "| narrow range:", narrow, "| stored", found[mode][2], "| shown", shown)
strange = found == {"L": ("L", True, [16, 235], [16, 235]), "RGB": ("RGB", True, [30, 217], [16, 235])}
print("grey is said to be narrow and is not" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
