from __future__ import annotations

import pytest

from dsslic_search.core.vocabulary import default
from dsslic_search.query.explain import _outermost, reading
from dsslic_search.query.language.parse import parse


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("(sky or road)", "sky or road"),
        ("((sky or road) and car)", "(sky or road) and car"),
        ("(sky or road) and (car or bus)", "(sky or road) and (car or bus)"),
        ("sky and (car or bus)", "sky and (car or bus)"),
        ("sky", "sky"),
        ("x", "x"),
    ],
)
def test_only_parentheses_around_everything_are_taken_off(text: str, inside: str) -> None:
    assert _outermost(text) == inside


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dog", None),
        ("dog and cat", None),
        ("dog, cat or horse", None),
        ("dog without cars", None),
        ("no people or cars", "not (person or car)"),
        ("dogs or cats without people", "(dog or cat) and not person"),
        ("sky or sea and road", "sky or (sea and road)"),
        ("(no people) or cars", "(not person) or car"),
        ("newest first", None),
    ],
)
def test_a_reading_is_said_where_there_could_be_another(text: str, said: str | None) -> None:
    assert reading(parse(text, default())) == said
