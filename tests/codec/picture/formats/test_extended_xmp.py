"""XMP of JPEG files that goes on in other segments."""

from __future__ import annotations

import hashlib
import io
import struct

import pytest
from PIL import Image

from dsslic_search.codec.picture import xmp
from dsslic_search.codec.picture.facts import facts_of, kept
from dsslic_search.codec.picture.open import open_photo
from dsslic_search.codec.picture.raster import Embedded
from dsslic_search.codec.picture.stripping import Strip, file_without, stripped

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC = "http://purl.org/dc/elements/1.1/"
PART_BYTES = 65_000


def packet(spaces: str, said: str) -> bytes:
    return (
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"{spaces}>'
        f'<rdf:Description rdf:about=""{said}</rdf:Description></rdf:RDF></x:xmpmeta>'
    ).encode()


EXTENSION = packet(
    f' xmlns:dc="{DC}" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"',
    "><dc:subject><rdf:Bag><rdf:li>beach</rdf:li></rdf:Bag></dc:subject><photoshop:City>Bergen</photoshop:City>"
    f"<dc:source>{'y' * 150_000}</dc:source>",
)
DIGEST = hashlib.md5(EXTENSION).hexdigest().upper().encode()


def segment(body: bytes) -> bytes:
    return b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body


def parts(whole: bytes = EXTENSION, digest: bytes = DIGEST) -> list[bytes]:
    return [
        segment(
            b"http://ns.adobe.com/xmp/extension/\0"
            + digest
            + struct.pack(">II", len(whole), place)
            + whole[place : place + PART_BYTES]
        )
        for place in range(0, len(whole), PART_BYTES)
    ]


def photo(extension: list[bytes], digest: bytes = DIGEST) -> bytes:
    main = packet(
        f' xmlns:dc="{DC}"',
        f' xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{digest.decode()}">'
        "<dc:title>Feast</dc:title>",
    )
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 100, 50)).save(file, "JPEG")
    start = segment(b"http://ns.adobe.com/xap/1.0/\0" + main)
    return file.getvalue()[:2] + start + b"".join(extension) + file.getvalue()[2:]


def said(data: bytes) -> dict[str, list[str]]:
    texts = xmp.read(open_photo(data, "x", 1000).embedded.xmp).texts
    return {name: list(texts[name]) for name in ("dc:title", "dc:subject") if name in texts}


BOTH = {"dc:title": ["Feast"], "dc:subject": ["beach"]}
ALONE = {"dc:title": ["Feast"]}


def test_what_does_not_fit_into_one_segment_is_read_whatever_its_order() -> None:
    assert len(parts()) == 3
    assert said(photo(parts())) == BOTH
    assert said(photo(parts()[::-1])) == BOTH
    assert said(photo([*parts()[:1], *parts()])) == BOTH


def test_lower_case_digests_count() -> None:
    assert said(photo(parts(), DIGEST.lower())) == BOTH


@pytest.mark.parametrize(
    "extension",
    [
        [],
        parts()[:-1],
        parts()[1:],
        parts(digest=b"F" * 32),
        parts(EXTENSION.replace(b"beach", b"coast")),
        [segment(b"http://ns.adobe.com/xmp/extension/\0" + DIGEST[:9])],
    ],
    ids=["none", "without its last", "without its first", "of another", "changed", "cut"],
)
def test_what_is_not_whole_or_of_another_packet_is_left_out(extension: list[bytes]) -> None:
    assert said(photo(extension)) == ALONE


def test_a_damaged_extension_costs_the_packet_nothing() -> None:
    damaged = EXTENSION.replace(b"</dc:subject>", b"</dc:subjekt>")
    digest = hashlib.md5(damaged).hexdigest().upper().encode()
    assert said(photo(parts(damaged, digest), digest)) == ALONE


def test_keywords_are_found_and_kept_and_what_is_too_large_is_not() -> None:
    embedded = open_photo(photo(parts()), "x", 1000).embedded
    assert facts_of(embedded)["keywords"] == "beach"
    stays = kept(embedded, 8, 8)
    assert xmp.read(stays.xmp).texts["dc:subject"] == ["beach"]
    assert "dc:source" not in xmp.read(stays.xmp).texts


def test_places_in_the_extension_go_too() -> None:
    embedded = open_photo(photo(parts()), "x", 1000).embedded
    assert b"Bergen" in embedded.xmp
    assert b"Bergen" not in stripped(kept(embedded, 8, 8), Strip.LOCATION).xmp
    assert b"Bergen" not in file_without(photo(parts()), Strip.LOCATION)
    assert stripped(kept(embedded, 8, 8), Strip.METADATA) == Embedded()
