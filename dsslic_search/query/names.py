"""What a bare word names in an archive, where it is no word of the language: a tag, somebody, a keyword, a
camera, a lens, a saved query, or a part of a folder's or a file's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from dsslic_search.core.errors import UsageError
from dsslic_search.core.fields import NAMED
from dsslic_search.index.files import Files
from dsslic_search.query.ast import Leaf, Text
from dsslic_search.query.language.parse import TagTrouble
from dsslic_search.query.language.written import value_as_written

LOOKED_AT_NAMES = 200
"""So many of the files whose names have a word in them are looked at for one that has it as a word."""
LEAST_LETTERS = 3
"""A shorter word is no part of a name."""

Named = Callable[[str], "Leaf | str | None"]
"""Gives, for a folded word or several, what they name: a predicate, or a saved query by its name; None where
they name nothing."""


def names_of(
    files: Callable[[], Sequence[Files]], saved: Callable[[str], str] | None, tag_trouble: TagTrouble | None
) -> Named:
    """The names in an archive; ``files`` opens its indexes of files, which is done for the first word asked.
    ``saved``, ``tag_trouble``: see `query.language.parse.parse`."""

    @cache
    def named(word: str) -> Leaf | str | None:
        if tag_trouble is not None and tag_trouble(word) is None:
            return _predicate("tag", word)
        indexes = files()
        for field in ("people", "keyword", "camera", "lens"):
            if any(_among(index.said(_array(field)), word) for index in indexes):
                return _predicate(field, word)
        if saved is not None and _holds(saved, word):
            return word
        return _predicate("path", word) if any(_in_a_path(index, word) for index in indexes) else None

    return named


def _holds(saved: Callable[[str], str], name: str) -> bool:
    try:
        saved(name)
    except (KeyError, UsageError):  # no such query, or what cannot be a name
        return False
    return True


def _predicate(field: str, word: str) -> Leaf:
    return Text(field, word, f"{field}:{value_as_written(word)}")


def _array(field: str) -> str:
    return NAMED[field].columns[0].array


def _among(values: str, word: str) -> bool:
    """Whether a word stands in one of some values, which `Files.said` joins."""
    return word in values and _as_a_word(word).search(values) is not None


def _in_a_path(index: Files, word: str) -> bool:
    """Whether a folder of the archive has a word, or several, in its name, or a file a word. Names of files
    are asked of the catalog, and words that stand side by side are tried together in every query."""
    if len(word) < LEAST_LETTERS:
        return False
    if _among(index.said("folder"), word):
        return True
    if " " in word:
        return False
    whole = _as_a_word(word)
    rows = np.flatnonzero(index.segment.without_gone(index.text("name", word)))[:LOOKED_AT_NAMES]
    return any(whole.search(index.path(row).rpartition("/")[2].casefold()) for row in rows.tolist())


@cache
def _as_a_word(word: str) -> re.Pattern[str]:
    """Finds a word where no letter is right before or behind it: "img" in "IMG_1234.jpg"."""
    return re.compile(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])")
