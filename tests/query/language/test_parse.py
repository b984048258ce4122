"""The structure of queries: and, or, not, parentheses, coverage, "like"; and what errors say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import (
    And,
    Compare,
    Like,
    Node,
    Not,
    Or,
    Presence,
    Query,
    leaves,
    things,
    whole,
    written,
)
from dsslic_search.query.language.parse import parse

V = default()


def tree(text: str) -> Node:
    query = parse(text, V)
    assert query.sort is None
    assert query.tree is not None
    return query.tree


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("road", "road"),
        ("with cars", "car"),
        ("Show me ALL photos of a dog!", "dog"),
        ("pictures containing potted plants", "plant"),
        ("images with road and >30% sky", "(road and sky > 30%)"),
        ("no people", "not person"),
        ("without any people", "not person"),
        ("photos with no cars", "not car"),
        ("sky > 30%", "sky > 30%"),
        ("sky >= 0.3", "sky >= 30%"),
        ("sky ≥ 30 percent", "sky >= 30%"),
        ("ＳＫＹ ＞ ３０％", "sky > 30%"),
        ("at least 30% of the picture is sky", "sky >= 30%"),
        ("30% or more sky", "sky >= 30%"),
        ("sky over 30%", "sky > 30%"),
        ("under 30% sky", "sky < 30%"),
        ("above 30% sky", "sky > 30%"),
        ("sky below 30%", "sky < 30%"),
        ("no more than 5% people", "person <= 5%"),
        ("less than 10% water", "water < 10%"),
        ("more than 12.5% water", "water > 12.5%"),
        ("at most 10% water", "water <= 10%"),
        ("exactly 30% sky", "sky = 30%"),
        ("between 10% and 40% water", "water between 10% and 40%"),
        ("10-40% water", "water between 10% and 40%"),
        ("10% to 40% water", "water between 10% and 40%"),
        ("water between 10 and 40%, grass", "(water between 10% and 40% and grass)"),
        ("water between 0 and 0.4", "water between 0% and 40%"),
        ("mostly grass", "grass >= 50%"),
        ("a little sky", "little sky"),
        ("road, cars and sky", "(road and car and sky)"),
        ("road, and cars", "(road and car)"),
        ("road with cars but no people", "(road and car and not person)"),
        ("people at the beach", "(person and (earth next to sea))"),
        ("mountain without trees", "(mountain and not tree)"),
        ("road except cars", "(road and not car)"),
        ("sky > 30% with road", "(sky > 30% and road)"),
        ("road with >30% sky", "(road and sky > 30%)"),
        ("sky or sea and road", "(sky or (sea and road))"),
        ("sky road", "(sky and road)"),
        ("people on the beach", "(person and (earth next to sea))"),
        ("no beach", "not earth next to sea"),
        ("in the city", "building"),
        ("a family", "at least 2 people"),
        ("outdoor", "not indoor"),
        ("hund und katze", "(dog and cat)"),
        ("voiture sans personne", "(car and not person)"),
        ("plage", "earth next to sea"),
        ("30% sky", "sky between 25% and 35%"),
        ("about half sky", "sky between 45% and 55%"),
        ("a third sky", "sky between 28% and 38%"),
        ("sky > 30% and < 60%", "(sky > 30% and sky < 60%)"),
        ("sky > 30% and < 60% grass", "(sky > 30% and grass < 60%)"),
        ("20% water or more", "water >= 20%"),
        ("a few cars", "between 2 and 5 cars"),
        ("2+ dogs", "at least 2 dogs"),
        ("two or three dogs", "between 2 and 3 dogs"),
        ("half a dozen sheep", "exactly 6 sheep"),
        ("a single tree", "exactly 1 tree"),
        ("a lot of sky", "sky >= 30%"),
        ("a lot of people", "at least 5 people"),
        ("only sky", "sky >= 90%"),
        ("large dog", "dog >= 20%"),
        ("small boat on sea", "(small boat and boat on sea)"),
        ("portrait of a woman", "person >= 20%"),
        ("(sky) road (car or sea)", "(sky and road and (car or sea))"),
        ("dog, cat or horse", "(dog or cat or horse)"),
        ("dog, cat, and horse", "(dog and cat and horse)"),
        ("sky, dog or cat", "(sky or dog or cat)"),
        ("dog or cat, sea or lake", "((dog or cat) and (sea or water))"),
        ("dog, cat or horse, sea", "((dog or cat or horse) and sea)"),
        ("taken:2021, dog or cat", "(taken:2021 and (dog or cat))"),
        ("dog or cat without people", "((dog or cat) and not person)"),
        ("dog or cat but no people or cars", "((dog or cat) and not (person or car))"),
        ("without people, cars or buildings", "not (person or car or building)"),
        ("no people and cars", "not (person or car)"),
        ("neither people nor cars", "not (person or car)"),
        ("not dog or cat", "not (dog or cat)"),
        ("-dog or cat", "((not dog) or cat)"),
        ("no people or sky > 30%", "((not person) or sky > 30%)"),
        ("no dogs, no cats", "(not dog and not cat)"),
        ("sea, no dogs or cats", "(sea and not (dog or cat))"),
        ("taken:2021 with dogs or cats", "(taken:2021 and (dog or cat))"),
        ("dogs or cats taken:2021", "((dog or cat) and taken:2021)"),
        ("car >30% sky", "(car and sky > 30%)"),
        ("car > 30% sky", "(car > 30% and sky)"),
        ("cat on sofa next to window", "(cat on sofa and cat next to windowpane)"),
        ("people in a boat on a lake", "(person in boat and boat on water)"),
        ("2 people on grass in the left half", "(exactly 2 people on grass and person in left)"),
        ("a table with a bottle on it", "bottle on table"),
        ("a dog and a person next to it", "(dog and (person next to dog))"),
        ("dog and cat next to each other", "dog next to cat"),
        ("dogs side by side", "dog next to dog"),
        ("dogs in them", "dog"),
        ("mountain with a lake in front", "water in front of mountain"),
        ("either a dog or a cat", "(dog or cat)"),
        ("both a dog and a cat", "(dog and cat)"),
        ("both dogs", "exactly 2 dogs"),
        ("nobody on the road", "not person on road"),
        ("photos that don't show cars", "not car"),
        ("cats or dogs on a sofa", "(cat on sofa or dog on sofa)"),
        ("dogs and cats on a sofa", "(dog on sofa and cat on sofa)"),
        ("trees and houses on road", "(tree and (house on road))"),
        ("(sky or sea) and road", "((sky or sea) and road)"),
        ("not road and sky", "(not road and sky)"),
        ("not (road and sky)", "not (road and sky)"),
        ("not not road", "not not road"),
        ("sky -car, -(sea or road)", "(sky and not car and not (sea or road))"),
        ("dining-table | body of water & tv", "(table or (body of water and tv))"),
        ("like beach.jpg and no people", "(like beach.jpg and not person)"),
        ("like #12", "like #12"),
        ("like photo #12", "like #12"),
        ("like #12 mirrored and no people", "(like #12 mirrored and not person)"),
        ("(similar to Été/Plage(1).jpg)", "like Été/Plage(1).jpg"),
        ("like 'my photos/a, b.jpg', cars", "(like my photos/a, b.jpg and car)"),
        ("like “C:\\x y.png” without cars", "(like C:\\x y.png and not car)"),
    ],
)
def test_forms(text: str, expected: str) -> None:
    assert written(tree(text)) == expected


def test_the_tree_of_precedences() -> None:
    found = tree("not road and sky or sea")
    assert isinstance(found, Or)
    assert isinstance(found.parts[0], And)
    assert isinstance(found.parts[0].parts[0], Not)
    assert [leaf.thing.position for leaf in leaves(found) if isinstance(leaf, Presence)] == [4, 13, 20]


def test_what_a_thing_was_taken_for() -> None:
    found = tree("Vehicles > 3%")
    assert isinstance(found, Compare)
    assert found.thing.written == "Vehicles"
    assert found.thing.name == "vehicle"
    assert found.thing.classes == tuple(
        sorted(V.id_of(n) for n in ("car", "bus", "train", "motorbike", "bicycle", "boat", "aeroplane"))
    )


def test_all_things_of_a_tree() -> None:
    found = tree(
        "car on road, little sky and (person between cat and dog or no sea) taken:2020, >3% tree, boat in "
        "the left"
    )
    assert [thing.name for thing in things(found)] == [
        "car",
        "road",
        "sky",
        "person",
        "cat",
        "dog",
        "sea",
        "tree",
        "boat",
    ]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("sky > 30%", 300_000_000_001, 10**12),
        ("sky < 30%", 0, 299_999_999_999),
        ("sky <= 30%", 0, 300_000_000_000),
        ("sky = 30%", 295_000_000_000, 304_999_999_999),
        ("sky = 30.0%", 299_500_000_000, 300_499_999_999),
        ("sky = 0.3", 250_000_000_000, 349_999_999_999),
        ("exactly 100% sky", 995_000_000_000, 10**12),
        ("exactly 0% sky", 0, 4_999_999_999),
        ("sky < 0%", 0, -1),
        ("sky > 0%", 1, 10**12),
        ("sky > 100%", 10**12 + 1, 10**12),
    ],
)
def test_bounds(text: str, low: int, high: int) -> None:
    found = tree(text)
    assert isinstance(found, Compare)
    assert (found.low, found.high) == (low, high)


@pytest.mark.parametrize(
    "text", ["*", "everything", "Everything!", "@all", "everything and (sky or *)", "anything, everything"]
)
def test_everything_is_every_photo(text: str) -> None:
    assert parse(text, V, saved=lambda name: "everything") == Query(None, None)
    assert whole(Query(None, None)) == "everything"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("everything but cars", "not car"),
        ("everything except for cars", "not car"),
        ("everything without cars", "not car"),
        ("everything with cars", "car"),
        ("* and sky", "sky"),
    ],
)
def test_everything_and_more(text: str, expected: str) -> None:
    assert written(tree(text)) == expected


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "names nothing to look for"),
        ("  \n", 0, "names nothing to look for"),
        ("show me the photos", 0, "names nothing to look for"),
        ("(road or sky", 0, "never closed"),
        ("road or sky)", 11, "closes nothing"),
        ("()", 1, "empty parentheses"),
        ("sky > 130%", 6, "from 0% to 100%"),
        ("sky > 30", 6, "write a percentage as in 30%"),
        ("sky > 2.5", 6, "write a percentage as in 30%"),
        ("sky > -5%", 6, "not part of the query language"),
        ("between 40% and 10% sky", 8, "write between 10% and 40%"),
        ("between 10% sky", 8, "needs two numbers"),
        ("between 10% and 20%", 16, "of what"),
        ("road and", 5, 'nothing follows "and"'),
        ("road and (sky or)", 14, 'nothing follows "or"'),
        ("road,", 4, 'nothing follows ","'),
        ("not", 0, 'nothing follows "not"'),
        ("and road", 0, 'nothing stands before "and"'),
        ("road and or sky", 5, 'nothing follows "and"'),
        (">30%", 1, "of what"),
        ("sky > and road", 4, "needs a percentage"),
        ("mostly", 0, "needs a thing"),
        ("more sky", 0, "fits after a number"),
        ("sky less", 4, "fits after a number"),
        ("sky without clouds", 12, "no class of their own"),
        ("road mirrored", 5, "after a photo only"),
        ("like", 0, "needs a photo"),
        ("like and road", 0, "needs a photo"),
        ("like ''", 0, "needs a photo"),
        ("like 'a b.jpg", 5, "never closed"),
        ("like #x1", 5, "not an id"),
        ("like a\0b", 5, "control characters"),
        ("#12", 0, "write like before it"),
        ("sky 'a.jpg'", 4, "write like before it"),
        ('sky "\u0300 road', 4, "never closed"),  # with an accent
        ("#\u030112", 0, "write like before it"),
        ("sky @", 4, "a saved query is written @ and its name"),
        ("road; sky", 4, "not part of the query language"),
        ("sky - car", 4, "not part of the query language"),
        ("not everything", 0, "outside everything"),
        ("dog in the foreground", 11, "name a part of the photo"),
        ("(" * 51 + "sky" + ")" * 51, 50, "simplify"),
        ("not " * 51 + "sky", 200, "simplify"),
        ("(not " * 26 + "sky" + ")" * 26, 125, "simplify"),
        ("x" * 10_001, 10_000, "shorten"),
        ("x" * 9_999, 0, "unknown word"),
    ],
)
def test_errors_say_where_and_what_to_do(text: str, position: int, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, V)
    first, *rest = str(caught.value).split("\n")
    assert says in first
    assert (caught.value.text, caught.value.position) == (text, position)
    if text.strip():
        shown, mark = rest
        assert mark.strip().startswith("^")
        assert len(shown) < 90
        if position < len(text) and text[position].isprintable():
            assert shown[mark.index("^")] == text[position]


def test_an_unknown_word_gets_its_place_and_the_closest_words() -> None:
    with pytest.raises(QueryError) as caught:
        parse("a road and\tflwer", V)
    assert caught.value.position == 11
    assert caught.value.suggestions[0] == "flower"
    assert str(caught.value) == (
        'unknown word "flwer": did you mean "flower"? (at character 12)\n'
        "  a road and flwer\n"
        "             ^~~~~"
    )  # fmt: skip


def test_positions_are_those_of_the_text_as_typed() -> None:
    text = "no ﬂowers, ＳＫＹ and e\u0301e\u0301 zzz"
    with pytest.raises(QueryError) as caught:
        parse(text, V)
    assert caught.value.position == text.index("e\u0301")
    assert '"e\u0301e\u0301"' in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("more than half of the photo is sky", "sky > 50%"),
        ("sky < half", "sky < 50%"),
        ("sky covers more than half", "sky > 50%"),
        ("photos that look like #12", "like #12"),
        ("between half and 80% sky", "sky between 50% and 80%"),
        ("sky in the top half", "sky in top"),
    ],
)
def test_half_is_fifty_percent(text: str, expected: str) -> None:
    assert written(tree(text)) == written(tree(expected))


def test_an_id_after_like_wants_its_sign() -> None:
    with pytest.raises(QueryError, match="written with #, as in like #5"):
        parse("like photo 5", V)


def test_fifty_levels_are_allowed_and_long_queries_too() -> None:
    assert written(tree("(" * 50 + "sky" + ")" * 50)) == "sky"
    found = tree(" or ".join(["sky"] * 1400))
    assert isinstance(found, Or)
    assert len(found.parts) == 1400


def test_a_mirrored_photo() -> None:
    assert tree("like 'a b.jpg' or mirrored") == Like("a b.jpg", 0, mirrored=True)
    assert tree("like a.jpg") == Like("a.jpg", 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("like #3 and #8", "(like #3 and like #8)"),
        ("like photo #3, photo #8 and #9", "(like #3 and like #8 and like #9)"),
        ("like #3, #8 or #9", "(like #3 or like #8 or like #9)"),
        ("like #3 or #8 without people", "((like #3 or like #8) and not person)"),
        ("sky or like #3 & #4", "(sky or (like #3 and like #4))"),
        ("like #3, #4 or #5 or mirrored, no cars",
         "((like #3 mirrored or like #4 mirrored or like #5 mirrored) and not car)"),
        ("like #3 and 2 dogs", "(like #3 and exactly 2 dogs)"),
        ("like #3, sky", "(like #3 and sky)"),
        ("not like #5", "not like #5"),
        ("-like a.jpg", "not like a.jpg"),
        ("like #3, not like #5 or #6", "(like #3 and not like #5 and not like #6)"),
        ("not like #5, #6 and sky", "(not like #5 and not like #6 and sky)"),
        ("like #3 unlike #5 and #6", "(like #3 and not like #5 and not like #6)"),
        ("not unlike #3 or #4", "not not (like #3 or like #4)"),
    ],
)  # fmt: skip
def test_several_photos_and_those_that_do_not_count(text: str, expected: str) -> None:
    assert written(tree(text)) == expected


LEAVES = st.sampled_from(
    [
        "sky",
        "road > 30%",
        "little grass",
        "vehicle between 10% and 20%",
        "body of water >= 5%",
        "exactly 3 people",
        "at least 2 cars on road",
    ]
    + [
        "boat in left third",
        "person between car and tree",
        "person in front of building",
        "fewer than 3 boats in top left",
    ]
    + [
        "taken:2023-06..",
        "added:2023",
        "camera:canon",
        'path:"a b/**"',
        "width:>4000",
        "orientation:square",
        "near 48.85,-2.35 5000m",
        "within 48.8,-2.5..48.9,-2.25",
    ]
    + ["taken:unknown", "tag:best", "like #12 mirrored", "tree around house"]
)
NEGATED = LEAVES.filter(lambda q: not q.startswith("like")).map(
    lambda q: f"not ({q})" if q.startswith(("exactly", "at least", "fewer")) else f"not {q}"
)


def alone(text: str) -> str:
    """A negation takes the list after it, unless it ends before."""
    return f"({text})" if text.startswith("not ") and not text.startswith("not (") else text


QUERIES = st.recursive(
    LEAVES | NEGATED,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda qs: "(" + " and ".join(qs) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(
            lambda qs: "(" + " or ".join([*map(alone, qs[:-1]), qs[-1]]) + ")"
        ),
    ),
    max_leaves=8,
)
SORTS = st.sampled_from(
    ["", " sort:sky", " sort:-body-of-water", " sort:-taken", " sort:relevance", " sort:-size"]
)


@given(QUERIES, SORTS)
def test_what_is_written_is_parsed_to_the_same(text: str, sort: str) -> None:
    """Parentheses around a place are added where the place could be shared."""
    again = whole(parse(text + sort, V))
    assert again.translate(_WITHOUT_PARENTHESES) == (text + sort).translate(_WITHOUT_PARENTHESES)
    assert whole(parse(again, V)) == again


_WITHOUT_PARENTHESES = str.maketrans("", "", "()")
