"""Places without a thing of their own: what they are about."""

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
        ("dogs on the sofa or on the bed", "dogs on the sofa or dogs on the bed"),
        ("dogs on the sofa, or on the bed", "dogs on the sofa or dogs on the bed"),
        ("red car on the left or on the road", "red car on the left or red car on the road"),
        (
            "red or blue car on road or on grass",
            "red car on road or blue car on road or red car on grass or blue car on grass",
        ),
        ("2 dogs on the bed and on the left", "2 dogs on the bed and 2 dogs on the left"),
        ("car left or right of a dog", "car left of a dog or car right of a dog"),
        ("car on the left or to the right of a dog", "car left of a dog or car right of a dog"),
        ("cat and dog on a bed or on a sofa", "cat and ((dog on a bed) or (dog on a sofa))"),
        ("cat and (dog on a bed or on a sofa)", "cat and ((dog on a bed) or (dog on a sofa))"),
        ("person standing on the left or sitting on a bed", "person on the left or person on a bed"),
        ("person on the road but not on grass", "person on the road but no person on grass"),
        ("no dog on the left or right", "not (dog on the left or dog on the right)"),
    ],
)
def test_a_place_is_about_the_thing_before_the_place_that_it_is_joined_to(text: str, plain: str) -> None:
    assert read(text) == read(plain)


@pytest.mark.parametrize(
    "text", ["dog or on a sofa", "dog, sky > 30% and on a sofa", "like #1 or on a sofa", "(dog) or on a sofa"]
)
def test_a_place_behind_something_else_needs_its_thing(text: str) -> None:
    with pytest.raises(QueryError, match="needs a thing before it"):
        parse(text, V)


@pytest.mark.parametrize("more", ["cats on the road", "2 cats", "a red cat", "cats"])
def test_what_has_a_thing_of_its_own_keeps_it(more: str) -> None:
    assert "dog" not in read(f"sky and {more}")
    assert read(f"dogs on the left and {more}").count("dog") == 1
