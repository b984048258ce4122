"""Opening photos: the one place where files of other formats become pixels. (Writing them is in
:mod:`dsslic_search.codec.picture.save`.)"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture import colour
from dsslic_search.codec.picture.facts import kept, turn_of
from dsslic_search.codec.picture.formats import pillow
from dsslic_search.codec.picture.formats.signature import RAW, kind_of
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import Embedded
from dsslic_search.codec.picture.reasons import reason
from dsslic_search.core.errors import DSSError, PhotoError, PixelsError, Remedy
from dsslic_search.core.settings import LARGEST_MAX_PIXELS

_READERS: Mapping[str, str] = {  # modules of `formats`; other kinds are Pillow's
    "JPEG": "jpeg",
    "PNG": "png",
    "TIFF": "tiff",
    "AVIF": "avif",
    "HEIF": "heif",
    "JPEG2000": "jpeg2000",
    "JPEGXL": "jpegxl",
}
_BY_PILLOW = ("WEBP", "GIF", "BMP", "PPM")
FORMATS = (*_READERS, *_BY_PILLOW, "RAW")
"""The formats that are read."""
_KEPT_ANYWAY = f"have ingest keep it as it is with {Remedy.EVEN_UNDECODED}"
A_VIDEO = f"a video, not a photo; ingest takes frames of it with {Remedy.FRAMES}"


@dataclass(frozen=True)
class SourcePhoto:
    """A photo as it is before encoding: its pixels, upright and in sRGB, and what came with them.

    ``pixels``: uint8 [H, W, 3]. ``alpha``: uint8 [H, W], None where the photo is opaque. ``grey``: the file
    has one colour channel (its three channels here are equal). ``format``: "JPEG", "PNG" … ``embedded``: what
    stands beside the pixels in the file, ``kept``: what of it is kept with these. ``bits``: of a channel in
    the file, and ``profile``, the name of the colour space that it came in, None and "" where that is not
    known. ``remarks``: what the pixels do not hold of the file's, and what a person should know of how they
    were read, in words. ``full_size``: (height, width) of the whole upright photo, of which ``pixels`` may be
    a reduced picture. ``clip_bytes``: of the clip in the file of a motion photo, 0 for none.
    """

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None = None
    grey: bool = False
    format: str = ""
    embedded: Embedded = field(default_factory=Embedded)
    kept: Embedded = field(default_factory=Embedded)
    bits: int | None = None
    profile: str = ""
    remarks: tuple[str, ...] = ()
    full_size: tuple[int, int] = (0, 0)
    clip_bytes: int = 0

    def __post_init__(self) -> None:
        if self.full_size == (0, 0):
            height, width = self.pixels.shape[:2]
            object.__setattr__(self, "full_size", (height, width))

    @property
    def height(self) -> int:
        """Of the whole photo, in pixels."""
        return self.full_size[0]

    @property
    def width(self) -> int:
        """Of the whole photo, in pixels."""
        return self.full_size[1]


def open_photo(data: bytes, name: str, max_pixels: int, *, shrink: int = 1) -> SourcePhoto:
    """Decode the bytes of a photo's file; of a file with several pictures, the first that is no reduced copy.

    ``name`` is for messages. A photo of more than ``max_pixels`` pixels is refused before it is decoded.
    Colour becomes 8-bit sRGB (see :func:`dsslic_search.codec.picture.colour.to_srgb`). ``shrink``: 2, 4 or 8
    lets formats that can (JPEG) decode every side so many times smaller. Damaged metadata is left out;
    damaged or missing pixels are an error. Thread-safe. Raises PhotoError, whose message starts with
    ``name``."""
    return decoded(read_header(data, name, max_pixels), name, shrink=shrink)


def decoded(header: Header, name: str, *, shrink: int = 1) -> SourcePhoto:
    """The photo of which the header was read, as :func:`open_photo` gives it."""
    with _pillow_silent():
        try:
            raster = header.decode(_allowed(shrink, header))
            colours = colour.to_srgb(raster)
            pixels, alpha = _upright(colours.pixels, raster.turn), raster.alpha
            if alpha is not None:
                alpha = None if alpha.min(initial=255) == 255 else _upright(alpha, raster.turn)
        except MemoryError as e:
            raise PhotoError(
                f"{name}: decoding its {header.width}×{header.height} pixels takes more memory than there is"
            ) from e
        except Exception as e:  # damage can make libraries raise nearly anything
            raise PhotoError(f"{name}: the {header.format} data is damaged or cut short ({reason(e)})") from e
        embedded, companions = header.embedded(), header.companions()
    height, width = pixels.shape[:2]
    if shrink > 1 and raster.samples.shape[:2] != (header.height, header.width):
        height, width = header.height, header.width
        if raster.turn >= 5:
            height, width = width, height
    return SourcePhoto(
        pixels,
        alpha,
        raster.model == "grey",
        header.format,
        embedded,
        kept(embedded, width, height),
        raster.bits,
        colour.name_of(raster.space),
        (*companions.notes(header.format), *raster.notes, *colours.reductions),
        (height, width),
        companions.clip_bytes,
    )


def _allowed(shrink: int, header: Header) -> int:
    """Of a picture that will be turned, no more than divides its sides: the rows and columns that the last
    blocks lack would be missing on the other side."""
    turned = shrink > 1 and (turn_of(header.embedded()) or 1) != 1
    while turned and shrink > 1 and (header.width % shrink or header.height % shrink):
        shrink //= 2
    return shrink


def read_header(data: bytes, name: str, max_pixels: int) -> Header:
    """What a photo's file says before it is decoded. Raises PhotoError as :func:`open_photo` does."""
    if not data:
        raise PhotoError(f"{name}: the file is empty (0 bytes)")
    kind = kind_of(data)
    if kind is None:
        raise PhotoError(f"{name}: not a picture; formats that can be read are {', '.join(FORMATS)}")
    with _pillow_silent():
        try:
            header = _read(data, kind)
        except DSSError as e:  # a package that is missing
            raise PhotoError(f"{name}: {e}, or {_KEPT_ANYWAY}") from e
        except Exception as e:  # damage can make libraries raise nearly anything
            raise PhotoError(f"{name}: the file's header is damaged ({reason(e)})") from e
    if kind == "video":
        raise PhotoError(f"{name}: {A_VIDEO}")
    if header is None:
        raise PhotoError(
            f"{name}: {kind} files cannot be read here; convert it to one of {', '.join(FORMATS)}, or "
            f"{_KEPT_ANYWAY}"
        )
    sides: tuple[Any, ...] = header.width, header.height  # damage can make libraries tell nearly anything
    if not all(isinstance(side, Integral) and int(side) > 0 for side in sides):
        raise PhotoError(f"{name}: the file's header is damaged (it tells no size)")
    check_size(header.width, header.height, name, max_pixels)
    return header


def _read(data: bytes, kind: str) -> Header | None:
    if kind in _BY_PILLOW:
        return pillow.read(data, kind)
    module = _READERS.get(kind)
    if module is None:
        if kind not in RAW:
            return None
        from dsslic_search.codec.picture.formats import raw

        return raw.read(data, kind)
    found: Header = import_module(f"dsslic_search.codec.picture.formats.{module}").read(data)
    return found


def check_size(width: int, height: int, name: str, max_pixels: int) -> None:
    """PixelsError for a photo of more than ``max_pixels`` pixels."""
    if width * height > max_pixels:
        possible = width * height <= LARGEST_MAX_PIXELS
        advice = (
            f"set DSS_MAX_PIXELS={width * height} to accept it"
            if possible
            else "DSS_MAX_PIXELS cannot allow that many"
        )
        raise PixelsError(
            f"{name}: {width}×{height} pixels ({width * height:,}) are more than the limit of "
            f"{max_pixels:,}; {advice}"
        )


def _upright(plane: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """[H, W, …] turned as an EXIF orientation says."""
    if turn in (5, 6, 7, 8):
        plane = plane.swapaxes(0, 1)
    if turn in (3, 4, 7, 8):
        plane = plane[::-1]
    if turn in (2, 3, 6, 7):
        plane = plane[:, ::-1]
    return np.ascontiguousarray(plane)


_silence = threading.Lock()
_silenced_by = 0
_saved_filters: warnings.catch_warnings[None] | None = None


@contextmanager
def _pillow_silent() -> Iterator[None]:
    """Ignore warnings raised inside libraries that read pictures. Filters belong to the whole process: the
    first thread in sets them, the last one out puts the earlier ones back, where ``catch_warnings`` in each
    thread could leave another thread's filters behind."""
    global _silenced_by, _saved_filters
    with _silence:
        if _silenced_by == 0:
            _saved_filters = warnings.catch_warnings()
            _saved_filters.__enter__()
            warnings.filterwarnings("ignore", module=r"(PIL|tifffile|imagecodecs|numpy)(\.|$)")
        _silenced_by += 1
    try:
        yield
    finally:
        with _silence:
            _silenced_by -= 1
            if _silenced_by == 0 and _saved_filters is not None:
                _saved_filters.__exit__(None, None, None)
                _saved_filters = None
