"""FLIF16 pictures: bytes ↔ pixels. docs/flif.md tells how."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.flif import chances, machine
from dsslic_search.codec.flif.buckets import ColourBuckets
from dsslic_search.codec.flif.file import Header, MetadataChunk, read_header
from dsslic_search.codec.flif.interlaced import best_predictor, fill_level, level_count
from dsslic_search.codec.flif.palette import Palette
from dsslic_search.codec.flif.passes import PREDICTORS, Passes, Stop
from dsslic_search.codec.flif.ranges import Ranges
from dsslic_search.codec.flif.stream import Stream
from dsslic_search.codec.flif.transforms import (
    Bounds,
    CompactChannels,
    PermutePlanes,
    Planes,
    ToYCoCg,
    Transform,
)
from dsslic_search.core.errors import FormatError

Pixels = NDArray[np.uint8] | NDArray[np.uint16]

MAX_TRANSFORM = 13
COMPACT, TO_YCOCG, PERMUTE, BOUNDS, PALETTE_ALPHA, PALETTE, BUCKETS = 0, 1, 3, 4, 5, 6, 7
FEW_PIXELS = 2  # for which no transform pays
FEW_BYTES = 100  # of a file: so few have no checksum
LEARNT_LEVELS = 13  # a tree is learnt for so many of the finest levels; before, there is too little to learn
ROUNDS = 2  # in which a tree is learnt
_TRUNCATED = "the FLIF picture's data ends too early: it is truncated"


@dataclass(frozen=True)
class FlifPicture:
    """``pixels``: uint8, or uint16 of more than 8 bits, [h, w] grey, [h, w, 3] RGB or [h, w, 4] RGBA;
    ``is_whole``: whether the data held all of it."""

    pixels: Pixels
    chunks: tuple[MetadataChunk, ...] = ()
    is_whole: bool = True


@dataclass
class _Head:
    """What comes before the planes. ``most``: the greatest sample; ``steps``: how chances move;
    ``skips_invisible``: whether pixels whose alpha is 0 are left out of the planes as they are coded,
    ``hides``: as the picture had it."""

    most: int
    ranges: Ranges
    hides: bool = False
    skips_invisible: bool = False
    steps: tuple[int, int] = (chances.DEFAULT_CUTOFF, chances.DEFAULT_DIVISOR)
    transforms: list[tuple[int, Transform]] = field(default_factory=list)
    table: NDArray[np.int32] | None = None


def decode(data: bytes, *, max_pixels: int | None = None, partial: bool = False) -> FlifPicture:
    """The picture in a FLIF file. With ``partial``, the start of an interlaced file will do, and gives a
    coarser picture. Takes memory for about 12 bytes a sample.

    FormatError for what is no still FLIF16 picture, for damaged or truncated data, and, before anything is
    allocated, for more than ``max_pixels``.
    """
    header, at = read_header(data, max_pixels)
    stream = Stream(np.frombuffer(bytearray(data), np.uint8), machine.DECODING, at)
    try:
        head = _read_head(stream, header)
    except FormatError:
        if stream.has_ended():
            raise FormatError(_TRUNCATED) from None
        raise
    if stream.has_ended():
        raise FormatError(_TRUNCATED)
    planes = np.zeros((header.channels, header.height, header.width), np.int32)
    for plane, least in enumerate(head.ranges.lows):
        if least and head.ranges.is_constant(plane):
            planes[plane] = least
    passes = Passes(stream, planes, head.ranges, head.table, head.steps, is_interlaced=header.is_interlaced)
    if head.skips_invisible and head.ranges.lows[3] <= 0:
        predictor = stream.uniform(0, PREDICTORS - 1) if header.is_interlaced else 0
        if head.ranges.highs[3] > 0:
            passes.skip_invisible(predictor)
    if not header.is_interlaced:
        passes.code_trees()
        passes.code_rows()
    else:
        stopped = _read_levels(passes, partial)
        if stopped and partial:
            planes = _filled_in(passes, head, stopped)
    if stream.has_ended() and not (partial and header.is_interlaced):
        raise FormatError(_TRUNCATED)
    has_checksum = stream.flag()
    declared = stream.uniform(0, 0xFFFF) << 16 if has_checksum else 0
    declared |= stream.uniform(0, 0xFFFF) if has_checksum else 0
    for _, transform in reversed(head.transforms):
        planes = transform.undo(planes)
    if head.hides:
        planes[:3, planes[3] == 0] = 0
    if stream.has_ended() and not partial:
        raise FormatError(_TRUNCATED)
    if has_checksum and not stream.has_ended() and declared != checksum(planes, head.most):
        raise FormatError("the FLIF picture is not the one that its checksum was made of: damaged data")
    return FlifPicture(_pixels(planes, head.most), header.chunks, not stream.has_ended())


def encode(pixels: Pixels, *, interlaced: bool = False, chunks: Sequence[MetadataChunk] = ()) -> bytes:
    """A FLIF16 file of a picture: uint8 or uint16, [h, w] grey, [h, w, 3] RGB or [h, w, 4] RGBA. Every sample
    is kept, also of invisible pixels. ValueError for any other array."""
    known = pixels.dtype in (np.uint8, np.uint16) and (pixels.ndim == 2 or pixels.shape[2:] in ((3,), (4,)))
    if not known or pixels.size == 0:
        raise ValueError(
            "a FLIF picture is uint8 or uint16 [h, w], [h, w, 3] or [h, w, 4] and not empty, not "
            f"{pixels.dtype} {list(pixels.shape)}"
        )
    original = pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
    planes = np.ascontiguousarray(original, np.int32)
    count, height, width = planes.shape
    depth = 8 * pixels.itemsize
    header = Header(width, height, count, depth, interlaced, tuple(chunks))
    room = 2 * planes.nbytes + 65536
    while (coded := _encode(planes, header, (1 << depth) - 1, room)) is None:
        room *= 2
    return coded


def checksum(planes: Planes, most: int) -> int:
    """CRC-32 over the planes as the reference keeps them: alpha and the first in one byte a sample, or two of
    more than 8 bits, the others in twice as many; it starts from the size."""
    count, height, width = planes.shape
    crc: int = (width << 16) + height & 0xFFFFFFFF
    for number in range(count):
        size = (1 if number in (0, 3) else 2) << (most > 255)
        samples = planes[number].astype(np.uint8 if size == 1 else f"<i{size}")
        crc = zlib.crc32(samples.tobytes(), crc)
    return crc


def _encode(planes: Planes, header: Header, most: int, room: int) -> bytes | None:
    """The file, or None if it takes more than ``room`` bytes."""
    start = header.write()
    data = np.zeros(len(start) + room, np.uint8)
    data[: len(start)] = np.frombuffer(start, np.uint8)
    stream = Stream(data, machine.ENCODING, len(start))
    head = _Head(most, Ranges(header.channels * (0,), header.channels * (most,)))
    if header.channels == 4:
        stream.uniform(0, 1, 0)  # invisible pixels are coded like others
    stream.uniform(0, 1, 0)  # the usual steps
    chosen, coded = _chosen(planes, head.ranges)
    _code_transforms(stream, head, chosen)
    passes = Passes(stream, coded, head.ranges, None, head.steps, is_interlaced=header.is_interlaced)
    zooms = level_count(header.width, header.height)
    rough = max(zooms - LEARNT_LEVELS, 0)
    predictors = [0 if head.ranges.is_constant(p) else best_predictor(plane) for p, plane in enumerate(coded)]
    if header.is_interlaced:
        stream.uniform(0, zooms, rough)
        for plane in passes.varying():
            low, high = head.ranges.lows[plane], head.ranges.highs[plane]
            stream.uniform(low, high, int(coded[plane, 0, 0]))
        _code_levels(passes, zooms, rough + 1, predictors)
    passes.trees = Passes(
        Stream(np.zeros(1, np.uint8), machine.LEARNING),
        coded,
        head.ranges,
        None,
        head.steps,
        is_interlaced=header.is_interlaced,
    ).learn(ROUNDS, rough, predictors)
    passes.code_trees()
    if header.is_interlaced:
        _code_levels(passes, rough, 0, predictors)
    else:
        passes.code_rows()
    has_checksum = stream.position > FEW_BYTES
    stream.flag(has_checksum)
    if has_checksum:
        crc = checksum(planes, most)
        stream.uniform(0, 0xFFFF, crc >> 16)
        stream.uniform(0, 0xFFFF, crc & 0xFFFF)
    written = stream.finish()
    return None if stream.has_ended() else written


def _read_head(stream: Stream, header: Header) -> _Head:
    depths = [header.depth or stream.uniform(1, 16) for _ in range(header.channels)]
    most = (1 << max(depths)) - 1
    head = _Head(most, Ranges(header.channels * (0,), header.channels * (most,)))
    if header.channels == 4:
        head.hides = head.skips_invisible = bool(stream.uniform(0, 1))
    if stream.uniform(0, 1):
        head.steps = stream.uniform(1, 128), stream.uniform(2, 128)
        if stream.uniform(0, 1):
            raise FormatError("the FLIF picture declares first chances of its own, which no FLIF16 file has")
    _code_transforms(stream, head, [])
    return head


def _code_transforms(stream: Stream, head: _Head, chosen: list[tuple[int, Transform]]) -> None:
    """Write the transforms that were chosen, or read them, into the head, with what follows from them."""
    waiting = list(chosen)
    last = -1
    while stream.flag(bool(waiting)):
        number, given = waiting.pop(0) if waiting else (0, None)
        number = stream.uniform(0, MAX_TRANSFORM, number)
        if number <= last or stream.has_ended():
            raise FormatError("the FLIF picture's transforms come in an impossible order: damaged data")
        last = number
        transform = _code_transform(stream, head, number, given)
        if isinstance(transform, ColourBuckets):
            head.table = transform.table()
        if number == PALETTE_ALPHA:
            head.skips_invisible = False
        head.ranges = transform.ranges(head.ranges)
        head.transforms.append((number, transform))


def _code_transform(stream: Stream, head: _Head, number: int, given: Transform | None) -> Transform:
    if number in (PALETTE_ALPHA, PALETTE):
        assert given is None or isinstance(given, Palette)
        return Palette.code(
            stream,
            head.ranges,
            given,
            has_alpha=number == PALETTE_ALPHA,
            skips_invisible=head.skips_invisible,
        )
    kinds: dict[int, Any] = {COMPACT: CompactChannels, TO_YCOCG: ToYCoCg, PERMUTE: PermutePlanes}
    kinds |= {BOUNDS: Bounds, BUCKETS: ColourBuckets}
    if number not in kinds:
        raise FormatError(f"the FLIF picture needs transform {number}, which no still picture has")
    transform: Transform = kinds[number].code(stream, head.ranges, given)
    return transform


def _chosen(planes: Planes, ranges: Ranges) -> tuple[list[tuple[int, Transform]], Planes]:
    """The transforms that suit a picture, with their numbers, and its planes after them."""
    chosen: list[tuple[int, Transform]] = []

    def take(number: int, transform: Transform | None) -> bool:
        nonlocal planes, ranges
        if transform is None:
            return False
        planes, ranges = transform.apply(planes), transform.ranges(ranges)
        chosen.append((number, transform))
        return True

    if planes[0].size > FEW_PIXELS:
        take(COMPACT, CompactChannels.choose(planes, ranges))
        if ToYCoCg.applies(ranges):
            take(TO_YCOCG, ToYCoCg(ranges.highs[:3]))
        elif ranges.count >= 3:
            take(PERMUTE, PermutePlanes.choose(ranges))
        take(BOUNDS, Bounds.choose(planes, ranges, skips_invisible=False))
    if not take(PALETTE_ALPHA, Palette.choose(planes, ranges, has_alpha=True, skips_invisible=False)):
        take(PALETTE, Palette.choose(planes, ranges, has_alpha=False, skips_invisible=False))
    return chosen, np.ascontiguousarray(planes)


def _read_levels(passes: Passes, partial: bool) -> Stop | None:
    """Read all levels; returns where the data ended."""
    _, height, width = passes.planes.shape
    zooms = level_count(width, height)
    rough = passes.stream.uniform(0, zooms)
    for plane in passes.varying():
        low, high = passes.ranges.lows[plane], passes.ranges.highs[plane]
        passes.planes[plane, 0, 0] = passes.stream.uniform(low, high)
    stopped = _code_levels(passes, zooms, rough + 1, [])
    if stopped:
        return stopped
    try:
        passes.code_trees()
    except FormatError:
        if not (partial and passes.stream.has_ended()):
            raise
        return Stop(len(passes.planes) * [rough])
    return _code_levels(passes, rough, 0, [])


def _code_levels(passes: Passes, first: int, last: int, predictors: list[int]) -> Stop | None:
    """Code some levels with what is said of them first."""
    default = passes.stream.flag(True)
    given = predictors or len(passes.planes) * [0]
    told = [passes.stream.uniform(-1, PREDICTORS - 1, predictor) for predictor in given]
    return passes.code_levels(first, last, told, is_default=default)


def _filled_in(passes: Passes, head: _Head, stopped: Stop) -> Planes:
    """The planes with what is missing filled in from what is there; palettes are undone before."""
    planes, levels = passes.planes, list(stopped.levels)
    is_palette = any(isinstance(transform, Palette) for _, transform in head.transforms)
    if stopped.level is not None:
        fill_level(planes[stopped.plane], stopped.level, stopped.row, copies=is_palette)
    varying = passes.varying()
    while is_palette:
        _, transform = head.transforms.pop()
        planes = transform.undo(planes)
        if isinstance(transform, Palette):
            levels = len(planes) * [levels[1]]
            is_palette, varying = False, list(range(len(planes)))
    for plane in varying:
        for level in range(levels[plane], -1, -1):
            fill_level(planes[plane], level)
    return planes


def _pixels(planes: Planes, most: int) -> Pixels:
    clipped = np.clip(planes, 0, most)
    pixels = clipped[0] if len(clipped) == 1 else np.moveaxis(clipped, 0, -1)
    if most < 256:
        return np.ascontiguousarray(pixels, np.uint8)
    return np.ascontiguousarray(pixels, np.uint16)
