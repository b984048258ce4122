"""What is asked is what is listed, once each, and what is put together at random is always the same."""

from __future__ import annotations

from tests.behaviour import texts


def test_no_query_is_listed_twice_as_understood_and_refused() -> None:
    assert not set(texts.QUERIES) & set(texts.REFUSED)


def test_lists_have_no_empty_lines_and_no_spaces_that_an_editor_would_cut() -> None:
    for listing in texts.HERE.glob("*/*.txt"):
        asked = texts.listed(str(listing.relative_to(texts.HERE).with_suffix("")))
        assert asked
        assert all(text and text == text.strip() for text in asked), listing.name


def test_combinations_are_always_the_same_and_every_sixth_is_sorted() -> None:
    made = list(texts.combinations())
    assert made == list(texts.combinations())
    assert len(made) == texts.COMBINATIONS
    assert [", sort:" in text for text in made] == [number % 6 == 0 for number in range(len(made))]


def test_plurals_are_asked_beside_names_and_synonyms() -> None:
    assert texts.each_word({"tree": ["wood"], "woods": []}) == ["tree", "wood", "woods", "trees", "woodss"]
