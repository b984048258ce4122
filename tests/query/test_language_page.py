"""The page about the language, read by the parser."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from dsslic_search.core.colour_terms import SPELLINGS, TERMS
from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.index.regions import relate
from dsslic_search.query.ast import Query, Regional, whole
from dsslic_search.query.language import fields, spatial
from dsslic_search.query.language.lexicon import KEYWORDS, SHADES
from dsslic_search.query.language.parse import parse

PAGE = (Path(__file__).parents[2] / "docs" / "query-language.md").read_text(encoding="utf-8")
NOW = datetime(2024, 5, 15, 12)


def section(title: str) -> str:
    return re.split(r"^## ", PAGE.split(f"\n## {title}\n")[1], flags=re.M)[0]


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def column(title: str, number: int) -> list[str]:
    """The codes in a column of a section's tables, counted from 1."""
    return [
        code
        for line in section(title).splitlines()
        if line.startswith("| ")
        for code in codes(line.split("|")[number])
    ]


def asked(text: str) -> Query:
    return parse(
        text,
        default(),
        saved={"beach": "sea and sand"}.__getitem__,
        tag_trouble=lambda tag: ("no such tag", ()) if tag == "nothing" else None,
        now=NOW,
    )


KINDS = [
    "Presence and coverage",
    "Counts",
    "Where in the photo",
    "Relations",
    "Looks",
    "Colours",
    "Dates",
    "Files, cameras and places",
    "Order",
]
FORMS = [code for title in KINDS for code in column(title, 1)]
# whole queries among the other ways to say it; the rest there are words
ALSO = [
    code
    for title in ("Counts", "Colours", "Dates", "Files, cameras and places", "Order")
    for code in column(title, 2)
]
EXAMPLES = re.findall(r"^    (.+)$", PAGE.split("\n## ")[0], flags=re.M)
COMBINED = [
    code for code in codes(section("Combining")) if " " in code and tuple(code.split()) not in KEYWORDS
]
MISTAKES = [code for code in column("Errors", 2) if code != "like"]


@pytest.mark.parametrize("text", FORMS + ALSO + EXAMPLES + COMBINED)
def test_what_the_page_shows_is_understood(text: str) -> None:
    asked(text)


@pytest.mark.parametrize("text", MISTAKES)
def test_what_the_page_calls_an_error_is_one(text: str) -> None:
    with pytest.raises(QueryError):
        asked(text)


@pytest.mark.parametrize("title", ["Counts", "Dates"])
def test_the_ways_of_saying_it_mean_the_same(title: str) -> None:
    other = {"last 7 days", "taken:3m", "past 2 weeks", "taken:last-week"} | {
        "added:7d",
        "added in 2024",
        "added since last week",
    }
    other |= {f"{which} {unit}" for which in ("this", "last") for unit in ("week", "month", "year")} | {
        "yesterday"
    }
    for line in section(title).split("\n### ")[0].splitlines():
        if line.startswith("| `"):
            form, *also = codes(line.split("|")[1]) + codes(line.split("|")[2])
            assert {whole(asked(text)) for text in also if text not in other} <= {whole(asked(form))}


def test_the_page_names_every_phrase_of_the_language() -> None:
    words = PAGE.lower()
    plurals = {"image", "photo", "photograph", "picture", "pic", "search", "look for"}
    forms = {
        "contain",
        "contains",
        "has",
        "have",
        "having",
        "per cent",
        "%",
        "more",
        "less",
        "fewer",
        "added",
    }
    parts = {phrase for zone in spatial.zones().values() for phrase in zone}  # made of a few words
    shades = {f"{shade} {colour}" for shade in SHADES for colour in SPELLINGS.keys() | set(TERMS)}
    missing = [
        p
        for p in map(" ".join, KEYWORDS)
        if p not in plurals | forms | parts | shades and not re.search(rf"\b{p}\b", words)
    ]
    assert missing == []


def test_the_page_defines_every_relation_and_part_and_field() -> None:
    relations = {
        tree.where for code in column("Relations", 1) if isinstance(tree := asked(code).tree, Regional)
    }
    assert {getattr(where, "name", "between") for where in relations} == {*spatial.RELATIONS, "between"}
    where = section("Where in the photo")
    assert [name for name in spatial.zones() if f"`{name}" not in where and f"the {name}" not in where] == []
    assert [name for name in fields.FIELDS if f"`{name}:" not in PAGE] == []


def test_relations_and_parts_are_those_that_the_indexes_know() -> None:
    assert set(spatial.RELATIONS) - {"around"} == set(relate.RELATIONS)
    assert set(spatial.zones()) == set(relate.ZONES) - {"middle"}


def test_there_is_something_to_check() -> None:
    assert len(FORMS) >= 60
    assert len(ALSO) >= 60
    assert len(EXAMPLES) == 6
    assert len(COMBINED) >= 12
    assert len(MISTAKES) >= 50
