"""Importances by word: "person=4,sky=0.25" and {"person": 4} → what the codec takes, a number for each class
id."""

from __future__ import annotations

from collections.abc import Mapping

from dsslic_search.core.errors import Remedy, UsageError
from dsslic_search.core.text import did_you_mean, normal
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.query.language.lexicon import word_table


def importance_of(wishes: Mapping[str, float] | str, vocabulary: Vocabulary) -> tuple[tuple[int, float], ...]:
    """((class id, importance), …) by id. Words as in queries: names, plurals and synonyms of classes and
    groups.

    A class that is named itself has its own number whatever its groups have; among groups, and among words
    for one class, the later counts. UsageError for an unknown word, with those that are most like it.
    """
    if isinstance(wishes, str):
        wishes = read_importances(wishes)
    if not isinstance(wishes, Mapping) or not all(isinstance(word, str) for word in wishes):
        raise UsageError('importances are words and numbers, as in {"person": 4} or "person=4,sky=0.25"')
    table = word_table(vocabulary)
    of_groups: dict[int, float] = {}
    of_classes: dict[int, float] = {}
    for word, value in wishes.items():
        phrase = tuple(normal(word).split())
        meaning = table.meanings.get(phrase)
        if meaning is None:
            like = [f'"{known}"' for known in table.closest(phrase) if tuple(known.split()) in table.meanings]
            advice = did_you_mean(like) if like else f"{Remedy.CLASSES} lists the words"
            raise UsageError(f'importance: no class or group is called "{word}"; {advice}')
        named = len(meaning.classes) == 1 and vocabulary.classes[meaning.classes[0]].name == meaning.name
        (of_classes if named else of_groups).update(dict.fromkeys(meaning.classes, value))
    return tuple(sorted((of_groups | of_classes).items()))


def read_importances(text: str) -> dict[str, float]:
    """ "person=4, sky=0.25" → {"person": 4.0, "sky": 0.25}. UsageError for what does not read so."""
    wishes: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.rpartition("=")
        word = name.strip()
        if word in wishes:
            raise UsageError(f'the importance of "{word}" is given twice')
        try:
            wishes[word] = float(value)
        except ValueError:
            word = ""
        if not word:
            raise UsageError(
                f'importance "{part.strip()}" is not a word and a number, as in "person=4,sky=0.25"'
            )
    return wishes
