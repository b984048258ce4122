"""Cameras' raw files: through LibRaw as rawpy builds it, an extra. The largest picture embedded is taken
where it is large enough, since the camera made it; else the sensor's data are developed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from dsslic_search.codec.picture import exif
from dsslic_search.codec.picture.formats import jpeg
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import Embedded, Model, Raster
from dsslic_search.core.errors import MissingExtraError

if TYPE_CHECKING:
    import rawpy

EXTRA = 'pip install "dsslic-search[raw]"'
LEAST_SHARE = 0.6
"""Of the sensor's width that an embedded picture must have."""

_TURNS = {0: 1, 1: 2, 2: 4, 3: 3, 4: 5, 5: 8, 6: 6, 7: 7}  # LibRaw's "flip" as EXIF has it


def read(data: bytes, kind: str) -> Header:
    """The header of a raw file. MissingExtraError without rawpy."""
    try:
        import rawpy
    except ImportError as e:
        raise MissingExtraError(f"camera raw files need an extra package: {EXTRA}") from e
    with rawpy.imread(io.BytesIO(data)) as sensor:
        sizes = sensor.sizes
        preview = _preview(sensor, sizes.width)
        turn = _TURNS.get(sizes.flip, 1)
    own = exif.of_tiff(data)
    if preview is not None:
        header = jpeg.read(preview)

        def shown(shrink: int) -> Raster:
            raster = header.decode(shrink)
            note = ("the camera's own picture in a raw file",)
            return Raster(
                raster.samples, raster.model, raster.white, raster.bits, None, raster.space, turn, note
            )

        inner = header.embedded()
        embedded = Embedded(own or inner.exif, inner.xmp, b"", inner.icc)
        return Header(kind, header.width, header.height, shown, lambda: embedded)

    def developed(shrink: int) -> Raster:
        with rawpy.imread(io.BytesIO(data)) as sensor:
            made: Any = sensor.postprocess(use_camera_wb=True, output_bps=16, user_flip=0)
        samples = made[..., 0] if made.shape[2] == 1 else made
        model: Model = "grey" if samples.ndim == 2 else "rgb"
        note = ("developed from a raw file with the camera's white balance",)
        return Raster(np.ascontiguousarray(samples), model, 65535.0, 16, None, None, turn, note)

    return Header(kind, sizes.width, sizes.height, developed, lambda: Embedded(exif=own))


def _preview(sensor: rawpy.RawPy, width: int) -> bytes | None:
    """The embedded JPEG picture, if it is large enough."""
    import rawpy

    try:
        thumbnail = sensor.extract_thumb()
    except rawpy.LibRawError:
        return None
    if thumbnail.format is not rawpy.ThumbFormat.JPEG:
        return None
    frame = jpeg.frame_of(thumbnail.data)
    return thumbnail.data if frame is not None and frame.width >= LEAST_SHARE * width else None
