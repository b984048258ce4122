"""Boxes of ISO base media files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec.picture.formats import boxes


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def test_boxes_of_every_size_are_walked() -> None:
    long = (1).to_bytes(4, "big") + b"long" + (19).to_bytes(8, "big") + b"abc"
    last = (0).to_bytes(4, "big") + b"last" + b"to the end"
    data = box(b"free", b"") + long + box(b"abcd", b"xyz") + last
    found = [(b.kind, data[b.start : b.end]) for b in boxes.boxes(data)]
    assert found == [(b"free", b""), (b"long", b"abc"), (b"abcd", b"xyz"), (b"last", b"to the end")]


@pytest.mark.parametrize("size", [2, 7, 100])
def test_a_box_that_cannot_be_ends_the_walk(size: int) -> None:
    data = box(b"free", b"") + size.to_bytes(4, "big") + b"badx" + b"abc"
    assert [b.kind for b in boxes.boxes(data)] == [b"free"]


@given(st.binary(max_size=400))
def test_any_bytes_are_walked(data: bytes) -> None:
    for found in boxes.boxes(data):
        assert 0 <= found.start <= found.end <= len(data)
