"""Pictures that Pillow reads right: eight bits a channel, or one bit; WebP that does not move, by libwebp."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.codec.picture import exif, iptc, raw_profile
from dsslic_search.codec.picture.facts import turn_of
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import Embedded, Model, Profile, Raster, Space
from dsslic_search.codec.picture.save import PNG_IPTC, PNG_XMP

# Pillow's own limit is one number for the whole process and below what this program allows; sizes are
# compared with the caller's limit before anything is decoded.
Image.MAX_IMAGE_PIXELS = None

_NAMES = {"MPO": "JPEG"}
_MODELS: dict[str, Model] = {"L": "grey", "RGB": "rgb", "CMYK": "cmyk"}


def read(data: bytes, kind: str) -> Header:
    """The header of a file of the format that Pillow calls ``kind``."""
    picture = Image.open(io.BytesIO(data), formats=(kind,))
    icc = _bytes(picture.info.get("icc_profile"))

    def decode(shrink: int) -> Raster:
        if shrink > 1:
            # Pillow takes the largest scale that gives no less than what is asked for.
            picture.draft(None, (max(1, picture.width // shrink), max(1, picture.height // shrink)))
        if picture.format == "WEBP" and not getattr(picture, "is_animated", False):
            return _still_webp(data, picture, Profile(icc) if icc else None)
        return raster_of(picture, Profile(icc) if icc else None)

    format_ = picture.format or kind
    return Header(_NAMES.get(format_, format_), *picture.size, decode, lambda: embedded_in(picture))


def raster_of(picture: Image.Image, space: Space) -> Raster:
    """Decode a picture. Its EXIF orientation is left to be applied, but for TIFF, which Pillow turns
    itself."""
    picture.load()
    if picture.mode.startswith("I") or picture.mode == "F":
        return replace(deep_grey(np.asarray(picture), picture.info.get("transparency")), space=space)
    opaque, alpha = _split_alpha(picture)
    model = _MODELS[opaque.mode]
    return Raster(np.asarray(opaque), model, 255, 8, alpha, space, _turn(picture))


def _still_webp(data: bytes, picture: Image.Image, space: Space) -> Raster:
    """A WebP picture that does not move. Pillow decodes it as an animation, which takes 20 bytes a pixel."""
    from imagecodecs import webp_decode

    samples: NDArray[np.uint8] = webp_decode(data)
    alpha = np.ascontiguousarray(samples[..., 3]) if samples.shape[2] == 4 else None
    colours = samples if alpha is None else np.ascontiguousarray(samples[..., :3])
    return Raster(colours, "rgb", 255, 8, alpha, space, _turn(picture))


def _turn(picture: Image.Image) -> int:
    """Pillow turns TIFF itself."""
    return 1 if picture.format == "TIFF" else orientation_of(picture)


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
    return turn_of(embedded_in(picture)) or 1


def embedded_in(picture: Image.Image) -> Embedded:
    """What stands beside a picture's pixels; of PNG whole only after they were read."""
    info = picture.info
    found = _bytes(info.get("exif")) or raw_profile.decode(str(info.get("Raw profile type exif", "")))
    if found and not found.startswith(exif.START):
        found = exif.START + found
    packet = _bytes(info.get("xmp")) or _bytes(info.get(PNG_XMP))
    resources = info.get("photoshop")
    if isinstance(resources, dict):
        records = resources.get(iptc.RESOURCE)
    else:
        records = iptc.in_photoshop(raw_profile.decode(str(info.get(PNG_IPTC, ""))))
    return Embedded(found, packet, _bytes(records), _bytes(info.get("icc_profile")))


def _bytes(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""
