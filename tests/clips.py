"""Small videos for tests, made by PyAV; nothing is committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 128, 64
CHART = np.array(
    [
        [[230, 30, 40], [40, 200, 60], [30, 60, 220], [240, 220, 40]],
        [[200, 50, 190], [50, 200, 210], [180, 120, 90], [128, 128, 128]],
    ],
    np.uint8,
)
"""Eight colours, [2, 4, 3], as they are laid out in `chart`."""
_TICKS = 1000  # of a second
LUMA = {1: (0.2126, 0.0722), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""Weights of red and blue in luma, by the matrix of H.273, table 4."""


def chart() -> NDArray[np.uint8]:
    """The colours in squares of 32 × 32 pixels."""
    return np.repeat(np.repeat(CHART, 32, 0), 32, 1)


def middles(pixels: NDArray[Any]) -> NDArray[Any]:
    """The pixel in the middle of each square."""
    return pixels[16::32, 16::32]


def marked(number: int) -> NDArray[np.uint8]:
    """A frame whose grey tells its number, 0..15."""
    return np.full((HEIGHT, WIDTH, 3), 8 + 16 * number, np.uint8)


def number_of(pixels: NDArray[Any]) -> int:
    """The number that a decoded frame tells, whatever its size."""
    return round((float(np.mean(pixels)) - 8) / 16)


def samples(rgb: NDArray[np.uint8], matrix: int, bits: int, full: bool) -> NDArray[np.float64]:
    """Luma and chroma of H.273, equations 38 to 40 and their quantisation, rounded."""
    kr, kb = LUMA[matrix]
    r, g, b = (rgb[..., i] / 255 for i in range(3))
    y = kr * r + (1 - kr - kb) * g + kb * b
    u, v = (b - y) / (2 * (1 - kb)), (r - y) / (2 * (1 - kr))
    if full:
        white, middle = (1 << bits) - 1, 1 << (bits - 1)
        return np.rint(np.stack([y * white, u * white + middle, v * white + middle], -1))
    return np.rint(np.stack([16 + 219 * y, 128 + 224 * u, 128 + 224 * v], -1) * (1 << (bits - 8)))


def coded_frame(
    rgb: NDArray[np.uint8], pixel_format: str, matrix: int, full: bool, space: tuple[int, int] = (2, 2)
) -> av.VideoFrame:
    """A frame whose samples are what a matrix makes of sRGB's numbers; ``space``: primaries and transfer."""
    bits = 10 if "10" in pixel_format else 8
    planes = samples(rgb, matrix, bits, full)
    frame = av.VideoFrame(rgb.shape[1], rgb.shape[0], pixel_format)
    dtype = np.dtype(np.uint16 if bits > 8 else np.uint8)
    for i, plane in enumerate(frame.planes):
        step = rgb.shape[1] // plane.width
        rows = np.zeros((plane.height, plane.line_size // dtype.itemsize), dtype)
        rows[:, : plane.width] = planes[::step, ::step, i]
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_range = matrix, 2 if full else 1
    frame.color_primaries, frame.color_trc = space
    return frame


def clip(
    path: Path,
    frames: Sequence[av.VideoFrame | NDArray[np.uint8]],
    moments: Sequence[float] | None = None,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv444p",
    options: Mapping[str, str] | None = None,
    container: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    aspect: Fraction | None = None,
    turned: float | None = None,
) -> Path:
    """A clip of frames, shown at moments in seconds (a quarter of one apart, where none are given); without
    losses where ``options`` do not say otherwise. ``turned``: degrees of the display matrix."""
    moments = [i / 4 for i in range(len(frames))] if moments is None else moments
    first = frames[0]
    with av.open(str(path), "w", options=dict(container or {})) as out:
        out.metadata.update(metadata or {})
        stream: Any = out.add_stream(codec, rate=4, options=dict(options or {"qp": "0", "g": "4"}))
        stream.pix_fmt = pixel_format
        if isinstance(first, av.VideoFrame):
            stream.width, stream.height = first.width, first.height
            context = stream.codec_context
            context.colorspace, context.color_range = first.colorspace, first.color_range
            context.color_primaries, context.color_trc = first.color_primaries, first.color_trc
        else:
            stream.height, stream.width = first.shape[:2]
        stream.codec_context.time_base = stream.time_base = Fraction(1, _TICKS)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if turned is not None:
            stream.set_display_rotation(turned)
        for frame, moment in zip(frames, moments, strict=True):
            made = frame if isinstance(frame, av.VideoFrame) else av.VideoFrame.from_ndarray(frame, "rgb24")
            if made.format.name != pixel_format:
                made = made.reformat(format=pixel_format)
            made.pts, made.time_base = round(moment * _TICKS), Fraction(1, _TICKS)
            out.mux(stream.encode(made))
        out.mux(stream.encode(None))
    return path
