"""The container: what is packed is read, every stage's prefix suffices, and damage is always noticed."""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec import container, short_header
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.header import MAX_SIDE, Header
from dsslic_search.core.errors import FormatError, StageError
from dsslic_search.core.kinds import KeepMode, Stage

HEADER = Header(
    width=97,
    height=65,
    grey=False,
    keep=KeepMode.LAYERS,
    map_scale=2,
    compact_scale=8,
    quality=75,
    compact_qp=26,
    residual_qp=20,
    vocabulary="0123456789abcdef",
    segmenter="1" * 16,
    finenet="2" * 16,
)
SHORT = replace(
    HEADER,
    map_scale=1,
    compact_qp=34,
    residual_qp=26,
    **dict(zip(("vocabulary", "segmenter", "finenet"), short_header.SHIPPED[0], strict=True)),
)
BOTH = pytest.mark.parametrize("header", [HEADER, SHORT], ids=["in full", "short"])
LAYERS = [
    Chunk("SMAP", 1, b"labels"),
    Chunk("COMP", 1, b"compact!"),
    Chunk("RESI", 2, b"residual" * 90),
    Chunk("exif", 1, b"e"),
]


def with_checksum(head: bytes) -> bytes:
    return head + struct.pack("<I", zlib.crc32(head))


@given(
    width=st.integers(1, MAX_SIDE),
    height=st.integers(1, MAX_SIDE),
    grey=st.booleans(),
    keep=st.sampled_from(KeepMode),
    scale=st.integers(1, 65535),
    quality=st.integers(1, 100),
    kinds=st.sets(st.sampled_from(container.ORDER)),
    data=st.binary(max_size=40),
)
def test_what_is_packed_is_read(width, height, grey, keep, scale, quality, kinds, data):
    header = replace(
        HEADER, width=width, height=height, grey=grey, keep=keep, map_scale=scale, quality=quality
    )
    chunks = [Chunk(k, i, data + bytes([i])) for i, k in enumerate(k for k in container.ORDER if k in kinds)]
    packed = container.pack(header, chunks)
    contents = container.read(packed)
    assert contents.header == header
    assert [container.read_chunk(packed, contents, c.kind) for c in chunks] == chunks
    assert contents.total == len(packed)
    assert header.map_size == ((height + scale - 1) // scale, (width + scale - 1) // scale)


@BOTH
def test_each_stage_needs_only_its_prefix(header):
    packed = container.pack(header, LAYERS)
    ends = [container.read_contents(packed[:200]).stage_bytes(s) for s in Stage]
    assert ends == sorted(ends)
    assert packed[: ends[0]].endswith(b"labels")
    assert packed[: ends[1]].endswith(b"compact!")
    assert ends[1] == ends[2]
    assert packed[: ends[3]].endswith(b"residual")
    contents = container.read_contents(packed[: ends[1]])
    assert container.read_chunk(packed[: ends[1]], contents, "COMP").data == b"compact!"
    with pytest.raises(FormatError, match="truncated"):
        container.read_chunk(packed[: ends[3] - 1], contents, "RESI")


@BOTH
def test_every_single_bit_flip_is_noticed(header):
    packed = container.pack(header, LAYERS)
    assert (packed[4] == 13) == (header is HEADER)
    for bit in range(8 * len(packed)):
        damaged = bytearray(packed)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(FormatError):
            container.read(bytes(damaged))


@BOTH
def test_every_truncation_is_noticed_and_earlier_layers_survive(header):
    packed = container.pack(header, LAYERS)
    for length in range(len(packed)):
        with pytest.raises(FormatError):
            container.read(packed[:length])
    contents = container.read_contents(packed)
    damaged = packed[: contents.stage_bytes("map")] + b"\0" * 50
    assert container.read_chunk(damaged, contents, "SMAP").data == b"labels"
    with pytest.raises(FormatError, match="COMP"):
        container.read_chunk(damaged, contents, "COMP")


def test_trailing_bytes_are_refused():
    with pytest.raises(FormatError, match="3 bytes too many"):
        container.read(container.pack(HEADER, LAYERS) + b"abc")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    for candidate in (
        data,
        container.MAGIC + data,
        with_checksum(container.pack(HEADER, LAYERS)[:60] + data),
    ):
        try:
            container.read(candidate)
        except FormatError:
            continue


def test_hostile_tables_with_right_checksums_are_refused():
    random.seed(1)
    packed = bytearray(container.pack(HEADER, LAYERS))
    length = container.header_length(bytes(packed))
    refused = 0
    for _ in range(3000):
        head = bytearray(packed[: length - 4])
        for _ in range(random.randint(1, 4)):
            head[random.randrange(8, len(head))] = random.randrange(256)
        try:
            contents = container.read(with_checksum(bytes(head)) + bytes(packed[length:]))
        except FormatError:
            refused += 1
            continue
        assert contents.total == len(packed)
        assert contents.header.width * contents.header.height > 0
    assert refused > 1000


def test_unknown_critical_chunk_stops_and_unknown_other_chunk_does_not():
    packed = container.pack(HEADER, LAYERS)
    length = container.header_length(packed)
    for kind, stops in ((b"XTRA", True), (b"xtra", False)):
        changed = with_checksum(packed[: length - 4].replace(b"exif", kind)) + packed[length:]
        if stops:
            with pytest.raises(FormatError, match="unknown critical chunk"):
                container.read(changed)
        else:
            assert container.read(changed).entries[-1].kind == "xtra"


def test_newer_version_says_what_to_do():
    packed = bytearray(container.pack(HEADER, LAYERS))
    packed[8] = 9
    with pytest.raises(FormatError, match=r"version 9.*upgrade"):
        container.read(bytes(packed))


def test_missing_stage_says_what_is_there():
    contents = container.read(container.pack(replace(HEADER, keep=KeepMode.REFERENCE), LAYERS[:2]))
    with pytest.raises(StageError, match=r"no \"full\" stage.*left where it is.*map, compact, coarse"):
        contents.stage_bytes("full")


def test_chunks_out_of_order_cannot_be_packed():
    with pytest.raises(ValueError, match="order"):
        container.pack(HEADER, LAYERS[::-1])
