"""Writing decoded pictures and label maps to files. Every file appears whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dsslic_search.codec.picture import raw_profile
from dsslic_search.codec.picture.iptc import as_photoshop
from dsslic_search.codec.picture.raster import Embedded
from dsslic_search.codec.picture.xmp import WRAPPER
from dsslic_search.core.errors import DSSError, UsageError
from dsslic_search.core.output import NEW_FILES, STANDARD, Outputs
from dsslic_search.core.vocabulary import Vocabulary, default

_OPTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"lossless": True, "exact": True}),
}
PNG_XMP = "XML:com.adobe.xmp"
PNG_IPTC = "Raw profile type iptc"  # as ImageMagick and ExifTool write it: PNG itself has no place for it
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_RESOURCES = b"Photoshop 3.0\0"
_WEBP_MAX_SIDE = 16383
_JPEG_MAX_SIDE = 65535


def save_picture(
    pixels: NDArray[np.uint8],
    path: Path,
    *,
    alpha: NDArray[np.uint8] | None = None,
    beside: Embedded | None = None,
    outputs: Outputs = NEW_FILES,
    ending: str | None = None,
) -> int:
    """Write pixels, uint8 [H, W, 3] or [H, W] (greyscale), with ``alpha`` uint8 [H, W] if there is one;
    returns the bytes of the file.

    The format follows ``ending``, or that of the name: .png and .webp lossless, .jpg at quality 95 without
    chroma subsampling; on standard output it is PNG unless told. The pixels are sRGB.
    ``beside``: metadata as they are kept with upright pixels, whose profile is not written;
    WebP has no place for IPTC's records.
    Raises UsageError for an extension that is none of these and a format that cannot hold the picture,
    DSSError when writing fails.
    """
    if ending is None:
        check_name(path, *_OPTIONS)
    kind, options = _OPTIONS[ending or ending_of(path)]
    limit = {"WEBP": _WEBP_MAX_SIDE, "JPEG": _JPEG_MAX_SIDE}.get(kind)
    if limit is not None and max(pixels.shape[:2]) > limit:
        raise UsageError(f"{path}: {kind} holds at most {limit} pixels a side; choose .png")
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if alpha is not None:
        if kind == "JPEG":
            raise UsageError(f"{path}: JPEG cannot hold the photo's transparency; choose .png or .webp")
        picture.putalpha(Image.fromarray(np.ascontiguousarray(alpha)))
    metadata = _metadata(kind, beside or Embedded())
    buffer = io.BytesIO()
    try:
        picture.save(buffer, kind, **options, **metadata)
    except OSError as e:  # of Pillow's encoder, not of the disk
        raise DSSError(f"{path}: {kind} cannot hold this picture ({e}); choose .png") from e
    outputs.write(path, buffer.getvalue())
    return buffer.tell()


def _metadata(kind: str, beside: Embedded) -> dict[str, Any]:
    """Options for Pillow that write metadata into a file of some format."""
    packet = b"".join((WRAPPER[0], beside.xmp, WRAPPER[1])) if beside.xmp else b""
    records = as_photoshop(beside.iptc) if beside.iptc else b""
    options: dict[str, Any] = {"exif": beside.exif} if beside.exif else {}
    match kind:
        case "PNG":
            texts = PngInfo()
            if packet:
                texts.add_itxt(PNG_XMP, packet.decode())
            if records:
                texts.add_text(PNG_IPTC, raw_profile.encode("iptc", records), zip=True)
            options["pnginfo"] = texts
        case "JPEG":
            options["extra"] = _segment(1, _JPEG_XMP, packet) + _segment(13, _JPEG_RESOURCES, records)
        case _ if packet:
            options["xmp"] = packet
    return options


def _segment(number: int, name: bytes, data: bytes) -> bytes:
    """An application's segment of JPEG; none for no data."""
    length = (2 + len(name) + len(data)).to_bytes(2, "big")
    return bytes((0xFF, 0xE0 + number)) + length + name + data if data else b""


def check_name(path: Path, *suffixes: str) -> None:
    """Raise UsageError unless the name ends in one of ``suffixes`` (by default those that pictures are saved
    as), or is that of standard output."""
    wanted = suffixes or tuple(_OPTIONS)
    if ending_of(path) not in wanted:
        raise UsageError(f"{path}: cannot write that format; end the name in {', '.join(wanted)}")


def ending_of(path: Path) -> str:
    """The ending that tells the format of a picture's file; on standard output it is a PNG."""
    return ".png" if path == STANDARD else path.suffix.lower()


def save_label_map(
    label_map: NDArray[np.uint8],
    path: Path,
    vocabulary: Vocabulary | None = None,
    *,
    outputs: Outputs = NEW_FILES,
) -> int:
    """Write a label map, uint8 [h, w], as a palette PNG: pixel values are class ids, the palette is the
    vocabulary's colours (by default those of the vocabulary that ships). Returns the bytes of the file.

    Raises UsageError unless the name ends in .png, DSSError when writing fails.
    """
    check_name(path, ".png")
    picture = Image.fromarray(np.ascontiguousarray(label_map))
    picture.putpalette((vocabulary or default()).palette())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    outputs.write(path, buffer.getvalue())
    return buffer.tell()
