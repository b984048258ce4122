"""Opening photos: the one place where files of other formats become pixels. (Writing them is in
:mod:`dsslic_search.codec.picture.save`.)"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from dsslic_search.codec.picture import colour
from dsslic_search.codec.picture.metadata import NO_FACTS, PhotoFacts, kept_bytes, read_facts
from dsslic_search.core.errors import PhotoError
from dsslic_search.core.settings import LARGEST_MAX_PIXELS

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "JPEG2000", "PPM")
"""The formats tried, by Pillow's names. Others that Pillow knows are no photos, and some of them start
outside programs."""

# Pillow's own limit is one number for the whole process and below what this program allows; open_photo
# compares each photo's size with the caller's limit before it decodes anything.
Image.MAX_IMAGE_PIXELS = None

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class SourcePhoto:
    """A photo as it is before encoding: its pixels, upright and in sRGB, and what came with them.

    ``pixels``: uint8 [H, W, 3]. ``alpha``: uint8 [H, W], None where the photo is opaque. ``grey``: the file
    has one colour channel (its three channels here are equal). ``icc``: the colour profile the file came with
    (the pixels are no longer in it), ``exif``: its EXIF data with orientation 1 and without the thumbnail,
    starting with ``Exif\\0\\0``; each b"" if there is none. ``format``: "JPEG", "PNG" …
    """

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    grey: bool = False
    icc: bytes = b""
    exif: bytes = b""
    format: str = ""
    facts: PhotoFacts = field(default_factory=lambda: NO_FACTS)

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])


def open_photo(data: bytes, name: str, max_pixels: int) -> SourcePhoto:
    """Decode the bytes of a photo's file; of a file with several pictures, the first.

    ``name`` is for messages. A photo of more than ``max_pixels`` pixels is refused before it is decoded.
    Colour becomes 8-bit sRGB (see :func:`dsslic_search.codec.picture.colour.to_srgb`). Damaged metadata is
    left out; damaged or missing pixels are an error. Thread-safe. Raises PhotoError, whose message starts
    with ``name``.
    """
    if not data:
        raise PhotoError(f"{name}: the file is empty (0 bytes)")
    with _pillow_silent():
        try:
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError as e:
            raise PhotoError(
                f"{name}: not a photo in a format that can be read here ({', '.join(FORMATS)})"
            ) from e
        except Exception as e:  # damage can make Pillow raise nearly anything
            raise PhotoError(f"{name}: the file's header is damaged ({_reason(e)})") from e
        with picture:
            _check_size(picture.size, name, max_pixels)
            return _decode(picture, name)


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        possible = width * height <= LARGEST_MAX_PIXELS
        advice = (
            f"set DSS_MAX_PIXELS={width * height} to accept it"
            if possible
            else "DSS_MAX_PIXELS cannot allow that many"
        )
        raise PhotoError(
            f"{name}: {width}×{height} pixels ({width * height:,}) are more than the limit of "
            f"{max_pixels:,}; {advice}"
        )


def _decode(picture: Image.Image, name: str) -> SourcePhoto:
    kind = {"MPO": "JPEG", None: ""}.get(picture.format, picture.format or "")
    icc = picture.info.get("icc_profile") or b""
    metadata = _read_exif(picture)
    facts = _facts(metadata)
    try:
        picture.load()
        upright = _upright(picture, metadata)
        grey = upright.mode in colour.GREY_MODES
        pixels, alpha = colour.to_srgb(upright, icc)
    except MemoryError as e:
        raise PhotoError(
            f"{name}: decoding its {picture.width}×{picture.height} pixels takes more memory than there is"
        ) from e
    except Exception as e:  # as above
        raise PhotoError(f"{name}: the {kind} data is damaged or cut short ({_reason(e)})") from e
    return SourcePhoto(pixels, alpha, grey, icc, _kept_exif(metadata, pixels), kind, facts)


def _read_exif(picture: Image.Image) -> Image.Exif | None:
    try:
        return picture.getexif()
    except Exception:  # metadata never stops a photo
        return None


def _upright(picture: Image.Image, metadata: Image.Exif | None) -> Image.Image:
    """Turned as the EXIF orientation says. Pillow itself does so for TIFF and then removes the tag."""
    orientation = None if metadata is None else metadata.get(ExifTags.Base.Orientation)
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    if turn is None:
        return picture
    turned = picture.transpose(turn)
    turned.info = picture.info
    return turned


def _facts(metadata: Image.Exif | None) -> PhotoFacts:
    try:
        return NO_FACTS if metadata is None else read_facts(metadata)
    except Exception:
        return NO_FACTS


def _kept_exif(metadata: Image.Exif | None, pixels: NDArray[np.uint8]) -> bytes:
    try:
        return (
            b"" if metadata is None else kept_bytes(metadata, width=pixels.shape[1], height=pixels.shape[0])
        )
    except Exception:
        return b""


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


_silence = threading.Lock()
_silenced_by = 0
_saved_filters: warnings.catch_warnings[None] | None = None


@contextmanager
def _pillow_silent() -> Iterator[None]:
    """Ignore warnings raised inside Pillow. Filters belong to the whole process: the first thread in sets
    them, the last one out puts the earlier ones back, where ``catch_warnings`` in each thread could leave
    another thread's filters behind."""
    global _silenced_by, _saved_filters
    with _silence:
        if _silenced_by == 0:
            _saved_filters = warnings.catch_warnings()
            _saved_filters.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
        _silenced_by += 1
    try:
        yield
    finally:
        with _silence:
            _silenced_by -= 1
            if _silenced_by == 0 and _saved_filters is not None:
                _saved_filters.__exit__(None, None, None)
                _saved_filters = None
