"""Slices parsed to their last bit: what comes out is put through an arithmetic encoder, and must be the bytes
that it came from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec import bpg
from dsslic_search.codec.bpg import cabac, contexts, slice_syntax, slices, x265
from dsslic_search.codec.bpg.bits import BitWriter, escape, join_annexb, nal_type, split_annexb, unescape
from dsslic_search.codec.bpg.file import sequence_of
from dsslic_search.codec.bpg.header import read_header, read_tools, write_header, write_tools
from dsslic_search.codec.bpg.hevc import decode_intra
from dsslic_search.codec.bpg.parameters import (
    CodingTools,
    PulseCode,
    SequenceParameters,
    write_sps,
    write_vps,
)
from dsslic_search.codec.bpg.picture_parameters import parse_pps
from dsslic_search.codec.bpg.slice_headers import read_slice_header
from dsslic_search.core.errors import FormatError
from dsslic_search.core.kinds import Tune

FILES = sorted((Path(__file__).parents[2] / "data" / "bpg").glob("*.bpg"))
SMALL = [path for path in FILES if path.stat().st_size < 3000]
MOST = 1 << 16


class Encoder:
    """The encoder of clause 9.3.4.6 and after, bit by bit."""

    def __init__(self, qp: int) -> None:
        self.states = contexts.started(qp)
        self.bits: list[int] = []
        self.start()

    def start(self) -> None:
        self.low, self.range, self.first, self.outstanding = 0, 510, True, 0

    def put(self, bit: int) -> None:
        if not self.first:
            self.bits.append(bit)
        self.first = False
        self.bits += [1 - bit] * self.outstanding
        self.outstanding = 0

    def shift(self) -> None:
        while self.range < 256:
            self.range *= 2
            self.settle()

    def settle(self) -> None:
        if self.low < 256:
            self.put(0)
        elif self.low >= 512:
            self.low -= 512
            self.put(1)
        else:
            self.low -= 256
            self.outstanding += 1
        self.low *= 2

    def bin(self, context: int, value: int) -> None:
        state, likely = divmod(self.states[context], 2)
        less = contexts.LPS_SIZES[state][self.range >> 6 & 3]
        self.range -= less
        if value != likely:
            self.low += self.range
            self.range = less
            likely ^= state == 0
            state = contexts.AFTER_LPS[state]
        elif state < 62:
            state += 1
        self.states[context] = 2 * state + likely
        self.shift()

    def bypass(self, value: int) -> None:
        self.low = 2 * self.low + self.range * value
        if self.low >= 1024:
            self.low -= 1024
            self.put(1)
        elif self.low < 512:
            self.put(0)
        else:
            self.low -= 512
            self.outstanding += 1

    def terminate(self, value: int) -> None:
        self.range -= 2
        if not value:
            self.shift()
            return
        self.low += self.range
        self.range = 2
        self.shift()
        self.put(self.low >> 9 & 1)
        self.bits += [self.low >> 8 & 1, 1]
        self.bits += [0] * (-len(self.bits) % 8)
        self.start()

    def to_bytes(self) -> bytes:
        return bytes(int("".join(map(str, self.bits[at : at + 8])), 2) for at in range(0, len(self.bits), 8))


def recoded(events: np.ndarray, qp: int) -> bytes:
    encoder = Encoder(qp)
    for event in events.tolist():
        context, value = event >> 8 & 255, event & 1
        if context == cabac.BYPASS:
            encoder.bypass(value)
        elif context == cabac.TERMINATE:
            encoder.terminate(value)
        else:
            encoder.bin(context, value)
    return encoder.to_bytes()


def slice_of(data: bytes) -> tuple[bytes, int]:
    """The coded bytes of a file of one slice, and its quantiser."""
    header, body = read_header(data)
    tools, coded = read_tools(body)
    units = split_annexb(b"\0\0\1" + coded)
    parameters = parse_pps(next(unit for unit in units if nal_type(unit) == 34))
    (unit,) = [unit for unit in units if nal_type(unit) < 32]
    told = read_slice_header(unit, parameters, sequence_of(header, tools))
    return unescape(unit[2:])[told.data_at :], told.qp


@pytest.fixture(autouse=True)
def plain(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In plain Python, which is quicker than compiling."""
    if "compiled" not in request.node.name:
        monkeypatch.setattr(slice_syntax._WALK, "made", lambda pays: None)


def total(costs: list[slice_syntax.Cost]) -> float:
    return sum(cost.bits for cost in costs)


def coded_bits(data: bytes) -> int:
    return 8 * len(read_tools(read_header(data)[1])[1])


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name[:-4])
def test_files_of_the_reference_encoders_are_parsed_to_their_last_bit(path: Path) -> None:
    data = path.read_bytes()
    events = slice_syntax.events_of_file(data, max_pixels=MOST)
    coded, qp = slice_of(data)
    assert recoded(events, qp) == coded
    costs = slice_syntax.costs_of_file(data, max_pixels=MOST)
    assert total(costs) == coded_bits(data)
    assert sum(cost.bins for cost in costs) == len(events)
    assert all(cost.bits > 0 for cost in costs)
    signs = sum(cost.bits for cost in costs if cost.element == "coeff_sign_flag")
    assert signs == sum(int(event) >> 1 & 127 in range(87, 90) for event in events)


def pixels(height: int = 72, width: int = 104) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    rng = np.random.default_rng(8)
    waves = [127 + 90 * np.sin(x / (4 + 3 * k) + y / 11) * np.cos(y / (6 + k)) for k in range(3)]
    waves[1][20:50, 30:70] = 40
    noisy = np.stack(waves, -1) + rng.normal(0, 4, (height, width, 3))
    return noisy.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("chroma", "preset", "more"),
    [
        ("444", "superfast", "ctu=16:wpp=1"),
        ("420", "medium", "crf=27:wpp=1:ctu=32:aq-mode=1:aq-strength=1:qg-size=16:tskip=1"),
        ("422", "medium", "tskip=1:tu-intra-depth=3:cu-lossless=1"),
        ("422", "slow", "ctu=32:max-tu-size=8"),
        ("444", "veryfast", "signhide=0:ctu=32:min-cu-size=32"),
    ],
)
def test_what_x265_can_do_is_parsed(
    chroma: str, preset: str, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = x265.parameters
    monkeypatch.setattr(x265, "parameters", lambda *told: f"{usual(*told)}:{more}")
    monkeypatch.setattr(bpg.file, "_units", units_as_they_are)
    height, width = 96, 128
    data = bpg.encode(pixels(height, width), qp=27, chroma=chroma, preset=preset)
    costs = slice_syntax.costs_of_file(data, max_pixels=MOST)
    assert total(costs) == coded_bits(data)
    assert {cost.element for cost in costs} >= {"sig_coeff_flag", "coeff_sign_flag", "mpm_idx"}
    assert ("cu_qp_delta_abs" in {cost.element for cost in costs}) == ("aq-mode" in more)
    assert ("transform_skip_flag" in {cost.element for cost in costs}) == ("tskip" in more)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("qp", [0, 27, 51])
def test_what_is_tuned_for_ssim_has_quantisers_of_blocks_about_that_of_the_slice(qp: int, grey: bool) -> None:
    """Half of the picture is even, half is noise."""
    rng = np.random.default_rng(2)
    plane = np.full((128, 192), 500, np.uint16)
    plane[:, 96:] = rng.integers(0, 1024, (128, 96))
    planes = [plane] if grey else [plane] * 3
    size = *plane.shape, len(planes)
    data = bpg.encode_rows(lambda rows: [p[rows] for p in planes], size, qp=qp, bit_depth=10, tune=Tune.SSIM)
    assert slice_of(data)[1] == qp
    costs = slice_syntax.costs_of_file(data, max_pixels=MOST)
    assert total(costs) == coded_bits(data)
    assert {cost.element for cost in costs} >= {"cu_qp_delta_abs", "cu_qp_delta_sign_flag"}


def units_as_they_are(stream: bytes, _: object) -> tuple[CodingTools, list[bytes], list[bytes]]:
    """As `bpg.file._units`, whatever the encoder chose."""
    units = split_annexb(stream)
    tools = bpg.file.parse_sps(next(unit for unit in units if nal_type(unit) == 33)).tools
    return tools, [u for u in units if nal_type(u) == 34], [u for u in units if nal_type(u) < 32]


@pytest.mark.parametrize("lossless", [False, True])
def test_pictures_of_several_slices(lossless: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "BAND_PIXELS", 60 * 128)
    grey = pixels(260, 60)[..., 0]
    data = bpg.encode(grey, qp=30, preset="veryfast", lossless=lossless)
    costs = slice_syntax.costs_of_file(data, max_pixels=MOST)
    assert total(costs) == coded_bits(data)
    assert {cost.element: cost.bits for cost in costs}["nal_unit_header"] == 32


def test_compiled_loops_do_what_plain_python_does(monkeypatch: pytest.MonkeyPatch) -> None:
    made = slice_syntax._WALK.made()
    assert made is not None
    for path in FILES[::2]:
        data = path.read_bytes()
        costs = slice_syntax.costs_of_file(data, max_pixels=MOST)
        events = slice_syntax.events_of_file(data, max_pixels=MOST)
        with monkeypatch.context() as plain:
            plain.setattr(slice_syntax._WALK, "made", lambda pays: None)
            assert slice_syntax.costs_of_file(data, max_pixels=MOST) == costs
            assert np.array_equal(slice_syntax.events_of_file(data, max_pixels=MOST), events)


@given(st.sampled_from(SMALL), st.data())
def test_damaged_pictures_are_refused_or_add_up(path: Path, data: st.DataObject) -> None:
    whole = bytearray(path.read_bytes()[:2000])
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(6, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        costs = slice_syntax.costs_of_file(bytes(whole), max_pixels=MOST)
    except FormatError:
        return
    assert total(costs) == coded_bits(bytes(whole))


def test_large_files_of_the_reference_encoders_add_up() -> None:
    for path in (path for path in FILES if path not in SMALL):
        data = path.read_bytes()
        assert total(slice_syntax.costs_of_file(data, max_pixels=MOST)) == coded_bits(data)


@pytest.mark.parametrize("path", SMALL[::4], ids=lambda path: path.name[:-4])
def test_a_picture_that_lacks_its_end_is_refused(path: Path) -> None:
    header, body = read_header(path.read_bytes())
    for cut in (1, 2, len(body) // 2):
        with pytest.raises(FormatError):
            slice_syntax.costs_of_file(write_header(header, body[:-cut]), max_pixels=MOST)
    with pytest.raises(FormatError, match="more than the 100 allowed"):
        slice_syntax.costs_of_file(path.read_bytes(), max_pixels=100)


def test_a_number_beyond_the_range_is_refused() -> None:
    for path in SMALL:
        coded, _ = slice_of(path.read_bytes())
        data = path.read_bytes().replace(coded[:4], b"\xff\xff\xff\xff")
        assert data != path.read_bytes()
        with pytest.raises(FormatError, match="damaged"):
            slice_syntax.costs_of_file(data, max_pixels=MOST)


def test_what_is_not_parsed_is_refused() -> None:
    path = next(path for path in FILES if "jctvc" in path.name)
    header, body = read_header(path.read_bytes())
    tools, coded = read_tools(body)
    for flag in (4, 8):
        flags = tuple(place == flag for place in range(9))
        other = write_header(header, write_tools(replace(tools, range_extension=flags)) + coded)
        with pytest.raises(FormatError, match="not parsed"):
            slice_syntax.costs_of_file(other, max_pixels=MOST)
    other = write_header(header, write_tools(replace(tools, log2_diff_coding_block=0)) + coded)
    with pytest.raises(FormatError, match="cannot be"):
        slice_syntax.costs_of_file(other, max_pixels=MOST)
    trailing = coded.replace(b"\x26\x01", b"\x02\x01").replace(b"\x28\x01", b"\x02\x01")
    with pytest.raises(FormatError, match="refresh"):
        slice_syntax.costs_of_file(write_header(header, write_tools(tools) + trailing), max_pixels=MOST)


# Pictures of plain samples, written here: what x265 never codes.


def plain_pps(tiles: bool, dependent: bool) -> bytes:
    w = BitWriter()
    w.bits(34 << 9 | 1, 16)
    w.ue(0), w.ue(0)
    w.flag(dependent), w.bits(0, 6)
    w.ue(0), w.ue(0), w.ue(0)
    w.bits(0, 3)
    w.ue(0), w.ue(0)
    w.bits(0, 4)
    w.flag(tiles), w.flag(False)
    if tiles:  # two columns, alike
        w.ue(1), w.ue(0)
        w.bits(0b10, 2)
    w.bits(0, 4)
    w.ue(0)
    w.bits(0, 2)
    w.flag(True)
    data = w.to_bytes()
    return data[:2] + escape(data[2:])


def plain_slice(
    stretches: list[list[np.ndarray]], first: int, dependent: bool, whole: int, states: list[int]
) -> bytes:
    """A slice segment of tree blocks of 16 × 16 samples, each of one coding unit; every stretch of them is a
    tile. ``states``: the contexts' before, and after, if it is one."""
    coded = []
    for part, blocks in enumerate(stretches):
        encoder = Encoder(26)
        if len(stretches) == 1:
            encoder.states = states
        for number, block in enumerate(blocks):
            encoder.bin(contexts.AT_PART_MODE, 1)
            encoder.terminate(1)
            encoder.bits += [int(bit) for bit in np.unpackbits(block)]
            encoder.terminate(int(part == len(stretches) - 1 and number == len(blocks) - 1))
        if part < len(stretches) - 1:
            encoder.terminate(1)
        coded.append(encoder.to_bytes())
    w = BitWriter()
    w.flag(not first), w.flag(False), w.ue(0)
    if first:
        w.flag(dependent)
        w.bits(first, (whole - 1).bit_length())
    if not dependent:
        w.ue(2), w.ue(0)
    if len(coded) > 1:
        w.ue(len(coded) - 1), w.ue(15)
        for part_bytes in coded[:-1]:
            w.bits(len(part_bytes) - 1, 16)
    w.flag(True)
    return bytes([19 << 1, 1]) + escape(w.to_bytes() + b"".join(coded))


@pytest.mark.parametrize("way", ["one", "tiles", "dependent"])
def test_plain_samples_tiles_and_dependent_slices(way: str) -> None:
    picture = (np.random.default_rng(3).integers(0, 16, (32, 48)) * 16 + 9).astype(np.uint8)
    tools = CodingTools(1, 0, 0, 2, 0, False, False, PulseCode(7, 7, 1, 0, True))
    sequence = SequenceParameters("400", 48, 32, 48, 32, 8, tools)
    order = [0, 3, 1, 2, 4, 5] if way == "tiles" else list(range(6))
    blocks = [picture[16 * (n // 3) :, 16 * (n % 3) :][:16, :16] for n in order]
    states = contexts.started(26)
    if way == "dependent":
        found = [
            plain_slice([blocks[:4]], 0, False, 6, states),
            plain_slice([blocks[4:]], 4, True, 6, states),
        ]
    else:  # of three columns the first tile has 1 * 3 // 2
        found = [plain_slice([blocks[:2], blocks[2:]] if way == "tiles" else [blocks], 0, False, 6, states)]
    pps = plain_pps(way == "tiles", way == "dependent")
    shown = decode_intra(join_annexb([write_vps(), write_sps(sequence), pps, *found]), max_pixels=MOST)
    assert np.array_equal(shown.planes[0], picture)
    data = join_annexb([pps, *found])
    costs = slice_syntax.costs_of(data, sequence, max_pixels=MOST)
    assert total(costs) == 8 * len(data)
    bits = {cost.element: cost.bits for cost in costs}
    assert bits["pcm_sample"] == 8 * picture.size
    assert 0 < bits["part_mode"] < 6
