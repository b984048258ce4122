"""XMP packets (ISO 16684-1): what they say of a photo, and the part of them that is kept.

A packet is read as it streams by, so that damage costs only what comes behind it; and what is left out is cut
out of its bytes, so that the rest stays as it was written. Document types are refused: entities can make a
small text a large one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.parsers import expat

from dsslic_search.codec.picture.place_words import LISTS_OF_PLACES, PlaceWords

MAX_READ_BYTES = 1 << 24  # of a packet
MAX_KEPT_BYTES = 65_400
"""The most that one marker of a JPEG file holds, beside what stands around a packet there."""
MAX_DEPTH = 100  # elements within one another
MAX_ELEMENTS = 50_000  # of a packet

WRAPPER = b"<?xpacket begin='\xef\xbb\xbf' id='W5M0MpCehiHzreSzNTczkc9d'?>", b"<?xpacket end='r'?>"
"""What stands around a packet in files, so that it is found there."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XML = "http://www.w3.org/XML/1998/namespace"
_META = "adobe:ns:meta/"
_PREFIXES = {
    _RDF: "rdf",
    _XML: "xml",
    _META: "x",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://www.w3.org/2003/01/geo/wgs84_pos#": "geo",
    "http://ns.adobe.com/xmp/1.0/DynamicMedia/": "xmpDM",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://ns.adobe.com/camera-raw-settings/1.0/": "crs",
    "http://ns.adobe.com/hdr-gain-map/1.0/": "hdrgm",
    "http://www.digikam.org/ns/1.0/": "digiKam",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
    "http://www.metadataworkinggroup.com/schemas/keywords/": "mwg-kw",
    "http://ns.acdsee.com/iptc/1.0/": "acdsee",
    "http://ns.iview-multimedia.com/mediapro/1.0/": "mediapro",
    "http://ns.microsoft.com/photo/1.0/": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.0": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.2/": "MP",
    "http://ns.microsoft.com/photo/1.2/t/RegionInfo#": "MPRI",
    "http://ns.microsoft.com/photo/1.2/t/Region#": "MPReg",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://ns.google.com/photos/1.0/image/": "GImage",
    "http://ns.google.com/photos/1.0/depthmap/": "GDepth",
    "http://ns.google.com/photos/1.0/audio/": "GAudio",
    "http://ns.google.com/photos/1.0/camera/": "GCamera",
    "http://ns.google.com/photos/1.0/container/": "Container",
    "http://ns.google.com/photos/1.0/container/item/": "ContainerItem",
}
"""How properties are called here, whatever their packet calls them."""

_TEXTS = ("rdf:li", "rdf:value")  # elements that hold the text of the property they are in
_FRAMES = frozenset(
    {"rdf:RDF", "rdf:Description", "rdf:Alt", "rdf:Seq", "rdf:Bag", "x:xmpmeta", "x:xapmeta", *_TEXTS}
)
_NO_PROPERTIES = ("rdf:", "xml:", "x:")

# Of the file that the packet came in, and not of the photo: pictures within it, its history, how it is
# turned, what stands behind it.
_LEFT_OUT = frozenset({
    "xmp:Thumbnails", "photoshop:DocumentAncestors", "photoshop:History", "photoshop:TextLayers",
    "photoshop:ICCProfile", "xmpNote:HasExtendedXMP", "tiff:Orientation", "tiff:ImageWidth",
    "tiff:ImageLength", "exif:PixelXDimension", "exif:PixelYDimension", "exif:NativeDigest",
    "tiff:NativeDigest",
})  # fmt: skip
_LEFT_OUT_WHOLE = frozenset({"xmpMM", "GImage", "GDepth", "GAudio", "GCamera", "Container", "hdrgm", "crs"})
_PLACES = frozenset({
    "photoshop:City", "photoshop:State", "photoshop:Country", "Iptc4xmpCore:Location",
    "Iptc4xmpCore:CountryCode", "Iptc4xmpExt:LocationCreated", "Iptc4xmpExt:LocationShown",
    "dc:coverage", "xmpDM:shotLocation", "dcterms:spatial", "geo:lat", "geo:long", "geo:lat_long", "geo:alt",
    "mediapro:Location",
})  # fmt: skip
_PLACES_WITHIN = frozenset(
    f"Iptc4xmpCore:CiAdr{part}" for part in ("Extadr", "City", "Region", "Pcode", "Ctry")
)
"""Parts of a property whose other parts stay: where the photo's maker lives."""
KEYWORDS = frozenset({
    "dc:subject", "lr:hierarchicalSubject", "digiKam:TagsList", "MicrosoftPhoto:LastKeywordXMP",
    "acdsee:keywords", "mediapro:CatalogSets",
})  # fmt: skip
"""Lists of keywords, plain or as paths."""
_KEYWORD_TREES = frozenset({"mwg-kw:Keywords", "acdsee:categories"})
"""Keywords within one another, which go as a whole where a place is among them."""
_SPEAKS_OF_PLACE = re.compile(r"\bgps|latitude|longitude", re.IGNORECASE)
"""Of a property's name, in any namespace: cameras and drones have their own."""

_REGIONS = "mwg-rs:Regions"
_PEOPLE_IN_REGIONS = {
    _REGIONS: ("mwg-rs:Name", "mwg-rs:Type"),
    "MP:RegionInfo": ("MPReg:PersonDisplayName", ""),
    "Iptc4xmpExt:ImageRegion": ("Iptc4xmpExt:PersonInImage", ""),
    "Iptc4xmpExt:PersonInImageWDetails": ("Iptc4xmpExt:PersonName", ""),
}
_FACE = "face"

PEOPLE = "people"
"""Under this name `Xmp.texts` has those who are named in regions of the picture."""


@dataclass(frozen=True)
class Xmp:
    """``texts``: what properties say, by name, as "dc:title", in the order of the packet; of texts in several
    languages, the one that is marked as the default alone, else the first. ``sound``: the packet is whole and
    valid."""

    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sound: bool = True


@dataclass(frozen=True)
class Leaf:
    """One text: ``names``, from the property on, inward; ``item``: which entry of a list it is in, of all in
    the packet; ``language``: of a text in several ones."""

    names: tuple[str, ...]
    item: int
    language: str
    text: str


def leaves(packet: bytes) -> list[Leaf]:
    """Every text of a packet, up to where it is damaged, what it says of its file among them."""
    found: list[Leaf] = []
    _Reader(_in_utf8(packet), found.append).read()
    return found


def read(packet: bytes) -> Xmp:
    """What a packet says of the photo, up to where it is damaged."""
    leaves: list[Leaf] = []

    def note(leaf: Leaf) -> None:
        if leaf.text.strip() and not _of_the_file(leaf.names[0]):
            leaves.append(leaf)

    sound = _Reader(_in_utf8(packet), note).read()
    texts: dict[str, list[str]] = {}
    languages: dict[str, list[Leaf]] = {}
    for leaf in leaves:
        if len(leaf.names) != 1:
            continue
        if leaf.language:
            languages.setdefault(leaf.names[0], []).append(leaf)
        else:
            texts.setdefault(leaf.names[0], []).append(leaf.text.strip())
    for name, several in languages.items():
        default = next((leaf for leaf in several if leaf.language == "x-default"), several[0])
        texts[name] = [default.text.strip(), *texts.get(name, ())]
    if people := _people(leaves):
        texts[PEOPLE] = people
    return Xmp(texts, sound)


def _people(leaves: Sequence[Leaf]) -> list[str]:
    """The names of the faces among a picture's regions, each once."""
    regions: dict[tuple[str, int], dict[str, str]] = {}
    for leaf in leaves:
        if leaf.names[0] in _PEOPLE_IN_REGIONS and len(leaf.names) > 1:
            regions.setdefault((leaf.names[0], leaf.item), {}).setdefault(leaf.names[-1], leaf.text.strip())
    named = []
    for (kind, _), said in regions.items():
        name, what = _PEOPLE_IN_REGIONS[kind]
        if said.get(what, _FACE).casefold() == _FACE:
            named.append(said.get(name, ""))
    return list(dict.fromkeys(filter(None, named)))


def keywords(packet: bytes) -> list[str]:
    """All keywords of a packet, paths as they are."""
    return [leaf.text.strip() for leaf in leaves(packet) if leaf.names[0] in KEYWORDS]


def kept(packet: bytes, *, without: PlaceWords | None = None) -> bytes:
    """What is kept of a packet, in UTF-8, at most `MAX_KEPT_BYTES`: all but its padding, pictures, history,
    editors' settings, and what is of the file rather than of the photo, such as its orientation; where
    ``without`` is told also but where it was taken, and keywords of places. Of too much, the largest
    properties are left out. b"" when nothing is left, and for what is damaged."""
    data = re.sub(rb">\s+<", b"><", _in_utf8(packet))
    placed: set[str] = set() if without is None else set(_PLACES)

    def look(leaf: Leaf) -> None:
        if without is not None and _tells_place(leaf, without):
            placed.add(leaf.names[0])

    reader = _Reader(data, look)
    if not reader.read():
        return b""
    spans = [] if without is None else _spans_of_places(reader.parts, without, placed)
    left_out: list[_Property] = []
    staying: list[_Property] = []
    for each in reader.properties:
        (left_out if _of_the_file(each.name) or each.name in placed else staying).append(each)
    staying.sort(key=lambda each: each.size)
    size = reader.root[1] - reader.root[0] - sum(each.size for each in left_out)
    size -= sum(last - first for first, last in spans)
    while staying and size > MAX_KEPT_BYTES:
        left_out.append(staying.pop())
        size -= left_out[-1].size
    if not staying:
        return b""
    return b"".join(_uncut(data, reader.root, [*(each.span for each in left_out), *spans]))


def _tells_place(leaf: Leaf, words: PlaceWords) -> bool:
    """Whether a text makes its whole property one that tells a place."""
    if leaf.names[0] in _KEYWORD_TREES:
        said = [part.strip() for part in re.split("[<>]", leaf.text)]
        return any(part.casefold() in LISTS_OF_PLACES or words.names(part) for part in said if part)
    return any(map(_SPEAKS_OF_PLACE.search, leaf.names))


def _spans_of_places(
    parts: Sequence[_Part], words: PlaceWords, placed: Collection[str]
) -> list[tuple[int, int]]:
    """What is to be cut within properties that stay."""
    return [
        part.span
        for part in parts
        if not (part.names[0] in placed or _of_the_file(part.names[0]))
        and (part.name in _PLACES_WITHIN or (part.names[0] in KEYWORDS and words.names(part.text)))
    ]


def _of_the_file(name: str) -> bool:
    return name in _LEFT_OUT or name.partition(":")[0] in _LEFT_OUT_WHOLE


def _uncut(data: bytes, whole: tuple[int, int], cut: Sequence[tuple[int, int]]) -> Iterator[bytes]:
    begin, end = whole
    for first, last in sorted(cut):
        yield data[begin:first]
        begin = max(begin, last)
    yield data[begin:end]


_WIDE = {
    encoding: (width, [tag.encode(encoding) for tag in ("<x:xmpmeta", "<rdf:RDF")])
    for encoding, width in (("utf-16-le", 2), ("utf-16-be", 2), ("utf-32-le", 4), ("utf-32-be", 4))
}
"""Encodings of packets beside UTF-8: the bytes of a character, and what a packet begins with."""


def _begins_in(packet: bytes, encoding: str) -> bool:
    width, tags = _WIDE[encoding]
    return any((start := packet.find(tag)) >= 0 and start % width == 0 for tag in tags)


def _in_utf8(packet: bytes) -> bytes:
    """The same in UTF-8 and without what stands around its elements; b"" for what is too large to be read."""
    if not packet or len(packet) > MAX_READ_BYTES:
        return b""
    encoding = next((each for each in _WIDE if _begins_in(packet, each)), "utf-8")
    text = packet.decode(encoding, "replace").encode()
    return re.sub(rb"\A[^<]*(?:<\?.*?\?>\s*)*", b"", text, count=1, flags=re.DOTALL).strip(b"\0 \t\r\n")


@dataclass(frozen=True)
class _Property:
    """A property as it stands in a packet, an element or an attribute: from and to which byte."""

    name: str
    span: tuple[int, int]

    @property
    def size(self) -> int:
        return self.span[1] - self.span[0]


@dataclass(frozen=True)
class _Part:
    """A part of a property that may go while the rest stays: an entry of a list of keywords, or one of
    `_PLACES_WITHIN`; ``names``: from the property on, inward."""

    name: str
    names: tuple[str, ...]
    span: tuple[int, int]
    text: str = ""


_TAG = re.compile(rb"<(?:[^\"'>]++|\"[^\"]*+\"|'[^']*+')*+>")
_ATTRIBUTE = re.compile(rb"\s+([^\s=/>]+)\s*=\s*(?:\"[^\"]*\"|'[^']*')")


class _Element(NamedTuple):
    """An element that is open: its name, the properties that are open with it, inward, its first byte, which
    entry of a list it is in, and the language of its text."""

    name: str
    names: tuple[str, ...]
    start: int
    item: int
    language: str


class _Refused(Exception):
    """A packet that is not read on."""


class _Reader:
    """One packet as it streams by. ``found``: is called with each text. ``properties``: those at the top;
    ``parts``: of these. ``root``: from and to which byte the outermost element is."""

    def __init__(self, data: bytes, found: Callable[[Leaf], None]) -> None:
        self.properties: list[_Property] = []
        self.parts: list[_Part] = []
        self.root = (0, 0)
        self._data, self._found = data, found
        self._open: list[_Element] = []
        self._text: list[str] = []
        self._elements = self._items = 0
        self._prefixes: dict[str, list[str]] = {}
        parser = expat.ParserCreate("utf-8", "}")
        parser.buffer_text = True
        parser.ordered_attributes = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartNamespaceDeclHandler = self._named
        parser.EndNamespaceDeclHandler = self._unnamed
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        self._parser = parser

    def read(self) -> bool:
        """Whether all of it is sound."""
        if not self._data:  # mostly there is none
            return False
        try:
            self._parser.Parse(self._data, True)
        except (expat.ExpatError, _Refused):
            return False
        return self.root[1] > 0

    def _refuse(self, *_: object) -> None:
        raise _Refused

    def _named(self, prefix: str | None, uri: str | None) -> None:
        self._prefixes.setdefault(prefix or "", []).append(uri or "")

    def _unnamed(self, prefix: str | None) -> None:
        self._prefixes[prefix or ""].pop()

    def _begin(self, raw: str, attributes: list[str]) -> None:
        self._elements += 1
        if len(self._open) >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise _Refused
        name, start = _known(raw), self._parser.CurrentByteIndex
        _, names, _, item, _ = self._open[-1] if self._open else _Element("", (), 0, 0, "")
        if name == "rdf:li":
            item = self._items = self._items + 1
        if name not in _FRAMES:
            names = (*names, name)
        said = dict(zip(map(_known, attributes[::2]), attributes[1::2], strict=True))
        self._open.append(_Element(name, names, start, item, said.get("xml:lang", "").casefold()))
        self._text.clear()
        for inner, text in said.items():
            if not inner.startswith(_NO_PROPERTIES):
                self._found(Leaf((*names, inner), item, "", text))
        if not names or not _PLACES_WITHIN.isdisjoint(said):
            self._note_attributes(names, start)

    def _note_attributes(self, names: tuple[str, ...], start: int) -> None:
        """The properties at the top that are attributes of a description, and such parts of others."""
        tag = _TAG.match(self._data, start)
        if tag is None:
            return
        for found in _ATTRIBUTE.finditer(self._data, start, tag.end()):
            prefix, colon, local = found[1].decode(errors="replace").partition(":")
            uris = self._prefixes.get(prefix)
            if not (colon and uris) or (name := _known(f"{uris[-1]}}}{local}")).startswith(_NO_PROPERTIES):
                continue
            if not names:
                self.properties.append(_Property(name, found.span()))
            elif name in _PLACES_WITHIN:
                self.parts.append(_Part(name, names, found.span()))

    def _end(self, raw: str) -> None:
        name, names, start, item, language = self._open.pop()
        text = "".join(self._text)
        self._text.clear()
        if names and text.strip() and name in (names[-1], *_TEXTS):
            self._found(Leaf(names, item, language, text))
        is_part = len(names) > 1 and name in _PLACES_WITHIN
        is_part |= name == "rdf:li" and len(names) == 1 and names[0] in KEYWORDS
        if names != (name,) and self._open and not is_part:
            return
        tag = _TAG.match(self._data, self._parser.CurrentByteIndex)
        end = tag.end() if tag else start
        if is_part:
            self.parts.append(_Part(name, names, (start, end), text))
        elif names == (name,):
            self.properties.append(_Property(name, (start, end)))
        if not self._open:
            self.root = (start, end)


def _known(raw: str) -> str:
    """A name as `_PREFIXES` has it; one of another namespace with that in braces."""
    uri, brace, local = raw.rpartition("}")
    if not brace:
        return local
    prefix = _PREFIXES.get(uri)
    return f"{{{uri}}}{local}" if prefix is None else f"{prefix}:{local}"
