"""What adjectives are about: a colour behind its noun ("car that is red", "voiture rouge"), two colours of
one thing ("black and white cat", "red car and white"), and what is not known of things ("bright sky") or
image words ("two pizzas")."""

from __future__ import annotations

import itertools
import re
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
    made = list(_two_coloured(_of_the_thing_before(text, _colours_first(text, pieces))))
    _check_clothes(text, made)
    for before, piece in itertools.pairwise(made):
        _check(text, before, piece)
    return made


_ALL = re.compile(
    r"\W*(?:(?:of|where|that)\s+)?(all|every|each)(?:\s+of)?(?:\s+(?:the|these|those|my|our))?\s+"
)
_SAID_OF = {"RELATION", "ZONE", "BETWEEN", "ACTIVITY", "COLOUR"}


def noted(text: str, pieces: list[Piece]) -> list[Piece]:
    """The tokens of a query; that "all people on the left" asks for one at least is to be told."""
    end = 0
    for piece, following in zip(pieces, [*pieces[1:], None], strict=False):
        said = _ALL.fullmatch(text[end : piece.start].casefold())
        if said and piece.type == "THING" and following and following.type in _SAID_OF:
            piece.note = piece.note or f"{said[1]}: left out, as one is enough, whatever others there are"
        end = piece.end
    return pieces


def _colours_first(text: str, pieces: list[Piece]) -> list[Piece]:
    """Colours behind a thing stand before it: "flowers red and yellow" are red and yellow flowers, and where
    "cars on the road are red" the cars are."""
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
        named = [thing]
        verb = text[thing.end : colour.start].strip().casefold()
        if [piece.type for piece in made[-2:]] == ["THING", "RELATION"] and verb in {"is", "are"}:
            named = [*made[-2:], thing]
            del made[-2:]
        made += [colour, *named]
        index += 2
        for joiner, another in _listed_behind(pieces[index:]):
            made += [joiner, another, *(replace(piece, start=colour.end, end=colour.end) for piece in named)]
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


_ENDS = {"COMMA", "CLAUSE", "WITH", "NOT", "RPAR"}
_JOINED = {"AND", "OR"}


def _of_the_thing_before(text: str, pieces: list[Piece]) -> list[Piece]:
    """ "Red car and white" is a red car and a white car, and so is "a red car and a white one"; behind a
    place ("dog on a red sofa and white") it could be of two things, and stays as it is."""
    made: list[Piece] = []
    thing: Piece | None = None  # that a colour was said of
    placed = False  # whether it is where another thing is
    for index, piece in enumerate(pieces):
        before, after = made[-1] if made else None, pieces[index + 1] if index + 1 < len(pieces) else None
        is_coloured = before is not None and before.type == "COLOUR"
        if piece.type in {"RELATION", "ZONE", "BETWEEN"}:
            placed = True
        elif piece.type == "THING":
            thing = piece if is_coloured else None
        elif is_coloured and thing and text[piece.start : piece.end].casefold() == "one":
            piece = replace(thing, start=piece.start, end=piece.end)
        made.append(piece)
        if piece.type == "COLOUR" and thing and not placed and before and before.type in _JOINED:
            denied = any(other.type == "NOT" for other in made)
            if (after is None or after.type in _ENDS or after.type in _JOINED) and not denied:
                made.append(replace(thing, start=piece.end, end=piece.end))
    return made


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
