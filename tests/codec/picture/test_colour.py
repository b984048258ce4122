"""Colours are converted in bands, which is what the whole picture gives at once."""

from __future__ import annotations

import io

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
