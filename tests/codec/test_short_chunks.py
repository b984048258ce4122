"""Chunks in short: a slow reader that knows docs/format.md alone puts them together again to the bit, what
has no short form comes back as it was, and damage is refused."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec import bpg, container, short_chunks, short_header
from dsslic_search.codec.bpg import bare
from dsslic_search.codec.bpg.header import Header as PictureHeader
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.header import Header
from dsslic_search.codec.layers import axes, compact, residual, words
from dsslic_search.codec.layers.terms import Gains, Terms
from dsslic_search.codec.quality import EFFORTS, effort
from dsslic_search.core.errors import FormatError
from dsslic_search.core.kinds import KeepMode, Tune
from dsslic_search.features.image_words import ImageWords
from dsslic_search.networks import runtime

PAGE = (Path(__file__).parents[2] / "docs" / "format.md").read_text()
WIDTH, HEIGHT = 90, 70
HEADER = Header(WIDTH, HEIGHT, False, KeepMode.LAYERS, 1, 8, 75, 34, 26, *short_header.SHIPPED[0])
MAKER = "870402cbe8323019"
EARLIER_RESTORER, RESTORER = "346dd6a9ac8ea059", "b1df76b7c3bff6fa"
RAMP = np.add.outer(np.arange(HEIGHT) * 3, np.arange(WIDTH) * 2)
PHOTO = np.stack([RAMP % 256, (RAMP * 2) % 256, 255 - RAMP % 200], 2).astype(np.uint8)
AXES = axes.principal(PHOTO)


def numbered(wanted: str) -> dict[int, tuple[str, ...]]:
    """The rows of the page's table whose head has ``wanted``, by their number."""
    table = re.search(rf"\| t, p \|{wanted}[^\n]*\n\|[-:|]*\n((?:\|[^\n]*\n)+)", PAGE)
    assert table
    rows = [line.strip("|").split("|") for line in table[1].splitlines()]
    return {int(n): tuple(cell.strip(" `") for cell in cells) for n, *cells in rows}


def number7(value: int) -> bytes:
    """Seven bits a byte, the highest first, as BPG has them."""
    groups = f"{value:b}".rjust(-(-max(1, value.bit_length()) // 7) * 7, "0")
    coded = [int(groups[at : at + 7], 2) for at in range(0, len(groups), 7)]
    return bytes([*(each + 128 for each in coded[:-1]), coded[-1]])


def picture_told_by_the_page(short: bytes, width: int, height: int, grey: bool) -> bytes:
    if short[0] == 255:
        return short[1:]
    rows = numbered(" HEVC header")
    tools, parameters = bytes.fromhex(rows[short[0] // 16][0]), bytes.fromhex(rows[short[0] % 16][1])
    body = number7(len(tools)) + tools + b"\x44\x01" + parameters + bytes.fromhex("0000012801") + short[1:]
    sizes = number7(width) + number7(height) + number7(len(body))
    return b"BPG\xfb" + bytes([0b00000010 if grey else 0b01100010, 0]) + sizes + body


def residual_told_by_the_page(short: bytes, header: Header) -> bytes:
    networks = {0: None, 1: EARLIER_RESTORER, 2: RESTORER}
    assert f"0 for none, 1 for `{EARLIER_RESTORER}`, 2 for `{RESTORER}`" in PAGE
    rest = list(short)
    restorer = networks[rest.pop(0)]
    told = bytes([0, rest.pop(0)]) + bytes.fromhex(restorer) if restorer else bytes(2)
    rows = [] if header.grey else [rest.pop(0) for _ in range(9)]
    picture = picture_told_by_the_page(bytes(rest), header.width, header.height, header.grey)
    return told + bytes(1) + bytes(rows) + picture


def words_told_by_the_page(short: bytes) -> bytes:
    assert f"0 for `{MAKER}` and 48" in PAGE
    assert short[0] == 0
    bits = iter("".join(f"{byte:08b}" for byte in short[1:]))

    def take(count: int) -> int:
        return int("0" + "".join(next(bits) for _ in range(count)), 2)

    def rice(low: int) -> int:
        zeros = 0
        while next(bits) == "0":
            zeros += 1
        return zeros * 2**low + take(low)

    coded = [rice(5) for _ in range(48)]
    numbers = [value // 2 if value % 2 == 0 else -(value + 1) // 2 for value in coded]
    count, said, parts = take(4), b"", 0
    for at in range(count):
        word = take(10)
        parts = parts - rice(3) if at else take(8)
        said += word.to_bytes(2, "little") + bytes([parts])
    assert set(bits) <= {"0"}
    return bytes.fromhex(MAKER) + bytes([48, *(n % 256 for n in numbers), count]) + said


@st.composite
def of_words(draw: st.DrawFn) -> ImageWords:
    leaves = draw(st.lists(st.integers(0, 999), max_size=14, unique=True))
    parts = draw(st.lists(st.integers(1, 255), min_size=len(leaves), max_size=len(leaves)))
    said = sorted(zip(leaves, parts, strict=True), key=lambda each: (-each[1], each[0]))
    return ImageWords(
        MAKER, tuple(draw(st.lists(st.integers(-128, 127), min_size=48, max_size=48))), tuple(said)
    )


@given(said=of_words())
def test_words_are_what_the_page_says(said: ImageWords) -> None:
    chunk = words.encode(said)
    short = short_chunks.shortened(chunk, HEADER)
    assert short[0] == 0
    assert words_told_by_the_page(short) == short_chunks.opened("word", short, HEADER) == chunk.data
    assert short_chunks.vector_bits(said) < 8 * len(short)


@pytest.mark.parametrize("tune", Tune)
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("number", EFFORTS)
def test_pictures_of_every_effort_are_what_the_page_says(number: int, grey: bool, tune: Tune) -> None:
    """And none has to be stored as it is: another x265 may need a row of its own in the tables."""
    header, tried = replace(HEADER, grey=grey), effort(number)
    pixels = PHOTO[..., 0] if grey else PHOTO
    terms = Terms(0, 9 * tried.fit, RESTORER if tried.fit else "0" * 16, axes=None if grey else AXES)
    picture = residual.encode_picture(pixels, 30, terms, preset=tried.preset, search=tried.search, tune=tune)
    coded = residual.chunk(terms, picture)
    short = short_chunks.shortened(coded, header)
    assert short[0] == 2 * tried.fit
    assert (
        residual_told_by_the_page(short, header) == short_chunks.opened("RESI", short, header) == coded.data
    )
    assert short[short_chunks.picture_at("RESI", short, header)] != 255
    height, width = header.compact_size
    small = compact.encode(pixels[:height, :width], 40, quickly=not tried.fit)
    short = short_chunks.shortened(small, header)
    assert short[0] != 255
    assert picture_told_by_the_page(short, width, height, grey) == small.data
    assert short_chunks.opened("COMP", short, header) == small.data


@pytest.mark.parametrize("side", [8, 16, 40, 72])
def test_pictures_of_every_size_have_a_short_form(side: int) -> None:
    planes = [np.full((side, side), 500, np.uint16)] * 3
    header = PictureHeader(side, side, 10)
    size = side, side, 3
    for preset, search in {(effort(number).preset, effort(number).search) for number in EFFORTS}:
        for tune in Tune:
            coded = bpg.encode_rows(
                lambda rows: [plane[rows] for plane in planes],
                size,
                qp=30,
                bit_depth=10,
                preset=preset,
                search=search,
                tune=tune,
            )
            assert bare.bare(coded, header)[0] != 255
    for quickly in (False, True):
        assert (
            bare.bare(compact.encode(np.zeros((side, side, 3), np.uint8), 40, quickly).data, header)[0] != 255
        )


def test_what_ships_has_a_number() -> None:
    """Where other networks ship, they are a new row of what may be named by a number."""
    assert runtime.identity("restorer") in short_chunks.RESTORERS
    seen, _ = words.look(PHOTO[:8, :8])
    assert (seen.maker, len(seen.embedding)) in short_chunks.MAKERS
    assert short_chunks.shortened(words.encode(seen), HEADER)[0] != 255


PICTURE = residual.encode_picture(PHOTO, 40, Terms(axes=AXES))
UNUSUAL = [
    Chunk("word", 1, b""),
    words.encode(ImageWords("0" * 16, (1,) * 48, ((5, 200),))),
    words.encode(ImageWords(MAKER, (1,) * 32, ((5, 200),))),
    Chunk("COMP", 1, b"no picture"),
    Chunk("COMP", 1, bpg.encode(PHOTO, qp=40)),
    residual.chunk(Terms(32, axes=AXES), PICTURE),
    residual.chunk(Terms(64, axes=AXES, gains=Gains(9, ((3, 4),))), PICTURE),
    residual.chunk(Terms(0, 5, "1" * 16, axes=AXES), PICTURE),
    Chunk("RESI", 2, b""),
]


@pytest.mark.parametrize("chunk", UNUSUAL)
def test_what_has_no_short_form_is_stored_behind_a_byte(chunk: Chunk) -> None:
    short = short_chunks.shortened(chunk, HEADER)
    assert short == b"\xff" + chunk.data
    assert short_chunks.opened(chunk.kind, short, HEADER) == chunk.data


def test_a_residual_with_another_picture_has_its_terms_in_short() -> None:
    chunk = residual.chunk(Terms(axes=AXES), b"no picture")
    short = short_chunks.shortened(chunk, HEADER)
    assert short == b"\0" + AXES.to_bytes() + b"\xffno picture"
    assert short_chunks.opened("RESI", short, HEADER) == chunk.data


SOUND = [
    words.encode(ImageWords(MAKER, tuple(range(-24, 24)), ((7, 250), (3, 90), (500, 90), (9, 4)))),
    compact.encode(PHOTO[:9, :12], 40),
    residual.chunk(Terms(0, 40, RESTORER, axes=AXES), PICTURE),
]


@pytest.mark.parametrize("chunk", SOUND, ids=lambda chunk: chunk.kind)
def test_damage_is_refused_or_gives_another_chunk(chunk: Chunk) -> None:
    short, chance, refused = short_chunks.shortened(chunk, HEADER), random.Random(4), 0
    for _ in range(300):
        data = bytearray(short)
        data[chance.randrange(min(12, len(data)))] = chance.randrange(256)
        try:
            found = short_chunks.opened(chunk.kind, bytes(data[: chance.choice((len(data), 3, 12))]), HEADER)
        except FormatError:
            refused += 1
        else:
            assert found != chunk.data or bytes(data) == short
    assert refused
    for cut in range({"word": len(short), "COMP": 1, "RESI": 12}[chunk.kind]):
        with pytest.raises(FormatError):
            short_chunks.opened(chunk.kind, short[:cut], HEADER)


@pytest.mark.parametrize(
    ("kind", "short", "said"),
    [
        ("word", b"\x01" + bytes(60), "upgrade"),
        ("word", bytes(300), "longer"),
        ("word", bytes(60), "too large"),
        ("COMP", b"\xe0" + bytes(60), "upgrade"),
        ("COMP", b"\x0b" + bytes(60), "upgrade"),
        ("RESI", b"\x03" + bytes(60), "upgrade"),
        ("RESI", b"\x01\x00" + bytes(60), "cut short or damaged"),
        ("RESI", b"\x01", "cut short or damaged"),
    ],
)
def test_what_is_no_short_form_is_refused_in_a_sentence(kind: str, short: bytes, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        short_chunks.opened(kind, short, HEADER)


def test_every_version_holds_the_same_chunks() -> None:
    chunks = [Chunk("SMAP", 1, b"labels"), *SOUND]
    files = [container.pack(HEADER, chunks, version) for version in (1, 2, 3)]
    assert sorted(files, key=len) == files[::-1]
    for version, data in enumerate(files, 1):
        contents = container.read(data)
        assert (contents.version, contents.header) == (version, HEADER)
        assert [container.read_chunk(data, contents, each.kind) for each in chunks] == chunks
    without = container.without_chunk(files[2], "word")
    assert container.with_chunk(without, SOUND[0]) == files[2]
