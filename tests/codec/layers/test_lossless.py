"""Lossless files: every pixel exact, whatever the photo, and hostile layers refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dsslic_search.codec import container
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layers import lossless, residual
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.core.errors import FormatError
from dsslic_search.core.settings import LOSSLESS
from tests.pictures import crop, sample

RNG = np.random.default_rng(8)


def chunk(codestream: bytes) -> Chunk:
    return residual.LAYER.chunk(residual.JPEG_XL, codestream)


def noisy(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 2 + y, 3 * y, 255 - x], -1) % 256 + RNG.normal(0, 5, (height, width, 3))
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("size", [(1, 1), (1, 37), (33, 200), (65, 97)])
@pytest.mark.parametrize("grey", [False, True])
def test_every_pixel_is_exact(size, grey):
    wanted = crop(size, grey)
    alpha = RNG.integers(0, 256, size).astype(np.uint8)
    data = encode_photo(replace(wanted, alpha=alpha), EncodeOptions(LOSSLESS, effort=4)).data
    shown = decode_stage(data)
    assert np.array_equal(shown.pixels, wanted.pixels[..., 0] if grey else wanted.pixels)
    assert np.array_equal(shown.alpha, alpha)
    contents = container.read(data)
    assert contents.header.quality == LOSSLESS
    assert contents.header.finenet == "0" * 16
    assert contents.find(residual.LAYER.kind).codec == residual.JPEG_XL


def test_a_real_photo_is_exact_and_the_other_stages_are_there():
    photo = sample(side=160)
    wanted = photo.pixels
    data = encode_photo(photo, EncodeOptions(LOSSLESS, effort=5)).data
    assert np.array_equal(decode_stage(data).pixels, wanted)
    assert len(data) < 0.75 * wanted.size
    for stage in ("map", "coarse"):
        assert (
            decode_stage(data[: container.read_contents(data).stage_bytes(stage)], stage).pixels.shape[:2]
            == wanted.shape[:2]
        )


def test_more_effort_is_not_larger():
    pixels = noisy(120, 160)
    assert len(lossless.encode(pixels, 7).data) <= len(lossless.encode(pixels, 1).data)


def test_layers_of_another_size_depth_or_kind_are_refused():
    import imagecodecs

    pixels = noisy(20, 30)
    sound = lossless.encode(pixels, 3).data
    assert np.array_equal(lossless.decode(chunk(sound), (20, 30), grey=False), pixels)
    deep = bytes(imagecodecs.jpegxl_encode(pixels.astype(np.uint16) * 200, lossless=True, usecontainer=False))
    hostile = [
        (sound, (20, 31), False),
        (sound, (20, 30), True),
        (lossless.encode(pixels[..., 0].copy(), 3).data, (20, 30), False),
    ]
    hostile += [
        (deep, (20, 30), False),
        (sound[: len(sound) // 2], (20, 30), False),
        (b"", (20, 30), False),
        (bytes(50), (20, 30), False),
    ]
    for data, size, grey in hostile:
        with pytest.raises(FormatError):
            lossless.decode(chunk(data), size, grey)


def test_damage_is_a_format_error_or_a_picture_of_the_size():
    sound = lossless.encode(noisy(40, 40), 3).data
    for _ in range(60):
        damaged = bytearray(sound)
        damaged[int(RNG.integers(len(damaged)))] ^= int(RNG.integers(1, 256))
        try:
            assert lossless.decode(chunk(bytes(damaged)), (40, 40), grey=False).shape == (40, 40, 3)
        except FormatError:
            continue
