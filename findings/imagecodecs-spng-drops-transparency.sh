#!/bin/sh
# Expected: imagecodecs.spng_decode gives the picture that png_decode of the same library gives, as libspng is made to
# stand in for libpng and has a flag for tRNS.
# Happens: where tRNS says what is transparent, png_decode gives an alpha channel; spng_decode gives none, for greys,
# RGB and palettes of up to 8 bits, without a warning, and refuses greys and RGB of 16 bits. The shapes differ, and what
# was a transparent border is opaque. Seen with imagecodecs 2026.3.6 (libspng 0.7.4, libpng 1.6.55). libspng's own issue
# 48 is about 1, 2 and 4 bits of grey only.
# Guess beforehand: that greys of 2 and 4 bits lose it, as had been seen in passing (right, but so does everything else;
# that a palette keeps it was wrong, too).
# Matters: optimisers turn an alpha channel of on and off into tRNS to save bytes, so maps and diagrams of an archive
# are full of it; pictures that were equal before such a step are no longer.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "imagecodecs==2026.3.6" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import struct
import sys
import zlib

import imagecodecs

GREY, RGB, PALETTE = 0, 2, 3  # PNG's colour types


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(colour: int, depth: int) -> bytes:
    """Eight pixels whose second value (or palette entry 1) is transparent by tRNS."""
    channels = 3 if colour == RGB else 1
    bits = "".join(f"{pixel % 2:0{depth}b}" * channels for pixel in range(8))
    row = int(bits, 2).to_bytes(len(bits) // 8, "big")
    clear = b"\xff\0" if colour == PALETTE else struct.pack(">H", 1) * channels
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 1, depth, colour, 0, 0, 0))
    palette = chunk(b"PLTE", bytes(3) + b"\xff" * 3) if colour == PALETTE else b""
    rest = chunk(b"tRNS", clear) + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + head + palette + rest


def outcome(decode, file: bytes) -> str:
    try:
        picture = decode(file)
    except RuntimeError as error:
        return f"refused ({error})"
    alpha = picture.shape[-1] in (2, 4) and picture.ndim == 3
    return "alpha" if alpha and picture[0, 1, -1] == 0 and picture[0, 0, -1] > 0 else "no alpha"


print("imagecodecs", imagecodecs.__version__, imagecodecs.spng_version(), imagecodecs.png_version())
strange = True
for colour, depth in [(PALETTE, 8), (GREY, 1), (GREY, 2), (GREY, 4), (GREY, 8), (RGB, 8), (GREY, 16), (RGB, 16)]:
    file = png(colour, depth)
    by_png, by_spng = outcome(imagecodecs.png_decode, file), outcome(imagecodecs.spng_decode, file)
    print(f"{('grey', '', 'RGB', 'palette')[colour]} {depth} bits: png_decode {by_png}, spng_decode {by_spng}")
    strange &= by_png == "alpha" and by_spng.startswith("refused" if depth == 16 else "no alpha")
print("transparency is dropped" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
