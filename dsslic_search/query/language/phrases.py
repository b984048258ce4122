"""What tokens mean by their neighbours: fillers go, "sky over 30%" is a comparison, "on the left of the
photo" a zone, and an "and" is put where the text means one. What comes out is what the grammar sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dsslic_search.core.text import normal, quoted
from dsslic_search.query.ast import Number, Text
from dsslic_search.query.language.adjectives import noted, settled
from dsslic_search.query.language.colour_lists import in_full
from dsslic_search.query.language.pieces import Piece
from dsslic_search.query.language.predicates import MASSES
from dsslic_search.query.language.pronouns import resolved
from dsslic_search.query.language.rephrased import rephrased
from dsslic_search.query.language.spatial import OF_THE_PHOTO
from dsslic_search.query.language.written import complaint

CONNECTIVES = {"AND", "OR", "NOT", "COMMA", "CLAUSE"}
# tokens that can end a predicate
ENDS = {"THING", "COLOUR", "AMOUNT", "WHOLE", "ZONE", "OPERAND", "MIRRORED", "FILTER", "EVERYTHING", "RPAR"}
STARTS = {
    "THING", "COLOUR", "COMPARE", "BETWEEN", "MOSTLY", "LITTLE",
    "LARGE", "SMALL", "LOTS", "ONLY", "ABOUT", "MANY", "MORE", "TIMES", "BARELY", "LIKE", "NOT", "LPAR",
    "AMOUNT", "WHOLE", "FILTER", "EVERYTHING",
}  # fmt: skip

_NUMBERS = {"AMOUNT", "WHOLE"}
_COMPARED = {"above": ">", "below": "<"}  # over 30%, under 2
_NOTHING = Piece("", "", 0, 0)


def phrases(text: str, pieces: list[Piece]) -> list[Piece]:
    """The tokens of the grammar for those of the text. Raises QueryError for a word that has no meaning where
    it stands."""
    pieces = list(_without_degrees(text, pieces))
    kept = settled(text, noted(text, [p for p in pieces if p.type != "FILLER" or p.value]))
    counted = _second_bounds(_turned(text, in_full(text, list(_amounts(rephrased(text, kept))))))
    return list(_connected(_ranges(list(_zones(text, resolved(text, _only_several(text, counted)))))))


def _amounts(pieces: list[Piece]) -> Iterator[Piece]:
    """Numbers with their "%": AMOUNT for a part of a photo, WHOLE for a count; "2 or more" is "at least
    2"."""
    index = 0
    while index < len(pieces):
        piece = pieces[index]
        index += 1
        if piece.type == "NUMBER":
            if (share := _fraction(pieces, index)) is not None:
                yield share
                index += 2
                continue
            if index < len(pieces) and pieces[index].type == "PERCENT":
                piece = Piece("AMOUNT", piece.value + "%", piece.start, pieces[index].end)
                index += 1
            else:
                piece.type = "AMOUNT" if "." in piece.value else "WHOLE"
            if [p.type for p in pieces[index : index + 3]] == [
                "OR",
                "NUMBER",
                "THING",
            ] and piece.type == "WHOLE":
                yield Piece("BETWEEN", "between", piece.start, piece.start)
                pieces[index].type = "MID"
            if [p.type for p in pieces[index : index + 3]] == ["THING", "OR", "MORE"]:
                more = pieces.pop(index + 2)
                del pieces[index + 1]
                more.type = "COMPARE"
                yield more
            if index + 1 < len(pieces) and pieces[index].type == "OR" and pieces[index + 1].type == "MORE":
                more = pieces[index + 1]
                more.type = "COMPARE"
                yield more
                index += 2
        yield piece


def _fraction(pieces: list[Piece], index: int) -> Piece | None:
    """The amount that "1/3" is, with its number before ``index``, of what there is an amount of: "1/3 sky",
    but "2/3 cars" are two or three."""
    one, *rest = pieces[index - 1 : index + 2]
    if [piece.type for piece in rest] != ["OR", "NUMBER"] or not one.end == rest[0].start == rest[
        1
    ].start - 1:
        return None
    digits = one.value, rest[1].value
    if not all(map(str.isdecimal, digits)) or not 0 < int(digits[0]) < int(digits[1]) <= 10:
        return None
    beside = [*pieces[index + 2 : index + 4], *reversed(pieces[max(index - 4, 0) : index - 1])]
    thing = next((piece for piece in beside if piece.type == "THING"), None)
    if thing is None or thing.value not in MASSES:
        return None
    share = 100 * int(one.value) / int(rest[1].value)
    exact = f"{share:g}" if share * 2 == int(share * 2) else f"{share:.0f}"
    return Piece("AMOUNT", f"{exact}%", one.start, rest[1].end)


_OF_DEGREES = {"LARGE", "SMALL", "LITTLE", "MANY", "LOTS", "COLOUR"}
_LOOKS = ("brightness:", "colour:")


def _without_degrees(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """ "Very dark photos" are dark photos, which is told. Raises QueryError where there is nothing that could
    be more or less so."""
    for piece, following in zip(pieces, [*pieces[1:], _NOTHING], strict=False):
        if piece.type != "DEGREE":
            yield piece
            continue
        said = text[piece.start : piece.end]
        node = following.node
        if following.type in _OF_DEGREES or (
            isinstance(node, Text | Number) and node.says.startswith(_LOOKS)
        ):
            following.note = following.note or f"{said}: left out, as it is not measured"
            continue
        sentence = (
            f"{quoted(said)} is said of what is measured, as in very dark or too many cars: leave it out"
        )
        raise complaint(text, piece.start, piece.end, sentence)


_NO_THINGS = {"", "FILLER", "FILTER", "CLAUSE", "COMMA", "WITH", "NOT"}
_AT_A_SCENE = {"in", "on", "next to"}
"""Relations that say only what a photo shows where nothing stands before them: "in the forest"."""
_BESIDE_A_SCENE = _AT_A_SCENE | {"above", "below", "in front of", "behind", "surrounded by"}
"""Relations to what has no place in the photo: "people on the beach" are people, and a beach."""
_BOUNDED = ["COMPARE", "AMOUNT"]
MAX_ONLY = 3
"""So many things may be after "only"."""


_OTHER_WAY = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_BEFORE_A_BOUND = {"", "AND", "OR", "COMMA", "CLAUSE", "NOT", "LPAR", "FILLER", "WITH"}


def _turned(text: str, pieces: list[Piece]) -> list[Piece]:
    """ "10% < sky < 40%" is sky > 10% and sky < 40%."""
    made: list[Piece] = []
    index = 0
    while index < len(pieces):
        here = pieces[index : index + 5]
        types = [piece.type for piece in here]
        before = pieces[index - 1].type if index else ""
        signed = types[1:3] == ["COMPARE", "THING"] and text[here[1].start : here[1].start + 1] in {*"<>=≤≥"}
        if not signed or types[0] not in _NUMBERS or before not in _BEFORE_A_BOUND:
            made.append(pieces[index])
            index += 1
            continue
        amount, sign, thing = here[:3]
        made += [thing, replace(sign, value=_OTHER_WAY.get(sign.value, sign.value)), amount]
        if types[3:4] == ["COMPARE"] and types[4:5] and types[4] in _NUMBERS:
            again = [replace(piece, start=thing.end, end=thing.end) for piece in (here[3], thing)]
            made += [replace(again[0], type="AND", value="and"), again[1], *here[3:5]]
            index += 2
        index += 3
    return made


def _second_bounds(pieces: list[Piece]) -> list[Piece]:
    """The thing of a comparison once more before a second bound that names none ("sky > 30% and < 60%")."""
    made: list[Piece] = []
    for index, piece in enumerate(pieces):
        made.append(piece)
        bounded = [p.type for p in pieces[index + 1 : index + 3]] == _BOUNDED
        if bounded and piece.type in {"AND", "OR", "COMMA", "CLAUSE"}:
            before, after = pieces[max(index - 3, 0) : index], pieces[index + 3 : index + 4]
            alone = not after or after[0].type not in {"THING", "OR"}
            if alone and [p.type for p in before] == ["THING", *_BOUNDED]:
                made.append(replace(before[0], start=piece.end, end=piece.end))
    return made


def _only_several(text: str, pieces: list[Piece]) -> list[Piece]:
    """The joiners of the list after "only" are MIDs: "only sea, sky and mountains"."""
    for index, piece in enumerate(pieces):
        if piece.type != "ONLY":
            continue
        end = index + 2
        while [other.type for other in pieces[end : end + 2]] in (["AND", "THING"], ["COMMA", "THING"]):
            end += 2
        joiners = pieces[index + 2 : end : 2]
        either = [other.type for other in pieces[end : end + 2]] == ["OR", "THING"]
        if either or (joiners and joiners[-1].type == "COMMA") or len(joiners) >= MAX_ONLY:
            raise complaint(
                text,
                piece.start,
                pieces[min(end + 1, len(pieces)) - 1].end,
                f'"only" is about one thing or up to {MAX_ONLY} joined by and, as in only sea and sky: say '
                "what shall not be there, as in trees or grass without sky",
            )
        for joiner in joiners:
            joiner.type = "MID"
    return pieces


def _has_no_place(piece: Piece) -> bool:
    """Whether a token is a scene or a name in the archive, in which nothing lies: "dogs in Norway"."""
    return piece.type == "FILTER" and piece.value in {"scene", "name"}


def _is_scene(piece: Piece) -> bool:
    return piece.type == "FILTER" and piece.value == "scene"


def _zones(text: str, pieces: list[Piece]) -> Iterator[Piece]:
    """Relations and zones, and what looks like a relation and is none; the last fillers go."""
    before = ""
    for index, (piece, following) in enumerate(zip(pieces, [*pieces[1:], _NOTHING], strict=False)):
        if piece.type == "FILLER":
            if piece.meaning and [other.type for other in pieces[index + 1 : index + 3]] == [
                "RELATION",
                "THING",
            ]:
                on, wall = pieces[index + 1 : index + 3]
                if on.value == "on" and wall.value == "wall":  # "picture on the wall"
                    piece = Piece("THING", piece.meaning.name, piece.start, piece.end, piece.meaning)
                    yield piece
            before = piece.type
            continue
        if piece.type == "ACTIVITY":
            if following.type in {"RELATION", "ZONE", "BETWEEN"}:
                continue
            if (
                following.type in {"THING", "COLOUR"} or _is_scene(following) or before == "THING"
            ):  # "parked cars", "birds flying"
                piece.note = f"{piece.value}: left out, as what things do is not seen here"
                continue
            shown = quoted(text[piece.start : piece.end])
            raise complaint(
                text,
                piece.start,
                piece.end,
                f"{shown} cannot be seen here: say where, as in person sitting on chair",
            )
        timed = text[piece.start : piece.end].casefold() == "before"  # "before sunset"
        if (
            piece.type == "RELATION"
            and piece.value in _BESIDE_A_SCENE
            and _has_no_place(following)
            and not timed
        ):
            if before in ENDS:
                piece.note = _read_as_and(text, piece, following)
                yield Piece("CLAUSE", "with", piece.start, piece.end)
            before = piece.type
            continue
        if (
            piece.type == "RELATION"
            and following.type in {"THING", "COLOUR"}
            and (_sets_the_scene(piece, before) or (index and _is_scene(pieces[index - 1])))
        ):
            if before in ENDS:
                piece.note = _read_as_and(text, piece, pieces[index - 1])
                yield Piece("CLAUSE", "with", piece.start, piece.end)
            continue
        if piece.type == "RELATION" and following.type == "LPAR" and _sets_the_scene(piece, before):
            continue
        if piece.type == "RELATION":
            if piece.value in {"in", "on"} and _only_introduces(text, piece, following):
                continue
            _resolve(text, piece, before, following)
        yield piece
        before = piece.type


def _read_as_and(text: str, relation: Piece, scene: Piece) -> str:
    """What is to be told of a relation to what is known of whole photos alone; nothing of names."""
    if not _is_scene(scene):
        return ""
    word, said = text[scene.start : scene.end], text[relation.start : relation.end]
    return f"{word}: where it lies in the photo is not known, so {quoted(said)} is read as and"


def _sets_the_scene(piece: Piece, before: str) -> bool:
    """Whether a relation has nothing before it that could stand in it: "in the forest", "photos by the sea",
    "not on the road"; "2021 in the mountains" has a fact there."""
    return piece.value in _AT_A_SCENE and before in _NO_THINGS


def _only_introduces(text: str, piece: Piece, following: Piece) -> bool:
    """Whether "in" or "on" stands before "the photo", a zone or "the left of"."""
    if following.type == "FILLER":
        return _zone_of_photo(text, piece) is None
    return following.type == "ZONE" or (
        following.type == "RELATION" and following.value in {"left of", "right of"}
    )


def _zone_of_photo(text: str, piece: Piece) -> str | None:
    return OF_THE_PHOTO.get(normal(text[piece.start : piece.end]))


def _resolve(text: str, piece: Piece, before: str, following: Piece) -> None:
    """Make a relation what its neighbours say it is: a zone ("left of the photo"), a comparison ("over 30%"),
    or a thing."""
    if following.type == "FILLER" and (zone := _zone_of_photo(text, piece)):
        piece.type, piece.value = "ZONE", zone
    elif piece.value == "around" and following.type in _NUMBERS:
        piece.type, piece.value = "ABOUT", ""
    elif piece.value in _COMPARED and following.type in _NUMBERS:
        piece.type, piece.value = "COMPARE", _COMPARED[piece.value]
    elif piece.meaning and not (before in ENDS and following.type == "THING"):
        piece.type, piece.value = "THING", piece.meaning.name


def _ranges(pieces: list[Piece]) -> list[Piece]:
    """The "and" of "between 10 and 40%" and of "between cars and trees" is a MID; both ends of a range are of
    one kind. "Between two cars" is between cars."""
    for index, opener in enumerate(pieces):
        if opener.type != "BETWEEN" or index + 2 >= len(pieces):
            continue
        if index and [piece.type for piece in pieces[index - 1 : index + 3]] == [
            "THING",
            "BETWEEN",
            "WHOLE",
            "THING",
        ]:
            if pieces[index + 1].value == "2":  # "a car between two buildings"
                pieces[index + 1].type = "FILLER"
            continue
        if index + 3 >= len(pieces):
            continue
        first, middle, last = pieces[index + 1 : index + 4]
        if middle.type not in {"AND", "MID"}:
            continue
        after = pieces[index + 4].type if index + 4 < len(pieces) else ""
        if first.type in _NUMBERS and last.type in _NUMBERS:
            middle.type = "MID"
            if "AMOUNT" in {first.type, last.type}:
                first.type = last.type = "AMOUNT"
            if last.value.endswith("%") and not first.value.endswith("%"):
                first.value += "%"
        elif first.type == last.type == "THING" and after not in {"COMPARE", "BETWEEN", "RELATION", "ZONE"}:
            middle.type = "MID"
    return [piece for piece in pieces if piece.type != "FILLER"]


def _connected(pieces: list[Piece]) -> Iterator[Piece]:
    """Between two predicates "with" begins a new clause; so does a "not" that nothing joins ("road without
    cars"). A comma before "and", "or" or "but" is only punctuation."""
    ended = False  # whether a predicate may have ended right before
    for index, piece in enumerate(pieces):
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        if piece.type == "WITH":
            if not (ended and following and following.type in STARTS):
                if index and pieces[index - 1].type in {"AND", "OR"}:  # "without a dog or with a cat"
                    pieces[index - 1].value = "with"
                continue
            piece = Piece("CLAUSE", "with", piece.start, piece.end)
        elif piece.type == "COMMA" and ended and following and following.type in {"AND", "OR", "CLAUSE"}:
            continue
        elif ended and piece.type in {"NOT", "LPAR"}:
            yield Piece("CLAUSE", "", piece.start, piece.start)
        yield piece
        ended = piece.type in ENDS
