"""The eleven basic colour terms of English (Berlin & Kay 1969), and how sets of them are kept: as a bit mask,
whose bits are never given another meaning."""

from __future__ import annotations

TERMS = (
    "black", "white", "red", "green", "yellow", "blue", "brown", "purple", "pink", "orange", "grey",
)  # fmt: skip
"""In the order of their bits, which is that in which languages come to have them."""

BLACK_AND_WHITE = "black and white"
"""Of a whole photo: it has no colours at all."""

COLOURS = (*TERMS, BLACK_AND_WHITE)
"""All that a photo's mask can say."""

SPELLINGS = {
    "gray": "grey",
    "violet": "purple",
    "bw": BLACK_AND_WHITE,
    "b&w": BLACK_AND_WHITE,
    "black-and-white": BLACK_AND_WHITE,
    "monochrome": BLACK_AND_WHITE,
    "greyscale": BLACK_AND_WHITE,
    "grayscale": BLACK_AND_WHITE,
}


def bit_of(colour: str) -> int:
    """The bit of one of `COLOURS`."""
    return 1 << COLOURS.index(colour)


def named(mask: int | None) -> tuple[str, ...]:
    """The colours of a mask; none for None."""
    return tuple(colour for i, colour in enumerate(COLOURS) if (mask or 0) >> i & 1)
