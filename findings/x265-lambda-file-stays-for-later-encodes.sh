#!/bin/sh
# Expected: x265's option lambda-file is one of its encoder's, as all others that are given with it: an encoder that is
# opened later in the same process, without the option, has x265's own tables and gives the bytes it always gave.
# Guessed before running: that it does not, since it was met while multipliers were tried in one process; the question
# was whether it is so through PyAV too.
# Happens: the tables of the file stay. Each later encode of the process, of whatever settings, is made with them, without a
# word; only a new process forgets them. Seen with the x265 in PyAV 18.1.0's wheel (x265's tables are the library's, not the
# encoder's: the file is read over them).
# Matters: who compares rate-distortion multipliers in one process, as learned and hybrid codecs do with thousands of
# small encodes, measures the last tables everywhere, and an "anchor" that is coded afterwards is none.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "av==18.1.0" "numpy==2.2.6"
cd "$place"
"$place/venv/bin/python" - <<'PYTHON'
import sys
from pathlib import Path

import av
import numpy as np

HEIGHT, WIDTH = 96, 128
rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
grain = np.random.default_rng(1).normal(0, 8, (HEIGHT, WIDTH))
grey = (128 + 60 * np.sin(columns / 9) + 40 * np.cos(rows / 7) + grain).clip(0, 255).astype(np.uint8)


def coded(more: str = "") -> bytes:
    """One picture at QP 30, by an encoder of its own."""
    with av.open("out.hevc", "w", format="hevc") as container:
        stream = container.add_stream("libx265", rate=1)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"x265-params": f"qp=30:keyint=1:log-level=none:info=0{more}"}
        frame = av.VideoFrame.from_ndarray(np.stack([grey] * 3, -1), format="rgb24").reformat(format="yuv420p")
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    return Path("out.hevc").read_bytes()


# for each QP a multiplier and, in the second line, that of squared errors: about twice and four times x265's own
one = ",".join(f"{2 * 2 ** ((qp - 12) / 6):.6f}" for qp in range(70))
squared = ",".join(f"{4 * 0.038 * np.exp(0.234 * qp):.6f}" for qp in range(70))
Path("tables.txt").write_text(f"{one}\n{squared}\n")

first, again = coded(), coded()
with_file = coded(":lambda-file=tables.txt")
later = coded()
print("PyAV", av.__version__)
print("twice without the option:", len(first), len(again), "bytes, the same:", first == again)
print("with tables of a file:", len(with_file), "bytes")
print("without it, afterwards:", len(later), "bytes, as at first:", later == first, "| as with the file:", later == with_file)
sys.exit(not (first == again and later != first))
PYTHON
