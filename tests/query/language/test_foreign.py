"""Words of other languages stand for English ones that are understood, and English words stay English."""

from __future__ import annotations

import pytest

from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import whole
from dsslic_search.query.language.foreign import LANGUAGES, english_of, foreign_words, language_of
from dsslic_search.query.language.lexicon import KEYWORDS
from dsslic_search.query.language.parse import parse

COMMON = [
    "pizza",
    "bread",
    "cake",
    "coffee",
    "wine",
    "fruit",
    "apple",
    "lemon",
    "strawberry",
    "vegetable",
    "mushroom",
    "truck",
    "tractor",
    "ambulance",
    "balloon",
    "submarine",
    "lion",
    "tiger",
    "bear",
    "elephant",
    "monkey",
    "rabbit",
    "fox",
    "wolf",
    "fish",
    "snake",
    "lizard",
    "turtle",
    "frog",
    "butterfly",
    "bee",
    "spider",
    "insect",
    "penguin",
    "owl",
    "eagle",
    "parrot",
    "hen",
    "rooster",
    "pig",
    "goat",
    "camel",
    "shark",
    "whale",
    "dolphin",
    "crab",
    "squirrel",
    "lighthouse",
    "church",
    "castle",
    "bridge",
    "palace",
    "fountain",
    "library",
    "restaurant",
    "harbour",
    "barn",
    "volcano",
    "coast",
    "kitchen",
    "office",
    "telephone",
    "clock",
    "umbrella",
    "bag",
    "hat",
    "helmet",
    "shoe",
    "boot",
    "glasses",
    "dress",
    "skirt",
    "shirt",
    "jacket",
    "trousers",
    "tie",
    "guitar",
    "violin",
    "drum",
    "flute",
    "ball",
    "toy",
    "candle",
    "cup",
    "plate",
    "knife",
    "spoon",
]
"""Image words that each language has."""
AS_IN_ENGLISH = {
    "pizza",
    "tiger",
    "lion",
    "insect",
    "restaurant",
    "ball",
    "computer",
    "wolf",
    "tractor",
    "camel",
}
AS_IN_ENGLISH |= {"palace", "tent", "lamp", "ambulance", "bread", "cake", "truck"}


def read(text: str) -> str:
    return whole(parse(text, default()))


def known(language: str) -> dict[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], list[str]] = {}
    for word, entries in foreign_words().items():
        for entry in entries:
            if entry.language == language:
                found.setdefault(entry.english, []).append(word)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_english_word_of_a_file_is_understood(language: str) -> None:
    for english in known(language):
        if english not in KEYWORDS:
            read(f"{' '.join(english)} 2021")  # some feasts need a year


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_classes_and_the_common_image_words_are_there(language: str) -> None:
    words = {" ".join(english) for english in known(language)} | AS_IN_ENGLISH | {"bus", "tv", "windowpane"}
    names = {each.name for each in default().classes} - {"other", "armchair", "aeroplane"}
    assert names - words - {"body of water"} == set()
    assert set(COMMON) - words == set()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mare e montagna", "(sea and mountain)"),
        ("mare", "horse"),
        ("berge und see", "(mountain and water)"),
        ("boot auf see", "boat on water"),
        ("boot", "word:boot"),
        ("un chat sur le canapé", "cat on sofa"),
        ("hond of kat", "(dog or cat)"),
        ("photo of strand", "earth next to sea"),
        ("perros sin gente", "(dog and not person)"),
        ("leuchtturm", "word:lighthouse"),
        ("feuerwehrauto", 'word:"fire truck"'),
        ("phare et mer", "(word:lighthouse and sea)"),
        ("pesce", "word:fish"),
        ("igreja", "word:church"),
        ("l'éléphant", "word:elephant"),
        ("pain", "!"),
    ],
)
def test_a_query_in_another_language(text: str, meant: str) -> None:
    if meant == "!":
        with pytest.raises(Exception, match="pain"):
            read(text)
    else:
        assert read(text) == meant


def test_a_word_that_english_has_is_english_where_the_query_is() -> None:
    def english(word: str) -> bool:
        return word in {"and", "of", "photo", "sea"}

    assert language_of(frozenset({"photo", "of", "hond"}), english) == ""
    assert language_of(frozenset({"hond", "of", "kat"}), english) == "nl"
    assert language_of(frozenset({"sea", "and", "of"}), english) == ""
    assert english_of("of", "nl", english) == ("or",)
    assert english_of("of", "", english) is None
    assert english_of("hond", "", english) == ("dog",)
    assert english_of("qqq", "nl", english) is None
