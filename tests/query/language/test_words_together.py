"""What several words are together: a noun that is none of them, one that is written apart, what things do."""

from __future__ import annotations

import pytest

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.explain import reading
from dsslic_search.query.language.parse import parse
from tests.query.meant import shown_query


@pytest.mark.parametrize("text", ["rock salt", "dog houses", "sand castle on grass", "no rock salt"])
def test_a_noun_that_is_none_of_its_words_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match=r"for each of its words put a comma between them"):
        parse(text, default())


def test_with_a_comma_between_its_words_each_is_asked_for() -> None:
    assert shown_query(parse("dog, house", default())) == "(and dog house)"


@pytest.mark.parametrize(
    ("apart", "together"), [("sea gulls", "seagulls"), ("sky scraper", "skyscraper"), ("sea side", "seaside")]
)
def test_words_that_are_one_are_read_as_one(apart: str, together: str) -> None:
    assert shown_query(parse(apart, default())) == shown_query(parse(together, default()))


@pytest.mark.parametrize("text", ["bird house", "cat boat", "dog cat"])
def test_what_could_be_there_beside_the_other_is_two_things(text: str) -> None:
    one, other = text.split()
    assert shown_query(parse(text, default())) == shown_query(parse(f"{one} and {other}", default()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("all people on the left", "all"),
        ("photos of every dog on the grass", "every"),
        ("all of the cars are red", "all"),
        ("cats where each dog is black", "each"),
        ("all dogs", None),
        ("all red cars", None),
        ("show me all dogs on the grass", None),
        ("all photos with people on the left", None),
    ],
)
def test_that_one_is_enough_where_all_are_asked_for_is_told(text: str, said: str | None) -> None:
    wanted = f"{said}: left out, as one is enough, whatever others there are"
    assert parse(text, default()).notes == (() if said is None else (wanted,))


def test_what_things_do_is_left_out_and_told() -> None:
    query = parse("parked cars and two birds flying", default())
    assert shown_query(query) == "(and (count bird 2) car)"
    assert [note.partition(":")[0] for note in query.notes] == ["parked", "flying"]


@pytest.mark.parametrize("word", ["wet", "quiet", "took", "long", "raw", "going"])
def test_words_that_are_no_nouns_are_no_mistakes_of_others(word: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(f"{word} zzz", default())
    assert "did you mean" not in str(caught.value)


def test_a_denial_before_another_thing_is_told_so_that_it_is_read_the_same() -> None:
    query = parse("no dogs, cats", default())
    told = reading(query)
    assert told == "(not dog) and cat"
    assert shown_query(parse(told, default())) == shown_query(query)
    assert reading(parse("cats, no dogs", default())) is None
