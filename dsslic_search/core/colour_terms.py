"""The eleven basic colour terms of English (Berlin & Kay 1969), and how sets of them are kept: as a bit mask,
whose bits are never given another meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TERMS = (
    "black", "white", "red", "green", "yellow", "blue", "brown", "purple", "pink", "orange", "grey",
)  # fmt: skip
"""In the order of their bits, which is that in which languages come to have them."""

CHROMATIC = frozenset({"red", "orange", "yellow", "green", "blue", "purple", "pink"})
"""Those that are colours to people who call something colourful; brown is not."""

BLACK_AND_WHITE = "black and white"
"""Of a whole photo: it has no colours at all."""

COLOURS = (*TERMS, BLACK_AND_WHITE)
"""All that a photo's mask can say by a bit."""

COLOURFUL = "colourful"
"""Of a whole photo: at least COLOURFUL_TERMS of CHROMATIC are in its mask."""
COLOURFUL_TERMS = 2

SPELLINGS = {
    "gray": "grey",
    "violet": "purple",
    "colorful": COLOURFUL,
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


def shows(masks: NDArray[np.uint16], colour: str) -> NDArray[np.bool_]:
    """Of masks, uint16 [n], which have one of `COLOURS`, or are colourful."""
    if colour != COLOURFUL:
        has: NDArray[np.bool_] = (masks & bit_of(colour)) != 0
        return has
    terms = masks & 0
    for term in CHROMATIC:
        terms += (masks & bit_of(term)) != 0
    return terms >= COLOURFUL_TERMS


def named(mask: int | None) -> tuple[str, ...]:
    """The colours of a mask; none for None."""
    return tuple(colour for i, colour in enumerate(COLOURS) if (mask or 0) >> i & 1)
