"""A token of a query, and what is at hand while a query is cut into tokens."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from dsslic_search.core.cached import cached_property
from dsslic_search.core.errors import QueryError
from dsslic_search.query.ast import Leaf, Node, Sort
from dsslic_search.query.language import foreign, nouns
from dsslic_search.query.language.lexicon import Meaning, WordTable
from dsslic_search.query.language.written import MARK, Folded, complaint

LETTER = rf"(?:[^\W\d_]|{MARK})"
WORD = re.compile(rf"{LETTER}(?:[^\W_]|{MARK}|'(?={LETTER}))*+")


@dataclass(slots=True)
class Piece:
    """A token: its type, its value in normal form (a THING's is its meaning's name), and the text[start:end]
    it came from.

    ``meaning``: what a THING stands for; ``node``: the predicate of a FILTER; ``sort``: the order of a
    SORT; ``number``: that of a LIMIT; ``note``: what is to be told of how a word
    was read."""

    type: str
    value: str
    start: int
    end: int
    meaning: Meaning | None = None
    node: Node | None = None
    sort: Sort | None = None
    number: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Source:
    """A query that is cut into tokens, and what its words may mean. Places are those of the folded text.

    ``south``: seasons are those of the southern hemisphere; ``said_as``: the tree of a query that a word of
    every day is asked as, None where the vocabulary cannot; ``named``: what a word names in the archive, a
    predicate or a saved query by its name, None where nothing; ``followed``: by the places of a word, it and
    the words after it as far as they were read, and where each ends; ``translated``: by word, what
    `in_english` said."""

    folded: Folded
    table: WordTable
    now: datetime
    south: bool
    said_as: Callable[[str], Node | None]
    named: Callable[[str], Leaf | str | None]
    followed: dict[tuple[int, int], tuple[list[str], list[int]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    translated: dict[str, tuple[str, ...] | None] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def language(self) -> str:
        """The language of the query, as `foreign.language_of` tells it."""
        return foreign.language_of(frozenset(WORD.findall(self.folded.text)), self.is_english)

    def is_english(self, word: str) -> bool:
        """Whether a word is one of the query language, the vocabulary or every day, or begins one."""
        return word in self.table.longest or word in nouns.first_words()

    def in_english(self, word: str) -> tuple[str, ...] | None:
        """The English words for a word of another language; None where it is English, or is of none."""
        if word not in self.translated:
            self.translated[word] = foreign.english_of(word, self.language, self.is_english)
        return self.translated[word]

    def piece(self, type_: str, value: str, start: int, end: int) -> Piece:
        return Piece(type_, value, *self.folded.span(start, end))

    def complaint(self, start: int, end: int, sentence: str, suggestions: tuple[str, ...] = ()) -> QueryError:
        """A QueryError for the characters from ``start`` to ``end`` of the folded text."""
        return complaint(self.folded.original, *self.folded.span(start, end), sentence, suggestions)
