"""What stands beside the primary picture in a file is found, and said where it is not read."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsslic_search.codec.decoder import read_source
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.formats import companions
from dsslic_search.codec.picture.header import Companions
from dsslic_search.codec.picture.open import SourcePhoto, open_photo

GAIN_MAP = ("primary picture of a gain-map JPEG (HDR part not used)",)
ISO = b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4)
CLIP = b"\0\0\0\x18ftypmp42" + bytes(12) + np.random.default_rng(5).bytes(4000)
CAMERA, CONTAINER = "http://ns.google.com/photos/1.0/camera/", "http://ns.google.com/photos/1.0/container/"


def jpeg(level: int = 90) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (48, 32), (level, 120, 60)).save(file, "JPEG", quality=90)
    return file.getvalue()


def with_segment(picture: bytes, marker: int, body: bytes) -> bytes:
    return picture[:2] + bytes((0xFF, marker)) + (2 + len(body)).to_bytes(2, "big") + body + picture[2:]


def packet(attributes: str = "", inner: str = "") -> bytes:
    spaces = (
        f'xmlns:GCamera="{CAMERA}" xmlns:Container="{CONTAINER}" xmlns:Item="{CONTAINER}item/" '
        'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"'
    )
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"<rdf:Description {spaces} {attributes}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def directory(*items: str) -> str:
    each = "".join(f'<rdf:li rdf:parseType="Resource"><Container:Item {item}/></rdf:li>' for item in items)
    return f"<Container:Directory><rdf:Seq>{each}</rdf:Seq></Container:Directory>"


def with_xmp(picture: bytes, attributes: str = "", inner: str = "") -> bytes:
    return with_segment(picture, 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet(attributes, inner))


def multi_picture(*others: tuple[int, bytes], order: str = ">") -> bytes:
    """A file of CIPA's multi-picture format: kinds and pictures behind the first."""
    count, first = 1 + len(others), jpeg()
    size = 8 + 2 + 3 * 12 + 4 + 16 * count
    base = 2 + 4 + 4  # behind the start, the marker with its length, and the name
    starts = np.cumsum([len(first) + 8 + size, *(len(data) for _, data in others)])
    index = (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(f"{order}IH", 8, 3)
    index += struct.pack(f"{order}HHI4s", 0xB000, 7, 4, b"0100")
    index += struct.pack(f"{order}HHII", 0xB001, 4, 1, count)
    index += struct.pack(f"{order}HHII", 0xB002, 7, 16 * count, size - 16 * count) + bytes(4)
    index += struct.pack(f"{order}IIIHH", 0x20030000, int(starts[0]), 0, 0, 0)
    for (kind, data), start in zip(others, starts, strict=False):
        index += struct.pack(f"{order}IIIHH", kind, len(data), int(start) - base, 0, 0)
    assert len(index) == size
    return with_segment(first, 0xE2, b"MPF\0" + index) + b"".join(data for _, data in others)


def samsung(clip: bytes = CLIP, kind: int = 0x0A30) -> bytes:
    """The trailer of a Samsung phone, with a note before the clip."""
    note = struct.pack("<HHI", 0, 0x0A01, 14) + b"Image_UTC_Data" + b"1614595815000"
    motion = struct.pack("<HHI", 0, kind, 16) + b"MotionPhoto_Data" + clip
    entries = struct.pack("<HHII", 0, 0x0A01, len(note) + len(motion), len(note))
    entries += struct.pack("<HHII", 0, kind, len(motion), len(motion))
    listed = b"SEFH" + struct.pack("<II", 106, 2) + entries
    return note + motion + listed + struct.pack("<I", len(listed)) + b"SEFT"


def opened(data: bytes) -> SourcePhoto:
    return open_photo(data, "x", 100_000)


GAIN_MAPS = {
    "Adobe's": with_xmp(jpeg(), 'hdrgm:Version="1.0"') + jpeg(20),
    "Adobe's, as an element": with_xmp(jpeg(), "", "<hdrgm:Version>1.0</hdrgm:Version>") + jpeg(20),
    "in a container": with_xmp(
        jpeg(), "", directory('Item:Semantic="Primary"', 'Item:Semantic="GainMap" Item:Length="600"')
    )
    + jpeg(20),
    "ISO 21496-1": with_segment(jpeg(), 0xE2, ISO) + jpeg(20),
    "ISO 21496-1 in the map alone": multi_picture((0, with_segment(jpeg(20), 0xE2, ISO))),
    "Adobe's in the map alone": multi_picture((0, with_xmp(jpeg(20), 'hdrgm:GainMapMax="2"'))),
    "Apple's": multi_picture(
        (
            0,
            with_segment(
                jpeg(20), 0xE1, b"http://ns.adobe.com/xap/1.0/\0urn:com:apple:photo:2020:aux:hdrgainmap"
            ),
        )
    ),
    "by its kind": multi_picture((0x050000, jpeg(20))),
    "by its kind, little-endian": multi_picture((0x050000, jpeg(20)), order="<"),
}


@pytest.mark.parametrize("data", GAIN_MAPS.values(), ids=GAIN_MAPS)
def test_a_gain_map_is_said(data: bytes) -> None:
    photo = opened(data)
    assert photo.remarks == GAIN_MAP
    assert np.array_equal(photo.pixels, opened(jpeg()).pixels)  # the primary picture's
    assert photo.clip_bytes == 0


@pytest.mark.parametrize(
    "data",
    [
        jpeg(),
        jpeg() + jpeg(20),
        with_xmp(jpeg(), 'hdrgm:Version="1.0"'),  # an editor left the map away
        with_segment(jpeg(), 0xE2, ISO),
        with_xmp(jpeg(), 'GCamera:MotionPhoto="1"'),
        with_xmp(jpeg(), 'GCamera:MotionPhoto="0"') + CLIP,
        multi_picture((0x010001, jpeg(20)), (0x010002, jpeg(30))),  # its thumbnails
        jpeg() + samsung(kind=0x0A41),
        jpeg() + b"SEFT",
    ],
)
def test_of_ordinary_files_nothing_is_said(data: bytes) -> None:
    photo = opened(data)
    assert (photo.remarks, photo.clip_bytes) == ((), 0)


def test_several_pictures_are_said() -> None:
    assert opened(multi_picture((0x020002, jpeg(20)), (0x020002, jpeg(30)))).remarks == ("picture 1 of 3",)
    both = multi_picture((0x020003, jpeg(20)), (0x050000, jpeg(30)), (0x010001, jpeg(40)))
    assert opened(both).remarks == (*GAIN_MAP, "picture 1 of 2")


MOTION = {
    "motion photo": with_xmp(
        jpeg(),
        'GCamera:MotionPhoto="1"',
        directory('Item:Semantic="Primary"', f'Item:Semantic="MotionPhoto" Item:Length="{len(CLIP)}"'),
    )
    + CLIP,
    "micro video": with_xmp(jpeg(), f'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="{len(CLIP)}"') + CLIP,
    "without its length": with_xmp(jpeg(), 'GCamera:MotionPhoto="1"') + CLIP,
    "with a wrong length": with_xmp(jpeg(), 'GCamera:MicroVideo="1" GCamera:MicroVideoOffset="77"') + CLIP,
    "Samsung's": jpeg() + samsung(),
    "both": with_xmp(jpeg(), 'GCamera:MotionPhoto="1"') + samsung(),
}


@pytest.mark.parametrize("data", MOTION.values(), ids=MOTION)
def test_the_clip_of_a_motion_photo_is_found(data: bytes) -> None:
    photo = opened(data)
    assert photo.clip_bytes == len(CLIP)
    assert photo.remarks == ()


def test_a_motion_photo_may_have_a_gain_map() -> None:
    items = 'Item:Semantic="GainMap"', f'Item:Semantic="MotionPhoto" Item:Length="{len(CLIP)}"'
    photo = opened(with_xmp(jpeg(), 'GCamera:MotionPhoto="1"', directory(*items)) + jpeg(20) + CLIP)
    assert (photo.remarks, photo.clip_bytes) == (GAIN_MAP, len(CLIP))


@pytest.mark.parametrize(
    ("keep", "fate"),
    [
        ("exact", "is kept"),
        ("reference", "stays with the original"),
        ("layers", "is not kept"),
        ("coarse", "is not kept"),
    ],
)
def test_what_becomes_of_a_clip_is_kept_with_the_photo(keep: str, fate: str) -> None:
    data = jpeg() + samsung()
    encoded = encode_photo(opened(data), EncodeOptions(keep=keep), data)
    assert read_source(encoded.data) == (8, (f"a motion photo: its clip of 4.02 kB {fate}",))


@given(st.binary(max_size=200), st.sampled_from([b"", b"SEFT", samsung(CLIP[:40])]), st.integers(0, 300))
def test_any_bytes_have_companions_or_none(body: bytes, end: bytes, cut: int) -> None:
    data = b"\xff\xd8\xff\xe2\0\x60MPF\0MM\0*" + body + end[cut % (len(end) + 1) :]
    found = companions.of_jpeg(data, body)
    assert 0 <= found.clip_bytes <= len(data)


def test_damaged_companions_stop_no_photo() -> None:
    random = np.random.default_rng(3)
    data = multi_picture((0x050000, jpeg(20)), (0x020002, jpeg(30))) + samsung()
    whole = opened(data).pixels
    picture = range(2 + 4 + 4, data.index(b"\xff\xe0"))  # the index of pictures
    for at in [
        *random.integers(len(data) - 4200, len(data), 60),
        *random.integers(picture[0], picture[-1], 60),
    ]:
        bad = bytearray(data)
        bad[at] ^= 1 << random.integers(8)
        assert np.array_equal(opened(bytes(bad)).pixels, whole)


def test_the_clip_of_a_heif_file_is_found() -> None:
    box = (8 + len(CLIP)).to_bytes(4, "big") + b"mpvd" + CLIP
    assert companions.heif_clip_bytes(b"\0\0\0\x10ftypheic" + bytes(4) + box) == len(CLIP)
    assert companions.heif_clip_bytes(b"\0\0\0\x10ftypheic" + bytes(4)) == 0
    assert Companions().notes("HEIF") == ()
