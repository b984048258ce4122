"""Hours of the day in running text."""

from datetime import datetime

import pytest

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import whole
from dsslic_search.query.language.parse import parse


def read(text: str) -> str:
    return whole(parse(text, default(), now=datetime(2024, 5, 15, 12)))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("at 5 pm", "hour:17"),
        ("5pm", "hour:17"),
        ("at 12 am", "hour:0"),
        ("at 12:30 p.m.", "hour:12"),
        ("after 6pm", "hour:18..23"),
        ("taken after 18:00", "hour:18..23"),
        ("before 10 am", "hour:0..9"),
        ("before noon", "hour:0..11"),
        ("after midday", "hour:12..23"),
        ("around midnight", "hour:23..0"),
        ("between 8 and 10 am", "hour:8..9"),
        ("from 9 am to 5 pm", "hour:9..16"),
        ("11-1 pm", "hour:11..12"),
        ("10 pm to 2 am", "hour:22..1"),
    ],
)
def test_hours_are_those_that_begin_then(text: str, field: str) -> None:
    assert read(text) == read(field)
    assert read(f"dogs {text}") == read(f"dogs {field}")


@pytest.mark.parametrize(
    "text", ["at 13 pm", "after 25:00", "before midnight am", "before 0:30", "after midnight"]
)
def test_hours_that_there_are_not_are_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text, default())


def test_numbers_without_a_half_of_the_day_are_amounts_as_before() -> None:
    assert read("between 2 and 4 people") == read("2-4 people")
    assert read("between 10 and 40% sky") == read("10-40% sky")
