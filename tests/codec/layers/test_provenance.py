"""What is to be known of a photo's file goes with it."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.decoder import read_source
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layers import provenance
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto, open_photo
from dsslic_search.core.errors import FormatError

PICTURES = Path(__file__).parents[2] / "data" / "pictures"


@given(st.integers(1, 64), st.lists(st.text(max_size=200), max_size=provenance.MAX_REMARKS).map(tuple))
def test_what_is_said_comes_back(bits: int, remarks: tuple[str, ...]) -> None:
    assert provenance.decode(provenance.encode(bits, remarks)) == (bits, remarks)


@pytest.mark.parametrize(
    "said", [b"", b"{}", b'{"bits": "8", "remarks": []}', b'{"bits": 8, "remarks": [1]}', b"[" * 10_000]
)
def test_damage_is_refused(said: bytes) -> None:
    with pytest.raises(FormatError, match="damaged srce chunk"):
        provenance.decode(Chunk("srce", provenance.DEFLATED_JSON, zlib.compress(said)))
    with pytest.raises(FormatError, match="damaged srce chunk"):
        provenance.decode(Chunk("srce", provenance.DEFLATED_JSON, said))


@pytest.mark.parametrize("keep", ["layers", "exact", "reference", "coarse"])
def test_every_keep_mode_has_it_where_there_is_something_to_say(keep: str) -> None:
    original = (PICTURES / "rgb16_big.tif").read_bytes()
    photo = open_photo(original, "x", 1000)
    data = encode_photo(photo, EncodeOptions(30, keep=keep, effort=1), original).data
    assert read_source(data) == (16, ("16 bits a channel became 8",))


def test_ordinary_photos_have_none() -> None:
    data = encode_photo(SourcePhoto(np.zeros((8, 8, 3), np.uint8)), EncodeOptions(30, effort=1)).data
    assert b"srce" not in data
    assert read_source(data) == (8, ())
