"""ICC profiles that are coded in JPEG XL codestreams."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from imagecodecs import jpegxl_decode

from dsslic_search.codec import jpeg_xl, jpeg_xl_profile
from dsslic_search.codec.picture.open import open_photo
from dsslic_search.core.errors import FormatError
from tests.codec.picture.test_open import linear_profile

LINEAR = base64.b85decode(
    "{|W&?2yYDo66OJroRx-!vFo<HFG|dZF^54zY-"
    "1w^++?1540}E~NHCzt5bkW_)^=x;IJ&lm93359TEhWk9c`Tv;3u9_bH;5Jx3~{r!2gA%6+g2$)OF%2m!&P8r3WZlo61U0Gu7"
    "qWyuW09j2_5k9p3?tzQX3prk<kG!v<J8TMp1vwzQNrhwNEd?@>*su?`jBDR2M&&8NJoH-"
    "Y*=`uA^NsDJ<ZiC~Wl0bka>fnacT*n_~3K5!lZvNZ(7F3_z5TrB%({(B5ZQDs}+>;R3rf|NVR)Pyo=V2tL=MGgo80RT(_OBk"
    "E&PC-Ec92_r3*)<O^luRH1;2qDrH{w8~&q~55A~@#|zP>NcT+BMeH_!<|3J|53?2J;>XXRb_3fZOEtkjKLFXLqMM@fRTE<Pf"
    "Tz_~po$b8MUXY;wm#RGb0g-w1LdHjWkHZTrgtzdy9v;08>lNc*Ek{oc3{-K2MXQqcC{qr+j(*^J|UDE~dGffu"
)
"""A lossless JPEG XL file, 12 × 8, whose profile is `linear_profile`; written by libjxl 0.7 (libvips)."""
AT = jpeg_xl.describe(LINEAR).profile_at


def undated(icc: bytes) -> bytes:
    """A profile but for when it was made (ICC.1, 7.2.1)."""
    return icc[:24] + icc[36:]


def test_the_profile_is_whole() -> None:
    described = jpeg_xl.describe(LINEAR)
    assert (described.has_profile, described.is_xyb) == (True, False)
    assert undated(jpeg_xl_profile.read(LINEAR, AT)) == undated(linear_profile())


@pytest.mark.parametrize(
    ("place", "in_file", "srgb"),
    [
        ((0, 0), (230, 30, 40), (244, 96, 110)),
        ((0, 3), (40, 200, 60), (110, 229, 133)),
        ((3, 3), (190, 190, 190), (224, 224, 224)),
        ((4, 1), (180, 120, 90), (219, 182, 160)),
    ],
)
def test_pixels_come_by_it(
    place: tuple[int, int], in_file: tuple[int, int, int], srgb: tuple[int, int, int]
) -> None:
    """IEC 61966-2-1 of light, which the numbers in the file are."""
    photo = open_photo(LINEAR, "x", 1000)
    assert tuple(jpegxl_decode(LINEAR)[place]) == in_file
    expected = [255 * (1.055 * (number / 255) ** (1 / 2.4) - 0.055) for number in in_file]
    assert np.abs(photo.pixels[place] - np.array(expected)).max() <= 1
    assert tuple(photo.pixels[place]) == srgb
    assert photo.remarks == ()
    assert photo.profile == "test built-in"


def test_damage_is_told_and_counts_as_srgb() -> None:
    told = 0
    for at in range(AT // 8 + 1, len(LINEAR) - 60, 7):
        damaged = LINEAR[:at] + bytes((LINEAR[at] ^ 0x5A,)) + LINEAR[at + 1 :]
        try:
            jpeg_xl_profile.read(damaged, AT)
        except FormatError:
            told += 1
    assert told > 10
    for end in range(AT // 8 + 1, 200, 11):
        with pytest.raises(FormatError):
            jpeg_xl_profile.read(LINEAR[:end], AT)
