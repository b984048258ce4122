"""XMP packets: what they say, in every way that RDF has of writing it, and what is kept of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec.picture import xmp
from dsslic_search.codec.picture.place_words import PlaceWords

NAMES = """xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
  xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
  xmlns:m="http://www.metadataworkinggroup.com/schemas/regions/" xmlns:MP="http://ns.microsoft.com/photo/1.2/"
  xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#" xmlns:mm="http://ns.adobe.com/xap/1.0/mm/"
  xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#" xmlns:drone="http://www.dji.com/drone-dji/1.0/"
  xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:w3="http://www.w3.org/2003/01/geo/wgs84_pos#"
  xmlns:terms="http://purl.org/dc/terms/" xmlns:dm="http://ns.adobe.com/xmp/1.0/DynamicMedia/\""""


def packet(properties: str, attributes: str = "") -> bytes:
    text = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/" '
        f'x:xmptk="test"><rdf:RDF {NAMES}>\n <rdf:Description rdf:about="" {attributes}>\n  {properties}\n'
        " </rdf:Description>\n</rdf:RDF></x:xmpmeta>\n" + " " * 2000 + '<?xpacket end="w"?>'
    )
    return text.encode()


ALT = (
    '<dc:title><rdf:Alt><rdf:li xml:lang="de">Fest</rdf:li>'
    '<rdf:li xml:lang="x-default">Feast &gt; all</rdf:li></rdf:Alt></dc:title>'
)
BAG = "<dc:subject><rdf:Bag><rdf:li>Küste</rdf:li><rdf:li> Meer </rdf:li><rdf:li/></rdf:Bag></dc:subject>"


@pytest.mark.parametrize(
    ("properties", "attributes", "texts"),
    [
        ("<xmp:Rating>4</xmp:Rating>", "", {"xmp:Rating": ["4"]}),
        ("", 'xmp:Rating="4"', {"xmp:Rating": ["4"]}),
        (ALT, "", {"dc:title": ["Feast > all"]}),
        (
            '<dc:title><rdf:Alt><rdf:li xml:lang="de">Fest</rdf:li></rdf:Alt></dc:title>',
            "",
            {"dc:title": ["Fest"]},
        ),
        ("<dc:title>Feast</dc:title>", "", {"dc:title": ["Feast"]}),
        (BAG, "", {"dc:subject": ["Küste", "Meer"]}),
        (BAG.replace("Bag", "Seq"), "", {"dc:subject": ["Küste", "Meer"]}),
        (
            '<dc:title rdf:parseType="Resource"><rdf:value>Feast</rdf:value></dc:title>',
            "",
            {"dc:title": ["Feast"]},
        ),
        (
            '<t:Make xmlns:t="http://ns.adobe.com/tiff/1.0/">Acme</t:Make>',
            "",
            {"tiff:Make": ["Acme"]},
        ),
        ("", "", {}),
    ],
)
def test_ways_to_say_it(properties: str, attributes: str, texts: dict[str, list[str]]) -> None:
    assert xmp.read(packet(properties, attributes)).texts == texts


REGIONS = """<m:Regions rdf:parseType="Resource"><m:AppliedToDimensions/><m:RegionList><rdf:Bag>
 <rdf:li><rdf:Description m:Name="Anna" m:Type="Face"><m:Area x="1"/></rdf:Description></rdf:li>
 <rdf:li rdf:parseType="Resource"><m:Name>Rex</m:Name><m:Type>Pet</m:Type></rdf:li>
 <rdf:li rdf:parseType="Resource"><m:Type>Face</m:Type><m:Name>Ben</m:Name></rdf:li>
 <rdf:li rdf:parseType="Resource"><m:Type>Face</m:Type></rdf:li>
 <rdf:li rdf:parseType="Resource"><m:Name>Anna</m:Name></rdf:li></rdf:Bag></m:RegionList></m:Regions>"""
MICROSOFT = """<MP:RegionInfo><rdf:Description><MPRI:Regions><rdf:Bag>
 <rdf:li MPReg:Rectangle="0, 0, 1, 1" MPReg:PersonDisplayName="Cleo"/><rdf:li><rdf:Description>
 <MPReg:PersonDisplayName>Dai</MPReg:PersonDisplayName></rdf:Description></rdf:li><rdf:li
 MPReg:Rectangle="0"/> </rdf:Bag></MPRI:Regions></rdf:Description></MP:RegionInfo>"""


def test_people_are_the_faces_that_have_a_name() -> None:
    assert xmp.read(packet(REGIONS + MICROSOFT)).texts == {"people": ["Anna", "Ben", "Cleo", "Dai"]}
    shown = "<ext:PersonInImage><rdf:Bag><rdf:li>Eve</rdf:li></rdf:Bag></ext:PersonInImage>"
    assert xmp.read(packet(shown)).texts == {"Iptc4xmpExt:PersonInImage": ["Eve"]}
    region = (
        f"<ext:ImageRegion><rdf:Bag><rdf:li rdf:parseType='Resource'>{shown}</rdf:li></rdf:Bag>"
        "</ext:ImageRegion>"
    )
    details = (
        "<ext:PersonInImageWDetails><rdf:Bag><rdf:li rdf:parseType='Resource'><ext:PersonName><rdf:Alt>"
        "<rdf:li xml:lang='x-default'>Finn</rdf:li></rdf:Alt></ext:PersonName></rdf:li></rdf:Bag>"
        "</ext:PersonInImageWDetails>"
    )
    assert xmp.read(packet(region + details)).texts == {"people": ["Eve", "Finn"]}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32-le"])
def test_packets_in_other_encodings(encoding: str) -> None:
    text = packet(BAG).decode().replace("\ufeff", "")
    assert xmp.read(text.encode(encoding)).texts == {"dc:subject": ["Küste", "Meer"]}


def test_damage_costs_only_what_comes_behind_it() -> None:
    whole = packet(ALT + BAG)
    cut = whole[: whole.index(b"</rdf:Bag>")]
    assert xmp.read(cut).texts == {"dc:title": ["Feast > all"], "dc:subject": ["Küste", "Meer"]}
    assert xmp.kept(cut) == b""
    for nothing in (b"", b"\0\0", b"<", b"no xml", "ü".encode("latin-1") + whole[:60]):
        assert xmp.read(nothing).texts == {}
        assert xmp.kept(nothing) == b""
    latin = packet("<dc:title>Küste</dc:title>").replace("ü".encode(), b"\xfc")
    assert xmp.read(latin).texts == {"dc:title": ["K\ufffdste"]}


def test_entities_and_depths_are_refused() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]>'
    assert xmp.read(bomb + packet(BAG).partition(b"?>")[2]).texts == {}
    deep = "<dc:title>" * 200 + "x" + "</dc:title>" * 200
    assert xmp.read(packet(deep)).texts == {}
    assert xmp.kept(packet(deep)) == b""
    many = "<dc:title/>" * (xmp.MAX_ELEMENTS + 1)
    assert xmp.kept(packet(many)) == b""


def test_what_is_kept_says_the_same_without_what_is_of_the_file() -> None:
    of_the_file = (
        '<mm:History><rdf:Seq><rdf:li mm:action="a > b"/></rdf:Seq></mm:History>'
        "<xmp:Thumbnails><rdf:Alt><rdf:li>/9j/</rdf:li></rdf:Alt></xmp:Thumbnails>"
        "<tiff:Orientation>6</tiff:Orientation>"
    )
    whole = packet(
        ALT + of_the_file + BAG + REGIONS, "tiff:Orientation='6'\n xmp:Rating=\"4\" mm:DocumentID='x'"
    )
    kept = xmp.kept(whole)
    assert xmp.read(kept).texts == xmp.read(packet(ALT + BAG + REGIONS, 'xmp:Rating="4"')).texts
    for word in (b"Orientation", b"History", b"Thumbnails", b"DocumentID", b"xpacket", b"  \n  \n"):
        assert word not in kept
    assert xmp.kept(kept) == kept
    assert len(kept) < len(whole) - 2000
    assert xmp.kept(packet(of_the_file)) == b""


def test_without_place() -> None:
    places = (
        "<exif:GPSLatitude>48,51.5N</exif:GPSLatitude><photoshop:City>Bergen</photoshop:City>"
        "<ext:LocationCreated><rdf:Bag><rdf:li ext:City='Bergen'/></rdf:Bag></ext:LocationCreated>"
        "<photoshop:Note rdf:parseType='Resource'><drone:GpsLongitude>5</drone:GpsLongitude></photoshop:Note>"
        "<w3:lat>60.4</w3:lat><w3:long>5.3</w3:long><dm:shotLocation>Bergen</dm:shotLocation>"
        "<dc:coverage>Bergen</dc:coverage><terms:spatial>Bergen</terms:spatial>"
    )
    whole = packet(places + BAG, 'exif:GPSLongitude="5,20E" drone:GpsLatitude="+60.4"')
    assert xmp.read(xmp.kept(whole)).texts["exif:GPSLatitude"] == ["48,51.5N"]
    kept = xmp.kept(whole, without=PlaceWords())
    assert xmp.read(kept).texts == {"dc:subject": ["Küste", "Meer"]}
    assert b"Bergen" not in kept
    assert b"60.4" not in kept


def test_of_too_much_the_largest_is_left_out() -> None:
    whole = packet(f"<photoshop:Note>{'x' * 70_000}</photoshop:Note>" + BAG)
    kept = xmp.kept(whole)
    assert len(kept) <= xmp.MAX_KEPT_BYTES
    assert xmp.read(kept).texts == {"dc:subject": ["Küste", "Meer"]}
    assert xmp.read(bytes(xmp.MAX_READ_BYTES) + packet(BAG)).texts == {}


@given(st.text(alphabet="<>/\"'=:rdflixmp &;", max_size=60), st.booleans())
def test_anything_is_read_without_an_error(text: str, within: bool) -> None:
    data = packet(text) if within else text.encode()
    xmp.read(data)
    kept = xmp.kept(data)
    assert xmp.kept(kept) == kept
