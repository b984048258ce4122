"""The headers of intra slice segments (ITU-T H.265, clauses 7.3.6.1 and 7.4.7.1)."""

from __future__ import annotations

from dataclasses import dataclass

from dsslic_search.codec.bpg.bits import BitReader, unescape
from dsslic_search.codec.bpg.parameters import CodingTools, SequenceParameters
from dsslic_search.codec.bpg.picture_parameters import PictureParameters
from dsslic_search.core.errors import FormatError

IDR = (19, 20)  # pictures that refer to none and say no number
_MAX_BYTES = 1 << 15  # of a header: entry points of all rows of the largest picture
_MOST_ENTRIES = 440 * 22 - 1
_INTRA = 2  # slice type
_DAMAGED = "an HEVC slice header does not read as one: the data is damaged, or of an unsupported kind"


@dataclass(frozen=True)
class SliceHeader:
    """What a slice segment's header says.

    ``address``: its first coding tree block, in raster order. ``dependent``: the rest is that of the segment
    before. ``qp``: SliceQpY. ``entries``: how many parts follow the first. ``address_at``, ``end_at``: where,
    in bits of the payload, the address comes or would come, and where alignment begins; ``data_at``: where
    the coded data do, in bytes.
    """

    first: bool
    dependent: bool
    address: int
    luma_offsets: bool
    chroma_offsets: bool
    qp: int
    chooses_chroma_qp: bool
    entries: int
    address_at: int
    end_at: int
    data_at: int


def tree_blocks(tools: CodingTools) -> int:
    """Log2 of the side of a coding tree block."""
    return tools.log2_min_coding_block_minus3 + 3 + tools.log2_diff_coding_block


def read_slice_header(
    unit: bytes,
    pps: PictureParameters,
    sps: SequenceParameters,
    before: SliceHeader | None = None,
) -> SliceHeader:
    """The header of a slice NAL unit of an IDR picture; ``before``: that of the segment before it.

    Raises :class:`FormatError` where it is damaged, of another kind of picture, or has predicted blocks.
    """
    if unit[0] >> 1 not in IDR:
        raise FormatError("the HEVC picture is no instantaneous refresh, which is not supported here")
    r = BitReader(unescape(unit[2 : 2 + _MAX_BYTES]), "the slice header")
    side = 1 << tree_blocks(sps.tools)
    blocks = -(-sps.width // side) * -(-sps.height // side)
    first = r.flag()
    r.flag()
    r.ue(63)
    address_at = r.position
    dependent, address = False, 0
    if not first:
        dependent = pps.dependent_slices and r.flag()
        address = r.bits((blocks - 1).bit_length())
    if address >= blocks or (not first and not address) or (dependent and before is None):
        raise FormatError(_DAMAGED)
    said = before if dependent else None
    if said is None:
        said = _read_own(r, pps, sps)
    entries = _read_entries(r, pps)
    if pps.header_extension:
        for _ in range(r.ue(256)):
            r.bits(8)
    end_at = r.position
    data_at = end_at // 8 + 1
    if r.bits(1) != 1 or r.bits(8 * data_at - end_at - 1):
        raise FormatError(_DAMAGED)
    return SliceHeader(
        first,
        dependent,
        address,
        said.luma_offsets,
        said.chroma_offsets,
        said.qp,
        said.chooses_chroma_qp,
        entries,
        address_at,
        end_at,
        data_at,
    )


def _read_own(r: BitReader, pps: PictureParameters, sps: SequenceParameters) -> SliceHeader:
    """What a segment that depends on none says beside its place."""
    r.bits(pps.extra_header_bits)
    if r.ue(2) != _INTRA:
        raise FormatError("the HEVC slice is not one of an intra picture")
    if pps.output_flag:
        r.flag()
    luma = chroma = False
    if sps.tools.sample_adaptive_offset:
        luma = r.flag()
        chroma = sps.chroma != "400" and r.flag()
    qp = pps.initial_qp + r.se(87)
    if pps.chroma_offsets:
        r.se(12), r.se(12)
    chooses = pps.chroma_offset_depth is not None and r.flag()
    off = pps.deblocking_off
    if pps.deblocking_override and r.flag():
        off = r.flag()
        if not off:
            r.se(6), r.se(6)
    if pps.filter_across and (luma or chroma or not off):
        r.flag()
    if not -6 * (sps.bit_depth - 8) <= qp <= 51:
        raise FormatError(_DAMAGED)
    return SliceHeader(True, False, 0, luma, chroma, qp, chooses, 0, 0, 0, 0)


def _read_entries(r: BitReader, pps: PictureParameters) -> int:
    if pps.tiles is None and not pps.wavefronts:
        return 0
    count = r.ue(_MOST_ENTRIES)
    if count:
        length = 1 + r.ue(31)
        for _ in range(count):
            r.bits(length)
    return count
