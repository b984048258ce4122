"""Words of a whole photo against regions: what is ruled out, by whom, and what is left alone."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dsslic_search.core import vocabulary
from dsslic_search.core.wordnet import image_words
from dsslic_search.networks import objections
from dsslic_search.networks.objections import WORD_OF_ANIMAL, Evidence, Objections, chosen, heed

IDS = {c.name: c.id for c in vocabulary.default().classes}


def probabilities(**of: float) -> NDArray[np.float32]:
    """Those that speak for some words, each on the first leaf of what it means; the rest lies on a thing that
    is no animal."""
    table = image_words()
    found = np.zeros(len(table.leaves), np.float32)
    for word, each in of.items():
        found[table.leaves_of(table.meanings(word))[0]] = each
    found[table.leaves_of(table.meanings("laptop"))[0]] += 1 - found.sum()
    return found


def regions(*names: str) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A column of each class, 0.9 certain."""
    labels = np.tile(np.array([IDS[name] for name in names], np.uint8), (4, 1))
    return labels, np.full(labels.shape, 0.9, np.float32)


def test_an_elephant_is_no_horse_and_the_grass_it_stands_on_stays() -> None:
    labels, certainty = heed(*regions("grass", "horse", "person"), probabilities(elephant=0.97))
    assert labels[0].tolist() == [IDS["grass"], IDS["other"], IDS["person"]]
    assert certainty[0].tolist() == [np.float32(0.9), 0, np.float32(0.9)]


def test_petals_are_no_skin() -> None:
    labels, _ = heed(*regions("person", "flower"), probabilities(daisy=0.9))
    assert labels[0].tolist() == [IDS["other"], IDS["flower"]]


@pytest.mark.parametrize("name", WORD_OF_ANIMAL)
def test_an_animal_whose_words_are_likely_stays_and_nothing_is_copied(name: str) -> None:
    seen = regions(name, "person", "car")
    found = heed(*seen, probabilities(**{WORD_OF_ANIMAL[name]: 0.6, "elephant": 0.3}))
    assert found[0] is seen[0] and found[1] is seen[1]


@pytest.mark.parametrize("name", WORD_OF_ANIMAL)
def test_where_no_animal_is_likely_none_is_doubted(name: str) -> None:
    """A dog in a street is small: the words tell of the street."""
    labels, _ = heed(*regions(name), probabilities(elephant=0.1))
    assert (labels == IDS[name]).all()


def test_evidence_adds_up_over_all_kinds() -> None:
    table = image_words()
    even = np.full(len(table.leaves), 1 / len(table.leaves), np.float32)
    evidence = Evidence.of(even)
    assert evidence.animals == pytest.approx(len(table.leaves_of(table.meanings("animal"))) / 1000)
    dogs = len(table.leaves_of(table.meanings("dog"))) / 1000
    assert evidence.parts["dog"] == pytest.approx(dogs / evidence.animals)
    assert 0 < evidence.close_ups < 1


def test_the_rule_is_strict_at_its_bounds() -> None:
    rule = Objections(0.3, {"dog": 0.5}, 0.4)
    assert rule.ruled_out(Evidence(0.3, {"dog": 0.5}, 0.4)) == (IDS["person"],)
    assert rule.ruled_out(Evidence(0.3, {"dog": 0.49}, 0.39)) == (IDS["dog"],)
    assert rule.ruled_out(Evidence(0.29, {"dog": 0.0}, 0.39)) == ()


def test_what_ships_was_chosen_for_the_words_that_ship() -> None:
    import json

    from dsslic_search.networks import runtime

    assert json.loads(objections.CHOSEN.read_text("utf-8"))["words"] == runtime.identity(runtime.IMAGE_WORDS)
    rule = chosen()
    assert set(rule.least_part) <= set(WORD_OF_ANIMAL) and 0 < rule.close_ups < 1
