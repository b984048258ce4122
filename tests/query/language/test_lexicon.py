import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.core.errors import UsageError
from dsslic_search.core.text import normal
from dsslic_search.core.vocabulary import Vocabulary, default
from dsslic_search.query.language import lexicon, spatial
from dsslic_search.query.language.lexicon import KEYWORDS, word_table

V = default()
TABLE = word_table(V)


def meaning(phrase: str) -> str:
    return TABLE.meanings[tuple(normal(phrase).split())].name


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("sky", "sky"), ("skies", "sky"), ("people", "person"), ("Ocean", "sea"), ("ships", "boat"),
        ("airplane", "aeroplane"),
        ("aeroplanes", "aeroplane"), ("pavement", "sidewalk"), ("sidewalks", "sidewalk"),
        ("motorcycles", "motorbike"),
        ("dining-tables", "table"),        ("potted plant", "plant"), ("bookshelves", "shelf"),
        ("woods", "tree"), ("vehicles", "vehicle"),
        ("bodies of water", "body of water"),        ("cattle", "cow"), ("oxen", "cow"), ("TELEVISION", "tv"),
        ("ＣＡＲ", "car"), ("buses", "bus"), ("sheep", "sheep"), ("minibuses", "bus"), ("bikes", "bicycle"),
        ("motorbikes", "motorbike"),
        ("ladies", "person"), ("men", "person"), ("gentlemen", "person"), ("babies", "person"),
        ("groups of people", "person"),
        ("passers-by", "person"), ("sand", "earth"), ("lawns", "grass"), ("motorway", "road"),
        ("freeways", "road"),
        ("windows", "windowpane"),
        ("churches", "building"), ("shelves", "shelf"), ("chests of drawers", "cabinet"), ("couches", "sofa"),
        ("cots", "bed"),
        ("cribs", "bed"), ("benches", "chair"), ("hedges", "plant"), ("bushes", "plant"),
        ("waterfalls", "water"),
        ("swimming pool", "water"),
        ("waves", "sea"), ("ponies", "horse"), ("flocks of sheep", "sheep"), ("flock of birds", "bird"),
        ("geese", "bird"),
        ("calves", "cow"),
        ("roses", "flower"), ("daisies", "flower"), ("traffic signs", "signboard"),
        ("billboards", "signboard"), ("railings", "fence"),
        ("wildlife", "animal"), ("waterbodies", "body of water"), ("wardrobes", "cabinet"),
        ("closets", "cabinet"),
    ],
)  # fmt: skip
def test_people_s_words(word: str, name: str) -> None:
    assert meaning(word) == name


def test_every_word_of_the_vocabulary_has_its_one_meaning() -> None:
    for each in V.classes:
        for word in (each.name, each.plural, *each.synonyms):
            assert TABLE.meanings[tuple(normal(word).split())].classes == (each.id,)
    for group in V.groups:
        for word in (group.name, *group.synonyms):
            assert TABLE.meanings[tuple(normal(word).split())].classes == group.members


def test_no_word_of_the_vocabulary_is_or_begins_like_one_of_the_language() -> None:
    both = {phrase for phrase in TABLE.meanings if phrase in KEYWORDS or phrase[:1] in KEYWORDS}
    # "inside" is a group where no thing follows; the longer phrase wins over an activity ("swimming pool")
    assert {phrase for phrase in both if KEYWORDS[phrase[:1]][0] != "ACTIVITY"} == {("inside",)}
    assert all(len(phrase) > 1 for phrase in both - {("inside",)})


def test_every_phrase_of_the_language_has_its_one_meaning() -> None:
    phrases = [phrase for phrases in lexicon.PHRASES.values() for phrase in phrases.split(", ")]
    phrases += [
        *lexicon.NUMBERS,
        *(phrase for _, phrase in spatial.relation_phrases()),
        *(p for zone in spatial.zones().values() for p in zone),
    ]
    assert len(phrases) == len(set(phrases)) == len(KEYWORDS)
    assert all(normal(phrase) == phrase for phrase in phrases)


def changed(class_id: int, *synonyms: str) -> Vocabulary:
    classes = list(V.classes)
    classes[class_id] = dataclasses.replace(classes[class_id], synonyms=synonyms)
    return dataclasses.replace(V, classes=tuple(classes))


@pytest.mark.parametrize(
    ("word", "says"),
    [("car", "means both"), ("Vehicles", "means both"), ("without", "word of the query language")],
)
def test_a_word_with_two_meanings_is_refused(word: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        word_table(changed(3, word))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("flwer", "flower"),
        ("peple", "people"),
        ("moutain", "mountain"),
        ("witout", "without"),
        ("bicicle", "bicycle"),
        ("tabel", "table"),
    ],
)
def test_the_closest_word_comes_first(wrong: str, right: str) -> None:
    assert TABLE.closest([wrong])[0] == right


def test_phrases_are_suggested_for_their_parts() -> None:
    assert TABLE.closest(["body", "of", "watr"])[0] == "body of water"
    assert TABLE.closest(["qqqqqq"]) == ()


def test_plurals_made_by_rule_are_understood_but_not_suggested() -> None:
    assert TABLE.meanings[("clouds",)] == TABLE.meanings[("cloudses",)]
    suggested = {word for asked in ("cloudse", "oxe", "folkse", "womens") for word in TABLE.closest([asked])}
    assert suggested.isdisjoint({"cloudses", "oxes", "folkses", "womens"})
    assert "clouds" in suggested


@given(st.text("abc", max_size=7), st.text("abc", max_size=7), st.integers(1, 3))
def test_mistakes_are_counted_up_to_a_bound(one: str, other: str, most: int) -> None:
    """Against the whole table of distances between what the words begin with."""
    table = {(0, j): j for j in range(len(other) + 1)} | {(i, 0): i for i in range(len(one) + 1)}
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            same = one[i - 1] == other[j - 1]
            ways = [table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (not same)]
            if min(i, j) > 1 and one[i - 2 : i] == other[j - 2 : j][::-1]:
                ways.append(table[i - 2, j - 2] + 1)
            table[i, j] = min(ways)
    expected = table[len(one), len(other)]
    assert min(lexicon._mistakes(one, other, most), most + 1) == min(expected, most + 1)
