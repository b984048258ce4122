"""IPTC's records: read, kept, and found among Photoshop's resources."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec.picture import iptc
from dsslic_search.codec.picture.place_words import PlaceWords

UTF8 = b"\x1c\x01\x5a\x00\x03\x1b%G"


def record(number: int, text: bytes, kind: int = 2) -> bytes:
    return bytes((0x1C, kind, number)) + len(text).to_bytes(2, "big") + text


@pytest.mark.parametrize(
    ("records", "text"),
    [
        (UTF8 + record(25, "Küste".encode()), "Küste"),
        (record(25, "Küste".encode()), "Küste"),
        (record(25, "Küste".encode("latin-1")), "Küste"),
    ],
)
def test_character_sets(records: bytes, text: str) -> None:
    assert iptc.read(records).texts == {(2, 25): [text]}


def test_repeated_and_extended_datasets() -> None:
    long = b"\x1c\x02\x78\x80\x04\0\0\0\x05hello"
    found = iptc.read(record(25, b"one") + long + record(25, b"two") + record(10, b"x", kind=3))
    assert found.texts == {(2, 25): ["one", "two"], (2, 120): ["hello"]}


def test_damage_costs_only_what_comes_behind_it() -> None:
    assert iptc.read(record(25, b"one") + record(25, b"two")[:-1]).texts == {(2, 25): ["one"]}
    assert iptc.read(b"nothing").texts == {}
    assert iptc.read(record(25, b"one") + b"\x1c\x02\x78\xff\xff" + bytes(20)).texts == {(2, 25): ["one"]}


def test_what_is_kept() -> None:
    said = UTF8 + record(0, b"\0\4") + record(25, b"coast")
    places = record(90, b"Bergen") + record(92, b"pier") + record(101, b"Norway")
    assert iptc.kept(said) == said
    assert iptc.kept(said + places) == said + places
    assert iptc.kept(said + places, without=PlaceWords()) == said
    assert iptc.kept(said + record(202, bytes(1000)) + record(10, b"x", kind=8)) == said
    assert iptc.kept(UTF8 + record(0, b"\0\4")) == b""  # says nothing of the photo
    assert iptc.kept(record(120, bytes(30_000)) * 3) == b""


def test_only_so_many_parts_are_looked_at() -> None:
    assert len(iptc.read(record(25, b"a") * (iptc.MAX_PARTS + 5)).texts[2, 25]) == iptc.MAX_PARTS
    other = b"8BIM\x04\x22\0\0\0\0\0\0"
    assert iptc.in_photoshop(other * iptc.MAX_PARTS + iptc.as_photoshop(record(25, b"a"))) == b""


def test_among_resources_of_photoshop() -> None:
    records = record(25, b"coast")
    other = b"8BIM\x04\x22\x03abc\0\0\0\x03xyz\0"
    for resources in (iptc.as_photoshop(records), other + iptc.as_photoshop(records)):
        assert iptc.in_photoshop(resources) == records
    assert iptc.in_photoshop(other) == iptc.in_photoshop(b"8BIM") == iptc.in_photoshop(b"") == b""


@given(st.binary(max_size=200))
def test_anything_is_read_without_an_error(data: bytes) -> None:
    for begin in (b"", b"\x1c\x02", b"8BIM\x04\x04"):
        iptc.read(begin + data)
        iptc.in_photoshop(begin + data)
        kept = iptc.kept(begin + data)
        assert iptc.kept(kept) == kept
