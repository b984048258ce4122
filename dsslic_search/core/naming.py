"""Which class a name means that another data set, model or vocabulary has for it.

People write class names in many ways: "traffic sign", "Traffic_Sign", "building, edifice",
"sky-other-merged", "people". The rules, of which the first that applies decides:

1. the whole name stands in the table of well-known names (``class_names.json``);
2. one of its alternatives (what commas, semicolons and slashes separate), in order: by the vocabulary's
   words (names,
   plurals, synonyms, their regular plurals), else by the table;
3. the same without what data sets append ("-other", "-merged", "-stuff", a remark in brackets);
4. the class "other".

Names are compared case-folded, with hyphens, underscores and inner capitals as spaces.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from dsslic_search.core import text
from dsslic_search.core.vocabulary import Vocabulary, built_in

How = Literal["name", "synonym", "table", "file", "unknown"]

_APPENDED = re.compile(r"\s*\([^()]*\)|( other)?( merged)?( stuff)?$")
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Named:
    """The class that a name means, and what says so: the vocabulary's "name" or "synonym" (plurals included),
    the "table" of well-known names, a user's "file"; "unknown": nothing does, and the class is "other"."""

    class_id: int
    how: How


def class_named(name: str, vocabulary: Vocabulary) -> Named:
    """The class of ``vocabulary`` that a name means, by the rules above; of a list of one's own its words go
    before the table. KeyError when the vocabulary has no "other"."""
    words, table = _words(vocabulary), _table(vocabulary)
    whole = normal(name)
    if vocabulary.identity != built_in().identity and whole in words:
        return words[whole]
    if whole in table:
        return table[whole]
    alternatives = [normal(part) for part in re.split(r"[,;/]", name)]
    for part in (*alternatives, *(_APPENDED.sub("", a) for a in alternatives)):
        if part in words:
            return words[part]
        if part in table:
            return table[part]
    return Named(vocabulary.id_of("other"), "unknown")


def class_meant(names: tuple[str, ...], vocabulary: Vocabulary) -> Named:
    """What the first of several names for one thing means that means anything."""
    found = [class_named(name, vocabulary) for name in names]
    return next((n for n in found if n.how != "unknown"), found[0])


@cache
def well_known() -> Mapping[str, str]:
    """The table: name in normal form → class name. ValueError when a name stands there twice."""
    classes = json.loads((files("dsslic_search.core") / "class_names.json").read_text())["classes"]
    pairs = [(normal(name), class_name) for class_name, names in classes.items() for name in names]
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name stands twice in class_names.json")
    return table


@cache
def _table(vocabulary: Vocabulary) -> Mapping[str, Named]:
    """The classes that well-known names mean, by name in normal form, of those that the vocabulary has."""
    words = _words(vocabulary)
    return {
        name: Named(words[normal(known)].class_id, "table")
        for name, known in well_known().items()
        if normal(known) in words
    }


@cache
def _words(vocabulary: Vocabulary) -> Mapping[str, Named]:
    words: dict[str, Named] = {}
    for c in vocabulary.classes:
        for word in (c.name, c.plural):
            words.setdefault(normal(word), Named(c.id, "name"))
    for c in vocabulary.classes:
        for word in (*c.synonyms, *map(text.plural_of, c.synonyms)):
            words.setdefault(normal(word), Named(c.id, "synonym"))
    return words


def normal(name: str) -> str:
    """A name as names are compared: as words are (`core.text.normal`), with inner capitals as spaces too."""
    return text.normal(_INNER_CAPITAL.sub(" ", unicodedata.normalize("NFKC", name)))
