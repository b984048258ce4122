"""Pictures to look at: coloured label maps, overlays with a legend, contact sheets and animations of the
stages."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dsslic_search.codec.picture.save import check_name, ending_of, save_picture
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import NEW_FILES, Outputs
from dsslic_search.core.vocabulary import Vocabulary

__all__ = [
    "check_name",
    "colourise",
    "contact_sheet",
    "overlay",
    "save_animation",
    "save_palette",
    "save_picture",
]

Pixels = NDArray[np.uint8]

PAPER = (247, 247, 245)
INK = (45, 45, 48)
FAINT = (120, 120, 124)

LEGEND_PRESENCE = 0.005
"""Classes that cover less of the picture than this are left out of legends."""
ANIMATION_SIDE = 1600
"""The longest side of an animation's frames; larger photos are reduced."""
SWATCH_HEIGHT = 60
"""Pixels of a colour in a picture of the palette, which is twice as wide."""
_WIDEST_CELL = 16 / 9  # width over height of a picture on a sheet


def colourise(label_map: Pixels, vocabulary: Vocabulary) -> Pixels:
    """uint8 [h, w] class ids → uint8 [h, w, 3] in the vocabulary's colours."""
    palette = np.frombuffer(vocabulary.palette(), np.uint8).reshape(256, 3)
    return palette[label_map]


def overlay(
    pixels: Pixels,
    label_map: Pixels,
    vocabulary: Vocabulary,
    *,
    map_scale: int = 1,
    strength: float = 0.5,
    legend: bool = True,
) -> Pixels:
    """The label map laid over the photo, its borders drawn, and a legend of class names and coverages below.

    ``pixels``: uint8 [H, W, 3]. ``label_map``: uint8 [h, w], enlarged to the photo's size. ``map_scale``: how
    many of its pixels, each way, are one label of the photo's file: coverages are of those, as queries tell
    them, though labels at the right and lower edge may show fewer pixels. ``strength``: 0
    shows the photo alone, 1 the colours alone. Returns uint8 [H + height of the legend, W, 3].
    """
    labels = _enlarged(label_map, *pixels.shape[:2])
    mixed = pixels * (1 - strength) + colourise(labels, vocabulary) * strength
    mixed[_borders(labels)] = 255
    shown = np.rint(mixed).astype(np.uint8)
    if not legend:
        return shown
    stored = label_map[::map_scale, ::map_scale]
    return np.concatenate([shown, _legend(stored, vocabulary, shown.shape[1], _text_size(*shown.shape[:2]))])


def contact_sheet(pictures: Sequence[tuple[str, Pixels]], *, columns: int = 4, height: int = 240) -> Pixels:
    """A grid of (caption, uint8 [H, W, 3] or [H, W]) pictures, all ``height`` pixels high but for very wide
    ones, on light paper.

    Raises UsageError when there are no pictures.
    """
    if not pictures:
        raise UsageError("a contact sheet needs at least one picture")
    columns = max(1, min(columns, len(pictures)))
    gap, size = max(8, height // 14), max(11, height // 17)
    widest = max(p.shape[1] / p.shape[0] for _, p in pictures)
    cell = round(height * min(max(widest, 0.75), _WIDEST_CELL))
    caption = round(size * 1.9)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (cell + gap) + gap, rows * (height + caption + gap) + gap), PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, (text, pixels) in enumerate(pictures):
        left, top = gap + i % columns * (cell + gap), gap + i // columns * (height + caption + gap)
        picture = _fitted(pixels, cell, height)
        sheet.paste(picture, (left + (cell - picture.width) // 2, top + (height - picture.height) // 2))
        middle = (left + cell / 2, top + height + caption / 2)
        draw.text(middle, _shortened(text, cell, size), font=_font(size), fill=INK, anchor="mm")
    return np.array(sheet)


def save_animation(
    frames: Sequence[tuple[str, Pixels]],
    path: Path,
    *,
    milliseconds: int = 900,
    outputs: Outputs = NEW_FILES,
) -> int:
    """Write (name, uint8 [H, W, 3] or [H, W]) frames as an animated .png or .gif that repeats for ever;
    returns the bytes of the file.

    All frames get the size of the largest (long side at most :data:`ANIMATION_SIDE`) and a line with their
    number and name; the last one stays twice as long. Small frames are enlarged pixel by pixel, so that one
    sees what they hold. Raises UsageError for no frames and other extensions, DSSError when writing fails.
    """
    kind = {".png": "PNG", ".gif": "GIF"}.get(ending_of(path))
    if kind is None:
        raise UsageError(f"{path}: animations are written as .png or .gif; end the name in one of them")
    if not frames:
        raise UsageError("an animation needs at least one frame")
    height, width = max((p.shape[:2] for _, p in frames), key=lambda shape: shape[0] * shape[1])
    shrink = min(1.0, ANIMATION_SIDE / max(height, width))
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    shown = [
        _titled(_resized(p, size), f"{i} / {len(frames)}   {name}") for i, (name, p) in enumerate(frames, 1)
    ]
    buffer = io.BytesIO()
    durations = [milliseconds] * (len(shown) - 1) + [2 * milliseconds]
    shown[0].save(buffer, kind, save_all=True, append_images=shown[1:], duration=durations, loop=0)
    outputs.write(path, buffer.getvalue())
    return buffer.tell()


def save_palette(vocabulary: Vocabulary, path: Path, *, outputs: Outputs = NEW_FILES) -> None:
    """Write the colours of the classes to paint sketches with: a .png of all of them with their names, or a
    .gpl palette for GIMP, Krita or Inkscape. UsageError for another ending, DSSError when writing fails."""
    if ending_of(path) == ".png":
        size = SWATCH_HEIGHT, 2 * SWATCH_HEIGHT, 3
        swatches = [(c.name, np.full(size, c.colour, np.uint8)) for c in vocabulary.classes]
        save_picture(contact_sheet(swatches, columns=6, height=SWATCH_HEIGHT), path, outputs=outputs)
    elif path.suffix.lower() == ".gpl":
        rows = ["{:3} {:3} {:3}\t{}".format(*c.colour, c.name) for c in vocabulary.classes]
        lines = ["GIMP Palette", f"Name: {vocabulary.name}", "Columns: 8", "#", *rows, ""]
        outputs.write(path, "\n".join(lines).encode())
    else:
        raise UsageError(f"{path}: cannot write a palette in that format; end the name in .png or .gpl")


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _text_size(height: int, width: int) -> int:
    return max(11, round(max(height, width) / 52))


def _enlarged(label_map: Pixels, height: int, width: int) -> Pixels:
    """The nearest label for each of height × width pixels."""
    rows = np.arange(height) * label_map.shape[0] // height
    columns = np.arange(width) * label_map.shape[1] // width
    enlarged: Pixels = label_map[rows[:, None], columns]
    return enlarged


def _borders(labels: Pixels) -> NDArray[np.bool_]:
    """Pixels whose right or lower neighbour is of another class."""
    border = np.zeros(labels.shape, np.bool_)
    border[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    border[:-1] |= labels[:-1] != labels[1:]
    return border


def _legend(label_map: Pixels, vocabulary: Vocabulary, width: int, size: int) -> Pixels:
    """A strip, uint8 [?, width, 3], with a swatch, the name and the coverage of each class, largest first, in
    as many lines as needed."""
    font, line, swatch, gap = _font(size), round(size * 1.8), size, round(size * 1.4)
    shares = np.bincount(label_map.ravel(), minlength=256) / label_map.size
    shown = [
        c for c in np.argsort(-shares, kind="stable") if shares[c] >= LEGEND_PRESENCE and c < len(vocabulary)
    ]
    placed: list[tuple[int, int, int, str, str]] = []
    x, y = gap, round(size * 0.5)
    for c in shown:
        name, share = vocabulary.classes[c].name, f"{shares[c]:.0%}" if shares[c] >= 0.01 else "<1%"
        length = round(swatch * 1.5 + font.getlength(f"{name} {share}"))
        if placed and x + length > width - gap // 2:
            x, y = gap, y + line
        placed.append((x, y, int(c), name, share))
        x += length + gap
    strip = Image.new("RGB", (width, y + line + round(size * 0.5)), PAPER)
    draw = ImageDraw.Draw(strip)
    for x, y, c, name, share in placed:
        top, middle = y + (line - swatch) // 2, y + line / 2
        draw.rectangle(
            (x, top, x + swatch - 1, top + swatch - 1), fill=vocabulary.classes[c].colour, outline=FAINT
        )
        text = x + round(swatch * 1.5)
        draw.text((text, middle), name, font=font, fill=INK, anchor="lm")
        draw.text((text + font.getlength(f"{name} "), middle), share, font=font, fill=FAINT, anchor="lm")
    return np.array(strip)


def _fitted(pixels: Pixels, width: int, height: int) -> Image.Image:
    """As large as fits into width × height, in its own proportions."""
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    return (
        Image.fromarray(np.ascontiguousarray(pixels))
        .convert("RGB")
        .resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
    )


def _resized(pixels: Pixels, size: tuple[int, int]) -> Image.Image:
    larger = pixels.shape[1] < size[0] or pixels.shape[0] < size[1]
    way = Image.Resampling.NEAREST if larger else Image.Resampling.LANCZOS
    return Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB").resize(size, way)


def _titled(picture: Image.Image, title: str) -> Image.Image:
    """With a strip below that holds the title."""
    size = _text_size(picture.height, picture.width)
    strip = round(size * 2.2)
    whole = Image.new("RGB", (picture.width, picture.height + strip), PAPER)
    whole.paste(picture)
    text = _shortened(title, picture.width - size, size)
    ImageDraw.Draw(whole).text(
        (size, picture.height + strip / 2), text, font=_font(size), fill=INK, anchor="lm"
    )
    return whole


def _shortened(text: str, width: int, size: int) -> str:
    """One line; its middle is left out when it is longer than ``width`` pixels."""
    line, font = " ".join(text.split()), _font(size)
    if font.getlength(line) <= width:
        return line
    for kept in range(len(line) - 1, 0, -1):
        head = -(-kept // 2)
        short = f"{line[:head]}…{line[len(line) - (kept - head) :]}"
        if font.getlength(short) <= width:
            return short
    return ""
