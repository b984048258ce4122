"""Words and what they are kinds of: a part of WordNet 3.0 (Fellbaum 1998), as ``wordnet.txt`` beside this
module has it.

Its first synsets are the leaves, the 1 000 words that photos are described by, in the order of the network's
outputs; then come all that these are kinds of. `training.wordnet` writes it, with WordNet's licence as
comments::

    number of leaves
    identity <tab> identities of what it is a kind of, commas between <tab> words, semicolons between

A word may stand for several synsets ("crane"), a synset for a kind of several others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dsslic_search.core.cached import cached_property
from dsslic_search.core.text import KnownWords, normal, plural_of
from dsslic_search.core.trust import Trust

TABLE = Path(__file__).with_name("wordnet.txt")
THRESHOLDS = Path(__file__).with_name("word_thresholds.json")


@dataclass(frozen=True)
class Synset:
    """``identity``: "n" and its offset in WordNet 3.0; ``words``: those that mean it, the commonest first;
    ``kinds``: the identities of what it is a kind of."""

    identity: str
    words: tuple[str, ...]
    kinds: tuple[str, ...]


class WordNet:
    """Synsets by identity and by word, of which the first ``leaf_count`` are leaves."""

    def __init__(self, synsets: Iterable[Synset], leaf_count: int) -> None:
        self.synsets: Mapping[str, Synset] = {synset.identity: synset for synset in synsets}
        self.leaves = tuple(self.synsets)[:leaf_count]
        """The identities of the leaves, by number."""

    @classmethod
    def read(cls, path: Path) -> WordNet:
        """The table in a file."""
        lines = (line for line in path.read_text("utf-8").splitlines() if not line.startswith("#"))
        leaf_count = int(next(lines))
        fields = (line.split("\t") for line in lines)
        synsets = (
            Synset(identity, tuple(words.split(";")), tuple(kinds.split(",")) if kinds else ())
            for identity, kinds, words in fields
        )
        return cls(synsets, leaf_count)

    def meanings(self, word: str) -> tuple[str, ...]:
        """The identities of the synsets that a word, in any form of `text.normal`, or its plural means: those
        that are called by it before all, else those that may be called so."""
        form = normal(word)
        return self._meanings.get(form) or self._meanings.get(self._singulars.get(form, ""), ())

    def leaves_of(self, identities: Iterable[str]) -> tuple[int, ...]:
        """The numbers of all leaves that are of some of these kinds, ascending."""
        return tuple(sorted({leaf for identity in identities for leaf in self._leaves[identity]}))

    def kinds_of(self, identity: str) -> tuple[str, ...]:
        """What a synset is a kind of, near or far, nearest first, without itself."""
        found = dict.fromkeys(self.synsets[identity].kinds)
        waiting = list(found)
        for kind in waiting:  # it grows meanwhile
            more = [each for each in self.synsets[kind].kinds if each not in found]
            found.update(dict.fromkeys(more))
            waiting += more
        return tuple(found)

    def name_of_leaf(self, number: int) -> str:
        """The first word of a leaf that no leaf before it is called by: all leaves have different names."""
        return self._leaf_names[number]

    def number_of(self, name: str) -> int:
        """The number of the leaf of that name; KeyError when there is none."""
        return self._numbers[name]

    def close_to(self, word: str, at_most: int = 3) -> tuple[str, ...]:
        """The words most like one that is not known, best first; perhaps none."""
        like = KnownWords(self._meanings).like(normal(word))
        return tuple(sorted(like, key=lambda known: (-like[known], known))[:at_most])

    @cached_property
    def _meanings(self) -> dict[str, tuple[str, ...]]:
        """Identities by word in normal form."""
        first: dict[str, tuple[str, ...]] = {}
        other: dict[str, tuple[str, ...]] = {}
        for synset in self.synsets.values():
            for place, word in enumerate(dict.fromkeys(map(normal, synset.words))):
                found = other if place else first
                found[word] = (*found.get(word, ()), synset.identity)
        return other | first

    @cached_property
    def _singulars(self) -> dict[str, str]:
        return {plural_of(word): word for word in self._meanings}

    @cached_property
    def _leaves(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {identity: [] for identity in self.synsets}
        for number, leaf in enumerate(self.leaves):
            for identity in (leaf, *self.kinds_of(leaf)):
                found[identity].append(number)
        return found

    @cached_property
    def _leaf_names(self) -> tuple[str, ...]:
        taken: dict[str, None] = {}
        for leaf in self.leaves:
            synset = self.synsets[leaf]
            kind = self.synsets[synset.kinds[0]].words[0]
            names = (*synset.words, f"{synset.words[0]} ({kind})")
            taken[next(name for name in names if name not in taken)] = None
        return tuple(taken)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self._leaf_names)}


@cache
def image_words() -> WordNet:
    """The words that photos are described by, and all that these are kinds of."""
    return WordNet.read(TABLE)


@dataclass(frozen=True)
class Thresholds:
    """From which probability, in 1/255, a photo counts as showing a synset: by identity, and for those of
    which nothing was measured."""

    by_synset: Mapping[str, int]
    otherwise: int

    def of(self, identities: Iterable[str]) -> int:
        """For all that these synsets are together: the greatest of theirs."""
        return max(self.by_synset.get(identity, self.otherwise) for identity in identities)


@cache
def _measured() -> Any:
    return json.loads(THRESHOLDS.read_text("utf-8"))


def trust_of(word: str) -> Trust | None:
    """How far an image word can be trusted, by its first word in WordNet; None where nothing was measured."""
    for row in _measured()["words"].values():
        if row["word"] == word:
            return Trust(row["precision"], row["recall"], row["photos"])
    return None


@cache
def thresholds() -> Thresholds:
    """Those that were measured; see `training.word_thresholds`."""
    stored = _measured()
    return Thresholds({synset: row["parts"] for synset, row in stored["words"].items()}, stored["otherwise"])
