"""Colours that are listed before one thing: "red, white or blue car", "dog on a red or blue sofa"."""

from __future__ import annotations

from dataclasses import replace

from dsslic_search.query.language.pieces import Piece
from dsslic_search.query.language.subjects import place_length, run_start, subject
from dsslic_search.query.language.written import complaint

_JOINERS = {"AND", "OR", "COMMA"}


def in_full(text: str, pieces: list[Piece]) -> list[Piece]:
    """The tokens of a query with the thing, where it is and what stands at it once for each colour. Raises
    QueryError where two lists could be paired in many ways."""
    made: list[Piece] = []
    index = 0
    while index < len(pieces):
        end = _end_of_list(pieces, index)
        if end == index:
            made.append(pieces[index])
            index += 1
            continue
        place = place_length(pieces[end + 2 :][:5])
        _check_no_other_list(text, pieces, index, end)
        own = pieces[end + 1 : end + 2 + place]
        opener = made[-1] if made else None
        start, standing = len(made), list[Piece]()
        if opener is not None and opener.type == "RELATION" and (one := subject([*made, own[0]])):
            start, standing = run_start(made), [*one, opener]
        joiner = pieces[end - 1]
        beside = [*made[max(start - 1, 0) : start], *pieces[end + 2 + place :][:1]]
        denied = opener is not None and opener.type == "NOT"  # that takes the list as it is
        grouped = not denied and joiner.type == "OR" and any(piece.type == "AND" for piece in beside)
        if grouped:
            made.insert(start, Piece("LPAR", "(", joiner.start, joiner.start))
        for at in range(index, end + 1, 2):
            if at > index:
                made.append(replace(pieces[at - 1], type=joiner.type, value=joiner.value))
            copied = standing if at > index else []
            colour, before = pieces[at], pieces[at].start
            made += [replace(piece, start=before, end=before) for piece in copied]
            made.append(colour)
            made += own if at == end else [replace(piece, start=colour.end, end=colour.end) for piece in own]
        if grouped:
            made.append(Piece("RPAR", ")", made[-1].end, made[-1].end))
        index = end + 2 + place
    return made


def _end_of_list(pieces: list[Piece], index: int) -> int:
    """The index of the last colour of a list that begins at ``index``, behind which a thing stands; ``index``
    where none begins, or no "and" or "or" joins it."""
    end = index
    while (
        pieces[end].type == "COLOUR"
        and end + 2 < len(pieces)
        and pieces[end + 1].type in _JOINERS
        and pieces[end + 2].type == "COLOUR"
    ):
        end += 2
    named = end > index and pieces[end + 1 : end + 2] and pieces[end + 1].type == "THING"
    return end if named and pieces[end - 1].type in {"AND", "OR"} else index


def _check_no_other_list(text: str, pieces: list[Piece], index: int, end: int) -> None:
    other = end + 3
    if pieces[end + 2 : other] and pieces[end + 2].type == "RELATION" and other < len(pieces):
        last = _end_of_list(pieces, other)
        if last > other:
            sentence = "two lists of colours could be paired in many ways: write each pair in full"
            raise complaint(text, pieces[index].start, pieces[last + 1].end, sentence)
