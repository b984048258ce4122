"""Metadata in texts of PNG."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec.picture import raw_profile


@given(st.binary(max_size=400))
def test_bytes_come_back(data: bytes) -> None:
    assert raw_profile.decode(raw_profile.encode("iptc", data)) == data


def test_what_is_no_such_text_is_nothing() -> None:
    for text in ("", "iptc", "iptc x 00", "iptc 2 00", "iptc 1 0g", "iptc 1 000"):
        assert raw_profile.decode(text) == b""
    assert raw_profile.decode("\niptc\n       2\n0001\n") == b"\0\1"
