"""EXIF data as bytes: what is read of sound, odd and damaged ones, and what is written of them."""

from __future__ import annotations

import io
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsslic_search.codec.picture import exif
from dsslic_search.codec.picture.exif import Exif, Value
from dsslic_search.codec.picture.place_words import PlaceWords
from dsslic_search.core.fact import EXIF_IFD, GPS_IFD, IFD0

MAKE, MODEL, RESOLUTION, TAKEN, LATITUDE = 0x010F, 0x0110, 0x011A, 0x9003, 2


def tiff(*entries: tuple[int, int, bytes]) -> bytes:
    """EXIF data of one directory: (tag, type, bytes)."""
    return exif.write({IFD0: {tag: Value(kind, data) for tag, kind, data in entries}})


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("小米".encode(), "小米"),
        (b"Mod\xe8le", "Modèle"),  # Latin-1
        (b"CAF\xc9", "CAFÉ"),  # Latin-1 whose end could begin a character of UTF-8
        ("小米".encode()[:-1], "小"),  # cut within a character
        (b"Acme\0\0junk", "Acme"),
        ("\ufeffGrüße\0\0".encode("utf-16-le"), "Grüße"),
        ("\ufeff生日\0".encode("utf-16-be"), "生日"),
        ("Grüße\0".encode("utf-16-le"), "Grüße"),
        ("Grüße\0".encode("utf-16-be"), "Grüße"),
        (b"\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe", "Grüße"),
        (b"N\0", "N"),
        (b"\0\0\0\0", ""),
        (b"", ""),
    ],
)
@pytest.mark.parametrize("kind", [1, 2, 7, 129])
def test_texts_are_utf8_else_latin1(raw: bytes, text: str, kind: int) -> None:
    assert Value(kind, raw).text == text


def test_what_is_no_text_has_none() -> None:
    assert [Value(kind, b"SIGMA").text for kind in (3, 4, 10)] == [None] * 3


def test_numbers_of_every_type() -> None:
    def numbers(kind: int, data: bytes, order: exif.Order = "<") -> tuple[float, ...]:
        return Value(kind, data, order).numbers

    assert numbers(1, b"\x01\xff") == (1, 255)
    assert numbers(6, b"\x01\xff") == (1, -1)
    assert numbers(3, b"\x01\x02", ">") == (258,)
    assert numbers(4, b"\x01\0\0\0\x02\0\0\0") == (1, 2)
    assert numbers(5, struct.pack("<4I", 28, 10, 1, 250)) == (2.8, 0.004)
    assert numbers(10, struct.pack("<2i", -1, 3)) == (-1 / 3,)
    assert numbers(11, struct.pack("<f", 0.5)) == (0.5,)
    assert math.isnan(numbers(5, bytes(8))[0])
    assert numbers(2, b"12") == numbers(7, b"12") == ()


@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_come_back_as_they_were_written(order: exif.Order) -> None:
    directories = {
        IFD0: {MAKE: Value(2, b"Acme\0", order), MODEL: Value(2, b"X1\0", order)},
        EXIF_IFD: {TAKEN: Value(2, b"2021:06:05 14:30:15\0", order)},
        GPS_IFD: {LATITUDE: Value(5, struct.pack(f"{order}2I", 1, 2), order)},
    }
    data = exif.write(directories)
    assert exif.read(data).directories == directories
    assert exif.read(data.removeprefix(exif.START)).directories == directories
    other = Image.Exif()
    other.load(data)
    assert other[MAKE] == "Acme"
    assert other.get_ifd(EXIF_IFD)[TAKEN] == "2021:06:05 14:30:15"


def test_an_odd_tag_costs_no_other() -> None:
    data = bytearray(tiff((MAKE, 2, b"Acme Inc\0"), (RESOLUTION, 2, b"72\0"), (0x0131, 5, bytes(8))))
    assert exif.read(bytes(data)).find(IFD0, RESOLUTION) == Value(2, b"72\0")
    entries = len(exif.START) + 10
    software = entries + 24
    for damage in (
        struct.pack("<HHI", 0x0131, 77, 1),  # a type that there is not
        struct.pack("<HHI", 0x0131, 5, 1 << 30),  # longer than the data
        struct.pack("<HHI", 0x0131, 5, 0),
    ):
        data[software : software + 8] = damage
        assert exif.read(bytes(data)).find(IFD0, MAKE) == Value(2, b"Acme Inc\0")
        assert exif.read(bytes(data)).find(IFD0, 0x0131) is None
    cut = bytes(data[: software + 4])  # in the middle of the last entry, and without the values
    assert exif.read(cut).directories == {IFD0: {RESOLUTION: Value(2, b"72\0")}}


def test_directories_that_lead_nowhere_or_to_each_other() -> None:
    data = bytearray(exif.write({IFD0: {MAKE: Value(2, b"A\0")}, EXIF_IFD: {TAKEN: Value(2, b"2021\0")}}))
    pointer = data.index(struct.pack("<HHI", EXIF_IFD, 4, 1)) + 8
    for place in (0, 1 << 31, len(data)):
        data[pointer : pointer + 4] = struct.pack("<I", place)
        assert exif.read(bytes(data)).directories == {IFD0: {MAKE: Value(2, b"A\0")}}
    data[pointer : pointer + 4] = struct.pack("<I", 8)  # to itself
    assert set(exif.read(bytes(data)).directories) == {IFD0, EXIF_IFD}


def test_values_that_overlap_take_no_memory_without_end() -> None:
    size, count = 1 << 16, 5000
    entries = b"".join(struct.pack("<HHII", tag, 7, size, 8) for tag in range(count))
    data = b"II*\0\x08\0\0\0" + struct.pack("<H", count) + entries + bytes(size)
    tags = exif.read(data).directories[IFD0]
    assert sum(len(value.data) for value in tags.values()) <= len(data)


@pytest.mark.parametrize(
    ("value", "turn"),
    [
        (Value(3, b"\x06\0"), 6),
        (Value(3, b"\x09\0"), None),
        (Value(3, b"\0\0"), None),
        (Value(2, b"6\0"), None),
    ],
)
def test_orientations(value: Value, turn: int | None) -> None:
    assert Exif({IFD0: {exif.ORIENTATION: value}}).orientation == turn
    assert Exif().orientation is None


def test_what_is_kept_is_kept_byte_for_byte() -> None:
    main = {
        MAKE: Value(2, b"Mod\xe8le\0"),
        RESOLUTION: Value(2, b"72\0"),
        0x9C9B: Value(1, "Ü".encode("utf-16-le")),
        exif.ORIENTATION: Value(3, b"\x06\0"),
        0x0111: Value(4, bytes(4)),
    }
    shot = {
        TAKEN: Value(129, "2021:06:05 14:30:15 Möwe".encode()),
        0x927C: Value(7, b"secret"),
        0xA002: Value(3, b"\x01\0"),
    }
    kept = exif.read(exif.kept(Exif({IFD0: main, EXIF_IFD: shot}), 24, 36))
    one = main | {exif.ORIENTATION: Value(3, b"\x01\0")}
    del one[0x0111]
    assert kept.directories[IFD0] == one
    assert kept.directories[EXIF_IFD] == {
        TAKEN: shot[TAKEN],
        0xA002: Value(4, b"\x18\0\0\0"),
        0xA003: Value(4, b"\x24\0\0\0"),
    }
    assert exif.kept(Exif({IFD0: {exif.ORIENTATION: Value(3, b"\x06\0")}}), 1, 1) == b""
    assert exif.kept(Exif(), 1, 1) == b""


def test_of_too_much_the_largest_is_left_out() -> None:
    shot = {TAKEN: Value(2, b"2021:06:05\0"), 0x9286: Value(7, bytes(70_000)), 0xFDE8: Value(7, bytes(300))}
    kept = exif.kept(Exif({EXIF_IFD: shot}), 1, 1)
    assert len(kept) <= exif.MAX_KEPT_BYTES
    assert exif.read(kept).directories[EXIF_IFD] == {tag: shot[tag] for tag in (TAKEN, 0xFDE8)}


def test_as_many_tags_as_fit_are_kept() -> None:
    kept = exif.kept(Exif({EXIF_IFD: {tag: Value(2, b"abc\0") for tag in range(0xC000, 0xF000)}}), 1, 1)
    assert exif.MAX_KEPT_BYTES - 40 < len(kept) <= exif.MAX_KEPT_BYTES


def test_without_place() -> None:
    whole = Exif({IFD0: {MAKE: Value(2, b"A\0")}, GPS_IFD: {LATITUDE: Value(5, bytes(8))}})
    assert exif.without_place(whole, PlaceWords()).directories == {IFD0: {MAKE: Value(2, b"A\0")}}


def test_a_tiff_file_gives_what_is_of_the_photo() -> None:
    said = Image.Exif()
    said[MAKE], said[exif.ORIENTATION] = "Acme", 6
    said.get_ifd(EXIF_IFD)[TAKEN] = "2021:06:05 14:30:15"
    out = io.BytesIO()
    Image.new("L", (5, 4)).save(out, "TIFF", exif=said.tobytes())
    found = exif.read(exif.of_tiff(out.getvalue()))
    assert set(found.directories[IFD0]) == {MAKE, exif.ORIENTATION}
    assert found.orientation == 6
    assert found.find(EXIF_IFD, TAKEN) == Value(2, b"2021:06:05 14:30:15\0")
    assert exif.of_tiff(b"no TIFF") == b""


def test_a_big_tiff_file_gives_it_too() -> None:
    main = struct.pack(
        "<Q HHQ8s HHQQ HHQQ Q", 3, MAKE, 2, 5, b"Acme", 0x0111, 16, 1, 8, EXIF_IFD, 18, 1, 92, 0
    )
    shot = struct.pack("<Q HHQQ Q", 1, TAKEN, 2, 20, 128, 0) + b"2021:06:05 14:30:15\0"
    found = exif.read(exif.of_tiff(b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + main + shot))
    assert found.directories == {
        IFD0: {MAKE: Value(2, b"Acme\0")},
        EXIF_IFD: {TAKEN: Value(2, b"2021:06:05 14:30:15\0")},
    }


@given(st.binary(max_size=300))
def test_anything_is_read_without_an_error(data: bytes) -> None:
    for begin in (b"", b"II*\0\x08\0\0\0", b"MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10"):
        found = exif.read(begin + data)
        for tags in found.directories.values():
            for value in tags.values():
                assert isinstance(value.numbers, tuple)
                assert value.text is None or isinstance(value.text, str)
        kept = exif.kept(found, 3, 2)
        assert exif.kept(exif.read(kept), 3, 2) == kept
