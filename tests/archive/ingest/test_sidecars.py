"""Files beside a photo: which are its own, what is read of them, and what an ingest makes of that."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.archive.ingest.sidecars import MAX_BYTES, Folder, Sidecars

LONG = "a_name_that_somebody_gave_and_that_is_longer_than_google_allows"
CUT = LONG[:47]


@pytest.mark.parametrize(
    ("photo", "export"),
    [
        ("IMG_1.jpg", "IMG_1.jpg.json"),
        ("IMG_1.JPG", "img_1.jpg.JSON"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1(2).jpg", "IMG_1.jpg(2).json"),
        ("IMG_1(2).jpg", "IMG_1.jpg.supplemental-metadata(2).json"),
        ("IMG_1(2).jpg", "IMG_1(2).jpg.json"),
        ("IMG_1.jpg", "IMG_1.json"),
        ("20210605_123456789_HDR_somewhere.jpg", "20210605_123456789_HDR_somewhere.jpg.supplemen.json"),
        ("20210605_123456789_HDR_somewher(1).jpg", "20210605_123456789_HDR_somewher.jpg.supplement(1).json"),
        (f"{CUT}.jpg", f"{LONG[:46]}.json"),
        (f"{CUT[:46]}.jpg", f"{LONG[:46]}.json"),
        ("IMG_1-edited.jpg", "IMG_1.jpg.json"),
        ("IMG_1-edited(1).jpg", "IMG_1.jpg(1).json"),
        ("IMG_1(1)-edited.jpg", "IMG_1.jpg(1).json"),
        ("\u00dcber.jpg", "U\u0308ber.jpg.json"),  # one accent, written in two ways
        ("IMG_1-bearbeitet.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1-modifié.jpg", "IMG_1.jpg.json"),
        ("IMG_1-編集済み.jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-meta.json"),  # cut sooner than it had to be
        ("IMG_1(1).jpg", "IMG_1.jpg.sup(1).json"),
        ("IMG_1-edited.jpg", "IMG_1.HEIC.json"),
        ("IMG_1-edited(1).jpg", "IMG_1.HEIC.supplemental-metadata(1).json"),
        ("IMG_1.MP4", "IMG_1.HEIC.supplemental-metadata.json"),  # the clip of a Live Photo
        ("IMG_1.MOV", "IMG_1.MOV.json"),
        (
            "a_name_that_is_just_too_long_to_be_edited_x-edi.jpg",
            "a_name_that_is_just_too_long_to_be_edited_x.jp.json",
        ),
    ],
)
def test_exports_by_name(photo: str, export: str) -> None:
    assert len(export) <= 54
    assert Folder([photo, export, "other.jpg.json", "IMG_9.jpg.json"]).export(photo) == export


@pytest.mark.parametrize(
    ("photo", "export"),
    [
        ("IMG_1.jpg", "IMG_10.jpg.json"),
        ("IMG_1.jpg", "IMG_1.png.json"),
        ("IMG_1.jpg", "IMG_1.jpg(1).json"),
        ("IMG_1(1).jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.subtitles.json"),
        ("IMG_1.jpg", "IMG_1.heic.json"),
        ("IMG_1.mp4", "IMG_10.heic.json"),
        ("IMG_1-edi.jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.xmp"),
    ],
)
def test_exports_of_others(photo: str, export: str) -> None:
    assert Folder([photo, export]).export(photo) is None


def test_an_edited_copy_takes_its_own_if_it_has_one() -> None:
    folder = Folder(["IMG_1.jpg.json", "IMG_1-edited.jpg.json"])
    assert folder.export("IMG_1-edited.jpg") == "IMG_1-edited.jpg.json"


def test_packets_by_name() -> None:
    folder = Folder(["IMG_1.jpg", "img_1.XMP", "IMG_1.jpg.xmp", "IMG_2.xmp", "IMG_1.jpg.json"])
    assert folder.packets("IMG_1.jpg") == ("IMG_1.jpg.xmp", "img_1.XMP")
    assert folder.packets("IMG_1.png") == ("img_1.XMP",)
    assert folder.packets("IMG_3.jpg") == ()


def packet(properties: str) -> str:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"{properties}</rdf:Description></rdf:RDF></x:xmpmeta>"
    )


def test_what_is_read(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    (tmp_path / "a.xmp").write_text(packet("<xmp:Rating>3</xmp:Rating>"))
    (tmp_path / "a.jpg.json").write_text('{"title": "a.jpg", "description": "told"}')
    found = Sidecars().of(photo)
    assert found.paths == (str(tmp_path / "a.xmp"), str(tmp_path / "a.jpg.json"))
    assert found.notes == ()
    assert [dict(each.texts) for each in found.beside.packets] == [{"xmp:Rating": ["3"]}]
    assert found.beside.exports[0]["description"] == "told"
    assert Sidecars().of(tmp_path / "missing" / "a.jpg").paths == ()


def test_a_packet_may_say_for_which_file_it_is(tmp_path: Path) -> None:
    text = packet("<photoshop:SidecarForExtension>CR2</photoshop:SidecarForExtension>")
    (tmp_path / "a.xmp").write_text(text)
    assert Sidecars().of(tmp_path / "a.jpg").paths == ()
    assert Sidecars().of(tmp_path / "a.cr2").paths == (str(tmp_path / "a.xmp"),)


@pytest.mark.parametrize(
    ("name", "content", "note", "used"),
    [
        ("a.xmp", packet("<xmp:Rating>3</xmp:Rating>")[:-20], "is damaged; what stands before", True),
        ("a.xmp", " " * (MAX_BYTES + 1), "has more than 1048576 bytes", False),
        ("a.jpg.json", "{", "is damaged and left out", False),
        ("a.jpg.json", "[" * (MAX_BYTES + 1), "has more than 1048576 bytes", False),
    ],
)
def test_damage_is_noted(tmp_path: Path, name: str, content: str, note: str, used: bool) -> None:
    (tmp_path / name).write_text(content)
    found = Sidecars().of(tmp_path / "a.jpg")
    assert [each.startswith(f"{tmp_path / name}: {note}") for each in found.notes] == [True]
    assert (found.paths == (str(tmp_path / name),)) == used


def test_json_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"shapes": []}')
    assert Sidecars().of(tmp_path / "a.jpg").paths == Sidecars().of(tmp_path / "a.jpg").notes == ()


def test_what_is_no_regular_file_never_stops_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.xmp")
    (tmp_path / "a.jpg.xmp").mkdir()
    found = Sidecars().of(tmp_path / "a.jpg")
    assert found.paths == ()
    assert len(found.notes) == 2


def test_an_ingest_reads_them(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number, name in enumerate(("a.jpg", "b.jpg", "b-edited.jpg", "IMG-20210605-WA0001.jpg")):
        Image.new("RGB", (24, 16), (60 * number, 90, 160)).save(photos / name)
    (photos / "a.xmp").write_text(packet("<xmp:Rating>4</xmp:Rating><dc:title>Feast</dc:title>"))
    (photos / "b.jpg.json").write_text('{"title": "b.jpg", "photoTakenTime": {"timestamp": "1622903415"}}')
    (photos / "IMG-20210605-WA0001.jpg.json").write_text("{")
    with Archive(tmp_path / "archive") as archive:
        report = archive.ingest([photos], keep="reference")
        assert (report.added, report.sidecars) == (4, 2)
        assert report.notes == [f"{photos}/IMG-20210605-WA0001.jpg.json: is damaged and left out"]
        told = {
            Path(p.path).name: (p.rating, p.title, p.taken_at, p.taken_from)
            for p in map(archive.photo, range(1, 5))
        }
    exported = (None, None, datetime(2021, 6, 5, 14, 30, 15), "JSON file beside it")
    assert told == {
        "a.jpg": (4.0, "Feast", None, None),
        "b.jpg": exported,
        "b-edited.jpg": exported,
        "IMG-20210605-WA0001.jpg": (None, None, datetime(2021, 6, 5), "file name"),
    }
