"""The table of nouns is found in without being read, and is in order."""

from __future__ import annotations

import pytest

from dsslic_search.core.nouns import TABLE, Noun, Nouns, nouns
from dsslic_search.core.text import normal
from dsslic_search.core.vocabulary import default
from dsslic_search.core.wordnet import image_words

SMALL = Nouns(
    b"# a licence\nbaguette\t=n07679356\nbaker\tperson\ngiraffe\t?animal\nkitchen\t=n1,n2\n"
    b"love\t?\nmice\t/mouse\nmouse\t?animal\n"
)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["baguette"], Noun("baguette", 1, identities=("n07679356",))),
        (["bakers", "and"], Noun("baker", 1, kind="person")),
        (["giraffes"], Noun("giraffe", 1, hint="animal")),
        (["kitchen", "table"], Noun("kitchen", 1, identities=("n1", "n2"))),
        (["love"], Noun("love", 1)),
        (["mice"], Noun("mouse", 1, hint="animal")),
        (["bake"], None),
        (["bagu"], None),
        (["zoo"], None),
        (["a"], None),
    ],
)
def test_a_noun_is_found_in_the_singular_and_the_plural(words: list[str], found: Noun | None) -> None:
    assert SMALL.first_of(words) == found


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("lighthouses", "lighthouse"),
        ("policemen", "policeman"),
        ("strawberries", "strawberry"),
        ("torches", "torch"),
        ("paintbrushes", "paintbrush"),
        ("foxes", "fox"),
        ("wolves", "wolf"),
        ("potatoes", "potato"),
        ("mice", "mouse"),
    ],
)
def test_plurals_are_known(plural: str, singular: str) -> None:
    found = nouns().first_of([plural])
    assert found == nouns().first_of([singular])
    assert found is not None
    assert found.noun == singular


def test_of_several_words_the_longest_noun_counts() -> None:
    found = nouns().first_of(["traffic", "lights", "and"])
    assert found is not None
    assert (found.noun, found.words) == ("traffic light", 2)


def test_places_and_nouns_by_their_beginning() -> None:
    assert list(SMALL.places()) == ["kitchen"]
    assert list(SMALL.beginning("bak")) == ["baker"]
    assert list(SMALL.beginning("gir")) == []  # only a hint
    assert list(SMALL.beginning("zz")) == []


def test_the_table_is_in_order_in_normal_form_and_names_what_there_is() -> None:
    lines = [line for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = [line.split("\t") for line in lines]
    assert [row[0] for row in rows] == sorted({normal(row[0]) for row in rows})
    assert [f"{noun}\t".encode() for noun, _ in rows] == sorted(f"{noun}\t".encode() for noun, _ in rows)
    known = {each.name for each in (*default().classes, *default().groups)}
    kinds = {target for _, target in rows if target[0] not in "=?/"}
    hints = {target[1:] for _, target in rows if target[0] == "?"}
    identities = {each for _, target in rows if target[0] == "=" for each in target[1:].split(",")}
    assert kinds <= known
    assert hints - {""} <= known | {"clothing", "food"}
    assert identities <= set(image_words().synsets)
    assert {target[1:] for _, target in rows if target[0] == "/"} <= {noun for noun, _ in rows}
    assert len(rows) > 40_000
