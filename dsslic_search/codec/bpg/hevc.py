"""One HEVC intra picture: encoding through the x265 that PyAV brings, decoding through ffmpeg's own decoder.

x265 is licensed under the GPL. This package neither contains nor links it: encoding uses the libx265 of the
user's PyAV if there is one, a choice made at run time, and answers with :class:`MissingExtraError` if there
is none. Decoding uses ffmpeg's HEVC decoder alone and works without x265.

Both run on the calling thread only, may be called from many threads at once, and give the same bytes or
samples every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.bpg import x265
from dsslic_search.codec.bpg.bits import join_annexb, nal_layer, nal_type, split_annexb
from dsslic_search.codec.bpg.colour import Samples, sample_type
from dsslic_search.codec.bpg.parameters import NAL_PPS, NAL_SPS, NAL_VPS, SequenceParameters, parse_sps
from dsslic_search.codec.bpg.x265 import PRESETS, Search
from dsslic_search.core.errors import FormatError, MissingExtraError, PhotoError
from dsslic_search.core.kinds import Tune

if TYPE_CHECKING:
    import av

ENCODABLE_DEPTHS = (8, 10, 12)
CODING_BLOCKS = (8, 16)  # samples a side, of the smallest coding block
DECODABLE_DEPTHS = (8, 9, 10, 12)
MAX_QP = 51
_MIN_SIDE = 16  # x265 takes nothing smaller
_MIN_SIDE_FOR_ALL_PRESETS = 64
_INTRA_SLICES = range(16, 22)  # BLA, IDR and CRA: the pictures a decoder can start from
_MAX_SLICES = 600  # of the highest level (table A.8); bounds the work a hostile stream can ask for
_FORMATS = {"400": "gray", "420": "yuv420p", "422": "yuv422p", "444": "yuv444p"}


@dataclass(frozen=True)
class IntraPicture:
    """``planes``: luma and, unless ``chroma`` is "400", two chroma planes, [h,w] uint8 (8 bits) or uint16,
    0..2**bit_depth-1.

    ``chroma``: "400", "420", "422" or "444"; chroma planes have ceil(side / 2) samples where they are
    subsampled.
    """

    planes: tuple[Samples, ...]
    bit_depth: int
    chroma: str


def chroma_shape(height: int, width: int, chroma: str) -> tuple[int, int]:
    """Rows and columns of a chroma plane that belongs to a luma plane of ``height`` rows and ``width``
    columns."""
    return (-(-height // 2) if chroma == "420" else height), (
        -(-width // 2) if chroma in ("420", "422") else width
    )


def encode_intra(
    planes: Sequence[Samples],
    *,
    bit_depth: int,
    chroma: str,
    qp: int,
    preset: str = "slow",
    lossless: bool = False,
    coding_block: int = CODING_BLOCKS[0],
    search: Search = Search.PLAIN,
    tune: Tune = Tune.PSNR,
) -> bytes:
    """Encodes one picture as an Annex B stream: VPS, SPS, PPS and one IDR slice.

    ``planes``: luma [H,W] and, unless ``chroma`` is "400", two chroma planes of :func:`chroma_shape`,
    integers 0..2**bit_depth-1; H and W are multiples of ``coding_block`` (8 or 16: the smallest coding
    block's side) and at least 16. ``bit_depth``: 8, 10 or 12. ``qp``: 0..51, the quantiser of the slice
    exactly, and of all its blocks unless ``tune`` is for SSIM. ``preset``: x265's dial between speed and
    size, one of :data:`~dsslic_search.codec.bpg.x265.PRESETS`. ``lossless``: the planes come back exactly;
    ``qp`` then means nothing. ``search``: what x265 tries beside.

    Raises ValueError for arguments outside these, :class:`MissingExtraError` where PyAV has no x265,
    :class:`PhotoError` where x265 refuses the picture.
    """
    _check_request(planes, bit_depth, chroma, qp, preset, coding_block)
    import av

    height, width = planes[0].shape
    pixel_format = _FORMATS[chroma] + ("" if bit_depth == 8 else f"{bit_depth}le")
    try:
        context = av.CodecContext.create("libx265", "w")
    except (av.error.FFmpegError, ValueError) as error:
        raise MissingExtraError(
            "this PyAV has no x265 encoder; install a PyAV wheel from PyPI (pip install av), which brings one"
        ) from error
    if min(height, width) < _MIN_SIDE_FOR_ALL_PRESETS and PRESETS.index(preset) > PRESETS.index("slower"):
        preset = "slower"  # x265 refuses such pictures at the presets above
    context.width, context.height, context.pix_fmt = width, height, pixel_format
    context.time_base = context.framerate = Fraction(1)
    context.options = {
        "preset": preset,
        "tune": "psnr",
        "x265-params": x265.parameters(qp, lossless, coding_block, search, tune),
    }
    frame = av.VideoFrame(width, height, pixel_format)
    for plane, samples in zip(frame.planes, planes, strict=True):
        _fill(plane, samples, bit_depth)
    frame.pts = 0
    try:
        return b"".join(bytes(packet) for packet in (*context.encode(frame), *context.encode(None)))
    except av.error.FFmpegError as error:
        raise PhotoError(
            f"x265 cannot encode a picture of {width}x{height} pixels, {chroma}, {bit_depth} bits: "
            f"{error.strerror}"
        ) from error


def _check_request(
    planes: Sequence[Samples], bit_depth: int, chroma: str, qp: int, preset: str, coding_block: int
) -> None:
    if bit_depth not in ENCODABLE_DEPTHS:
        raise ValueError(f"bit_depth is {bit_depth}; x265 encodes {', '.join(map(str, ENCODABLE_DEPTHS))}")
    if chroma not in _FORMATS:
        raise ValueError(f"chroma is {chroma!r}; known are {', '.join(_FORMATS)}")
    if not 0 <= qp <= MAX_QP:
        raise ValueError(f"qp is {qp}; it must be 0..{MAX_QP}")
    if preset not in PRESETS:
        raise ValueError(f"preset is {preset!r}; known are {', '.join(PRESETS)}")
    if coding_block not in CODING_BLOCKS:
        raise ValueError(f"coding_block is {coding_block}; it must be 8 or 16")
    height, width = planes[0].shape
    if min(height, width) < _MIN_SIDE or height % coding_block or width % coding_block:
        raise ValueError(
            f"the luma plane is {width}x{height}; both sides must be multiples of {coding_block} and at "
            f"least {_MIN_SIDE}"
        )
    wanted = [(height, width)] + [chroma_shape(height, width, chroma)] * (0 if chroma == "400" else 2)
    if [plane.shape for plane in planes] != wanted:
        raise ValueError(
            f"planes of shapes {[plane.shape for plane in planes]} where {chroma} needs {wanted}"
        )
    if any(plane.dtype.kind != "u" or int(plane.max()) >> bit_depth for plane in planes):
        raise ValueError(f"samples must be unsigned integers below {1 << bit_depth}")


def _fill(plane: av.video.plane.VideoPlane, samples: Samples, bit_depth: int) -> None:
    dtype = np.dtype("u1" if bit_depth == 8 else "<u2")
    height, width = samples.shape
    buffer: NDArray[Any] = np.frombuffer(memoryview(plane), dtype)
    buffer.reshape(-1, plane.line_size // dtype.itemsize)[:height, :width] = samples


def decode_intra(annexb: bytes, *, max_pixels: int) -> IntraPicture:
    """Decodes an Annex B stream of one intra picture of 8, 9, 10 or 12 bits.

    Everything but the base layer's parameter sets and slices is ignored. Raises :class:`FormatError` if the
    stream is damaged, is not one intra picture, has more than ``max_pixels`` luma samples (checked before
    anything of that size is allocated), or uses what ffmpeg cannot decode.
    """
    kept = []
    sequences: set[SequenceParameters] = set()
    pictures = slices = 0
    for unit in split_annexb(annexb):
        if len(unit) < 3 or nal_layer(unit):
            continue
        kind = nal_type(unit)
        if kind == NAL_SPS:
            sequences.add(parse_sps(unit))
        elif kind < NAL_VPS:
            if kind not in _INTRA_SLICES:
                raise FormatError(
                    "the HEVC stream has pictures that refer to others: it is a video, not a still picture"
                )
            slices += 1
            pictures += unit[2] >> 7  # first_slice_segment_in_pic_flag
        elif kind not in (NAL_VPS, NAL_PPS):
            continue
        kept.append(unit)
    if len(sequences) != 1 or pictures != 1 or slices > _MAX_SLICES:
        raise FormatError(
            f"the HEVC stream has {pictures} pictures in {slices} slices and {len(sequences)} shapes where "
            "one picture is needed"
        )
    sequence = sequences.pop()
    _check_sequence(sequence, max_pixels)
    return _decode(join_annexb(kept), sequence)


def _check_sequence(sequence: SequenceParameters, max_pixels: int) -> None:
    if sequence.width * sequence.height > max_pixels:
        raise FormatError(
            f"the HEVC picture has {sequence.width}x{sequence.height} samples, more than the "
            f"{max_pixels} allowed"
        )
    if sequence.bit_depth not in DECODABLE_DEPTHS:
        raise FormatError(
            f"the HEVC picture has {sequence.bit_depth} bits a sample; "
            f"{', '.join(map(str, DECODABLE_DEPTHS))} can be decoded"
        )


def _decode(annexb: bytes, sequence: SequenceParameters) -> IntraPicture:
    import av

    context = av.CodecContext.create("hevc", "r")
    context.thread_count = 1
    context.options = {"err_detect": "explode"}
    try:
        frames = [*context.decode(av.Packet(annexb)), *context.decode(None)]
    except (av.error.FFmpegError, ValueError) as error:
        raise FormatError("the HEVC picture is damaged or truncated and cannot be decoded") from error
    pixel_format = _FORMATS[sequence.chroma] + ("" if sequence.bit_depth == 8 else f"{sequence.bit_depth}le")
    if len(frames) != 1 or frames[0].is_corrupt:
        raise FormatError("the HEVC picture is damaged or truncated and cannot be decoded")
    frame = frames[0]
    if (frame.width, frame.height, frame.format.name) != (
        sequence.shown_width,
        sequence.shown_height,
        pixel_format,
    ):
        raise FormatError(
            f"the HEVC decoder gave {frame.width}x{frame.height} {frame.format.name}, which is not what the "
            "stream's header says"
        )
    shapes = [(frame.height, frame.width)] + [chroma_shape(frame.height, frame.width, sequence.chroma)] * (
        len(frame.planes) - 1
    )
    planes = tuple(
        _samples(plane, size, sequence.bit_depth) for plane, size in zip(frame.planes, shapes, strict=True)
    )
    return IntraPicture(planes, sequence.bit_depth, sequence.chroma)


def _samples(plane: av.video.plane.VideoPlane, size: tuple[int, int], bit_depth: int) -> Samples:
    dtype = np.dtype("u1" if bit_depth == 8 else "<u2")
    buffer: NDArray[Any] = np.frombuffer(memoryview(plane), dtype)
    rows = buffer.reshape(-1, plane.line_size // dtype.itemsize)[: size[0], : size[1]]
    # of the frame's own memory, which stays as long as the array
    return rows.astype(sample_type(bit_depth), copy=False)
