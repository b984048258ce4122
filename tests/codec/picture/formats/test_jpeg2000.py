"""What the boxes of JPEG 2000 files say."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pytest
from imagecodecs import jpeg2k_encode
from PIL import Image

from dsslic_search.codec.picture.open import SourcePhoto, open_photo
from dsslic_search.core.errors import PhotoError

COLOURS = (
    np.array([[[200, 100, 50], [8, 16, 24]], [[0, 255, 128], [90, 60, 30]]], np.uint8)
    .repeat(8, 0)
    .repeat(8, 1)
)
OPACITY = np.full(COLOURS.shape[:2], 255, np.uint8)
OPACITY[:4] = 128


def box(kind: bytes, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def coded(channels: np.ndarray) -> bytes:
    """A lossless file with four channels, the last of which is said to be opacity."""
    file = BytesIO()
    Image.fromarray(channels, "RGBA").save(file, "JPEG2000")
    return file.getvalue()


def defined(data: bytes, *channels: tuple[int, int, int]) -> bytes:
    """The same file with other definitions: of each channel its number, kind, and the colour it is of."""
    at = data.index(b"cdef")
    body = struct.pack(">H", len(channels)) + b"".join(struct.pack(">3H", *each) for each in channels)
    return data[: at - 4] + box(b"cdef", body) + data[at + 4 + len(body) :]


RGB = (0, 0, 1), (1, 0, 2), (2, 0, 3)


def test_colours_multiplied_by_their_opacity_are_divided_again() -> None:
    multiplied = np.rint(COLOURS * (OPACITY[..., None] / 255)).astype(np.uint8)
    photo = open_photo(defined(coded(np.dstack([multiplied, OPACITY])), *RGB, (3, 2, 0)), "x", 1000)
    # half of a level, twice as large after the division
    assert np.abs(photo.pixels.astype(int) - COLOURS).max() <= 1
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, OPACITY)


def test_a_channel_that_is_no_opacity_is_left_out() -> None:
    photo = open_photo(defined(coded(np.dstack([COLOURS, OPACITY])), *RGB, (3, 65535, 65535)), "x", 1000)
    np.testing.assert_array_equal(photo.pixels, COLOURS)
    assert photo.alpha is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [("be7acfcb97a942e89c71999491e3afac", "xmp"), ("33c7a4d2b81d4723a0baf1a3e097ad38", "iptc")],
)
def test_metadata_stand_in_boxes(number: str, kind: str) -> None:
    data = coded(np.dstack([COLOURS, OPACITY])) + box(b"uuid", bytes.fromhex(number) + b"metadata")
    assert getattr(open_photo(data, "x", 1000).embedded, kind) == b"metadata"


SRGB, SYCC, CIE_LAB, E_SYCC = 16, 18, 14, 24


def coded_plane(plane: np.ndarray, bits: int) -> tuple[dict[bytes, bytes], bytes]:
    """The marker segments of a lossless codestream of one component, and its packets."""
    data = bytes(
        jpeg2k_encode(plane, level=0, codecformat="j2k", reversible=True, bitspersample=bits, resolutions=2)
    )
    segments: dict[bytes, bytes] = {}
    at = 2
    while data[at : at + 2] != b"\xff\x90":  # start of the tile
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        segments[data[at : at + 2]], at = data[at:end], end
    return segments, data[data.index(b"\xff\x93", at) + 2 : -2]


def codestream(
    planes: Sequence[np.ndarray],
    bits: Sequence[int],
    size: tuple[int, int],
    shared: Sequence[tuple[int, int]],
) -> bytes:
    """A codestream whose components differ, which no encoder at hand writes: each is coded alone, and in the
    order of components their packets stand one behind the other. ``shared``: rows and columns of the picture
    that a sample of each stands for."""
    parts = [coded_plane(plane, depth) for plane, depth in zip(planes, bits, strict=True)]
    height, width = size
    components = b"".join(
        bytes([depth - 1, across, down]) for depth, (down, across) in zip(bits, shared, strict=True)
    )
    geometry = struct.pack(">H8I", 0, width, height, 0, 0, width, height, 0, 0)
    first = parts[0][0]
    style = bytearray(first[b"\xff\x52"])
    style[5], style[8] = 4, 0  # component by component, which are no mixture of colours
    steps = first[b"\xff\x5c"]
    for number, (segments, _) in enumerate(parts[1:], 1):
        own = segments[b"\xff\x5c"][4:]
        steps += b"\xff\x5d" + struct.pack(">HB", 3 + len(own), number) + own
    packets = b"".join(part for _, part in parts)
    tile = b"\xff\x90" + struct.pack(">HHIBB", 10, 0, 14 + len(packets), 0, 1) + b"\xff\x93" + packets
    length = struct.pack(">H", 38 + len(components))
    head = b"\xff\x4f\xff\x51" + length + geometry + struct.pack(">H", len(planes)) + components
    return head + bytes(style) + steps + tile + b"\xff\xd9"


def jp2(
    stream: bytes,
    size: tuple[int, int],
    channels: int,
    colours: int = SRGB,
    more: bytes = b"",
    before: bytes = b"",
) -> bytes:
    """A file of a codestream; ``more``: boxes of its header, ``before``: boxes before that."""
    depths_differ = 255
    header = box(b"ihdr", struct.pack(">IIHBBBB", *size, channels, depths_differ, 7, 0, 0))
    header += box(b"colr", struct.pack(">BBBI", 1, 0, 0, colours)) + more
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    return start + before + box(b"jp2h", header) + box(b"jp2c", stream)


def alike(samples: np.ndarray, bits: int = 8) -> bytes:
    return bytes(jpeg2k_encode(samples, level=0, codecformat="j2k", reversible=True, bitspersample=bits))


RED, GREY_GREEN = (230, 30, 40), (111, 139, 104)
FIELDS = np.array([[RED, GREY_GREEN], [(30, 60, 220), (128, 128, 128)]], np.uint8).repeat(16, 0).repeat(16, 1)
SIZE = FIELDS.shape[0], FIELDS.shape[1]


def luma_and_chroma() -> list[np.ndarray]:
    """By BT.601 and full range, as JPEG has it."""
    red, green, blue = np.moveaxis(FIELDS.astype(float), 2, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = luma, 128 + (blue - luma) / 1.772, 128 + (red - luma) / 1.402
    return [np.rint(plane).astype(np.uint8) for plane in planes]


def difference(photo: SourcePhoto, wanted: np.ndarray) -> int:
    return int(np.abs(photo.pixels.astype(int) - wanted).max())


def test_luma_and_chroma_of_one_size_become_colours_once() -> None:
    data = jp2(alike(np.stack(luma_and_chroma(), -1)), SIZE, 3, SYCC)
    assert difference(open_photo(data, "x", 10_000), FIELDS) <= 1


@pytest.mark.parametrize(("down", "across"), [(2, 2), (1, 2)])
@pytest.mark.parametrize("cut", [0, 1])
def test_chroma_may_be_subsampled(down: int, across: int, cut: int) -> None:
    height, width = SIZE[0] - cut, SIZE[1] - cut
    y, blue, red = (plane[:height, :width] for plane in luma_and_chroma())
    planes = [y, blue[::down, ::across], red[::down, ::across]]
    stream = codestream(planes, [8] * 3, (height, width), [(1, 1), (down, across), (down, across)])
    photo = open_photo(jp2(stream, (height, width), 3, SYCC), "x", 10_000)
    assert difference(photo, FIELDS[:height, :width]) <= 1


def test_a_picture_of_components_that_differ_is_refused_where_it_is_cut() -> None:
    y, blue, red = luma_and_chroma()
    stream = codestream([y, blue[::2, ::2], red[::2, ::2]], [8] * 3, SIZE, [(1, 1), (2, 2), (2, 2)])
    with pytest.raises(PhotoError, match="damaged or cut short"):
        open_photo(jp2(stream, SIZE, 3, SYCC)[:-40], "x", 10_000)


@pytest.mark.parametrize(("bits", "opaque"), [(1, 1), (4, 15), (16, 65535)])
def test_opacity_may_have_other_bits_than_colours(bits: int, opaque: int) -> None:
    opacity = np.zeros(SIZE, np.uint16 if bits > 8 else np.uint8)
    opacity[:, 16:] = opaque
    planes = [*np.moveaxis(FIELDS, 2, 0), opacity]
    stream = codestream(planes, [8, 8, 8, bits], SIZE, [(1, 1)] * 4)
    channels = struct.pack(">H12H", 4, 0, 0, 1, 1, 0, 2, 2, 0, 3, 3, 1, 0)
    photo = open_photo(jp2(stream, SIZE, 4, more=box(b"cdef", channels)), "x", 10_000)
    np.testing.assert_array_equal(photo.pixels, FIELDS)
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, np.where(opacity > 0, 255, 0))


def test_colours_of_different_bits_have_each_their_own_white() -> None:
    planes = [np.full(SIZE, sample, np.uint8) for sample in (31, 21, 11)]
    photo = open_photo(jp2(codestream(planes, [5, 6, 5], SIZE, [(1, 1)] * 3), SIZE, 3), "x", 10_000)
    np.testing.assert_array_equal(photo.pixels[0, 0], (255, 85, 90))  # 255 · 21 / 63 and 255 · 11 / 31


@pytest.mark.parametrize("index_bits", [2, 4, 8])
def test_the_depth_of_a_palette_is_that_of_its_colours(index_bits: int) -> None:
    colours = np.unique(FIELDS.reshape(-1, 3), axis=0)
    numbers = (FIELDS[:, :, None] == colours).all(-1).argmax(-1).astype(np.uint8)
    palette = box(b"pclr", struct.pack(">HB", len(colours), 3) + b"\7\7\7" + colours.tobytes())
    mapping = box(b"cmap", b"".join(struct.pack(">HBB", 0, 1, i) for i in range(3)))
    data = jp2(alike(numbers, index_bits), SIZE, 1, more=palette + mapping)
    np.testing.assert_array_equal(open_photo(data, "x", 10_000).pixels, FIELDS)


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0)])
def test_colours_stand_in_the_order_that_the_file_says(order: tuple[int, int, int]) -> None:
    said = b"".join(struct.pack(">3H", channel, 0, 1 + colour) for channel, colour in enumerate(order))
    stream = alike(np.ascontiguousarray(FIELDS[..., order]))
    photo = open_photo(jp2(stream, SIZE, 3, more=box(b"cdef", b"\0\3" + said)), "x", 10_000)
    np.testing.assert_array_equal(photo.pixels, FIELDS)


def test_opacity_may_stand_first_and_others_behind() -> None:
    opacity = np.full(SIZE, 255, np.uint8)
    opacity[:4] = 100
    other = np.zeros(SIZE, np.uint8)
    channels = struct.pack(">H15H", 5, 0, 1, 0, 1, 0, 1, 2, 0, 2, 3, 0, 3, 4, 65535, 65535)
    stream = alike(np.dstack([opacity, FIELDS, other]))
    photo = open_photo(jp2(stream, SIZE, 5, more=box(b"cdef", channels)), "x", 10_000)
    np.testing.assert_array_equal(photo.pixels, FIELDS)
    assert photo.alpha is not None
    np.testing.assert_array_equal(photo.alpha, opacity)


@pytest.mark.parametrize("body", [b" " * (1 << 20), b"\xff\x4f\xff\x51" + bytes(60)])
def test_the_codestream_is_where_its_box_is(body: bytes) -> None:
    data = jp2(alike(FIELDS), SIZE, 3, before=box(b"uuid", bytes(16) + body))
    np.testing.assert_array_equal(open_photo(data, "x", 10_000).pixels, FIELDS)


def test_cie_lab_is_read_by_the_ranges_of_the_standard() -> None:
    # L* 45, a* −10, b* 15 from D50 is (97, 111, 81) by CIE 15 and Bradford's adaptation to D65
    samples = [round(45 / 100 * 65535), round(-10 / 170 * 65535) + 32768, round(15 / 200 * 65535) + 24576]
    stream = alike(np.broadcast_to(np.array(samples, np.uint16), (16, 16, 3)).copy(), 16)
    photo = open_photo(jp2(stream, (16, 16), 3, CIE_LAB), "x", 10_000)
    np.testing.assert_array_equal(photo.pixels[0, 0], (97, 111, 81))


def test_colours_of_other_spaces_are_refused_rather_than_shown_wrong() -> None:
    with pytest.raises(PhotoError, match="JPEG2000 files with colours of number 24 cannot be read here"):
        open_photo(jp2(alike(FIELDS), SIZE, 3, E_SYCC), "x", 10_000)
