"""The entries of facts are sound, and every place that goes by them has what they name."""

from __future__ import annotations

from typing import get_args

import pytest
from PIL import ExifTags

from dsslic_search.archive.schema import Photo
from dsslic_search.core import fields
from dsslic_search.core.fact import ExifTag, Fact, Values
from dsslic_search.core.fields import FACTS, NAMED
from dsslic_search.core.kinds import KeepMode

FACT = pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)


def test_every_name_is_that_of_one_fact() -> None:
    names = [name for fact in FACTS for name in (fact.name, *fact.aliases)]
    assert len(names) == len(set(names))
    assert {name: fact.name for name, fact in NAMED.items()} == {fact.name: fact.name for fact in FACTS}


@FACT
def test_a_fact_says_what_its_kind_needs(fact: Fact) -> None:
    assert (fact.measure is not None) == (fact.kind == "number")
    assert bool(fact.read) == (fact.source == "metadata" and fact.name != "taken_from")
    assert all(tags for tags in fact.read)
    assert bool(fact.values) == bool(fact.values_are)
    assert fact.columns or fact.kind in ("tag", "shown")
    assert fact.example.startswith(f"{fact.name}:")
    own = {"text": "text", "word": "text", "date": "date", "words": "words", "prose": "prose"}
    if fact.kind in own:
        assert [column.values for column in fact.columns] == [own[fact.kind]]


@FACT
def test_the_catalog_has_its_columns(fact: Fact) -> None:
    table = Photo.__table__.columns
    if fact.kind == "texts":  # all there are, which other facts keep
        assert {column.name for column in fact.columns} <= {
            c.name for f in FACTS if f != fact for c in f.columns
        }
        return
    for column in fact.columns:
        assert table[column.name].nullable == fact.optional


def test_columns_and_arrays_have_one_name_each() -> None:
    for names in ([c.name for c in fields.COLUMNS], [c.array for c in fields.COLUMNS]):
        assert len(names) == len(set(names))
    assert {c.values for c in fields.COLUMNS} == set(get_args(Values))


OTHER_NAMES = {0x8827: ("PhotographicSensitivity",)}  # the standard renamed it


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        (
            "taken",
            [ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized, ExifTags.Base.DateTime],
        ),
        ("camera", [ExifTags.Base.Make, ExifTags.Base.Model]),
        ("lens", [ExifTags.Base.LensModel]),
        (
            "iso",
            [ExifTags.Base.ISOSpeedRatings, ExifTags.Base.RecommendedExposureIndex, ExifTags.Base.ISOSpeed],
        ),
        ("focal_length", [ExifTags.Base.FocalLength]),
        ("exposure", [ExifTags.Base.ExposureTime]),
        ("f_number", [ExifTags.Base.FNumber]),
        ("rating", [ExifTags.Base.Rating]),
        ("title", [ExifTags.Base.XPTitle]),
        ("description", [ExifTags.Base.ImageDescription, ExifTags.Base.XPComment]),
        (
            "place",
            [
                ExifTags.GPS.GPSLatitude,
                ExifTags.GPS.GPSLatitudeRef,
                ExifTags.GPS.GPSLongitude,
                ExifTags.GPS.GPSLongitudeRef,
            ],
        ),
    ],
)
def test_tags_are_those_of_the_standard(name: str, tags: list[int]) -> None:
    read = [tag for tags in NAMED[name].read for tag in tags if isinstance(tag, ExifTag)]
    assert [tag.number for tag in read] == tags
    directories = {"camera": 0, "rating": 0, "title": 0, "description": 0, "place": ExifTags.IFD.GPSInfo}
    main = {ExifTags.Base.DateTime}
    for tag in read:
        assert tag.directory == (0 if tag.number in main else directories.get(name, ExifTags.IFD.Exif))
        names = ExifTags.GPS if name == "place" else ExifTags.Base
        assert tag.name in (names(tag.number).name, *OTHER_NAMES.get(tag.number, ()))


def test_what_people_are_shown_is_there() -> None:
    assert set(fields.SORTED_BY) <= {fact.name for fact in FACTS if fact.kind in ("date", "number", "path")}
    counted = {"text", "word", "words", "number", "orientation"}
    assert all(NAMED[name].kind in counted for name in fields.COUNTED)
    assert all(list(fact.stops) == sorted(set(fact.stops)) for fact in FACTS)
    assert fields.SPREAD == ("iso", "focal_length", "exposure", "f_number")
    assert fields.HELD == ("title", "description", "place")
    numbers = {"whole or none", "number or none"}
    assert all(NAMED[name].columns[0].values in numbers for name in fields.SPREAD)
    places = ("latitude", "longitude")
    assert all(name in places or NAMED[name].columns == (c,) for name, c in fields.EXPORTED.items())
    assert tuple(fields.EXPORTED[name] for name in places) == NAMED["place"].columns
    assert not {"rank", "id", "path", "score", "coverage"} & set(fields.EXPORTED)


def test_photos_are_kept_in_every_mode_there_is() -> None:
    assert NAMED["keep"].values == tuple(KeepMode)
