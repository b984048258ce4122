#!/bin/sh
# Expected: TIFF files of floating-point samples mean the same by a sample of 0.5 whether they are grey or RGB.
# Happens: libvips takes RGB to be linear light with white at 1 (scRGB), so that 0.5 is shown as 188 of 255, and grey to
# be encoded with white at 255, so that 0.5, like white, is shown as black. No warning; tifffile reads both as written.
# Seen with libvips 8.18.7 (pyvips-binary); its issue 3621 is about the colour half.
# Guess beforehand: linear RGB (right); of grey there was no guess.
# Matters: mattes, depth maps and masks lie as grey float beside colour float; thumbnails of the one come out black and
# of the other too light, and a file reduced to grey changes from the one reading to the other.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "pyvips==3.2.0" "pyvips-binary==8.18.7" "tifffile==2026.3.3" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import io
import sys

import numpy as np
import pyvips
import tifffile

print("pyvips", pyvips.__version__, "with libvips", ".".join(str(pyvips.version(part)) for part in range(3)))
found = {}
for photometric, shape in (("minisblack", (16, 16)), ("rgb", (16, 16, 3))):
    for sample in (0.5, 1.0):
        stored = io.BytesIO()
        tifffile.imwrite(stored, np.full(shape, sample, np.float32), photometric=photometric)
        assert (tifffile.imread(io.BytesIO(stored.getvalue())) == sample).all()
        picture = pyvips.Image.new_from_buffer(stored.getvalue(), "")
        png = pyvips.Image.new_from_buffer(picture.pngsave_buffer(), "")
        small = pyvips.Image.thumbnail_buffer(stored.getvalue(), 8).colourspace("srgb").cast("uchar")
        found[photometric, sample] = (picture.interpretation, int(png(8, 8)[0]), int(small(4, 4)[0]))
        print(f"{photometric} {sample}: read as {picture.interpretation},", end=" ")
        print(f"{found[photometric, sample][1]} as PNG, {found[photometric, sample][2]} as thumbnail, of 255")
strange = found == {
    ("minisblack", 0.5): ("b-w", 0, 0),
    ("minisblack", 1.0): ("b-w", 1, 1),
    ("rgb", 0.5): ("scrgb", 188, 188),
    ("rgb", 1.0): ("scrgb", 255, 255),
}
print("grey and colour disagree" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
