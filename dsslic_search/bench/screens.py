"""Screenshots and papers that share their frame and differ in what they say, drawn from words by chance: what
a finder of duplicates takes for one picture when it looks too coarsely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

WORDS = (
    "river", "copper", "window", "thunder", "market", "garden", "stone", "orbit", "paper",
    "harbour", "cloud", "lantern", "winter", "bridge", "violet", "engine", "ticket", "marble",
    "forest", "island", "silver", "candle", "meadow", "rocket", "puzzle", "anchor", "velvet",
    "salmon",
)  # fmt: skip
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Frame:
    """What all pictures of a set share: size, colours, the width of letters and of margins, in pixels."""

    width: int
    height: int
    bar: Colour
    ground: Colour
    ink: Colour
    accent: Colour
    letters: int
    margin: int


def frame_of(rng: np.random.Generator, tall: bool) -> Frame:
    """A frame by chance, upright or lying; one in three is dark."""
    short, long = int(rng.integers(500, 760)), int(rng.integers(880, 1200))
    dark = rng.random() < 1 / 3
    ground, ink = ((28, 30, 34), (235, 235, 235)) if dark else ((246, 246, 244), (20, 20, 24))
    bar, accent = (tuple(int(c) for c in rng.integers(30, 220, 3)) for _ in range(2))
    return Frame(
        *((short, long) if tall else (long, short)),
        bar=(bar[0], bar[1], bar[2]),
        ground=ground,
        ink=ink,
        accent=(accent[0], accent[1], accent[2]),
        letters=int(rng.integers(15, 24)),
        margin=int(rng.integers(24, 60)),
    )


class _Page:
    """A picture that is being drawn, and the chance that its content comes from."""

    def __init__(self, frame: Frame, rng: np.random.Generator) -> None:
        self.frame, self.rng = frame, rng
        self.picture = Image.new("RGB", (frame.width, frame.height), frame.ground)
        self.pen = ImageDraw.Draw(self.picture)
        self.font = ImageFont.load_default(frame.letters)
        self.line = round(frame.letters * 1.5)

    def words(self, count: int) -> str:
        return " ".join(WORDS[i] for i in self.rng.integers(0, len(WORDS), count))

    def text(self, x: int, y: int, words: str, ink: Colour | None = None) -> None:
        self.pen.text((x, y), words, ink or self.frame.ink, font=self.font)

    def paragraph(self, x: int, y: int, right: int, count: int) -> int:
        """Words from x to ``right``, line by line; the y below them."""
        row = ""
        for word in self.words(count).split():
            if self.font.getlength(f"{row} {word}") > right - x:
                self.text(x, y, row)
                row, y = "", y + self.line
            row = f"{row} {word}".strip()
        self.text(x, y, row)
        return y + self.line

    def bar(self, title: str) -> int:
        """A bar at the top with a title; the y below it."""
        height = self.line * 3
        self.pen.rectangle((0, 0, self.frame.width, height), self.frame.bar)
        self.text(self.frame.margin, self.line, title, (255, 255, 255))
        return height


def chat(frame: Frame, rng: np.random.Generator) -> Image.Image:
    """A conversation: bubbles at the left and the right."""
    page = _Page(frame, rng)
    foot = frame.height - page.line * 3
    y = page.bar("Messages") + page.line
    while y < foot - page.line * 3:
        words = page.words(int(rng.integers(1, 4)))
        width = int(page.font.getlength(words)) + page.line * int(rng.integers(1, 6))
        height = page.line * int(rng.integers(2, 5))
        mine = rng.random() < 0.5
        x = frame.width - frame.margin - width if mine else frame.margin
        box = (x, y, x + width, min(y + height, foot))
        page.pen.rounded_rectangle(box, 12, frame.accent if mine else (255, 255, 255))
        page.text(x + 10, y + 8, words, (255, 255, 255) if mine else (10, 10, 10))
        y += height + page.line // 2
    page.pen.rectangle((0, foot, frame.width, frame.height), (20, 20, 20))
    return page.picture


def document(frame: Frame, rng: np.random.Generator) -> Image.Image:
    """A page of text between margins, under a letterhead."""
    page = _Page(frame, rng)
    page.pen.rectangle((frame.margin, frame.margin, frame.margin * 3, frame.margin * 2), frame.bar)
    page.pen.line(
        (frame.margin, frame.margin * 2 + 9, frame.width - frame.margin, frame.margin * 2 + 9), frame.ink, 3
    )
    y = frame.margin * 3
    while y < frame.height - frame.margin - page.line * 8:
        y = page.paragraph(frame.margin, y, frame.width - frame.margin, int(rng.integers(9, 36))) + page.line
    return page.picture


def table(frame: Frame, rng: np.random.Generator) -> Image.Image:
    """Rows and columns; a cell holds a word, a number, or nothing."""
    page = _Page(frame, rng)
    top, columns = page.bar("Overview") + page.line, 5
    step = (frame.width - 2 * frame.margin) // columns
    rows = range(top, frame.height - frame.margin - page.line, page.line * 2)
    for number, y in enumerate(rows):
        page.pen.line((frame.margin, y, frame.width - frame.margin, y), frame.ink, 2)
        for column in range(columns):
            x = frame.margin + column * step + 8
            if number == 0 or (column == 0 and rng.random() < 0.9) or rng.random() < 0.7:
                told = page.words(1) if column == 0 or number == 0 else f"{rng.integers(0, 10**6)}"
                page.text(x, y + 6, told)
    return page.picture


def plan(frame: Frame, rng: np.random.Generator) -> Image.Image:
    """A street map under a search field: roads, water, parks."""
    page = _Page(frame, rng)
    page.pen.rectangle((0, 0, frame.width, frame.height), (236, 234, 228))
    across = rng.integers(0, frame.width, 6)
    down = rng.integers(0, frame.height, 6)
    for x, y, size in zip(across[:3], down[:3], rng.integers(60, 260, 3), strict=True):
        page.pen.ellipse((x, y, x + size, y + size * 0.7), (190, 220, 180))
    page.pen.line([(0, int(down[3])), (frame.width, int(down[4]))], (160, 200, 230), 40)
    for x, y in zip(across, down, strict=True):
        page.pen.line(
            [(int(x), 0), (int(across[0] + rng.integers(-200, 200)), frame.height)], (255, 255, 255), 12
        )
        page.pen.line(
            [(0, int(y)), (frame.width, int(down[0] + rng.integers(-200, 200)))], (250, 215, 140), 14
        )
    for x, y in zip(across, down, strict=True):
        page.text(int(x), int(y), page.words(1), (60, 60, 60))
    page.pen.rounded_rectangle(
        (frame.margin, frame.margin, frame.width - frame.margin, frame.margin * 2), 14, (255, 255, 255)
    )
    page.pen.rectangle((0, frame.height - page.line * 3, frame.width, frame.height), frame.bar)
    return page.picture


def slide(frame: Frame, rng: np.random.Generator) -> Image.Image:
    """A slide of a talk: a title, points, and a chart in one of two."""
    page = _Page(frame, rng)
    y = page.bar(page.words(3)) + page.line * 2
    right = frame.width - frame.margin
    if rng.random() < 0.5:
        right = frame.width // 2
        step = (frame.width // 2 - 2 * frame.margin) // 5
        foot = frame.height - frame.margin * 2
        for number, height in enumerate(rng.integers(30, frame.height // 2, 5)):
            x = right + frame.margin + number * step
            page.pen.rectangle((x, foot - int(height), x + step - 8, foot), frame.accent)
    for _ in range(int(rng.integers(2, 6))):
        page.pen.ellipse((frame.margin, y + 4, frame.margin + 12, y + 16), frame.accent)
        y = page.paragraph(frame.margin + 30, y, right, int(rng.integers(3, 14))) + page.line // 2
    page.pen.rectangle((0, frame.height - page.line, frame.width, frame.height), frame.bar)
    return page.picture


KINDS: dict[str, tuple[Callable[[Frame, np.random.Generator], Image.Image], bool]] = {
    "chats": (chat, True),
    "documents": (document, True),
    "tables": (table, True),
    "maps": (plan, True),
    "slides": (slide, False),
}
"""What draws each kind, and whether it is upright."""


def screens(kind: str, sets: int, of_each: int, seed: int) -> list[NDArray[np.uint8]]:
    """``sets`` of ``of_each`` pictures, uint8 [h, w, 3], with a frame in common."""
    draw, tall = KINDS[kind]
    rng = np.random.default_rng([seed, *kind.encode()])
    made = []
    for _ in range(sets):
        frame = frame_of(rng, tall)
        made += [np.asarray(draw(frame, rng)) for _ in range(of_each)]
    return made
