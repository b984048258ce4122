"""What containers of videos tell, as phones and cameras write it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from dsslic_search.codec.picture.facts import NO_FACTS, facts_of
from dsslic_search.codec.picture.raster import Embedded
from dsslic_search.codec.picture.stripping import Strip
from dsslic_search.codec.picture.video_metadata import facts_of as told_by

APPLE = "com.apple.quicktime."


@pytest.mark.parametrize(
    ("metadata", "facts"),
    [
        ({}, {}),
        (
            {"creation_time": "2021-06-05T12:30:15Z", f"{APPLE}creationdate": "2021-06-05T14:30:15+0200"},
            {"taken_at": datetime(2021, 6, 5, 14, 30, 15), "taken_from": f"video {APPLE}creationdate"},
        ),
        (
            {"creation_time": "2021-06-05T12:30:15.000000Z"},
            {"taken_at": datetime(2021, 6, 5, 12, 30, 15), "taken_from": "video creation_time (UTC)"},
        ),
        ({"creation_time": "1904-01-01T00:00:00.000000Z"}, {}),
        (
            {"creation_time": "1970-01-01T00:00:00.000000Z", "date": "2019"},
            {"taken_at": datetime(2019, 1, 1), "taken_from": "video date"},
        ),
        ({"creation_time": "yesterday"}, {}),
        ({f"{APPLE}make": "Apple", f"{APPLE}model": "iPhone 12"}, {"camera": "Apple iPhone 12"}),
        ({"make": "GoPro", "model": "GoPro HERO9"}, {"camera": "GoPro HERO9"}),
        ({"location": "+48.8583+002.3508/"}, {"latitude": 48.8583, "longitude": 2.3508}),
        ({"location": "-33.8568+151.2153+004.0/"}, {"latitude": -33.8568, "longitude": 151.2153}),
        ({"location": "+4851.5-00221/"}, {}),  # minutes, which ISO 6709 allows and nobody writes
        ({"location": "+99.0+002.0/"}, {}),
        ({"title": " A\nday ", "comment": "by the sea"}, {"title": "A day", "description": "by the sea"}),
    ],
)
def test_what_is_told(metadata: dict[str, str], facts: dict[str, Any]) -> None:
    assert told_by(metadata) == facts


def test_the_container_comes_before_the_name_and_after_the_files_own_metadata() -> None:
    container = told_by({"creation_time": "2021-06-05T12:30:15Z", "location": "+48.8583+002.3508/"})
    found = facts_of(Embedded(), "VID_20190102_030405.mp4", container=container)
    assert (found["taken_at"], found["latitude"]) == (datetime(2021, 6, 5, 12, 30, 15), 48.8583)
    placeless = facts_of(Embedded(), "clip.mp4", strip=Strip.LOCATION, container=container)
    assert (placeless["latitude"], placeless["longitude"]) == (None, None)
    assert facts_of(Embedded(), "clip.mp4", strip=Strip.METADATA, container=container) == NO_FACTS
