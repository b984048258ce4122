"""Times that are listed: which year each is of, and that those which exclude one another are alternatives."""

from datetime import datetime

import pytest

from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import Query, whole
from dsslic_search.query.language.parse import parse


def query(text: str) -> Query:
    return parse(text, default(), now=datetime(2024, 5, 15, 12))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("march or april 2019", "taken:2019-03 or taken:2019-04"),
        ("december or winter 2019", "taken:2019-12 or taken:2019-12..2020-02"),
        ("5 may or 7 june 2020", "taken:2020-05-05 or taken:2020-06-07"),
        ("summer 2019 or 2020", "taken:2019-06..2019-08 or taken:2020-06..2020-08"),
        ("february 2019, 2020 or 2021", "taken:2019-02 or taken:2020-02 or taken:2021-02"),
        ("2019 and 2021", "taken:2019 or taken:2021"),
        ("sky and 2019 and 2021", "sky and (taken:2019 or taken:2021)"),
        ("sky and summer 2019 or 2020", "sky and (taken:2019-06..2019-08 or taken:2020-06..2020-08)"),
        ("mondays and tuesdays", "weekday:1 or weekday:2"),
    ],
)
def test_times_in_a_list_have_its_year_and_are_alternatives(text: str, plain: str) -> None:
    assert whole(query(text)) == whole(query(plain))


@pytest.mark.parametrize(
    "text",
    [
        "summer and 2020",
        "summer and in 2020",
        "in summer and since 2020",
        "in june and between 2019 and 2021",
        "weekends and mornings",
        "since 2018 and before 2021",
    ],
)
def test_times_that_may_be_one_are_all_asked_for(text: str) -> None:
    one, other = text.split(" and ", 1)
    assert whole(query(text)) == whole(query(f"({one}) and ({other})"))


@pytest.mark.parametrize("text", ["taken:2019 and taken:2021", "month:5 and month:6"])
def test_fields_are_joined_as_they_are_written(text: str) -> None:
    assert " or " not in whole(query(text))


def test_a_year_that_was_given_is_told() -> None:
    assert query("march or april 2019").notes == ("march: read as march 2019",)
    assert query("summer 2019 or 2020").notes == ("2020: read as summer 2020",)


def test_a_feast_that_moves_is_not_moved_by_its_day() -> None:
    assert whole(query("easter 2019 or 2020")) == whole(query("easter 2019 or taken:2020"))
