"""Query text to a tree of predicates. Whatever the text, the outcome is a tree or a QueryError."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from dsslic_search.core.errors import QueryError
from dsslic_search.core.text import did_you_mean, quoted
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.query.ast import Balance, Leaf, Node, Query, Text, leaves
from dsslic_search.query.language.diagnosis import check_told_apart
from dsslic_search.query.language.lexicon import WordTable, word_table
from dsslic_search.query.language.listed_times import listed
from dsslic_search.query.language.phrases import phrases
from dsslic_search.query.language.pieces import Piece
from dsslic_search.query.language.runs import items
from dsslic_search.query.language.structure import Structure
from dsslic_search.query.language.tokens import tokens
from dsslic_search.query.language.written import complaint

__all__ = ["MAX_DEPTH", "MAX_SAVED_PREDICATES", "parse"]

TagTrouble = Callable[[str], tuple[str, tuple[str, ...]] | None]
"""What to tell of a tag, folded, that there is not, and those like it; None for one that there is."""

MAX_DEPTH = 50
MAX_SAVED_PREDICATES = 5_000
"""The most predicates that saved queries may bring into a query."""


def parse(
    text: str,
    vocabulary: Vocabulary,
    *,
    saved: Callable[[str], str] | None = None,
    tag_trouble: TagTrouble | None = None,
    named: Callable[[str], Leaf | str | None] | None = None,
    now: datetime | None = None,
    south: bool = False,
) -> Query:
    """The tree and the order that a query asks for (docs/query-language.md).

    ``saved`` gives the text of a saved query for its name, folded (core.text.folded), and raises KeyError
    when there is none; what the KeyError holds besides that name are suggestions. ``tag_trouble`` tells of
    tags that no photo has; without it, any tag may be asked for. ``named`` gives what a word that is none of
    the language names in the archive (`query.names`). ``now`` is the moment that
    words such as "today" are relative to; its time zone, or the machine's when it has none, is that of the
    days on which photos were added. ``south``: seasons are those of
    the southern hemisphere. Raises QueryError, and nothing else, for a text that is not a query."""
    return (
        _Reading(word_table(vocabulary), saved, tag_trouble, named, now or datetime.now(), south)
        .read(text, ())
        .query
    )


@dataclass(frozen=True)
class _Read:
    """A query, how many "not"s, parentheses and saved queries are inside one another in it, and how many
    predicates it has."""

    query: Query
    depth: int
    predicates: int


class _Reading:
    """The reading of a query and of the saved queries that it uses, each of them once."""

    def __init__(
        self,
        table: WordTable,
        saved: Callable[[str], str] | None,
        tag_trouble: TagTrouble | None,
        named: Callable[[str], Leaf | str | None] | None,
        now: datetime,
        south: bool,
    ) -> None:
        self.table = table
        self.saved = saved
        self.tag_trouble = tag_trouble
        self.named = named or (lambda word: None)
        self.now = now
        self.south = south
        self.everyday: dict[str, Node | None] = {}
        self.known: dict[str, _Read] = {}

    def read(self, text: str, inside: tuple[str, ...]) -> _Read:
        """Read a query; ``inside``: the saved queries that it is part of."""
        pieces = [
            piece
            for piece in tokens(text, self.table, self.now, self.south, self._said_as, self.named)
            if piece.type != "FILLER" or piece.value
        ]
        every = pieces
        self._check_tags(text, pieces)
        uses = {id(piece): self._used(text, piece, inside) for piece in pieces if piece.type == "SAVED"}
        depth = _check_depth(text, pieces, uses)
        for piece in pieces:
            if use := uses.get(id(piece)):
                piece.node = use.query.tree
                piece.type = "EVERYTHING" if piece.node is None else "FILTER"
        sort = _one(text, _take(text, pieces, "SORT"), "photos can be put in one order only")
        limit = _one(text, _take(text, pieces, "LIMIT"), "photos are listed up to one number only")
        tallies = _take(text, pieces, "TALLY")
        named = _one(text, [piece for piece in tallies if piece.value], "photos are counted by one fact only")
        wished = None if sort is None else sort.sort
        if sort is None and len(pieces) == len(uses) == 1:  # a saved query alone is all that was saved
            [use] = uses.values()
            wished = wished or use.query.sort
        pieces = phrases(text, listed(text, pieces, self.now))
        if not pieces and sort is None and limit is None and not tallies and not _ALL.search(text.casefold()):
            raise complaint(
                text,
                0,
                len(text),
                "the query names nothing to look for: write what the photos should show, as in road and >30% "
                "sky, or everything",
            )
        tree = Structure(text, pieces, items(text, pieces), self.table).whole() if pieces else None
        if tree is not None and not inside:
            check_told_apart(text, tree)
        notes = tuple(dict.fromkeys([*(piece.note for piece in every if piece.note), *_comparisons(tree)]))
        tally = named.value if named else "" if tallies else None
        query = Query(tree, wished, None if limit is None else limit.number, tally, notes)
        return _Read(query, depth, 0 if tree is None else sum(1 for _ in leaves(tree)))

    def _said_as(self, query: str) -> Node | None:
        """The tree of a query that a word of every day is asked as; None where the vocabulary lacks a word of
        it."""
        if query not in self.everyday:
            try:
                self.everyday[query] = self.read(query, ()).query.tree
            except QueryError:
                self.everyday[query] = None
        return self.everyday[query]

    def _check_tags(self, text: str, pieces: list[Piece]) -> None:
        """Raise QueryError for the first tag that there is not."""
        if self.tag_trouble is None:
            return
        known = set()
        for piece in pieces:
            if isinstance(piece.node, Text) and piece.node.field == "tag" and piece.node.pattern not in known:
                if trouble := self.tag_trouble(piece.node.pattern):
                    raise complaint(text, piece.start, piece.end, *trouble)
                known.add(piece.node.pattern)

    def _used(self, text: str, piece: Piece, inside: tuple[str, ...]) -> _Read:
        """The saved query that a token names."""
        name, said = piece.value, quoted(text[piece.start : piece.end])
        if name in inside:
            raise complaint(
                text,
                piece.start,
                piece.end,
                f"{_SAVED}{said} uses itself: change one of {_chain(name, inside)}",
            )
        if name not in self.known:
            if len(inside) >= MAX_DEPTH:
                raise complaint(
                    text,
                    piece.start,
                    piece.end,
                    f"more than {MAX_DEPTH} saved queries inside one another: save a simpler one",
                )
            found = self._text_of(text, piece, said)
            try:
                self.known[name] = self.read(found, (*inside, name))
            except QueryError as error:
                reason = str(error).partition("\n")[0].rpartition(" (at ")[0]
                if not reason.startswith(_SAVED):  # one of those that it uses is to blame
                    reason = f"{_SAVED}{said} is not understood: {reason}"
                raise complaint(text, piece.start, piece.end, reason) from None
        return self.known[name]

    def _text_of(self, text: str, piece: Piece, said: str) -> str:
        if self.saved is None:
            raise complaint(
                text,
                piece.start,
                piece.end,
                f"saved queries are not at hand here: write out what {said} stands for",
            )
        try:
            return self.saved(piece.value)
        except KeyError as error:
            close = tuple(
                f"@{other}" for other in error.args if isinstance(other, str) and other != piece.value
            )[:3]
            hint = (
                did_you_mean(close)
                if close
                else "save one under that name first, or write out what to look for"
            )
            raise complaint(
                text, piece.start, piece.end, f"there is no saved query {said}: {hint}", close
            ) from None


_ALL = re.compile(r"\b(?:all|every)\b")  # of "all my photos"
_SAVED = "the saved query "


def _comparisons(tree: Node | None) -> Iterator[str]:
    """What is to be told of things that are compared with one another."""
    for leaf in leaves(tree) if tree is not None else ():
        if isinstance(leaf, Balance):
            yield f"by the area that they cover: {leaf.says}"


def _chain(name: str, inside: tuple[str, ...]) -> str:
    return quoted(", ".join(f"@{each}" for each in inside[inside.index(name) :]))[1:-1]


def _check_depth(text: str, pieces: list[Piece], uses: dict[int, _Read]) -> int:
    """How many "not"s, parentheses and saved queries are inside one another, at most MAX_DEPTH, with every
    parenthesis in a pair."""
    opened: list[tuple[Piece, int]] = []
    depth = nots = deepest = brought = 0
    for piece in pieces:
        kind = piece.type
        use = None
        if kind == "NOT":
            nots += 1
        elif kind == "LPAR":
            opened.append((piece, nots + 1))
            depth, nots = depth + nots + 1, 0
        elif kind == "RPAR":
            if not opened:
                raise complaint(
                    text,
                    piece.start,
                    piece.end,
                    'unbalanced parenthesis: this ")" closes nothing; remove it or add a "(" before',
                )
            depth, nots = depth - opened.pop()[1], 0
        elif kind == "SAVED":
            use = uses[id(piece)]
            brought += use.predicates
        else:
            nots = 0
            continue
        here = depth + nots + (use.depth + 1 if use else 0)
        if here > MAX_DEPTH:
            raise complaint(
                text,
                piece.start,
                piece.end,
                f'more than {MAX_DEPTH} parentheses and "not"s inside one another: simplify the query',
            )
        if brought > MAX_SAVED_PREDICATES:
            raise complaint(
                text,
                piece.start,
                piece.end,
                f"the saved queries have more than {MAX_SAVED_PREDICATES} predicates: simplify the query",
            )
        deepest = max(deepest, here)
        nots = nots if kind == "NOT" else 0
    if opened:
        piece = opened[-1][0]
        raise complaint(
            text, piece.start, piece.end, 'unbalanced parenthesis: this "(" is never closed; add a ")"'
        )
    return deepest


def _take(text: str, pieces: list[Piece], type_: str) -> list[Piece]:
    """The tokens of a type that is about the whole query; they go, and the "and" or comma that joins them to
    the others."""
    taken = []
    while type_ in (types := ["", *(piece.type for piece in pieces), ""]):
        first = last = types.index(type_) - 1
        before, after = types[first], types[last + 2]
        depth = types[: first + 1].count("LPAR") - types[: first + 1].count("RPAR")
        piece = pieces[first]
        if depth or before in {"NOT", "OR"} or after == "OR":
            sentence = (
                "an order is for the whole query: write it once, at the end, as in sky or sea sort:taken"
            )
            if type_ != "SORT":
                sentence = "this is for the whole query: write it once, at the beginning or the end"
            raise complaint(text, piece.start, piece.end, sentence)
        taken.append(piece)
        if before in _JOINS:
            first -= 1
        elif after in _JOINS:
            last += 1
        del pieces[first : last + 1]
        if len(taken) > 2:
            break
    return taken


_JOINS = {"AND", "COMMA", "CLAUSE", "WITH"}


def _one(text: str, taken: list[Piece], sentence: str) -> Piece | None:
    """The token that there may be one of."""
    if len(taken) > 1:
        raise complaint(text, taken[1].start, taken[1].end, f"{sentence}: remove this one or the one before")
    return taken[0] if taken else None
