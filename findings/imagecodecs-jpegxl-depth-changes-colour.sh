#!/bin/sh
# Expected: imagecodecs.jpegxl_encode gives a lossless JPEG XL file of the same colours whether an sRGB picture comes as
# 8 bits or, every sample times 257, as 16 bits; AVIF, PNG and TIFF encoders of the same library do.
# Happens: the file of 8 bits says that its colours are sRGB, the one of 16 bits, that its samples are linear light. The
# samples come back equal, so a round trip in Python shows nothing, but every program that manages colour shows the
# deeper file much too light (a sample of half is shown as 188 of 255). No argument says otherwise. Seen with
# imagecodecs 2026.3.6 and libjxl 0.11.2; the header is read here bit by bit (ISO/IEC 18181-1, annex D).
# Matters: 16 bits and lossless is what people choose for masters and for training data; whoever measures a codec
# through files written so compares against other colours.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "imagecodecs==2026.3.6" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import sys

import imagecodecs
import numpy as np


def transfer(file: bytes) -> str:
    """The transfer function that the header of the codestream names, in a container or not."""
    start = file.index(b"\xff\x0a") + 2
    value, at = int.from_bytes(file[start : start + 64], "little"), 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return value >> at - count & (1 << count) - 1

    def number(*ways: tuple[int, int]) -> int:
        offset, count = ways[take(2)]
        return offset + take(count)

    def enum() -> int:
        return number((0, 0), (1, 0), (2, 4), (18, 6))

    small = take(1)
    for side in ("height", "width"):
        take(5) if small else number((1, 9), (1, 13), (1, 18), (1, 30))
        if side == "height" and take(3):  # the ratio of width and height
            break
    if take(1):
        return "sRGB"  # everything is as it is by default
    if take(1):
        take(3)  # orientation
        assert not take(3), "no other size, preview or animation"
    assert not take(1), "whole numbers"
    number((8, 0), (10, 0), (12, 0), (1, 6))
    take(1)
    assert number((0, 0), (1, 0), (2, 4), (1, 12)) == 0, "no further channels"
    take(1)
    if take(1):
        return "sRGB"
    assert not take(1), "no profile"
    assert (enum(), enum(), enum()) == (0, 1, 1), "RGB, D65, primaries of sRGB"
    assert not take(1), "no gamma"
    return {8: "linear", 13: "sRGB"}.get(enum(), "other")


eight = np.arange(64, dtype=np.uint8).reshape(8, 8, 1).repeat(3, 2) * np.uint8(4)
sixteen = eight.astype(np.uint16) * np.uint16(257)
files = [imagecodecs.jpegxl_encode(a, lossless=True) for a in (eight, sixteen)]
print("imagecodecs", imagecodecs.__version__)
same = all(np.array_equal(imagecodecs.jpegxl_decode(f), a) for f, a in zip(files, (eight, sixteen)))
said = [transfer(f) for f in files]
print("samples come back:", same)
print("8 bits are said to be", said[0], "and 16 bits", said[1])
strange = same and said == ["sRGB", "linear"]
print("depth changes the colours" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
