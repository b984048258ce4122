"""Few bytes may declare many pixels: what that costs is the picture itself and little more, or nothing."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest

from dsslic_search.codec import container, flif
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.header import Header
from dsslic_search.codec.layers import label_map
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import FormatError, UsageError
from dsslic_search.core.kinds import KeepMode

NONE = "0" * 16


def file(side: int, chunk: Chunk, scale: int = 1) -> bytes:
    identity = vocabulary.default().identity
    header = Header(side, side, False, KeepMode.COARSE, scale, 8, 75, 30, 0, identity, NONE, NONE)
    return container.pack(header, [chunk])


def cost(data: bytes, stage: str = "map") -> int:
    """The most bytes that decoding takes at once."""
    tracemalloc.start()
    try:
        decode_stage(data, stage)
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most


def declared(picture: bytes, width: int, height: int) -> bytes:
    """A FLIF file of another size than it has: a flat one of that size."""
    written = bytearray()
    for side in (width - 1, height - 1):
        digits = [side & 127]
        while side := side >> 7:
            digits.append(side & 127 | 128)
        written += bytes(reversed(digits))
    return picture[:6] + bytes(written) + picture[8:]


def test_a_flat_map_costs_two_bytes_a_pixel() -> None:
    flat = label_map.encode(np.zeros((3000, 3000), np.uint8))
    decode_stage(file(8, label_map.encode(np.zeros((8, 8), np.uint8))), "map")  # loops are there
    data = file(3000, flat)
    assert len(data) < 141
    assert cost(data) < 2.2 * 3000**2 + (8 << 20)


@pytest.mark.parametrize("stage", ["map", "coarse"])
def test_a_flif_map_of_too_many_labels_is_refused_before_it_costs_anything(stage: str) -> None:
    small = flif.encode(np.zeros((4, 4), np.uint8))
    data = file(14_000, Chunk("SMAP", label_map.FLIF, declared(small, 14_000, 14_000)))
    assert len(data) < 141
    with pytest.raises(FormatError):
        cost(data, stage)
    tracemalloc.start()
    with pytest.raises(FormatError, match=r"14000×14000 is more than a FLIF layer|holds: map"):
        decode_stage(data, stage)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20


def test_the_paper_profile_refuses_what_it_could_not_read_again() -> None:
    with pytest.raises(UsageError, match=r"4097×4096 is more than the paper's profile has"):
        label_map.encode(np.broadcast_to(np.uint8(0), (4096, 4097)), as_flif=True)


def test_sentences_can_be_encoded_whatever_is_in_them() -> None:
    for text in ("tag \ud800", "like \udcff.jpg"):
        assert str(FormatError(text)).encode().decode("ascii").startswith(text[:4])


def test_headers_end_where_they_say() -> None:
    """One that tells of a longer table than there is, is refused before the table is read."""
    data = bytearray(file(8, label_map.encode(np.zeros((8, 8), np.uint8))))
    data[9:11] = struct.pack("<H", 65535)
    with pytest.raises(FormatError):
        container.read_contents(bytes(data))
