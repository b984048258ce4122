"""What each syntax element of an HEVC intra picture costs, and every bin of it: slices are parsed to their
last bit, and nothing is decoded (ITU-T H.265, clause 7.3.8).

Chroma of any format, coding tree blocks of any size, tiles, wavefronts and dependent slices are parsed, and
all tools that intra pictures have within the standard's range extensions, but for extended precision and
aligned bypass bins. With these, with scaling lists, and where they are no IDR pictures, they are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.bpg import cabac, coding_tree, coefficients, contexts, slice_walk
from dsslic_search.codec.bpg.bits import nal_layer, nal_type, split_annexb, unescape
from dsslic_search.codec.bpg.file import sequence_of
from dsslic_search.codec.bpg.header import read_header, read_tools
from dsslic_search.codec.bpg.parameters import (
    CHROMA_FORMATS,
    NAL_PPS,
    NAL_VPS,
    SequenceParameters,
)
from dsslic_search.codec.bpg.picture_parameters import PictureParameters, Tiles, parse_pps
from dsslic_search.codec.bpg.slice_headers import SliceHeader, read_slice_header, tree_blocks
from dsslic_search.codec.machine_code import MachineCode
from dsslic_search.core.errors import FormatError

COMPONENTS = ("luma", "Cb", "Cr")
_WALK = MachineCode(
    (contexts, cabac, coefficients, coding_tree, slice_walk),
    slice_walk.walk_segment,
    (np.uint8, np.int64, np.int32, np.int64),
)
START_CODE = "start_code"
_START_CODE = b"\x00\x00\x01"
# From so many bytes on it pays to compile the loops first: plain Python walks some 60 KB a second.
_COMPILED_FROM = 1_500_000
_EXTENDED_PRECISION, _ALIGNED_BYPASS = 4, 8  # of the range extension's flags
_SKIP_CONTEXTS, _IMPLICIT_RDPCM, _RICE_ADAPTS = 1, 2, 7
_NEVER = 7  # log2 of more than any block's side
# Table 8-3.
_MODES_422 = (
    0, 1, 2, 2, 2, 2, 3, 5, 7, 8, 10, 11, 13, 15, 16, 18, 19, 20, 21, 22, 23, 23, 24, 24, 25, 25, 26, 27, 27,
    28, 28, 29, 29, 30, 31,
)  # fmt: skip
_SMALL_CONTEXTS = (0, 1, 4, 5, 2, 3, 4, 5, 6, 6, 8, 8, 7, 7, 8, 0)  # clause 9.3.4.2.5
_DAMAGED = "the HEVC picture's slices do not read to their ends: the data is damaged"


class Cost(NamedTuple):
    """``element``: its name in the standard, or what else takes bits; ``component``: one of
    :data:`COMPONENTS`, "" of what belongs to none; ``bits``: whole 65536ths; ``bins``: how many."""

    element: str
    component: str
    bits: float
    bins: int


def costs_of(data: bytes, sequence: SequenceParameters, *, max_pixels: int) -> list[Cost]:
    """What takes the bits of an Annex B stream ``data`` of one picture, but for its video and sequence
    parameter sets; they sum to those of the stream.

    A bin takes the logarithm of the part of CABAC's range that it leaves. Raises :class:`FormatError` where
    the stream is damaged, has more than ``max_pixels`` samples, or uses what is not parsed here.
    """
    picture = _Picture(data, sequence, max_pixels)
    picture.walk(np.zeros(1, np.int64))
    return [cost for cost in picture.costs() if cost.bits]


def costs_of_file(data: bytes, *, max_pixels: int) -> list[Cost]:
    """The same of the HEVC data of a BPG file that has no alpha plane."""
    coded, sequence = _coded(data)
    costs = costs_of(coded, sequence, max_pixels=max_pixels)
    spared = 8 * len(_START_CODE)  # which such a file leaves out
    return [c._replace(bits=c.bits - spared) if c.element == START_CODE else c for c in costs]


def events_of_file(data: bytes, *, max_pixels: int) -> NDArray[np.int64]:
    """As :func:`events_of` for such a file."""
    return events_of(*_coded(data), max_pixels=max_pixels)


def _coded(data: bytes) -> tuple[bytes, SequenceParameters]:
    header, body = read_header(data)
    if header.alpha is not None:
        raise FormatError("the BPG picture has an alpha plane, of which the bits are not told")
    tools, coded = read_tools(body)
    return _START_CODE + coded, sequence_of(header, tools)


def events_of(data: bytes, sequence: SequenceParameters, *, max_pixels: int) -> NDArray[np.int64]:
    """All bins of such a stream, in order: bit 0 the value, bits 1..7 the element (3 times its place in
    `contexts.ELEMENTS`, + 1 of Cb, + 2 of Cr), 8..15 the context (`cabac.BYPASS`, `cabac.TERMINATE`), and
    from 16 on what `coefficients.hint` tells of coefficients, of other bins log2 of the block's side."""
    picture = _Picture(data, sequence, max_pixels)
    picture.walk(np.zeros(1, np.int64))
    events = np.zeros(max(1, int(picture.cells[cabac.BINS])), np.int64)
    picture = _Picture(data, sequence, max_pixels)
    picture.walk(events)
    return events


class _Picture:
    """The slices of a picture, and what is known of it before they are walked."""

    def __init__(self, data: bytes, sequence: SequenceParameters, max_pixels: int) -> None:
        _check_sequence(sequence, max_pixels)
        self.sequence = sequence
        self.size = len(data)
        units = [unit for unit in split_annexb(data) if len(unit) > 2]
        if any(nal_layer(unit) for unit in units):
            raise FormatError("the HEVC stream has more than one layer, of which the bits are not told")
        self.parameter_sets = [unit for unit in units if nal_type(unit) == NAL_PPS]
        self.slices = [unit for unit in units if nal_type(unit) < NAL_VPS]
        self.others = [unit for unit in units if nal_type(unit) > NAL_PPS]
        if not self.slices or len(set(self.parameter_sets)) != 1:
            raise FormatError("the HEVC stream has no slices, or not one picture parameter set")
        self.parameters = parse_pps(self.parameter_sets[0])
        self.header_bits = self.coded_bits = 0
        self.cells = _tables().copy()
        _set_parameters(self.cells, sequence, self.parameters)
        self.maps = _maps(self.cells, sequence, self.parameters.tiles)

    def walk(self, events: NDArray[np.int64]) -> None:
        """All slices; bins go to ``events`` if there is room for more than one."""
        cells, header = self.cells, None
        cells[cabac.NOTING], cells[cabac.ROOM] = int(events.size > 1), events.size
        walk = _WALK.made(pays=self.size >= _COMPILED_FROM)
        for unit in self.slices:
            header = read_slice_header(unit, self.parameters, self.sequence, header)
            payload = unescape(unit[2:])
            self._start(header, len(payload) - header.data_at)
            coded = np.frombuffer(payload, np.uint8)[header.data_at :].copy()
            if walk is not None:
                found = walk(coded, cells, self.maps, events)
            else:
                arrays: tuple[Any, ...] = (coded, cells, self.maps, events)
                found = slice_walk.walk_segment(*(memoryview(array) for array in arrays))
            behind = coded[int(cells[cabac.NEXT]) :]
            if found != slice_walk.SOUND or behind.any():
                raise FormatError(_DAMAGED)
            self.header_bits += 8 * header.data_at
            self.coded_bits += 8 * (len(payload) - header.data_at)
        if cells[slice_walk.NEXT_TREE] != cells[slice_walk.TREE_COUNT]:
            raise FormatError(_DAMAGED)

    def _start(self, header: SliceHeader, size: int) -> None:
        cells = self.cells
        number = int(cells[slice_walk.NEXT_TREE])
        order = self.maps[cells[slice_walk.ORDER] :]
        if (
            size < 1
            or number >= cells[slice_walk.TREE_COUNT]
            or header.first != (number == 0)
            or order[number] != header.address
        ):
            raise FormatError(_DAMAGED)
        if not header.dependent:
            cells[slice_walk.SLICE] = header.address
        cells[slice_walk.GOES_ON] = int(header.dependent)
        cells[cabac.NEXT], cells[cabac.END] = 0, size
        _put(cells, cabac.FIRST_CONTEXTS, _started(header.qp))
        cells[coding_tree.LUMA_OFFSETS] = int(header.luma_offsets)
        cells[coding_tree.CHROMA_OFFSETS] = int(header.chroma_offsets)
        cells[coding_tree.CHROMA_QPS] = int(header.chooses_chroma_qp)

    def costs(self) -> Iterator[Cost]:
        """All of them, those of nothing included."""
        units = [*self.parameter_sets, *self.slices, *self.others]
        bodies = 8 * sum(map(len, units))
        escapes = 8 * sum(len(unit) - 2 - len(unescape(unit[2:])) for unit in self.slices)
        yield Cost(START_CODE, "", 8 * self.size - bodies, 0)
        yield Cost("pic_parameter_set", "", 8 * sum(map(len, self.parameter_sets)), 0)
        yield Cost("other_nal_unit", "", 8 * sum(map(len, self.others)), 0)
        yield Cost("nal_unit_header", "", 16 * len(self.slices), 0)
        yield Cost("slice_segment_header", "", self.header_bits, 0)
        yield Cost("emulation_prevention_three_byte", "", escapes, 0)
        spent = self.cells[cabac.COSTS : cabac.COSTS + contexts.COSTS_COUNT].tolist()
        bins = self.cells[cabac.COUNTS : cabac.COUNTS + contexts.COSTS_COUNT].tolist()
        for place, (cost, count) in enumerate(zip(spent, bins, strict=True)):
            element, component = contexts.ELEMENTS[place // 3], place % 3
            yield Cost(
                element,
                COMPONENTS[component] if element in contexts.BY_COMPONENT else "",
                cost / contexts.BIT,
                count,
            )
        yield Cost("byte_alignment", "", self.coded_bits - sum(spent) / contexts.BIT, 0)


def _check_sequence(sequence: SequenceParameters, max_pixels: int) -> None:
    """FormatError where sizes are not those that the standard allows: the loops trust them."""
    tools = sequence.tools
    if sequence.width * sequence.height > max_pixels:
        raise FormatError(
            f"the HEVC picture has {sequence.width}x{sequence.height} samples, more than the "
            f"{max_pixels} allowed"
        )
    coding, tree = tools.log2_min_coding_block_minus3 + 3, tree_blocks(tools)
    least = tools.log2_min_transform_minus2 + 2
    most = least + tools.log2_diff_transform
    sound = 4 <= tree <= 6 and least < coding and most <= min(tree, 5)
    sound = sound and not sequence.width % (1 << coding) and not sequence.height % (1 << coding)
    sound = sound and tools.transform_hierarchy_depth_intra <= tree - least
    if pulse := tools.pulse_code:
        first = pulse.log2_min_size_minus3 + 3
        sound = sound and first >= min(coding, 5) and first + pulse.log2_diff_size <= min(tree, 5)
    if not sound:
        raise FormatError("the HEVC picture's blocks have sizes that cannot be: the data is damaged")
    extension = tools.range_extension
    if extension and (extension[_EXTENDED_PRECISION] or extension[_ALIGNED_BYPASS]):
        raise FormatError(
            "the HEVC picture uses extended precision or aligned bypass bins, which are not parsed"
        )


def _put(cells: NDArray[np.int64], at: int, values: Sequence[int]) -> None:
    cells[at : at + len(values)] = values


@cache
def _tables() -> NDArray[np.int64]:
    """The cells with nothing but the tables in them."""
    cells = np.zeros(slice_walk.CELL_COUNT, np.int64)
    likelier, other = contexts.moved()
    _put(cells, cabac.LPS, [size for row in contexts.LPS_SIZES for size in row])
    _put(cells, cabac.LIKELIER, likelier)
    _put(cells, cabac.OTHER, other)
    _put(cells, cabac.LOGS, contexts.logarithms())
    _put(cells, cabac.SHIFTS, [0] + [9 - (8 * eighth).bit_length() for eighth in range(1, 33)])
    cells[cabac.SHIFTS] = 6  # of 6 and 7, the smallest there are
    for scan in range(3):
        _put(cells, coefficients.PLACES + 16 * scan, [4 * y + x for x, y in _scan(4, scan)])
        for log2 in range(4):
            side = 1 << log2
            _put(
                cells,
                coefficients.BLOCKS + 256 * scan + 64 * log2,
                [8 * y + x for x, y in _scan(side, scan)],
            )
    _put(cells, coefficients.SMALL_CONTEXTS, _SMALL_CONTEXTS)
    _put(cells, coding_tree.CHROMA_422, _MODES_422)
    return cells


_started = lru_cache(maxsize=64)(contexts.started)


def _scan(side: int, scan: int) -> list[tuple[int, int]]:
    """Columns and rows in the order of a scan (clauses 6.5.3 to 6.5.5)."""
    places = [(x, y) for y in range(side) for x in range(side)]
    if scan == coefficients.HORIZONTAL:
        return places
    if scan == coefficients.VERTICAL:
        return [(y, x) for x, y in places]
    return sorted(places, key=lambda place: (place[0] + place[1], place[0]))


def _set_parameters(
    cells: NDArray[np.int64], sequence: SequenceParameters, parameters: PictureParameters
) -> None:
    tools = sequence.tools
    tree = tree_blocks(tools)
    flags = tools.range_extension or (False,) * 9
    pulse = tools.pulse_code
    least_pulse = pulse.log2_min_size_minus3 + 3 if pulse else _NEVER
    delta, chroma_delta = parameters.qp_delta_depth, parameters.chroma_offset_depth
    said: dict[int, Any] = {
        coefficients.SKIPS: parameters.transform_skip,
        coefficients.LOG2_SKIP: parameters.log2_skip_block,
        coefficients.SKIP_CONTEXTS: flags[_SKIP_CONTEXTS],
        coefficients.IMPLICIT_RDPCM: flags[_IMPLICIT_RDPCM],
        coefficients.RICE_ADAPTS: flags[_RICE_ADAPTS],
        coefficients.HIDES_SIGNS: parameters.sign_hiding,
        coding_tree.WIDTH: sequence.width,
        coding_tree.HEIGHT: sequence.height,
        coding_tree.LOG2_TREE: tree,
        coding_tree.LOG2_CODING: tools.log2_min_coding_block_minus3 + 3,
        coding_tree.LOG2_LEAST_TRANSFORM: tools.log2_min_transform_minus2 + 2,
        coding_tree.LOG2_MOST_TRANSFORM: tools.log2_min_transform_minus2 + 2 + tools.log2_diff_transform,
        coding_tree.TRANSFORM_DEPTH: tools.transform_hierarchy_depth_intra,
        coding_tree.CHROMA: CHROMA_FORMATS.index(sequence.chroma),
        coding_tree.MOST_OFFSET: (1 << (min(sequence.bit_depth, 10) - 5)) - 1,
        coding_tree.BYPASSES: parameters.transquant_bypass,
        coding_tree.CROSS_COMPONENT: parameters.cross_component and sequence.chroma == "444",
        coding_tree.QP_DELTAS: delta is not None,
        coding_tree.LOG2_QP_GROUP: _NEVER if delta is None else tree - delta,
        coding_tree.LOG2_CHROMA_QP_GROUP: _NEVER if chroma_delta is None else tree - chroma_delta,
        coding_tree.CHROMA_QP_CHOICES: parameters.chroma_offset_choices,
        coding_tree.PULSE_CODES: pulse is not None,
        coding_tree.LOG2_LEAST_PULSE: least_pulse,
        coding_tree.LOG2_MOST_PULSE: least_pulse + (pulse.log2_diff_size if pulse else 0),
        coding_tree.LUMA_PULSE_BITS: pulse.luma_bits_minus1 + 1 if pulse else 0,
        coding_tree.CHROMA_PULSE_BITS: pulse.chroma_bits_minus1 + 1 if pulse else 0,
        slice_walk.WAVEFRONTS: parameters.wavefronts,
    }
    for place, value in said.items():
        cells[place] = int(value)


def _maps(cells: NDArray[np.int64], sequence: SequenceParameters, tiles: Tiles | None) -> NDArray[np.int32]:
    """What is known of each block of a picture, and where it lies."""
    side = 1 << tree_blocks(sequence.tools)
    across, down = -(-sequence.width // side), -(-sequence.height // side)
    count, depths = across * down, (across * side // 8) * (down * side // 8)
    sizes = (depths, 4 * depths, count, count, count)
    _, modes, order, tile, of_slice = (sum(sizes[:place]) for place in range(5))
    cells[coding_tree.DEPTH_ROW], cells[coding_tree.MODE_ROW] = across * side // 8, across * side // 4
    cells[slice_walk.TREE_COUNT], cells[slice_walk.TREE_ROW] = count, across
    cells[coding_tree.MODES], cells[slice_walk.ORDER] = modes, order
    cells[slice_walk.TILE_OF], cells[slice_walk.SLICE_OF] = tile, of_slice
    maps = np.zeros(sum(sizes), np.int32)
    maps[of_slice:] = -1
    columns = _edges(across, tiles.columns if tiles else 1)
    rows = _edges(down, tiles.rows if tiles else 1)
    numbers = np.add.outer(
        len(columns) * np.searchsorted(rows, np.arange(down), "right"),
        np.searchsorted(columns, np.arange(across), "right"),
    ).ravel()
    maps[tile : tile + count] = numbers
    maps[order : order + count] = np.argsort(numbers, kind="stable")
    return maps


def _edges(count: int, parts: tuple[int, ...] | int) -> list[int]:
    """Where, of ``count`` tree blocks, each part ends."""
    if isinstance(parts, int):
        edges = [count * (place + 1) // parts for place in range(parts)]
    else:
        edges = [*np.cumsum(parts, dtype=np.int64).tolist(), count]
    if edges != sorted({0, *edges})[1:]:
        raise FormatError("the HEVC picture's tiles do not fit it: the data is damaged")
    return edges
