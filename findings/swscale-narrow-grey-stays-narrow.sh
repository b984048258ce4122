#!/bin/sh
# Expected: a frame that says that its range is narrow (black 16, white 235) gives 0 and 255 when FFmpeg turns it into
# RGB, whether it has chroma or not.
# Happens: with chroma it does; a grey frame keeps 16 and 235, although the frame still says narrow range, and even if
# the ranges of source and target are named in the call. swscale takes every grey format to be of full range. Seen with
# PyAV 18.1.0 and its FFmpeg 8; frames of FFV1, which carries the range, written and read here.
# Guess beforehand: that it stays narrow, as had been seen in passing (right); of naming the ranges there was no guess.
# Matters: FFV1 is what film archives keep, and black-and-white film is kept as grey; frames taken out for training or
# comparison are flat, and a clip converted to 4:2:0 differs from its own grey master.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "av==18.1.0" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import io
import sys

import av
import numpy as np
from av import library_versions
from av.video.reformatter import ColorRange


def decoded(layout: str) -> av.VideoFrame:
    """One frame of narrow black and narrow white, after a lossless round trip through FFV1 in Matroska."""
    luma = np.full((64, 64), 16, np.uint8)
    luma[:, 32:] = 235
    samples = luma if layout == "gray" else np.vstack([luma, np.full((32, 64), 128, np.uint8)])
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, layout
        stream.codec_context.color_range = ColorRange.MPEG
        frame = av.VideoFrame.from_ndarray(samples, format=layout)
        frame.color_range = ColorRange.MPEG
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    return next(av.open(file).decode(video=0))


print("PyAV", av.__version__, "with swscale", library_versions["libswscale"])
found = {}
for layout in ("gray", "yuv420p"):
    frame = decoded(layout)
    assert frame.format.name == layout and frame.color_range == ColorRange.MPEG, "the frame says narrow range"
    named = {"src_color_range": ColorRange.MPEG, "dst_color_range": ColorRange.JPEG}
    ways = [frame.to_ndarray(format="rgb24"), frame.to_ndarray(format="rgb24", **named)]
    found[layout] = [way[32, [8, 56], 0].tolist() for way in ways]
    print(f"{layout}: black and white as RGB {found[layout][0]}, with both ranges named {found[layout][1]}")
stretched = all(black <= 3 and white >= 252 for black, white in found["yuv420p"])  # processors round differently
strange = found["gray"] == [[16, 235]] * 2 and stretched
print("narrow grey stays narrow" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
