"""HEVC picture parameter sets, as far as intra slices need them (ITU-T H.265, clauses 7.3.2.3, 7.4.3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from dsslic_search.codec.bpg.bits import BitReader, unescape
from dsslic_search.core.errors import FormatError

_MOST_TILES = (20, 22)  # columns and rows, of the highest level (table A.8)


@dataclass(frozen=True)
class Tiles:
    """``columns`` and ``rows``: how many coding tree blocks each takes, the last left out, or how many of
    them there are, all as alike as can be."""

    columns: tuple[int, ...] | int
    rows: tuple[int, ...] | int


@dataclass(frozen=True)
class PictureParameters:
    """The parameters of a picture's slices; names are the standard's, or say the same in plain words."""

    dependent_slices: bool
    output_flag: bool
    extra_header_bits: int
    sign_hiding: bool
    initial_qp: int
    transform_skip: bool
    qp_delta_depth: int | None  # None: blocks have no quantiser of their own
    chroma_offsets: bool
    transquant_bypass: bool
    tiles: Tiles | None
    wavefronts: bool
    filter_across: bool
    deblocking_override: bool
    deblocking_off: bool
    header_extension: bool
    log2_skip_block: int = 2
    cross_component: bool = False
    chroma_offset_depth: int | None = None  # None: blocks have no chroma quantisers of their own
    chroma_offset_choices: int = 0


def parse_pps(unit: bytes) -> PictureParameters:
    """Reads a PPS NAL unit. Raises :class:`FormatError` where it is damaged or has scaling lists or
    extensions beyond range extensions."""
    r = BitReader(unescape(unit[2:]), "the HEVC picture parameter set")
    r.ue(63), r.ue(15)
    dependent, output, extra, sign_hiding = r.flag(), r.flag(), r.bits(3), r.flag()
    r.flag()  # initial CABAC tables by slice type
    r.ue(14), r.ue(14)
    initial_qp = 26 + r.se(61)
    r.flag()  # constrained intra prediction
    transform_skip = r.flag()
    delta_depth = r.ue(3) if r.flag() else None
    r.se(12), r.se(12)
    offsets = r.flag()
    r.bits(2)  # weighted prediction
    bypass, tiled, wavefronts = r.flag(), r.flag(), r.flag()
    tiles = _read_tiles(r) if tiled else None
    across = r.flag()
    override = off = False
    if r.flag():
        override, off = r.flag(), r.flag()
        if not off:
            r.se(6), r.se(6)
    if r.flag():
        raise FormatError("the HEVC picture has scaling lists, which are not supported")
    r.flag()
    r.ue(30)
    extension = r.flag()
    said = PictureParameters(
        dependent, output, extra, sign_hiding, initial_qp, transform_skip, delta_depth, offsets, bypass,
        tiles, wavefronts, across, override, off, extension, *_read_extension(r, transform_skip),
    )  # fmt: skip
    if not r.flag():
        raise FormatError("the HEVC picture parameter set does not end where it should: it is damaged")
    return said


def _read_tiles(r: BitReader) -> Tiles:
    counts = [1 + r.ue(most - 1) for most in _MOST_TILES]
    if r.flag():
        tiles = Tiles(counts[0], counts[1])
    else:
        columns, rows = (tuple(1 + r.ue(1 << 16) for _ in range(count - 1)) for count in counts)
        tiles = Tiles(columns, rows)
    r.flag()
    return tiles


def _read_extension(r: BitReader, transform_skip: bool) -> tuple[int, bool, int | None, int]:
    """Log2 of the largest block without a transform, cross-component prediction, and how many chroma
    quantisers a block has to choose from, if any, in blocks of what depth."""
    if not r.flag():
        return 2, False, None, 0
    ranged = r.flag()
    if r.bits(7):
        raise FormatError(
            "the HEVC picture uses multilayer, 3D or screen content extensions, which are not supported"
        )
    if not ranged:
        return 2, False, None, 0
    log2_skip = 2 + (r.ue(3) if transform_skip else 0)
    cross = r.flag()
    depth, choices = None, 0
    if r.flag():
        depth, choices = r.ue(3), 1 + r.ue(5)
        for _ in range(2 * choices):
            r.se(12)
    r.ue(8), r.ue(8)  # scale of sample adaptive offsets
    return log2_skip, cross, depth, choices
