"""HEIF: grids, crops, turns, matrices and ranges, depths, opacity, metadata; and what is hostile.

Files are made box by box (`tests.heif`), pictures in them lossless, so that values are known exactly.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsslic_search.codec.picture import exif
from dsslic_search.codec.picture.formats import items, ycbcr
from dsslic_search.codec.picture.open import SourcePhoto, open_photo, read_header
from dsslic_search.core.errors import PhotoError
from tests.heif import Heif, Property, box, crop, full, hevc, mirror, nclx, quarters, size

PICTURES = Path(__file__).parents[3] / "data" / "pictures"
RGB = nclx(0, True)


def chart(height: int = 32, width: int = 48, seed: int = 1) -> np.ndarray:
    """Different at every place: uint8 [height, width, 3]."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def gbr(rgb: np.ndarray) -> list[np.ndarray]:
    return [np.ascontiguousarray(rgb[..., i]) for i in (1, 2, 0)]


def one(rgb: np.ndarray, *more: Property) -> bytes:
    made = Heif()
    return made.file(made.picture(gbr(rgb), RGB, *more))


def opened(data: bytes) -> SourcePhoto:
    return open_photo(data, "x", 1_000_000)


def test_a_picture_is_what_was_put_in() -> None:
    photo = opened(one(chart()))
    assert np.array_equal(photo.pixels, chart())
    assert (photo.format, photo.grey, photo.alpha, photo.bits, photo.remarks) == ("HEIF", False, None, 8, ())


@pytest.mark.parametrize(
    ("properties", "shown"),
    [
        ([quarters(1)], lambda a: np.rot90(a)),
        ([quarters(2)], lambda a: a[::-1, ::-1]),
        ([quarters(3)], lambda a: np.rot90(a, -1)),
        ([mirror(1)], lambda a: a[:, ::-1]),
        ([mirror(0)], lambda a: a[::-1]),
        ([quarters(1), mirror(1)], lambda a: np.rot90(a)[:, ::-1]),
        ([mirror(1), quarters(1)], lambda a: np.rot90(a[:, ::-1])),
        ([crop(40, 20)], lambda a: a[6:26, 4:44]),
        ([crop(47, 31, (1, 2), (1, 2))], lambda a: a[1:, 1:]),
        ([crop(47, 31, (-1, 2), (-1, 2))], lambda a: a[:-1, :-1]),
        ([crop(40, 20, (-4, 1), (6, 1)), quarters(3)], lambda a: np.rot90(a[12:32, 0:40], -1)),
        ([quarters(1), crop(20, 40, (6, 1), (-4, 1))], lambda a: np.rot90(a)[0:40, 12:32]),
        ([crop(500, 400)], lambda a: a),  # more than there is
        ([crop(4, 4, (1000, 1))], lambda a: a),  # beside it
    ],
)
def test_crops_and_turns_are_applied_in_their_order(properties: list[Property], shown) -> None:
    data = one(chart(), *properties)
    wanted = shown(chart())
    assert np.array_equal(opened(data).pixels, wanted)
    header = read_header(data, "x", 10_000)
    assert (header.height, header.width) == wanted.shape[:2]


@pytest.mark.parametrize("chroma", ["420", "422", "444"])
@pytest.mark.parametrize("in_idat", [False, True])
def test_a_grid_is_joined_and_cut(chroma: str, in_idat: bool) -> None:
    """Chroma is one level for the whole picture, so that its size does not matter."""
    random, made = np.random.default_rng(7), Heif()
    luma = random.integers(0, 256, (64, 96), np.uint8)
    tiles = []
    for row in range(2):
        for column in range(3):
            part = np.ascontiguousarray(luma[32 * row : 32 * row + 32, 32 * column : 32 * column + 32])
            rows, columns = (32 // (1 + (chroma == "420")), 32 // (1 + (chroma != "444")))
            tiles.append(made.picture([part, *[np.full((rows, columns), 128, np.uint8)] * 2], chroma=chroma))
    grid = made.grid(2, 3, 51, 81, tiles, nclx(6, True))
    photo = opened(made.file(grid, in_idat=in_idat))
    assert np.array_equal(photo.pixels, np.repeat(luma[:51, :81, None], 3, 2))
    turned = made.grid(2, 3, 51, 81, tiles, nclx(6, True), quarters(1))
    assert np.array_equal(opened(made.file(turned)).pixels[..., 0], np.rot90(luma[:51, :81]))


def test_a_picture_that_is_another_is_turned_by_both() -> None:
    made = Heif()
    inner = made.picture(gbr(chart()), RGB, quarters(1))
    outer = made.add(b"iden", b"", mirror(1))
    made.refer(b"dimg", outer, inner)
    assert np.array_equal(opened(made.file(outer)).pixels, np.rot90(chart())[:, ::-1])


# Of red and blue: ITU-R BT.709, BT.601, BT.2020, SMPTE 240M, FCC.
WEIGHTS = {
    1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593), 7: (0.212, 0.087),
    4: (0.30, 0.11), 2: (0.299, 0.114),
}  # fmt: skip


@pytest.mark.parametrize("full_range", [True, False])
@pytest.mark.parametrize("matrix", WEIGHTS)
@pytest.mark.parametrize("bits", [8, 10])
def test_matrices_and_ranges_are_those_of_the_standard(matrix: int, full_range: bool, bits: int) -> None:
    """The equations of ITU-T H.273, 8.3, the other way: from colours to samples, and those to colours."""
    colours = chart(16, 16).astype(float) / 255
    red, blue = WEIGHTS[matrix]
    luma = colours @ [red, 1 - red - blue, blue]
    cb, cr = (colours[..., 2] - luma) / (2 * (1 - blue)), (colours[..., 0] - luma) / (2 * (1 - red))
    step, white = 1 << (bits - 8), (1 << bits) - 1
    if full_range:
        coded = [white * luma, *(white * c + 128 * step for c in (cb, cr))]
    else:
        coded = [step * (219 * luma + 16), *(step * (224 * c + 128) for c in (cb, cr))]
    planes = [np.clip(np.rint(c), 0, white).astype(np.uint8 if bits == 8 else np.uint16) for c in coded]
    made = Heif()
    photo = opened(made.file(made.picture(planes, nclx(matrix, full_range), bits=bits)))
    assert np.abs(photo.pixels - colours * 255).max() <= (2.5 if bits == 8 else 1)
    assert photo.bits == bits


def test_grey_of_limited_range_is_expanded() -> None:
    levels = np.array([16, 126, 235, 0, 255, 60, 90, 200] * 32, np.uint8).reshape(16, 16)
    for full_range in (True, False):
        made = Heif()
        photo = opened(made.file(made.picture([levels], nclx(6, full_range), chroma="400")))
        wanted = levels if full_range else np.clip(np.rint((levels - 16.0) * 255 / 219), 0, 255)
        assert photo.grey
        assert np.array_equal(photo.pixels[..., 0], wanted)


def test_what_the_stream_says_of_range_counts_where_the_file_says_nothing() -> None:
    made = Heif()
    levels = np.full((16, 16), 126, np.uint8)
    assert opened(made.file(made.picture([levels], chroma="400"))).pixels[0, 0, 0] == 128  # limited
    assert opened((PICTURES / "rgb8.heic").read_bytes()).bits == 8


@pytest.mark.parametrize("chroma", ["420", "422"])
def test_a_chroma_sample_stands_for_the_pixels_that_share_it(chroma: str) -> None:
    random = np.random.default_rng(3)
    luma = random.integers(60, 190, (16, 24), np.uint8)
    shape = (8 if chroma == "420" else 16, 12)
    cb, cr = random.integers(100, 156, (2, *shape), np.uint8)
    made = Heif()
    photo = opened(made.file(made.picture([luma, cb, cr], nclx(6, True), chroma=chroma)))
    down = 2 if chroma == "420" else 1
    blue, red = (np.repeat(np.repeat(c, down, 0), 2, 1) - 128.0 for c in (cb, cr))
    y = luma.astype(float)
    wanted = np.stack([y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue], -1)
    assert np.abs(photo.pixels - np.clip(wanted, 0, 255)).max() <= 0.51


def test_bands_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    planes = [random.integers(0, 256, s, np.uint8) for s in ((33, 25), (17, 13), (17, 13))]
    whole = ycbcr.to_rgb(planes, 8, 1, False)
    for pixels in (1, 100, 300):
        monkeypatch.setattr(ycbcr, "BAND_PIXELS", pixels)
        assert np.array_equal(ycbcr.to_rgb(planes, 8, 1, False), whole)


def test_ycgco() -> None:
    """H.273, equations 62 to 65: luma is (R + 2 G + B) / 4."""
    planes = [np.full((1, 1), v, np.uint8) for v in (100, 128 + 20, 128 + 30)]
    assert ycbcr.to_rgb(planes, 8, ycbcr.YCGCO, True)[0, 0].tolist() == [110, 120, 50]


@pytest.mark.parametrize("bits", [10, 12])
def test_deep_pictures_are_rounded(bits: int) -> None:
    white = (1 << bits) - 1
    deep = np.random.default_rng(2).integers(0, white + 1, (16, 16, 3)).astype(np.uint16)
    made = Heif()
    photo = opened(made.file(made.picture(gbr(deep), RGB, bits=bits)))
    assert np.array_equal(photo.pixels, np.rint(deep * (255 / white)))
    assert photo.remarks == (f"{bits} bits a channel became 8",)


def test_code_points_are_colours() -> None:
    """Display P3's (230, 30, 40) by colour arithmetic."""
    made = Heif()
    flat = np.full((16, 16, 3), (230, 30, 40), np.uint8)
    photo = opened(made.file(made.picture(gbr(flat), nclx(0, True, 12, 13))))
    assert np.abs(photo.pixels[4, 4].astype(int) - (251, 0, 19)).max() <= 1
    assert photo.profile == "Display P3"


def test_code_points_of_androids_jpeg_colours_are_srgb() -> None:
    """Android's data space JFIF is BT.601 with 625 lines, SMPTE 170M and full range; its JPEG files have no
    profile and are sRGB."""
    grey = [np.full((16, 16), level, np.uint8) for level in (140, 128, 128)]
    made = Heif()
    for matrix in (5, 6):
        photo = opened(made.file(made.picture(grey, nclx(matrix, True, 5, 6))))
        assert photo.pixels[2, 2].tolist() == [140, 140, 140]
    other = opened(made.file(made.picture(grey, nclx(5, True, 9, 14))))
    assert other.pixels[2, 2, 0] > 145  # the curve of cameras


def test_a_profile_goes_before_code_points() -> None:
    from PIL import ImageCms

    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = Heif()
    both = made.picture(gbr(chart()), nclx(0, True, 12, 13), (b"colr", b"prof" + srgb))
    photo = opened(made.file(both))
    assert np.array_equal(photo.pixels, chart())
    assert photo.embedded.icc == srgb


ALPHA = b"auxC", bytes(4) + b"urn:mpeg:hevc:2015:auxid:1\0"


@pytest.mark.parametrize("turn", [(), (quarters(1),)])
def test_opacity(turn: tuple[Property, ...]) -> None:
    alpha, made = chart(seed=9)[..., 0], Heif()
    primary = made.picture(gbr(chart()), RGB, *turn)
    other = made.picture([alpha], ALPHA, *turn, chroma="400")
    made.refer(b"auxl", other, primary)
    photo = opened(made.file(primary))
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, np.rot90(alpha, len(turn)))
    assert np.array_equal(photo.pixels, np.rot90(chart(), len(turn)))


def test_colours_that_are_multiplied_by_opacity_are_divided_by_it() -> None:
    made = Heif()
    primary = made.picture(gbr(np.full((16, 16, 3), (100, 50, 0), np.uint8)), RGB)
    other = made.picture([np.full((16, 16), 128, np.uint8)], ALPHA, chroma="400")
    made.refer(b"auxl", other, primary)
    made.refer(b"prem", primary, other)
    assert opened(made.file(primary)).pixels[3, 3].tolist() == [199, 100, 0]


def test_opacity_of_another_size_is_enlarged() -> None:
    made = Heif()
    primary = made.picture(gbr(chart()), RGB)
    made.refer(b"auxl", made.picture([np.full((16, 24), 77, np.uint8)], ALPHA, chroma="400"), primary)
    photo = opened(made.file(primary))
    assert photo.alpha is not None
    assert photo.alpha.shape == (32, 48)
    assert (photo.alpha == 77).all()


@pytest.mark.parametrize("by", ["auxC", "tmap"])
def test_a_gain_map_is_said(by: str) -> None:
    made = Heif()
    primary = made.picture(gbr(chart()), RGB)
    if by == "auxC":
        urn = b"auxC", bytes(4) + b"urn:com:apple:photo:2020:aux:hdrgainmap\0"
        made.refer(b"auxl", made.picture([chart()[..., 0]], urn, chroma="400"), primary)
    else:
        made.refer(b"dimg", made.add(b"tmap", bytes(62)), primary)
    photo = opened(made.file(primary))
    assert photo.remarks == ("primary picture of a gain-map HEIF (HDR part not used)",)
    assert photo.alpha is None


def test_metadata_and_the_clip_of_a_motion_photo() -> None:
    made = Heif()
    primary = made.picture(gbr(chart()), RGB)
    tiff = b"MM\0*\0\0\0\x08\0\0\0\0\0\0"
    of_another = made.add(b"Exif", bytes(4) + b"MM\0*\0\0\0\x08\0\0\0\0\0\1")
    own, packet = made.add(b"Exif", b"\0\0\0\6Exif\0\0" + tiff), b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
    made.refer(b"cdsc", of_another, 99)
    made.refer(b"cdsc", own, primary)
    made.add(b"mime", packet, content=b"application/rdf+xml")
    photo = opened(made.file(primary, behind=box(b"mpvd", bytes(3000))))
    assert photo.embedded.exif == exif.START + tiff
    assert photo.embedded.xmp == packet
    assert photo.clip_bytes == 3000


def unreadable(kind: bytes) -> bytes:
    made = Heif()
    return made.file(made.add(kind, b"abc", size(32, 48)))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (unreadable(b"jpeg"), 'x: HEIF files with pictures of kind "jpeg" cannot be read here'),
        (unreadable(b"iovl"), 'x: HEIF files with pictures of kind "iovl" cannot be read here'),
        (unreadable(b"avc1"), 'x: HEIF files with pictures of kind "avc1" cannot be read here'),
        (
            one(chart(), nclx(0, True))[:24] + b"",
            "x: HEIF files that hold a sequence without a still picture",
        ),
    ],
)
def test_what_is_not_read_is_named(data: bytes, says: str) -> None:
    with pytest.raises(PhotoError) as raised:
        opened(data)
    assert str(raised.value).startswith(says)


def test_pictures_that_need_others_are_named() -> None:
    made = Heif()
    first, second = made.picture(gbr(chart()), RGB), made.picture(gbr(chart(seed=2)), RGB)
    made.refer(b"pred", second, first)
    with pytest.raises(PhotoError, match="coded as changes to others cannot be read"):
        opened(made.file(second))


def test_a_thumbnail_is_not_taken_for_its_picture() -> None:
    made = Heif()
    small, whole = made.picture(gbr(chart(16, 24)), RGB), made.picture(gbr(chart()), RGB)
    made.refer(b"thmb", small, whole)
    for primary in (small, whole):
        assert np.array_equal(opened(made.file(primary)).pixels, chart())


def test_a_matrix_that_is_not_read_is_named() -> None:
    made = Heif()
    with pytest.raises(PhotoError, match="colours by matrix 14 cannot be read"):
        opened(made.file(made.picture(gbr(chart()), nclx(14, True))))


def test_sizes_are_compared_before_anything_is_decoded() -> None:
    body, coded = hevc(gbr(chart(256, 256)))
    for told in ((16, 16), (8, 400), (1000, 1000)):
        made = Heif()
        data = made.file(made.add(b"hvc1", body, coded, size(*told), RGB))
        with pytest.raises(
            PhotoError, match=r"not of the size that the file says|smaller than the file says"
        ):
            opened(data)
    made = Heif()
    with pytest.raises(PhotoError, match="60000×50000 pixels"):
        opened(made.file(made.add(b"hvc1", body, coded, size(50000, 60000), RGB)))


def test_a_small_part_of_a_huge_picture_is_refused_before_that_is_decoded() -> None:
    body, coded = hevc(gbr(chart()))
    made = Heif()
    huge = made.add(b"hvc1", body, coded, size(50000, 60000), RGB, crop(40, 20))
    with pytest.raises(PhotoError, match="of 60000×50000 pixels only 40×20 are shown"):
        opened(made.file(huge))
    made = Heif()
    primary = made.picture(gbr(chart()), RGB)
    made.refer(b"auxl", made.add(b"hvc1", body, coded, size(50000, 60000), ALPHA), primary)
    with pytest.raises(PhotoError, match="of 60000×50000 pixels only 48×32 are shown"):
        opened(made.file(primary))


@pytest.mark.parametrize(
    ("rows", "columns", "height", "width", "count"),
    [(2, 2, 60, 60, 3), (2, 2, 64, 65, 4), (2, 2, 32, 64, 4), (255, 255, 64, 64, 4), (1, 1, 10, 10, 0)],
)
def test_grids_that_cannot_be_are_refused(
    rows: int, columns: int, height: int, width: int, count: int
) -> None:
    made = Heif()
    tile = made.picture(gbr(chart(32, 32)), RGB)
    with pytest.raises(PhotoError, match="grid"):
        opened(made.file(made.grid(rows, columns, height, width, [tile] * count)))


def test_tiles_that_differ_are_refused() -> None:
    made = Heif()
    tiles = [made.picture(gbr(chart(32, 32)), RGB), made.picture(gbr(chart(16, 32)), RGB)]
    with pytest.raises(PhotoError, match="differ in size"):
        opened(made.file(made.grid(1, 2, 32, 64, tiles)))


def test_the_same_bytes_are_not_decoded_without_end() -> None:
    made = Heif()
    tile = made.picture(gbr(chart(16, 16)), RGB)
    with pytest.raises(PhotoError, match="larger than they can be"):
        opened(made.file(made.grid(50, 50, 800, 800, [tile] * 2500)))


def test_circles_of_pictures_are_refused() -> None:
    made = Heif()
    first, second = made.add(b"iden", b""), made.add(b"iden", b"")
    made.refer(b"dimg", first, second)
    made.refer(b"dimg", second, first)
    with pytest.raises(PhotoError, match=r"^x: "):
        opened(made.file(first))
    grid = made.grid(1, 1, 16, 16, [first])
    made.refer(b"dimg", first, grid)
    with pytest.raises(PhotoError, match=r"^x: "):
        opened(made.file(grid))


def test_lists_without_end_are_refused() -> None:
    """Items and extents that take no bytes in the list."""
    hostile = full(b"iloc", b"\0\0" + struct.pack(">H", 500) + struct.pack(">HHHH", 1, 0, 0, 65535) * 500, 1)
    meta = full(b"meta", full(b"pitm", b"\0\1") + hostile)
    with pytest.raises(PhotoError, match="cut short or too long"):
        opened(box(b"ftyp", b"heic" + bytes(4)) + meta)


SMALL = one(chart(16, 16), crop(10, 10), quarters(1))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(SMALL) - 1), st.binary(min_size=1, max_size=8), st.integers(0, len(SMALL)))
def test_damaged_files_open_or_say_so(at: int, with_: bytes, length: int) -> None:
    for data in (SMALL[:at] + with_ + SMALL[at + len(with_) :], SMALL[:length]):
        try:
            photo = open_photo(data, "x", 100_000)
        except PhotoError as error:
            assert str(error).startswith("x: ")
            continue
        assert photo.pixels.shape[2] == 3


@given(st.binary(max_size=400))
def test_any_bytes_have_items_or_none(body: bytes) -> None:
    for kind in (b"iloc", b"iinf", b"iref"):
        data = full(b"meta", full(b"pitm", b"\0\1") + full(kind, body))
        try:
            found = items.read(data)
        except (ValueError, struct.error):
            continue
        assert found is not None
        found.described(1)
        found.metadata(b"Exif")


def test_files_that_are_cut_short_never_open() -> None:
    data = (PICTURES / "rgb8.heic").read_bytes()
    for length in range(0, len(data), 97):
        with pytest.raises(PhotoError):
            opened(data[:length])
