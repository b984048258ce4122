"""Boxes, and what an item of AVIF and HEIF says of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec.picture.formats import boxes
from dsslic_search.codec.picture.raster import Coded

PICTURES = Path(__file__).parents[3] / "data" / "pictures"


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
    boxes.primary_item(data)


@pytest.mark.parametrize(
    ("name", "bits", "space"),
    [
        ("p3.avif", 8, Coded(12, 13)),
        ("bt2020.avif", 10, Coded(9, 14)),
        ("linear.avif", 12, Coded(1, 8)),
        ("pq.avif", 10, Coded(9, 16)),
    ],
)
def test_colours_and_bits_of_an_item(name: str, bits: int, space: Coded) -> None:
    item = boxes.primary_item((PICTURES / name).read_bytes())
    assert item is not None
    assert (item.width, item.height, item.bits, item.space, item.turn) == (24, 16, bits, space, 1)


@pytest.mark.parametrize("turn", range(1, 9))
def test_turns_are_those_of_exif(turn: int) -> None:
    item = boxes.primary_item((PICTURES / "turns" / f"{turn}.avif").read_bytes())
    assert item is not None
    assert item.turn == turn


def test_quarter_turns_and_mirrors_as_pixels() -> None:
    """The table against what the standard says, step by step (ISO/IEC 23008-12, 6.5.10 and 6.5.12)."""
    from dsslic_search.codec.picture.open import _upright

    chart = np.arange(6, dtype=np.uint8).reshape(2, 3)
    for (quarters, mirror), turn in boxes._TURNS.items():
        shown = np.rot90(chart, quarters)
        if mirror is not None:
            shown = shown[:, ::-1] if mirror else shown[::-1]
        assert np.array_equal(_upright(chart, turn), shown)
