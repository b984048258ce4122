"""HEIF and HEIC (ISO/IEC 23008-12), as phones write them: through libheif as pillow-heif builds it, an extra,
since its wheels hold x265, which is under the GPL."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture import exif
from dsslic_search.codec.picture.formats import boxes
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import Embedded, Model, Raster, eight_bit_alpha
from dsslic_search.core.errors import MissingExtraError

EXTRA = 'pip install "dsslic-search[heif]"'


def read(data: bytes) -> Header:
    """The header of a HEIF file. MissingExtraError without pillow-heif."""
    try:
        import pillow_heif
    except ImportError as e:
        raise MissingExtraError(f"HEIC and HEIF photos need an extra package: {EXTRA}") from e
    item = boxes.primary_item(data)
    picture = pillow_heif.open_heif(
        data, convert_hdr_to_8bit=False
    )  # its primary picture, turned by the library
    found, xmp = picture.info.get("exif") or b"", picture.info.get("xmp") or b""
    if found and not found.startswith(exif.START):
        found = exif.START + found
    embedded = Embedded(exif=found, xmp=xmp, icc=item.icc if item else b"")

    def decode(shrink: int) -> Raster:
        samples: NDArray[Any] = np.asarray(picture)
        bits = int(picture.info.get("bit_depth") or 8)
        # The library fills sixteen bits with deeper samples.
        white = 65535.0 if samples.dtype == np.uint16 else 255.0
        alpha = None
        if samples.ndim == 3 and samples.shape[2] in (2, 4):
            alpha = eight_bit_alpha(samples[..., -1], white)
            samples = samples[..., :-1]
        if samples.ndim == 3 and samples.shape[2] == 1:
            samples = samples[..., 0]
        model: Model = "grey" if samples.ndim == 2 else "rgb"
        return Raster(np.ascontiguousarray(samples), model, white, bits, alpha, item.space if item else None)

    width, height = picture.size
    return Header("HEIF", width, height, decode, lambda: embedded)
