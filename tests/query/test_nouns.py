"""Nouns of every day, with what they should be asked as: ``nouns.txt``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.language.parse import parse
from tests.query.meant import shown_query

LIST = Path(__file__).with_name("nouns.txt")


def listed() -> Iterator[tuple[str, str]]:
    """Nouns, and queries that mean the same; "!" for what has to be refused."""
    for line in LIST.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            query, _, nouns = line.partition(" = ")
            yield from ((noun, query) for noun in nouns.split(", "))


def read_as(text: str) -> str:
    try:
        return shown_query(parse(text, default()))
    except QueryError:
        return "!"


def test_nouns_are_asked_as_the_list_says() -> None:
    wrong = {
        noun: (read_as(noun), query)
        for noun, query in listed()
        if read_as(noun) != ("!" if query == "!" else read_as(query))
    }
    assert wrong == {}


def test_of_the_list_nine_in_ten_are_asked() -> None:
    every = dict(listed())
    assert len(every) > 900
    assert sum(read_as(noun) != "!" for noun in every) > 0.9 * len(every)
