"""Which of PNG's chunks says what its numbers mean."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from dsslic_search.codec.picture.open import open_photo


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize(
    ("code_points", "level"),
    [
        ((2, 2, 0, 1), 188),  # unspecified: gAMA counts, 0.5 of linear light is level 188 of sRGB
        ((1, 13, 0, 1), 128),  # sRGB goes before gAMA
        ((1, 13, 0, 0), 188),  # limited range is not for PNG
    ],
)
def test_code_points_that_say_nothing_leave_gamma_its_word(code_points: tuple[int, ...], level: int) -> None:
    file = BytesIO()
    Image.new("RGB", (4, 4), (128, 128, 128)).save(file, "PNG")
    data = file.getvalue()
    end_of_header = 8 + 25
    linear = chunk(b"gAMA", struct.pack(">I", 100_000))
    data = data[:end_of_header] + chunk(b"cICP", bytes(code_points)) + linear + data[end_of_header:]
    assert np.unique(open_photo(data, "x", 100).pixels).tolist() == [level]
