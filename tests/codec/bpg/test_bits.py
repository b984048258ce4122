from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec.bpg.bits import (
    BitReader,
    BitWriter,
    escape,
    join_annexb,
    read_ue7,
    split_annexb,
    unescape,
    write_ue7,
)
from dsslic_search.core.errors import FormatError


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("u"), st.integers(0, 2**20 - 1)),
            st.tuples(st.just("ue"), st.integers(0, 2**32 - 2)),
        )
    )
)
def test_fields_come_back(fields: list[tuple[str, int]]) -> None:
    writer = BitWriter()
    for kind, value in fields:
        writer.bits(value, 20) if kind == "u" else writer.ue(value)
    reader = BitReader(writer.to_bytes(), "the test")
    assert [reader.bits(20) if kind == "u" else reader.ue() for kind, _ in fields] == [
        value for _, value in fields
    ]
    with pytest.raises(FormatError):  # fewer than eight bits are left
        reader.bits(8)


def test_exp_golomb_codes_are_the_standards() -> None:
    reader = BitReader(bytes([0b1_010_011_0, 0b0100_0011, 0b1_0000000]), "the test")
    assert [reader.ue() for _ in range(5)] == [0, 1, 2, 3, 6]


def test_reading_past_the_end_or_too_much_is_a_format_error() -> None:
    with pytest.raises(FormatError, match="the test ends too early"):
        BitReader(b"\x01", "the test").bits(9)
    with pytest.raises(FormatError, match="too large"):
        BitReader(bytes(40), "the test").ue()
    with pytest.raises(FormatError, match="at most 3"):
        BitReader(b"\x28", "the test").ue(3)


@pytest.mark.parametrize(
    ("coded", "value"), [("08", 8), ("841e", 542), ("acbe17", 728855), ("8fffffff7f", 2**32 - 1), ("00", 0)]
)
def test_ue7_examples_of_the_specification(coded: str, value: int) -> None:
    assert read_ue7(b"\xff" + bytes.fromhex(coded) + b"\x01", 1, "the test") == (value, 1 + len(coded) // 2)
    assert write_ue7(value).hex() == coded


@pytest.mark.parametrize("coded", ["", "80", "8001", "ffffffffff01", "9f80808000", "84"])
def test_unsound_ue7_is_a_format_error(coded: str) -> None:
    with pytest.raises(FormatError):
        read_ue7(bytes.fromhex(coded), 0, "the test")


@pytest.mark.parametrize("value", [-1, -12, 2**32])
def test_what_is_no_ue7_number_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="ue7"):
        write_ue7(value)


@given(st.binary(max_size=60).map(lambda data: bytes(byte & 3 for byte in data)))
def test_escaping_hides_start_codes_and_comes_back(payload: bytes) -> None:
    escaped = escape(payload)
    assert unescape(escaped) == payload
    assert not any(code in escaped for code in (b"\x00\x00\x00", b"\x00\x00\x01", b"\x00\x00\x02"))


@given(
    st.lists(
        st.binary(max_size=20).map(
            lambda data: b"\x26\x01" + escape(bytes(byte & 3 for byte in data)) + b"\x80"
        )
    )
)
def test_units_come_back(units: list[bytes]) -> None:
    assert split_annexb(join_annexb(units)) == units
    assert (
        split_annexb(b"\x07\x09" + b"".join(b"\x00\x00\x01" + unit + b"\x00\x00" for unit in units)) == units
    )
