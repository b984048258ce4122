"""Slices of one large picture that were encoded as pictures of their own (ITU-T H.265, clauses 7.3.2.3 and
7.3.6.1).

An encoder needs some thirty bytes a pixel. A large picture is therefore encoded in bands of rows of whole
coding tree blocks, one after the other, and each band's slice gets a header that puts it at its place. Intra
prediction and entropy coding start anew at a slice, so what was coded for a picture of its own stays right;
loop filters go across as the picture parameter set says. A photo of 12 megapixels has six bands, which cost
it 0.1 to 0.3 % more bits.
"""

from __future__ import annotations

from itertools import pairwise

from dsslic_search.codec.bpg.bits import BitReader, BitWriter, escape, unescape
from dsslic_search.codec.bpg.parameters import SequenceParameters
from dsslic_search.codec.bpg.picture_parameters import parse_pps
from dsslic_search.codec.bpg.slice_headers import read_slice_header, tree_blocks
from dsslic_search.core.errors import DSSError, FormatError

BAND_PIXELS = 1 << 21  # a band has about as many
_MAX_TREE_BLOCK = 64  # the largest there is: bands of its multiples are of whole blocks of any size


def bands_of(height: int, width: int) -> list[slice]:
    """Rows to encode apart: all together unless the picture is large."""
    count = max(1, min(round(height * width / BAND_PIXELS), height // (2 * _MAX_TREE_BLOCK)))
    edges = [round(height * k / count / _MAX_TREE_BLOCK) * _MAX_TREE_BLOCK for k in range(count)] + [height]
    return [slice(top, bottom) for top, bottom in pairwise(edges)]


def placed(unit: bytes, pps: bytes, sps: SequenceParameters, top: int) -> bytes:
    """The slice of a band's picture as the slice of the whole picture that starts ``top`` rows down.

    ``sps``: of the whole. DSSError where the header has what an intra picture's need not have.
    """
    try:
        parameters = parse_pps(pps)
        header = read_slice_header(unit, parameters, sps)
    except FormatError as error:
        raise DSSError(
            f"x265 coded a picture in a way that cannot be joined ({error}); it cannot be used"
        ) from error
    if not header.first or parameters.tiles or parameters.wavefronts:
        raise DSSError(
            "x265 coded a picture in a way that cannot be joined; this version of it cannot be used"
        )
    side = 1 << tree_blocks(sps.tools)
    across, down = -(-sps.width // side), -(-sps.height // side)
    payload = unescape(unit[2:])
    read, written = BitReader(payload[: header.data_at], "the slice header"), BitWriter()
    read.flag()
    written.flag(top == 0)
    written.bits(read.bits(header.address_at - 1), header.address_at - 1)
    if top:
        if parameters.dependent_slices:
            written.flag(False)
        written.bits(top // side * across, (across * down - 1).bit_length())
    rest = header.end_at - header.address_at
    written.bits(read.bits(rest), rest)
    written.flag(True)  # byte_alignment()
    return unit[:2] + escape(written.to_bytes() + payload[header.data_at :])
