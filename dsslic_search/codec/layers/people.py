"""People's label map: what somebody corrected or painted, which stands for the segmenter's wherever a photo's
map is shown, searched or learnt from. CompNet and FineNet still take the segmenter's, with which the rest of
the file was made.

::

    8  identity of the vocabulary that its numbers are of
    2  length of the class list, little-endian
    n  class list, as the chunk "voca" has it
    …  the labels, as the chunk "SMAP" of codec 1 has them

It always says its classes, so that a later class list cannot change what people meant."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.codec.layers import class_list, label_map
from dsslic_search.core import dialect
from dsslic_search.core.dialect import Dialect
from dsslic_search.core.errors import FormatError
from dsslic_search.core.kinds import Stage

WITH_CLASSES = 1
LAYER = Layer("hand", "people's label map", (WITH_CLASSES,), (Stage.MAP,), in_base=True, optional=True)

_HEAD = struct.Struct("<8sH")


class PeoplesMap(NamedTuple):
    """``labels``: uint8 [h, w], at the scale of the file's label map, of the vocabulary of ``dialect``."""

    labels: NDArray[np.uint8]
    dialect: Dialect


def encode(labels: NDArray[np.uint8]) -> Chunk:
    """The chunk of a label map, uint8 [h, w], in the shipped vocabulary."""
    own = dialect.shipped()
    listed = class_list.encode(own).data
    head = _HEAD.pack(bytes.fromhex(own.vocabulary.identity), len(listed))
    return LAYER.chunk(WITH_CLASSES, head + listed + label_map.encode(labels).data)


def lengths(chunk: Chunk) -> tuple[int, int]:
    """The bytes of its head and of its class list; FormatError when it is cut off."""
    if len(chunk.data) < _HEAD.size:
        raise FormatError(f"{LAYER.name} is cut off")
    return _HEAD.size, min(_HEAD.unpack_from(chunk.data)[1], len(chunk.data) - _HEAD.size)


def decode(chunk: Chunk, size: tuple[int, int]) -> PeoplesMap:
    """What `encode` was given. FormatError when the chunk is damaged or not of the (height, width)
    ``size``."""
    LAYER.check(chunk)
    if len(chunk.data) < _HEAD.size:
        raise FormatError(f"{LAYER.name} is cut off")
    identity, length = _HEAD.unpack_from(chunk.data)
    begin = _HEAD.size + length
    listed = Chunk(class_list.LAYER.kind, class_list.DEFLATED, chunk.data[_HEAD.size : begin])
    spoken = class_list.decode(listed, identity.hex())
    coded = Chunk(label_map.LAYER.kind, label_map.CONTEXT_MIXING, chunk.data[begin:])
    labels = label_map.decode(coded, size)
    if int(labels.max()) >= len(spoken.vocabulary):
        raise FormatError(f"{LAYER.name} holds class ids that its class list does not have")
    return PeoplesMap(labels, dialect.shipped() if spoken.native else spoken)
