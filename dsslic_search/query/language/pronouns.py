"""What "it", "them", "each other" and the like stand for, among a query's tokens.

A pronoun after a relation is the first thing of the query ("a dog and a person next to it"); "a table with a
bottle on it" is "a bottle on a table". "A dog and a cat next to each other" is "a dog next to a cat". Where
nothing is there to be meant ("dogs in them"), relation and pronoun say nothing.
"""

from __future__ import annotations

from dataclasses import replace

from dsslic_search.core.text import quoted
from dsslic_search.query.language.pieces import Piece
from dsslic_search.query.language.written import complaint

_BEFORE_A_RELATION = {"ACTIVITY", "FILLER"}
_OF_ONE_NAME = {"THING", "WHOLE", "MANY", "AMOUNT", "ACTIVITY", "FILLER", "COMPARE"}


_PRONOUNS = {"it", "them", "him", "her"}


def is_pronoun(text: str, piece: Piece) -> bool:
    """Whether a thing is one that a pronoun stands for."""
    return text[piece.start : piece.end].casefold() in _PRONOUNS


def resolved(text: str, pieces: list[Piece]) -> list[Piece]:
    """The tokens without pronouns. Raises QueryError for one that could be either of two things."""
    if not any(piece.type in {"IT", "EACH_OTHER"} for piece in pieces):
        return pieces
    made: list[Piece] = []
    for piece in pieces:
        match piece.type:
            case "IT":
                _of_it(text, made, piece)
            case "EACH_OTHER":
                _of_each_other(made, piece)
            case _:
                made.append(piece)
    return made


def _of_it(text: str, made: list[Piece], pronoun: Piece) -> None:
    """Finish the tokens ``made`` so far, of which the last should be a relation, with what it means."""
    if not made or made[-1].type != "RELATION":
        return
    first = next((i for i, piece in enumerate(made) if piece.type in {"THING", "FILLER"}), 0)
    if made[-1].value == "in" and made[first].type == "FILLER":  # "photos with dogs and cats in them"
        made.pop()
        return
    subject = _thing_before(made, len(made) - 1)
    things = [i for i, piece in enumerate(made[: subject or 0]) if piece.type == "THING"]
    again = (i for i in things if is_pronoun(text, made[i]))  # "mountains behind it and boats on it"
    meant = next(again, things[0] if things else None)
    if subject is None or meant is None:
        made.pop()
        return
    thing = made[meant]
    _check_is_clear(text, made, meant, subject, pronoun)
    if _only_introduces(made, meant, subject):
        del made[meant : meant + 2]
    made.append(replace(thing, start=pronoun.start, end=pronoun.end))


def _check_is_clear(text: str, made: list[Piece], meant: int, subject: int, pronoun: Piece) -> None:
    """Raise QueryError for "a dog on a sofa, no cat on it": it could be the sofa, of which the same is said
    before."""
    placed = [piece.type for piece in made[meant + 1 : meant + 3]] == ["RELATION", "THING"]
    if not placed or meant + 2 >= subject or made[meant + 1].value != made[-1].value:
        return
    said, one, other = (text[piece.start : piece.end] for piece in (pronoun, made[meant], made[meant + 2]))
    sentence = f"{quoted(said)} could be {quoted(one)} or {quoted(other)}: write the one that is meant"
    raise complaint(text, pronoun.start, pronoun.end, sentence)


def _only_introduces(made: list[Piece], meant: int, subject: int) -> bool:
    """Whether a thing stands alone before the "with" that brings the subject: "a table with a bottle"."""
    return (
        made[meant + 1].type == "WITH"
        and (meant == 0 or made[meant - 1].type not in _OF_ONE_NAME - {"FILLER"})
        and all(piece.type in _OF_ONE_NAME for piece in made[meant + 2 : subject])
    )


def _of_each_other(made: list[Piece], pronoun: Piece) -> None:
    """Two things that stand in a relation to each other, or one of which there are several."""
    if not made or made[-1].type != "RELATION":
        return
    second = _thing_before(made, len(made) - 1)
    if second is None:
        made.pop()
        return
    thing = made[second]
    first = _thing_before(made, second)
    if first is not None and any(piece.type == "AND" for piece in made[first:second]):
        del made[first + 1 : second + 1]
    made.append(replace(thing, start=pronoun.start, end=pronoun.end))


def _thing_before(made: list[Piece], index: int) -> int | None:
    """The index of the nearest thing before, past what may stand between."""
    for at in range(index - 1, -1, -1):
        if made[at].type == "THING":
            return at
        if made[at].type not in _BEFORE_A_RELATION | {"AND"}:
            return None
    return None
