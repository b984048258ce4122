#!/bin/sh
# Expected: pycocotools.mask.encode of a uint8 array takes every value but 0 as part of the mask, as masks of 0 and 255
# suggest (they work), or refuses values other than 0 and 1. Guessed before running: the former.
# Happens: it begins a new run wherever a value differs from the one before and lets runs be outside and inside in turn.
# So a 2 that follows a 1 in its column is outside, and what lies behind it may be turned inside out to the end of the
# run; no error, and area() counts that. The order is by columns, so whether two values cancel depends on where they
# meet. Seen with pycocotools 2.0.11 (rleEncode in common/maskApi.c compares with the value before, not with 0).
# Matters: "label map != 0" is often left out when regions with ids of their own are united, or when masks were resized
# with soft edges; ground truth of COCO files and average precision computed from it are then silently wrong.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "pycocotools==2.0.11" "numpy==2.2.6"
"$place/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from pycocotools import mask

print("pycocotools", version("pycocotools"))
failed = False
for name, column, back in (
    ("0 and 255", [0, 255, 255, 255, 0, 0], [0, 1, 1, 1, 0, 0]),
    ("two ids that touch", [0, 1, 1, 2, 2, 0], [0, 1, 1, 0, 0, 1]),
    ("a soft edge", [0, 128, 255, 255, 128, 0], [0, 1, 0, 0, 1, 0]),
):
    coded = mask.encode(np.asfortranarray(np.array(column, np.uint8)[:, None]))
    seen = mask.decode(coded)[:, 0].tolist()
    wanted = [int(value != 0) for value in column]
    print(f"{name}: {column} -> {seen}, area {mask.area(coded)} (not zero: {wanted}, area {sum(wanted)})")
    failed |= seen != back
sys.exit(int(failed))
PYTHON
