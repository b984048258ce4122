"""Counts, relations and positions: what is understood, and as what."""

import pytest

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import Amid, Anywhere, Node, Not, Regional, Relation, Thing, Zone, written
from dsslic_search.query.language import spatial
from dsslic_search.query.language.grammar import MAX_PREDICATE_TOKENS
from dsslic_search.query.language.parse import parse

V = default()


def tree(text: str) -> Node:
    found = parse(text, V).tree
    assert found is not None
    return found


def regional(text: str) -> Regional:
    found = tree(text)
    assert isinstance(found, Regional)
    return found


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("3 people", 3, 3),
        ("exactly 3 people", 3, 3),
        ("people = 3", 3, 3),
        ("one car", 1, 1),
        ("twelve cars", 12, 12),
        ("0 cars", 0, 0),
        ("zero cars", 0, 0),
        ("at least 2 cars", 2, None),
        ("at least two cars", 2, None),
        ("cars >= 2", 2, None),
        ("2 or more cars", 2, None),
        ("no fewer than 2 cars", 2, None),
        ("more than 2 cars", 3, None),
        ("over 2 cars", 3, None),
        ("cars > 0", 1, None),
        ("at most 3 boats", 0, 3),
        ("3 or fewer boats", 0, 3),
        ("fewer than 3 boats", 0, 2),
        ("between 2 and 4 people", 2, 4),
        ("people between two and four", 2, 4),
        ("2-4 people", 2, 4),
        ("2 to 4 people", 2, 4),
        ("multiple cars", 2, None),
        ("several cars", 3, None),
        ("many people", 5, None),
        ("a couple of dogs", 2, 2),
        ("a pair of dogs", 2, 2),
        ("20 birds", 20, 20),
        ("007 birds", 7, 7),
    ],
)
def test_counts(text: str, low: int, high: int | None) -> None:
    found = regional(text)
    assert (found.where, found.low, found.high) == (Anywhere(), low, high)
    again = regional(written(found))
    assert (again.low, again.high, again.says) == (low, high, found.says)


@pytest.mark.parametrize("text", ["a dog", "dogs", "the dog"])
def test_a_thing_alone_is_not_counted(text: str) -> None:
    assert written(tree(text)) == "dog"
    assert not isinstance(tree(text), Regional)


@pytest.mark.parametrize("name", spatial.RELATIONS)
def test_every_phrase_of_a_relation(name: str) -> None:
    expected = Relation(name, Thing("tree", "tree", (V.id_of("tree"),), 0))
    phrases = [phrase for relation, phrase in spatial.relation_phrases() if relation == name]
    assert phrases[0] == name
    for phrase in phrases:
        for text in (
            f"person {phrase} tree",
            f"a person is {phrase} the tree",
            f"PERSON {phrase.upper().replace(' ', '-')} tree",
        ):
            found = regional(text)
            assert isinstance(found.where, Relation)
            assert (found.thing.name, found.where.name, found.low, found.high, found.says) == (
                "person",
                name,
                1,
                None,
                "",
            )
            assert found.where.thing.classes == expected.thing.classes
            assert found.where.thing.position == len(text) - 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("person to the left of a car", "person left of car"),
        ("person on the left-hand side of the car", "person left of car"),
        ("sky over sea", "sky above sea"),
        ("boat on the water", "boat on water"),
        ("person standing on grass", "person on grass"),
        ("person riding horse", "person on horse"),
        ("tree near house", "tree next to house"),
        ("person before house", "person in front of house"),
        ("person inside a house", "person in house"),
        ("house in the middle of the woods", "house surrounded by tree"),
        ("tree around house", "tree around house"),
        ("no trees around house", "not tree around house"),
        ("2 people on grass", "exactly 2 people on grass"),
        ("at least 2 cars on road", "at least 2 cars on road"),
        ("several boats in water", "at least 3 boats in water"),
        ("cars > 2 on road", "more than 2 cars on road"),
        ("no car on road", "not car on road"),
        ("not (person left of car)", "not person left of car"),
        ("without people in front of building", "not person in front of building"),
        ("no 2 cars on road", "not (exactly 2 cars on road)"),
        ("sky above sea and boat on sea", "(sky above sea and boat on sea)"),
        ("person between car and tree", "person between car and tree"),
        ("person in between cars", "person between car and car"),
        ("3 people between cars and trees", "exactly 3 people between car and tree"),
        ("person between cars and no trees", "(person between car and car and not tree)"),
        ("person between cars, trees", "(person between car and car and tree)"),
        ("person between cars and sky > 30%", "(person between car and car and sky > 30%)"),
        ("person between cars and trees on grass", "(person between car and car and tree on grass)"),
        ("person between cars and 2 dogs", "(person between car and car and exactly 2 dogs)"),
        ("a car between two buildings", "car between building and building"),
        ("person between 2 cars and trees", "(person between car and car and tree)"),
        ("photos in a forest", "tree"),
        ("pictures taken by the sea", "sea"),
        ("photos of people by the sea", "person next to sea"),
    ],
)
def test_relations(text: str, expected: str) -> None:
    assert written(tree(text)) == expected
    assert written(tree(expected)) == expected


def test_between_has_two_things() -> None:
    where = regional("person between cars and trees").where
    assert isinstance(where, Amid)
    assert (where.first.name, where.second.name) == ("car", "tree")


@pytest.mark.parametrize("name", spatial.zones())
def test_every_phrase_of_a_zone(name: str) -> None:
    phrases = spatial.zones()[name]
    assert name in phrases
    for phrase in phrases:
        for text in (
            f"car in the {phrase}",
            f"car at {phrase}",
            f"car on the {phrase} of the photo",
            f"car {phrase}",
        ):
            assert regional(text).where == Zone(name), text
    two = regional(f"2 cars in the {name}")
    assert (two.where, two.low, two.high) == (Zone(name), 2, 2)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("car in the bottom left", "bottom left"),
        ("car in the lower left-hand corner", "bottom left"),
        ("sky in the top third", "top third"),
        ("person in the center", "centre"),
        ("person in the middle of the picture", "centre"),
        ("person on the left", "left"),
        ("person to the right", "right"),
        ("grass at the bottom", "bottom"),
        ("sky in the upper half", "top"),
        ("car on the left of the photo", "left"),
        ("car to the right of the picture", "right"),
        ("sky on top of the image", "top"),
        ("dog sitting on the left", "left"),
    ],
)
def test_positions(text: str, zone: str) -> None:
    assert regional(text).where == Zone(zone)


@pytest.mark.parametrize("text", ["trees in the photo", "trees on my photos", "trees inside the picture"])
def test_in_the_photo_means_nothing(text: str) -> None:
    assert written(tree(text)) == "tree"


def test_inside_is_a_group_where_it_is_no_relation() -> None:
    assert written(tree("inside")) == "indoor"
    assert written(tree("no people, inside")) == "(not person and indoor)"
    assert written(tree("not inside and cats")) == "(not indoor and cat)"


def test_the_longest_predicate() -> None:
    text = "between 2 and 4 people between cars and trees"
    coloured = text.replace("people", "red cars")
    assert len(coloured.split()) == MAX_PREDICATE_TOKENS
    with pytest.raises(QueryError, match="the colour of each one is not known"):
        parse(coloured, V)
    assert written(tree(text)) == "between 2 and 4 people between car and tree"
    assert written(tree(text + " tree" * 100)) == f"({written(tree(text))}{' and tree' * 100})"


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("person left of tree left of car", "(person left of tree and tree left of car)"),
        ("car on road in the bottom half", "(car on road and car in the bottom half)"),
        ("2 cars 3 people", "(2 car and 3 person)"),
    ],
)
def test_what_stands_side_by_side_is_wanted_together(text: str, means: str) -> None:
    assert written(tree(text)) == written(tree(means))


def test_a_relation_is_negated_as_a_whole() -> None:
    found = tree("no car on road")
    assert isinstance(found, Not)
    assert isinstance(found.part, Regional)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("person left of", 7, "needs a thing after it"),
        ("person on and dog", 7, "needs a thing after it"),
        ("person above the photo", 7, "needs a thing after it"),
        ("left of car", 0, "needs a thing before it"),
        ("road and on grass", 9, "needs a thing before it"),
        ("(car or bus) on road", 13, "not parentheses"),
        ("person on 2 horses", 10, "is counted"),
        (">30% sky in the top half", 16, "no relation or position"),
        ("mostly grass in the bottom half", 20, "no relation or position"),
        ("sky > 30% in the top half", 17, "no relation or position"),
        ("road and mostly sky left of car", 20, "no relation or position"),
        ("mostly sky or taken:2023 left of car", 25, "stands between two things"),
        ("2 trees around house", 0, "write house surrounded by tree"),
        ("person between", 7, "two things or two numbers"),
        ("person between no cars", 7, "two things or two numbers"),
        ("sitting", 0, "cannot be seen"),
        ("walking and grass", 0, "cannot be seen"),
        ("left", 0, "needs a thing before it"),
        ("30 people", 0, "as in 30%"),
        ("cars > 2000000000000000000000", 7, "a smaller number"),
        ("between 2 and 30 people", 14, "as in 30%"),
        ("between 4 and 2 people", 8, "write between 2 and 4"),
        ("between 2 people", 8, "needs two numbers"),
        ("cars < 0", 5, "never fewer than 0"),
        ("3", 0, "of what"),
        ("at least 3 and dogs", 9, "of what"),
        ("several", 0, "needs a thing"),
    ],
)
def test_errors_say_where_and_what_to_do(text: str, position: int, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, V)
    assert says in str(caught.value).split("\n")[0]
    assert caught.value.position == position
