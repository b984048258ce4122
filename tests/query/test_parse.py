import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsslic_search.errors import QueryError
from dsslic_search.query.parse import parse
from dsslic_search.query.tree import And, Compare, Node, Not, Or, Presence, leaves, written
from dsslic_search.query.words import KEYWORDS, word_table
from dsslic_search.vocabulary import default

V = default()


@pytest.mark.parametrize(
    ("text", "tree"),
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
        ("no more than 5% people", "person <= 5%"),
        ("less than 10% water", "water < 10%"),
        ("more than 12.5% water", "water > 12.5%"),
        ("at most 10% water", "water <= 10%"),
        ("exactly 30% sky", "sky = 30%"),
        ("between 10% and 40% water", "water between 10% and 40%"),
        ("water between 10 and 40%, grass", "(water between 10% and 40% and grass)"),
        ("mostly grass", "grass >= 50%"),
        ("a little sky", "little sky"),
        ("road, cars and sky", "(road and car and sky)"),
        ("road, and cars", "(road and car)"),
        ("road with cars but no people", "(road and car and not person)"),
        ("mountain without trees", "(mountain and not tree)"),
        ("sky > 30% with road", "(sky > 30% and road)"),
        ("road with >30% sky", "(road and sky > 30%)"),
        ("sky or sea and road", "(sky or (sea and road))"),
        ("(sky or sea) and road", "((sky or sea) and road)"),
        ("not road and sky", "(not road and sky)"),
        ("not (road and sky)", "not (road and sky)"),
        ("not not road", "not not road"),
        ("dining-table | body of water & tv", "(table or (body of water and tv))"),
        ("like beach.jpg and no people", "(like beach.jpg and not person)"),
        ("like #12", "like #12"),
        ("(similar to Été/Plage(1).jpg)", "like Été/Plage(1).jpg"),
        ("like 'my photos/a, b.jpg', cars", "(like my photos/a, b.jpg and car)"),
        ("like “C:\\x y.png” without cars", "(like C:\\x y.png and not car)"),
    ],
)
def test_forms(text: str, tree: str) -> None:
    assert written(parse(text, V)) == tree


def test_the_tree_of_precedences() -> None:
    tree = parse("not road and sky or sea", V)
    assert isinstance(tree, Or)
    assert isinstance(tree.parts[0], And)
    assert isinstance(tree.parts[0].parts[0], Not)
    assert [leaf.thing.position for leaf in leaves(tree) if isinstance(leaf, Presence)] == [4, 13, 20]


def test_what_a_thing_was_taken_for() -> None:
    tree = parse("Vehicles > 3%", V)
    assert isinstance(tree, Compare)
    assert tree.thing.written == "Vehicles"
    assert tree.thing.name == "vehicle"
    assert tree.thing.classes == tuple(sorted(V.id_of(n) for n in ("car", "bus", "train", "motorbike", "bicycle", "boat", "aeroplane")))


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
        ("sky < 0%", 0, -1),
        ("sky > 100%", 10**12 + 1, 10**12),
    ],
)
def test_bounds(text: str, low: int, high: int) -> None:
    tree = parse(text, V)
    assert isinstance(tree, Compare)
    assert (tree.low, tree.high) == (low, high)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("", 0, "names nothing to look for"),
        ("  \n", 0, "names nothing to look for"),
        ("show me all the photos", 0, "names nothing to look for"),
        ("(road or sky", 0, "never closed"),
        ("road or sky)", 11, "closes nothing"),
        ("()", 1, "empty parentheses"),
        ("sky > 130%", 6, "from 0% to 100%"),
        ("sky > 30", 6, "write a percentage as in 30%"),
        ("sky > 1", 6, "write a percentage as in 30%"),
        ("sky > -5%", 6, "not part of the query language"),
        ("between 40% and 10% sky", 8, "write between 10% and 40%"),
        ("between 10% sky", 8, "needs two percentages"),
        ("between 10% and 20%", 16, "of what"),
        ("road and", 5, 'nothing follows "and"'),
        ("road and (sky or)", 14, 'nothing follows "or"'),
        ("road,", 4, 'nothing follows ","'),
        ("not", 0, 'nothing follows "not"'),
        ("and road", 0, 'nothing stands before "and"'),
        ("road and or sky", 5, 'nothing follows "and"'),
        ("sky road", 4, '"and" or "or" is missing between "sky" and "road"'),
        ("30% sky", 0, "say which way"),
        ("3 people", 0, "say which way"),
        (">30%", 1, "of what"),
        ("sky is more than 30% and less than 40%", 35, "of what"),
        ("sky > road", 4, "needs a percentage"),
        ("mostly", 0, "needs a thing"),
        ("not like a.jpg", 4, "not possible"),
        ("no (sky or (road, like a.jpg))", 18, "not possible"),
        ("like", 0, "needs a photo"),
        ("like and road", 0, "needs a photo"),
        ("like ''", 0, "needs a photo"),
        ("like 'a b.jpg", 5, "never closed"),
        ("like #x1", 5, "not an id"),
        ("like a\0b", 5, "control characters"),
        ("#12", 0, "write like before it"),
        ("road; sky", 4, "not part of the query language"),
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


def test_fifty_levels_are_allowed_and_long_queries_too() -> None:
    assert written(parse("(" * 50 + "sky" + ")" * 50, V)) == "sky"
    tree = parse(" or ".join(["sky"] * 1400), V)
    assert isinstance(tree, Or)
    assert len(tree.parts) == 1400


WORDS = [" ".join(p) for p in [*word_table(V).meanings, *KEYWORDS]] + [
    "30%",
    "0.3",
    "130%",
    ">",
    "(",
    ")",
    ",",
    "like a.jpg",
    "#1",
    "zz",
    "'",
    "-",
]


def outcome(text: str) -> Node | None:
    start = time.perf_counter()
    try:
        return parse(text, V)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
        assert str(error).split("\n")[0]
        str(error).encode()
        return None
    finally:
        assert time.perf_counter() - start < 2  # nothing explodes; the usual time is a few milliseconds


@given(st.text())
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    outcome(text)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_any_words_are_a_query_or_a_query_error(words: list[str]) -> None:
    outcome(" ".join(words))


@pytest.mark.parametrize(
    "unit", ["a\u0300\u0301", "\u0301", "ﷺ", "((", "not ", "sky ", "9", "9.", ".", "-", "'", "like ", "\ud800", "𝔰", " ", "a-"]
)
def test_the_longest_queries_take_no_longer_than_they_should(unit: str) -> None:
    outcome((unit * 10_000)[:10_000])


THINGS = st.sampled_from(["sky", "road > 30%", "little grass", "vehicle between 10% and 20%", "body of water >= 5%"])
QUERIES = st.recursive(
    THINGS,
    lambda inner: st.one_of(
        inner.map(lambda q: f"not {q}" if not q.startswith("not") else q),
        st.lists(inner, min_size=2, max_size=3).map(lambda qs: "(" + " and ".join(qs) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda qs: "(" + " or ".join(qs) + ")"),
    ),
    max_leaves=8,
)


@given(QUERIES)
def test_what_is_written_is_parsed_to_the_same(text: str) -> None:
    assert written(parse(text, V)) == text
