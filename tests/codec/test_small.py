"""Pictures smaller than the encoder's blocks, at every effort."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto


@pytest.mark.parametrize("effort", range(1, 10))
@pytest.mark.parametrize("size", [(1, 1), (3, 7), (24, 24), (17, 200)])
def test_small_photos_are_encoded_at_every_effort(size: tuple[int, int], effort: int):
    y, x = np.mgrid[: size[0], : size[1]]
    pixels = np.stack([x * 3 % 256, y * 5 % 256, (x + y) * 2 % 256], -1).astype(np.uint8)
    data = encode_photo(SourcePhoto(pixels), EncodeOptions(90, effort=effort)).data
    assert np.abs(decode_stage(data).pixels.astype(int) - pixels).mean() < 4
