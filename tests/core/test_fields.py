"""The entries of facts are sound, and every place that goes by them has what they name."""

from __future__ import annotations

from typing import get_args

import pytest
from PIL import ExifTags

from dsslic_search.archive.schema import Photo
from dsslic_search.core import fields
from dsslic_search.core.fields import FACTS, NAMED, Fact
from dsslic_search.core.kinds import KeepMode

FACT = pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)


def test_every_name_is_that_of_one_fact() -> None:
    names = [name for fact in FACTS for name in (fact.name, *fact.aliases)]
    assert len(names) == len(set(names))
    assert {name: fact.name for name, fact in NAMED.items()} == {fact.name: fact.name for fact in FACTS}


@FACT
def test_a_fact_says_what_its_kind_needs(fact: Fact) -> None:
    assert (fact.measure is not None) == (fact.kind == "number")
    assert bool(fact.exif) == (fact.source == "EXIF")
    assert bool(fact.values) == bool(fact.values_are)
    assert fact.columns or fact.kind == "tag"
    assert fact.example.startswith(f"{fact.name}:")
    if fact.kind in ("text", "word", "date"):
        assert [column.values for column in fact.columns] == ["date" if fact.kind == "date" else "text"]


@FACT
def test_the_catalog_has_its_columns(fact: Fact) -> None:
    table = Photo.__table__.columns
    for column in fact.columns:
        assert table[column.name].nullable == fact.optional


def test_columns_and_arrays_have_one_name_each() -> None:
    for names in ([c.name for c in fields.COLUMNS], [c.array for c in fields.COLUMNS]):
        assert len(names) == len(set(names))
    assert {c.values for c in fields.COLUMNS} == set(get_args(fields.Values))


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("taken", [ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized]),
        ("camera", [ExifTags.Base.Make, ExifTags.Base.Model]),
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
    assert [tag.number for tag in NAMED[name].exif] == tags
    directory = {"taken": ExifTags.IFD.Exif, "camera": 0, "place": ExifTags.IFD.GPSInfo}
    assert {tag.directory for tag in NAMED[name].exif} == {directory.get(name, ExifTags.IFD.Exif)}


def test_what_people_are_shown_is_there() -> None:
    assert set(fields.SORTED_BY) <= {fact.name for fact in FACTS if fact.kind in ("date", "number", "path")}
    assert all(NAMED[name].columns[0].values == "text" for name in fields.COUNTED)
    assert all(len(NAMED[name].columns) == 1 for name in fields.EXPORTED)
    assert not {"rank", "id", "path", "score", "coverage"} & set(fields.EXPORTED)


def test_photos_are_kept_in_every_mode_there_is() -> None:
    assert NAMED["keep"].values == tuple(KeepMode)
