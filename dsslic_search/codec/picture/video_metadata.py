"""What the containers of videos tell of when, where and with what they were taken."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dsslic_search.codec.picture.dates import date_of
from dsslic_search.codec.picture.facts import PROSE_CHARACTERS, PhotoFacts, clean, without_repeats
from dsslic_search.core.fact import FactValue

_DATES = (
    "com.apple.quicktime.creationdate",  # the wall clock's, which none of the others is
    "creation_time",  # UTC
    "date",
)
"""Where a date is, the best first."""
_UTC = frozenset({"creation_time"})
_UNSET = ("1904-01-01", "1970-01-01")  # where MP4 and computers begin to count: nobody set the clock
_CAMERAS = (
    ("com.apple.quicktime.make", "com.apple.quicktime.model"),
    ("com.android.manufacturer", "com.android.model"),
    ("make", "model"),
)
_PLACES = ("com.apple.quicktime.location.ISO6709", "location")
_PLACE = re.compile(
    r"([+-]\d{1,2}(?:\.\d{1,15})?)([+-]\d{1,3}(?:\.\d{1,15})?)(?:[+-/]|CRS|$)"
)  # ISO 6709, degrees
_TITLES = ("com.apple.quicktime.title", "title")
_DESCRIPTIONS = ("com.apple.quicktime.description", "description", "comment")


def facts_of(metadata: Mapping[str, str]) -> PhotoFacts:
    """What the metadata of a container tell, by the catalog's columns; nothing for what is not known. The
    date is that of the first frame; where it comes from stands in "taken_from"."""
    found: dict[str, FactValue] = {}
    for name in _DATES:
        text = metadata.get(name, "")
        date = None if text.startswith(_UNSET) else date_of(text)
        if date is not None:
            found |= {"taken_at": date, "taken_from": f"video {name}{' (UTC)' if name in _UTC else ''}"}
            break
    for make_and_model in _CAMERAS:
        if camera := without_repeats(metadata.get(name, "") for name in make_and_model):
            found["camera"] = camera
            break
    for name in _PLACES:
        place = _PLACE.match(metadata.get(name, ""))
        if place and abs(latitude := float(place[1])) <= 90 and abs(longitude := float(place[2])) <= 180:
            found |= {"latitude": latitude, "longitude": longitude}
            break
    for column, names in (("title", _TITLES), ("description", _DESCRIPTIONS)):
        texts = (clean(metadata.get(name, ""), PROSE_CHARACTERS) for name in names)
        if text := next(filter(None, texts), ""):
            found[column] = text
    return found
