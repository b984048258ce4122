"""Pictures that Pillow reads right: eight bits a channel, or one bit, whole files."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import Embedded, Model, Profile, Raster, Space

# Pillow's own limit is one number for the whole process and below what this program allows; sizes are
# compared with the caller's limit before anything is decoded.
Image.MAX_IMAGE_PIXELS = None

_NAMES = {"MPO": "JPEG"}
EXIF_START = b"Exif\0\0"
_MODELS: dict[str, Model] = {"L": "grey", "RGB": "rgb", "CMYK": "cmyk"}
_XMP_KEYS = ("xmp", "XML:com.adobe.xmp")
_PHOTOSHOP_IPTC = 0x0404  # of a Photoshop image resource


def read(data: bytes, kind: str) -> Header:
    """The header of a file of the format that Pillow calls ``kind``."""
    picture = Image.open(io.BytesIO(data), formats=(kind,))
    embedded = embedded_in(picture)

    def decode(shrink: int) -> Raster:
        if shrink > 1:
            # Pillow takes the largest scale that gives no less than what is asked for.
            picture.draft(None, (max(1, picture.width // shrink), max(1, picture.height // shrink)))
        return raster_of(picture, Profile(embedded.icc) if embedded.icc else None)

    format_ = picture.format or kind
    return Header(_NAMES.get(format_, format_), *picture.size, decode, embedded)


def raster_of(picture: Image.Image, space: Space) -> Raster:
    """Decode a picture. Its EXIF orientation is left to be applied, but for TIFF, which Pillow turns
    itself."""
    picture.load()
    if picture.mode.startswith("I") or picture.mode == "F":
        return replace(deep_grey(np.asarray(picture), picture.info.get("transparency")), space=space)
    opaque, alpha = _split_alpha(picture)
    model = _MODELS[opaque.mode]
    return Raster(np.asarray(opaque), model, 255, 8, alpha, space, orientation_of(picture))


def _split_alpha(picture: Image.Image) -> tuple[Image.Image, NDArray[np.uint8] | None]:
    """A picture in mode L, RGB or CMYK, and its alpha plane if it has one."""
    if picture.mode in ("1", "L", "LA", "La"):
        if not picture.has_transparency_data:
            return picture.convert("L"), None
        both = picture.convert("LA")
        return both.getchannel("L"), np.array(both.getchannel("A"))
    if picture.has_transparency_data:
        both = picture.convert("RGBA")
        return both.convert("RGB"), np.array(both.getchannel("A"))
    return (picture if picture.mode == "CMYK" else picture.convert("RGB")), None


def deep_grey(samples: NDArray[Any], key: object = None) -> Raster:
    """Grey samples of many bits. 16-bit: 65535 is white. 32-bit integers: so too, unless the largest is more,
    then that is white. Floating point: 1 is white, unless the largest is more. Negative and not-a-number are
    black. ``key``: the sample that is transparent."""
    alpha = np.where(samples == key, 0, 255).astype(np.uint8) if isinstance(key, int) else None
    if samples.dtype.kind == "u" and samples.dtype.itemsize == 2:
        return Raster(samples, "grey", 65535, 16, alpha)
    values = np.nan_to_num(samples.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    white = max(1.0 if samples.dtype.kind == "f" else 65535.0, float(values.max(initial=0.0)))
    return Raster(values, "grey", white, 8 * samples.dtype.itemsize, alpha)


def orientation_of(picture: Image.Image) -> int:
    """EXIF's number for how a picture is to be turned, 1 where nothing sensible is said."""
    try:
        turn = picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # metadata never stops a photo
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def embedded_in(picture: Image.Image) -> Embedded:
    """What stands beside a picture's pixels."""
    info = picture.info
    xmp = next((info[key] for key in _XMP_KEYS if info.get(key)), b"")
    if isinstance(xmp, str):
        xmp = xmp.encode()
    icc = info.get("icc_profile")
    return Embedded(
        exif=_exif_bytes(picture),
        xmp=xmp if isinstance(xmp, bytes) else b"",
        iptc=_iptc_bytes(picture),
        icc=icc if isinstance(icc, bytes) else b"",
    )


def _exif_bytes(picture: Image.Image) -> bytes:
    exif = picture.info.get("exif")
    if not isinstance(exif, bytes) or not exif:
        return b""
    return exif if exif.startswith(EXIF_START) else EXIF_START + exif


def _iptc_bytes(picture: Image.Image) -> bytes:
    found = picture.info.get("photoshop")
    records = found.get(_PHOTOSHOP_IPTC) if isinstance(found, dict) else None
    return records if isinstance(records, bytes) else b""


def orientation_of_bytes(exif: bytes) -> int:
    """As :func:`orientation_of`, of EXIF data alone."""
    read = Image.Exif()
    try:
        read.load(exif)
        turn = read.get(ExifTags.Base.Orientation)
    except Exception:  # as above
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


_STRUCTURE = frozenset({
    ExifTags.Base.StripOffsets, ExifTags.Base.StripByteCounts, ExifTags.Base.TileOffsets,
    ExifTags.Base.TileByteCounts, ExifTags.Base.ColorMap, ExifTags.Base.SubIFDs, ExifTags.Base.JPEGTables,
    ExifTags.Base.InterColorProfile, ExifTags.Base.XMLPacket, ExifTags.Base.IPTCNAA,
    ExifTags.Base.ImageResources,
})  # fmt: skip


def tiff_exif(data: bytes) -> bytes:
    """The EXIF data of a file that is TIFF itself, without what describes its pixels."""
    try:
        with Image.open(io.BytesIO(data), formats=("TIFF",)) as picture:
            exif = picture.getexif()
            for tag in _STRUCTURE & set(exif):
                del exif[tag]
            return EXIF_START + exif.tobytes().removeprefix(EXIF_START)
    except Exception:  # as above
        return b""
