"""English nouns that can be seen in photos and what each is asked as, as ``nouns.txt`` beside this module has
them.

A line is a noun in normal form, a tab, and a class or group of the vocabulary ("person"), "=" and identities
of image words (`core.wordnet`), commas between, "?" and a known word that has to do with it, for a hint, or
"?" alone where nothing can be told of it but that it is a word; of an irregular plural, "/" and its singular.
The lines are in order, so that a noun is found without reading the others; only what names no class, in no
language, is looked for here. `training.nouns` writes the file, with WordNet's licence as comments.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("nouns.txt")
MAX_NOUN_WORDS = 3


@dataclass(frozen=True)
class Noun:
    """A noun in the singular, of how many words, and what it is asked as: one of ``kind`` (the name of a
    class or group), ``identities`` (of image words) and ``hint`` (a word that is known)."""

    noun: str
    words: int
    kind: str = ""
    identities: tuple[str, ...] = ()
    hint: str = ""


class Nouns:
    """The nouns of a table, as bytes."""

    def __init__(self, table: bytes) -> None:
        self._lines = [line for line in table.splitlines() if not line.startswith(b"#")]

    def first_of(self, words: Sequence[str]) -> Noun | None:
        """The longest noun that some words in normal form begin with; its last word may be in the plural."""
        for count in range(min(len(words), MAX_NOUN_WORDS), 0, -1):
            *others, last = words[:count]
            for form in (last, *singulars(last)):
                noun = " ".join([*others, form])
                found = self._asked_as(noun)
                if found is not None and found.startswith("/"):
                    noun = found[1:]
                    found = self._asked_as(noun)
                if found is not None:
                    return _noun(noun, count, found)
        return None

    def places(self) -> Iterator[str]:
        """The nouns that are asked as several image words, such as "kitchen"."""
        return (line.partition(b"\t")[0].decode() for line in self._lines if b"," in line)

    def beginning(self, letters: str, hinted: bool = False) -> Iterator[str]:
        """The nouns of one word that begin with some letters and can be asked for, or, where ``hinted``, also
        those that only have a hint what to write instead."""
        start = letters.encode()
        for number in range(bisect_left(self._lines, start), len(self._lines)):
            line = self._lines[number]
            if not line.startswith(start):
                break
            noun, _, asked_as = line.partition(b"\t")
            if b" " not in noun and (asked_as[:1] not in b"?/" or (hinted and len(asked_as) > 1)):
                yield noun.decode()

    def _asked_as(self, noun: str) -> str | None:
        """What stands behind a noun; None where the table has it not."""
        beginning = f"{noun}\t".encode()
        index = bisect_left(self._lines, beginning)
        if index < len(self._lines) and self._lines[index].startswith(beginning):
            return self._lines[index].removeprefix(beginning).decode()
        return None


def _noun(noun: str, words: int, asked_as: str) -> Noun:
    match asked_as[0]:
        case "=":
            return Noun(noun, words, identities=tuple(asked_as[1:].split(",")))
        case "?":
            return Noun(noun, words, hint=asked_as[1:])
    return Noun(noun, words, kind=asked_as)


_ENDINGS = (
    ("men", "man"), ("ies", "y"), ("ves", "f"), ("ves", "fe"), ("oes", "o"), ("ches", "ch"), ("shes", "sh"),
    ("xes", "x"), ("ses", "s"), ("zes", "z"), ("s", ""),
)  # fmt: skip
"""Endings of plurals, and what the singular ends in."""


def singulars(word: str) -> Iterator[str]:
    """What a word may be the regular plural of."""
    for plural, singular in _ENDINGS:
        if word.endswith(plural) and not word.endswith("ss") and len(word) > len(plural) + 1:
            yield word[: -len(plural)] + singular


@cache
def nouns() -> Nouns:
    """The table that ships with the package."""
    return Nouns(TABLE.read_bytes())
