"""What to tell about a query whose tokens make no tree."""

from __future__ import annotations

from collections.abc import Iterator

from dsslic_search.core.errors import QueryError
from dsslic_search.core.text import normal, quoted
from dsslic_search.query.ast import And, Anywhere, Coloured, Node, Not, Or, Presence, Regional, Thing
from dsslic_search.query.language.phrases import CONNECTIVES, ENDS, STARTS
from dsslic_search.query.language.pieces import Piece
from dsslic_search.query.language.written import complaint

_NUMBERS = {"AMOUNT", "WHOLE"}
_AMOUNTS_OF_A_THING = {"MOSTLY", "LOTS", "LITTLE", "ONLY", "BARELY", "AMOUNT", "MORE"}
_SPATIAL = {"RELATION", "ZONE", "BETWEEN"}


def syntax_error(text: str, pieces: list[Piece], index: int) -> QueryError:
    """What to tell about the token at ``index``, at which (or at the end of the text, past the last) no tree
    fits."""
    before = pieces[index - 1] if index else None
    piece = pieces[index] if index < len(pieces) else None
    kind = before.type if before else ""
    said = quoted(text[before.start : before.end]) if before else ""
    here = quoted(text[piece.start : piece.end]) if piece else ""
    stop = piece is None or piece.type in CONNECTIVES or piece.type == "RPAR"

    def at(wrong: Piece, sentence: str) -> QueryError:
        return complaint(text, wrong.start, wrong.end, sentence)

    if before and piece and piece.type == "COLOUR" and kind in _AMOUNTS_OF_A_THING:
        colour = here[1:-1]
        return at(
            piece,
            f"how much of a photo is {colour} is not known: write {colour} photos, or what is {colour}, as "
            f"in {colour} car",
        )
    if before and kind == "BETWEEN" and index >= 2 and pieces[index - 2].type == "THING":
        return at(
            before, f"{said} needs two things or two numbers after it, as in person between cars and trees"
        )
    more = next((p for p in pieces[max(index - 2, 0) : index + 1] if p.type == "MORE"), None)
    if more:
        said = quoted(text[more.start : more.end])
        return at(
            more,
            f"{said} fits after a number and before than: write 2 or {said[1:-1]} cars, {said[1:-1]} than "
            f"2 cars, or {said[1:-1]} sky than sea",
        )
    if before and kind == "RELATION":
        if piece and piece.type in _NUMBERS | {"MANY", "COMPARE"}:
            return at(
                piece,
                f"{here} does not fit here: only what stands before {said} is counted, so write 2 cars on "
                "road",
            )
        return at(before, f"{said} needs a thing after it, as in {_example(before)}")
    if before and stop and kind in CONNECTIVES:
        return at(before, f"nothing follows {said}: name something after it or remove it")
    if before and stop and kind in {"MOSTLY", "LITTLE"}:
        return at(before, f"{said} needs a thing after it, as in {before.value} sky")
    if before and stop and kind == "MANY":
        return at(before, f"{said} needs a thing after it, as in {said[1:-1]} cars")
    if before and kind in {"COMPARE", "BETWEEN"}:
        example = (
            "between 10% and 40% sky or between 2 and 4 cars"
            if kind == "BETWEEN"
            else f"{before.value} 30% or {before.value} 2"
        )
        return at(before, f"{said} needs a percentage or a number after it, as in {example}")
    if before and kind in _NUMBERS and index >= 2 and pieces[index - 2].type == "BETWEEN":
        unit = "%" if before.value.endswith("%") else ""
        return at(before, f'"between" needs two numbers, as in between {before.value} and 40{unit}')
    if piece and piece.type in CONNECTIVES | {"RPAR"} and (before is None or kind == "LPAR"):
        inside = "empty parentheses" if piece.type == "RPAR" else f"nothing stands before {here}"
        return at(piece, f"{inside}: name something there or remove it")
    if before and kind in _NUMBERS and _is_bare(pieces, index - 1):
        return at(before, f"{said} of what? Name a thing after it, as in >30% sky or 2 cars")
    if piece and piece.type in _SPATIAL:
        return _misplaced(text, pieces, index, before)
    if piece and piece.type in {"AMOUNT", "PERCENT"}:
        return at(piece, f"{here} compares nothing here: say which way, as in >30% sky or at least 30% sky")
    if piece and piece.type == "MIRRORED":
        return at(piece, f"{here} fits after a photo only, as in like #12 mirrored")
    if before and piece and kind == "OPERAND" and piece.type == "WHOLE":
        return at(
            piece, f"{here} does not fit here: a photo's id is written with #, as in like #{piece.value}"
        )
    if before and piece and kind in ENDS and piece.type in STARTS:
        return at(
            piece, f'"and" or "or" is missing between {said} and {here}: put one of them or a comma there'
        )
    what = quoted(text[(piece or pieces[-1]).start : (piece or pieces[-1]).end])
    return at(
        piece or pieces[-1],
        f"{what} does not fit here: write predicates such as road, no people or >30% sky, joined by and or "
        "or",
    )


def check_told_apart(text: str, tree: Node) -> None:
    """Raise QueryError where a tree asks for a thing and denies the same under another name, or counts it
    under two: "people, no children", "2 adults and 1 child"."""
    _check_counted_together(text, tree)
    asked: dict[tuple[int, ...], Thing] = {}
    denied: list[Thing] = []
    for part in _parts(tree):
        match part:
            case Not(Presence(thing)):
                denied.append(thing)
            case Not(Or(parts)):
                denied += [leaf.thing for leaf in parts if isinstance(leaf, Presence)]
            case Presence(thing, None) | Regional(thing) | Coloured(thing):
                asked.setdefault(thing.classes, thing)
    for thing in denied:
        other = asked.get(thing.classes)
        if other is not None and _stem(other.written) != _stem(thing.written):
            shown = [quoted(each.written) for each in (thing, other)]
            raise complaint(
                text,
                thing.position,
                thing.position + len(thing.written),
                f"{shown[0]} and {shown[1]} are one here, {thing.name}: they cannot be told apart, so leave "
                "out one of them",
            )


def _check_counted_together(text: str, tree: Node) -> None:
    """Raise QueryError for "2 adults and 1 child", each of which would be the number of all people."""
    named: dict[tuple[int, ...], dict[str, Thing]] = {}  # by classes and word
    counted: dict[tuple[int, ...], Thing] = {}
    for part in _parts(tree):
        if isinstance(part, Regional) and part.says and isinstance(part.where, Anywhere):
            if part.low:
                counted.setdefault(part.thing.classes, part.thing)
        elif not isinstance(part, Presence) or part.below is not None:
            continue
        if part.thing.written and text.startswith(part.thing.written, part.thing.position):
            named.setdefault(part.thing.classes, {}).setdefault(_stem(part.thing.written), part.thing)
    for classes, one in counted.items():
        words = named.get(classes, {})
        other = next((words[stem] for stem in words if stem != _stem(one.written)), None)
        if other is not None and text.startswith(one.written, one.position):
            shown = f"{quoted(one.written)} and {quoted(other.written)}"
            last = max(one, other, key=lambda thing: thing.position)
            sentence = (
                f"{shown} are one here, {one.name}, and counted together: write how many there are of "
                f"both, as in 3 {one.plural or one.name}"
            )
            raise complaint(text, last.position, last.position + len(last.written), sentence)


def _parts(node: Node) -> Iterator[Node]:
    if isinstance(node, And):
        for part in node.parts:
            yield from _parts(part)
    else:
        yield node


def _stem(word: str) -> str:
    return {"people": "person", "persons": "person"}.get(normal(word), normal(word).removesuffix("s"))


def _misplaced(text: str, pieces: list[Piece], index: int, before: Piece | None) -> QueryError:
    """A relation or a position where none can be."""
    piece = pieces[index]
    here = quoted(text[piece.start : piece.end])
    start = index
    while start and pieces[start - 1].type not in CONNECTIVES | {"LPAR", "RPAR"}:
        start -= 1
    types = [other.type for other in pieces[start:index]]
    if before is None or before.type in CONNECTIVES or before.type == "LPAR":
        hint = f"{here} needs a thing before it, as in {_example(piece)}"
        if before and before.type == "NOT" and index >= 2:
            hint += "; for none of them write no car on road"
    elif before.type == "RPAR":
        hint = f"{here} needs one thing before it, not parentheses: write each relation in full, joined by or"
    elif _SPATIAL & set(types):
        hint = f"{here} follows another relation or position: write each with its own thing, joined by and"
    elif {"AMOUNT", "MOSTLY", "LITTLE"} & set(types):
        hint = (
            f"a part of the photo has no relation or position: remove {here} and what belongs to it, or the "
            "amount"
        )
    else:
        hint = f"{here} does not fit here: a relation stands between two things, as in car on road"
    return complaint(text, piece.start, piece.end, hint)


def _example(piece: Piece) -> str:
    if piece.type == "ZONE":
        return f"car in the {piece.value}"
    return "person between cars and trees" if piece.type == "BETWEEN" else f"person {piece.value} car"


def _is_bare(pieces: list[Piece], index: int) -> bool:
    """Whether the number at ``index`` ends a comparison or is a count that does not have its thing yet."""
    if index >= 1 and pieces[index - 1].type == "COMPARE":
        opener = index - 1
    elif index >= 3 and pieces[index - 1].type == "MID" and pieces[index - 3].type == "BETWEEN":
        opener = index - 3
    else:
        return pieces[index].type == "WHOLE"
    return opener == 0 or pieces[opener - 1].type != "THING"
