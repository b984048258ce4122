"""Dates: values of taken: and added:, and the phrases of running text."""

import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import Period, written
from dsslic_search.query.language.parse import parse

V = default()
NOW = datetime(2024, 5, 15, 23, 30)  # a Wednesday


def period(text: str, now: datetime = NOW) -> Period:
    found = parse(text, V, now=now).tree
    assert isinstance(found, Period)
    return found


def day(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("value", "start", "end", "says"),
    [
        ("2023", "2023-01-01", "2024-01-01", "2023"),
        ("2023-06", "2023-06-01", "2023-07-01", "2023-06"),
        ("2023-12", "2023-12-01", "2024-01-01", "2023-12"),
        ("2023-06-05", "2023-06-05", "2023-06-06", "2023-06-05"),
        ("2023-6-5", "2023-06-05", "2023-06-06", "2023-06-05"),
        ("2023/06/05", "2023-06-05", "2023-06-06", "2023-06-05"),
        ("2024-02-29", "2024-02-29", "2024-03-01", "2024-02-29"),
        ("2023-06..2023-09", "2023-06-01", "2023-10-01", "2023-06..2023-09"),
        ("2023..2023-06-05", "2023-01-01", "2023-06-06", "2023..2023-06-05"),
        ("2023-01..2023-12", "2023-01-01", "2024-01-01", "2023"),
        ("..2020", None, "2021-01-01", "..2020"),
        ("2020..", "2020-01-01", None, "2020.."),
        ("2020-05-03..", "2020-05-03", None, "2020-05-03.."),
        (">2020", "2021-01-01", None, "2021.."),
        (">=2020-05", "2020-05-01", None, "2020-05.."),
        ("<2020", None, "2020-01-01", "..2019"),
        ("≤2020-05", None, "2020-06-01", "..2020-05"),
        ("=2020", "2020-01-01", "2021-01-01", "2020"),
        ("june-2023", "2023-06-01", "2023-07-01", "2023-06"),
        ('"June 2023"', "2023-06-01", "2023-07-01", "2023-06"),
        ("5-jun-2023", "2023-06-05", "2023-06-06", "2023-06-05"),
        ("1990s", "1990-01-01", "2000-01-01", "1990..1999"),
        ("today", "2024-05-15", "2024-05-16", "2024-05-15"),
        ("yesterday", "2024-05-14", "2024-05-15", "2024-05-14"),
        ("this-week", "2024-05-13", "2024-05-20", "2024-05-13..2024-05-19"),
        ("last_week", "2024-05-06", "2024-05-13", "2024-05-06..2024-05-12"),
        ('"this month"', "2024-05-01", "2024-06-01", "2024-05"),
        ("last-month", "2024-04-01", "2024-05-01", "2024-04"),
        ("this-year", "2024-01-01", "2025-01-01", "2024"),
        ("last-year", "2023-01-01", "2024-01-01", "2023"),
        ("1d", "2024-05-15", "2024-05-16", "2024-05-15"),
        ("7d", "2024-05-09", "2024-05-16", "2024-05-09..2024-05-15"),
        ("2w", "2024-05-02", "2024-05-16", "2024-05-02..2024-05-15"),
        ("3m", "2024-02-15", "2024-05-16", "2024-02-15..2024-05-15"),
        ("1000d", "2021-08-20", "2024-05-16", "2021-08-20..2024-05-15"),
        ("1y", "2023-05-15", "2024-05-16", "2023-05-15..2024-05-15"),
        ("last-10-days", "2024-05-06", "2024-05-16", "2024-05-06..2024-05-15"),
        ("2024-01..today", "2024-01-01", "2024-05-16", "2024..2024-05-15"),
    ],
)
def test_values(value: str, start: str | None, end: str | None, says: str) -> None:
    found = period(f"taken:{value}")
    assert found == Period("taken", day(start), day(end), f"taken:{says}")
    assert period(found.says) == found
    assert period(f"date: {value}") == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("before 2020", "..2019"),
        ("before june 2020", "..2020-05"),
        ("after 2019-05", "2019-06.."),
        ("after 2019-05-31", "2019-06.."),
        ("since 2019", "2019.."),
        ("until 2019", "..2019"),
        ("in 2020", "2020"),
        ("in the 1990s", "1990..1999"),
        ("in June 2020", "2020-06"),
        ("june 2020", "2020-06"),
        ("during 2019", "2019"),
        ("on 2020-05-12", "2020-05-12"),
        ("on 12 june 2020", "2020-06-12"),
        ("on June 12th, 2020", "2020-06-12"),
        ("from 2019", "2019"),
        ("from 2019 on", "2019.."),
        ("from 2019 onwards", "2019.."),
        ("from 2019 to 2021", "2019..2021"),
        ("from may 2019 until 2021-03-02", "2019-05..2021-03-02"),
        ("between 2019 and 2021", "2019..2021"),
        ("taken in 2021", "2021"),
        ("taken 2021", "2021"),
        ("photos taken on the 2021-03-02", "2021-03-02"),
        ("yesterday", "2024-05-14"),
        ("taken this week", "2024-05-13..2024-05-19"),
        ("in the last 7 days", "2024-05-09..2024-05-15"),
        ("past 2 weeks", "2024-05-02..2024-05-15"),
        ("since last month", "2024-04.."),
    ],
)
def test_running_text(text: str, says: str) -> None:
    assert period(text).says == f"taken:{says}"
    assert written(parse(f"cars {text}", V, now=NOW).tree or period("")) == f"(car and taken:{says})"


@pytest.mark.parametrize(
    "text",
    ["added today", "added in 2024", "added since last week", "added:today", "added in the last 3 months"],
)
def test_added_is_another_column(text: str) -> None:
    assert period(text).field == "added"


def test_days_of_added_are_local_and_stored_in_utc() -> None:
    now = datetime(2024, 5, 15, 23, 30, tzinfo=timezone(timedelta(hours=2)))
    assert period("added:today", now) == Period(
        "added", datetime(2024, 5, 14, 22), datetime(2024, 5, 15, 22), "added:2024-05-15"
    )
    assert period("taken:today", now) == Period(
        "taken", datetime(2024, 5, 15), datetime(2024, 5, 16), "taken:2024-05-15"
    )
    assert period("added:2020..", now).start == datetime(2019, 12, 31, 22)


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("new_york")
def test_without_a_time_zone_the_machine_s_is_meant_and_summer_time_too() -> None:
    assert period("added:2024-01-01..2024-07-01") == Period(
        "added", datetime(2024, 1, 1, 5), datetime(2024, 7, 2, 4), "added:2024..2024-07-01"
    )
    assert period("taken:2024-01-01").start == datetime(2024, 1, 1)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("taken:2023-13", 6, "there is no month 13"),
        ("road taken:2023-02-30", 11, "February 2023 has no day 30, only 28 days"),
        ("taken:2023-04-00", 6, "no day 0"),
        ("taken:1700", 6, "a year from 1800 to 2199"),
        ("taken:20233", 6, "a date belongs here"),
        ("taken:2019-2021", 6, "a date belongs here"),
        ("taken:summer", 6, "a date belongs here"),
        ("taken:..", 6, "one side at least"),
        ("taken:2023-09..2023-06", 6, "wrong way round"),
        ("taken:2024..2023", 6, "wrong way round"),
        ("taken:2023-06-02..2023-06-01", 6, "wrong way round"),
        ("taken:2023..x", 6, "a date belongs here"),
        ("taken:this week", 6, "a date belongs here"),
        ("added:0d", 6, "from 1 to 1000"),
        ("added:1001d", 6, "from 1 to 1000"),
        ("added:900y", 6, "before 1800"),
        ("taken:", 0, "needs a value"),
        ("sky, before 2023-13", 5, "there is no month 13"),
        ("from 2021 to 2019", 0, "wrong way round"),
        ("after june", 0, "a month needs its year: write after june 2024"),
        ("after lunch", 0, "needs a date"),
        ("added to the sky", 0, "needs a date"),
        ("cars since", 5, "needs a date"),
    ],
)
def test_errors_say_where_and_what_to_do(text: str, position: int, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, V, now=NOW)
    assert says in str(caught.value).split("\n")[0]
    assert caught.value.position == position


@pytest.mark.parametrize(
    "text",
    [
        "person before house",
        "person in water",
        "person on horse",
        "sky between 10% and 20%",
        "between 10 and 20 cars",
    ],
)
def test_words_that_begin_dates_keep_their_other_meaning(text: str) -> None:
    assert not isinstance(parse(text, V).tree, Period)


DAYS = st.dates(date(1801, 1, 2), date(2198, 12, 30))


@given(
    DAYS,
    st.sampled_from(
        ["today", "yesterday", "this-week", "last-week", "last-month", "this-year", "7d", "40w", "11m", "5y"]
    ),
)
def test_relative_dates_of_any_day(today: date, value: str) -> None:
    now = datetime.combine(today, datetime.max.time())
    try:
        found = period(f"taken:{value}", now)
    except QueryError:
        assert today.year < 1810
        return
    assert found.start is not None and found.end is not None
    assert found.start < found.end <= datetime.combine(today, datetime.min.time()) + timedelta(366)
    assert period(found.says, now) == found


@given(DAYS, DAYS)
def test_any_two_days_make_a_period_that_is_written_shortly_and_means_the_same(
    first: date, last: date
) -> None:
    first, last = sorted((first, last))
    found = period(f"taken:{first}..{last}")
    assert (found.start, found.end) == (
        datetime.combine(first, datetime.min.time()),
        datetime.combine(last + timedelta(1), datetime.min.time()),
    )
    assert period(found.says) == found
    assert len(found.says) <= len(f"taken:{first}..{last}")
