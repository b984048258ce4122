"""Pictures smaller than the encoder's blocks, at every effort."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.options import EncodeOptions
from tests.pictures import crop


@pytest.mark.parametrize("effort", range(1, 10))
@pytest.mark.parametrize("size", [(1, 1), (9, 8), (24, 24), (33, 200)])
def test_small_photos_are_encoded_at_every_effort(size: tuple[int, int], effort: int):
    photo = crop(size)
    data = encode_photo(photo, EncodeOptions(90, effort=effort)).data
    assert np.abs(decode_stage(data).pixels.astype(int) - photo.pixels).mean() < 4
