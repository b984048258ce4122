"""Golden files: .dsslic files that a released format wrote, each with what every stage of it decodes to.

``tests/data/golden/FORMAT/`` holds NAME.VARIANT.dsslic and NAME.VARIANT.STAGE.png. FORMAT "first" was written
by version 0.1. When a format is final, its files are written once, and never again, with::

    python -m tests.golden second

which takes crops of the sample photos, about 160 pixels a side: one of colour, one grey, one of odd sides.
FORMAT "paper" has files of the paper's profiles, and beside them ``hashes.json``: by file and stage the
SHA-256 of the pixels that come out alike on every machine, those of label map and compact image, and of the
residual's BPG picture. FORMAT "short" has files with headers in short, "shorter" with chunks in short, too.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from dsslic_search.codec import bpg
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layer_files import exported
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import open_photo
from dsslic_search.core.errors import StageError
from dsslic_search.core.kinds import Stage
from dsslic_search.core.settings import LOSSLESS

TESTS = Path(__file__).parent
GOLDEN = TESTS / "data" / "golden"
CROPS = {  # of the photo 320 pixels long: left, top, right, bottom; whether grey
    "dogs": ((20, 150, 180, 270), False),
    "aitzgorri": ((90, 60, 250, 164), True),
    "stream": ((70, 30, 227, 163), False),
}
VARIANTS = {  # of every crop
    "q30": EncodeOptions(30),
    "q80": EncodeOptions(80),
    "effort9": EncodeOptions(60, effort=9),
    "lossless": EncodeOptions(LOSSLESS),
    "coarse": EncodeOptions(keep="coarse"),
}
PAPER = {  # of every crop, in "paper"
    "q30": EncodeOptions(30, profile="paper"),
    "q80": EncodeOptions(80, profile="paper", map_scale=1),
    "444-q30": EncodeOptions(30, profile="paper-444", map_scale=1),
    "444-q80": EncodeOptions(80, profile="paper-444"),
    "coarse": EncodeOptions(keep="coarse", profile="paper"),
}
SHORT = {  # of every crop, in "short" and "shorter"
    "q10": EncodeOptions(10),
    "q75": EncodeOptions(75, map_scale=2),
    "coarse": EncodeOptions(keep="coarse"),
    "reference": EncodeOptions(keep="reference"),
}
KEPT = {"exact": EncodeOptions(keep="exact"), "reference": EncodeOptions(keep="reference")}  # of the first


def crop(name: str) -> Image.Image:
    """A part of a sample photo."""
    box, grey = CROPS[name]
    with Image.open(TESTS.parent / "samples" / f"{name}.jpg") as opened:
        whole = opened.convert("RGB")
    whole.thumbnail((320, 320))
    part = whole.crop(box)
    return part.convert("L") if grey else part


def originals(name: str) -> Iterator[tuple[str, EncodeOptions, bytes]]:
    """(variant, options, bytes of the photo file) of a crop."""
    picture = crop(name)
    for kind, variants in (("PNG", VARIANTS), ("JPEG", KEPT if name == "dogs" else {})):
        file = io.BytesIO()
        picture.save(file, kind, quality=85)
        for variant, options in variants.items():
            yield variant, options, file.getvalue()
    file = io.BytesIO()
    picture.save(file, "PNG")
    labels = encode_photo(open_photo(file.getvalue(), name, 10**6), EncodeOptions()).label_map
    most = int(np.bincount(labels.reshape(-1)).argmax())
    yield "importance", replace(VARIANTS["q80"], importance=((most, 0.25),)), file.getvalue()


def chosen(name: str, variants: dict[str, EncodeOptions]) -> Iterator[tuple[str, EncodeOptions, bytes]]:
    """The same of ``variants`` alone."""
    file = io.BytesIO()
    crop(name).save(file, "PNG")
    for variant, options in variants.items():
        yield variant, options, file.getvalue()


def hashes(data: bytes) -> dict[str, str]:
    """By stage, and for the residual, SHA-256 of the pixels that come out alike everywhere."""
    layers = exported(data)
    found = {stage: decode_stage(data, stage).pixels for stage in (Stage.MAP, Stage.COMPACT)}
    if "r.bpg" in layers:
        found["residual"] = bpg.decode(layers["r.bpg"], max_pixels=10**6).rgb8()
    return {
        str(stage): hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()
        for stage, pixels in found.items()
    }


def write(folder: Path) -> None:
    """Encode every crop every way and write what decodes. FileExistsError where the folder is there
    already."""
    folder.mkdir(parents=True)
    of_paper = folder.name == "paper"
    few = {"paper": PAPER, "short": SHORT, "shorter": SHORT}.get(folder.name)
    told = {}
    for name in CROPS:
        for variant, options, original in originals(name) if few is None else chosen(name, few):
            data = encode_photo(open_photo(original, name, 10**6), options, original).data
            (folder / f"{name}.{variant}.dsslic").write_bytes(data)
            for stage in Stage:
                if stage == "coarse" and options.keep != "coarse":
                    continue  # made by whatever weights ship, so it is not the file's
                try:
                    pixels = decode_stage(data, stage).pixels
                except StageError:  # not in this keep mode
                    continue
                Image.fromarray(pixels).save(folder / f"{name}.{variant}.{stage}.png", optimize=True)
            if of_paper:
                told[f"{name}.{variant}"] = hashes(data)
    if of_paper:
        (folder / "hashes.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    write(GOLDEN / sys.argv[1])
