from __future__ import annotations

import pytest

from dsslic_search.core.vocabulary import default
from dsslic_search.query.exactly import exactly
from dsslic_search.query.language.parse import parse
from dsslic_search.query.plan import plan
from dsslic_search.query.run.execute import least
from tests.thresholds import spelt


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("person, sky > 30%", "person ≥ {person} and sky > 30%"),
        ("trees without cars", "tree ≥ {tree} and car < {car}"),
        ("no people or cars", "not (person ≥ {person} or car ≥ {car})"),
        ("sky at most half", "sky ≤ 50%"),
        ("sky or cat on sofa", "sky ≥ {sky} or cat on sofa"),
        ("vehicles, sea sort:-sky", "(vehicle ≥ {vehicle} and sea ≥ {sea}) sort:-sky"),
        ("2 people, red car", "exactly 2 people and red car"),
        ('name:">= 5%"', 'name:">= 5%"'),
        ("newest first", "everything sort:-taken"),
    ],
)
def test_what_counts_as_present_is_spelt_and_can_be_asked_as_it_stands(text: str, said: str) -> None:
    vocabulary = default()
    query, presence = parse(text, vocabulary), least(vocabulary, None)
    asked = exactly(query, presence)
    assert asked == spelt(said)
    again = parse(asked, vocabulary)
    assert plan(again.tree, presence) == plan(query.tree, presence)
    assert exactly(again, presence) == asked


def test_every_threshold_is_spelt_to_the_tick() -> None:
    vocabulary = default()
    for told in (None, 0.0, 1e-12, 0.0123456789, 1.0):
        presence = least(vocabulary, told)
        for each in vocabulary.classes:
            query = parse(each.name, vocabulary)
            again = parse(exactly(query, presence), vocabulary)
            assert plan(again.tree, presence) == plan(query.tree, presence)
            denied = parse(f"not {each.name}", vocabulary)
            again = parse(exactly(denied, presence), vocabulary)
            assert plan(again.tree, presence) == plan(denied.tree, presence)


def test_a_little_of_something_has_two_bounds() -> None:
    vocabulary = default()
    presence = least(vocabulary, None)
    said = exactly(parse("little sky", vocabulary), presence)
    assert said.startswith(spelt("sky ≥ {sky} and sky < "))
    assert exactly(parse(said, vocabulary), presence) == said
