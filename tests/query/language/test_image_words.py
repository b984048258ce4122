"""`word:…` asks for what whole photos show; what is no word is refused with those like it."""

from __future__ import annotations

import pytest

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.core.wordnet import image_words, thresholds
from dsslic_search.query.ast import Node, Not, Shows, Unknown, written
from dsslic_search.query.language.parse import parse


def tree(text: str) -> Node | None:
    return parse(text, default()).tree


@pytest.mark.parametrize("text", ["word:pizza", "words:Pizza", "shows:pizzas", 'word:"pizza pie"'])
def test_a_word_is_its_leaves_from_its_threshold_on(text: str) -> None:
    asked = tree(text)
    assert isinstance(asked, Shows)
    assert asked.leaves == (image_words().number_of("pizza"),)
    assert asked.parts == thresholds().otherwise


def test_a_kind_is_all_that_are_of_it() -> None:
    asked = tree("word:musical_instrument")
    assert isinstance(asked, Shows)
    assert image_words().number_of("grand piano") in asked.leaves
    horse = tree("word:horse")
    assert isinstance(horse, Shows)
    assert horse.parts == thresholds().of(image_words().meanings("horse")) < thresholds().otherwise


def test_it_is_written_as_it_was_asked_and_negated() -> None:
    asked = tree("not word:pizza")
    assert isinstance(asked, Not)
    assert written(asked) == "not word:pizza"
    assert tree("word:unknown") == Unknown("word")


def test_a_misspelt_word_has_suggestions() -> None:
    with pytest.raises(QueryError, match=r'"elefant" is no word that photos .* did you mean elephant'):
        tree("word:elefant")
    with pytest.raises(QueryError, match="as in word:pizza"):
        tree("word:qqqqqqq")


@pytest.mark.parametrize(
    ("text", "read", "note"),
    [
        ("mutton", "word:food", "mutton: read as food"),
        ("baguette", "word:bread", "baguette: read as bread"),
        ("doctor", "person", "doctor: read as person"),
        ("oaks", "tree", "oak: read as tree"),
        ("trucks", "word:truck", None),
        ("golden retriever", 'word:"golden retriever"', None),
        ("kitchen", "word:kitchen", None),
        ("traffic light", 'word:"traffic light"', None),
        ("black bear", 'word:"black bear"', None),
        ("black cat", "black cat", None),
        ("dog and truck", "(dog and word:truck)", None),
    ],
)
def test_a_noun_is_asked_as_what_it_is_or_is_a_kind_of(text: str, read: str, note: str | None) -> None:
    query = parse(text, default())
    assert query.tree is not None
    assert written(query.tree) == read
    assert query.notes == ((note,) if note else ())


def test_what_photos_do_not_show_has_a_hint_of_its_kind_or_none() -> None:
    with pytest.raises(
        QueryError, match='not known to show "giraffes": for what comes nearest to it write anim'
    ):
        parse("giraffes", default())
    with pytest.raises(
        QueryError, match='unknown word "love": photos are not known to show it; leave it out, or see'
    ):
        parse("love", default())
    with pytest.raises(
        QueryError, match='"aperture" is what a file says: write it with its value, as in f_num'
    ):
        parse("aperture", default())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("pizzza", "pizza"), ("kichen", "kitchen"), ("lighthous", "lighthouse"), ("sunst", "sunset")],
)
def test_nouns_are_suggested_for_mistyped_ones(typed: str, meant: str) -> None:
    with pytest.raises(QueryError) as error:
        parse(typed, default())
    assert error.value.suggestions == (meant,)


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        (
            "dog next to a pizza",
            ('pizza: where it lies in the photo is not known, so "next to" is read as and',),
        ),
        ("pizza near a dog", ('pizza: where it lies in the photo is not known, so "near" is read as and',)),
        ("dog next to a sofa", ()),
        ("photos near a pizza", ()),
    ],
)
def test_a_relation_to_what_has_no_place_is_said_to_be_none(text: str, notes: tuple[str, ...]) -> None:
    assert parse(text, default()).notes == notes
