"""HEVC sequence parameter sets, as far as a still picture needs them (ITU-T H.265, clauses 7.3.2.2, 7.3.3,
E.2.1).

A BPG file keeps the few sequence parameters that matter in a compact header of its own, so they are read from
three places (an SPS, a BPG header, nothing else) and written to two; :class:`SequenceParameters` is what they
have in common.
"""

from __future__ import annotations

from dataclasses import dataclass

from dsslic_search.codec.bpg.bits import BitReader, BitWriter, escape, unescape
from dsslic_search.core.errors import FormatError

NAL_VPS, NAL_SPS, NAL_PPS = 32, 33, 34
CHROMA_FORMATS = ("400", "420", "422", "444")
_RANGE_EXTENSION_FLAGS = 9
_LEVEL_8_5 = 255  # no bound on the picture's size
_PROFILE_RANGE_EXTENSIONS = 4


@dataclass(frozen=True)
class PulseCode:
    """How blocks of plain samples are stored: bits per sample, log2 block sizes, and whether loop filters
    leave them alone."""

    luma_bits_minus1: int
    chroma_bits_minus1: int
    log2_min_size_minus3: int
    log2_diff_size: int
    unfiltered: bool


@dataclass(frozen=True)
class CodingTools:
    """The sequence parameters a BPG file keeps, named as in the standard. ``range_extension``: the nine
    flags, in order, or None."""

    log2_min_coding_block_minus3: int
    log2_diff_coding_block: int
    log2_min_transform_minus2: int
    log2_diff_transform: int
    transform_hierarchy_depth_intra: int
    sample_adaptive_offset: bool
    strong_intra_smoothing: bool
    pulse_code: PulseCode | None = None
    range_extension: tuple[bool, ...] | None = None

    @property
    def coding_block(self) -> int:
        """The smallest coding block's side; a coded picture's sides are multiples of it."""
        return 8 << self.log2_min_coding_block_minus3


@dataclass(frozen=True)
class SequenceParameters:
    """A coded picture's shape: ``chroma`` one of :data:`CHROMA_FORMATS`, coded and shown sides in luma
    samples, bits per sample, tools."""

    chroma: str
    width: int
    height: int
    shown_width: int
    shown_height: int
    bit_depth: int
    tools: CodingTools


def read_pulse_code(reader: BitReader) -> PulseCode | None:
    """pcm_enabled_flag and, if it is set, what follows it; the same in an SPS and in a BPG header."""
    if not reader.flag():
        return None
    return PulseCode(reader.bits(4), reader.bits(4), reader.ue(3), reader.ue(3), reader.flag())


def write_pulse_code(writer: BitWriter, pulse_code: PulseCode | None) -> None:
    """The reverse of :func:`read_pulse_code`."""
    writer.flag(pulse_code is not None)
    if pulse_code is not None:
        writer.bits(pulse_code.luma_bits_minus1, 4)
        writer.bits(pulse_code.chroma_bits_minus1, 4)
        writer.ue(pulse_code.log2_min_size_minus3)
        writer.ue(pulse_code.log2_diff_size)
        writer.flag(pulse_code.unfiltered)


def read_range_extension(reader: BitReader) -> tuple[bool, ...] | None:
    """sps_extension_present_flag and what follows it; extensions other than range extensions are a
    :class:`FormatError`."""
    if not reader.flag():
        return None
    present = reader.flag()
    if reader.bits(7):
        raise FormatError(
            "the HEVC picture uses multilayer, 3D or screen content extensions, which are not supported"
        )
    return tuple(reader.flag() for _ in range(_RANGE_EXTENSION_FLAGS)) if present else None


def write_range_extension(writer: BitWriter, flags: tuple[bool, ...] | None) -> None:
    """The reverse of :func:`read_range_extension`."""
    writer.flag(flags is not None)
    if flags is not None:
        writer.bits(1 << 7, 8)
        for flag in flags:
            writer.flag(flag)


def parse_sps(unit: bytes) -> SequenceParameters:
    """Reads an SPS NAL unit. Raises :class:`FormatError` if it is damaged or of a kind no still picture here
    needs."""
    reader = BitReader(unescape(unit[2:]), "the HEVC sequence parameter set")
    reader.bits(4)
    if reader.bits(3):
        raise FormatError("the HEVC stream has temporal layers: it is a video, not a still picture")
    reader.bits(1 + 88 + 8)  # temporal nesting, profile, level
    reader.ue(15)
    chroma = CHROMA_FORMATS[reader.ue(3)]
    if chroma == "444" and reader.flag():
        raise FormatError("the HEVC stream codes its colour planes separately, which is not supported")
    width, height = reader.ue(), reader.ue()
    left, right, top, bottom = (reader.ue() for _ in range(4)) if reader.flag() else (0, 0, 0, 0)
    unit_x, unit_y = (2 if chroma in ("420", "422") else 1), (2 if chroma == "420" else 1)
    bit_depth = 8 + reader.ue(8)
    if 8 + reader.ue(8) != bit_depth:
        raise FormatError(
            "the HEVC stream has luma and chroma of different bit depths, which is not supported"
        )
    poc_bits = 4 + reader.ue(12)
    reader.flag()
    for _ in range(3):
        reader.ue()
    blocks = (reader.ue(3), reader.ue(3), reader.ue(3), reader.ue(3))
    reader.ue(4)
    depth_intra = reader.ue(4)
    if reader.flag():
        raise FormatError("the HEVC stream has scaling lists, which are not supported")
    reader.flag()
    sample_adaptive_offset = reader.flag()
    pulse_code = read_pulse_code(reader)
    reader.ue(0)  # short-term reference picture sets: none in a still picture
    if reader.flag():
        for _ in range(reader.ue(32)):
            reader.bits(poc_bits + 1)
    reader.flag()
    strong_intra_smoothing = reader.flag()
    if reader.flag():
        _skip_vui(reader)
    tools = CodingTools(
        *blocks,
        depth_intra,
        sample_adaptive_offset,
        strong_intra_smoothing,
        pulse_code,
        read_range_extension(reader),
    )
    shown = width - unit_x * (left + right), height - unit_y * (top + bottom)
    if min(shown) < 1:
        raise FormatError("the HEVC sequence parameter set describes an empty picture: the data is damaged")
    return SequenceParameters(chroma, width, height, *shown, bit_depth, tools)


def _skip_vui(reader: BitReader) -> None:
    """Reads past vui_parameters()."""
    if reader.flag() and reader.bits(8) == 255:  # aspect ratio
        reader.bits(32)
    if reader.flag():  # overscan
        reader.flag()
    if reader.flag():  # video signal type
        reader.bits(4)
        if reader.flag():
            reader.bits(24)
    if reader.flag():  # chroma location
        reader.ue(5), reader.ue(5)
    reader.bits(3)
    if reader.flag():  # default display window
        for _ in range(4):
            reader.ue()
    if reader.flag():  # timing
        reader.bits(64)
        if reader.flag():
            reader.ue()
        if reader.flag():
            raise FormatError(
                "the HEVC stream has buffering parameters of a broadcast video, which are not supported"
            )
    if reader.flag():  # bitstream restrictions
        reader.bits(3)
        for _ in range(5):
            reader.ue()


def write_vps() -> bytes:
    """The VPS NAL unit of a single picture without layers."""
    writer = _nal_writer(NAL_VPS)
    writer.bits(0, 4)
    writer.bits(0b11, 2)  # base layer, internal and available
    writer.bits(0, 6)
    writer.bits(0, 3)
    writer.flag(True)
    writer.bits(0xFFFF, 16)
    _write_profile(writer)
    writer.flag(True)
    for _ in range(3):  # picture buffers, reordering, latency
        writer.ue(0)
    writer.bits(0, 6)
    writer.ue(0)
    writer.flag(False)  # no timing
    writer.flag(False)  # no extension
    return _finish_nal(writer)


def write_sps(parameters: SequenceParameters) -> bytes:
    """The SPS NAL unit of a BPG picture, with the values BPG fixes for what its header leaves out; the whole
    coded picture is shown."""
    tools = parameters.tools
    writer = _nal_writer(NAL_SPS)
    writer.bits(0, 4)
    writer.bits(0, 3)
    writer.flag(True)
    _write_profile(writer)
    writer.ue(0)
    writer.ue(CHROMA_FORMATS.index(parameters.chroma))
    if parameters.chroma == "444":
        writer.flag(False)
    writer.ue(parameters.width)
    writer.ue(parameters.height)
    writer.flag(False)
    writer.ue(parameters.bit_depth - 8)
    writer.ue(parameters.bit_depth - 8)
    writer.ue(4)  # log2_max_pic_order_cnt_lsb_minus4
    writer.flag(True)
    for _ in range(3):
        writer.ue(0)
    writer.ue(tools.log2_min_coding_block_minus3)
    writer.ue(tools.log2_diff_coding_block)
    writer.ue(tools.log2_min_transform_minus2)
    writer.ue(tools.log2_diff_transform)
    writer.ue(tools.transform_hierarchy_depth_intra)
    writer.ue(tools.transform_hierarchy_depth_intra)
    writer.flag(False)  # no scaling lists
    writer.flag(True)  # asymmetric motion partitions
    writer.flag(tools.sample_adaptive_offset)
    write_pulse_code(writer, tools.pulse_code)
    writer.ue(0)
    writer.flag(False)  # no long-term references
    writer.flag(True)  # temporal motion vectors
    writer.flag(tools.strong_intra_smoothing)
    writer.flag(False)  # no VUI
    write_range_extension(writer, tools.range_extension)
    return _finish_nal(writer)


def _nal_writer(kind: int) -> BitWriter:
    writer = BitWriter()
    writer.bits(kind << 9 | 1, 16)  # layer 0, temporal id 0
    return writer


def _finish_nal(writer: BitWriter) -> bytes:
    writer.flag(True)  # rbsp_stop_one_bit
    data = writer.to_bytes()
    return data[:2] + escape(data[2:])


def _write_profile(writer: BitWriter) -> None:
    """profile_tier_level() of a still picture of any size, depth and chroma format."""
    writer.bits(_PROFILE_RANGE_EXTENSIONS, 8)
    writer.bits(1 << (31 - _PROFILE_RANGE_EXTENSIONS), 32)
    writer.bits(0b1001, 4)  # progressive, frames only
    writer.bits(0, 44)
    writer.bits(_LEVEL_8_5, 8)
