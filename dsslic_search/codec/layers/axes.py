"""The colour axes of a photo: planes for the residual layer that are as little alike as three planes can be.

BT.601 fits the average photo. The principal axes of one photo's own colour differences between neighbouring
pixels (Karhunen–Loève transform) put more of it into the first plane, at the price of nine bytes: about 7 %
fewer bits at the same RGB PSNR (docs/results/levers.json). Axes of pixels instead of differences gain less (5
% where these gain 8), as intra prediction takes away what is even; axes for every class of the label map gain
nothing more.

A matrix holds whole numbers; the way back is its exact inverse in fixed point, so every machine gets the same
pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.bpg.colour import bands
from dsslic_search.core.cached import cached_property
from dsslic_search.core.errors import FormatError

BIT_DEPTH = 10
CODED_BYTES = 9
FRACTION_BITS = 2  # pixels come back in quarters of a grey level
_ROW_LENGTH = 127  # of a row of the matrix
_MAX_ROW_SUM = 221  # of a row's absolute values: 127·√3 and what rounding adds
# a grey level is 4·(row · (1, 1, 1))/220: the planes of grey are as far apart as its pixels, times 4
_UNIT = 220
_MIDDLE = 1 << (BIT_DEPTH - 1)
_SHIFT = 17
_SAMPLED_PIXELS = 1 << 17  # pixels that are enough to find the axes

Row = tuple[int, int, int]


@dataclass(frozen=True)
class Axes:
    """``rows``: what each plane is made of red, green and blue, whole numbers, about orthogonal, each row
    about 127 long."""

    rows: tuple[Row, Row, Row]

    def __post_init__(self) -> None:
        if (
            any(sum(map(abs, row)) > _MAX_ROW_SUM for row in self.rows)
            or abs(self._determinant) < _ROW_LENGTH**3 // 2
        ):
            raise FormatError("the colour axes of the residual are not three axes")

    @property
    def _determinant(self) -> int:
        (a, b, c), (d, e, f), (g, h, i) = self.rows
        return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)

    @property
    def _least(self) -> list[int]:
        """What the rows give at the least, for pixels of 0..255."""
        return [255 * sum(min(0, value) for value in row) for row in self.rows]

    @cached_property
    def _inverse(self) -> list[list[int]]:
        """Numerators of the inverse matrix; the determinant is their denominator."""
        (a, b, c), (d, e, f), (g, h, i) = self.rows
        return [
            [e * i - f * h, c * h - b * i, b * f - c * e],
            [f * g - d * i, a * i - c * g, c * d - a * f],
            [d * h - e * g, b * g - a * h, a * e - b * d],
        ]

    def to_bytes(self) -> bytes:
        """9 bytes, row by row, signed."""
        return np.array(self.rows, np.int8).tobytes()

    def planes(self, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint16], ...]:
        """Three planes uint16 [H, W] in 0..1023 from pixels uint8 [H, W, 3]: four steps a grey level."""
        return self._forward(pixels, [(-2 * least, _UNIT // 2) for least in self._least])

    def difference_planes(self, difference: NDArray[np.int16]) -> tuple[NDArray[np.uint16], ...]:
        """Three planes uint16 [H, W] in 0..1023 around 512 from differences int16 [H, W, 3] in -255..255: two
        steps a grey level."""
        return self._forward(difference, [(2 * _MIDDLE * (_UNIT // 2), _UNIT)] * 3)

    def _forward(
        self, values: NDArray[np.uint8] | NDArray[np.int16], rules: list[tuple[int, int]]
    ) -> tuple[NDArray[np.uint16], ...]:
        height, width = values.shape[:2]
        planes = tuple(np.empty((height, width), np.uint16) for _ in range(3))
        for at in bands(height, width):
            channels = [values[at, :, k].astype(np.int32) for k in range(3)]
            for plane, row, (bias, divisor) in zip(planes, self.rows, rules, strict=True):
                total = np.full(channels[0].shape, bias + divisor // 2, np.int32)
                for weight, channel in zip(row, channels, strict=True):
                    total += channel * np.int32(2 * weight)
                plane[at] = np.clip(total // divisor, 0, (1 << BIT_DEPTH) - 1)
        return planes

    def pixels(self, planes: tuple[NDArray[np.uint16], ...]) -> NDArray[np.int16]:
        """What :meth:`planes` came from: int16 [H, W, 3] in quarters of a grey level, about 0..1020."""
        return self._backward(planes, _UNIT // 4, [-least for least in self._least])

    def differences(self, planes: tuple[NDArray[np.uint16], ...]) -> NDArray[np.int16]:
        """What :meth:`difference_planes` came from: int16 [H, W, 3] in quarters of a grey level."""
        return self._backward(planes, _UNIT // 2, [_MIDDLE * (_UNIT // 2)] * 3)

    def _backward(
        self, planes: tuple[NDArray[np.uint16], ...], factor: int, offsets: list[int]
    ) -> NDArray[np.int16]:
        scale = (1 << FRACTION_BITS) << _SHIFT
        determinant = self._determinant
        height, width = planes[0].shape
        out = np.empty((height, width, 3), np.int16)
        weights = [
            [_nearest(numerator * factor * scale, determinant) for numerator in row] for row in self._inverse
        ]
        biases = [
            _wrapped(
                _nearest(
                    -sum(n * offset for n, offset in zip(row, offsets, strict=True)) * scale, determinant
                )
                + (1 << _SHIFT >> 1)
            )
            for row in self._inverse
        ]
        for at in bands(height, width):
            sources = [plane[at].astype(np.int32) for plane in planes]
            for channel, (row, bias) in enumerate(zip(weights, biases, strict=True)):
                total = np.full(sources[0].shape, bias, np.int32)
                for weight, source in zip(row, sources, strict=True):
                    total += source * np.int32(weight)
                out[at, :, channel] = total >> _SHIFT
        return out


def _nearest(numerator: int, denominator: int) -> int:
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    return (2 * numerator + denominator) // (2 * denominator)


def _wrapped(value: int) -> int:
    """As 32 bits hold it: a hostile matrix gives nonsense, and everywhere the same."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def from_bytes(data: bytes) -> Axes:
    """The axes that :meth:`Axes.to_bytes` wrote. FormatError when the bytes are not 9 or not three axes."""
    if len(data) != CODED_BYTES:
        raise FormatError("the colour axes of the residual are truncated")
    return _axes(np.frombuffer(data, np.int8).reshape(3, 3))


def principal(pixels: NDArray[np.uint8]) -> Axes:
    """The axes of a photo, uint8 [H, W, 3], strongest first, each pointing to lighter colours."""
    step = max(1, pixels.shape[0] * pixels.shape[1] // _SAMPLED_PIXELS)
    rows = pixels[::step].astype(np.float32)
    below = pixels[1::step].astype(np.float32)
    differences = [np.diff(rows, axis=1).reshape(-1, 3), (below - rows[: len(below)]).reshape(-1, 3)]
    covariance = sum((d.T @ d).astype(np.float64) for d in differences)
    # A faint grey keeps the axes of a photo without colour, or of one pixel, from being arbitrary.
    covariance = covariance + np.ones((3, 3)) + np.diag([1e-3, 2e-3, 3e-3])
    _, vectors = np.linalg.eigh(covariance)
    found = vectors[:, ::-1].T
    found = found * np.where(found.sum(1, keepdims=True) < 0, -1, 1)
    return _axes(np.round(found * _ROW_LENGTH))


def _axes(matrix: NDArray[Any]) -> Axes:
    first, second, third = ((int(a), int(b), int(c)) for a, b, c in matrix)
    return Axes((first, second, third))
