"""What adjectives are about: a colour behind its noun ("car that is red", "voiture rouge"), two colours of
one thing ("black and white cat"), and what is not known of things ("bright sky") or image words ("two
pizzas")."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter

from dsslic_search.core.text import quoted
from dsslic_search.query.ast import Shows
from dsslic_search.query.language.pieces import Piece
from dsslic_search.query.language.written import complaint

BLACK_AND_WHITE = "colour:black and white"
SPOTTED = frozenset({
    "animal", "bird", "cat", "cow", "dog", "horse", "sheep", "vehicle", "car", "bus", "train",
    "motorbike", "bicycle", "boat", "aeroplane", "furniture", "chair", "sofa", "bed", "armchair", "rug",
    "flower",
})  # fmt: skip
"""Things that are black and white themselves; of others, black-and-white photos are meant."""
_TYPE = attrgetter("type")
_CONCERNED = {"COLOUR", "FILTER"}  # without these there is nothing to do
_LOOKS = ("brightness:<", "brightness:>", "colour:colourful")
_AMOUNTS = {"NUMBER", "MANY", "LOTS", "LITTLE", "MOSTLY", "ONLY", "LARGE", "SMALL", "PERCENT"}


def settled(text: str, pieces: list[Piece]) -> list[Piece]:
    """The tokens of a query, adjectives before what they are about. Raises QueryError for an adjective of
    what it cannot be told of."""
    if _CONCERNED.isdisjoint(map(_TYPE, pieces)):
        return pieces
    made = list(_two_coloured(_colours_first(pieces)))
    _check_clothes(text, made)
    for before, piece in itertools.pairwise(made):
        _check(text, before, piece)
    return made


def _colours_first(pieces: list[Piece]) -> list[Piece]:
    """Colours behind a thing stand before it: "flowers red and yellow" are red and yellow flowers."""
    types = ["", *(piece.type for piece in pieces), "", ""]  # of the piece before each, and so on
    made: list[Piece] = []
    index = 0
    while index < len(pieces):
        here = types[index : index + 4]  # the one before, this and two after
        if here[1:3] != ["THING", "COLOUR"] or here[0] == "COLOUR" or here[3] == "THING":
            made.append(pieces[index])
            index += 1
            continue
        thing, colour = pieces[index : index + 2]
        made += [colour, thing]
        index += 2
        for joiner, another in _listed_behind(pieces[index:]):
            made += [joiner, another, replace(thing, start=colour.end, end=colour.end)]
            index += 2
    return made


def _listed_behind(following: list[Piece]) -> list[tuple[Piece, Piece]]:
    """The colours, and what joins each, that are listed behind one, up to the last "and" or "or": "flowers
    red, white or yellow"."""
    found: list[tuple[Piece, Piece]] = []
    for joiner, colour in zip(following[::2], following[1::2], strict=False):
        if joiner.type not in {"AND", "OR", "COMMA"} or colour.type != "COLOUR":
            break
        found.append((joiner, colour))
    end = 2 * len(found)
    if found and following[end : end + 1] and following[end].type == "THING":  # "red or blue car"
        found.pop()
    while found and found[-1][0].type == "COMMA":
        found.pop()
    return found


def _two_coloured(pieces: list[Piece]) -> Iterator[Piece]:
    """ "Black and white cat" is a black cat and a white cat; "no black and white cat" is not both."""
    closing = None
    for index, piece in enumerate(pieces):
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        if piece.value == BLACK_AND_WHITE and following and following.value in SPOTTED:
            start, end = piece.start, piece.end
            if index and pieces[index - 1].type == "NOT":
                yield Piece("LPAR", "(", start, start)
                closing = following
            yield Piece("COLOUR", "black", start, end)
            yield replace(following, start=start, end=end)
            yield Piece("AND", "and", start, end)
            yield Piece("COLOUR", "white", start, end)
            continue
        yield piece
        if piece is closing:
            yield Piece("RPAR", ")", piece.end, piece.end)


def _check_clothes(text: str, pieces: list[Piece]) -> None:
    """Raise QueryError for "a woman in red" and "a yellow green field", where no photo's colour is meant."""
    ends = [*pieces[2:], None]
    for before, colour, after in zip(pieces, pieces[1:], ends, strict=False):
        named = after is not None and (after.type == "THING" or isinstance(after.node, Shows))
        if colour.type != "COLOUR" or (named and before.type != "COLOUR"):
            continue
        said = text[before.start : before.end]
        if said.casefold() in {"wearing", "in"}:
            shown = quoted(text[before.start : colour.end])
            sentence = f"of which colour clothes are is not known: leave out {shown}"
            raise complaint(text, before.start, colour.end, sentence)
        if named and before.type == "COLOUR":
            shown = text[colour.start : colour.end]
            sentence = f"two colours need a word between them: write {said} and {shown}, or one of them"
            raise complaint(text, before.start, colour.end, sentence)


def _check(text: str, before: Piece, piece: Piece) -> None:
    said = quoted(text[before.start : before.end])
    thing = quoted(text[piece.start : piece.end])
    if before.value.startswith(_LOOKS) and piece.type == "THING":
        raise complaint(
            text,
            before.start,
            before.end,
            f"{said} is about whole photos: write {said[1:-1]} photos of {thing[1:-1]}, or leave it out",
        )
    if isinstance(piece.node, Shows) and (before.type == "COLOUR" or before.type in _AMOUNTS):
        known = "its colour" if before.type == "COLOUR" else "how many or how much of it there is"
        raise complaint(
            text,
            before.start,
            piece.end,
            f"{thing} is known of the whole photo, not {known}: leave out {said}",
        )
