"""What is stored of what a whole photo shows: its likeliest words, and a short vector for likeness.

::

    8 bytes identity of what looked   u8 numbers   numbers, one signed byte each   u8 words   WORD each

    little-endian, no padding

A word is a number of the table of `core.wordnet.LEAVES`, with its probability in 1/PARTS; they stand from the
likeliest on, equally likely ones in the table's order. What looked (network, projection and calibration) is
named because vectors can be compared only with those of the same.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.blobs import Blobs
from dsslic_search.core.errors import FormatError

MAKER_BYTES = 8
LEAVES = 1000  # words of the table
PARTS = 255  # that make certainty
MIN_NUMBERS, MAX_NUMBERS = 32, 64  # of a vector
MAX_WORDS = 14
LEAST_PARTS = 3  # of a word that is stored: below about 1 %, words are noise

WORD = np.dtype([("leaf", "<u2"), ("parts", "u1")])

_HEAD = struct.Struct("<8sB")


@dataclass(frozen=True)
class ImageWords:
    """``maker``: 16 hex digits naming what looked; ``embedding``: signed bytes, MIN_NUMBERS to MAX_NUMBERS of
    them; ``words``: (number of the table, probability in 1/PARTS, at least 1), as the module says."""

    maker: str
    embedding: tuple[int, ...]
    words: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, maker: str, probabilities: NDArray[np.float32], embedding: NDArray[np.int8]) -> ImageWords:
        """The likeliest words of ``probabilities``, float32[LEAVES] in 0..1, rounded: at most MAX_WORDS, each
        of LEAST_PARTS at least."""
        parts = np.rint(np.clip(probabilities, 0, 1) * PARTS).astype(int)
        likeliest = np.argsort(-parts, kind="stable")[:MAX_WORDS]
        words = tuple((int(leaf), int(parts[leaf])) for leaf in likeliest if parts[leaf] >= LEAST_PARTS)
        return cls(maker, tuple(embedding.tolist()), words)

    def to_bytes(self) -> bytes:
        """As the module says; :meth:`from_bytes` is the way back."""
        numbers = np.array(self.embedding, np.int8)
        return b"".join(
            [
                _HEAD.pack(bytes.fromhex(self.maker), numbers.size),
                numbers.tobytes(),
                bytes([len(self.words)]),
                np.array(list(self.words), WORD).tobytes(),
            ]
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> ImageWords:
        """What :meth:`to_bytes` wrote. FormatError for anything else."""
        if len(data) < _HEAD.size:
            raise FormatError("damaged image words (too short)")
        maker, numbers = _HEAD.unpack_from(data)
        words_at = _HEAD.size + numbers + 1
        if not MIN_NUMBERS <= numbers <= MAX_NUMBERS or len(data) < words_at:
            raise FormatError("damaged image words (too few or too many numbers)")
        if len(data) != words_at + data[words_at - 1] * WORD.itemsize:
            raise FormatError("damaged image words (another length than their number needs)")
        stored = np.frombuffer(data, WORD, offset=words_at)
        words = tuple(zip(stored["leaf"].tolist(), stored["parts"].tolist(), strict=True))
        in_order = sorted(set(words), key=lambda word: (-word[1], word[0]))
        if (
            list(words) != in_order
            or len({leaf for leaf, _ in words}) != len(words)
            or any(leaf >= LEAVES or not parts for leaf, parts in words)
        ):
            raise FormatError("damaged image words (not distinct words from the likeliest on)")
        embedding = np.frombuffer(data, np.int8, numbers, _HEAD.size)
        return cls(maker.hex(), tuple(embedding.tolist()), words)


class ManyWords(NamedTuple):
    """What many photos show, one photo's after another's. ``makers``: uint8[photos, MAKER_BYTES]; ``sizes``:
    how many ``numbers``, int8, each has; ``counts``: how many ``words``, WORD[n], each has."""

    makers: NDArray[np.uint8]
    sizes: NDArray[np.intp]
    numbers: NDArray[np.int8]
    counts: NDArray[np.intp]
    words: NDArray[np.void]


def read_words(stored: Sequence[bytes] | Blobs) -> ManyWords:
    """What :meth:`ImageWords.to_bytes` wrote of many photos. FormatError as :meth:`ImageWords.from_bytes`."""
    blobs = Blobs.of(stored)
    lengths = blobs.lengths
    if np.any(lengths <= _HEAD.size):
        return _refused(blobs)
    data = blobs.data
    starts = np.cumsum(lengths) - lengths
    sizes = data[starts + MAKER_BYTES].astype(np.intp)
    words_at = starts + _HEAD.size + sizes + 1
    if np.any((sizes < MIN_NUMBERS) | (sizes > MAX_NUMBERS) | (words_at > starts + lengths)):
        return _refused(blobs)
    counts = data[words_at - 1].astype(np.intp)
    if np.any(words_at + counts * WORD.itemsize != starts + lengths):
        return _refused(blobs)
    words = data[_stretches(words_at, counts * WORD.itemsize)].view(WORD)
    leaves, parts = words["leaf"].astype(np.intp), words["parts"].astype(np.intp)
    photo = np.repeat(np.arange(len(blobs)), counts)
    order = (photo * (PARTS + 1) + PARTS - parts) * LEAVES + leaves
    if np.any(leaves >= LEAVES) or np.any(parts == 0) or np.any(np.diff(order) <= 0):
        return _refused(blobs)
    if np.unique(photo * LEAVES + leaves).size < photo.size:
        return _refused(blobs)
    makers = data[starts[:, None] + np.arange(MAKER_BYTES)]
    return ManyWords(makers, sizes, data[_stretches(starts + _HEAD.size, sizes)].view(np.int8), counts, words)


def _refused(stored: Blobs) -> NoReturn:
    for data in stored.whole():
        ImageWords.from_bytes(data)
    raise FormatError("damaged image words")


def _stretches(starts: NDArray[np.intp], lengths: NDArray[np.intp]) -> NDArray[np.intp]:
    """The places of stretches, one after another."""
    return np.repeat(starts - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))


def named(data: bytes | None) -> dict[str, float]:
    """The probability of each stored word by its name, likeliest first, of such bytes; empty for None."""
    if data is None:
        return {}
    from dsslic_search.core.wordnet import image_words

    table = image_words()
    return {
        table.name_of_leaf(leaf): round(parts / PARTS, 3) for leaf, parts in ImageWords.from_bytes(data).words
    }
