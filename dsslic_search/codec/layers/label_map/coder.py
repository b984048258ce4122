"""The label-map coder: uint8 class ids ↔ bytes, lossless, the same bytes on every machine. Format:
docs/label-map.md."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.numbers import number, read_number
from dsslic_search.core.errors import FormatError
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS

VERSION = 1
ROWS, COLUMNS, STORED = range(3)  # how the labels are coded: row by row, column by column, or not at all
_WHERE = "the label map's header"


def encode(label_map: NDArray[np.uint8]) -> bytes:
    """Code a label map, uint8 [h, w] with both sides at least 1; at most h·w + 11 bytes. ValueError for any
    other array."""
    if label_map.ndim != 2 or label_map.dtype != np.uint8 or label_map.size == 0:
        raise ValueError(
            f"a label map is uint8 [h, w] and not empty, not {label_map.dtype} {list(label_map.shape)}"
        )
    height, width = label_map.shape
    best, way = label_map.tobytes(), STORED
    for tried, turned in ((ROWS, label_map), (COLUMNS, label_map.T)):
        coded = _code(turned, len(best))
        if coded is not None and len(coded) < len(best):
            best, way = coded, tried
    return bytes([VERSION << 4 | way]) + number(height - 1) + number(width - 1) + best


def read_size(data: bytes) -> tuple[int, int]:
    """(height, width) of a coded map, from its first bytes; FormatError if they are not those of a label
    map."""
    _, height, width, _ = _read_header(data)
    return height, width


def decode(data: bytes, *, max_pixels: int | None = None) -> NDArray[np.uint8]:
    """The label map, uint8 [h, w]. Takes memory for about two bytes a label (ten for a single column) and 4
    MB.

    Raises FormatError for damaged data and, before anything is allocated, for a map of more than
    ``max_pixels`` labels. Not all damage can be seen: what is no error is a map of the size declared.
    """
    way, height, width, start = _read_header(data)
    limit = DEFAULT_MAX_PIXELS if max_pixels is None else max_pixels
    if height * width > limit:
        raise FormatError(f"the label map is {width}×{height}, more than the limit of {limit} labels")
    payload = data[start:]
    if way == STORED:
        if len(payload) != height * width:
            raise FormatError(
                f"the label map's data is {len(payload)} bytes long where {height * width} were declared"
            )
        return np.frombuffer(payload, np.uint8).reshape(height, width).copy()
    return (
        _decode(payload, height, width)
        if way == ROWS
        else np.ascontiguousarray(_decode(payload, width, height).T)
    )


def _code(label_map: NDArray[np.uint8], limit: int) -> bytes | None:
    """The coded labels, or None if they take more than ``limit`` bytes."""
    from dsslic_search.codec.layers.label_map import machine, native, start, walk

    height, width = label_map.shape
    plane = start.empty_plane(height, width)
    left = machine.MARGIN_LEFT
    plane[machine.MARGIN_TOP :, left : left + width] = label_map
    data = start.loop_bytes(np.zeros(limit, np.uint8))
    slots, cells = start.prepared(limit)
    outcome = native.scan()(start.loop_bytes(plane), data, slots, cells, height, width)
    written, low = int(cells[machine.NEXT]), int(cells[machine.LOW])
    if outcome != walk.DONE or written > limit:
        return None
    # the decoder reads zeros past the end: none or one byte more puts it between low and high, which differ
    # in their first byte
    return bytes(data[:written]) + (bytes([(low >> 24) + 1]) if low else b"")


def _decode(payload: bytes, height: int, width: int) -> NDArray[np.uint8]:
    from dsslic_search.codec.layers.label_map import machine, native, start, walk

    plane = start.loop_bytes(start.empty_plane(height, width))
    slots, cells = start.prepared(len(payload))
    cells[machine.DECODING] = 1
    cells[machine.VALUE] = int.from_bytes(payload[:4].ljust(4, b"\0"), "big")
    cells[machine.NEXT] = 4
    outcome = native.scan()(
        plane, start.loop_bytes(np.array(bytearray(payload), np.uint8)), slots, cells, height, width
    )
    if outcome == walk.OUT_OF_DATA:
        raise FormatError("the label map's data ends too early")
    if outcome != walk.DONE:
        raise FormatError("the label map's data is damaged")
    if cells[machine.NEXT] < len(payload) + 3:
        raise FormatError("the label map's data goes on after its last label")
    shape = (
        height + machine.MARGIN_TOP,
        machine.MARGIN_LEFT + width + machine.MARGIN_RIGHT,
    )
    left = machine.MARGIN_LEFT
    return np.frombuffer(plane, np.uint8).reshape(shape)[machine.MARGIN_TOP :, left : left + width].copy()


def _read_header(data: bytes) -> tuple[int, int, int, int]:
    """(way of coding, height, width, where the labels' data starts)."""
    if not data:
        raise FormatError("the label map's data is empty")
    version, way = data[0] >> 4, data[0] & 15
    if version != VERSION or way > STORED:
        raise FormatError(
            f"the label map is of version {version}, way {way}, which this program does not know"
        )
    height, at = read_number(data, 1, _WHERE)
    width, at = read_number(data, at, _WHERE)
    return way, height + 1, width + 1, at
