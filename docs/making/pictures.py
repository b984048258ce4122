"""The pictures of the README out of one photo: every picture in them is a stage or a layer of its .dsslic
file.

python docs/making/pictures.py [PHOTO] writes docs/pictures/pipeline.webp and docs/pictures/stages.webp
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from dsslic_search.api import decode, encode, export_layers, file_info
from dsslic_search.api.render import colourise, overlay
from dsslic_search.codec.bpg import file as bpg
from dsslic_search.core.text import size_text
from dsslic_search.core.vocabulary import default

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / "samples" / "picos.jpg"
QUALITY = 75
PAPER, INK, FAINT, ARROW = (255, 255, 255), (30, 30, 34), (105, 105, 110), (0, 121, 107)
CELL = 300, 225
GAP, LEFT, TOP = 76, 24, 20
TEXT = 66  # pixels below a picture
ANIMATED_WIDTH, HOLD_MS, FADE_STEPS, FADE_MS = 640, 1500, 5, 60
LIMIT = 600_000  # bytes of the animation


def main(photo: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    data = encode(photo, quality=QUALITY)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "photo.dsslic"
        file.write_bytes(data)
        info = file_info(file)
        export_layers(file, Path(folder) / "layers")
        planes = bpg.decode((Path(folder) / "layers" / "r.bpg").read_bytes(), max_pixels=10**8)
    stages = {stage: decode(data, stage) for stage in ("map", "compact", "coarse", "full")}
    size = stages["full"].size
    names = np.asarray(stages["map"])
    strongest = planes.planes[0].astype(float)
    axis = Image.fromarray((255 * strongest / ((1 << planes.bit_depth) - 1)).astype(np.uint8))
    bytes_of = {layer["name"]: layer["bytes"] for layer in info["layers"]}
    with Image.open(photo) as opened:
        original = opened.convert("RGB")
    labelled = Image.fromarray(overlay(np.asarray(original), names, default(), strength=0.75, legend=False))
    cells = {
        (0, 1): (original, "photo x", f"{size[0]} by {size[1]} pixels, {size_text(photo.stat().st_size)}"),
        (1, 0): (labelled, "label map s", f"SegNet; {size_text(bytes_of['label map'])}"),
        (1, 1): (
            _pixelated(stages["compact"], size),
            "compact image c",
            f"average; {size_text(bytes_of['compact'])}",
        ),
        (1, 2): (axis, "residual r", f"one of 3 colour axes; {size_text(bytes_of['residual'])}"),
        (2, 1): (stages["coarse"], "coarse x'", f"from {size_text(info['stages']['coarse'])}"),
        (2, 2): (stages["full"], "full", f"from {size_text(info['stages']['full'])}"),
    }
    notes = {
        (2, 0): "mountain, >20% sky,\nno people:  found\n\n(label maps alone answer;\nno photo is opened)"
    }
    arrows = [((0, 1), (1, 0), ""), ((0, 1), (1, 1), ""), ((0, 1), (1, 2), ""), ((1, 0), (2, 0), ""),
              ((1, 0), (2, 1), ""), ((1, 1), (2, 1), "FineNet"), ((1, 2), (2, 2), "restored")]  # fmt: skip
    picture = _drawn(cells, notes, arrows)
    picture.save(out / "pipeline.webp", quality=82, method=6)
    frames, times = _sharpening(stages, names, info)
    target = out / "stages.webp"
    frames[0].save(
        target, save_all=True, append_images=frames[1:], duration=times, loop=0, quality=70, method=6
    )
    if target.stat().st_size >= LIMIT:
        sys.exit(f"{target} has {target.stat().st_size} bytes; {LIMIT} are the most")
    for file in (out / "pipeline.webp", target):
        print(f"{file}: {size_text(file.stat().st_size)}")  # noqa: T201 (a command)


def _pixelated(compact: Image.Image, size: tuple[int, int]) -> Image.Image:
    return compact.convert("RGB").resize(size, Image.Resampling.NEAREST)


def _drawn(
    cells: dict[tuple[int, int], tuple[Image.Image, str, str]],
    notes: dict[tuple[int, int], str],
    arrows: list[tuple[tuple[int, int], tuple[int, int], str]],
) -> Image.Image:
    """Three columns: the photo, the layers, what they show."""
    width = 2 * LEFT + 3 * CELL[0] + 2 * GAP
    sheet = Image.new("RGB", (width, TOP + 3 * (CELL[1] + TEXT)), PAPER)
    draw = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(20), ImageFont.load_default(16)
    for place, (picture, title, below) in cells.items():
        x, y = _corner(place)
        sheet.paste(picture.convert("RGB").resize(CELL, Image.Resampling.LANCZOS), (x, y))
        draw.text((x, y + CELL[1] + 4), title, INK, large)
        draw.text((x, y + CELL[1] + 30), below, FAINT, small)
    for place, note in notes.items():
        x, y = _corner(place)
        draw.rounded_rectangle((x, y, x + CELL[0], y + CELL[1]), 10, outline=ARROW, width=2)
        draw.multiline_text((x + 24, y + 50), note, INK, large, spacing=6)
    for start, end, word in arrows:
        (x0, y0), (x1, y1) = _corner(start), _corner(end)
        a = x0 + CELL[0] + 6, y0 + CELL[1] // 2
        b = x1 - 8, y1 + CELL[1] // 2
        draw.line((a, b), ARROW, 3)
        slope = np.arctan2(b[1] - a[1], b[0] - a[0])
        tips = [(b[0] - 13 * np.cos(slope + turn), b[1] - 13 * np.sin(slope + turn)) for turn in (-0.4, 0.4)]
        draw.polygon([b, *tips], ARROW)
        if word:
            middle = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
            draw.text((middle[0], middle[1] + 8), word, INK, small, anchor="mt")
    return sheet


def _corner(place: tuple[int, int]) -> tuple[int, int]:
    column, row = place
    return LEFT + column * (CELL[0] + GAP), TOP + row * (CELL[1] + TEXT)


def _sharpening(
    stages: dict[str, Image.Image], names: np.ndarray, info: dict
) -> tuple[list[Image.Image], list[int]]:
    """Frames of the stages one after the other, each with the bytes that it takes, and milliseconds of
    each."""
    width, height = stages["full"].size
    size = ANIMATED_WIDTH, round(height * ANIMATED_WIDTH / width)
    shown = dict(stages, map=Image.fromarray(colourise(names, default())))
    shown["compact"] = _pixelated(stages["compact"], (width, height))
    pictures = [shown[s].convert("RGB").resize(size, Image.Resampling.LANCZOS) for s in stages]
    frames, times = [], []
    for i, (stage, picture) in enumerate(zip(stages, pictures, strict=True)):
        share = info["stages"][stage] / info["bytes"]
        text = f"{stage}: the first {size_text(info['stages'][stage])} of the file, {share:.1%}"
        for step in range(1, FADE_STEPS):
            if i:
                mixed = Image.blend(pictures[i - 1], picture, step / FADE_STEPS)
                frames.append(_captioned(mixed, text))
                times.append(FADE_MS)
        frames.append(_captioned(picture, text))
        times.append(HOLD_MS)
    return frames, times


def _captioned(picture: Image.Image, text: str) -> Image.Image:
    framed = Image.new("RGB", (picture.width, picture.height + 34), INK)
    framed.paste(picture)
    ImageDraw.Draw(framed).text((12, picture.height + 7), text, PAPER, ImageFont.load_default(17))
    return framed


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PHOTO, ROOT / "docs" / "pictures")
