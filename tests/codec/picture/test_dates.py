"""Dates in metadata and in the names of files."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.codec.picture.dates import date_in_name, date_of

NOON = datetime(2021, 6, 5, 12, 34, 56)
DAY = datetime(2021, 6, 5)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2021:06:05 12:34:56", NOON),
        ("2021:06:05 12:34", datetime(2021, 6, 5, 12, 34)),
        ("2021:6:5 4:3:9", datetime(2021, 6, 5, 4, 3, 9)),
        ("2021-06-05T12:34:56.789+02:00", NOON),
        ("2021-06-05T12:34:56Z", NOON),
        ("2021-06-05T12:34+02:00", datetime(2021, 6, 5, 12, 34)),
        ("2021/06/05 12:34:56 PM", NOON),
        ("2021/06/05 12:34:56 am", datetime(2021, 6, 5, 0, 34, 56)),
        ("2021.06.05 12.34.56", NOON),
        ("2021:06:05 12-34-56", NOON),
        ("2021:06: 5  4: 3: 9", datetime(2021, 6, 5, 4, 3, 9)),
        ("2016:12:31 23:59:60", datetime(2016, 12, 31, 23, 59, 59)),  # a leap second
        ("20210605 123456", NOON),
        ("20210605123456+0200", NOON),
        ("2021:06:05", DAY),
        ("2021:06:05   :  :  ", DAY),
        ("20210605", DAY),
        ("2021-06", datetime(2021, 6, 1)),
        ("2021", datetime(2021, 1, 1)),
        ("19900000", datetime(1990, 1, 1)),  # IPTC: month and day are not known
        ("2021:00:00 00:00:00", datetime(2021, 1, 1)),
        ("2021:06:05 24:34:56", datetime(2021, 6, 5, 0, 34, 56)),  # hours of 1 to 24
        ("2021年06月05日 12:34:56", NOON),
        ("2021年6月5日 下午0:34", datetime(2021, 6, 5, 12, 34)),
        ("2021年6月5日 下午2:30", datetime(2021, 6, 5, 14, 30)),
        ("2021年06月05日 12時34分56秒", NOON),
        ("2021년 6월 5일 오전 4:03:09", datetime(2021, 6, 5, 4, 3, 9)),
        ("2021年06月05日", DAY),
    ],
)
def test_dates_as_metadata_write_them(text: str, date: datetime) -> None:
    assert date_of(text) == date


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "0000:00:00 00:00:00", "    :  :     :  :  ", "2020:13:01 00:00:00",
        "2021:02:30 10:00:00", "2021:06:05 25:00:00", "2021:06:05 10:61:00", "2021-06-05 13:00 pm",
        "12345", "00000000", "2021年", "2021er",
    ],
)  # fmt: skip
def test_what_is_no_date_or_cannot_be(text: str) -> None:
    assert date_of(text) is None


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot_20210605-123456.png", "PXL_20210605_123456789.MP.jpg", "2021-06-05 12.34.56.jpg",
        "Screenshot 2021-06-05 at 12.34.56.png", "Screen Shot 2021-06-05 at 12.34.56 PM.png",
        "Bildschirmfoto 2021-06-05 um 12.34.56.png", "Capture d’écran 2021-06-05 à 12.34.56.png",
        "Captura de pantalla 2021-06-05 a las 12.34.56.png",
        "WhatsApp Image 2021-06-05 at 12.34.56 (1).jpeg", "signal-2021-06-05-123456.jpg",
        "20210605_123456.jpg", "20210605_123456(0).jpg", "IMG_20210605_123456_1.jpg",
        "Screenshot_2021-06-05-12-34-56-123_com.app.jpg", "WIN_20210605_12_34_56_Pro.jpg",
        "IMG20210605123456.jpg", "photo_2021-06-05_12-34-56.jpg", "20210605T123456.jpg",
        "IMG_20210605_123456789_HDR.jpg",
    ],
)  # fmt: skip
def test_names_that_tell_the_second(name: str) -> None:
    assert date_in_name(name) == NOON


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("IMG-20210605-WA0001.jpg", DAY),
        ("20210605_1234.jpg", DAY),
        ("20210605_998877.jpg", DAY),  # no time, a number
        ("2021.06.05.jpg", DAY),
        ("a 20210230 20210605.jpg", DAY),  # the first that can be
        ("1954-07-01 garden.jpg", datetime(1954, 7, 1)),
        ("Screen Shot 2021-06-05 at 1.02.03 PM.png", datetime(2021, 6, 5, 13, 2, 3)),
        ("Screenshot 2021-06-05 at 1.02.03\u202fAM.png", datetime(2021, 6, 5, 1, 2, 3)),
        ("Captura de pantalla 2021-06-05 a las 1.02.03 p.\u202fm..png", datetime(2021, 6, 5, 13, 2, 3)),
        ("截屏2021-06-05 下午1.02.03.png", datetime(2021, 6, 5, 13, 2, 3)),
        ("스크린샷 2021-06-05 오후 1.02.03.png", datetime(2021, 6, 5, 13, 2, 3)),
        ("スクリーンショット 2021-06-05 午前1.02.03.png", datetime(2021, 6, 5, 1, 2, 3)),
        ("IMG_0001.jpg", None),
        ("1622896496123.jpg", None),
        ("20129999.jpg", None),
        ("120210605.jpg", None),
        ("20210605abc.jpg", None),  # of a checksum
        ("2021-06.jpg", None),
        ("", None),
    ],
)
def test_names_that_tell_less(name: str, date: datetime | None) -> None:
    assert date_in_name(name) == date


@given(st.text(alphabet="0123456789-_.: TaPM", max_size=40))
def test_any_text_has_a_date_or_none(text: str) -> None:
    for found in (date_of(text), date_in_name(text)):
        assert found is None or found.tzinfo is None
