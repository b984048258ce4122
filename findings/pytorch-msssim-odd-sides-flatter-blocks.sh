#!/bin/sh
# Expected: the MS-SSIM of a coded picture is the same, but for the border's share, whether the picture has one row and one
# column more, and whether both pictures are turned upside down. Guessed before running: equal up to the fourth decimal.
# Happens: with odd sides the halving between the scales begins one pixel outside the picture (avg_pool2d pads both ends),
# so that its pairs of pixels lie across the borders of the coder's blocks and average the steps there away. JPEG of a
# picture of 481 x 321 scores about 1 dB (-10 log10(1 - MS-SSIM)) higher than of the same picture without its last row and
# column, and than of both pictures upside down, where a pair's first pixel is the block's first again. Even sides give
# one value either way. Seen with pytorch-msssim 1.0.0 (ms_ssim in ssim.py: padding = [s % 2 for s in X.shape[2:]]); piq
# 0.8.0 pads on the same side and did the same when it was tried by hand.
# Matters: 481 x 321 is the size of BSDS's photos, and this is the MS-SSIM that CompressAI reports. One decibel is a tenth
# or more of the rate, and coders gain by how their blocks lie, so curves over photos of odd sides do not compare: crop
# to even sides first (to multiples of 16 for five scales), or drop the odd row before each halving.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/venv"
pip="$place/venv/bin/python -m pip install --quiet"
$pip "torch==2.13.0+cpu" 2>/dev/null || $pip --extra-index-url https://download.pytorch.org/whl/cpu "torch==2.13.0+cpu" || $pip "torch==2.13.0"
$pip "pytorch-msssim==1.0.0" "pillow==13.0.0" "numpy==2.4.6"
"$place/venv/bin/python" - <<'PYTHON'
import io
import sys
from importlib.metadata import version

import numpy as np
import torch
from PIL import Image
from pytorch_msssim import ms_ssim

WIDTH, HEIGHT = 481, 321


def picture(seed: int) -> np.ndarray:
    """Smooth spots of many sizes, uint8 [H, W, 3]."""
    random, total = np.random.default_rng(seed), np.zeros((HEIGHT, WIDTH, 3))
    for cell in (4, 8, 16, 32, 64):
        coarse = random.normal(size=(3, HEIGHT // cell + 2, WIDTH // cell + 2)).astype(np.float32)
        planes = [Image.fromarray(plane).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC) for plane in coarse]
        total += cell**0.5 * np.stack([np.asarray(plane) for plane in planes], -1)
    low, high = total.min(), total.max()
    return ((total - low) / (high - low) * 255).round().astype(np.uint8)


def jpeg(pixels: np.ndarray) -> np.ndarray:
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "JPEG", quality=60, subsampling=0)
    return np.asarray(Image.open(packed))


def decibels(a: np.ndarray, b: np.ndarray) -> float:
    one, other = (torch.from_numpy(np.ascontiguousarray(x)).float().permute(2, 0, 1)[None] for x in (a, b))
    return -10 * float(np.log10(1 - ms_ssim(one, other, data_range=255.0).item()))


print(*(f"{name} {version(name)}" for name in ("pytorch-msssim", "torch", "pillow")), sep=", ")
strange = True
for seed in range(3):
    photo = picture(seed)
    coded = jpeg(photo)
    odd, turned = decibels(photo, coded), decibels(photo[::-1, ::-1], coded[::-1, ::-1])
    cut = (slice(HEIGHT - 1), slice(WIDTH - 1))
    even, even_turned = decibels(photo[cut], coded[cut]), decibels(photo[cut][::-1, ::-1], coded[cut][::-1, ::-1])
    print(
        f"picture {seed}: {WIDTH} x {HEIGHT} {odd:.2f} dB, upside down {turned:.2f}; "
        f"without the last row and column {even:.2f}, upside down {even_turned:.2f}"
    )
    strange &= odd > turned + 0.5 and odd > even + 0.5 and abs(even - even_turned) < 0.01
sys.exit(not strange)
PYTHON
