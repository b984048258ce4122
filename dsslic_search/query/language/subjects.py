"""What a place without a thing of its own is about: in "dogs on the sofa or on the bed" and "people on the
road but not on the sidewalk" the thing that stands before the first place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dsslic_search.query.language.pieces import Piece

_JOINERS = {"AND", "OR", "CLAUSE"}
_ENDS_A_RUN = _JOINERS | {"COMMA", "WITH", "NOT", "LPAR", "RPAR", "FILTER", "FILLER", "SORT"}
_OF_A_SUBJECT = {"COLOUR", "NUMBER", "WHOLE", "MANY", "COMPARE", "BETWEEN", "MID", "LARGE", "SMALL"}
_LISTS = {"AND", "OR", "COMMA"}
_PLACES = {"RELATION", "ZONE"}
_ROWS = (["ZONE"], ["RELATION", "ZONE"], ["RELATION", "THING"], ["RELATION", "COLOUR", "THING"])


def repeated(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """The tokens of a query with the subject once more before each place that "and", "or" or "but" joins to
    one: "dogs on the sofa or on the bed"."""
    made: list[Piece] = []
    closing = -1  # where a parenthesis is to be closed
    for index, piece in enumerate(pieces):
        if index == closing:
            made.append(Piece("RPAR", ")", piece.start, piece.start))
        made.append(piece)
        length = place_length(pieces[index + 1 :][:5])
        if piece.type not in _JOINERS or piece.value == "with" or not length:
            continue
        comma = int(len(made) > 1 and made[-2].type == "COMMA")
        _beside_the_same(made, len(made) - 1 - comma, pieces[index + 1 :][:3])
        end = len(made) - 1 - comma
        again = subject(made[:end])
        start = run_start(made[:end])
        beside = [*made[max(start - 1, 0) : start], *pieces[index + 1 + length :][:1]]
        if again and piece.type == "OR" and any(other.type == "AND" for other in beside):
            made.insert(start, Piece("LPAR", "(", made[start].start, made[start].start))
            closing = index + 1 + length
        made += [replace(each, start=piece.end, end=piece.end) for each in again]
    if closing == len(pieces):
        made.append(Piece("RPAR", ")", pieces[-1].end, pieces[-1].end))
    yield from made


def _beside_the_same(made: list[Piece], end: int, following: list[Piece]) -> None:
    """Make the "left" before ``end`` that of what follows: "on the left or right of a person" is left of a
    person, or right of a person."""
    sides = {"left of", "right of"}
    if [piece.type for piece in following[:2]] != ["RELATION", "THING"] or following[0].value not in sides:
        return
    zone = made[end - 1] if end else None
    if zone is None or zone.type != "ZONE" or f"{zone.value} of" not in sides or not subject(made[:end]):
        return
    start = end - 1 - (end > 1 and made[end - 2].type == "RELATION")
    relation = replace(following[0], value=f"{zone.value} of", start=zone.start, end=zone.end)
    made[start:end] = [relation, replace(following[1], start=zone.end, end=zone.end)]


def subject(before: list[Piece]) -> list[Piece]:
    """The thing that ``before`` says to be somewhere at its end, with its colour and number; empty where it
    says nothing of the kind."""
    run = before[run_start(before) :]
    named = next((i for i, piece in enumerate(run) if piece.type not in _OF_A_SUBJECT | _LISTS), len(run))
    behind = [piece.type for piece in run[named + 1 :]]
    if run[named : named + 1] and run[named].type == "THING":
        if behind[:1] == ["ACTIVITY"]:
            del behind[0]
        if behind and behind[0] in _PLACES and behind[-1] in {"THING", "ZONE"}:
            return run[: named + 1]
    return []


def run_start(before: list[Piece]) -> int:
    """Where what nothing joins at the end of ``before`` begins, but for colours that are listed."""
    start = len(before)
    while start and before[start - 1].type not in _ENDS_A_RUN:
        start -= 1
    while start >= 2 and [piece.type for piece in before[start - 2 : start + 1 : 2]] == ["COLOUR"] * 2:
        start -= 2
    return start


def place_length(following: list[Piece]) -> int:
    """How many tokens say a place, what is done there included; 0 where none does."""
    types = [piece.type for piece in following]
    active = int(types[:1] == ["ACTIVITY"])
    types = types[active:]
    if types[:2] == ["ZONE", "THING"] or types[:3] == ["RELATION", "ZONE", "THING"]:
        return 0
    return next((active + len(row) for row in _ROWS if types[: len(row)] == row), 0)
