from __future__ import annotations

import io
import re
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import ExifTags, Image, ImageCms

from dsslic_search.codec.picture.open import open_photo
from dsslic_search.codec.picture.raster import Embedded
from dsslic_search.codec.picture.save import save_label_map, save_picture
from dsslic_search.core.errors import PhotoError, UsageError
from dsslic_search.core.output import Outputs
from dsslic_search.core.vocabulary import default

LIMIT = 10_000_000
SAMPLES = sorted((Path(__file__).parents[3] / "samples").glob("*.jpg"))


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def scene(height: int = 24, width: int = 36) -> np.ndarray:
    """Smooth and different in every corner and channel."""
    y, x = np.mgrid[:height, :width]
    return np.stack(
        [x * 255 // (width - 1), y * 255 // (height - 1), (x + y) * 255 // (height + width - 2)], -1
    ).astype(np.uint8)


def exif_with(gps: dict | None = None, shot: dict | None = None, **main: object) -> Image.Exif:
    exif = Image.Exif()
    for name, value in main.items():
        exif[ExifTags.Base[name]] = value
    if shot:
        exif.get_ifd(ExifTags.IFD.Exif).update({ExifTags.Base[k]: v for k, v in shot.items()})
    if gps:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update({ExifTags.GPS[k]: v for k, v in gps.items()})
    return exif


def opened(data: bytes):
    return open_photo(data, "x", LIMIT)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_sample_photos_open_as_pillow_decodes_them(path):
    photo = open_photo(path.read_bytes(), path.name, LIMIT)
    assert np.array_equal(photo.pixels, np.asarray(Image.open(path)))
    assert (photo.format, photo.grey, photo.alpha) == ("JPEG", False, None)
    assert max(photo.width, photo.height) == 960


def test_there_are_sample_photos_each_attributed():
    text = (Path(__file__).parents[3] / "samples" / "ATTRIBUTION.md").read_text()
    assert len(SAMPLES) >= 10
    assert all(f"`{p.name}`" in text for p in SAMPLES)
    assert sum(p.stat().st_size for p in SAMPLES) < 2_500_000


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "WEBP", "PPM", "JPEG2000"])
def test_lossless_formats_give_the_same_pixels(kind):
    options = {"WEBP": {"lossless": True}, "JPEG2000": {"irreversible": False}}.get(kind, {})
    photo = opened(saved(Image.fromarray(scene()), kind, **options))
    assert np.array_equal(photo.pixels, scene())
    assert photo.format == kind


def test_an_impossible_orientation_is_left_out_of_account():
    assert np.array_equal(
        opened(saved(Image.fromarray(scene()), exif=exif_with(Orientation=9))).pixels, scene()
    )


def test_grey_photos_have_equal_channels_and_say_so():
    grey = scene()[..., 0]
    photo = opened(saved(Image.fromarray(grey)))
    assert photo.grey
    assert np.array_equal(photo.pixels, np.repeat(grey[..., None], 3, 2))
    assert not opened(saved(Image.fromarray(np.repeat(grey[..., None], 3, 2)))).grey


def test_bilevel():
    dots = scene()[..., 0] > 99
    photo = opened(saved(Image.fromarray(dots)))
    assert photo.grey
    assert np.array_equal(photo.pixels[..., 1], dots * np.uint8(255))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bit_grey_is_rounded(kind):
    deep = np.arange(0, 65536, 64, dtype=np.uint16).reshape(32, 32)
    photo = opened(saved(Image.fromarray(deep), kind))
    assert photo.grey
    assert np.array_equal(photo.pixels[..., 0], np.rint(deep / 257).astype(np.uint8))


def test_wide_integers_and_floats():
    wide = np.array([[0, 1 << 20], [1 << 19, -5]], np.int32)
    assert opened(saved(Image.fromarray(wide), "TIFF")).pixels[..., 0].tolist() == [[0, 255], [128, 0]]
    light = np.array([[0.0, 1.0], [0.5, np.nan]], np.float32)
    assert opened(saved(Image.fromarray(light), "TIFF")).pixels[..., 0].tolist() == [[0, 255], [128, 0]]
    bright = np.array([[0.0, 2.0], [1.0, -1.0]], np.float32)
    assert opened(saved(Image.fromarray(bright), "TIFF")).pixels[..., 0].tolist() == [[0, 255], [128, 0]]


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_kept_apart(mode):
    alpha = scene()[..., 2]
    picture = Image.fromarray(scene()).convert(mode)
    picture.putalpha(Image.fromarray(alpha))
    photo = opened(saved(picture))
    assert np.array_equal(photo.alpha, alpha)
    assert photo.grey == (mode == "LA")
    if mode == "RGBA":
        assert np.array_equal(photo.pixels, scene())


def test_opaque_alpha_is_none():
    assert opened(saved(Image.fromarray(scene()).convert("RGBA"))).alpha is None


def test_palette_with_transparency():
    picture = Image.new("P", (3, 1))
    picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    picture.putdata([0, 1, 2])
    photo = opened(saved(picture, transparency=b"\xff\x80\x00"))
    assert photo.pixels.tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]
    assert photo.alpha.tolist() == [[255, 128, 0]]


@pytest.mark.parametrize(
    ("picture", "key"),
    [(Image.new("L", (2, 1), 7), 7), (Image.fromarray(np.full((1, 2), 700, np.uint16)), 700)],
)
def test_a_transparent_grey_level(picture, key):
    assert opened(saved(picture, transparency=key)).alpha.tolist() == [[0, 0]]


def test_cmyk():
    ink = Image.new("CMYK", (4, 4), (0, 255, 255, 0))
    assert np.abs(opened(saved(ink, "TIFF")).pixels[0, 0].astype(int) - [255, 0, 0]).max() <= 1
    assert np.abs(opened(saved(ink, "JPEG", quality=100)).pixels[0, 0].astype(int) - [255, 0, 0]).max() <= 4


@pytest.mark.skipif(
    int(PIL.__version__.split(".")[0]) < 13,
    reason="Pillow before 13 takes a TIFF file of YCbCr that is not compressed for one that is cut short",
)
def test_ycbcr():
    video = Image.fromarray(scene()).convert("YCbCr")
    assert np.array_equal(opened(saved(video, "TIFF")).pixels, np.asarray(video.convert("RGB")))


def linear_profile() -> bytes:
    """sRGB's primaries with gamma 1: its curves' parametric bodies are replaced, sizes and offsets stay."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for i in range(struct.unpack(">I", data[128:132])[0]):
        tag, at, size = struct.unpack(">4sII", data[132 + 12 * i : 144 + 12 * i])
        if tag in (b"rTRC", b"gTRC", b"bTRC"):
            data[at : at + size] = struct.pack(">4sIHHi", b"para", 0, 0, 0, 1 << 16).ljust(size, b"\0")
        elif tag == b"desc":
            data[at : at + size] = bytes(data[at : at + size]).replace(
                "sRGB".encode("utf-16-be"), "test".encode("utf-16-be")
            )
    return bytes(data)


def test_a_profile_is_applied_and_kept():
    icc = linear_profile()
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    photo = opened(saved(Image.fromarray(levels), icc_profile=icc))
    light = np.arange(256) / 255
    # IEC 61966-2-1
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    assert np.abs(photo.pixels[0].astype(float) - srgb[:, None]).max() <= 1.5
    assert photo.embedded.icc == icc


def test_profiles_that_do_not_fit_leave_the_pixels_as_they_are():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (srgb, b"not a profile at all", srgb[:200]):
        photo = opened(saved(Image.fromarray(scene()), icc_profile=icc))
        assert np.array_equal(photo.pixels, scene())
        assert photo.embedded.icc == icc
    assert (
        opened(saved(Image.fromarray(scene()[..., 0]), icc_profile=linear_profile())).pixels[3, 5, 1]
        == scene()[3, 5, 0]
    )


def test_first_picture_of_several():
    frames = [Image.new("RGB", (8, 6), c) for c in ("red", "lime", "blue")]
    for kind in ("GIF", "WEBP", "TIFF", "PNG"):
        options = {"lossless": True} if kind == "WEBP" else {}
        photo = opened(saved(frames[0], kind, save_all=True, append_images=frames[1:], **options))
        assert photo.pixels.shape == (6, 8, 3)
        assert photo.pixels[2, 3].tolist() == [255, 0, 0]


def test_multi_picture_jpeg_is_jpeg():
    photo = opened(
        saved(Image.fromarray(scene()), "MPO", save_all=True, append_images=[Image.fromarray(scene())])
    )
    assert photo.format == "JPEG"


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", b"")
    )


def test_bombs_are_refused_by_their_header():
    with pytest.raises(PhotoError, match=r"^bomb\.png: 60000×50000 pixels .*10,000,000.*DSS_MAX_PIXELS"):
        open_photo(png_header(60000, 50000), "bomb.png", LIMIT)


def test_the_limit_is_inclusive():
    data = saved(Image.fromarray(scene()))
    assert open_photo(data, "x", 24 * 36).width == 36
    with pytest.raises(PhotoError, match="more than the limit of 863"):
        open_photo(data, "x", 24 * 36 - 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"hello, world",
        b"\xff\xd8\xff",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
    ],
)
def test_what_is_no_photo_is_named(data):
    with pytest.raises(PhotoError, match=r"^holiday\.jpg: ") as caught:
        open_photo(data, "holiday.jpg", LIMIT)
    assert "\n" not in str(caught.value)


def test_empty_files_are_called_empty():
    with pytest.raises(PhotoError, match="empty"):
        opened(b"")


OF_A_LIBRARY = re.compile(r"0x|b'|BytesIO|unpack|NoneType|index out of|Traceback|object has no")
"""What no sentence says to people."""


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000"])
def test_truncated_files_never_open_and_never_crash(kind):
    data = saved(Image.effect_noise((64, 64), 50).convert("RGB"), kind)
    for length in range(0, len(data) * 3 // 4, max(1, len(data) // 40)):
        with pytest.raises(PhotoError, match=r"^x: ") as said:
            opened(data[:length])
        assert not OF_A_LIBRARY.search(str(said.value)), length


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF"])
def test_damaged_files_open_or_raise_photo_error(kind):
    data = saved(
        Image.fromarray(scene()),
        kind,
        exif=exif_with(Make="Acme", shot={"DateTimeOriginal": "2020:01:02 03:04:05"}),
    )
    random = np.random.default_rng(5)
    for _ in range(150):
        bad = bytearray(data)
        for at in random.integers(0, len(bad), 3):
            bad[at] = random.integers(256)
        try:
            photo = opened(bytes(bad))
        except PhotoError:
            continue
        assert photo.pixels.dtype == np.uint8
        assert photo.pixels.shape[2] == 3


STARTS = {
    "short.dng": b"II\x2a\0",
    "empty.dng": b"II\x2a\0\x08\0\0\0" + bytes(600),
    "far.tif": b"II\x2a\0\xff\xff\xff\x7f",
    "nef.nef": b"MM\0\x2a\0\0\0\x08\0\1\1\0\0\4\0\0\0\1\0\0\0\x10" + bytes(600),
    "sensor.cr2": b"II\x2a\0\x10\0\0\0CR\x02\0" + bytes(600),
    "sensor.cr3": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(600),
    "short.jp2": b"\0\0\0\x0cjP  \r\n\x87\n",
    "short.heic": b"\0\0\0\x18ftypheic\0\0\0\0heicmif1",
    "short.png": b"\x89PNG\r\n\x1a\n",
    "short.webp": b"RIFF\x24\0\0\0WEBPVP8 ",
    "short.gif": b"GIF89a",
    "short.jxl": b"\xff\x0a",
}


@pytest.mark.parametrize("name", STARTS)
def test_what_is_wrong_is_said_in_words_and_not_in_those_of_a_library(name: str) -> None:
    with pytest.raises(PhotoError) as said:
        open_photo(STARTS[name], name, 10**8)
    sentence = str(said.value)
    assert sentence.startswith(f"{name}: ")
    assert not OF_A_LIBRARY.search(sentence)


def test_no_exif_is_no_bytes():
    assert opened(saved(Image.fromarray(scene()), exif=exif_with(Orientation=6))).kept.exif == b""
    assert opened(saved(Image.fromarray(scene()), "TIFF")).kept.exif == b""


def test_warnings_of_pillow_do_not_leak_and_filters_come_back():
    # entries that the data ends in
    corrupt = b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x0f\0\x02\0\0\0\x50\0\0\0\x99"
    picture = Image.new("P", (2, 2))
    picture.putpalette([1, 2, 3] * 4)
    files = [
        saved(Image.fromarray(scene()), "JPEG", exif=corrupt),
        saved(picture, transparency=b"\x00\x80\xff"),
    ]
    before = list(warnings.filters)
    threads = [threading.Thread(target=lambda: [opened(f) for f in files * 10]) for _ in range(4)]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        during = list(warnings.filters)
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert list(warnings.filters) == during
    assert caught == []
    assert list(warnings.filters) == before


def test_threads_do_not_disturb_each_other():
    pictures = [
        saved(Image.fromarray(np.roll(scene(), i, 0)), exif=exif_with(Orientation=6)) for i in range(6)
    ]
    expected = [opened(p).pixels for p in pictures]
    wrong = []

    def work() -> None:
        for _ in range(10):
            wrong.extend(
                i for i, p in enumerate(pictures) if not np.array_equal(opened(p).pixels, expected[i])
            )

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


@pytest.mark.parametrize("suffix", [".png", ".webp", ".PNG"])
def test_saved_pictures_come_back(tmp_path, suffix):
    path = tmp_path / f"photo{suffix}"
    alpha = scene()[..., 1]
    exif = exif_with(Make="Acme", Orientation=1).tobytes()
    save_picture(scene(), path, alpha=alpha, beside=Embedded(exif=exif))
    photo = opened(path.read_bytes())
    assert np.array_equal(photo.pixels, scene())
    assert np.array_equal(photo.alpha, alpha)
    assert photo.embedded.exif == exif
    save_picture(scene()[..., 0], path, outputs=Outputs(replace=True))
    assert np.array_equal(opened(path.read_bytes()).pixels[..., 2], scene()[..., 0])
    assert list(tmp_path.iterdir()) == [path]


def test_jpeg_is_close_and_refuses_alpha(tmp_path):
    save_picture(scene(), tmp_path / "a.jpg")
    assert np.abs(opened((tmp_path / "a.jpg").read_bytes()).pixels.astype(int) - scene()).mean() < 2
    with pytest.raises(UsageError, match="transparency"):
        save_picture(scene(), tmp_path / "b.jpg", alpha=scene()[..., 0])
    assert not (tmp_path / "b.jpg").exists()


def test_saving_names_what_is_wrong(tmp_path):
    with pytest.raises(UsageError, match=r"\.png"):
        save_picture(scene(), tmp_path / "photo.xyz")
    with pytest.raises(UsageError, match="16383"):
        save_picture(np.zeros((1, 16384, 3), np.uint8), tmp_path / "wide.webp")
    with pytest.raises(UsageError, match="there is no folder"):
        save_picture(scene(), tmp_path / "missing" / "photo.png")
    folder = tmp_path / "folder.png"
    folder.mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        save_picture(scene(), folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_label_maps_are_palette_pictures_of_class_ids(tmp_path):
    labels = np.random.default_rng(1).integers(0, len(default()), (33, 47)).astype(np.uint8)
    save_label_map(labels, tmp_path / "map.png")
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.mode == "P"
        assert np.array_equal(np.asarray(picture), labels)
        colours = np.array(picture.getpalette()).reshape(-1, 3)
    assert colours[3].tolist() == list(default().classes[3].colour)
    with pytest.raises(UsageError, match=r"\.png"):
        save_label_map(labels, tmp_path / "map.jpg")
