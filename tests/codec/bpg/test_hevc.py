from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dsslic_search.codec.bpg.bits import BitReader, join_annexb, nal_type, split_annexb, unescape
from dsslic_search.codec.bpg.hevc import chroma_shape, decode_intra, encode_intra
from dsslic_search.codec.bpg.parameters import NAL_SPS, SequenceParameters, parse_sps, write_sps
from dsslic_search.codec.bpg.x265 import PRESETS
from dsslic_search.core.errors import DSSError, FormatError, MissingExtraError


def smooth_planes(
    height: int, width: int, chroma: str = "444", bit_depth: int = 8, seed: int = 0
) -> list[np.ndarray]:
    """Planes with gradients, an edge and a little noise."""
    random = np.random.default_rng(seed)
    shapes = [(height, width)] + [chroma_shape(height, width, chroma)] * (0 if chroma == "400" else 2)
    planes = []
    for index, (rows, columns) in enumerate(shapes):
        y, x = np.mgrid[:rows, :columns]
        picture = (
            90
            + 40 * np.sin((x + 3 * index) / 7)
            + 30 * np.cos(y / (5 + index))
            + 50 * (x > y)
            + random.normal(0, 3, (rows, columns))
        )
        planes.append(
            (np.clip(picture, 0, 255) * (2**bit_depth - 1) / 255).astype(
                np.uint8 if bit_depth == 8 else np.uint16
            )
        )
    return planes


def slice_qp(stream: bytes, parameters: SequenceParameters) -> int:
    """SliceQpY, read from picture parameter set and slice header by the standard's syntax (7.3.2.3,
    7.3.6.1)."""
    units = {nal_type(unit): unit for unit in split_annexb(stream)}
    pps = BitReader(unescape(units[34][2:]), "PPS")
    pps.ue(), pps.ue()
    assert pps.bits(2) == 0  # no dependent slices, no output flag
    extra = pps.bits(3)
    pps.bits(2), pps.ue(), pps.ue()
    initial = pps.ue()
    initial = (initial + 1) // 2 if initial % 2 else -(initial // 2)
    header = BitReader(unescape(units[20 if 20 in units else 19][2:40]), "slice")
    header.bits(2), header.ue()
    header.bits(extra)
    assert header.ue() == 2  # an I slice
    if parameters.tools.sample_adaptive_offset:
        header.bits(1 if parameters.chroma == "400" else 2)
    delta = header.ue()
    return 26 + initial + ((delta + 1) // 2 if delta % 2 else -(delta // 2))


@pytest.mark.parametrize("chroma", ["400", "420", "422", "444"])
@pytest.mark.parametrize("bit_depth", [8, 10, 12])
def test_lossless_is_exact(chroma: str, bit_depth: int) -> None:
    random = np.random.default_rng(3)
    planes = [
        random.integers(0, 2**bit_depth, plane.shape).astype(plane.dtype)
        for plane in smooth_planes(24, 40, chroma, bit_depth)
    ]
    stream = encode_intra(planes, bit_depth=bit_depth, chroma=chroma, qp=30, preset="veryfast", lossless=True)
    picture = decode_intra(stream, max_pixels=24 * 40)
    assert (picture.bit_depth, picture.chroma) == (bit_depth, chroma)
    assert len(picture.planes) == len(planes)
    for got, wanted in zip(picture.planes, planes, strict=True):
        assert got.dtype == wanted.dtype
        assert np.array_equal(got, wanted)


@pytest.mark.parametrize("preset", ["ultrafast", "medium", "slow"])
@pytest.mark.parametrize("qp", [0, 17, 33, 51])
def test_the_slice_has_the_quantiser_asked_for(preset: str, qp: int) -> None:
    stream = encode_intra(smooth_planes(32, 48), bit_depth=8, chroma="444", qp=qp, preset=preset)
    parameters = parse_sps(next(unit for unit in split_annexb(stream) if nal_type(unit) == NAL_SPS))
    assert slice_qp(stream, parameters) == qp


def test_only_parameter_sets_and_one_slice_are_written() -> None:
    stream = encode_intra(smooth_planes(64, 64), bit_depth=8, chroma="444", qp=20)
    assert [nal_type(unit) for unit in split_annexb(stream)] in ([32, 33, 34, 19], [32, 33, 34, 20])


def test_a_coarser_quantiser_costs_fewer_bytes_and_more_error() -> None:
    planes = smooth_planes(96, 96)
    results = []
    for qp in (10, 20, 30, 40):
        stream = encode_intra(planes, bit_depth=8, chroma="444", qp=qp, preset="fast")
        shown = decode_intra(stream, max_pixels=96 * 96).planes
        error = np.mean([np.mean((a.astype(float) - b) ** 2) for a, b in zip(shown, planes, strict=True)])
        results.append((len(stream), error))
    assert results == sorted(results, key=lambda row: -row[0])
    assert results == sorted(results, key=lambda row: row[1])
    assert results[0][1] < 1


def test_every_preset_works() -> None:
    planes = smooth_planes(32, 32)
    for preset in PRESETS:
        stream = encode_intra(planes, bit_depth=8, chroma="444", qp=20, preset=preset, coding_block=16)
        assert decode_intra(stream, max_pixels=32 * 32).planes[0].shape == (32, 32)


def test_threads_do_not_disturb_each_other() -> None:
    jobs = [
        (seed, preset, depth)
        for seed, preset in enumerate(("ultrafast", "slow", "medium", "superfast") * 2)
        for depth in (8, 10)
    ]

    def work(job: tuple[int, str, int]) -> tuple[bytes, bytes]:
        seed, preset, depth = job
        planes = smooth_planes(64, 80, bit_depth=depth, seed=seed)
        stream = encode_intra(planes, bit_depth=depth, chroma="444", qp=24, preset=preset, coding_block=16)
        return stream, b"".join(plane.tobytes() for plane in decode_intra(stream, max_pixels=10**5).planes)

    alone = [work(job) for job in jobs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, jobs)) == alone


def test_nothing_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    stream = encode_intra(smooth_planes(32, 48), bit_depth=8, chroma="444", qp=20)
    decode_intra(stream, max_pixels=10**5)
    with pytest.raises(FormatError):
        decode_intra(stream[:-1] + b"\x00\x00\x01\x28\x01\xaf\x00", max_pixels=10**5)
    assert capfd.readouterr() == ("", "")


def test_wide_and_tall_pictures() -> None:
    for height, width in ((16, 20000), (20000, 16)):
        plane = np.zeros((height, width), np.uint8)
        plane[:, width // 2 :] = 200
        stream = encode_intra([plane], bit_depth=8, chroma="400", qp=10, preset="ultrafast", coding_block=16)
        shown = decode_intra(stream, max_pixels=height * width).planes[0]
        assert shown.shape == plane.shape
        assert np.abs(shown.astype(int) - plane).max() < 8


@pytest.mark.parametrize(
    "change",
    [
        {"bit_depth": 9},
        {"chroma": "411"},
        {"qp": 52},
        {"qp": -1},
        {"preset": "fastest"},
        {"coding_block": 32},
        {"chroma": "420"},
        {"planes": smooth_planes(16, 20)},
        {"planes": smooth_planes(8, 16)},
        {"planes": [plane.astype(np.uint16) + 256 for plane in smooth_planes(16, 16)]},
        {"planes": [plane.astype(float) for plane in smooth_planes(16, 16)]},
    ],
)
def test_impossible_requests_are_refused(change: dict[str, object]) -> None:
    request = {"planes": smooth_planes(16, 16), "bit_depth": 8, "chroma": "444", "qp": 20} | change
    planes = request.pop("planes")
    with pytest.raises(ValueError, match=r"must|known|needs|encodes"):
        encode_intra(planes, **request)


def test_a_missing_x265_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    import av

    def create(name: str, mode: str) -> None:
        raise av.codec.codec.UnknownCodecError(name)

    monkeypatch.setattr(av, "CodecContext", type("NoContext", (), {"create": staticmethod(create)}))
    with pytest.raises(MissingExtraError, match="x265"):
        encode_intra(smooth_planes(16, 16), bit_depth=8, chroma="444", qp=20)


def test_decoding_never_asks_for_x265() -> None:
    stream = encode_intra(smooth_planes(16, 16), bit_depth=8, chroma="444", qp=20)
    program = (
        "import sys, av\n"
        "real = av.CodecContext\n"
        "class Only:\n"
        "    @staticmethod\n"
        "    def create(name, mode):\n"
        "        assert (name, mode) == ('hevc', 'r')\n"
        "        return real.create(name, mode)\n"
        "av.CodecContext = Only\n"
        "from dsslic_search.codec.bpg.hevc import decode_intra\n"
        "assert decode_intra(sys.stdin.buffer.read(), max_pixels=256).planes[0].shape == (16, 16)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, "-c", program], input=stream, check=True, env=environment)


def test_too_many_pixels_are_refused_before_decoding() -> None:
    stream = encode_intra(smooth_planes(32, 32), bit_depth=8, chroma="444", qp=20)
    with pytest.raises(FormatError, match="32x32"):
        decode_intra(stream, max_pixels=32 * 32 - 1)
    units = split_annexb(stream)
    parameters = parse_sps(units[1])
    huge = SequenceParameters("444", 16384, 16384, 16384, 16384, 8, parameters.tools)
    with pytest.raises(FormatError, match="16384x16384"):
        decode_intra(join_annexb([units[0], write_sps(huge), *units[2:]]), max_pixels=10**6)


def test_two_pictures_no_picture_or_no_shape_are_refused() -> None:
    units = split_annexb(encode_intra(smooth_planes(32, 32), bit_depth=8, chroma="444", qp=20))
    for wrong in (
        [*units, units[-1]],
        units[:-1],
        [units[0], *units[2:]],
        [],
        [*units[:-1], *[b"\x28\x01\x20\x00"] * 700, units[-1]],
    ):
        with pytest.raises(FormatError, match="one picture"):
            decode_intra(join_annexb(wrong), max_pixels=10**6)


def test_truncated_streams_never_fail_otherwise() -> None:
    stream = encode_intra(smooth_planes(48, 48), bit_depth=8, chroma="444", qp=12, preset="fast")
    for length in range(0, len(stream), max(1, len(stream) // 120)):
        try:
            assert decode_intra(stream[:length], max_pixels=10**4).planes[0].shape == (48, 48)
        except DSSError as error:
            assert isinstance(error, FormatError)
