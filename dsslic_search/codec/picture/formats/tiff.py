"""TIFF (revision 6.0 and Adobe's supplements): what Pillow reads right through Pillow, other depths, layouts
and colours through tifffile, whose codecs are let at a file in another process."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffFile

from dsslic_search.codec.picture import apart, exif
from dsslic_search.codec.picture.formats import pillow, raw, tiff_pages, ycbcr
from dsslic_search.codec.picture.header import Header
from dsslic_search.codec.picture.raster import (
    CHANNELS,
    Embedded,
    Measured,
    Model,
    Profile,
    Raster,
    Space,
    eight_bit_alpha,
    unmultiplied,
)
from dsslic_search.core.fact import IFD0

if TYPE_CHECKING:
    from tifffile import TiffPage

_REDUCED = 1  # bit of NewSubfileType
_MASK = 4
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCC, _LAB, _ICC_LAB = 0, 1, 2, 3, 5, 6, 8, 9
_MODELS: dict[int, Model] = {
    _WHITE_IS_ZERO: "grey",
    _BLACK_IS_ZERO: "grey",
    _RGB: "rgb",
    _PALETTE: "rgb",
    _CMYK: "cmyk",
    _YCC: "rgb",
    _LAB: "lab",
    _ICC_LAB: "lab",
}
_SENSOR = frozenset({32803, 34892})  # colour filter array, and linear raw, of DNG
_DNG_VERSION, _XMP, _IPTC, _PROFILE, _ORIENTATION = 50706, 700, 33723, 34675, 274
_WHITE_POINT = 318
_DESCRIPTION = 270
_SHAPE = re.compile(r'\{"shape": \[[\d, ]*\][^{}]*\}\s*')
_UNSPECIFIED, _ASSOCIATED, _UNASSOCIATED = 0, 1, 2
_THUMBNAIL_SHARE = 16
"""A first picture of fewer than 1 / 16 of the pixels of the largest is its thumbnail, whether it says so or
not."""
_COMPRESSIONS_OF_PILLOW = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})
"""None, CCITT's, LZW, JPEG, Deflate and PackBits: others are not in every build of Pillow."""

_APART = apart.Apart(tiff_pages.__name__)


def read(data: bytes) -> Header:
    """The header of a TIFF file; of a camera's raw file in TIFF's clothes, that of :mod:`raw`."""
    with TiffFile(io.BytesIO(data)) as file:
        pages = list(tiff_pages.pages_of(file))
        if not pages:
            raise ValueError("no picture in it")
        if any(page.photometric in _SENSOR for page in pages) or _DNG_VERSION in pages[0].tags:
            return raw.read(data, "DNG" if _DNG_VERSION in pages[0].tags else "RAW")
        number = _chosen(pages)
        page = pages[number]
        embedded = _embedded(data, page, pages[0])
        notes = (f"picture {number + 1} of {len(pages)}",) if number else ()
        simple = number == 0 and _is_simple(page)

    def decode(shrink: int) -> Raster:
        if simple:
            return replace(pillow.read(data, "TIFF").decode(1), bits=page.bitspersample)
        with TiffFile(io.BytesIO(data)) as file:
            again = list(tiff_pages.pages_of(file))[number]
            return _decode(again, data, number, embedded.icc, notes)

    def elsewhere() -> int:
        return 0 if simple else apart.bytes_taken(len(data), page.nbytes)

    return Header("TIFF", page.imagewidth, page.imagelength, decode, lambda: embedded, elsewhere=elsewhere)


def _chosen(pages: Sequence[TiffPage]) -> int:
    """The number of the picture that the file is of: the first that is no reduced copy and no mask."""
    whole = [i for i, page in enumerate(pages) if not page.subfiletype & (_REDUCED | _MASK)] or list(
        range(len(pages))
    )
    areas = {i: pages[i].imagewidth * pages[i].imagelength for i in whole}
    largest = max(whole, key=lambda i: areas[i])
    return whole[0] if areas[whole[0]] * _THUMBNAIL_SHARE >= areas[largest] else largest


def _is_simple(page: TiffPage) -> bool:
    """Whether Pillow reads a first picture right."""
    bits = page.bitspersample
    grey = page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO)
    return (
        page.photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _CMYK, _YCC)
        and page.compression in _COMPRESSIONS_OF_PILLOW
        and page.sampleformat in (1, None)
        and page.planarconfig in (1, None)
        and (bits == 8 or (bits in (1, 2, 4) and page.samplesperpixel == 1))
        and page.samplesperpixel <= (4 if page.photometric == _CMYK or not grey else 2)
        and page.imagedepth == 1
    )


def _embedded(data: bytes, page: TiffPage, first: TiffPage) -> Embedded:
    def tag(number: int) -> bytes:
        for where in (page, first):
            value = where.tags.valueof(number)
            if isinstance(value, str):
                return value.encode()
            if isinstance(value, bytes):
                return value
            if isinstance(value, (tuple, np.ndarray)):
                return np.asarray(value).tobytes()
        return b""

    return Embedded(exif=_said(data), xmp=tag(_XMP), iptc=tag(_IPTC), icc=tag(_PROFILE))


def _said(data: bytes) -> bytes:
    """EXIF data without what tifffile itself writes as a description of any array: its shape."""
    found = exif.read(exif.of_tiff(data))
    main = dict(found.directories.get(IFD0, {}))
    told = main.get(_DESCRIPTION)
    if told is not None and _SHAPE.fullmatch(told.text or ""):
        del main[_DESCRIPTION]
    return exif.write({**found.directories, IFD0: main})


def _decode(page: TiffPage, data: bytes, number: int, icc: bytes, notes: tuple[str, ...]) -> Raster:
    """``page``: that of its number in the file."""
    if page.photometric not in _MODELS:
        raise ValueError(f"colours of kind {int(page.photometric)} (PhotometricInterpretation) are not read")
    model = _MODELS[page.photometric]
    samples = _interleaved(page, data, number)
    if page.photometric == _PALETTE:
        samples, white, bits = _looked_up(samples[..., 0], page.colormap), 65535.0, 8
    else:
        samples, white, bits = _scaled(samples, page)
    count = CHANNELS[model]
    if samples.shape[2] < count:
        raise ValueError(f"{samples.shape[2]} channels are too few for its colours")
    colours, alpha = samples[..., :count], None
    if samples.shape[2] > count:
        colours, alpha = _opacity(colours, samples[..., count], white, _extra(page))
    if page.photometric == _WHITE_IS_ZERO:
        colours = np.asarray(white, colours.dtype) - colours
    space: Space = Profile(icc) if icc else None
    if model == "lab":
        colours, white = _lab(colours, page.photometric == _ICC_LAB), 100.0
        space = Measured(_white_point(page))
    if page.photometric == _YCC and page.compression not in (6, 7):
        colours = ycbcr.interleaved_to_rgb(colours, white)
    plain = np.ascontiguousarray(colours[..., 0] if model == "grey" else colours)
    turn = page.tags.valueof(_ORIENTATION, 1)
    turn = turn if isinstance(turn, int) and 1 <= turn <= 8 else 1
    return Raster(plain, model, white, bits, alpha, space, turn, notes)


def _interleaved(page: TiffPage, data: bytes, number: int) -> NDArray[Any]:
    """The samples as [H, W, channels]."""
    if page.imagedepth != 1:
        raise ValueError("a stack of pictures in one")
    if page.dtype is None or page.dtype.kind == "c":
        kind = "of a kind that is not read" if page.dtype is None else "complex numbers, which are no grey"
        raise ValueError(f"its samples are {kind}")
    samples = _APART.samples(data, number, page.shape, page.dtype)
    if samples.ndim == 2:
        return samples[..., None]
    if samples.ndim != 3:
        raise ValueError("its samples are in an order that is not read")
    return np.moveaxis(samples, 0, -1) if page.planarconfig == 2 and page.samplesperpixel > 1 else samples


def _scaled(samples: NDArray[Any], page: TiffPage) -> tuple[NDArray[Any], float, int]:
    """Samples as uint8, uint16 or float32, their white, and bits of a channel. Integers of more than sixteen
    bits are white at 65535 unless the largest is more, then there; at their own limit when it is near that.
    Floating point is white at 1, unless the largest is more. Negative and not-a-number are black."""
    bits = page.bitspersample if isinstance(page.bitspersample, int) else max(page.bitspersample)
    if samples.dtype == np.bool_:
        return samples.astype(np.uint8) * np.uint8(255), 255.0, 1
    if samples.dtype.kind == "u" and samples.dtype.itemsize <= 2:
        return samples, float((1 << bits) - 1), bits
    raised = pillow.deep_grey(samples)
    limit = float(np.iinfo(samples.dtype).max) if samples.dtype.kind in "iu" else 0.0
    white = limit if limit and raised.white > limit / 2 else raised.white
    return raised.samples, white, bits


def _looked_up(indexes: NDArray[Any], colours: NDArray[np.uint16] | None) -> NDArray[np.uint16]:
    """Colours of a palette; some programs fill only the low byte."""
    if colours is None:
        raise ValueError("its palette is missing")
    table = np.asarray(colours, np.uint16)
    table = table * np.uint16(257) if table.max(initial=0) < 256 else table
    return table[:, np.minimum(indexes, table.shape[1] - 1)].transpose(1, 2, 0)


def _extra(page: TiffPage) -> int:
    extra = page.extrasamples
    return int(extra[0]) if extra else _UNSPECIFIED


def _opacity(
    colours: NDArray[Any], samples: NDArray[Any], white: float, kind: int
) -> tuple[NDArray[Any], NDArray[np.uint8] | None]:
    """Colours not multiplied by their opacity, and it; None where the channel beyond the colours is none."""
    if kind not in (_ASSOCIATED, _UNASSOCIATED):
        return colours, None
    if kind == _ASSOCIATED:
        colours = unmultiplied(colours, samples, white)
    return colours, eight_bit_alpha(samples, white)


def _lab(samples: NDArray[Any], icc: bool) -> NDArray[np.float32]:
    """CIE L*a*b* as it is. TIFF's own has signed a* and b* (6.0, section 23); ICC's has them around the
    middle, and 0xFF00 is L* = 100 in sixteen bits."""
    deep = samples.dtype.itemsize > 1
    values = samples.astype(np.float32) / np.float32(256 if deep else 1)
    values[..., 0] *= np.float32(100 / (65535 / 256 if deep and not icc else 255))
    if icc:
        values[..., 1:] -= 128
    else:
        values[..., 1:] -= np.where(values[..., 1:] >= 128, np.float32(256), np.float32(0))
    return values


def _white_point(page: TiffPage) -> tuple[float, float] | None:
    """The chromaticity that a file gives for white."""
    found = page.tags.valueof(_WHITE_POINT)
    if not isinstance(found, tuple) or len(found) != 4 or 0 in (found[1], found[2], found[3]):
        return None
    return found[0] / found[1], found[2] / found[3]
