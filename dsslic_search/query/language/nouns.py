"""Words of every day that the vocabulary does not have, and what they are asked as."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from dsslic_search.core.text import normal

Phrase = tuple[str, ...]


@cache
def everyday() -> Mapping[Phrase, str]:
    """For words of every day a query that says the same in the words of the language."""
    found: dict[Phrase, str] = {}
    for line in _lines("everyday.txt"):
        words, _, query = line.partition(" = ")
        found |= {tuple(normal(word).split()): query for word in words.split(", ")}
    return found


@cache
def first_words() -> frozenset[str]:
    """The words with which one of every day can begin."""
    return frozenset(phrase[0] for phrase in everyday())


@cache
def _lines(name: str) -> tuple[str, ...]:
    text = (files("dsslic_search.query.language") / name).read_text("utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))
