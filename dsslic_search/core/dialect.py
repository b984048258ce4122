"""Label maps in another vocabulary than the one that ships: their class list, and what its classes mean in
ours.

A segmenter may have classes of its own, and an archive may hold files from before a change of the class list.
Their label maps stay as they are, for that is what previews show; everything that asks what a photo shows
(coverage, regions, embedding, and the networks, which learnt the shipped classes) goes through
`Dialect.meanings`. What has no counterpart is "other".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core import naming, vocabulary
from dsslic_search.core.errors import FormatError, UsageError
from dsslic_search.core.settings import vocabularies_path
from dsslic_search.core.vocabulary import Vocabulary


@dataclass(frozen=True)
class Dialect:
    """A vocabulary, and for each of its classes, by id, the id of the class that it counts as in the list in
    use (``meanings``) and the number that CompNet and FineNet take for it (``marks``, the same unless the
    class list changed, or is one's own)."""

    vocabulary: Vocabulary
    meanings: tuple[int, ...]
    marks: tuple[int, ...]

    @property
    def native(self) -> bool:
        """Whether it is the shipped vocabulary itself."""
        return self.vocabulary.identity == vocabulary.default().identity

    def meant(self, label_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The label map in classes of the shipped vocabulary. FormatError when it holds ids that its own does
        not have."""
        return _translated(label_map, self.meanings, self.native)

    def marked(self, label_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The label map in the numbers that CompNet and FineNet take. Raises FormatError as `meant` does."""
        same = self.vocabulary.identity == vocabulary.built_in().identity
        return _translated(label_map, self.marks, same)


def _translated(label_map: NDArray[np.uint8], table: tuple[int, ...], same: bool) -> NDArray[np.uint8]:
    if int(label_map.max()) >= len(table):
        raise FormatError("the label map holds class ids that the vocabulary does not have")
    return label_map if same else np.array(table, np.uint8)[label_map]


@cache
def shipped() -> Dialect:
    """The class list in use, whose classes mean themselves: the shipped vocabulary, or one's own."""
    own = vocabulary.default()
    return Dialect(own, tuple(range(len(own))), _numbers(own, vocabulary.built_in()))


@cache
def built_in() -> Dialect:
    """The vocabulary that ships with the package, whatever list is in use."""
    return by_words(vocabulary.built_in())


def _numbers(classes: Vocabulary, other: Vocabulary) -> tuple[int, ...]:
    """For each class the id of the one that its names, plurals and synonyms mean in another vocabulary."""
    if classes.identity == other.identity:
        return tuple(range(len(classes)))
    return tuple(naming.class_meant((c.name, c.plural, *c.synonyms), other).class_id for c in classes.classes)


@lru_cache(maxsize=64)
def by_words(other: Vocabulary) -> Dialect:
    """A vocabulary whose classes mean what their names, plurals and synonyms mean in the one in use; see
    `naming`."""
    if other.identity == vocabulary.default().identity:
        return Dialect(other, shipped().meanings, shipped().marks)
    return Dialect(other, _numbers(other, vocabulary.default()), _numbers(other, vocabulary.built_in()))


def known(identity: str) -> Dialect | None:
    """The vocabulary of that identity: the one in use, the shipped one, or one from the folder that
    $DSS_VOCABULARIES names, by its words.

    UsageError when a file of that folder is no vocabulary.
    """
    if identity == vocabulary.default().identity:
        return shipped()
    if identity == vocabulary.built_in().identity:
        return built_in()
    folder = vocabularies_path()
    found = None if folder is None else _registered(folder).get(identity)
    return None if found is None else by_words(found)


@cache
def _registered(folder: Path) -> dict[str, Vocabulary]:
    try:
        texts = {path: path.read_text() for path in sorted(folder.glob("*.json"))}
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(
            f"{folder}: vocabularies cannot be read from there ({e}); check DSS_VOCABULARIES"
        ) from e
    read = (_parsed(path, text) for path, text in texts.items())
    return {v.identity: v for v in read}


def _parsed(path: Path, text: str) -> Vocabulary:
    try:
        return vocabulary.parse(text)
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise UsageError(
            f"{path}: not a vocabulary file ({e}); write it as docs/segmenters.md tells, or move it away"
        ) from e
