"""Tokens with a value that is taken as it is typed: fields ("camera:canon"), words in quotation marks, and
the photos that others are compared with ("like beach.jpg", "like #3 or #8")."""

from __future__ import annotations

import re
from dataclasses import replace

from dsslic_search.core.colour_terms import SPELLINGS, TERMS
from dsslic_search.core.text import normal, quoted
from dsslic_search.query.ast import Coloured, Thing
from dsslic_search.query.language import fields
from dsslic_search.query.language.lexicon import KEYWORDS
from dsslic_search.query.language.pieces import Piece, Source
from dsslic_search.query.language.written import complaint, value_at

_COMPOUND_FIELD = re.compile(r"[a-z]+(?:[-_][a-z]+)+(?=:)")
_FIELD_TYPES = {"sort": "SORT", "limit": "LIMIT", "count": "TALLY"}
_PHOTO_BEFORE_ID = re.compile(r"\s+(?:photo|image|picture)\s+(?=#)")
_ID = re.compile(r"#[0-9]+")
_ANOTHER_ID = re.compile(
    r"\s*+(?:(?P<or>(?:,\s*+)?or\b|\|)|(?:,\s*+)?and\b|&|(?P<comma>,))"
    r"\s*+(?:(?:photo|image|picture)\s++)?(?=#[0-9])"
)
_MIRRORED = re.compile(r"\s++(?:or\s++)?mirrored\b")


def quotation(source: Source, start: int) -> tuple[Piece, int]:
    """Words in quotation marks: a text of the photo."""
    value, first, last, index = value_at(source.folded, start)
    if not value.strip():
        raise complaint(
            source.folded.original,
            first,
            last,
            "nothing stands between the quotation marks: leave them out",
        )
    return Piece("FILTER", "text", first, last, node=fields.filter_of("text", value, source.now)), index


def field_at(source: Source, start: int, end: int) -> tuple[list[Piece], int] | None:
    """The field whose name is, or begins with, the word at ``start``; None if it is no field's."""
    if compound := _COMPOUND_FIELD.match(source.folded.text, start):
        name = compound.group().replace("-", "_")
        if fields.field_name(name):
            return _field(source, name, start, compound.end())
    if source.folded.text[end : end + 1] == ":":
        word = source.folded.text[start:end]
        if KEYWORDS.get((word,)) == ("FILLER", "photo"):  # "photos: dogs and cats"
            return [source.piece("FILLER", "photo", start, end + 1)], end + 1
        return _field(source, word, start, end)
    return None


def _field(source: Source, word: str, start: int, end: int) -> tuple[list[Piece], int]:
    """A field, its colon at ``end``, and the value after it."""
    original = source.folded.original
    named = source.folded.span(start, end + 1)
    shown = quoted(original[slice(*named)])
    name = fields.field_name(word)
    if name is None:
        coloured = _coloured(source, word, named[0], end + 1)
        if coloured is not None:
            return coloured
        hint, close = fields.no_such_field(word)
        raise complaint(original, *named, f"there is no field {shown}: {hint}", close)
    value, first, last, index = value_at(source.folded, end + 1)
    if not value.strip():
        raise complaint(original, *named, f"{shown} needs a value after it, as in {fields.EXAMPLES[name]}")
    made = Piece(_FIELD_TYPES.get(name, "FILTER"), name, named[0], last)
    try:
        if name == "limit":
            made.number = fields.limit_of(value)
        elif name == "count":
            made.value = fields.tally_of(value)
        elif name == "sort":
            made.sort = fields.sort_of(value, lambda word: _thing_named(source, word, first))
        else:
            made.node = fields.filter_of(name, value, source.now)
    except ValueError as error:
        raise complaint(
            original, first, last, f"{quoted(original[first:last])} does not fit {name}: {error}"
        ) from None
    return [made], index


def _coloured(source: Source, word: str, start: int, index: int) -> tuple[list[Piece], int] | None:
    """A thing and its colour, as car:red, if it is one."""
    value, _, last, index = value_at(source.folded, index)
    colour = SPELLINGS.get(normal(value), normal(value))
    thing = _thing_named(source, word, start)
    if thing is None or colour not in TERMS:
        return None
    return [Piece("FILTER", "colour", start, last, node=Coloured(thing, colour))], index


def _thing_named(source: Source, word: str, position: int) -> Thing | None:
    meaning = source.table.meanings.get(tuple(normal(word).split()))
    return None if meaning is None else Thing(word, meaning.name, meaning.classes, position, meaning.plural)


def compared(source: Source, like: Piece, index: int, before: str) -> tuple[list[Piece], int]:
    """What photos are compared with, after "like": one, or several by their ids. Of "like #3, #8 or #9"
    any counts, and of "not like #3 or #8" none; what is written behind them is about all of them.
    ``before``: the type of the token before."""
    unlike = [replace(like, type="NOT", value="not")] if like.value == "unlike" else []
    negated = bool(unlike) != (before == "NOT")
    operand, index = _operand(source, like, index)
    likes, joints = [[like, operand]], []
    while operand.value[:1] == "#" and (joint := _ANOTHER_ID.match(source.folded.text, index)):
        joints.append(joint)
        operand, index = _operand(source, like, joint.end())
        likes.append([replace(like, start=operand.start, end=operand.start), operand])
    if mirrored := _MIRRORED.match(source.folded.text, index):
        index = mirrored.end()
        for pieces in likes:
            pieces.append(source.piece("MIRRORED", "mirrored", *mirrored.span()))
    any_of_them = not negated and bool(joints) and joints[-1]["or"] is not None
    made = likes[0]
    for joint, pieces in zip(joints, likes[1:], strict=True):
        of_any = any_of_them and (joint["or"] is not None or joint["comma"] is not None)
        made.append(source.piece("OR" if of_any else "AND", "or" if of_any else "and", *joint.span()))
        made += [replace(pieces[0], type="NOT", value="not")] if negated else []
        made += pieces
    if any_of_them or (joints and unlike and not negated):
        start, end = made[0].start, made[-1].end
        made = [Piece("LPAR", "(", start, start), *made, Piece("RPAR", ")", end, end)]
    return [*unlike, *made], index


def _operand(source: Source, like: Piece, index: int) -> tuple[Piece, int]:
    """What follows "like": a path, or an id."""
    original = source.folded.original
    if photo := _PHOTO_BEFORE_ID.match(source.folded.text, index):
        index = photo.end()
    inner, start, end, index = value_at(source.folded, index)
    unquoted = end - start == len(inner)
    if unquoted and inner[:1] == "#" and not _ID.fullmatch(inner):
        raise complaint(
            original, start, end, f"{quoted(inner)} is not an id: write # and digits, as in like #12"
        )
    connective = unquoted and KEYWORDS.get((inner.casefold(),), ("", ""))[0] in {"AND", "OR", "NOT"}
    if connective or not inner.strip():
        raise complaint(
            original,
            like.start,
            like.end,
            '"like" needs a photo after it: a path, or # and an id, as in like #12',
        )
    return Piece("OPERAND", inner, start, end), index
