"""Whatever the text: a query or one clear error, for work that grows no faster than the text."""

from datetime import datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsslic_search.core.colour_terms import TERMS
from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import Query, whole
from dsslic_search.query.language import dates, fields
from dsslic_search.query.language.lexicon import KEYWORDS, word_table
from dsslic_search.query.language.parse import parse
from dsslic_search.query.language.tokens import MAX_CHARACTERS
from tests.counted import lines_run

V = default()
NOW = datetime(2024, 5, 15, 12)
COUNTED_CHARACTERS = 3000
STEPS_OF_ANY_TEXT = 60_000  # lines run for the suggestions and the like, however short the text
STEPS_A_CHARACTER = 400  # "O,O,O,…" takes 305
SAVED = {"beach": "sea and sand", "likes": "like #3", "all": "*", "wrong": "flwer"}

PHRASES = [" ".join(phrase) for phrase in [*word_table(V).meanings, *KEYWORDS]]
SIGNS = [
    "30%", "0.3", "130%", "2", "20", "21", "2-4", "2020", "2020-06", "12 june", ">", ">=", "≤", "=", "(", ")",
    ",", "&", "|", "*", "%",
    "-", ":", "'", '"', "“", ".", "..", "#", "#1", "@", "@beach", "@likes", "@all", "@wrong", "@no",
    "like a.jpg", "like #1", "zz", "to",
    "near 48.85,2.35 5km", "within 5km of", "1,2", "-1", "5km", "mirrored",
    *fields.EXAMPLES.values(), *(f"{name}:" for name in fields.FIELDS), *sorted(dates.OPENERS),
    "e\u0301", "ﬂower", "é", "\u0301", "\x00", "\ud800",
]  # fmt: skip


def outcome(text: str) -> Query | None:
    try:
        return parse(text, V, saved=SAVED.__getitem__, now=NOW)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
        assert error.text == text
        sentence = str(error).split("\n")[0]
        assert sentence.endswith(")") and "(at " in sentence
        assert len(sentence) < 450
        str(error).encode()
        return None


@given(st.text())
def test_any_text_is_a_query_or_a_query_error(text: str) -> None:
    outcome(text)


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from(PHRASES) | st.sampled_from(SIGNS), max_size=14),
    st.sampled_from([" ", " ", " ", "", "\n\u3000"]),
)
def test_any_words_and_signs_are_a_query_or_a_query_error(words: list[str], between: str) -> None:
    found = outcome(between.join(words))
    if found is not None and "like" not in (text := whole(found)):
        again = outcome(text)
        assert again is not None
        assert whole(again) == text


@pytest.mark.parametrize("colour", TERMS)
def test_a_class_of_a_colour_is_read_as_itself(colour: str) -> None:
    """ "white water" is a noun of its own, too."""
    for thing in V.classes[1:]:
        found = outcome(f"{thing.name} {colour}")
        assert found is not None
        again = outcome(whole(found))
        assert again is not None, whole(found)
        assert whole(again) == whole(found)


KINDS = [
    "sky", "little sea", "vehicle", "sky > 30%", "less than 10% tree", "more sky than grass",
    "wall at least floor", "sky + sea > 50%", "red car", "2 dogs", "at least 2 people", "dog on grass",
    "person between cars", "taken:2023", "iso >= 400", "word:volcano", "near 48.85,2.35 5km", "lens:unknown",
]  # fmt: skip
"""One of each kind of predicate, as people write it."""


@pytest.mark.parametrize("joiner", [" and ", " or ", " "])
@pytest.mark.parametrize("first", KINDS)
def test_what_a_query_is_read_as_is_read_as_itself(first: str, joiner: str) -> None:
    read = 0
    for negation, second in product(("", "not "), KINDS):
        found = outcome(f"{negation}{first}{joiner}{second}")
        if found is not None:
            again = outcome(whole(found))
            assert again is not None, whole(found)
            assert whole(again) == whole(found)
            read += 1
    assert read >= len(KINDS)


UNITS = [
    *(
        "sky,",
        "tv|",
        "tv,not tv,",
        "-tv,",
        "(tv),",
        "tv>1%,",
        "tv>1,",
        "1%-2%tv,",
        "1-2tv,",
        "1 tv,",
        "ten tv,",
        "2 or more tv,",
    ),
    *(
        "tv on tv,",
        "tv left,",
        "tv between tv and tv,",
        "tv in the middle of tv,",
        "tv as well as ",
        "tv with ",
        "tv at the right,",
    ),
    *(
        "tag:a ",
        "-tag:a ",
        "id:1..2,",
        'camera:"a b" ',
        "path:* ",
        "taken:2020..2021 ",
        "today ",
        "in 2020 ",
        "may 2020 ",
        "near 1,2 ",
    ),
    *(
        "near 1,1 5km ",
        "like a,",
        "like 'a',",
        "@beach ",
        "@all,",
        "*",
        "*,",
        "(sky)and(",
        "((tv)),",
        "not(tv),",
    ),
    *(
        "a ",
        "of the ",
        "a",
        "a-",
        "a'",
        "x",
        "ab ",
        "zzzzzzzz zzzzzzz ",
        "thre",
        "qqqq rrrr ssss tttt ",
        "bodi of watr ",
        "left hand ",
    ),
    *(
        "bottum left hand cornr ",
        "in the middle of ",
        "in ",
        "on the left of the photo ",
        "between ",
        "between tv and ",
        "sitting on ",
    ),
    *(
        "not ",
        "no ",
        "((",
        "()",
        ")",
        "'",
        '"',
        "“tv”",
        "#",
        "@",
        ":",
        "a:",
        "1",
        "1.",
        ".",
        "1 ",
        "1 to ",
        "1-",
        "-",
        "- ",
        "--",
        "?!. ",
    ),
    *(
        ">",
        "≥1 tv ",
        "%",
        "&&",
        "\\",
        "last ",
        "last 7 ",
        "taken ",
        "near ",
        "within ",
        "may ",
        "sort:sky ",
        "size:1 ",
        "truck ",
        "red car ",
        "hund ",
        "camera:é ",
    ),
    *(
        "é",
        "é:é ",
        "e\u0301",
        "a\u0300\u0301",
        "\u0301",
        "ﷺ",
        "ﷺ ",
        "ß",
        "ŉ",
        "𝔰𝔨𝔶 ",
        "\ud800",
        "\u3000",
        " ",
        "\x00",
        "ＳＫＹ，",
    ),
    *("1" + " " * 99, "in" + " " * 99, "near 1" + " " * 99, "tv" + "-" * 99, 'size:"1' + " " * 999 + '" '),
]


def steps(text: str) -> int:
    """How many lines of Python reading a text runs."""
    return lines_run(lambda: outcome(text))


def bound(text: str) -> int:
    """What reading a text may take: in proportion to its length, as a reader that looks back over the text
    again and again exceeds."""
    return STEPS_OF_ANY_TEXT + STEPS_A_CHARACTER * len(text)


@pytest.mark.parametrize("unit", UNITS, ids=ascii)
def test_the_work_of_reading_grows_with_the_length_alone(unit: str) -> None:
    outcome("sky")  # the word table and the grammar are made once
    complete = unit * (COUNTED_CHARACTERS // len(unit))
    ends = (
        complete.rstrip(" ,|"),
        complete[: COUNTED_CHARACTERS - 20] + " flwer of skyy",
        "(" + complete[:-2] + ")",
    )
    for each in {(unit * COUNTED_CHARACTERS)[:COUNTED_CHARACTERS], *ends}:
        assert steps(each) < bound(each), each[:40]


@pytest.mark.parametrize("unit", UNITS, ids=ascii)
def test_the_longest_texts_are_read(unit: str) -> None:
    """Also what happens inside regular expressions, which no step is counted of: backtracking over this would
    never end."""
    outcome((unit * MAX_CHARACTERS)[:MAX_CHARACTERS])


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(PHRASES) | st.sampled_from(SIGNS) | st.text(max_size=4), min_size=1, max_size=6),
    st.sampled_from(["", " ", ","]),
)
def test_the_work_of_reading_anything_repeated_grows_with_the_length_alone(
    words: list[str], between: str
) -> None:
    outcome("sky")
    unit = between.join(words) + between or " "
    text = (unit * COUNTED_CHARACTERS)[:COUNTED_CHARACTERS]
    assert steps(text) < bound(text)


def test_thousands_of_predicates_are_one_query() -> None:
    for text in (
        ",".join(["tv"] * 3333),
        " ".join(["tag:a"] * 1666),
        "|".join(["tv on tv"] * 1111),
        ",".join(["(tv)"] * 2000),
    ):
        assert len(text) <= MAX_CHARACTERS
        assert outcome(text) is not None
