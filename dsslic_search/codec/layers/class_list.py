"""The class list's layer: a file's explanation of its label map, where that speaks in another vocabulary than
the shipped one.

Deflated JSON (docs/format.md)::

    {"name": "ade20k", "in": "<identity of the vocabulary that the numbers are of>",
     "classes": [["wall", "#8c8c78", 1], …]}

Classes stand in order of their ids: name, colour, and the id of the class of vocabulary "in" that CompNet and
FineNet take in its place. The decoder does as the encoder did, whatever it knows of words.
"""

from __future__ import annotations

import json
import zlib
from functools import lru_cache
from typing import Any

from dsslic_search.codec.chunk import Chunk, Layer
from dsslic_search.core import vocabulary
from dsslic_search.core.dialect import Dialect, by_words
from dsslic_search.core.errors import FormatError, UsageError
from dsslic_search.core.plain_json import parsed
from dsslic_search.core.text import plural_of, printable
from dsslic_search.core.vocabulary import UNKNOWN, ClassInfo, Vocabulary

DEFLATED = 1
LAYER = Layer("voca", "the class list", (DEFLATED,))

MAX_UNPACKED_BYTES = 1 << 16
MAX_NAME_CHARACTERS = 100


def encode(dialect: Dialect) -> Chunk:
    """The vocabulary of a label map, and what its classes mean. UsageError when it has names or classes that
    no file can hold."""
    classes = [
        [c.name, "#" + bytes(c.colour).hex(), mark]
        for c, mark in zip(dialect.vocabulary.classes, dialect.marks, strict=True)
    ]
    whole = {"name": dialect.vocabulary.name, "in": vocabulary.built_in().identity, "classes": classes}
    packed = zlib.compress(json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode(), 9)
    chunk = LAYER.chunk(DEFLATED, packed)
    try:
        decode(chunk, dialect.vocabulary.identity)
    except FormatError as e:
        raise UsageError(
            f'the segmenter\'s vocabulary "{printable(dialect.vocabulary.name)}" cannot be stored: '
            f"{e.__cause__}"
        ) from e
    return chunk


@lru_cache(maxsize=64)
def decode(chunk: Chunk, identity: str) -> Dialect:
    """What :func:`encode` wrote of the vocabulary of that identity. Raises FormatError for anything else.

    Where the numbers are of another vocabulary than the one shipped now, the classes mean what their names
    mean.
    """
    LAYER.check(chunk)
    try:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(chunk.data, MAX_UNPACKED_BYTES)
        if unpacker.unconsumed_tail or not unpacker.eof or unpacker.unused_data:
            raise ValueError("its length is wrong")
        raw = parsed(plain)
        rows = raw["classes"]
        classes = tuple(_class(i, *row) for i, row in enumerate(rows))
        marks = tuple(_mark(row[2]) for row in rows)
        read = Vocabulary(_name(raw["name"]), classes, ())
        if not classes or len(classes) > UNKNOWN or len({c.name for c in classes}) != len(classes):
            raise ValueError("classes are missing or repeated")
        if read.identity != identity:
            raise ValueError("it is that of another vocabulary than the header's")
        ours = raw["in"] == vocabulary.built_in().identity
        if ours and max(marks) >= len(vocabulary.built_in()):
            raise ValueError("it speaks of classes that there are not")
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as e:
        raise FormatError(f"damaged class list in the .dsslic file ({e})") from e
    told = ours and vocabulary.default() is vocabulary.built_in()
    return Dialect(read, marks if told else by_words(read).meanings, marks)


def _class(class_id: int, name: Any, colour: Any, _mark: Any) -> ClassInfo:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return ClassInfo(class_id, _name(name), plural_of(name), (red, green, blue), ())


def _name(name: Any) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARACTERS or not name.isprintable():
        raise ValueError("a name is not printable text of 1 to 100 characters")
    return name


def _mark(mark: Any) -> int:
    if type(mark) is not int or not 0 <= mark < UNKNOWN:
        raise ValueError("a class number is impossible")
    return mark
