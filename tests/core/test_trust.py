"""Trust is what was measured, and nothing where nothing was."""

from __future__ import annotations

from dsslic_search.core import trust
from dsslic_search.core.trust import Trust, in_words, of_class
from dsslic_search.core.vocabulary import default
from dsslic_search.core.wordnet import trust_of


def test_classes_and_image_words_have_what_was_measured() -> None:
    known = {each.name: of_class(each.name) for each in default().classes}
    assert sum(each is not None for each in known.values()) > 20
    for each in filter(None, known.values()):
        assert 0 <= each.precision <= 1
        assert 0 <= each.recall <= 1
        assert each.photos > 0
    assert known["other"] is None
    measured = trust_of("bed")
    assert measured is not None
    assert measured.precision > 0.9
    assert trust_of("pizza") is None


def test_it_is_told_in_words() -> None:
    assert in_words(None) == "not measured"
    assert in_words(Trust(0.982, 0.5, 100)) == "98% of answers right, 50% found"
    assert (
        in_words(Trust(1.0, 1.0, trust.MIN_PHOTOS - 1)) == "100% of answers right, 100% found, of few photos"
    )


def test_a_word_is_mostly_wrong_where_enough_was_measured() -> None:
    assert Trust(0.25, 1.0, 13).mostly_wrong
    assert not Trust(0.25, 1.0, 1).mostly_wrong
    assert not Trust(0.5, 1.0, 13).mostly_wrong
