"""Facts of files between two bounds, and those that take more than a word."""

import pytest

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import whole
from dsslic_search.query.language.parse import parse

V = default()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("24-70mm", "focal_length:24..70"),
        ("with a 24-70 mm lens", "focal_length:24..70"),
        ("12 to 24 megapixels", "megapixels:12..24"),
        ("between 500 kB and 2 MB", "size:500KB..2MB"),
        ("size between 1 and 5 megabytes", "size:1MB..5MB"),
        ("at f/2 to f/4", "f_number:2..4"),
        ("rating 3 to 5", "rating:3..5"),
        ("under 800 pixels high", "height:<800"),
        ("shutter speed faster than 1/500", "exposure:<1/500"),
        ("exposure longer than 1 s", "exposure:>1"),
        ("exposure 1/60 or slower", "exposure:>=1/60"),
        ("exposure 1/250 or faster", "exposure:<=1/250"),
        ("photos called beach.jpg", "name:beach.jpg"),
    ],
)
def test_facts_are_the_fields_that_say_the_same(text: str, field: str) -> None:
    assert whole(parse(text, V)) == whole(parse(field, V))
    assert whole(parse(f"dogs, {text}", V)) == whole(parse(f"dogs, {field}", V))


@pytest.mark.parametrize("text", ["70-24mm", "f/8 to f/4", "between 5 MB and 1 MB", "5 to 3 stars"])
def test_bounds_that_are_the_wrong_way_round_are_refused(text: str) -> None:
    with pytest.raises(QueryError, match="wrong way round"):
        parse(text, V)


def test_or_between_two_figures_is_no_range_but_of_neighbouring_stars() -> None:
    assert whole(parse("50mm or 85mm", V)) == whole(parse("focal_length:50mm or focal_length:85mm", V))
    assert whole(parse("4 or 5 stars", V)) == whole(parse("rating:4..5", V))


def test_most_before_a_thing_bounds_its_number_and_before_photos_their_list() -> None:
    assert whole(parse("people max 4", V)) == whole(parse("at most 4 people", V))
    assert parse("people, max 4 photos", V).limit == 4
    assert parse("people, max 4", V).limit == 4
