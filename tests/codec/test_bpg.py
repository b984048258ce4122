from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dsslic_search.codec import bpg
from dsslic_search.codec.bitstream import nal_type, split_annexb, write_ue7
from dsslic_search.codec.bpg_header import Header, read_header, read_tools, write_header, write_tools
from dsslic_search.codec.colour import rescale
from dsslic_search.codec.sps import CodingTools, PulseCode, SequenceParameters, parse_sps, write_sps
from dsslic_search.errors import FormatError

VECTORS = sorted((Path(__file__).parents[1] / "data" / "bpg").glob("*.bpg"))
GENUINE = {path.name: path.read_bytes() for path in VECTORS}
MOST = 10**6


def photo_like(height: int, width: int, bit_depth: int = 8, noise_level: float = 0.04) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 9) + np.cos(y / 6), np.sin((x + y) / 11), np.cos(x / 5) * np.sin(y / 8)], -1)
    noise = np.random.default_rng(height).normal(0, noise_level, (height, width, 3))
    largest = 2**bit_depth - 1
    return np.clip((waves / 4 + 0.5 + noise) * largest, 0, largest).astype(np.uint8 if bit_depth == 8 else np.uint16)


def psnr(a: np.ndarray, b: np.ndarray, largest: int = 255) -> float:
    return float(10 * np.log10(largest**2 / np.mean((a.astype(float) - b) ** 2)))


def test_there_are_vectors() -> None:
    assert len(VECTORS) >= 15


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.name)
def test_genuine_files_look_as_in_the_reference_decoder(path: Path) -> None:
    with Image.open(path.with_suffix(".dec.png")) as image:
        wanted = np.asarray(image.convert("RGB"))
    picture = bpg.decode(path.read_bytes(), max_pixels=MOST)
    assert np.array_equal(picture.rgb8(), wanted)
    assert (picture.height, picture.width) == wanted.shape[:2]
    assert picture.grey == path.name.startswith("grey")
    assert picture.bit_depth == (10 if "10b" in path.name else 8)
    native = picture.rgb_native()
    assert native.dtype == np.uint16
    assert np.abs(rescale(native, bit_depth=picture.bit_depth, out_depth=8).astype(int) - wanted).max() <= (picture.bit_depth > 8)


@pytest.mark.parametrize("name", sorted(GENUINE))
def test_genuine_headers_are_written_back_byte_for_byte(name: str) -> None:
    data = GENUINE[name]
    header, body = read_header(data)
    tools, rest = read_tools(body)
    assert write_tools(tools) + rest == body
    ours = write_header(header, body)
    fixed = 6 + len(write_ue7(header.width)) + len(write_ue7(header.height))
    assert ours[:fixed] == data[:fixed]
    assert data[fixed] == 0  # the reference encoder leaves the length open
    assert ours[fixed:] == write_ue7(len(body)) + data[fixed + 1 :]


def test_our_file_byte_for_byte() -> None:
    pixels = photo_like(65, 300)
    data = bpg.encode(pixels, qp=30)
    size = len(data) - 11
    # 4:4:4, 8 bits · BT.601 · width · height · length · HEVC header: coding blocks 8..64, transforms 4..32 of one level, SAO, smoothing
    assert data[:9] == bytes.fromhex("425047fb 60 00 822c 41")
    assert data[9:11] == write_ue7(size)
    body = data[11:]
    assert body[:4] == bytes((3, 0b1_00100_1_0, 0b0100_1_1_0_1, 0b0_0000000))
    picture_parameters, slice_ = split_annexb(b"\x00\x00\x01" + body[4:])
    assert nal_type(picture_parameters) == 34
    assert nal_type(slice_) in (19, 20)
    assert body[4:] == picture_parameters + b"\x00\x00\x01" + slice_
    # The reference encoder uses x265 too and writes the same picture parameters.
    assert GENUINE["photo_97x65.444_q20.bpg"][13 : 13 + len(picture_parameters)] == picture_parameters


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (8, 16), (7, 9), (15, 15), (17, 33), (64, 65)])
@pytest.mark.parametrize("preset", ["ultrafast", "fast"])
@pytest.mark.parametrize("bit_depth", [8, 10, 12])
def test_lossless_is_exact_at_any_size(shape: tuple[int, int], preset: str, bit_depth: int) -> None:
    random = np.random.default_rng(shape[0])
    pixels = random.integers(0, 2**bit_depth, (*shape, 3)).astype(np.uint8 if bit_depth == 8 else np.uint16)
    for source in (pixels, pixels[..., 1]):
        data = bpg.encode(source, qp=0, bit_depth=bit_depth, colour="rgb", preset=preset, lossless=True)
        picture = bpg.decode(data, max_pixels=shape[0] * shape[1])
        assert picture.grey == (source.ndim == 2)
        assert np.array_equal(picture.rgb_native(), np.broadcast_to(source if source.ndim == 3 else source[..., None], pixels.shape))


@pytest.mark.parametrize("bit_depth", [8, 10, 12])
@pytest.mark.parametrize("colour", ["ycbcr", "rgb", "ycgco", "bt709", "bt2020"])
def test_lossy_pictures_stay_close(bit_depth: int, colour: str) -> None:
    pixels = photo_like(70, 90, bit_depth)
    data = bpg.encode(pixels, qp=8, bit_depth=bit_depth, colour=colour, preset="fast")
    picture = bpg.decode(data, max_pixels=MOST)
    assert picture.header.colour == colour
    assert psnr(picture.rgb_native(), pixels, 2**bit_depth - 1) > 44


@pytest.mark.parametrize("chroma", ["420", "422", "444"])
def test_chroma_formats(chroma: str) -> None:
    pixels = photo_like(65, 71, noise_level=0)
    picture = bpg.decode(bpg.encode(pixels, qp=6, chroma=chroma, preset="fast"), max_pixels=MOST)
    rows, columns = (33 if chroma == "420" else 65), (71 if chroma == "444" else 36)
    assert [plane.shape for plane in picture.planes] == [(65, 71), (rows, columns), (rows, columns)]
    assert psnr(picture.rgb8(), pixels) > (45 if chroma == "444" else 38)


def test_bytes_are_reproducible_and_extremes_survive() -> None:
    pixels = np.zeros((30, 30, 3), np.uint8)
    pixels[::3, 1::2] = 255
    data = bpg.encode(pixels, qp=2)
    assert data == bpg.encode(pixels, qp=2)
    assert np.abs(bpg.decode(data, max_pixels=900).rgb8().astype(int) - pixels).max() <= 6


def with_extra_plane(pixels: np.ndarray, extra: np.ndarray, meaning: str) -> bytes:
    """A file with an extra plane, as the specification lays it out: its HEVC header first, its NAL units in layer 1."""
    header, body = read_header(bpg.encode(pixels, qp=0, colour="rgb", lossless=True, preset="fast"))
    _, extra_body = read_header(bpg.encode(extra, qp=0, lossless=True, preset="fast"))
    tools, data = read_tools(body)
    extra_tools, extra_data = read_tools(extra_body)
    units = [unit[:1] + bytes([unit[1] | 1 << 3]) + unit[2:] for unit in split_annexb(b"\x00\x00\x01" + extra_data)]
    extended = replace(header, alpha=meaning, extensions=((1, b"Exif"), (7, b""), (2, bytes(300))))
    joined = b"\x00\x00\x01".join([*units, data])
    return write_header(extended, write_tools(extra_tools) + write_tools(tools) + joined)


def test_opacity_and_extensions_are_kept_apart() -> None:
    pixels, opacity = photo_like(20, 30), photo_like(20, 30)[..., 0]
    picture = bpg.decode(with_extra_plane(pixels, opacity, "straight"), max_pixels=MOST)
    assert picture.alpha is not None
    assert np.array_equal(picture.alpha, opacity)
    assert np.array_equal(picture.rgb8(), pixels)
    assert picture.header.extensions == ((1, b"Exif"), (7, b""), (2, bytes(300)))


def test_premultiplied_and_cmyk_pictures_show_plain_colours() -> None:
    pixels = photo_like(20, 30)
    extra = np.linspace(60, 255, 600).reshape(20, 30).astype(np.uint8)
    dimmed = np.rint(pixels * (extra[..., None] / 255)).astype(np.uint8)
    shown = bpg.decode(with_extra_plane(dimmed, extra, "premultiplied"), max_pixels=MOST).rgb8()
    assert np.abs(shown.astype(int) - pixels).max() <= 3
    assert np.array_equal(bpg.decode(with_extra_plane(pixels, extra, "white"), max_pixels=MOST).rgb8(), dimmed)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a BPG file"),
        (b"BPG", "not a BPG file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(30), "not a BPG file"),
        (b"BPG\xfb", "ends too early"),
        (b"BPG\xfb\x60\x01\x10\x10\x00", "animation"),
        (b"BPG\xfb\xc0\x00\x10\x10\x00", "not known"),
        (b"BPG\xfb\x60\x50\x10\x10\x00", "not known"),
        (b"BPG\xfb\x6f\x00\x10\x10\x00", "not known"),
        (b"BPG\xfb\x00\x10\x10\x10\x00", "grey"),
        (b"BPG\xfb\x60\x00\x00\x10\x00", "empty"),
        (b"BPG\xfb\x60\x00\x10\x80\x01\x00", "damaged or truncated number"),
        (b"BPG\xfb\x60\x00\x8f\xff\xff\xff\x7f\x10\x00\x03\x92\x47\x40", "more than the"),
        (b"BPG\xfb\x60\x00\x10\x10\x05\x03\x92\x47\x40", "truncated"),
        (b"BPG\xfb\x60\x08\x10\x10\x00\x09\x01", "extensions"),
        (b"BPG\xfb\x60\x08\x10\x10\x00\x03\x01\x05\x00\x03\x92\x47\x40", "extension 1"),
        (b"BPG\xfb\x60\x00\x10\x10\x00\x03\x92\x47\x40", "one picture"),
        (b"BPG\xfb\x65\x00\x10\x10\x00\x03\x92\x47\x40\x44\x01\xc1\x00\x00\x01\x26\x01\xaf", "bits"),
    ],
)
def test_unsound_files_are_explained(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        bpg.decode(data, max_pixels=MOST)


def test_the_pixel_limit_is_exact() -> None:
    data = GENUINE["photo_97x65.444_q20.bpg"]
    assert bpg.decode(data, max_pixels=97 * 65).width == 97
    with pytest.raises(FormatError, match="97x65"):
        bpg.decode(data, max_pixels=97 * 65 - 1)


def test_our_files_tell_when_they_are_cut() -> None:
    data = bpg.encode(photo_like(40, 40), qp=30, preset="fast")
    for length in range(len(data)):
        with pytest.raises(FormatError):
            bpg.decode(data[:length], max_pixels=MOST)


def decodes_or_explains(data: bytes) -> None:
    try:
        picture = bpg.decode(data, max_pixels=20_000)
    except FormatError as error:
        assert str(error)
    else:
        assert picture.rgb8().shape == (picture.height, picture.width, 3)


@settings(max_examples=150)
@given(st.sampled_from(sorted(GENUINE)), st.data())
def test_damaged_files_decode_or_are_explained(name: str, data: st.DataObject) -> None:
    damaged = bytearray(GENUINE[name])
    for _ in range(data.draw(st.integers(1, 4))):
        near = data.draw(st.sampled_from((12, 40, len(damaged))))
        damaged[data.draw(st.integers(4, min(near, len(damaged)) - 1))] = data.draw(st.integers(0, 255))
    decodes_or_explains(bytes(damaged[: data.draw(st.sampled_from((None, -1, -30, 20)))]))


@given(st.binary(max_size=80))
def test_noise_is_explained(noise: bytes) -> None:
    decodes_or_explains(b"BPG\xfb" + noise)


@pytest.mark.parametrize(
    ("pixels", "change", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), {"bit_depth": 9}, "bit_depth"),
        (np.zeros((4, 4, 3), np.uint8), {"chroma": "411"}, "chroma"),
        (np.zeros((4, 4, 3), np.uint8), {"colour": "cmyk"}, "colour"),
        (np.zeros((4, 4, 4), np.uint8), {}, "pixels are"),
        (np.zeros((0, 4, 3), np.uint8), {}, "pixels are"),
        (np.zeros((4, 4, 3), np.float32), {}, "pixels are"),
        (np.full((4, 4, 3), 1024, np.uint16), {"bit_depth": 10}, "1024"),
        (np.zeros((4, 4, 3), np.uint8), {"lossless": True}, "lossless"),
        (np.zeros((4, 4, 3), np.uint8), {"qp": 60}, "qp"),
    ],
)
def test_impossible_requests_are_refused(pixels: np.ndarray, change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bpg.encode(pixels, **({"qp": 20} | change))


bools = st.booleans()
pulse_codes = st.builds(PulseCode, st.integers(0, 15), st.integers(0, 15), st.integers(0, 3), st.integers(0, 3), bools)
tools_of_any_kind = st.builds(
    CodingTools,
    *[st.integers(0, 3)] * 4,
    st.integers(0, 4),
    bools,
    bools,
    st.none() | pulse_codes,
    st.none() | st.tuples(*[bools] * 9),
)
extensions = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=200)), max_size=3).map(tuple)


@given(tools_of_any_kind, st.sampled_from(("400", "420", "422", "444")), st.integers(1, 2**20), st.integers(1, 2**20), st.integers(8, 16))
def test_parameter_sets_come_back(tools: CodingTools, chroma: str, width: int, height: int, bit_depth: int) -> None:
    sequence = SequenceParameters(chroma, width, height, width, height, bit_depth, tools)
    assert parse_sps(write_sps(sequence)) == sequence
    assert read_tools(write_tools(tools) + b"rest") == (tools, b"rest")


@given(
    st.integers(1, 2**32 - 1),
    st.integers(1, 2**32 - 1),
    st.integers(8, 14),
    st.sampled_from((("420", False), ("422", False), ("444", False), ("420", True), ("422", True))),
    st.sampled_from(("ycbcr", "rgb", "ycgco", "bt709", "bt2020")),
    bools,
    st.sampled_from((None, "straight", "premultiplied", "white")),
    extensions,
    st.binary(min_size=1, max_size=200),
)
def test_headers_come_back(
    width: int,
    height: int,
    bit_depth: int,
    sampling: tuple[str, bool],
    colour: str,
    limited: bool,
    alpha: str | None,
    blocks: tuple[tuple[int, bytes], ...],
    body: bytes,
) -> None:
    header = Header(width, height, bit_depth, sampling[0], colour, sampling[1], limited, alpha, blocks)
    assert read_header(write_header(header, body) + b"what follows is not ours") == (header, body)
