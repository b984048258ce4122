"""Pictures in the terminal, where it can show them: escape texts made from pixels, and which kind this
terminal takes."""

from __future__ import annotations

import base64
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

LONG_SIDE = 640
"""Pictures are reduced to this many pixels a side before they are sent."""
BLOCK_COLUMNS, BLOCK_ROWS = 80, 40
"""The most characters that a picture of half blocks takes."""
_CUBE = (0, 95, 135, 175, 215, 255)
"""Levels of red, green and blue of colours 16 to 231, of terminals with 256 colours."""

_KITTY_TERMS = ("xterm-kitty", "xterm-ghostty")
_ITERM_PROGRAMS = ("iTerm.app", "WezTerm", "mintty")
_SIXEL_TERMS = ("foot", "foot-extra", "mlterm", "contour", "yaft-256color")
_KITTY_CHUNK = 4096
_SIXEL_ROWS = 6  # of a band, each a bit of its characters
_SIXEL_COLOURS = 255


class Capability(StrEnum):
    """How a terminal shows pictures: the graphics protocols of kitty and iTerm2, sixels, or half blocks, in
    any colours, in 256, or without any."""

    KITTY = "kitty"
    ITERM = "iterm2"
    SIXEL = "sixel"
    BLOCKS = "blocks"
    BLOCKS_256 = "blocks of 256 colours"
    BLOCKS_PLAIN = "blocks without colours"


def capability(
    environment: Mapping[str, str] = os.environ, stream: TextIO | None = None
) -> Capability | None:
    """What the terminal behind ``stream`` (standard output by default) can show, told from environment
    variables alone; None if it is no terminal, a dumb one, or one without the characters. Inside tmux and
    screen, which swallow graphics, half blocks at most; with $NO_COLOR half blocks without colours."""
    stream = stream or sys.stdout
    if not stream.isatty() or environment.get("TERM", "dumb") == "dumb":
        return None
    if environment.get("NO_COLOR"):
        return _if_written(Capability.BLOCKS_PLAIN, stream)
    term, program = environment.get("TERM", ""), environment.get("TERM_PROGRAM", "")
    if not ("TMUX" in environment or "STY" in environment or term.startswith(("screen", "tmux"))):
        if term in _KITTY_TERMS or program == "ghostty" or "KITTY_WINDOW_ID" in environment:
            return Capability.KITTY
        if program in _ITERM_PROGRAMS or environment.get("LC_TERMINAL") == "iTerm2":
            return Capability.ITERM
        if term in _SIXEL_TERMS or "sixel" in term:
            return Capability.SIXEL
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return _if_written(Capability.BLOCKS, stream)
    return _if_written(Capability.BLOCKS_256 if "256" in term else Capability.BLOCKS_PLAIN, stream)


def _if_written(kind: Capability, stream: TextIO) -> Capability | None:
    """``kind`` where blocks can be written in the encoding of ``stream``."""
    try:
        "▀▄█".encode(getattr(stream, "encoding", None) or "utf-8")
    except (LookupError, UnicodeEncodeError):
        return None
    return kind


def inline(pixels: NDArray[np.uint8], kind: Capability | None, *, columns: int | None = None) -> str:
    """The text that shows a picture, uint8 [H, W, 3] or [H, W], at the cursor; "" for ``kind`` None. It ends
    without a line break.

    The picture is reduced to :data:`LONG_SIDE`, for half blocks to the terminal's width (``columns``) and
    :data:`BLOCK_COLUMNS` × :data:`BLOCK_ROWS` characters.
    """
    from PIL import Image

    if kind is None:
        return ""
    picture = Image.fromarray(pixels).convert("RGB")
    if kind in (Capability.BLOCKS, Capability.BLOCKS_256, Capability.BLOCKS_PLAIN):
        width = min(BLOCK_COLUMNS, columns or shutil.get_terminal_size().columns)
        picture.thumbnail((max(1, width), 2 * BLOCK_ROWS))
        if kind is Capability.BLOCKS_PLAIN:
            return _plain_blocks(picture)
        return _blocks(picture, _any_colour if kind is Capability.BLOCKS else _one_of_256)
    picture.thumbnail((LONG_SIDE, LONG_SIDE))
    if kind is Capability.SIXEL:
        return _sixels(picture)
    return _kitty(picture) if kind is Capability.KITTY else _iterm(picture)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _kitty(picture: Image.Image) -> str:
    """PNG in base64 (f=100), shown at once (a=T), without answers (q=2), in chunks of which all but the last
    say m=1."""
    text = base64.b64encode(_png(picture)).decode()
    chunks = [text[i : i + _KITTY_CHUNK] for i in range(0, len(text), _KITTY_CHUNK)]
    parts = []
    for i, chunk in enumerate(chunks):
        keys = [*(["a=T", "f=100", "q=2"] if i == 0 else []), f"m={int(i < len(chunks) - 1)}"]
        parts.append(f"\x1b_G{','.join(keys)};{chunk}\x1b\\")
    return "".join(parts)


def _iterm(picture: Image.Image) -> str:
    data = _png(picture)
    size = f"width={picture.width}px;height={picture.height}px;preserveAspectRatio=1"
    return f"\x1b]1337;File=inline=1;size={len(data)};{size}:{base64.b64encode(data).decode()}\x07"


def _any_colour(pixel: tuple[int, int, int]) -> str:
    return "2;{};{};{}".format(*pixel)


def _one_of_256(pixel: tuple[int, int, int]) -> str:
    """The nearest of the cube of 216 colours and the 24 greys, as ISO 8613-6 writes it: ``5;`` and its
    number."""
    steps = [int(value > 47) + sum(value > border for border in (114, 154, 194, 234)) for value in pixel]
    grey = min(23, max(0, round((sum(pixel) / 3 - 8) / 10)))
    off_cube = sum((_CUBE[i] - value) ** 2 for i, value in zip(steps, pixel, strict=True))
    off_grey = sum((8 + 10 * grey - value) ** 2 for value in pixel)
    red, green, blue = steps
    return f"5;{232 + grey if off_grey < off_cube else 16 + 36 * red + 6 * green + blue}"


def _plain_blocks(picture: Image.Image) -> str:
    """Two pixels a character, each lit or not, so that errors even out (Floyd and Steinberg): what is bright
    is lit, as most terminals are dark."""
    import numpy as np

    lit = np.asarray(picture.convert("L").convert("1"))
    lit = np.pad(lit, ((0, lit.shape[0] % 2), (0, 0)))
    return "\n".join(
        "".join(" ▄▀█"[2 * int(upper) + int(lower)] for upper, lower in zip(*rows, strict=True))
        for rows in zip(lit[::2], lit[1::2], strict=True)
    )


def _blocks(picture: Image.Image, colour: Callable[[tuple[int, int, int]], str]) -> str:
    """Two pixels a character: ▀ in the upper one's colour on the lower one's. Colours are set only where they
    change."""
    import numpy as np

    pixels = np.asarray(picture)
    lines = []
    for top in range(0, pixels.shape[0], 2):
        upper = [colour(tuple(each)) for each in pixels[top].tolist()]
        lower = (
            [colour(tuple(each)) for each in pixels[top + 1].tolist()]
            if top + 1 < pixels.shape[0]
            else [None] * len(upper)
        )
        line, ink, paper = [], None, None
        for a, b in zip(upper, lower, strict=True):
            if a != ink:
                line.append(f"\x1b[38;{a}m")
            if b is not None and b != paper:
                line.append(f"\x1b[48;{b}m")
            line.append("▀")
            ink, paper = a, b
        lines.append("".join(line) + "\x1b[0m")
    return "\n".join(lines)


def _sixels(picture: Image.Image) -> str:
    """DEC sixels: bands of six rows; in each band, for each colour in it, one character a column whose bits
    say which rows have it."""
    import numpy as np

    reduced = picture.quantize(_SIXEL_COLOURS)
    indices = np.asarray(reduced)
    table = np.array(reduced.getpalette(), np.uint16).reshape(-1, 3)
    used = [int(c) for c in np.unique(indices)]
    colours = "".join("#{};2;{};{};{}".format(c, *(int(v) * 100 // 255 for v in table[c])) for c in used)
    runs = _Runs()
    bands = [
        "$".join(_band(indices[top : top + _SIXEL_ROWS], runs))
        for top in range(0, picture.height, _SIXEL_ROWS)
    ]
    return f'\x1bP0;1q"1;1;{picture.width};{picture.height}{colours}{"-".join(bands)}\x1b\\'


def _band(band: NDArray[np.uint8], runs: _Runs) -> Iterator[str]:
    """Of up to six rows, [rows, width], the line of each colour in them, by rising number; empty columns at
    its end are left out."""
    import numpy as np

    columns = np.arange(band.shape[1])
    bits = np.zeros((_SIXEL_COLOURS, band.shape[1]), np.uint8)
    for number, row in enumerate(band):
        bits[row, columns] |= 1 << number
    used = np.flatnonzero(bits.any(axis=1))
    bits = bits[used]
    begins = np.ones(bits.shape, bool)
    begins[:, 1:] = bits[:, 1:] != bits[:, :-1]
    starts = np.flatnonzero(begins)
    lengths = np.diff(starts, append=bits.size)
    values = bits.reshape(-1)[starts]
    texts = [runs[key] for key in (lengths << _SIXEL_ROWS | values).tolist()]
    counts = begins.sum(axis=1)
    ends = np.cumsum(counts)
    shown = ends - (values[ends - 1] == 0)
    for colour, start, end in zip(used.tolist(), (ends - counts).tolist(), shown.tolist(), strict=True):
        yield f"#{colour}{''.join(texts[start:end])}"


class _Runs(dict[int, str]):
    """Sixel characters of columns that are alike, by how many these are, times 64, and their bits, 0..63:
    four and more as ``!count``."""

    def __missing__(self, key: int) -> str:
        count, character = key >> _SIXEL_ROWS, chr(63 + key % (1 << _SIXEL_ROWS))
        self[key] = f"!{count}{character}" if count > 3 else character * count
        return self[key]
