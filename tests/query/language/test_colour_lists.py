"""Colours that are listed before one thing."""

import pytest

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import whole
from dsslic_search.query.language.parse import parse

V = default()


def read(text: str) -> str:
    return whole(parse(text, V))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("red, white or blue car", "red car or white car or blue car"),
        ("red or blue car on the left", "red car on the left or blue car on the left"),
        ("red and blue car on road", "red car on road and blue car on road"),
        ("dog on a red or blue sofa", "dog on a red sofa or dog on a blue sofa"),
        ("black dog on a red or blue sofa", "black dog on a red sofa or black dog on a blue sofa"),
        ("dog and red or blue car", "dog and (red car or blue car)"),
        ("red or blue car and dog", "(red car or blue car) and dog"),
        ("no red or blue cars and no dogs", "not (red cars or blue cars), no dogs"),
    ],
)
def test_each_colour_is_of_the_thing_where_it_is(text: str, plain: str) -> None:
    assert read(text) == read(plain)


def test_colours_without_a_thing_or_without_a_joiner_are_of_the_photo() -> None:
    assert read("red, green or blue") == read("colour:red or colour:green or colour:blue")
    assert read("red, blue sky") == read("colour:red and (blue sky)")


def test_two_lists_in_a_relation_are_refused() -> None:
    with pytest.raises(QueryError, match="paired in many ways"):
        parse("red or blue car next to a white or black house", V)
