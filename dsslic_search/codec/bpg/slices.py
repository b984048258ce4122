"""Slices of one large picture that were encoded as pictures of their own (ITU-T H.265, clauses 7.3.2.3 and
7.3.6.1).

An encoder needs some thirty bytes a pixel. A large picture is therefore encoded in bands of rows of whole
coding tree blocks, one after the other, and each band's slice gets a header that puts it at its place. Intra
prediction and entropy coding start anew at a slice, so what was coded for a picture of its own stays right;
loop filters go across as the picture parameter set says. A photo of 12 megapixels has six bands, which cost
it 0.1 to 0.3 % more bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from dsslic_search.codec.bpg.bits import BitReader, BitWriter, escape, unescape
from dsslic_search.codec.bpg.parameters import SequenceParameters
from dsslic_search.core.errors import DSSError

BAND_PIXELS = 1 << 21  # a band has about as many
_MAX_TREE_BLOCK = 64  # the largest there is: bands of its multiples are of whole blocks of any size
_MAX_HEADER_BYTES = 32  # more than an intra slice's header has
_IDR = (19, 20)


def bands_of(height: int, width: int) -> list[slice]:
    """Rows to encode apart: all together unless the picture is large."""
    count = max(1, min(round(height * width / BAND_PIXELS), height // (2 * _MAX_TREE_BLOCK)))
    edges = [round(height * k / count / _MAX_TREE_BLOCK) * _MAX_TREE_BLOCK for k in range(count)] + [height]
    return [slice(top, bottom) for top, bottom in pairwise(edges)]


@dataclass(frozen=True)
class _PictureParameters:
    """What of a picture parameter set decides how slice headers read."""

    dependent_slices: bool
    output_flag: bool
    extra_bits: int
    chroma_offsets: bool
    filter_across: bool
    deblocking_override: bool
    deblocking_off: bool
    extension: bool


def _read_pps(unit: bytes) -> _PictureParameters:
    r = BitReader(unescape(unit[2:]), "the picture parameter set")
    r.ue()
    r.ue()
    dependent, output, extra = r.flag(), r.flag(), r.bits(3)
    r.bits(2)  # sign hiding, initial CABAC tables
    for _ in range(3):  # reference counts, initial QP (signed, but as long)
        r.ue()
    r.bits(2)  # constrained prediction, transform skipping
    if r.flag():
        r.ue()
    r.ue()
    r.ue()
    offsets = r.flag()
    r.bits(3)  # weighted prediction, lossless blocks
    tiles, wavefronts, across = r.flag(), r.flag(), r.flag()
    if tiles or wavefronts:
        raise DSSError(
            "x265 coded tiles or wavefronts, which were not asked for; this version of it cannot be used"
        )
    override = off = False
    if r.flag():
        override, off = r.flag(), r.flag()
        if not off:
            r.ue()
            r.ue()
    if r.flag():
        raise DSSError(
            "x265 coded scaling lists, which were not asked for; this version of it cannot be used"
        )
    r.flag()
    r.ue()
    return _PictureParameters(dependent, output, extra, offsets, across, override, off, r.flag())


def placed(unit: bytes, pps: bytes, sps: SequenceParameters, top: int) -> bytes:
    """The slice of a band's picture as the slice of the whole picture that starts ``top`` rows down.

    ``sps``: of the whole. DSSError where the header has what an intra picture's need not have.
    """
    tools = sps.tools
    side = 1 << (tools.log2_min_coding_block_minus3 + 3 + tools.log2_diff_coding_block)
    across, down = -(-sps.width // side), -(-sps.height // side)
    payload, parameters = unescape(unit[2:]), _read_pps(pps)
    read, written = BitReader(payload[:_MAX_HEADER_BYTES], "the slice header"), BitWriter()
    used = 0

    def copy(count: int) -> int:
        nonlocal used
        used += count
        value = read.bits(count)
        written.bits(value, count)
        return value

    def copy_ue() -> int:
        zeros = 0
        while not copy(1):
            zeros += 1
        return (1 << zeros) - 1 + copy(zeros)

    whole = read.flag()
    used += 1
    written.flag(top == 0)
    copy(1)
    if (unit[0] >> 1) not in _IDR or not whole or copy_ue():
        raise DSSError(
            "x265 coded a picture in a way that cannot be joined; this version of it cannot be used"
        )
    if top:
        if parameters.dependent_slices:
            written.flag(False)
        written.bits(top // side * across, (across * down - 1).bit_length())
    copy(parameters.extra_bits)
    copy_ue()  # slice type
    copy(int(parameters.output_flag))
    filtered = False
    if tools.sample_adaptive_offset:
        filtered |= bool(copy(1))
        if sps.chroma != "400":
            filtered |= bool(copy(1))
    for _ in range(3 if parameters.chroma_offsets else 1):
        copy_ue()  # QP differences, signed, but as long
    deblocked = not parameters.deblocking_off
    if parameters.deblocking_override and copy(1):
        deblocked = not copy(1)
        if deblocked:
            copy_ue()
            copy_ue()
    if parameters.filter_across and (filtered or deblocked):
        copy(1)
    if parameters.extension and copy_ue():
        raise DSSError("x265 coded a slice header with extensions; this version of it cannot be used")
    written.flag(True)  # byte_alignment()
    start = used // 8 + 1
    if read.bits(1) != 1 or read.bits(start * 8 - used - 1):
        raise DSSError(
            "x265 coded a slice header that does not read as one; this version of it cannot be used"
        )
    return unit[:2] + escape(written.to_bytes() + payload[start:])
