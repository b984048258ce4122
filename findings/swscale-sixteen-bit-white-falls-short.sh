#!/bin/sh
# Expected: white of 8 bits is white of 16 bits, 65535, when FFmpeg turns a frame into RGB of 16 bits (`rgb48le`), as it
# is when FFmpeg turns the same frame into grey of 16 bits.
# Happens: it depends on the layout. 255 of full range becomes 65280 from grey and from 4:4:4, and 65535 from 4:2:0; 235
# of narrow range becomes 65283 from 4:4:4 and 65021 from 4:2:0; 1023 of 10 bits grey becomes 65472. `gray16le` of the
# same frames is 65535 each time: there the upper bits are repeated below, in RGB from grey and 4:4:4 are zeros. Seen
# with PyAV 18.1.0 and its FFmpeg 8 (swscale 9.5).
# Guess beforehand: 65280 from narrow range, 255 shifted by 8 bits (wrong: that is what full range gives).
# Matters: frames divided by 65535 have no white, and by a different amount for each chroma layout; the same clip in two
# layouts has a PSNR ceiling of its own, and tests of "== 1.0" for burnt-out lights never hold.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "av==18.1.0" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import sys

import av
import numpy as np
from av import library_versions
from av.video.reformatter import ColorRange

WHITES = {  # layout, range, white -> white of rgb48le and of gray16le
    ("gray", ColorRange.JPEG, 255): (65280, 65535),
    ("yuv444p", ColorRange.JPEG, 255): (65280, 65535),
    ("yuv420p", ColorRange.JPEG, 255): (65535, 65535),
    ("yuv444p", ColorRange.MPEG, 235): (65283, 65535),
    ("yuv420p", ColorRange.MPEG, 235): (65021, 65535),
    ("gray10le", ColorRange.JPEG, 1023): (65472, 65535),
}


def white_frame(layout: str, white: int) -> np.ndarray:
    """A frame of 64 by 64 as PyAV lays it out: luma first, then neutral chroma."""
    luma = np.full((64, 64), white, np.uint16 if layout.endswith("10le") else np.uint8)
    if layout == "yuv420p":
        return np.vstack([luma, np.full((32, 64), 128, np.uint8)])
    return np.stack([luma, np.full_like(luma, 128), np.full_like(luma, 128)]) if layout == "yuv444p" else luma


print("PyAV", av.__version__, "with swscale", library_versions["libswscale"])
strange = True
for (layout, given, white), expected in WHITES.items():
    frame = av.VideoFrame.from_ndarray(white_frame(layout, white), format=layout)
    frame.color_range = given
    outputs = [frame.to_ndarray(format=name) for name in ("rgb48le", "gray16le")]
    assert all(output.min() == output.max() for output in outputs), "one white"
    found = tuple(int(output.max()) for output in outputs)
    print(f"{layout} {'full' if given == ColorRange.JPEG else 'narrow'} {white}: rgb48le, gray16le {found}")
    strange &= found == expected
print("white falls short" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
