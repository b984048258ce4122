"""A label map as other programs take it: pixels with classes and regions, and the list of classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.cached import cached_property
from dsslic_search.core.components import components
from dsslic_search.core.errors import FormatError
from dsslic_search.core.text import quoted
from dsslic_search.core.vocabulary import OTHER, UNKNOWN, Vocabulary

MAX_PIXELS = 500_000_000
"""Of a label map that a file declares: no more is made room for, where a reader is not told of fewer."""

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Legend:
    """The classes that the numbers of label maps mean, by number; ``colours``: r, g, b of each, 0..255."""

    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Legend:
        """That of a vocabulary."""
        return cls(tuple(c.name for c in vocabulary.classes), tuple(c.colour for c in vocabulary.classes))


@dataclass(frozen=True)
class Region:
    """A connected part of one class (8-connected). ``number``: from 1 in the order of first pixels; ``left``,
    ``top``, ``width``, ``height``: of the rectangle around it, pixels; ``mask``: bool[height, width]."""

    number: int
    class_id: int
    left: int
    top: int
    mask: Mask = field(repr=False)

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.mask.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.mask.shape[0])

    @cached_property
    def area(self) -> int:
        """Pixels."""
        return int(np.count_nonzero(self.mask))


@dataclass(frozen=True, eq=False)
class LabelledImage:
    """``name``: of the picture, without an ending, as files are called for it; ``picture``: path or name of
    the picture itself; ``labels``: uint8[h, w], numbers of a `Legend`, UNKNOWN where nobody knows."""

    name: str
    picture: str
    labels: Labels = field(repr=False)

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.labels.shape[1])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.labels.shape[0])

    @cached_property
    def numbers(self) -> NDArray[np.int32]:
        """int32[h, w]: the number of each pixel's region, 0 for what is no class or unknown."""
        runs = components(self.labels)
        classes = np.zeros(runs.part.max() + 1, np.int32)
        classes[runs.part] = runs.label
        named = np.flatnonzero((classes != OTHER) & (classes != UNKNOWN))
        number = np.zeros(classes.size, np.int32)
        number[named] = np.arange(1, named.size + 1)
        return number[runs.part][runs.of_pixel]

    @cached_property
    def regions(self) -> tuple[Region, ...]:
        """Its regions by number; none of what is no class."""
        numbers = self.numbers
        order = np.flatnonzero(numbers)
        owner = numbers.ravel()[order]
        order = order[np.argsort(owner, kind="stable")]
        found: list[Region] = []
        if not order.size:
            return ()
        bounds = np.cumsum(np.bincount(owner)[1:])[:-1]
        for number, pixels in enumerate(np.split(order, bounds), 1):
            y, x = np.divmod(pixels, self.width)
            top, left = int(y.min()), int(x.min())
            mask = np.zeros((int(y.max()) - top + 1, int(x.max()) - left + 1), bool)
            mask[y - top, x - left] = True
            found.append(Region(number, int(self.labels.ravel()[pixels[0]]), left, top, mask))
        return tuple(found)


class Images:
    """Label maps that are read from files one at a time, and anew whenever they are gone through, since
    together they may be more than fits into memory. Made, all were read once, so that what is wrong with any
    is known."""

    def __init__(self, read: Callable[[], Iterator[LabelledImage]]) -> None:
        self._read = read
        self._count = sum(1 for _ in read())

    def __iter__(self) -> Iterator[LabelledImage]:
        return self._read()

    def __len__(self) -> int:
        return self._count


@dataclass(frozen=True)
class LabelFiles:
    """What was read: ``names`` of the classes that the images' labels are numbers of; number 0 is "other"."""

    names: tuple[str, ...]
    images: tuple[LabelledImage, ...] | Images


def check_size(width: int, height: int, most: int, where: str) -> None:
    """FormatError for a map of no pixels or of more than ``most``; ``where`` says in which file."""
    if not (width > 0 and height > 0 and width * height <= most):
        size = quoted(f"{width} × {height}")
        raise FormatError(f"{where}: a label map of {size} pixels is not taken; it may have 1 to {most:,}")


def empty(width: int, height: int, most: int, where: str) -> Labels:
    """A label map of nothing, uint8[height, width]. FormatError as `check_size` has it."""
    check_size(width, height, most, where)
    return np.full((height, width), OTHER, np.uint8)


def paint(labels: Labels, number: int, left: int, top: int, mask: Mask) -> None:
    """Give the pixels of a mask whose upper left corner lies at (left, top) a number; what lies outside the
    map is left out."""
    y, x = max(top, 0), max(left, 0)
    within = mask[y - top : max(labels.shape[0] - top, 0), x - left : max(labels.shape[1] - left, 0)]
    if within.size:
        labels[y : y + within.shape[0], x : x + within.shape[1]][within] = number


class Names:
    """The classes of a file, numbered as they are met; 0 is "other"."""

    def __init__(self, where: str) -> None:
        self._numbers = {"other": OTHER}
        self._where = where

    def number(self, name: str) -> int:
        """The number of a class. FormatError where there are more than a label map can tell apart."""
        number = self._numbers.setdefault(name, len(self._numbers))
        if number >= UNKNOWN:
            raise FormatError(f"{self._where}: more than the {UNKNOWN} classes that a label map tells apart")
        return number

    @property
    def all(self) -> tuple[str, ...]:
        """By number."""
        return tuple(self._numbers)
