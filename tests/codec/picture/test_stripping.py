"""Metadata left out: of what is kept, and of whole files whose pixels stay."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from dsslic_search.codec.picture import exif, iptc, xmp
from dsslic_search.codec.picture.exif import Value
from dsslic_search.codec.picture.facts import Beside, facts_of, kept
from dsslic_search.codec.picture.open import open_photo
from dsslic_search.codec.picture.raster import Embedded
from dsslic_search.codec.picture.save import save_picture
from dsslic_search.codec.picture.stripping import Strip, file_without, stripped
from dsslic_search.core.errors import UsageError
from dsslic_search.core.fact import EXIF_IFD, GPS_IFD, IFD0

SECRETS = (b"Bergen", b"60,23.5N", b"secret", b"\x3c\0\0\0\x01\0\0\0\x17\0\0\0\x01\0\0\0")


def rational(*pairs: int) -> Value:
    return Value(5, struct.pack(f"<{len(pairs)}I", *pairs))


def embedded(turn: int = 1) -> Embedded:
    """Metadata that name a camera, a title and keywords, and in every way the place."""
    said = exif.write(
        {
            IFD0: {0x010F: Value(2, b"Acme\0"), exif.ORIENTATION: Value(3, bytes((turn, 0)))},
            EXIF_IFD: {0x9003: Value(2, b"2021:06:05 14:30:15\0"), exif.MAKER_NOTE: Value(7, b"secret")},
            GPS_IFD: {
                1: Value(2, b"N\0"),
                2: rational(60, 1, 23, 1, 30, 1),
                3: Value(2, b"E\0"),
                4: rational(5, 1, 20, 1, 0, 1),
            },
        }
    )
    packet = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
      ><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
      exif:GPSLatitude="60,23.5N" exif:GPSLongitude="5,20E" photoshop:City="Bergen"><dc:title>Feast</dc:title
      ></rdf:Description></rdf:RDF></x:xmpmeta>"""
    records = b"\x1c\x02\x19\x00\x05coast\x1c\x02\x5a\x00\x06Bergen"
    return Embedded(said, packet, records)


def test_what_is_kept_without() -> None:
    whole = kept(embedded(), 3, 2)
    assert stripped(whole, Strip.NOTHING) == whole
    assert stripped(whole, Strip.METADATA) == Embedded()
    found = stripped(whole, Strip.LOCATION)
    assert stripped(found, Strip.LOCATION) == found
    assert not [secret for secret in SECRETS if secret in found.exif + found.xmp + found.iptc]
    facts = facts_of(whole)
    assert facts["latitude"] == pytest.approx(60 + 23.5 / 60)
    placeless = {**facts, "latitude": None, "longitude": None}
    assert facts_of(found) == facts_of(whole, strip=Strip.LOCATION) == placeless
    assert set(facts_of(whole, strip=Strip.METADATA).values()) == {None}
    assert facts_of(whole, "IMG-20210605-WA0001.jpg", strip=Strip.METADATA)["taken_from"] == "file name"
    with pytest.raises(UsageError, match="nothing, location, metadata"):
        Strip.named("all")


def keywords_of_places() -> Embedded:
    """Keywords as catalogues write them, paths in XMP and plain words in all three; where the maker lives."""
    said = exif.write({IFD0: {0x9C9E: Value(1, "coast;Bergen;geo:lat=60.39\0".encode("utf-16-le"))}})
    packet = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
      ><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
      xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:core="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
      xmlns:kw="http://www.metadataworkinggroup.com/schemas/keywords/"
      ><dc:subject><rdf:Bag><rdf:li>Bergen</rdf:li><rdf:li>coast</rdf:li><rdf:li>Noreg</rdf:li></rdf:Bag></dc:subject
      ><lr:hierarchicalSubject><rdf:Bag><rdf:li>Library|Places|Noreg|Bergen</rdf:li><rdf:li>People|Ida</rdf:li
      ></rdf:Bag></lr:hierarchicalSubject
      ><core:CreatorContactInfo core:CiAdrCity="Bergen" core:CiEmailWork="ida@example.org"
      /><core:CreatorContactInfo rdf:parseType="Resource"><core:CiAdrCtry>Noreg</core:CiAdrCtry
      ><core:CiUrlWork>example.org</core:CiUrlWork></core:CreatorContactInfo
      ><kw:Keywords><rdf:Bag><rdf:li><rdf:Description kw:Keyword="Places"><kw:Children><rdf:Bag
      ><rdf:li kw:Keyword="Bergen"/></rdf:Bag></kw:Children></rdf:Description></rdf:li></rdf:Bag></kw:Keywords
      ></rdf:Description></rdf:RDF></x:xmpmeta>"""
    records = b"\x1c\x02\x19\x00\x05coast\x1c\x02\x19\x00\x06bergen"
    return Embedded(said, packet, records)


PLACE_NAMES = (
    b"bergen",
    b"noreg",
    b"geo:",
    b"places",
    "bergen".encode("utf-16-le"),
    "geo:".encode("utf-16-le"),
)
STAYING = (b"coast", b"Ida", b"ida@example.org", b"example.org", "coast".encode("utf-16-le"))


def test_keywords_of_places_and_where_the_maker_lives() -> None:
    whole = kept(keywords_of_places(), 3, 2)
    assert facts_of(whole)["keywords"] == "Bergen\ncoast\nNoreg\nIda\ngeo:lat=60.39"
    found = stripped(whole, Strip.LOCATION)
    assert stripped(found, Strip.LOCATION) == found
    assert xmp.read(found.xmp).sound
    everything = found.exif + found.xmp + found.iptc
    assert not [name for name in PLACE_NAMES if name in everything.lower()]
    assert all(text in everything for text in STAYING)
    assert facts_of(found)["keywords"] == facts_of(whole, strip=Strip.LOCATION)["keywords"] == "coast\nIda"
    beside = Beside((xmp.read(whole.xmp),))
    assert facts_of(Embedded(), beside=beside, strip=Strip.LOCATION)["keywords"] == "coast\nIda"


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_files_without_keywords_of_places(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{kind}"
    save_picture(pixels(), path, beside=keywords_of_places())
    data = path.read_bytes()
    found = file_without(data, Strip.LOCATION)
    after = open_photo(found, "x", 10**6)
    assert np.array_equal(after.pixels, open_photo(data, "x", 10**6).pixels)
    everything = b"".join((after.embedded.exif, after.embedded.xmp, after.embedded.iptc))
    assert not [name for name in PLACE_NAMES if name in found.lower() + everything.lower()]
    assert b"coast" in everything
    assert facts_of(after.embedded)["keywords"] == "coast\nIda"


def pixels() -> np.ndarray:
    y, x = np.mgrid[:40, :48]
    return np.stack([x * 5, y * 6, x + y], -1).astype(np.uint8)


def saved(kind: str, tmp_path: Path, turn: int) -> bytes:
    """A file of that kind with all metadata, and the profile that decoders need."""
    path = tmp_path / f"a.{kind}"
    save_picture(pixels(), path, beside=embedded(turn))
    with Image.open(path) as picture:
        options: dict[str, Any] = {
            "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        }
        options["exif"] = embedded(turn).exif
        if kind == "jpg":
            name = b"Exif\0\0"
            more = b"".join(
                bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2, "big") + data
                for marker, data in (
                    (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + embedded().xmp),
                    (0xED, b"Photoshop 3.0\0" + iptc.as_photoshop(embedded().iptc)),
                    (0xE1, b"http://ns.adobe.com/xmp/extension/\0secret"),
                    (0xE4, b"secret"),
                )
            )
            assert embedded().exif.startswith(name)
            options |= {"extra": more, "comment": b"a comment", "progressive": True, "quality": 90}
        elif kind == "webp":
            options |= {"xmp": embedded().xmp, "lossless": True}
        else:
            texts = PngInfo()
            texts.add_itxt("XML:com.adobe.xmp", embedded().xmp.decode(), zip=True)
            texts.add_text("Comment", "a comment")
            texts.add_text("Raw profile type iptc", "secret")
            options |= {"pnginfo": texts}
        out = io.BytesIO()
        picture.save(out, {"jpg": "JPEG"}.get(kind, kind.upper()), **options)
    return out.getvalue() + (b"secret" + out.getvalue() if kind == "jpg" else b"")


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
@pytest.mark.parametrize("turn", [1, 6])
def test_files_without(kind: str, turn: int, tmp_path: Path) -> None:
    data = saved(kind, tmp_path, turn)
    before = open_photo(data, "x", 10**6)
    assert file_without(data, Strip.NOTHING) == data
    for strip in (Strip.LOCATION, Strip.METADATA):
        found = file_without(data, strip)
        assert not [secret for secret in SECRETS if secret in found]
        photo = open_photo(found, "x", 10**6)
        assert np.array_equal(photo.pixels, before.pixels)
        assert photo.embedded.icc == before.embedded.icc != b""
        assert exif.read(photo.embedded.exif).orientation == (
            turn if turn > 1 or strip == Strip.LOCATION else None
        )
        assert (b"Acme" in found) == (b"Feast" in found) == (strip is Strip.LOCATION)
        assert (b"a comment" in found) == (strip is Strip.LOCATION and kind != "webp")
        told = facts_of(photo.embedded)
        assert told["latitude"] is None
        assert told["title"] == ("Feast" if strip is Strip.LOCATION else None)
        assert file_without(found, strip) == found


def test_iptc_of_jpeg_stays_without_its_places(tmp_path: Path) -> None:
    photo = open_photo(file_without(saved("jpg", tmp_path, 1), Strip.LOCATION), "x", 10**6)
    assert iptc.read(photo.embedded.iptc).texts == {(2, 25): ["coast"]}


def test_scans_end_where_a_marker_begins() -> None:
    """Stuffed bytes, restarts and fill bytes are a scan's own."""
    scan = b"\xff\xda\x00\x04\0\0" + b"\x01\xff\x00\x02\xff\xd3\x03"
    app = b"\xff\xe4\x00\x08secret"
    data = b"\xff\xd8" + app + scan + b"\xff\xfe\x00\x05abc" + scan + b"\xff\xff\xd9" + b"behind"
    assert file_without(data, Strip.METADATA) == b"\xff\xd8" + scan + scan + b"\xff\xff\xd9"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"GIF89a", "JPEG, PNG and WebP files, but not of this one"),
        (b"\xff\xd8\xff\xe1", "damaged"),
        (b"\xff\xd8\xff\xe0\x00\x02x", "damaged"),
    ],
)
def test_what_cannot_be_done_is_said(data: bytes, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        file_without(data, Strip.LOCATION)


def test_a_packet_of_nothing_but_places_goes() -> None:
    only = replace(embedded(), xmp=embedded().xmp.replace(b"<dc:title>Feast</dc:title\n      >", b""))
    assert b"Bergen" in kept(only, 1, 1).xmp
    assert stripped(kept(only, 1, 1), Strip.LOCATION).xmp == b""


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def png_with_texts() -> bytes:
    """Places as programs write them into texts, a chunk of an application, and something behind the end."""
    texts = PngInfo()
    texts.add_text("Description", "a feast")
    texts.add_text("exif:GPSLatitude", "secret")  # ImageMagick
    texts.add_itxt("geo:lat", "secret")
    texts.add_text("GPSInfo", "secret", zip=True)
    texts.add_text("Location", "secret")
    texts.add_text("photoshop:City", "secret")
    file = io.BytesIO()
    Image.fromarray(pixels()).save(file, "PNG", pnginfo=texts)
    data, place = file.getvalue(), file.getvalue().index(b"IDAT") - 4
    return data[:place] + png_chunk(b"caBX", b"secret") + data[place:] + b"secret behind the end of it"


def webp_with_more() -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels()).save(file, "WEBP", lossless=True)
    data = file.getvalue() + b"C2PA" + (6).to_bytes(4, "little") + b"secret"
    return data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:] + b"XYZ " + bytes(4) + b"secret behind"


@pytest.mark.parametrize("strip", [Strip.LOCATION, Strip.METADATA])
@pytest.mark.parametrize("data", [png_with_texts(), webp_with_more()], ids=["PNG", "WEBP"])
def test_texts_of_places_and_what_applications_added_go(data: bytes, strip: Strip) -> None:
    out = file_without(data, strip)
    assert b"secret" in data
    assert b"secret" not in out
    assert b"GPS" not in out
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(out)).convert("RGB")), pixels())


def test_other_texts_stay_without_the_place() -> None:
    assert b"a feast" in file_without(png_with_texts(), Strip.LOCATION)
    assert b"a feast" not in file_without(png_with_texts(), Strip.METADATA)


def test_a_clip_is_no_webp_though_it_begins_as_one() -> None:
    with pytest.raises(UsageError, match="but not of this one"):
        file_without(b"RIFF\x20\0\0\0AVI LIST" + bytes(32), Strip.METADATA)
