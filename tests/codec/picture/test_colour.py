"""Colours are converted in bands, which is what the whole picture gives at once."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from dsslic_search.codec.picture import colour
from dsslic_search.codec.picture.raster import Coded, Model, Profile, Raster, Space
from tests.codec.picture.test_open import linear_profile

SAMPLES = np.random.default_rng(4).integers(0, 256, (37, 23, 3), np.uint8)


@pytest.mark.parametrize(
    ("samples", "model", "space"),
    [
        (SAMPLES, "rgb", Profile(linear_profile())),
        (SAMPLES.astype(np.uint16) * 257, "rgb", Profile(linear_profile())),
        (SAMPLES, "rgb", Coded(12, 13)),
        (SAMPLES, "rgb", Coded(9, 16)),
        (SAMPLES[..., 0], "grey", Coded(1, 8)),
        (SAMPLES, "lab", None),
        (SAMPLES.astype(np.float32), "rgb", None),
    ],
)
def test_bands_give_what_the_whole_does(
    samples: np.ndarray, model: Model, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    raster = Raster(samples, model, 65535 if samples.dtype == np.uint16 else 255, 8, space=space)
    whole = colour.to_srgb(raster)
    monkeypatch.setattr(colour, "ROWS_PIXELS", 50)
    banded = colour.to_srgb(raster)
    assert np.array_equal(banded.pixels, whole.pixels)
    assert banded.reductions == whole.reductions


def test_a_profile_does_what_littlecms_does() -> None:
    source = ImageCms.ImageCmsProfile(io.BytesIO(linear_profile()))
    wanted = ImageCms.profileToProfile(
        Image.fromarray(SAMPLES),
        source,
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        "RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    shown = colour.to_srgb(Raster(SAMPLES, "rgb", 255, 8, space=Profile(linear_profile())))
    assert np.array_equal(shown.pixels, np.asarray(wanted))


def test_a_profile_of_inks_is_followed_to_each_of_its_points() -> None:
    """Four by four by four by four points, with a colour of its own at each; beside arithmetic."""
    rng = np.random.default_rng(1)
    parts = [rng.integers(low, high, (4,) * 4) for low, high in ((90, 200), (110, 146), (110, 146))]
    points = np.stack(parts, -1).astype(np.uint8)  # CIELAB, 8 bits
    steps = np.array([0, 85, 170, 255], np.uint8)
    inks = np.stack(np.meshgrid(*[steps] * 4, indexing="ij"), -1).reshape(16, 16, 4)
    shown = colour.to_srgb(Raster(inks, "cmyk", 255, 8, space=Profile(profile_of_inks(points)))).pixels
    lightness, a, b = np.moveaxis(points.reshape(16, 16, 3).astype(float), -1, 0)
    y = (lightness / 2.55 + 16) / 116
    ratios = np.stack([y + (a - 128) / 500, y, y - (b - 128) / 200], -1)
    xyz = np.where(ratios > 6 / 29, ratios**3, 3 * (6 / 29) ** 2 * (ratios - 4 / 29)) * (0.9642, 1, 0.8249)
    light = np.clip(xyz @ np.array(XYZ_D50_TO_SRGB).T, 0, 1)
    wanted = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(shown - wanted).max() < 1.01


XYZ_D50_TO_SRGB = [
    [3.1338561, -1.6168667, -0.4906146],
    [-0.9787684, 1.9161415, 0.0334540],
    [0.0719453, -0.2289914, 1.4052427],
]


def profile_of_inks(points: np.ndarray) -> bytes:
    """An ICC profile (version 2.4, tag mft1) from CMYK to CIELAB: uint8[4, 4, 4, 4, 3]."""
    same = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    table = struct.pack(">4sIBBBB", b"mft1", 0, 4, 3, 4, 0) + matrix + 4 * same + points.tobytes() + 3 * same
    white = 63190, 65536, 54061
    tags = {
        b"A2B0": table,
        b"wtpt": struct.pack(">4sI3i", b"XYZ ", 0, *white),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"desc": struct.pack(">4sII", b"desc", 0, 5) + b"inks\0" + bytes(79),
    }
    listed, body, start = b"", b"", 132 + 12 * len(tags)
    for name, tag in tags.items():
        listed += struct.pack(">4sII", name, start + len(body), len(tag))
        body += tag
    head = struct.pack(
        ">I4sI4s4s4s12x4s", start + len(body), b"", 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp"
    )
    head = head.ljust(68, b"\0") + struct.pack(">3i", *white)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + listed + body
