"""The short header: what is written so is what a slow reader makes of it that knows docs/format.md alone; the
rest is written in full; and whatever happens to one byte of a chunk is noticed by what is kept of its
checksum."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec import container, short_header
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.header import Header
from dsslic_search.codec.quality import quantisers
from dsslic_search.core.errors import FormatError
from dsslic_search.core.kinds import KeepMode
from dsslic_search.networks import runtime
from dsslic_search.networks.segmenter import SegNetSegmenter

PAGE = (Path(__file__).parents[2] / "docs" / "format.md").read_text()
HEADER = Header(1440, 960, False, KeepMode.LAYERS, 6, 8, 75, 34, 26, *short_header.SHIPPED[0])
SMAP, COMP, RESI = Chunk("SMAP", 1, b"labels"), Chunk("COMP", 1, b"compact!"), Chunk("RESI", 2, b"r" * 500)
CODECS = {"RESI": 2, "hash": 0}
MAYBE = ["hand", "sure", "word", "COMP", "RESI", "ALPH", "hash", "exif", "xmpp", "iptc", "srce"]


def told_by_the_page(data: bytes) -> dict[str, Any]:
    """A header and where each chunk lies, read slowly."""

    def take(count: int) -> list[int]:
        return [next(stream) for _ in range(count)]

    def take_number() -> int:
        bits = ""
        while True:
            byte = f"{take(1)[0]:08b}"
            bits = byte[1:] + bits
            if byte[0] == "0":
                return int(bits, 2)

    assert data[:4] == bytes.fromhex("8944534C")
    length = data[4]
    assert zlib.crc32(data[: length - 4]) == sum(b * 256**i for i, b in enumerate(data[length - 4 : length]))
    stream = iter(data[5 : length - 4])
    low, high = take(2)
    flags = f"{low + 256 * high:016b}"[::-1]
    told: dict[str, Any] = {
        "grey": flags[0] == "1",
        "keep": ["layers", "reference", "coarse"][int(flags[2] + flags[1], 2)],
    }
    told["width"], told["height"] = take_number(), take_number()
    longer = max(told["width"], told["height"])
    told["map_scale"] = (
        take_number() if flags[3] == "1" else next(n for n in range(1, 9999) if 256 * n >= longer)
    )
    (quality,) = take(1)
    told["quality"] = quality % 128
    rows = re.search(r"\| quality \|([^\n]*)\n\|[-:|]*\n\| QP \|([^\n]*)\n", PAGE)
    assert rows
    points, qps = ([int(n) for n in row.strip(" |").split("|")] for row in rows.groups())
    qp = round(float(np.interp(told["quality"], points, qps)))
    told["compact_qp"], told["residual_qp"] = take(2) if quality > 127 else (min(44, qp + 8), qp)
    networks = re.findall(r"^\| (\d+) \| `(\w{16})` \| `(\w{16})` \| `(\w{16})` \|$", PAGE, re.MULTILINE)
    (number,) = take(1)
    if flags[4] == "1":
        finer, number = divmod(number, 16)
        told["compact_qp"] -= finer
    told["vocabulary"], told["segmenter"], told["finenet"] = {int(n): rest for n, *rest in networks}[number]
    at, chunks = length, {}
    for kind in ["SMAP", *(kind for kind, bit in zip(MAYBE, flags[5:], strict=True) if bit == "1")]:
        size = take_number()
        kept = 2 if size < 128 else 3 if size < 16384 else 4
        whole = zlib.crc32(data[at : at + size]).to_bytes(4, "little")
        assert bytes(take(kept)) == whole[:kept]
        chunks[kind] = data[at : at + size]
        if flags[4] == "1" and kind in ("word", "COMP", "RESI"):
            assert chunks[kind][0] == 255  # whatever is no such layer is stored as it is
            chunks[kind] = chunks[kind][1:]
        at += size
    assert next(stream, None) is None
    assert at == len(data)
    return told | {"chunks": chunks}


@given(
    sides=st.tuples(st.integers(1, 1 << 20), st.integers(1, 1 << 20)),
    grey=st.booleans(),
    keep=st.sampled_from([KeepMode.LAYERS, KeepMode.REFERENCE, KeepMode.COARSE]),
    scale=st.none() | st.integers(1, 65535),
    quality=st.integers(1, 100),
    qps=st.none() | st.integers(-2, 17) | st.tuples(st.integers(0, 51), st.integers(0, 51)),
    networks=st.sampled_from(short_header.SHIPPED),
    kinds=st.sets(st.sampled_from(MAYBE)),
    size=st.sampled_from([0, 1, 127, 128, 16383, 16384]),
    version=st.sampled_from([container.SHORT, container.SHORTER]),
)
def test_what_is_written_is_what_the_page_says(
    sides, grey, keep, scale, quality, qps, networks, kinds, size, version
):
    usual = quantisers(quality)
    if isinstance(qps, int):
        qps = max(0, usual.compact - qps), usual.residual
    header = Header(
        *sides,
        grey,
        keep,
        scale or -(-max(sides) // 256),
        8,
        quality,
        *(qps or (usual.compact, usual.residual)),
        *networks,
    )
    chunks = [
        Chunk(kind, CODECS.get(kind, 1), kind.encode() * size)
        for kind in ["SMAP", *MAYBE]
        if kind in {"SMAP", *kinds}
    ]
    data = container.pack(header, chunks, version)
    contents = container.read(data)
    assert contents.version == (version if kinds & {"word", "COMP", "RESI"} else container.SHORT)
    assert contents.header == header
    assert [container.read_chunk(data, contents, chunk.kind) for chunk in chunks] == chunks
    told = told_by_the_page(data)
    assert told.pop("chunks") == {chunk.kind: chunk.data for chunk in chunks}
    assert {name: getattr(header, name) for name in told} == told
    assert container.pack(header, chunks, version=container.FULL) != data
    assert container.read(container.pack(header, chunks, version=container.FULL)).header == header


@pytest.mark.parametrize(
    ("header", "chunks"),
    [
        (replace(HEADER, segmenter="1" * 16), [SMAP, COMP, RESI]),
        (replace(HEADER, compact_scale=4), [SMAP, COMP, RESI]),
        (replace(HEADER, keep=KeepMode.EXACT), [SMAP, COMP, Chunk("hash", 0, b""), Chunk("ORIG", 0, b"o")]),
        (HEADER, [SMAP, COMP, Chunk("RESI", 3, b"lossless")]),
        (HEADER, [Chunk("SMAP", 2, b"FLIF"), COMP, RESI]),
        (HEADER, [Chunk("voca", 1, b"{}"), SMAP]),
        (HEADER, [COMP, RESI]),
    ],
)
def test_what_cannot_be_said_in_short_is_said_in_full(header: Header, chunks: list[Chunk]) -> None:
    data = container.pack(header, chunks)
    contents = container.read(data)
    assert (contents.version, contents.header) == (container.FULL, header)


@pytest.mark.parametrize("quality", [10, 50, 75])
def test_what_ships_is_said_in_short_in_forty_bytes(quality: int) -> None:
    """Where other networks ship, they are a new row of what may be named by a number."""
    segmenter = SegNetSegmenter()
    networks = segmenter.dialect.vocabulary.identity, segmenter.identity
    shown, under = (runtime.identity(name) for name in (runtime.SHOWN, runtime.UNDER_RESIDUAL))
    for finenet in ("0" * 16, shown, under):
        assert (*networks, finenet) in short_header.SHIPPED
    usual = [
        Chunk("SMAP", 1, bytes(300)),
        Chunk("sure", 1, bytes(9)),
        Chunk("word", 1, bytes(110)),
        Chunk("COMP", 1, bytes(900)),
        Chunk("RESI", 2, bytes(50000 if quality > 50 else 20000)),
    ]
    qps = quantisers(quality)
    finer = qps.compact - (5 if quality <= 50 else 0)
    header = replace(HEADER, quality=quality, compact_qp=finer, residual_qp=qps.residual)
    assert container.header_length(container.pack(header, usual)) <= 40


@pytest.mark.parametrize("most", [127, 16383])
def test_no_damage_to_one_byte_leaves_what_is_kept_of_a_checksum(most: int) -> None:
    """A CRC is linear: what damage changes in it depends on the damage and on how many bytes follow alone."""
    keeps = (1 << 8 * short_header.checksum_bytes(most)) - 1
    table = np.array([zlib.crc32(bytes([n])) ^ zlib.crc32(b"\0") for n in range(256)], np.uint32)
    changes = table[1:]
    for _ in range(most):
        assert (changes & keeps).all()
        changes = changes >> 8 ^ table[changes & 255]


@pytest.mark.parametrize("at", range(5, 36))
def test_odd_headers_under_right_checksums_are_refused_or_read(at: int) -> None:
    data = container.pack(HEADER, [SMAP, COMP, RESI])
    length = data[4]
    for value in range(256):
        head = bytearray(data[: length - 4])
        head[min(at, len(head) - 1)] = value
        whole = bytes(head) + zlib.crc32(head).to_bytes(4, "little") + data[length:]
        try:
            contents = container.read(whole)
        except FormatError:
            continue
        assert contents.total == len(whole)


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (b"\x89DSL\x04", "version 4.*upgrade"),
        (b"\x89DSL\x03", "first bytes"),
        (b"\x89DSL\x0d\n\n\n", "first bytes"),
    ],
)
def test_the_fifth_byte_tells_the_version(first: bytes, said: str) -> None:
    data = container.pack(HEADER, [SMAP, COMP, RESI])
    with pytest.raises(FormatError, match=said):
        container.read(first + data[len(first) :])
    assert container.may_be_newer(first + data[len(first) :]) == ("upgrade" in said)
