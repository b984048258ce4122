"""HEVC and AV1 pictures as the items of HEIF and AVIF hold them, decoded by the FFmpeg that PyAV brings: to
planes, and what the stream says of their colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture.formats.items import CodePoints

if TYPE_CHECKING:
    import av

PADDING = 64
"""Rows and columns that a coded picture may have beyond those that are shown: its blocks are whole."""

_FULL_RANGE = 2  # as FFmpeg numbers ranges
_UNSPECIFIED = 2  # of H.273
_CHROMA = {  # by FFmpeg's names of formats, without depth: what chroma's sides are divided by, down, across
    "gray": (),
    "yuv420p": (2, 2),
    "yuvj420p": (2, 2),
    "yuv422p": (1, 2),
    "yuvj422p": (1, 2),
    "yuv444p": (1, 1),
    "yuvj444p": (1, 1),
    "gbrp": (1, 1),
}


@dataclass(frozen=True)
class Planes:
    """``planes``: luma, [H, W], then none or two of chroma, whose sides are halved, rounded up, where they
    are subsampled; uint8, or uint16 for ``bits`` above 8. ``code_points``: what the stream says of them."""

    planes: tuple[NDArray[Any], ...]
    bits: int
    code_points: CodePoints

    def cut(self, height: int, width: int) -> Planes:
        """Their upper left part. ValueError where there is not so much."""
        rows, columns = self.planes[0].shape
        if rows < height or columns < width:
            raise ValueError("the picture is smaller than the file says")
        parts = [
            plane[
                : height if plane.shape[0] == rows else -(-height // 2),
                : width if plane.shape[1] == columns else -(-width // 2),
            ]
            for plane in self.planes
        ]
        return Planes(tuple(parts), self.bits, self.code_points)


class Still:
    """A decoder of pictures one after the other; those that are coded alike share what it takes. ``codec``:
    FFmpeg's name of it, "hevc" or "libdav1d"."""

    def __init__(self, codec: str = "hevc") -> None:
        self._codec = codec
        self._made_for: tuple[bytes, int, int] | None = None
        self._context: av.VideoCodecContext | None = None

    def decode(self, configuration: bytes, body: bytes, height: int, width: int) -> Planes:
        """``configuration``: what "hvcC" or "av1C" holds; ``body``: the item's bytes; ``height``, ``width``:
        what its picture must have; larger ones are refused before they are decoded. ValueError for damage."""
        import av

        context = self._prepared(configuration, height, width)
        try:
            frames = [*context.decode(av.Packet(body)), *context.decode(None)]
            context.flush_buffers()
        except (av.error.FFmpegError, ValueError) as error:
            self._made_for = None
            raise ValueError("a coded picture is damaged, or not of the size that the file says") from error
        if len(frames) != 1 or frames[0].is_corrupt:
            raise ValueError("a coded picture is damaged")
        return _planes_of(frames[0]).cut(height, width)

    def _prepared(self, configuration: bytes, height: int, width: int) -> av.VideoCodecContext:
        import av

        wanted = configuration, height, width
        if self._context is None or self._made_for != wanted:
            context = av.CodecContext.create(self._codec, "r")
            context.thread_count = 1
            context.extradata = configuration
            most = (height + PADDING) * (width + PADDING)
            context.options = {"err_detect": "explode", "max_pixels": str(most)}
            self._context, self._made_for = context, wanted
        return self._context


def _planes_of(frame: av.VideoFrame) -> Planes:
    name, depth = frame.format.name, frame.format.components[0].bits
    bare = name.removesuffix("le").removesuffix(str(depth)) if depth > 8 else name
    if bare not in _CHROMA:
        raise ValueError(f"coded pictures of the kind {name} are not read")
    halved = _CHROMA[bare]
    shapes = [(frame.height, frame.width)]
    if halved:
        shapes += [(-(-frame.height // halved[0]), -(-frame.width // halved[1]))] * 2
    planes = tuple(_samples(plane, shape, depth) for plane, shape in zip(frame.planes, shapes, strict=True))
    told = [getattr(frame, name, _UNSPECIFIED) for name in ("color_primaries", "color_trc", "colorspace")]
    primaries, transfer, matrix = (int(code) for code in told)
    return Planes(planes, depth, CodePoints(primaries, transfer, matrix, frame.color_range == _FULL_RANGE))


def _samples(plane: av.video.plane.VideoPlane, shape: tuple[int, int], depth: int) -> NDArray[Any]:
    dtype = np.dtype("u1" if depth == 8 else "<u2")
    buffer: NDArray[Any] = np.frombuffer(memoryview(plane), dtype)
    return buffer.reshape(-1, plane.line_size // dtype.itemsize)[: shape[0], : shape[1]]
