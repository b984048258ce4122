"""Nouns to what whole photos show: image words, by WordNet's words and by the nouns that are read as some."""

from __future__ import annotations

from collections.abc import Sequence

from dsslic_search.core import wordnet
from dsslic_search.core.nouns import nouns
from dsslic_search.core.text import did_you_mean, normal, quoted
from dsslic_search.query.ast import Shows
from dsslic_search.query.language.written import value_as_written


def shown(noun: str, identities: Sequence[str]) -> Shows:
    """What asks for photos that show any of some synsets. It is called by the noun where that is a word for
    all of them, or where they are several; else by the first word of the synset."""
    words = wordnet.image_words()
    own = words.synsets[identities[0]].words
    known = len(identities) > 1 or noun in map(normal, own)
    return _shows(noun if known else normal(own[0]), identities)


def asked_for(value: str, example: str) -> Shows:
    """What the value of a "word:" asks for; ValueError with a sentence for one that is no word for photos."""
    words = wordnet.image_words()
    form = normal(value).split()
    noun = nouns().first_of(form)
    meanings: Sequence[str] = noun.identities if noun is not None and noun.words == len(form) else ()
    meanings = meanings or words.meanings(value)
    if not meanings:
        close = words.close_to(value)
        raise ValueError(
            f"{quoted(value)} is no word that photos are described by"
            + (f": {did_you_mean(close)}" if close else f"; it is one of WordNet's, as in {example}")
        )
    return _shows(normal(value), meanings, value)


def _shows(word: str, identities: Sequence[str], value: str | None = None) -> Shows:
    leaves = wordnet.image_words().leaves_of(identities)
    parts = wordnet.thresholds().of(identities)
    return Shows(word, leaves, parts, f"word:{value_as_written(value or word)}")
