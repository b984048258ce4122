"""The page about the language, read by the parser."""

import re
from pathlib import Path

import pytest

from dsslic_search.errors import QueryError
from dsslic_search.query.parse import parse
from dsslic_search.query.words import KEYWORDS
from dsslic_search.vocabulary import default

PAGE = (Path(__file__).parents[2] / "docs" / "query-language.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return re.split(r"^## ", PAGE.split(f"\n## {title}\n")[1], flags=re.M)[0]


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


FORMS = [code for line in section("Predicates").splitlines() if line.startswith("| `") for code in codes(line.split("|")[1])]
EXAMPLES = re.findall(r"^    (.+)$", PAGE.split("\n## ")[0], flags=re.M)
MISTAKES = [
    code for line in section("Errors").splitlines() if line.startswith("| ") for code in codes(line.split("|")[2]) if code != "like"
]


@pytest.mark.parametrize("text", FORMS + EXAMPLES)
def test_what_the_page_shows_is_understood(text: str) -> None:
    parse(text, default())


@pytest.mark.parametrize("text", MISTAKES)
def test_what_the_page_calls_an_error_is_one(text: str) -> None:
    with pytest.raises(QueryError):
        parse(text, default())


def test_the_page_names_every_phrase_of_the_language() -> None:
    words = PAGE.lower()
    plurals = {"image", "photo", "photograph", "picture", "pic", "search", "look for"}
    forms = {"contain", "contains", "has", "have", "having", "per cent", "%"}
    missing = [p for p in map(" ".join, KEYWORDS) if p not in plurals | forms and not re.search(rf"\b{p}\b", words)]
    assert missing == []


def test_there_is_something_to_check() -> None:
    assert len(FORMS) >= 12
    assert len(EXAMPLES) == 4
    assert len(MISTAKES) >= 20
