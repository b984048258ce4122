"""Nouns that the vocabulary does not have: what they are asked as, and from where that is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
def foreign() -> Mapping[str, str]:
    """For words of other languages the English word."""
    found: dict[str, str] = {}
    for line in _lines("foreign.txt"):
        english, _, words = line.partition(": ")
        found |= {normal(word): english for word in words.split(", ")}
    return found


def english_of(words: Sequence[str], *known: Mapping[Phrase, object]) -> str | None:
    """The English word for the first of some words, where it is one of another language and none that is
    known."""
    return None if any((words[0],) in table for table in known) else foreign().get(words[0])


@cache
def first_words() -> frozenset[str]:
    """The words with which one of every day can begin."""
    return frozenset(phrase[0] for phrase in everyday())


@cache
def _lines(name: str) -> tuple[str, ...]:
    text = (files("dsslic_search.query.language") / name).read_text("utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))
