"""What a photo takes at the default profile, beside what it took when that was last judged: bytes and PSNR of
every byte of the file. A change of the encoder or of the format that costs something has to be meant.

``python -m tests.codec.test_rates`` writes what is kept anew, after such a change.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from dsslic_search.bench.metrics import bd_rate, psnr
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto

TESTS = Path(__file__).parents[1]
KEPT = TESTS / "data" / "rates.json"
QUALITIES = (10, 40, 75)
MOST_PERCENT = 0.5


def measured() -> dict[str, list[float]]:
    """Bytes, and dB of RGB, of a sample photo by quality."""
    with Image.open(TESTS.parent / "samples" / "bridge.jpg") as opened:
        opened.thumbnail((320, 320))
        pixels = np.array(opened.convert("RGB"))
    files = [encode_photo(SourcePhoto(pixels), EncodeOptions(quality)).data for quality in QUALITIES]
    return {
        "bytes": [len(data) for data in files],
        "psnr": [round(psnr(pixels, decode_stage(data).pixels), 3) for data in files],
    }


def test_a_photo_takes_no_more_than_it_did() -> None:
    kept, found = json.loads(KEPT.read_text()), measured()
    percent = bd_rate(kept["bytes"], kept["psnr"], found["bytes"], found["psnr"])
    assert percent < MOST_PERCENT, f"{percent:+.2f} % of the bytes at equal PSNR: {found} where {kept} was"


if __name__ == "__main__":
    KEPT.write_text(json.dumps(measured(), indent=1) + "\n")
