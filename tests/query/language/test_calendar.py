"""Times in plain words: seasons, feasts, weekends, mornings; and times that come again."""

from datetime import datetime

import pytest

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import Recurring, whole
from dsslic_search.query.language.parse import parse

NOW = datetime(2024, 5, 15, 12)  # a Wednesday


def read(text: str, *, now: datetime = NOW, south: bool = False) -> str:
    return whole(parse(text, default(), now=now, south=south))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021", "taken:2021"),
        ("2018-2020", "taken:2018..2020"),
        ("early 2021", "taken:2021..2021-04"),
        ("late 2021", "taken:2021-09..2021"),
        ("second half of 2021", "taken:2021-07..2021"),
        ("june", "month:6"),
        ("june to august 2022", "taken:2022-06..2022-08"),
        ("november to february", "month:11..2"),
        ("15 may 2021", "taken:2021-05-15"),
        ("15.05.2021", "taken:2021-05-15"),
        ("15/05/2021", "taken:2021-05-15"),
        ("05/15/2021", "taken:2021-05-15"),
        ("05/05/2021", "taken:2021-05-05"),
        ("2021-05", "taken:2021-05"),
        ("summer", "month:6..8"),
        ("winter", "month:12..2"),
        ("winter of 2021", "taken:2021-12..2022-02"),
        ("last summer", "taken:2023-06..2023-08"),
        ("this summer", "taken:2024-06..2024-08"),
        ("last winter", "taken:2023-12..2024-02"),
        ("this spring", "taken:2024-03..2024-05"),
        ("christmas 2022", "taken:2022-12-24..2022-12-26"),
        ("last christmas", "taken:2023-12-24..2023-12-26"),
        ("christmas eve", "day:12-24"),
        ("new year's eve 2023", "taken:2023-12-31"),
        ("easter 2023", "taken:2023-04-07..2023-04-10"),
        ("easter 2038", "taken:2038-04-23..2038-04-26"),
        ("thanksgiving 2023", "taken:2023-11-23"),
        ("3 days ago", "taken:2024-05-12"),
        ("two weeks ago", "taken:2024-04-29..2024-05-05"),
        ("a month ago", "taken:2024-04"),
        ("5 months ago", "taken:2023-12"),
        ("2 years ago", "taken:2022"),
        ("last weekend", "taken:2024-05-11..2024-05-12"),
        ("this weekend", "taken:2024-05-18..2024-05-19"),
        ("on sundays", "weekday:7"),
        ("weekdays", "weekday:1..5"),
        ("in the evening", "hour:18..22"),
        ("the 90s", "taken:1990..1999"),
        ("the 10s", "taken:2010..2019"),
        ("in the eighties", "taken:1980..1989"),
        ("on this day", "day:05-15"),
        ("recent photos", "taken:2024-04-16..2024-05-15"),
        ("hour:22..4", "hour:22..4"),
        ("day:12-24..01-06", "day:12-24..01-06"),
        ("not in 2020 or 2021", "not (taken:2020 or taken:2021)"),
    ],
)
def test_times_in_plain_words(text: str, expected: str) -> None:
    assert read(text) == expected
    assert read(expected) == expected


def test_the_seasons_of_the_south() -> None:
    assert read("summer", south=True) == "month:12..2"
    assert read("winter 2022", south=True) == "taken:2022-06..2022-08"
    assert read("last summer", now=datetime(2024, 1, 5), south=True) == "taken:2022-12..2023-02"


def test_a_winter_goes_on_in_the_next_year() -> None:
    january = datetime(2024, 1, 10)
    assert read("this winter", now=january) == "taken:2023-12..2024-02"
    assert read("last winter", now=january) == "taken:2022-12..2023-02"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("05/06/2021", "write 2021-05-06 or 2021-06-05"),
        ("30.02.2021", "no day 30 of month 2"),
        ("easter", "write its year"),
        ("2020-2018", "wrong way round"),
        ("august to june 2022", "wrong way round"),
        ("month:13", "from 1 to 12"),
        ("day:12", "as in day:12-24..12-26"),
        ("limit:0", "from 1 to"),
        ("count:sky", "counted by"),
        ("top 10 limit:5", "one number only"),
        ("top 10 or sky", "for the whole query"),
    ],
)
def test_errors(text: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        read(text)


def test_times_that_come_again() -> None:
    assert parse("month:12..2", default()).tree == Recurring("month", 12, 2, "month:12..2")
