from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from dsslic_search.cli import terminal
from dsslic_search.cli.terminal import Capability


class Stream(io.StringIO):
    def __init__(self, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    encoding = "utf-8"

    def isatty(self) -> bool:
        return self._tty


def scene(height: int = 30, width: int = 50) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 5, y * 8, np.full_like(x, 90)], -1).clip(0, 255).astype(np.uint8)


PLAIN = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, None),
        (PLAIN, Capability.BLOCKS_256),
        ({"TERM": "xterm"}, Capability.BLOCKS_PLAIN),
        ({"TERM": "linux"}, Capability.BLOCKS_PLAIN),
        (PLAIN | {"COLORTERM": "truecolor"}, Capability.BLOCKS),
        (PLAIN | {"COLORTERM": "24bit"}, Capability.BLOCKS),
        (PLAIN | {"COLORTERM": "truecolor", "NO_COLOR": "1"}, Capability.BLOCKS_PLAIN),
        ({"TERM": "xterm-kitty", "NO_COLOR": "1"}, Capability.BLOCKS_PLAIN),
        ({"TERM": "xterm-kitty"}, Capability.KITTY),
        (PLAIN | {"KITTY_WINDOW_ID": "3"}, Capability.KITTY),
        ({"TERM": "xterm-ghostty"}, Capability.KITTY),
        (PLAIN | {"TERM_PROGRAM": "iTerm.app"}, Capability.ITERM),
        (PLAIN | {"TERM_PROGRAM": "WezTerm", "COLORTERM": "truecolor"}, Capability.ITERM),
        (PLAIN | {"LC_TERMINAL": "iTerm2"}, Capability.ITERM),
        ({"TERM": "foot"}, Capability.SIXEL),
        ({"TERM": "xterm-sixel"}, Capability.SIXEL),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "3", "COLORTERM": "truecolor"}, Capability.BLOCKS),
        (PLAIN | {"TMUX": "/tmp/x", "TERM_PROGRAM": "iTerm.app"}, Capability.BLOCKS_256),
        ({"TERM": "screen.xterm-256color", "LC_TERMINAL": "iTerm2"}, Capability.BLOCKS_256),
    ],
)
def test_what_a_terminal_can_show(environment, expected):
    assert terminal.capability(environment, Stream(tty=True)) is expected
    assert terminal.capability(environment, Stream(tty=False)) is None


def test_nothing_is_shown_without_a_capability():
    assert terminal.inline(scene(), None) == ""


def test_kitty_chunks_hold_a_png():
    noise = np.random.default_rng(0).integers(0, 256, (80, 90, 3)).astype(np.uint8)
    text = terminal.inline(noise, Capability.KITTY)
    chunks = re.findall("\x1b_G([^;]*);([^\x1b]*)\x1b\\\\", text)
    assert "".join(f"\x1b_G{k};{v}\x1b\\" for k, v in chunks) == text
    assert chunks[0][0] == "a=T,f=100,q=2,m=1"
    assert [k for k, _ in chunks[1:]] == ["m=1"] * (len(chunks) - 2) + ["m=0"]
    assert all(len(v) == 4096 for _, v in chunks[:-1])
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(base64.b64decode("".join(v for _, v in chunks))))), noise
    )
    assert re.findall("m=.", terminal.inline(scene(2, 2), Capability.KITTY)) == ["m=0"]


def test_iterm_holds_a_png():
    text = terminal.inline(scene(), Capability.ITERM)
    found = re.fullmatch(
        "\x1b]1337;File=inline=1;size=(\\d+);width=50px;height=30px;preserveAspectRatio=1:(.*)\x07", text
    )
    assert found
    data = base64.b64decode(found[2])
    assert len(data) == int(found[1])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), scene())


def shown_blocks(text: str) -> np.ndarray:
    """The pixels that half blocks show; -1 where the paper is the terminal's own."""
    rows = []
    for line in text.split("\n"):
        ink, paper, upper, lower = None, None, [], []
        assert line.endswith("\x1b[0m")
        for code, block in re.findall("\x1b\\[([\\d;]*)m|(▀)", line):
            if block:
                upper.append(ink)
                lower.append(paper or (-1, -1, -1))
            elif code.startswith("38;2;"):
                ink = tuple(int(v) for v in code.split(";")[2:])
            elif code.startswith("48;2;"):
                paper = tuple(int(v) for v in code.split(";")[2:])
        rows += [upper, lower]
    return np.array(rows)


@pytest.mark.parametrize("height", [1, 2, 29, 30])
def test_half_blocks_show_the_pixels(height):
    shown = shown_blocks(terminal.inline(scene(height), Capability.BLOCKS, columns=80))
    assert np.array_equal(shown[:height], scene(height))
    assert (shown[height:] == -1).all()


def test_half_blocks_of_256_colours_show_the_nearest_of_them():
    """Of xterm's colours 16 to 231, red, green and blue in six steps, and 232 to 255, greys."""
    steps = (0, 95, 135, 175, 215, 255)
    table = {
        16 + 36 * r + 6 * g + b: (steps[r], steps[g], steps[b])
        for r in range(6)
        for g in range(6)
        for b in range(6)
    }
    table |= {232 + i: (8 + 10 * i,) * 3 for i in range(24)}
    picture = np.concatenate(
        [scene(30), np.repeat(np.arange(0, 250, 5)[None, :, None], 2, 0).repeat(3, 2)]
    ).astype(np.uint8)
    text = terminal.inline(picture, Capability.BLOCKS_256, columns=80)
    assert not re.search("[34]8;2;", text)
    named = re.sub("([34]8);5;(\\d+)", lambda m: f"{m[1]};2;" + ";".join(map(str, table[int(m[2])])), text)
    shown = shown_blocks(named)
    every = np.array(list(table.values()))
    distances = ((picture[:, :, None, :].astype(int) - every) ** 2).sum(-1).min(-1)
    assert (((shown - picture.astype(int)) ** 2).sum(-1) == distances).all()


def test_half_blocks_without_colours_are_as_bright_as_the_picture():
    ramp = np.repeat(np.arange(0, 250, 5, dtype=np.uint8)[None, :, None], 31, 0).repeat(3, 2)
    lines = terminal.inline(ramp, Capability.BLOCKS_PLAIN, columns=80).split("\n")
    assert {len(line) for line in lines} == {50}
    assert len(lines) == 16
    lit = np.array([[[" ▄▀█".index(c) // 2, " ▄▀█".index(c) % 2] for c in line] for line in lines])
    rows = np.concatenate([lit[:, :, 0][:, None], lit[:, :, 1][:, None]], 1).reshape(32, 50)[:31]
    for first in range(0, 50, 10):
        assert abs(rows[:, first : first + 10].mean() - ramp[:, first : first + 10].mean() / 255) < 0.08


def test_no_blocks_where_the_terminal_has_no_such_characters():
    stream = Stream(tty=True)
    stream.encoding = "latin-1"
    assert terminal.capability(PLAIN, stream) is None


def shown_sixels(text: str) -> np.ndarray:
    """A small sixel terminal."""
    header = re.match('\x1bP0;1q"1;1;(\\d+);(\\d+)', text)
    assert header
    assert text.endswith("\x1b\\")
    width, height = int(header[1]), int(header[2])
    screen = np.full((height + 6, width, 3), -1)
    table, x, y, colour = {}, 0, 0, None
    for define, select, count, run, one, move in re.findall(
        r"#(\d+;2;\d+;\d+;\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-])", text[header.end() : -2]
    ):
        if define:
            number, _, *levels = (int(v) for v in define.split(";"))
            table[number] = levels
        elif select:
            colour = table[int(select)]
        elif move:
            x, y = 0, y + 6 * (move == "-")
        else:
            end = x + int(count or 1)
            for bit in range(6):
                if (ord(run or one) - 63) >> bit & 1:
                    screen[y + bit, x:end] = colour
            x = end
    assert (screen[height:] == -1).all()
    return screen[:height]


@pytest.mark.parametrize("shape", [(1, 1), (6, 9), (7, 40), (30, 50)])
def test_sixels_cover_every_pixel_in_nearly_its_colour(shape):
    shown = shown_sixels(terminal.inline(scene(*shape), Capability.SIXEL))
    assert shown.shape[:2] == shape
    assert np.abs(shown * 2.55 - scene(*shape)).mean() < 8


@pytest.mark.parametrize("kind", list(Capability))
def test_pictures_are_reduced(kind):
    large = np.random.default_rng(0).integers(0, 256, (1500, 2000, 3), np.uint8)
    text = terminal.inline(large, kind, columns=200)
    assert len(text) < 2_500_000
    if kind is Capability.BLOCKS:
        assert len(text.split("\n")) <= terminal.BLOCK_ROWS
        assert max(line.count("▀") for line in text.split("\n")) <= terminal.BLOCK_COLUMNS
    assert not text.endswith("\n")


def test_half_blocks_keep_to_narrow_terminals():
    assert terminal.inline(scene(), Capability.BLOCKS, columns=20).split("\n")[0].count("▀") == 20


@pytest.mark.parametrize("kind", list(Capability))
def test_grey_pictures(kind):
    assert terminal.inline(scene()[..., 0], kind, columns=80)
