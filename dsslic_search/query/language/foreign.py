"""Words of other languages: ``foreign/de.txt`` and others, by the language's two letters.

A word that English has too, or that a file marks with "*", is English unless the query is in that language:
unless more of its words are of that language alone than are English ("berge und see", but "sea and see").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from dsslic_search.core.text import normal

LANGUAGES = ("de", "fr", "es", "it", "pt", "nl")
"""Those that there are; of a word that several have, the first counts where the query does not tell."""
IsEnglish = Callable[[str], bool]


@dataclass(frozen=True)
class ForeignWord:
    """A word of a language and the English words that it stands for; ``shared``: English has it too."""

    language: str
    english: tuple[str, ...]
    shared: bool


@cache
def foreign_words() -> Mapping[str, tuple[ForeignWord, ...]]:
    """What each word stands for, in the order of LANGUAGES."""
    found: dict[str, tuple[ForeignWord, ...]] = {}
    for language in LANGUAGES:
        text = (files("dsslic_search.query.language") / "foreign" / f"{language}.txt").read_text("utf-8")
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            english, _, words = line.partition(": ")
            for word in words.split(", "):
                word = word.replace("-", " ")
                made = ForeignWord(language, tuple(english.split()), word.endswith("*"))
                found[normal(word.rstrip("*"))] = (*found.get(normal(word.rstrip("*")), ()), made)
    return found


MAX_PHRASE_WORDS = 4
"""The most words of a phrase of another language ("réveillon du nouvel an")."""


@cache
def phrase_words() -> Mapping[str, frozenset[str]]:
    """For each language the words of its phrases of several."""
    found: dict[str, set[str]] = {language: set() for language in LANGUAGES}
    for phrase, entries in foreign_words().items():
        if " " in phrase:
            for entry in entries:
                found[entry.language] |= set(phrase.split())
    return {language: frozenset(words) for language, words in found.items()}


@cache
def first_of_phrases() -> frozenset[str]:
    """The words with which a phrase of several begins."""
    return frozenset(phrase.split()[0] for phrase in foreign_words() if " " in phrase)


def phrase_in_english(words: tuple[str, ...], language: str) -> tuple[tuple[str, ...], int] | None:
    """The English words for the longest phrase of several words that a query goes on with, and how many words
    that has; None where none begins. ``language``: that of the query."""
    for count in range(min(len(words), MAX_PHRASE_WORDS), 1, -1):
        if entries := foreign_words().get(" ".join(words[:count])):
            own = next((entry for entry in entries if entry.language == language), entries[0])
            return own.english, count
    return None


def english_of(word: str, language: str, is_english: IsEnglish) -> tuple[str, ...] | None:
    """The English words for a word in a query that is in a language ("": in English or in none that is
    clear); None where it is English, or is of none."""
    entries = _entries(word)
    own = next((entry for entry in entries if entry.language == language), None)
    if own is None and not is_english(word):
        own = next((entry for entry in entries if not entry.shared), None)
    return own.english if own else None


ELIDED = ("l'", "d'", "dell'", "dall'", "nell'", "sull'", "all'", "un'")
"""What French and Italian put before a vowel."""


def _entries(word: str) -> tuple[ForeignWord, ...]:
    """What a word stands for; of "l'éléphant" what "éléphant" does."""
    if word.startswith(ELIDED):
        word = word.partition("'")[2]
    return foreign_words().get(word, ())


def language_of(words: frozenset[str], is_english: IsEnglish) -> str:
    """The language that a query with these words is in; "" for English, or where it is not clear."""
    english = {word for word in words if is_english(word)}
    if english == words:
        return ""
    table = {word: _entries(word) for word in words}
    best, most = "", 0
    for language in LANGUAGES:
        own = {word for word in words if any(entry.language == language for entry in table[word])}
        own |= words & phrase_words()[language]
        alone = {
            word
            for word in own - english
            if not all(entry.shared for entry in table[word] if entry.language == language)
        }
        if len(alone) > max(most, len(english - own)):
            best, most = language, len(alone)
    return best
