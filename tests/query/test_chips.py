"""The parts of a query: what they say together is what the query says, and taking one away, or adding one,
does just that."""

from __future__ import annotations

from functools import cache

import pytest

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import And, Node, Query, whole, written
from dsslic_search.query.chips import MOST_READ, chips, refining
from dsslic_search.query.language.parse import parse
from tests.query.meant import NAMES, NOT_YET, NOW, rows

SAVED = {"beach": "sea and sand", "holidays22": "taken:2022 sort:taken"}
NOT_READ = {line.partition(" ")[0] for line in NOT_YET.read_text("utf-8").splitlines()}
READ_ROWS = [
    row.text for row in rows() if row.is_to_be_accepted and not row.held_out and row.identity not in NOT_READ
][::4]
"""One in four of the corpus, of what it says is accepted; that it is, `test_corpus` says."""


@cache
def read(text: str) -> Query:
    return parse(text, default(), saved=SAVED.__getitem__, named=NAMES.get, now=NOW)


def parts(text: str) -> list[str]:
    """What must hold of each photo, in any order."""
    return sorted(map(written, flat(read(text).tree)))


def flat(tree: Node | None) -> list[Node]:
    if tree is None:
        return []
    return [each for part in tree.parts for each in flat(part)] if isinstance(tree, And) else [tree]


def rest(text: str) -> tuple[object, ...]:
    """What is said of the whole query."""
    query = read(text)
    return query.sort and whole(Query(None, query.sort)), query.limit, query.tally


@pytest.mark.parametrize("text", READ_ROWS)
def test_parts_together_are_the_query_and_each_can_go(text: str) -> None:
    found = chips(text, read)
    assert [text[chip.start : chip.end] for chip in found] == [chip.text for chip in found]
    assert sorted((chip.start, chip.end) for chip in found) == [(chip.start, chip.end) for chip in found]
    assert sorted(part for chip in found for part in parts(chip.text)) == parts(text)
    for chip in found:
        others = [other for other in found if other is not chip]
        if not others:
            assert chip.without == ""
            continue
        assert parts(chip.without) == sorted(part for other in others for part in parts(other.text))
        for mine, left, every in zip(rest(chip.text), rest(chip.without), rest(text), strict=True):
            assert every in (mine, left)
            assert not (mine and left)


@pytest.mark.parametrize("text", READ_ROWS)
def test_a_condition_is_added_and_nothing_else_changes(text: str) -> None:
    refined = refining(text, read)
    order, *others = rest(text)
    for condition in ("lamp", "format:png", "taken:2021-07"):
        made = refined(condition)
        new = [part for part in parts(condition) if part not in parts(text)]
        assert parts(made) == sorted([*parts(text), *new]), made
        assert rest(made) == (order, *others)


def test_a_saved_query_that_stands_alone_keeps_its_order() -> None:
    for text in ("holidays22", "@holidays22"):
        assert rest(refining(text, read)("lamp")) == ("everything sort:taken", None, None)


def test_a_plus_behind_a_year_belongs_to_it() -> None:
    assert [chip.text for chip in chips("sky, 2020+", read)] == ["sky", "2020+"]


def test_an_empty_query_is_the_condition_alone() -> None:
    assert refining("  ", read)("sky") == "sky"


def test_parts_as_people_see_them() -> None:
    assert [
        (chip.text, chip.reading, chip.without) for chip in chips("2 people on grass, no cars", read)
    ] == [
        ("2 people on grass", "exactly 2 people on grass", "no cars"),
        ("no cars", "not car", "2 people on grass"),
    ]
    assert [chip.reading for chip in chips("sea or sky sort:taken", read)] == ["sea or sky", "sort:taken"]
    assert refining("sea or sky sort:-taken", read)("tree") == "(sea or sky) and tree sort:-taken"
    assert refining("sky", read)("sky") == "sky"


@pytest.mark.parametrize("condition", ["lamp", "word:lamp", "LAMP", "table"])
def test_what_is_asked_for_already_is_not_added_however_it_is_written(condition: str) -> None:
    text = "lamp above the table"
    assert refining(text, read)(condition) == text
    assert refining(text, read)(f"no {condition}") == f"{text} and no {condition}"
    assert refining(text, read)("colour:black") == f"{text} and colour:black"


def test_what_is_no_query_has_no_parts() -> None:
    for text in ("moutain", "((", "sky and"):
        with pytest.raises(QueryError):
            chips(text, read)
        with pytest.raises(QueryError):
            refining(text, read)


@pytest.mark.parametrize(
    "text", ["sky " * 1000, "sky, " + "sea " * 800 + "sort:taken", "tree or " * 600 + "sky"]
)
def test_a_long_text_is_read_a_few_times_alone(text: str) -> None:
    characters = 0

    @cache
    def counted(asked: str) -> Query:
        nonlocal characters
        characters += len(asked)
        return read(asked)

    found = chips(text, counted)
    assert parts(text) == sorted(part for chip in found for part in parts(chip.text))
    assert refining(text, counted)("lamp").endswith(("lamp", "lamp sort:taken"))
    assert characters <= 2 * MOST_READ + 16 * len(text)


@pytest.mark.parametrize("joint", [", ", " and ", "  but  ", " \t and\n", " + ", " " * 5000])
def test_what_joins_two_parts_belongs_to_neither(joint: str) -> None:
    assert [chip.text for chip in chips(f" sand{joint}boat ", read)] == ["sand", "boat"]
