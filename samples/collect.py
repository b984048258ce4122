"""Gather real photographs for the demo: those beside this file, and those that scikit-learn and scikit-image
carry.

python samples/collect.py DIR
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image

FROM_SKIMAGE = ("astronaut", "camera", "chelsea", "coffee", "rocket")


def collect(target: Path) -> list[Path]:
    """Copy the photos to ``target``; returns their paths there."""
    import skimage.data
    from sklearn.datasets import load_sample_images

    target.mkdir(parents=True, exist_ok=True)
    found = [Path(shutil.copy(photo, target)) for photo in sorted(Path(__file__).parent.glob("*.jpg"))]
    samples = load_sample_images()
    pictures = {
        Path(name).stem: pixels for name, pixels in zip(samples.filenames, samples.images, strict=True)
    }
    pictures |= {name: getattr(skimage.data, name)() for name in FROM_SKIMAGE}
    for name, pixels in pictures.items():
        found.append(target / f"{name}.png")
        Image.fromarray(pixels).save(found[-1])
    return found


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(f"{len(collect(Path(sys.argv[1])))} photos in {sys.argv[1]}")  # noqa: T201 (a command)
