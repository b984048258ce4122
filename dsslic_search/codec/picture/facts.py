"""What a photo's metadata say of it, and the part of them that is kept: the one home of their meaning.

Each fact of `core.fields.FROM_METADATA` is taken from the first of these that has it:

1. an XMP file beside the photo: somebody's later word,
2. what the photo's own file says, in the order that the fact's entry has: of a date EXIF (DateTimeOriginal,
   DateTimeDigitized), XMP, IPTC, and last EXIF's DateTime, which editors write anew; of exposure, camera and
   place EXIF before XMP; of title, description and rating XMP, IPTC, EXIF, since cameras write into EXIF what
   nobody said,
3. what the container of a video says,
4. of a date: the one in the file's name,
5. what an export tells beside the photo, as Google's JSON does.

Keywords and people are all that the first of these tells anywhere. A value that is damaged, malformed or
cannot be counts as none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from dsslic_search.codec.picture import exif, iptc, xmp
from dsslic_search.codec.picture.dates import date_in_name, date_of
from dsslic_search.codec.picture.exif import Exif
from dsslic_search.codec.picture.iptc import Iptc
from dsslic_search.codec.picture.place_words import PlaceWords
from dsslic_search.codec.picture.raster import Embedded
from dsslic_search.codec.picture.stripping import Strip, place_words
from dsslic_search.codec.picture.xmp import Xmp
from dsslic_search.core.cached import cached_property
from dsslic_search.core.fact import ExifTag, Fact, FactValue, IptcDataset, Kind, Tags, XmpProperty
from dsslic_search.core.fields import FROM_METADATA, METADATA_COLUMNS, NAMED

TEXT_CHARACTERS = 120
"""Of a text such as a camera's name, and of a keyword; what is longer is cut."""
PROSE_CHARACTERS = 4000  # of a title or description
MAX_WORDS = 500  # keywords of a photo

NAME_SOURCE = "file name"
SIDECAR_SOURCE = "XMP file beside it"
EXPORT_SOURCE = "JSON file beside it"

PhotoFacts = Mapping[str, FactValue]
"""What metadata tell, by the catalog's columns: dates are the camera's local time, degrees positive to the
north and east; of words one stands on a line; None where not known."""

NO_FACTS: PhotoFacts = dict.fromkeys(METADATA_COLUMNS)
_KEYWORD_COLUMN = NAMED["keyword"].columns[0].name
PLACELESS: PhotoFacts = dict.fromkeys(column.name for column in NAMED["place"].columns)


@dataclass(frozen=True)
class Beside:
    """What stands beside a photo's file: ``packets`` of XMP, and ``exports``, what an export's own files
    tell."""

    packets: tuple[Xmp, ...] = ()
    exports: tuple[PhotoFacts, ...] = ()


ALONE = Beside()


def facts_of(
    embedded: Embedded,
    name: str = "",
    beside: Beside = ALONE,
    strip: Strip = Strip.NOTHING,
    container: PhotoFacts = NO_FACTS,
) -> PhotoFacts:
    """All facts that metadata tell, but for what is left out; that a file's name tells a date is never.
    ``name``: of the file, without folders; ``container``: what that of a video says (`video_metadata`)."""
    if strip is Strip.METADATA:
        embedded, beside, container = Embedded(), ALONE, NO_FACTS
    own = _Metadata(exif.read(embedded.exif), xmp.read(embedded.xmp), iptc.read(embedded.iptc))
    around = [_Metadata(xmp=packet) for packet in beside.packets]
    found = dict(NO_FACTS)
    for fact in FROM_METADATA:
        values, source = _taken(fact, around, own)
        columns = [column.name for column in fact.columns]
        if values is None and fact.name != "taken_from":
            values, source = _told(columns, [container]), str(container.get("taken_from"))
        if values is None and fact.name == "taken" and (date := date_in_name(name)) is not None:
            values, source = (date,), NAME_SOURCE
        if values is None:
            values, source = _told(columns, beside.exports), EXPORT_SOURCE
        if values is not None:
            found.update(zip(columns, values, strict=True))
            if fact.name == "taken":
                found["taken_from"] = source
    if strip is Strip.LOCATION:
        words = place_words(embedded)
        for packet in beside.packets:
            words.learn(text for name in xmp.KEYWORDS for text in packet.texts.get(name, ()))
        found.update(PLACELESS)
        found.update(_not_of_places(found, words))
    return found


def _not_of_places(found: PhotoFacts, words: PlaceWords) -> PhotoFacts:
    """The keywords that stay where places are left out."""
    said = str(found[_KEYWORD_COLUMN] or "").split("\n")
    return {_KEYWORD_COLUMN: joined_words(word for word in said if not words.names(word))}


def kept(embedded: Embedded, width: int, height: int) -> Embedded:
    """What is kept of a photo's metadata with its upright sRGB pixels; see `exif.kept`, `xmp.kept` and
    `iptc.kept`. The profile is not: the pixels are no longer in it."""
    return Embedded(
        exif=exif.kept(exif.read(embedded.exif), width, height),
        xmp=xmp.kept(embedded.xmp),
        iptc=iptc.kept(embedded.iptc),
    )


def turn_of(embedded: Embedded) -> int | None:
    """How EXIF says that the picture is to be turned, 1..8. What XMP repeats of it is never asked: programs
    that turned a picture forgot it there."""
    return exif.read(embedded.exif).orientation


@dataclass(frozen=True)
class _Said:
    """What a tag says: ``texts``, none where it has numbers alone."""

    texts: Sequence[str] = ()
    numbers: Sequence[float] = ()

    @property
    def text(self) -> str:
        """The first, if there is one."""
        return self.texts[0] if self.texts else ""


@dataclass(frozen=True)
class _Metadata:
    """The metadata of one file."""

    exif: Exif = field(default_factory=Exif)
    xmp: Xmp = field(default_factory=Xmp)
    iptc: Iptc = field(default_factory=Iptc)

    def speaks(self, tags: Sequence[ExifTag | XmpProperty | IptcDataset]) -> bool:
        """Whether there is anything of the source that one of some tags is of."""
        told = self._told
        return any(told[type(tag)] for tag in tags)

    @cached_property
    def _told(self) -> Mapping[type, bool]:
        return {
            ExifTag: bool(self.exif.directories),
            XmpProperty: bool(self.xmp.texts),
            IptcDataset: bool(self.iptc.texts),
        }

    def said(self, tag: ExifTag | XmpProperty | IptcDataset) -> _Said:
        match tag:
            case ExifTag(directory, number):
                value = self.exif.find(directory, number)
                if value is None:
                    return _Said()
                if number == exif.WINDOWS_KEYWORDS:
                    return _Said(value.wide_text.split(";"))
                text = value.wide_text if number in exif.WINDOWS_TEXTS else value.text
                return _Said(() if text is None else (text,), value.numbers)
            case XmpProperty(name, levels):
                texts = self.xmp.texts.get(name, ())
                return _Said([text.rpartition(levels)[2] for text in texts] if levels else texts)
            case IptcDataset(record, number):
                return _Said(self.iptc.texts.get((record, number), ()))


Found = tuple[Sequence[FactValue] | None, str]
"""The values of a fact's columns, if there are any, and where they were read."""


def _taken(fact: Fact, around: Sequence[_Metadata], own: _Metadata) -> Found:
    read = _READERS.get(fact.kind)
    if read is not None:
        for metadata in (*around, own):
            for tags in [_together(fact.read)] if fact.kind == "words" else fact.read:
                if not metadata.speaks(tags):
                    continue
                values = read(fact, [metadata.said(tag) for tag in tags])
                if values is not None:
                    return values, _source(tags) if metadata is own else SIDECAR_SOURCE
    return None, ""


def _together(readings: Sequence[Tags]) -> Sequence[ExifTag | XmpProperty | IptcDataset]:
    return [tag for tags in readings for tag in tags]


def _source(tags: Sequence[ExifTag | XmpProperty | IptcDataset]) -> str:
    """The source and the name of the first of tags."""
    match tags[0]:
        case ExifTag(_, _, name):
            return f"EXIF {name}"
        case XmpProperty(name):
            return f"XMP {name}"
        case IptcDataset(_, _, name):
            return f"IPTC {name}"


def _told(columns: Sequence[str], exports: Sequence[PhotoFacts]) -> Sequence[FactValue] | None:
    """The first export that tells all of a fact."""
    for told in exports:
        values = [told.get(column) for column in columns]
        if None not in values:
            return values
    return None


# One reader for each kind of fact: what its tags say → the values of its columns.


def _date(fact: Fact, said: Sequence[_Said]) -> Sequence[FactValue] | None:
    """A day and a time may stand apart; a time that cannot be leaves the day."""
    day, *times = (each.text for each in said)
    date = date_of(" ".join((day, *times))) or (date_of(day) if times else None)
    return None if date is None else (date,)


def clean(text: str, characters: int) -> str:
    """What can be shown of a text, on one line."""
    text = "".join(c if c.isprintable() else " " for c in text.split("\0")[0])
    return " ".join(text.split())[:characters]


def _text(fact: Fact, said: Sequence[_Said]) -> Sequence[FactValue] | None:
    joined = without_repeats(each.text for each in said)
    return (joined,) if joined else None


def without_repeats(texts: Iterable[str]) -> str:
    """All texts together. Makers often repeat their name in the model: "NIKON CORPORATION", "NIKON D90" →
    "NIKON D90"."""
    joined = ""
    for text in filter(None, (clean(each, TEXT_CHARACTERS) for each in texts)):
        repeats = joined and joined.split()[0].casefold() == text.split()[0].casefold()
        joined = text if repeats else f"{joined} {text}".lstrip()
    return joined


_NOBODY_SAID = re.compile(
    r"(?:OLYMPUS|KONICA MINOLTA|MINOLTA|SAMSUNG|NIKON|KODAK)? ?DIGITAL (?:STILL )?CAMERA|SONY DSC"
    r"|SAMSUNG CAMERA PICTURES|Exif_JPEG_PICTURE|DCIM\\[^ ]*|default",
    re.IGNORECASE,
)
"""What cameras write into every photo as its description."""


def _prose(fact: Fact, said: Sequence[_Said]) -> Sequence[FactValue] | None:
    text = clean(said[0].text, PROSE_CHARACTERS)
    return (text,) if text and not _NOBODY_SAID.fullmatch(text) else None


def _words(fact: Fact, said: Sequence[_Said]) -> Sequence[FactValue] | None:
    words = joined_words(text for each in said for text in each.texts)
    return None if words is None else (words,)


def joined_words(words: Iterable[str]) -> str | None:
    """Words, one a line, each once whatever its capitals; None for none."""
    once: dict[str, str] = {}
    for word in filter(None, (clean(word, TEXT_CHARACTERS) for word in words)):
        once.setdefault(word.casefold(), word)
    return "\n".join(list(once.values())[:MAX_WORDS]) or None


_NUMBER = re.compile(r"\s*(-?[0-9]{1,15}(?:\.[0-9]{1,15})?)(?:\s*/\s*([0-9]{1,15}(?:\.[0-9]{1,15})?))?")


def _number(fact: Fact, said: Sequence[_Said]) -> Sequence[FactValue] | None:
    """The first number, to the least step that is told apart."""
    assert fact.measure is not None
    value = next(iter(said[0].numbers), None)
    if value is None and (written := _NUMBER.match(said[0].text)):
        below = float(written[2] or 1)
        value = float(written[1]) / below if below else None
    low, high = fact.possible
    if value is None or value in fact.unsaid or not low <= value <= high:
        return None
    step = fact.measure.step
    rounded = (Decimal(value) / step).to_integral_value() * step
    return (int(rounded) if fact.columns[0].values == "whole or none" else float(rounded),)


_ANGLE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,15})?")


def _place(fact: Fact, said: Sequence[_Said]) -> Sequence[FactValue] | None:
    """EXIF writes numbers and the hemisphere's letter, XMP both in one text."""
    if len(said) == 4:
        north, south_or_north, east, west_or_east = said
        latitude = _degrees(_angles(north), south_or_north.text, "N", "S", 90)
        longitude = _degrees(_angles(east), west_or_east.text, "E", "W", 180)
    else:
        north, east = said
        latitude = _degrees(_angles(north), _letter(north.text, "N", "S"), "N", "S", 90)
        longitude = _degrees(_angles(east), _letter(east.text, "E", "W"), "E", "W", 180)
    return None if latitude is None or longitude is None else (latitude, longitude)


def _angles(said: _Said) -> Sequence[float]:
    """Degrees, and where they are told minutes and seconds."""
    numbers = said.numbers or [float(number) for number in _ANGLE.findall(said.text)]
    known = math.isnan(numbers[0]) if numbers else True
    return () if known else [0.0 if math.isnan(number) else number for number in numbers]


def _letter(text: str, positive: str, negative: str) -> str:
    """The hemisphere of an angle in one text: its letter at the end, else by its sign."""
    last = text.strip()[-1:].upper()
    if last in (positive, negative) and last:
        return last
    return "" if last.isalpha() else negative if text.strip()[:1] in ("-", "−") else positive


def _degrees(
    angles: Sequence[float], letter: str, positive: str, negative: str, limit: float
) -> float | None:
    """Signed decimal degrees from degrees, minutes and seconds, the last of which may be missing, and the
    hemisphere's letter."""
    side = letter.strip("\0 ").upper()[:1]
    if side not in (positive, negative) or not 1 <= len(angles) <= 3 or min(angles) < 0:
        return None
    total = math.fsum(angle / 60**power for power, angle in enumerate(angles))
    if not math.isfinite(total) or total > limit:
        return None
    return -total if side == negative and total else total


_READERS: Mapping[Kind, Callable[[Fact, Sequence[_Said]], Sequence[FactValue] | None]] = {
    "date": _date,
    "text": _text,
    "prose": _prose,
    "words": _words,
    "number": _number,
    "place": _place,
}
