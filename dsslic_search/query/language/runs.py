"""Tokens to items: connectives, parentheses, and predicates, of which several may stand side by side ("dog
cat", "dogs 2021") or share a thing ("cat on a sofa next to a window")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from dsslic_search.core.errors import QueryError
from dsslic_search.query.ast import (
    And,
    Balance,
    Coloured,
    Compare,
    Like,
    Node,
    Not,
    Or,
    Presence,
    Regional,
    Shows,
    leaves,
)
from dsslic_search.query.language.diagnosis import syntax_error
from dsslic_search.query.language.grammar import MAX_PREDICATE_TOKENS, reading_of
from dsslic_search.query.language.phrases import CONNECTIVES
from dsslic_search.query.language.pieces import Piece
from dsslic_search.query.language.predicates import predicate
from dsslic_search.query.language.pronouns import is_pronoun

Kind = Literal["seen", "covered", "fact", "like", ""]
"""What a predicate is about: things that are there, shares of the photo, facts of the file, likeness."""

_KINDS: Mapping[type, Kind] = {
    Presence: "seen",
    Regional: "seen",
    Coloured: "seen",
    Shows: "seen",
    Compare: "covered",
    Balance: "covered",
    Like: "like",
}

_BETWEEN_RUNS = CONNECTIVES | {"LPAR", "RPAR", ""}
_PLACES = {"RELATION", "ZONE", "BETWEEN"}
_PLACE_ROWS = (
    ["BETWEEN", "THING", "MID", "THING"],
    ["BETWEEN", "THING"],
    ["RELATION", "THING"],
    ["RELATION", "COLOUR", "THING"],
    ["ZONE"],
)
_OF_THE_INNER = {"in", "on"}  # "people in a boat on a lake": the boat is on the lake


@dataclass(slots=True)
class Item:
    """A connective or a parenthesis by its token's type, or a "PREDICATE" with its ``node`` (None:
    everything) and its kind; "SIDE" stands between predicates that nothing joins. ``start``: the index of its
    first token, ``end``: that after its last."""

    type: str
    start: int
    end: int
    node: Node | None = None
    kind: Kind = ""
    value: str = ""


def items(text: str, pieces: list[Piece]) -> list[Item]:
    """The items of a query's tokens. Raises QueryError where no predicate has them."""
    types = [*(piece.type for piece in pieces), ""]
    return list(_items(text, pieces, types))


def _items(text: str, pieces: list[Piece], types: list[str]) -> Iterator[Item]:
    start = 0
    while start < len(pieces):
        if types[start] in _BETWEEN_RUNS:
            yield Item(types[start], start, start + 1, value=pieces[start].value)
            start += 1
            continue
        end = start
        while types[end] not in _BETWEEN_RUNS:
            end += 1
        first = start
        while start < end:
            if start > first or types[start - 1 : start] == ["RPAR"]:
                yield Item("SIDE", start, start)
            item = _longest(text, pieces, types, start, end)
            if item is None:
                raise _trouble(text, pieces, types, first, end)
            yield item
            start = item.end
            for further in _more_of_it(text, pieces, types, item, end):
                yield further
                start = further.end


def _trouble(text: str, pieces: list[Piece], types: list[str], first: int, end: int) -> QueryError:
    """What is wrong with tokens that are not all of some predicate."""
    found = reading_of(tuple(types[first:end]))
    return syntax_error(text, pieces, first + (found if isinstance(found, int) else 0))


def _longest(text: str, pieces: list[Piece], types: list[str], start: int, end: int) -> Item | None:
    """The longest predicate at ``start``."""
    stop = min(start + MAX_PREDICATE_TOKENS, end)
    for length in _sentence_lengths(tuple(types[start:stop])):
        if not _splits_a_comparison(pieces, types, start + length, end):
            row = tuple(types[start : start + length])
            node = predicate(text, pieces[start : start + length], row)
            return Item("PREDICATE", start, start + length, node, kind_of(node))
    return None


@lru_cache(maxsize=4096)
def _sentence_lengths(types: tuple[str, ...]) -> tuple[int, ...]:
    """How many of the tokens that begin with these are a predicate, the longest first."""
    lengths = range(len(types), 0, -1)
    return tuple(length for length in lengths if not isinstance(reading_of(types[:length]), int))


def _splits_a_comparison(pieces: list[Piece], types: list[str], stop: int, end: int) -> bool:
    """Whether what would begin at ``stop`` is the thing of a comparison before it: "car >30% sky"."""
    return (
        stop < end
        and types[stop] == "THING"
        and types[stop - 1] in {"AMOUNT", "WHOLE"}
        and types[stop - 2 : stop - 1] == ["COMPARE"]
        and pieces[stop - 2].end == pieces[stop - 1].start
        and stop >= 3
        and pieces[stop - 3].end < pieces[stop - 2].start
    )


def _more_of_it(text: str, pieces: list[Piece], types: list[str], item: Item, end: int) -> Iterator[Item]:
    """The further relations and places of a predicate's thing."""
    kinds = Presence | Regional | Coloured | And
    subject = next((i for i in range(item.start, item.end) if types[i] == "THING"), None)
    if (
        subject is None
        or not isinstance(item.node, kinds)
        or item.end == end
        or types[item.end] not in _PLACES
    ):
        return
    before = next((i for i in range(item.start, item.end) if types[i] in _PLACES), None)
    start = item.end
    while start < end and types[start] in _PLACES:
        length = _place_length(types, start, end)
        if length == 0:
            raise _trouble(text, pieces, types, item.start, end)
        inner = (
            before is not None
            and types[before] == types[start] == "RELATION"
            and (
                pieces[before].value == pieces[start].value
                or {pieces[before].value, pieces[start].value} <= _OF_THE_INNER
                or is_pronoun(text, pieces[before + 1])
            )
        )
        if inner:
            assert before is not None
            subject = before + 1 + (types[before + 1] == "COLOUR")
        own = [pieces[subject], *pieces[start : start + length]]
        node = predicate(text, own, tuple(piece.type for piece in own))
        yield Item("AND", start, start, value="and")
        yield Item("PREDICATE", start, start + length, node, kind_of(node))
        before, start = start, start + length


def _place_length(types: list[str], start: int, end: int) -> int:
    """How many tokens say where: a zone, a relation and its thing, or between what; 0 if none does."""
    for row in _PLACE_ROWS:
        if types[start : min(start + len(row), end)] == row:
            return len(row)
    return 0


def kind_of(node: Node | None) -> Kind:
    """What a predicate is about."""
    if node is None:
        return ""
    return _KINDS.get(type(node if not isinstance(node, Not | And | Or) else next(leaves(node))), "fact")
