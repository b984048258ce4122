"""What metadata mean: right values of files that went wrong once, and of every source and kind of fact."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from dsslic_search.codec.picture import exif, iptc, takeout, xmp
from dsslic_search.codec.picture.exif import Value
from dsslic_search.codec.picture.facts import ALONE, NO_FACTS, Beside, facts_of, kept, turn_of
from dsslic_search.codec.picture.open import open_photo
from dsslic_search.codec.picture.raster import Embedded
from dsslic_search.codec.picture.save import save_picture
from dsslic_search.core.fact import EXIF_IFD, GPS_IFD, IFD0

CASES = Path(__file__).parents[2] / "data" / "metadata"
TAKEN = datetime(2021, 6, 5, 14, 30, 15)


def told(embedded: Embedded, name: str = "", beside: Beside = ALONE) -> dict[str, Any]:
    """The facts that are known."""
    return {column: value for column, value in facts_of(embedded, name, beside).items() if value is not None}


def exif_with(
    gps: dict[str, Any] | None = None, shot: dict[str, Any] | None = None, **main: object
) -> Embedded:
    made = Image.Exif()
    for name, value in main.items():
        made[ExifTags.Base[name]] = value
    made.get_ifd(ExifTags.IFD.Exif).update({ExifTags.Base[k]: v for k, v in (shot or {}).items()})
    made.get_ifd(ExifTags.IFD.GPSInfo).update({ExifTags.GPS[k]: v for k, v in (gps or {}).items()})
    return Embedded(exif=made.tobytes())


def packet(properties: str) -> bytes:
    return f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
      xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
      xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
      xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
      xmlns:lr="http://ns.adobe.com/lightroom/1.0/" xmlns:digiKam="http://www.digikam.org/ns/1.0/"
      ><rdf:Description rdf:about="">{properties}</rdf:Description></rdf:RDF></x:xmpmeta>""".encode()


def bag(name: str, *words: str) -> str:
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in words)
    return f"<{name}><rdf:Bag>{items}</rdf:Bag></{name}>"


def records(*datasets: tuple[int, str]) -> bytes:
    return b"".join(
        bytes((0x1C, 2, number)) + len(text.encode()).to_bytes(2, "big") + text.encode()
        for number, text in datasets
    )


RIGHT = {
    "c_utf8.jpg": {
        "taken_at": datetime(2022, 1, 1),
        "taken_from": "EXIF DateTimeOriginal",
        "camera": "小米 小米手机 13",
    },
    "d_ifd0_only.jpg": {"taken_at": datetime(2018, 7, 8, 9, 10, 11), "taken_from": "EXIF DateTime"},
    "d_nosec.jpg": {
        "taken_at": datetime(2021, 6, 5, 14, 30),
        "taken_from": "EXIF DateTimeOriginal",
        "camera": "ACME X1",
    },
    "g_one.jpg": {
        "taken_at": datetime(2022, 1, 1),
        "taken_from": "EXIF DateTimeOriginal",
        "latitude": 48.858333,
        "longitude": 2.35,
    },
    "meta_utf8.jpg": {
        "taken_at": TAKEN,
        "taken_from": "EXIF DateTimeOriginal",
        "camera": "小米 Modèle 1",
        "rating": 4.0,
        "keywords": "Küste\ncoast",
        "title": "Überschrift",
        "description": "海と空",
    },
    "x_date.jpg": {"taken_at": datetime(2015, 3, 4, 5, 6, 7), "taken_from": "XMP photoshop:DateCreated"},
    "xres_str.jpg": {"taken_at": TAKEN, "taken_from": "EXIF DateTimeOriginal", "camera": "ACME X1"},
}


@pytest.mark.parametrize("name", RIGHT)
def test_files_that_went_wrong_once(name: str, tmp_path: Path) -> None:
    photo = open_photo((CASES / name).read_bytes(), name, 10**6)
    assert told(photo.embedded) == RIGHT[name]
    assert told(photo.kept) == RIGHT[name]
    for suffix in (".jpg", ".png", ".webp"):  # and with a decoded picture
        save_picture(photo.pixels, tmp_path / f"a{suffix}", beside=photo.kept)
        again = open_photo((tmp_path / f"a{suffix}").read_bytes(), name, 10**6)
        without = photo.kept if suffix != ".webp" else replace(photo.kept, iptc=b"")
        assert told(again.embedded) == told(without)
        assert again.kept == without


def test_texts_of_other_readers() -> None:
    """Other programs find the same bytes in what is kept."""
    photo = open_photo((CASES / "meta_utf8.jpg").read_bytes(), "x", 10**6)
    main = exif.read(photo.kept.exif).directories[IFD0]
    assert main[0x013B].data == "Atelier Möwe\0".encode()
    assert main[0x8298].data == "© Möwe 2021\0".encode()
    assert b"K\xc3\xbcste" in photo.kept.xmp
    assert photo.kept.iptc == b"\x1c\x02\x19\x00\x05coast\x1c\x02\x00\x00\x02\x00\x04"


def test_nothing_is_nothing() -> None:
    assert told(Embedded()) == told(Embedded(b"x", b"x", b"x", b"x")) == {}
    assert kept(Embedded(icc=b"profile"), 1, 1) == Embedded()
    assert set(facts_of(Embedded())) == set(NO_FACTS)


# Dates


DATES: dict[str, Embedded | Beside | str] = {
    "XMP file beside it": Beside((xmp.read(packet("<exif:DateTimeOriginal>2001</exif:DateTimeOriginal>")),)),
    "EXIF DateTimeOriginal": exif_with(shot={"DateTimeOriginal": "2002"}),
    "EXIF DateTimeDigitized": exif_with(shot={"DateTimeDigitized": "2003"}),
    "XMP photoshop:DateCreated": Embedded(
        xmp=packet(
            "<photoshop:DateCreated>2004</photoshop:DateCreated><exif:DateTimeOriginal>2005"
            "</exif:DateTimeOriginal><xmp:CreateDate>2006</xmp:CreateDate>"
        )
    ),
    "IPTC DateCreated": Embedded(iptc=records((55, "20070102"), (60, "101112+0100"))),
    "EXIF DateTime": exif_with(DateTime="2008:01:02 03:04:05"),
    "file name": "IMG-20090102-WA0001.jpg",
    "JSON file beside it": Beside(exports=(NO_FACTS | {"taken_at": datetime(2010, 1, 2)},)),
}


@pytest.mark.parametrize("first", range(len(DATES)))
def test_the_best_date_is_taken_and_said(first: int) -> None:
    """Each source where all better ones are missing."""
    exifs: list[Embedded] = []
    packets, name, beside = b"", "", ALONE
    found = b""
    for source in list(DATES.values())[first:]:
        match source:
            case Embedded(exif=data, xmp=said, iptc=dated):
                exifs += [source] if data else []
                packets, found = packets or said, found or dated
            case Beside(wanted, exports):
                beside = Beside(beside.packets or wanted, beside.exports or exports)
            case str():
                name = source
    joined: dict[int, dict[int, Value]] = {}
    for each in exifs:
        for directory, tags in exif.read(each.exif).directories.items():
            joined.setdefault(directory, {}).update(tags)
    facts = told(Embedded(exif.write(joined), packets, found), name, beside)
    assert facts["taken_from"] == list(DATES)[first]
    assert facts["taken_at"].year == (2001, 2002, 2003, 2004, 2007, 2008, 2009, 2010)[first]


def test_a_date_that_cannot_be_leaves_the_next() -> None:
    broken = exif_with(shot={"DateTimeOriginal": "0000:00:00 00:00:00", "DateTimeDigitized": "2003:01:01"})
    assert told(broken)["taken_from"] == "EXIF DateTimeDigitized"
    assert told(Embedded(iptc=records((55, "20070102"), (60, "999999"))))["taken_at"] == datetime(2007, 1, 2)
    assert told(Embedded(iptc=records((55, "20070102"), (60, "101112"))))["taken_at"] == datetime(
        2007, 1, 2, 10, 11, 12
    )
    assert told(Embedded(), "/a/b.jpg") == {}


# Cameras and lenses


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("NIKON CORPORATION", "NIKON D90", "NIKON D90"),
        ("Google", "Pixel 7", "Google Pixel 7"),
        ("Apple\0\0", "iPhone 12 \0", "Apple iPhone 12"),
        ("", "X100", "X100"),
        ("Acme", "", "Acme"),
        ("  ", "\0", None),
        ("Ac\x1bme", "A\n1", "Ac me A 1"),
    ],
)
def test_camera_names(make: str, model: str, camera: str | None) -> None:
    assert facts_of(exif_with(Make=make, Model=model))["camera"] == camera
    said = packet("<tiff:Make>NIKON CORPORATION</tiff:Make><tiff:Model>NIKON D90</tiff:Model>")
    assert told(Embedded(xmp=said)) == {"camera": "NIKON D90"}


@pytest.mark.parametrize(
    ("shot", "lens"),
    [
        ({"LensModel": "SIGMA 35mm F1.4 DG HSM | Art 012"}, "SIGMA 35mm F1.4 DG HSM | Art 012"),
        ({"LensModel": " EF50mm\tf/1.8 STM\0 \0"}, "EF50mm f/1.8 STM"),
        ({"LensModel": "x" * 500}, "x" * 120),
        ({"LensModel": ""}, None),
        ({"LensModel": "\0\0"}, None),
        ({"LensMake": "SIGMA"}, None),
        ({"LensSpecification": (24.0, 70.0, 2.8, 2.8)}, None),
        ({}, None),
    ],
)
def test_lenses_are_those_that_are_named(shot: dict[str, Any], lens: str | None) -> None:
    assert facts_of(exif_with(shot=shot, Make="Acme"))["lens"] == lens


def test_what_is_no_text_is_no_lens() -> None:
    for value in (Value(3, b"\x07\0"), Value(5, bytes(8)), Value(7, bytes(5)), Value(1, b"\0SIGMA")):
        assert facts_of(Embedded(exif=exif.write({EXIF_IFD: {0xA434: value}})))["lens"] is None


# Numbers


def short(value: int) -> Value:
    return Value(3, struct.pack("<H", value))


def ratio(above: int, below: int) -> Value:
    return Value(5, struct.pack("<2I", above, below))


@pytest.mark.parametrize(
    ("tags", "facts"),
    [
        ({0x8827: short(400)}, {"iso": 400}),
        ({0x8827: short(65535), 0x8832: Value(4, struct.pack("<I", 102400))}, {"iso": 102400}),
        ({0x8827: short(0)}, {}),
        ({0x920A: ratio(50, 1)}, {"focal_length": 50.0}),
        ({0x920A: ratio(4250, 1000)}, {"focal_length": 4.25}),
        ({0x920A: ratio(0, 1)}, {}),
        ({0x829A: ratio(1, 250)}, {"exposure": 0.004}),
        ({0x829A: ratio(10, 2500)}, {"exposure": 0.004}),
        ({0x829A: ratio(1, 60)}, {"exposure": 0.0166667}),
        ({0x829A: ratio(30, 1)}, {"exposure": 30.0}),
        ({0x829A: ratio(1, 0)}, {}),
        ({0x829D: ratio(28, 10)}, {"f_number": 2.8}),
        ({0x829D: Value(2, b"f/2.8\0")}, {}),
        ({0x829D: Value(2, b"2.8\0")}, {"f_number": 2.8}),
    ],
)
def test_exposure(tags: dict[int, Value], facts: dict[str, float]) -> None:
    assert told(Embedded(exif=exif.write({EXIF_IFD: tags}))) == facts


def test_exposure_by_xmp() -> None:
    said = packet(
        "<exif:ExposureTime>1/250</exif:ExposureTime><exif:FNumber>28/10</exif:FNumber><exif:FocalLength>50/1"
        "</exif:FocalLength><exif:ISOSpeedRatings><rdf:Seq><rdf:li>400</rdf:li></rdf:Seq></exif:ISOSpeedRatings>"
        "<aux:Lens>EF50mm</aux:Lens>"
    )
    facts = {"exposure": 0.004, "f_number": 2.8, "focal_length": 50.0, "iso": 400, "lens": "EF50mm"}
    assert told(Embedded(xmp=said)) == facts
    assert told(Embedded(xmp=packet("<exif:ExposureTime>1/0</exif:ExposureTime>"))) == {}


@pytest.mark.parametrize(
    ("said", "rating"), [("4", 4.0), ("4.5", 4.5), ("0", None), ("-1", None), ("99", None), ("good", None)]
)
def test_ratings(said: str, rating: float | None) -> None:
    assert facts_of(Embedded(xmp=packet(f"<xmp:Rating>{said}</xmp:Rating>")))["rating"] == rating
    by_windows = exif.write({IFD0: {0x4746: short(3)}})
    found = facts_of(Embedded(exif=by_windows, xmp=packet(f"<xmp:Rating>{said}</xmp:Rating>")))
    assert found["rating"] == (rating or 3.0)


# Words


def test_keywords_are_all_there_are_each_once() -> None:
    windows = {0x9C9E: Value(1, "sea;Fähre; ;coast\0".encode("utf-16-le"))}
    said = packet(
        bag("dc:subject", "Coast", " big  sea ")
        + bag("lr:hierarchicalSubject", "Places|Norway|Bergen", "coast")
        + bag("digiKam:TagsList", "People/Anna", "coast")
    )
    found = told(Embedded(exif.write({IFD0: windows}), said, records((25, "coast"), (25, "a;b"))))
    assert found == {"keywords": "Coast\nbig sea\nBergen\nAnna\na;b\nsea\nFähre"}


def test_titles_and_descriptions() -> None:
    main = {
        0x9C9B: Value(1, "Titel\0".encode("utf-16-le")),
        0x9C9C: Value(1, "Comment\0".encode("utf-16-le")),
        0x010E: Value(2, b" Caf\xe9\nby  the sea\0"),
    }
    mine = Embedded(exif=exif.write({IFD0: main}))
    assert told(mine) == {"title": "Titel", "description": "Café by the sea"}
    by_iptc = replace(mine, iptc=records((5, "Headline"), (120, "Caption")))
    assert told(by_iptc) == {"title": "Headline", "description": "Caption"}
    by_xmp = replace(by_iptc, xmp=packet("<dc:title>A</dc:title><dc:description>B</dc:description>"))
    assert told(by_xmp) == {"title": "A", "description": "B"}
    long = told(Embedded(xmp=packet(f"<dc:description>{'x' * 9000}</dc:description>")))
    assert long == {"description": "x" * 4000}


@pytest.mark.parametrize(
    "said",
    ["OLYMPUS DIGITAL CAMERA    ", "SONY DSC", "DCIM\\100MEDIA\\DJI_0001.JPG", "Exif_JPEG_PICTURE"],
)
def test_what_cameras_write_into_every_photo_is_no_description(said: str) -> None:
    assert told(Embedded(exif=exif.write({IFD0: {0x010E: Value(2, said.encode())}}))) == {}
    assert told(Embedded(xmp=packet(f"<dc:description>{said}</dc:description>"))) == {}
    more = f"{said.strip()} on a table"
    assert told(Embedded(xmp=packet(f"<dc:description>{more}</dc:description>"))) == {"description": more}


@pytest.mark.parametrize("kind", [1, 7])
def test_hemispheres_may_be_bytes_of_another_kind(kind: int) -> None:
    angles = Value(5, struct.pack("<6I", 33, 1, 30, 1, 0, 1))
    tags = {1: Value(kind, b"S\0"), 2: angles, 3: Value(kind, b"W"), 4: angles}
    facts = facts_of(Embedded(exif=exif.write({GPS_IFD: tags})))
    assert (facts["latitude"], facts["longitude"]) == (-33.5, -33.5)


# Places


NORTH = {
    "GPSLatitudeRef": "N",
    "GPSLatitude": (10.0, 0.0, 0.0),
    "GPSLongitudeRef": "W",
    "GPSLongitude": (20.0, 30.0, 0.0),
}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({}, (10.0, -20.5)),
        ({"GPSLatitudeRef": "s "}, (-10.0, -20.5)),
        ({"GPSLatitudeRef": "X"}, (None, None)),
        ({"GPSLatitude": (91.0, 0.0, 0.0)}, (None, None)),
        ({"GPSLatitude": (10.0, 30.0)}, (10.5, -20.5)),
        ({"GPSLatitude": (10.25,)}, (10.25, -20.5)),
        ({"GPSLatitude": ()}, (None, None)),
        ({"GPSLatitude": (0.0, 0.0, 0.0), "GPSLongitude": (0.0, 0.0, 0.0)}, (0.0, 0.0)),
    ],
)
def test_places(change: dict[str, Any], place: tuple[float | None, float | None]) -> None:
    facts = facts_of(exif_with(NORTH | change))
    assert (facts["latitude"], facts["longitude"]) == place


@pytest.mark.parametrize(
    ("angles", "latitude"), [("0/0 0/0 0/0", None), ("0/0 30/1 0/1", None), ("10/1 30/1 0/0", 10.5)]
)
def test_places_without_denominators(angles: str, latitude: float | None) -> None:
    parts = [int(part) for angle in angles.split() for part in angle.split("/")]
    tags = exif.read(exif_with(NORTH).exif).directories[GPS_IFD]
    order = tags[2].order
    odd = {**tags, 2: Value(5, struct.pack(f"{order}6I", *parts), order)}
    assert facts_of(Embedded(exif=exif.write({GPS_IFD: odd})))["latitude"] == latitude


@pytest.mark.parametrize(
    ("latitude", "longitude", "place"),
    [
        ("48,51.5N", "2,21E", (48 + 51.5 / 60, 2.35)),
        ("48,51,30N", "2,21,0W", (48 + 51.5 / 60, -2.35)),
        ("48.858333", "-2.35", (48.858333, -2.35)),
        ("48.858333S", "2.35 e", (-48.858333, 2.35)),
        ("95,0N", "2,21E", None),
        ("N", "E", None),
        ("48,51.5X", "2,21E", None),
    ],
)
def test_places_by_xmp(latitude: str, longitude: str, place: tuple[float, float] | None) -> None:
    said = packet(
        f"<exif:GPSLatitude>{latitude}</exif:GPSLatitude><exif:GPSLongitude>{longitude}</exif:GPSLongitude>"
    )
    facts = told(Embedded(xmp=said))
    assert facts == ({} if place is None else {"latitude": pytest.approx(place[0]), "longitude": place[1]})


# Files beside


def test_an_xmp_file_beside_goes_first_and_an_export_fills_gaps() -> None:
    own = Embedded(
        xmp=packet(bag("dc:subject", "old") + "<xmp:Rating>2</xmp:Rating><dc:title>Own</dc:title>")
    )
    packets = (xmp.read(packet(bag("dc:subject", "new") + "<xmp:Rating>5</xmp:Rating>")),)
    export = {"title": "never", "description": "told", "latitude": 1.0, "longitude": None, "people": "Anna"}
    assert told(own, "", Beside(packets, (export,))) == {
        "keywords": "new",
        "rating": 5.0,
        "title": "Own",
        "description": "told",
        "people": "Anna",
    }


def test_exports_of_google() -> None:
    told_by = takeout.read(
        b"""{"title": "IMG_1.jpg", "description": "A  birthday",
        "photoTakenTime": {"timestamp": "1622903415"},
        "geoDataExif": {"latitude": 1.0, "longitude": 1.0}, "geoData": {"latitude": 48.5, "longitude": -2.25},
        "people": [{"name": "Anna"}, {"name": "Ben"}, {}]}"""
    )
    assert told_by == {
        "taken_at": TAKEN,
        "latitude": 48.5,
        "longitude": -2.25,
        "description": "A birthday",
        "people": "Anna\nBen",
    }
    by_exif = takeout.read(
        b"""{"title": "a", "geoData": {"latitude": 0, "longitude": 0.0},
        "geoDataExif": {"latitude": 1.5, "longitude": 0}}"""
    )
    assert by_exif is not None
    assert (by_exif["latitude"], by_exif["longitude"]) == (1.5, 0.0)
    nothing = takeout.read(
        b'{"title": "a", "photoTakenTime": {"timestamp": "x"}, "people": 3, "geoData": []}'
    )
    assert nothing is not None
    assert set(nothing.values()) == {None}
    for other in (b"[]", b"{}", b'{"title": 1}'):
        assert takeout.read(other) is None
    for damaged in (b"", b"{", b"\xff", b"[" * 100_000):
        with pytest.raises(ValueError, match=r".*"):
            takeout.read(damaged)


# What is kept


def test_what_is_kept_of_an_upright_photo() -> None:
    shot = {
        "DateTimeOriginal": "2019:07:14 21:05:59",
        "MakerNote": b"secret" * 9,
        "ExifImageWidth": 9999,
        "ExifImageHeight": 1,
    }
    found = exif_with(NORTH, shot, Make="Canon", Model="Canon EOS 5D", Orientation=6)
    assert turn_of(found) == 6
    beside = kept(replace(found, icc=b"profile"), 24, 36)
    assert turn_of(beside) == 1
    assert beside.icc == b""
    assert b"secret" not in beside.exif
    other = Image.Exif()
    other.load(beside.exif)
    inner = other.get_ifd(ExifTags.IFD.Exif)
    assert (inner[ExifTags.Base.ExifImageWidth], inner[ExifTags.Base.ExifImageHeight]) == (24, 36)
    assert other.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"
    assert told(beside) == told(found)
    assert kept(beside, 24, 36) == beside


def test_orientations_by_xmp_turn_nothing() -> None:
    said = packet("<tiff:Orientation>6</tiff:Orientation><dc:title>A</dc:title>")
    assert turn_of(Embedded(xmp=said)) is None
    assert b"Orientation" not in kept(Embedded(xmp=said), 1, 1).xmp


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_as_much_as_is_kept_fits_every_format(suffix: str, tmp_path: Path) -> None:
    text = "x" * 200_000
    much = Embedded(
        exif.write({IFD0: {0x010E: Value(2, b"x" * 60_000)}, EXIF_IFD: {0x9286: Value(7, b"y" * 5_200)}}),
        packet(f"<dc:title>{text[: 65_000 - len(packet('')) - 30]}</dc:title>"),
        records(*[(120, "z" * 30_000)] * 2),
    )
    beside = kept(much, 3, 2)
    assert min(len(beside.exif), len(beside.xmp), len(beside.iptc)) > 60_000
    save_picture(np.zeros((2, 3, 3), np.uint8), tmp_path / f"a{suffix}", beside=beside)
    again = open_photo((tmp_path / f"a{suffix}").read_bytes(), "x", 10**6)
    assert again.kept == (replace(beside, iptc=b"") if suffix == ".webp" else beside)
    assert GPS_IFD not in exif.read(again.kept.exif).directories
    assert iptc.read(again.kept.iptc).texts == ({} if suffix == ".webp" else {(2, 120): ["z" * 30_000] * 2})
