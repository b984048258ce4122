"""BPG pictures without what nearly all of them say alike: one byte, then the slices.

::

    form 1 byte: HEVC header × 16 + picture parameter set, by their numbers here · slices,
    without the first start code and the first NAL header
    or 255 · the BPG file as it is

Width, height, depth and chroma format are those that the .dsslic header says of the layer.
"""

from __future__ import annotations

from dsslic_search.codec.bpg.bits import write_ue7
from dsslic_search.codec.bpg.header import Header, read_header, write_header
from dsslic_search.core.errors import FormatError

# HEVC headers of a BPG file, and picture parameter sets behind their NAL header, as x265 writes them for the
# presets and sizes that there are: files name them by number, so rows are only ever added
TOOLS = tuple(
    bytes.fromhex(row)
    for row in (
        "924d00",
        "924740",
        "b934",
        "b91d00",
        "4a4d00",
        "4e4d00",
        "abd0",
        "ab74",
        "5bd0",
        "5b74",
        "924540",
        "b91500",
        "ab54",
        "5b54",
    )
)
PARAMETERS = tuple(
    bytes.fromhex(row)
    for row in (
        "c170d818d920",
        "c1718112",
        "c174d818d920",
        "c0718112",
        "c1729b031b24",  # from here on with quantisers of blocks, as tuned for SSIM
        "c172b02240",
        "c1769b031b24",
        "c173c089",
        "c1736c0c6c90",
        "c1776c0c6c90",
        "c073c089",
    )
)
_AS_IT_IS = 255
_HALF_BYTE = 16
_START_CODE = b"\x00\x00\x01"
_PARAMETER_SET = b"\x44\x01"  # NAL header
_SLICE = _START_CODE + b"\x28\x01"  # of an IDR picture without leading ones


def bare(picture: bytes, header: Header) -> bytes:
    """A BPG file in short; ``header``: what a reader will know of it. :func:`whole` is the way back, whatever
    the bytes are."""
    try:
        _, body = read_header(picture)
    except FormatError:
        body = b""
    for form in range(len(TOOLS) * _HALF_BYTE):
        start = _start(form)
        if start and body.startswith(start):
            short = bytes([form]) + body[len(start) :]
            if whole(short, header) == picture:
                return short
    return bytes([_AS_IT_IS]) + picture


def whole(short: bytes, header: Header) -> bytes:
    """The BPG file that :func:`bare` was given. FormatError where there is no such form."""
    if not short:
        raise FormatError("a picture of the file is cut off")
    if short[0] == _AS_IT_IS:
        return short[1:]
    start = _start(short[0])
    if not start:
        raise FormatError("a picture of the file is written in a form that came later: upgrade dsslic-search")
    return write_header(header, start + short[1:])


def spared(short: bytes) -> dict[str, int]:
    """By syntax elements as `codec.bpg.slice_syntax` names them, the bits of a BPG file's HEVC data that its
    short form leaves out."""
    if short[:1] == bytes([_AS_IT_IS]):
        return {}
    parameters = PARAMETERS[short[0] % _HALF_BYTE]
    return {
        "start_code": 8 * len(_START_CODE),
        "pic_parameter_set": 8 * (len(_PARAMETER_SET) + len(parameters)),
        "nal_unit_header": 8 * (len(_SLICE) - len(_START_CODE)),
    }


def _start(form: int) -> bytes:
    """What stands between a BPG header and the slices; nothing for a form that there is not."""
    tools, parameters = divmod(form, _HALF_BYTE)
    if tools >= len(TOOLS) or parameters >= len(PARAMETERS):
        return b""
    coded = TOOLS[tools]
    return write_ue7(len(coded)) + coded + _PARAMETER_SET + PARAMETERS[parameters] + _SLICE
