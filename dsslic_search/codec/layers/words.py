"""The layer `word`: what the whole photo shows, as likely words and a short vector; its bytes are those of
:mod:`dsslic_search.features.image_words`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.features.image_words import ImageWords
from dsslic_search.networks import runtime

PLAIN = 1
LAYER = Layer("word", "the image words", (PLAIN,), in_base=True)


def look(pixels: NDArray[np.uint8]) -> tuple[ImageWords, NDArray[np.float32]]:
    """What a photo, uint8 [H, W, 3] sRGB, shows to the network that ships: what is stored of it, and the
    probabilities of all words, float32 [1000]."""
    probabilities, vector = runtime.image_words(pixels)
    return ImageWords.of(runtime.identity(runtime.IMAGE_WORDS), probabilities, vector), probabilities


def encode(words: ImageWords) -> Chunk:
    """The chunk of what :func:`look` saw."""
    return LAYER.chunk(PLAIN, words.to_bytes())


def decode(chunk: Chunk) -> ImageWords:
    """What :func:`encode` was given. FormatError when the chunk is damaged."""
    LAYER.check(chunk)
    return ImageWords.from_bytes(chunk.data)
