"""Adjectives are about the noun beside them, and refused where nothing is known of that."""

from __future__ import annotations

import pytest

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import whole
from dsslic_search.query.language.parse import parse


def read(text: str) -> str:
    return whole(parse(text, default()))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("car that is red", "red car"),
        ("car red", "red car"),
        ("a car which is red on a road", "(red car and car on road)"),
        ("flowers red and yellow", "(red flower and yellow flower)"),
        ("cars red or blue", "(red car or blue car)"),
        ("car red and dog", "(red car and dog)"),
        ("car red and blue sea", "(red car and blue sea)"),
        ("red car blue sea", "(red car and blue sea)"),
        ("car blue sea", "(car and blue sea)"),
        ("black and white dogs", "(black dog and white dog)"),
        ("black and white people", '(colour:"black and white" and person)'),
        ("black and white photos of dogs", '(colour:"black and white" and dog)'),
        ("no black and white cats", "not (black cat and white cat)"),
    ],
)
def test_a_colour_is_of_the_noun_beside_it(text: str, meant: str) -> None:
    assert read(text) == meant


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("bright sky", '"bright" is about whole photos: write bright photos of sky'),
        ("dark streets", '"dark" is about whole photos: write dark photos of streets'),
        ("red truck", '"truck" is known of the whole photo, not its colour: leave out "red"'),
        ("two pizzas", '"pizzas" is known of the whole photo, not how many or how much'),
        ("several lighthouses", 'leave out "several"'),
        ("mostly snow", "snow"),
    ],
)
def test_what_is_not_known_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(QueryError, match=sentence):
        read(text)
