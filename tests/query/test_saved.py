"""Saved queries inside queries."""

from collections.abc import Callable

import pytest

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import Or, leaves, whole
from dsslic_search.query.language.parse import MAX_DEPTH, MAX_SAVED_PREDICATES, parse

V = default()
SAVED = {
    "beach": "sea and sand sort:taken",
    "my-best_2": "tag:best or @beach",
    "all": "everything",
    "x": "sky",
    "wrong": "sea and flwer",
    "uses-wrong": "sky, @wrong",
    "loop": "sky and @loop2",
    "loop2": "sea, @loop",
    "self": "@self",
    "likes": "like #3 and sky",
    "long": " or ".join(["sky", "sea"] * 500),
    "été": "sky",
    "deep24": "sky",
} | {f"deep{i}": f"not @deep{i + 1}" for i in range(24)}  # each step is two levels


def lookup(name: str) -> str:
    try:
        return SAVED[name]
    except KeyError:
        raise KeyError(name, *(other for other in SAVED if other[:2] == name[:2])) from None


def found(text: str) -> str:
    return whole(parse(text, V, saved=lookup))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@beach", "(sea and earth) sort:taken"),
        ("@BEACH.", "(sea and earth) sort:taken"),
        ("show me @beach sort:-taken", "(sea and earth) sort:-taken"),
        ("(@beach)", "(sea and earth)"),
        ("@Été", "sky"),
        ("@beach no people", "((sea and earth) and not person)"),
        ("cars @beach", "(car and (sea and earth))"),
        ("not @beach", "not (sea and earth)"),
        ("-@beach or road", "(not (sea and earth) or road)"),
        ("@my-best_2 sort:-sky", "(tag:best or (sea and earth)) sort:-sky"),
        ("@beach, @beach", "((sea and earth) and (sea and earth))"),
        ("@all", "everything"),
        ("@x", "sky"),
        ("@x cars", "(sky and car)"),
        ("@all and cars", "car"),
        ("not @deep0", "not " * 25 + "sky"),
        ("@likes without cars", "((like #3 and sky) and not car)"),
    ],
)
def test_a_saved_query_stands_for_its_tree(text: str, expected: str) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("sky and @bech", 8, 'there is no saved query "@bech": did you mean @beach?'),
        ("@nothing", 0, "save one under that name first"),
        ("sky, @self", 5, 'the saved query "@self" uses itself: change one of @self'),
        ("@loop", 0, 'the saved query "@loop" uses itself: change one of @loop, @loop2'),
        ("@wrong", 0, 'the saved query "@wrong" is not understood: unknown word "flwer"'),
        ("road, @uses-wrong", 6, 'the saved query "@wrong" is not understood: unknown word "flwer"'),
        ("not @all", 0, "outside everything"),
        ("@long, " * 6 + "sky", 35, f"more than {MAX_SAVED_PREDICATES} predicates"),
        ("not (not @deep0)", 9, "inside one another"),
        ("@", 0, "letters, digits"),
        ("sky @", 4, "letters, digits"),
    ],
)
def test_errors_point_at_the_name(text: str, position: int, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, V, saved=lookup)
    first = str(caught.value).split("\n")[0]
    assert says in first
    assert first.count("(at ") == 1
    assert (caught.value.text, caught.value.position) == (text, position)


def test_suggestions_are_what_the_lookup_gives() -> None:
    with pytest.raises(QueryError) as caught:
        parse("@bech", V, saved=lookup)
    assert caught.value.suggestions == ("@beach",)
    with pytest.raises(QueryError, match="save one under that name"):
        parse("@bech", V, saved={}.__getitem__)


def test_without_saved_queries_at_hand() -> None:
    with pytest.raises(QueryError, match="not at hand"):
        parse("@beach", V)


def test_each_saved_query_is_read_once() -> None:
    asked = []

    def once(name: str) -> str:
        asked.append(name)
        return "sky or sea"

    tree = parse(", ".join(["@a"] * 300), V, saved=once).tree
    assert asked == ["a"]
    assert tree is not None
    assert sum(1 for _ in leaves(tree)) == 600


def chain(length: int) -> Callable[[str], str]:
    return lambda name: "sky" if int(name) == length else f"@{int(name) + 1}"


def test_saved_queries_inside_one_another_have_a_limit() -> None:
    assert whole(parse("@1", V, saved=chain(MAX_DEPTH))) == "sky"
    with pytest.raises(QueryError, match="inside one another"):
        parse("@1", V, saved=chain(MAX_DEPTH + 1))


def test_doubling_does_not_explode() -> None:
    def double(name: str) -> str:
        return f"@{int(name) - 1} or @{int(name) - 1}" if int(name) else "sky"

    tree = parse("@12", V, saved=double).tree
    assert isinstance(tree, Or)
    assert sum(1 for _ in leaves(tree)) == 4096
    with pytest.raises(QueryError, match="more than"):
        parse("@40", V, saved=double)
