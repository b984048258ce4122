"""HEIF and HEIC (ISO/IEC 23008-12), as phones write them: the items read here, their HEVC pictures decoded by
the FFmpeg that PyAV brings.

::

    primary item ─┬─ a picture ──────────────┐
                  └─ a grid ── its tiles ────┴─► planes ── matrix, range ──► samples ── crop, turns ──► raster
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.codec.picture import exif
from dsslic_search.codec.picture.formats import items as heif_items
from dsslic_search.codec.picture.formats import ycbcr
from dsslic_search.codec.picture.formats.companions import heif_clip_bytes
from dsslic_search.codec.picture.formats.hevc import Planes, Still
from dsslic_search.codec.picture.formats.items import (
    CodePoints,
    Item,
    Items,
    check_unshown,
    transformed,
    transformed_size,
)
from dsslic_search.codec.picture.header import Companions, Header
from dsslic_search.codec.picture.raster import (
    Coded,
    Embedded,
    Model,
    Raster,
    Space,
    eight_bit_alpha,
    unmultiplied,
)
from dsslic_search.core.errors import PhotoError

MAX_TILE_PIXELS = 1 << 25
"""Of a tile; those of phones have a quarter of a million."""
MAX_DERIVED = 8  # pictures that are made of one another
REUSE = 4
"""How often the bytes of a file may be decoded, taken together: tiles may be the same."""

_CODINGS = {  # of items: the property that tells how they are coded, and FFmpeg's name of the decoder
    b"hvc1": (b"hvcC", "hevc"),
    b"hev1": (b"hvcC", "hevc"),
    b"av01": (b"av1C", "libdav1d"),
}
_HEVC = frozenset({b"hvc1", b"hev1"})
_AV1 = frozenset({b"av01"})
_ALPHA = frozenset({b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"})
_GAIN_MAP = b"urn:com:apple:photo:2020:aux:hdrgainmap"
_XMP = b"application/rdf+xml"
_UNSPECIFIED = 2
_ANDROID = (CodePoints(5, 6, 5, True), CodePoints(5, 6, 6, True))
"""What Android's phones write for JFIF's colours, which all programs show as sRGB: BT.601's primaries, and
its curve of cameras."""


class Grid(NamedTuple):
    """A picture of tiles, row by row; what they have beyond ``height`` and ``width`` is cut off."""

    rows: int
    columns: int
    height: int
    width: int
    tiles: tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """Where a picture's samples come from: an item of its own, or a grid of such, and what is said of
    them. ``size``: (height, width)."""

    item: int
    grid: Grid | None
    size: tuple[int, int]
    said: Item


def read(data: bytes) -> Header:
    """The header of a HEIF file. PhotoError for kinds of pictures that are not read here."""
    items = heif_items.read(data)
    if items is None:
        raise PhotoError("HEIF files that hold a sequence without a still picture cannot be read here")
    if pictured := items.references.get((b"thmb", items.primary)):
        items = replace(items, primary=pictured[0])  # a file that calls the thumbnail its picture
    source, opacity = sources(items, _HEVC)
    auxiliaries = items.auxiliaries(items.primary)
    height, width = transformed_size(source.size, source.said.transforms)
    if opacity is not None:
        check_unshown(opacity.size, (height, width))

    def decode(shrink: int) -> Raster:
        return decoded(items, source, opacity)

    def embedded() -> Embedded:
        found = items.metadata(b"Exif")
        tiff = found[4 + int.from_bytes(found[:4], "big") :] if len(found) > 4 else b""
        tiff = tiff.removeprefix(exif.START)
        packet = items.metadata(b"mime", _XMP)
        return Embedded(exif.START + tiff if tiff else b"", packet, icc=source.said.icc)

    gain_map = any(kind.startswith(_GAIN_MAP) for _, kind in auxiliaries) or any(
        kind == b"tmap" for kind, _ in items.kinds.values()
    )
    companions = Companions(gain_map, clip_bytes=heif_clip_bytes(data))
    return Header("HEIF", width, height, decode, embedded, lambda: companions)


def sources(items: Items, codings: Collection[bytes]) -> tuple[Source, Source | None]:
    """Where the primary picture and its opacity come from. PhotoError for kinds of pictures that are not
    among ``codings``, "hvc1" …"""
    source = _source(items, items.primary, codings)
    auxiliaries = items.auxiliaries(items.primary)
    opacity = (_source(items, other, codings) for other, kind in auxiliaries if kind in _ALPHA)
    return source, next(opacity, None)


def _source(items: Items, item: int, codings: Collection[bytes]) -> Source:
    """Follows pictures that are another one, cropped or turned."""
    said, turns = items.described(item), []
    for _ in range(MAX_DERIVED):
        kind = items.kind(item)
        if kind != b"iden":
            break
        turns.append(said.transforms)
        inner = items.references.get((b"dimg", item), ())
        if len(inner) != 1:
            raise ValueError("a picture that is another one does not say which")
        item = inner[0]
        outer, said = said, items.described(item)
        if outer.space is not None:
            said = replace(said, icc=outer.icc, code_points=outer.code_points or said.code_points)
    transforms = (*said.transforms, *(each for own in reversed(turns) for each in own))
    grid = _grid(items, item) if kind == b"grid" else None
    for part in (item,) if grid is None else grid.tiles:
        _check_coding(items, part, codings)
    if grid is not None and said.code_points is None:
        tile = items.described(grid.tiles[0])
        said = replace(said, code_points=tile.code_points, icc=said.icc or tile.icc)
    if said.code_points is not None and said.code_points.matrix not in ycbcr.MATRICES:
        raise PhotoError(f"HEIF files with colours by matrix {said.code_points.matrix} cannot be read here")
    size = (said.height, said.width) if grid is None else (grid.height, grid.width)
    if min(size) < 1:
        raise ValueError("its size is not told")
    return Source(item, grid, size, replace(said, transforms=transforms))


def _check_coding(items: Items, item: int, codings: Collection[bytes]) -> None:
    kind = items.kind(item)
    if not kind:
        raise ValueError("a part of the picture is not in the file")
    if kind not in codings:
        name = kind.decode("ascii", "replace")
        raise PhotoError(f'HEIF files with pictures of kind "{name}" cannot be read here')
    if (b"pred", item) in items.references:
        raise PhotoError("HEIF files with pictures that are coded as changes to others cannot be read here")
    if not items.property(item, _CODINGS[kind][0]):
        raise ValueError("how a picture is coded is not told")


def _grid(items: Items, item: int) -> Grid:
    body = items.body(item)
    long = len(body) > 1 and body[1] & 1
    rows, columns, width, height = struct.unpack_from(">BBII" if long else ">BBHH", body, 2)
    tiles = tuple(items.references.get((b"dimg", item), ()))
    if len(tiles) != (rows + 1) * (columns + 1):
        raise ValueError("a grid has not as many tiles as it should")
    return Grid(rows + 1, columns + 1, height, width, tiles)


def decoded(items: Items, source: Source, opacity: Source | None, smooth: bool = False) -> Raster:
    """The picture of :func:`sources`. ``smooth`` as for :func:`ycbcr.to_rgb`."""
    samples, bits, space = _samples(items, source, smooth)
    samples = np.ascontiguousarray(transformed(samples, source.said.transforms))
    white, alpha = float((1 << bits) - 1), None
    if opacity is not None:
        alpha = _opacity(items, opacity, samples.shape[:2])
        if opacity.item in items.references.get((b"prem", items.primary), ()):
            samples = unmultiplied(samples, alpha.astype(np.float32) * np.float32(white / 255), white)
    model: Model = "grey" if samples.ndim == 2 else "rgb"
    return Raster(samples, model, white, bits, alpha, space)


def _samples(items: Items, source: Source, smooth: bool) -> tuple[NDArray[Any], int, Space]:
    """A picture's samples, their bits and their space. What the file says of matrix, range and space goes
    before what the HEVC stream does."""
    planes = planes_of(items, source)
    points = source.said.code_points or planes.code_points
    if points.matrix not in ycbcr.MATRICES:
        raise ValueError(f"colours by matrix {points.matrix} are not read")
    space = source.said.space
    if not source.said.icc:
        plain = points.primaries == _UNSPECIFIED or points in _ANDROID
        space = None if plain else Coded(points.primaries, points.transfer)
    samples = ycbcr.to_rgb(planes.planes, planes.bits, points.matrix, points.full_range, smooth)
    return samples, planes.bits, space


def _opacity(items: Items, source: Source, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Opacity is of full range, whatever is said of it."""
    planes = planes_of(items, source)
    alpha = transformed(
        eight_bit_alpha(planes.planes[0], float((1 << planes.bits) - 1)), source.said.transforms
    )
    if alpha.shape != size:
        height, width = size
        alpha = np.asarray(Image.fromarray(np.ascontiguousarray(alpha)).resize((width, height)))
    return np.ascontiguousarray(alpha)


def planes_of(items: Items, source: Source) -> Planes:
    """The decoded samples of a picture, cut to its size."""
    if source.grid is None:
        return next(_tiles(items, (source.item,))).cut(*source.size)
    return _joined(source.grid, _tiles(items, source.grid.tiles))


def _tiles(items: Items, numbers: tuple[int, ...]) -> Iterator[Planes]:
    """Decoded one by one, each no larger than it is said to be. ValueError for damage."""
    configured, codec = _CODINGS[items.kind(numbers[0])]
    decoder, budget = Still(codec), REUSE * len(items.data)
    for number in numbers:
        said, body = items.described(number), items.body(number)
        budget -= len(body)
        if budget < 0 or (len(numbers) > 1 and said.height * said.width > MAX_TILE_PIXELS):
            raise ValueError("its tiles are larger than they can be")
        if items.kind(number) not in _CODINGS or _CODINGS[items.kind(number)][1] != codec:
            raise ValueError("a grid's tiles are coded in different ways")
        yield decoder.decode(items.property(number, configured), body, said.height, said.width)


def _joined(grid: Grid, tiles: Iterator[Planes]) -> Planes:
    first = next(tiles)
    height, width = first.planes[0].shape
    wasted = height * grid.rows - grid.height, width * grid.columns - grid.width
    if not 0 <= wasted[0] < height or not 0 <= wasted[1] < width:
        raise ValueError("a grid's tiles do not make up its size")
    whole = [
        np.empty((plane.shape[0] * grid.rows, plane.shape[1] * grid.columns), plane.dtype)
        for plane in first.planes
    ]
    for number, tile in enumerate(_with(first, tiles)):
        if [p.shape for p in tile.planes] != [p.shape for p in first.planes] or tile.bits != first.bits:
            raise ValueError("a grid's tiles differ in size, depth or chroma")
        row, column = divmod(number, grid.columns)
        for canvas, plane in zip(whole, tile.planes, strict=True):
            rows, columns = plane.shape
            canvas[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns] = plane
    return Planes(tuple(whole), first.bits, first.code_points).cut(grid.height, grid.width)


def _with(first: Planes, others: Iterator[Planes]) -> Iterator[Planes]:
    yield first
    yield from others
