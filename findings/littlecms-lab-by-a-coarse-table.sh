#!/bin/sh
# Expected: Little CMS, called by Pillow's ImageCms as its documentation shows, turns 8-bit CIELAB into 8-bit sRGB as the
# formulas do, to a level or two: both profiles are its own, and nothing in them is a measured table.
# Happens: colours well inside sRGB come out up to 36 levels off, one in six of them by more than 2. With the flag
# NOOPTIMIZE the same call is off by less than 1. When a transform is built, Little CMS computes the whole way at the points
# of a regular grid (33 an axis for three channels, fewer for four; src/cmsopt.c, OptimizeByResampling) and interpolates
# between these, since the way is not a matrix with curves. Seen with Pillow 13.0.0 and the Little CMS 2.19 in it.
# Matters: scans and prints kept as CIELAB or CMYK go this way in nearly every viewer. Profiles of inks that are tables
# suffer the same: with Ghostscript's two, one in sixteen and one in four of random inks are off by more than 2.
# Who measures a codec's or a camera's colours through ImageCms measures this grid.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "pillow==13.0.0" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import PIL
from PIL import Image, ImageCms, features

print("Pillow", PIL.__version__, "with Little CMS", features.version("littlecms2"))
levels = np.arange(0, 256, 3)
stored = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
y = (stored[:, 0] / 2.55 + 16) / 116
ratios = np.stack([y + (stored[:, 1] - 128) / 500, y, y - (stored[:, 2] - 128) / 200], -1)
xyz = np.where(ratios > 6 / 29, ratios**3, 3 * (6 / 29) ** 2 * (ratios - 4 / 29)) * (0.9642, 1, 0.8249)
from_xyz = np.array([[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.033454], [0.0719453, -0.2289914, 1.4052427]])
light = xyz @ from_xyz.T
inside = np.all((light >= 0) & (light <= 1), axis=1)
stored, light = stored[inside], light[inside]
exact = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
signed = stored.astype(np.uint8)
signed[:, 1:] ^= 128  # Pillow's mode LAB keeps a and b as signed bytes
picture = Image.frombytes("LAB", (len(signed), 1), signed.tobytes())
worst = {}
for name, flags in (("by default", ImageCms.Flags.NONE), ("with NOOPTIMIZE", ImageCms.Flags.NOOPTIMIZE)):
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC, flags,
    )
    off = np.abs(np.asarray(ImageCms.applyTransform(picture, transform))[0] - exact).max(axis=1)
    worst[name] = off.max()
    print(f"{name}: {len(off)} colours, off by {off.max():.1f} levels at most, {np.mean(off > 2):.1%} by more than 2")
strange = worst["by default"] > 30 and worst["with NOOPTIMIZE"] < 1
print("a coarse table stands in for the formulas" if strange else "the behaviour has changed")
sys.exit(not strange)
PYTHON
