"""Turns of speech as the tokens that say the same in the order of the grammar: "nobody" is no person, "a car
free street" a street without cars, "people not on horses" people, none of them on a horse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

from dsslic_search.core.text import quoted
from dsslic_search.query.language import subjects
from dsslic_search.query.language.pieces import Piece
from dsslic_search.query.language.written import complaint

JOINERS = {"AND", "COMMA", "CLAUSE", "WITH", "OR"}
_END = Piece("", "", 0, 0)


def rephrased(text: str, pieces: list[Piece]) -> list[Piece]:
    """The tokens of a query, each turn of speech among them replaced. Raises QueryError for one that says
    nothing where it stands."""
    for tells, turn in _TURNS:
        if any(piece.type in tells for piece in pieces):
            pieces = list(turn(text, pieces))
    return pieces


def _politeness(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """Thanks and greetings go, with the comma that sets them apart."""
    polite = [piece.type == "POLITE" for piece in pieces]
    for index, piece in enumerate(pieces):
        beside = polite[max(index - 1, 0) : index + 2]
        if not polite[index] and not (piece.type == "COMMA" and any(beside)):
            yield piece


def _single_words(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """Words that stand for several tokens, and those whose meaning depends on what follows."""
    named = False  # whether something was named before
    for index, piece in enumerate(pieces):
        following = pieces[index + 1].type if index + 1 < len(pieces) else ""
        named = named or piece.type in {"THING", "FILTER"}
        match piece.type:
            case "NOBODY":
                yield Piece("NOT", piece.value, piece.start, piece.end)
                if following not in {"THING", "WITH"}:
                    yield replace(piece, type="THING", meaning=piece.meaning)
            case "WHO":
                if not named and following in {"RELATION", "ACTIVITY"}:
                    yield replace(piece, type="THING")
            case "IN_FRONT" | "SIDE_BY_SIDE":
                yield replace(piece, type="RELATION")
                yield replace(piece, type="IT" if piece.type == "IN_FRONT" else "EACH_OTHER")
            case "HER":
                if following != "THING":
                    yield replace(piece, type="IT")
            case "LARGE" | "SMALL" if following == "FILLER" and piece.value in {"large", "small"}:
                shown = quoted(text[piece.start : piece.end])
                sentence = f"{shown} does not say how: write larger than 5 MB, wider than 4000 or panorama"
                raise complaint(text, piece.start, piece.end, sentence)
            case "POSSESSIVE":
                own = pieces[index + 1 : index + 2]
                if own and own[0].type == "THING" and own[0].meaning == piece.meaning:
                    shown, of = (quoted(text[p.start : p.end]) for p in (own[0], pieces[index - 1]))
                    sentence = f"{shown} is not told apart from a person: leave out {shown} or {of}"
                    raise complaint(text, own[0].start, own[0].end, sentence)
            case "BOTH":
                if following == "THING" and not any(p.type in {"AND", "COMMA"} for p in pieces[index:][:8]):
                    yield replace(piece, type="NUMBER", value="2")
            case _:
                yield piece


def _free_of(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """ "Car free street" and "treeless hills": a thing that is not there, and one that is."""
    for index, piece in enumerate(pieces):
        following = pieces[index + 1] if index + 1 < len(pieces) else _END
        if piece.type == "THING" and following.type == "FREE":
            yield Piece("NOT", "-", piece.start, piece.start)
        if piece.type != "FREE":
            yield piece
        elif index == 0 or pieces[index - 1].type != "THING":
            shown = quoted(text[piece.start : piece.end])
            raise complaint(
                text, piece.start, piece.end, f"{shown} needs a thing before it, as in car free street"
            )
        elif following.type not in JOINERS | {"", "RPAR"}:
            yield Piece("CLAUSE", "", piece.end, piece.end)


_APART = {"other than", "except", "except for", "excluding", "but"}
_ONE = {"single", "one"}
_WHOLLY = re.compile(r"\b(?:all|every)\b")


def _idioms_of_negation(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """ "Not a single car" is no car. Raises QueryError for "not all sky", of which some could be left, and
    for "no animals except dogs"."""
    for index, piece in enumerate(pieces):
        before, following = pieces[index - 1] if index else _END, pieces[index + 1 : index + 4]
        types = [other.type for other in following]
        denied = before.type == "NOT" and text[before.start : before.end].casefold() in {"not", "no"}
        if denied and types[:1] == ["THING"] and text[piece.start : piece.end].casefold() in _ONE:
            continue
        named = next((other for other in following if other.type != "FILLER"), _END)
        if piece.type == "NOT" and piece.value == "not" and named.type == "THING":
            _check_amount(text, piece, named)
        if piece.type == "NOT" and types[:2] == ["THING", "NOT"]:
            _check_exception(text, pieces[index + 1 : index + 5])
        yield piece


def _check_amount(text: str, denial: Piece, thing: Piece) -> None:
    """Raise QueryError for "not all sky"."""
    if _WHOLLY.search(text[denial.end : thing.start].casefold()):
        said = text[thing.start : thing.end]
        sentence = f"this does not say how much: write no {said}, or an amount, as in sky < 90%"
        raise complaint(text, denial.start, thing.end, sentence)


def _check_exception(text: str, denied: list[Piece]) -> None:
    """Raise QueryError for what is denied but for a kind of it."""
    group, but, *rest = denied
    kind = next((piece for piece in rest[:2] if piece.type == "THING"), None)
    if kind is None or text[but.start : but.end].casefold() not in _APART:
        return
    assert group.meaning is not None
    assert kind.meaning is not None
    if kind is not rest[0] and rest[0].type != "COLOUR":
        return
    if set(kind.meaning.classes) <= set(group.meaning.classes):
        shown = quoted(text[group.start : kind.end])
        sentence = (
            f"{shown} is not understood: write each thing that shall not be there, as in no cats and no cars"
        )
        raise complaint(text, group.start, kind.end, sentence)


_PLACES = tuple(["RELATION", what] for what in ("THING", "COLOUR", "ZONE"))


def _denied_of_a_thing(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """ "People not on horses", "cars that are not red": the thing stands before what is denied of it."""
    thing: Piece | None = None  # the one right before a "not"
    coloured = -1  # the place of a second colour that is denied of it
    for index, piece in enumerate(pieces):
        following = [other.type for other in pieces[index + 1 : index + 4]]
        if piece.type == "NOT" and piece.value not in {"-", "!"}:
            last = index - 1
            while last >= 0 and pieces[last].type in {"COMMA", "CLAUSE", "AND"}:
                last -= 1
            types = [other.type for other in pieces[max(last - 1, 0) : last + 1]]
            if types != ["NOT", "COLOUR"]:  # "cars not red and not blue"
                thing = pieces[last] if types[-1:] == ["THING"] else None
            if placed := subjects.subject(pieces[: last + 1]):  # "on the road but not on the sidewalk"
                thing = placed[-1]
            said = following[1:] if following[:1] == ["ACTIVITY"] else following
            if thing and (said[:1] == ["ZONE"] or said[:2] in _PLACES):
                yield piece
                yield replace(thing, start=piece.end, end=piece.end)
                continue
        yield piece
        denied = index > 0 and pieces[index - 1].type == "NOT"
        if piece.type == "COLOUR" and denied and thing and following[:1] != ["THING"]:
            yield replace(thing, start=piece.end, end=piece.end)
            listed = following[:2] == ["OR", "COLOUR"] and following[2:3] != ["THING"]
            coloured = index + 2 if listed else -1
        elif index == coloured and thing:  # "cars that are not red or blue"
            yield replace(thing, start=piece.end, end=piece.end)


def _facts_inside(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """ "Dogs in 2021 on a sofa": the fact behind what it stands in."""
    index = 0
    while index < len(pieces):
        types = [other.type for other in pieces[index : index + 4]]
        if types == ["THING", "FILTER", "RELATION", "THING"] and (index == 0 or _opens(pieces[index - 1])):
            thing, fact, relation, other = pieces[index : index + 4]
            yield from (thing, relation, other, fact)
            index += 4
        else:
            yield pieces[index]
            index += 1


MAX_SHARED_PIECES = 12
"""So many tokens may say what stands in a relation to alternatives in parentheses."""
_OF_A_SUBJECT = {"THING", "COLOUR", "NUMBER", "MANY", "COMPARE", "ACTIVITY", "RELATION", "LARGE", "SMALL"}
_ALTERNATIVES = {"THING", "COLOUR", "FILTER", "AND", "OR", "COMMA"}


def _relations_of_alternatives(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """ "A car next to (a bus or truck)" is (a car next to a bus or a car next to a truck)."""
    types = [piece.type for piece in pieces]
    if ("RELATION", "LPAR") not in pairwise(types):
        yield from pieces
        return
    made: list[Piece] = []
    index = 0
    while index < len(pieces):
        end = _end_of_alternatives(pieces, index)
        start = len(made)
        while start and len(made) - start <= MAX_SHARED_PIECES and made[start - 1].type in _OF_A_SUBJECT:
            start -= 1
        subject = made[start:]
        named = any(piece.type == "THING" for piece in subject)
        if not end or not named or len(subject) > MAX_SHARED_PIECES:
            made.append(pieces[index])
            index += 1
            continue
        inner = pieces[index + 1 : end]
        joiner = next((piece.type for piece in reversed(inner) if piece.type in {"AND", "OR"}), "AND")
        del made[start:]
        opens, closes = pieces[index], pieces[end]
        made += [opens, replace(opens), *subject]
        for piece in inner:
            if piece.type in {"AND", "OR", "COMMA"}:
                again = replace(opens), *map(replace, subject)
                made += [replace(closes), replace(piece, type=joiner), *again]
            else:
                made.append(piece)
        made += [replace(closes), closes]
        index = end + 1
    yield from made


def _end_of_alternatives(pieces: list[Piece], index: int) -> int:
    """The index of the parenthesis that closes one after a relation in which two things or more are listed;
    0 where none does."""
    if index == 0 or pieces[index].type != "LPAR" or pieces[index - 1].type != "RELATION":
        return 0
    end = index + 1
    while end < len(pieces) and pieces[end].type in _ALTERNATIVES:
        if pieces[end].type == "FILTER" and pieces[end].value != "scene":
            return 0
        end += 1
    types = [piece.type for piece in pieces[index + 1 : end + 1]]
    listed = types[-1:] == ["RPAR"] and types[0] in {"THING", "COLOUR", "FILTER"}
    apart = all(
        one in {"AND", "OR", "COMMA"} or other in {"AND", "OR", "COMMA", "RPAR"} or one == "COLOUR"
        for one, other in pairwise(types)
    )
    return end if listed and apart else 0


def _opens(piece: Piece) -> bool:
    """Whether what comes behind a token is a predicate of its own, or the thing of one."""
    return piece.type in JOINERS | {"LPAR", "NUMBER", "MANY", "LARGE", "SMALL", "FILLER", "FILTER"}


_RATIO_WORDS = {"AS_MUCH", "AS_LARGE"}
_SHARES = {"50%": "0.5", "25%": "0.25", "20%": "0.2", "10%": "0.1"}  # of "half as much sky as sea"


def _ratios(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """ "Twice as much", "3 times as large as", "as much": one token TIMES, of how many times."""
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        types = [other.type for other in pieces[index : index + 4]]
        count, length = _times(pieces, index)
        if length < len(types) and types[length] in _RATIO_WORDS:
            yield Piece("TIMES", count, piece.start, pieces[index + length].end)
            index += length + 1
        elif piece.type == "TIMES":
            shown = quoted(text[piece.start : piece.end])
            sentence = f"{shown} compares two things, as in twice as much sky as sea"
            raise complaint(text, piece.start, piece.end, sentence)
        elif types[:3] == ["EQUALLY", "THING", "AND"] and len(types) > 3:
            yield replace(piece, type="TIMES", value="1")
            yield pieces[index + 1]
            yield replace(pieces[index + 2], type="AS")
            index += 3
        elif types[:3] == ["MORE", "THING", "THAN"] and len(types) > 3:
            made, length = _than(pieces[index : index + 5])
            yield from made
            index += length
        else:
            yield piece
            index += 1


def _times(pieces: list[Piece], index: int) -> tuple[str, int]:
    """How many times, and how many tokens say it: "twice", "3 times", "half"; "1" and 0 where none does."""
    piece = pieces[index]
    following = pieces[index + 1] if index + 1 < len(pieces) else _END
    if piece.type == "NUMBER" and following.type == "TIMES" and not following.value:
        return piece.value, 2
    if piece.type == "TIMES" and piece.value:
        return piece.value, 1
    if piece.type == "AMOUNT" and piece.value in _SHARES:
        return _SHARES[piece.value], 1
    return "1", 0


def _than(own: list[Piece]) -> tuple[list[Piece], int]:
    """ "More sky than 30%" is more than 30% sky; "more sky than grass" stays. And how many that were."""
    more, thing, _, *amount = own
    if amount[0].type not in {"NUMBER", "AMOUNT"}:
        return own[:3], 3
    if [piece.type for piece in amount] != ["NUMBER", "PERCENT"]:
        amount = amount[:1]
    sign = ">" if more.value == ">=" else "<"
    return [replace(more, type="COMPARE", value=sign), *amount, thing], 3 + len(amount)


_TURNS: tuple[tuple[set[str], Callable[[str, list[Piece]], Iterator[Piece]]], ...] = (
    ({"POLITE"}, _politeness),
    (
        {"NOBODY", "WHO", "IN_FRONT", "SIDE_BY_SIDE", "HER", "POSSESSIVE", "BOTH", "LARGE", "SMALL"},
        _single_words,
    ),
    ({"NOT"}, _idioms_of_negation),
    ({"FREE"}, _free_of),
    ({"RELATION", "ZONE"}, subjects.repeated),
    ({"NOT"}, _denied_of_a_thing),
    ({"FILTER"}, _facts_inside),
    ({"LPAR"}, _relations_of_alternatives),
    ({"TIMES", "AS_MUCH", "AS_LARGE", "EQUALLY", "MORE"}, _ratios),
)
"""Each turn, with the types of tokens by which it is known."""
