"""The facts of a photo's file that can be asked for, one entry each.

An entry says where its fact is read from, in which column the catalog keeps it, under which name the index
and a query have it, what its values are and what they are measured in. The reader of metadata, the catalog's
columns, the index of files, the query language, counts and exports all go by these entries: a new fact is an
entry here, a migration for its column, and their tests."""

from __future__ import annotations

from collections.abc import Mapping

from dsslic_search.core.colour_terms import COLOURFUL, COLOURS, SPELLINGS
from dsslic_search.core.fact import (
    ASKED_OF_THE_CATALOG,
    BITS,
    BYTES,
    EXIF_IFD,
    EXPOSURE_STOPS,
    F_NUMBERS,
    F_STOPS,
    FOCAL_LENGTHS,
    GPS_IFD,
    IFD0,
    ISO_STOPS,
    LUMA,
    MEGAPIXELS,
    MILLIMETRES,
    NUMBERS,
    PIXELS,
    SECONDS,
    SENSITIVITY,
    STARS,
    TURNS,
    Column,
    ExifTag,
    Fact,
    IptcDataset,
    XmpProperty,
)
from dsslic_search.core.kinds import ANY_STATE, KeepMode, PhotoState

_PATH = Column("path", "path", "path")
_WIDTH, _HEIGHT = Column("width", "width", "pixels"), Column("height", "height", "pixels")
_KEYWORDS, _PEOPLE = Column("keywords", "keyword", "words"), Column("people", "people", "words")
_TITLE, _DESCRIPTION = Column("title", "title", "prose"), Column("description", "description", "prose")


def _exif(directory: int, number: int, name: str) -> tuple[ExifTag]:
    return (ExifTag(directory, number, name),)


def _xmp(*names: str) -> tuple[XmpProperty, ...]:
    return tuple(map(XmpProperty, names))


def _iptc(number: int, name: str) -> tuple[IptcDataset]:
    return (IptcDataset(2, number, name),)


FACTS = (
    Fact(
        "taken",  # the camera's local time
        "date",
        "metadata",
        (Column("taken_at", "taken", "date"),),
        "taken:2023-06",
        aliases=("date",),
        read=(
            _exif(EXIF_IFD, 0x9003, "DateTimeOriginal"),
            _exif(EXIF_IFD, 0x9004, "DateTimeDigitized"),
            _xmp("photoshop:DateCreated"),
            _xmp("exif:DateTimeOriginal"),
            _xmp("xmp:CreateDate"),
            (IptcDataset(2, 55, "DateCreated"), IptcDataset(2, 60, "TimeCreated")),
            _exif(IFD0, 0x0132, "DateTime"),
        ),
        optional=True,
    ),
    Fact("added", "date", "archive", (Column("added_at", "added", "date"),), "added:today"),  # UTC
    Fact(
        "camera",
        "text",
        "metadata",
        (Column("camera", "camera", "text"),),
        "camera:canon",
        read=(
            (ExifTag(IFD0, 0x010F, "Make"), ExifTag(IFD0, 0x0110, "Model")),
            _xmp("tiff:Make", "tiff:Model"),
        ),
        optional=True,
    ),
    Fact(
        "lens",
        "text",
        "metadata",
        (Column("lens", "lens", "text"),),
        "lens:sigma*",
        read=(_exif(EXIF_IFD, 0xA434, "LensModel"), _xmp("exifEX:LensModel"), _xmp("aux:Lens")),
        optional=True,
    ),
    Fact(
        "iso",
        "number",
        "metadata",
        (Column("iso", "iso", "whole or none"),),
        "iso:>=1600",
        read=(
            _exif(EXIF_IFD, 0x8827, "PhotographicSensitivity"),
            _exif(EXIF_IFD, 0x8832, "RecommendedExposureIndex"),
            _exif(EXIF_IFD, 0x8833, "ISOSpeed"),
            _xmp("exifEX:PhotographicSensitivity"),
            _xmp("exif:ISOSpeedRatings"),
        ),
        optional=True,
        measure=SENSITIVITY,
        stops=ISO_STOPS,
        possible=(1, 100_000_000),
        unsaid=frozenset({65535}),  # more than a tag of 16 bits holds
    ),
    Fact(
        "focal_length",
        "number",
        "metadata",
        (Column("focal_length", "focal_length", "number or none"),),
        "focal_length:>=200",
        aliases=("focal",),
        read=(_exif(EXIF_IFD, 0x920A, "FocalLength"), _xmp("exif:FocalLength")),
        optional=True,
        measure=MILLIMETRES,
        stops=FOCAL_LENGTHS,
        possible=(0.01, 100_000),
    ),
    Fact(
        "exposure",
        "number",
        "metadata",
        (Column("exposure", "exposure", "number or none"),),
        "exposure:<1/250",
        read=(_exif(EXIF_IFD, 0x829A, "ExposureTime"), _xmp("exif:ExposureTime")),
        optional=True,
        measure=SECONDS,
        stops=EXPOSURE_STOPS,
        possible=(1e-7, 1_000_000),
    ),
    Fact(
        "f_number",
        "number",
        "metadata",
        (Column("f_number", "f_number", "number or none"),),
        "f_number:<=2.8",
        aliases=("f", "aperture"),
        read=(_exif(EXIF_IFD, 0x829D, "FNumber"), _xmp("exif:FNumber")),
        optional=True,
        measure=F_NUMBERS,
        stops=F_STOPS,
        possible=(0.1, 1000),
    ),
    Fact(
        "rating",
        "number",
        "metadata",
        (Column("rating", "rating", "number or none"),),
        "rating:>=4",
        aliases=("stars",),
        read=(_xmp("xmp:Rating"), _exif(IFD0, 0x4746, "Rating")),
        optional=True,
        measure=STARS,
        possible=(0.5, 5),  # 0 is "not rated", -1 "rejected"
    ),
    Fact(
        "keyword",
        "words",
        "metadata",
        (_KEYWORDS,),
        "keyword:beach",
        aliases=("keywords",),
        read=(
            _xmp("dc:subject"),
            (XmpProperty("lr:hierarchicalSubject", "|"),),
            (XmpProperty("digiKam:TagsList", "/"),),
            _xmp("MicrosoftPhoto:LastKeywordXMP"),
            _iptc(25, "Keywords"),
            _exif(IFD0, 0x9C9E, "XPKeywords"),
        ),
        optional=True,
    ),
    Fact(
        "people",
        "words",
        "metadata",
        (_PEOPLE,),
        "people:anna",
        read=(_xmp("people"), _xmp("Iptc4xmpExt:PersonInImage")),
        optional=True,
    ),
    Fact(
        "title",
        "prose",
        "metadata",
        (_TITLE,),
        "title:birthday",
        read=(_xmp("dc:title"), _iptc(5, "ObjectName"), _exif(IFD0, 0x9C9B, "XPTitle")),
        optional=True,
    ),
    Fact(
        "description",
        "prose",
        "metadata",
        (_DESCRIPTION,),
        "description:birthday",
        aliases=("caption",),
        read=(
            _xmp("dc:description"),
            _iptc(120, "Caption"),
            _exif(IFD0, 0x010E, "ImageDescription"),
            _exif(IFD0, 0x9C9C, "XPComment"),
        ),
        optional=True,
    ),
    Fact("text", "texts", "archive", (_TITLE, _DESCRIPTION, _KEYWORDS, _PEOPLE, _PATH), "text:birthday"),
    Fact("path", "path", "file", (_PATH,), "path:holiday/**"),
    Fact("name", "path", "file", (_PATH,), "name:IMG_*", aliases=("filename",)),
    Fact(
        "format",
        "word",
        "file",
        (Column("format", "format", "text"),),
        "format:jpeg",
        aliases=("type",),
        spellings={"jpg": "jpeg", "tif": "tiff", "jp2": "jpeg2000", "jpeg 2000": "jpeg2000"},
    ),
    Fact(
        "profile",
        "text",
        "file",
        (Column("profile", "profile", "text"),),
        "profile:p3",
        optional=True,
    ),
    Fact(
        "bit_depth",
        "number",
        "file",
        (Column("bit_depth", "bit_depth", "whole or none"),),
        "bit_depth:>8",
        aliases=("bits",),
        optional=True,
        measure=BITS,
    ),
    Fact(
        "turn",  # EXIF's orientation, 1..8; "orientation" is that of the upright photo's sides
        "number",
        "file",
        (Column("turn", "turn", "whole or none"),),
        "turn:6",
        optional=True,
        measure=TURNS,
    ),
    Fact(
        "taken_from",  # which of its sources said when it was taken
        "text",
        "metadata",
        (Column("taken_from", "taken_from", "text"),),
        'taken_from:"file name"',
        optional=True,
    ),
    Fact("tag", "tag", "archive", (), "tag:best", aliases=("tags",)),
    Fact("word", "shown", "archive", (), "word:pizza", aliases=("words", "shows"), optional=True),
    Fact(
        "keep",
        "word",
        "archive",
        (Column("keep", "keep", "text"),),
        "keep:exact",
        values=tuple(KeepMode),
        values_are="photos are kept as",
    ),
    Fact(
        "is",
        "word",
        "archive",
        (Column("state", "is", "text"),),
        "is:missing",
        values=(*PhotoState, ANY_STATE),
        values_are="a photo is",
    ),
    Fact("width", "number", "file", (_WIDTH,), "width:>4000", measure=PIXELS),
    Fact("height", "number", "file", (_HEIGHT,), "height:>4000", measure=PIXELS),
    Fact(
        "megapixels",
        "number",
        "file",
        (_WIDTH, _HEIGHT),
        "megapixels:>=12",
        aliases=("mp",),
        measure=MEGAPIXELS,
    ),
    Fact("size", "number", "file", (Column("file_size", "size", "whole"),), "size:>2MB", measure=BYTES),
    Fact("id", "number", "archive", (Column("id", "ids", "whole"),), "id:12", measure=NUMBERS),
    Fact(
        "orientation",
        "orientation",
        "file",
        (_WIDTH, _HEIGHT),
        "orientation:landscape",
        values=("portrait", "landscape", "square", "panorama"),
        values_are="a photo's orientation is",
    ),
    Fact(
        "place",
        "place",
        "metadata",
        (Column("latitude", "latitude", "degrees"), Column("longitude", "longitude", "degrees")),
        "place:unknown",
        read=(
            (
                ExifTag(GPS_IFD, 2, "GPSLatitude"),
                ExifTag(GPS_IFD, 1, "GPSLatitudeRef"),
                ExifTag(GPS_IFD, 4, "GPSLongitude"),
                ExifTag(GPS_IFD, 3, "GPSLongitudeRef"),
            ),
            _xmp("exif:GPSLatitude", "exif:GPSLongitude"),
        ),
        optional=True,
    ),
    Fact(
        "brightness",  # mean luma, 0..255
        "number",
        "file",
        (Column("brightness", "brightness", "whole or none"),),
        "brightness:<60",
        optional=True,
        measure=LUMA,
        possible=(0, 255),
    ),
    Fact(
        "colour",
        "colour",
        "file",
        (Column("colours", "colour", "colours"),),
        "colour:red",
        aliases=("color", "colours", "colors"),
        optional=True,
        values=(*COLOURS, COLOURFUL),
        values_are="the colours are",
        spellings=SPELLINGS,
    ),
)
NAMED: Mapping[str, Fact] = {fact.name: fact for fact in FACTS}

# Facts in the order in which people are shown them.
SORTED_BY = (
    "taken",
    "added",
    "size",
    "width",
    "height",
    "megapixels",
    "iso",
    "focal_length",
    "exposure",
    "f_number",
    "rating",
    "bit_depth",
    "brightness",
    "path",
    "name",
    "id",
)
"""Those that photos can be put in order by."""
COUNTED = (
    *("format", "camera", "lens", "rating", "keyword", "people", "bit_depth", "profile"),
    *("turn", "orientation"),
)
"""Those whose values statistics count."""
SPREAD = tuple(fact.name for fact in FACTS if fact.stops)
"""Numbers of which statistics tell the least, the middle and the greatest, and count them by stops."""
HELD = tuple(fact.name for fact in FACTS if fact.kind in ("prose", "place"))
"""Those of which statistics count the photos that have one at all."""
_EXPORTED = (
    *("taken", "taken_from", "camera", "lens", "iso", "focal_length", "exposure", "f_number", "rating"),
    *("keyword", "people", "title", "description", "place", "format", "width", "height"),
    *("size", "turn", "profile", "bit_depth", "brightness", "colour"),
)
EXPORTED: Mapping[str, Column] = {
    fact.name if len(fact.columns) == 1 else column.name: column
    for fact in (NAMED[name] for name in _EXPORTED)
    for column in fact.columns
}
"""What answers carry into JSON, CSV and Parquet, beside id and path: facts by name, a place by latitude and
longitude in degrees."""

FROM_METADATA = tuple(fact for fact in FACTS if fact.source == "metadata")
METADATA_COLUMNS = tuple(column.name for fact in FROM_METADATA for column in fact.columns)
COLUMNS = tuple(dict.fromkeys(column for fact in FACTS for column in fact.columns))
"""Every column of the catalog that holds a fact."""
INDEXED = tuple(column for column in COLUMNS if column.values not in ASKED_OF_THE_CATALOG)
"""Those of which the index keeps an array; of paths it keeps their order alone."""
