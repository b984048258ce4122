"""Dates as photos' metadata and the names of their files write them: the wall clock where the photo was
taken, whatever the time zone, to the second."""

from __future__ import annotations

import re
from datetime import datetime

_AFTERNOON = r"(?:\s?([AaPp])\.?\s?[Mm]\b)?"
_HALVES = dict.fromkeys(("上午", "早上", "午前", "오전"), "a") | dict.fromkeys(
    ("下午", "晚上", "午後", "오후"), "p"
)
"""What China, Japan and Korea put before the hour."""
_WRITTEN = re.compile(
    r"\s*(\d{4})(?!\d)(?:[:\-/. ]\s?(\d{1,2})(?!\d)(?:[:\-/. ]\s?(\d{1,2})(?!\d)"
    r"(?:[T ]\s*(\d{1,2})([:.\-])\s?(\d{1,2})(?!\d)(?:\5\s?(\d{1,2})(?!\d))?(?:[.,]\d*)?"
    + _AFTERNOON
    + ")?)?)?"
)
_IN_CHARACTERS = re.compile(
    r"\s*(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일号]"
    rf"(?:\s*({'|'.join(_HALVES)})?\s?(\d{{1,2}})\s?[:时時시点點]\s?(\d{{1,2}})(?:\s?[:分분]\s?(\d{{1,2}})?)?)?"
)
_PACKED = re.compile(r"\s*(\d{4})(\d\d)(\d\d)(?:[T ]?(\d\d):?(\d\d):?(\d\d)?)?(?!\d)")

# In a name the parts of a date stand together, or apart by one and the same sign; so do those of a time
# behind it. Together they may be one number, with thousandths of a second. Letters right behind a number make
# it part of a longer word, as of a checksum.
_DATES_IN_NAMES = (
    re.compile(r"(?<!\d)(?P<year>(?:1[89]|20)\d\d)([-_.])(?P<month>\d\d)\2(?P<day>\d\d)(?!\d)"),
    re.compile(
        r"(?<!\d)(?P<year>(?:19[7-9]|20\d)\d)(?P<month>\d\d)(?P<day>\d\d)(?=T\d|[\W_]|$|\d{6}(?:\d{3})?(?!\d))"
    ),
)
_TIME_IN_NAME = re.compile(
    rf"(?:[-_. T]{{0,3}}|[-_ ](?P<half>{'|'.join(_HALVES)})\s?"
    r"|\s(?:[^\W\d_]{1,5}\.?\s){1,2})"  # signs, or words such as "at", "um", "a las"
    r"(\d\d?)([-_.:h]?)(\d\d)\3(\d\d)(?:\d{3})?(?!\d)" + _AFTERNOON
)


def date_of(text: str) -> datetime | None:
    """The date that a text begins with, as EXIF, XMP or IPTC write it: "2021:06:05 14:30:15", padded or not
    (with zeros or spaces), without seconds, with fractions of them, in ISO 8601, packed as "20210605", or as
    "2021年6月5日 下午2:30". A month, day or time that is not said, or said to be 0, is the first. None for
    what is no date, and for one that cannot be."""
    if found := _PACKED.match(text):
        return _moment(*found.groups())
    if found := _IN_CHARACTERS.match(text):
        year, month, day, before, hour, minute, second = found.groups()
        return _moment(year, month, day, hour, minute, second, _HALVES.get(before))
    found = _WRITTEN.match(text)
    if found is None:
        return None
    year, month, day, hour, _, minute, second, half = found.groups()
    if month is None and text[found.end() : found.end() + 1].isalpha():  # the number of something else
        return None
    return _moment(year, month, day, hour, minute, "59" if second == "60" else second, half)  # a leap second


def date_in_name(name: str) -> datetime | None:
    """The date in the name of a photo's file, as phones, messengers and screenshots write it
    ("IMG-20210605-WA0001", "PXL_20210605_123456789", "Screenshot 2021-06-05 at 12.34.56"); the first that
    can be, and the start of its day where no time stands behind it. ``name``: without folders."""
    for pattern in _DATES_IN_NAMES:
        for found in pattern.finditer(name):
            day = found["year"], found["month"], found["day"]
            if (date := _moment(*day)) is not None:
                return _moment(*day, *_time_at(name, found.end())) or date
    return None


def _time_at(name: str, end: int) -> tuple[str | None, ...]:
    """Hour, minute, second and "a" or "p" that stand in a name from some character on; none, if no time
    does."""
    found = _TIME_IN_NAME.match(name, end)
    if found is None:
        return ()
    before, hour, between, minute, second, half = found.groups()
    return (hour, minute, second, half or _HALVES.get(before)) if between or len(hour) == 2 else ()


def _moment(
    year: str,
    month: str | None = None,
    day: str | None = None,
    hour: str | None = None,
    minute: str | None = None,
    second: str | None = None,
    half: str | None = None,
) -> datetime | None:
    hours = int(hour or 0)
    if hours == 24:  # of cameras that count 1 to 24, as "kk" of Java's dates does: the day's first hour
        hours = 0
    if half:
        if hours > 12:
            return None
        hours = hours % 12 + (12 if half in "Pp" else 0)
    try:
        return datetime(
            int(year), int(month or 0) or 1, int(day or 0) or 1, hours, int(minute or 0), int(second or 0)
        )
    except ValueError:
        return None
