"""What help calls the values of options and arguments."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from dsslic_search.cli import metavars
from dsslic_search.cli.main import command
from dsslic_search.cli.reference import commands, help_of

TYPE = re.compile(r"<(?:list|tuple|dict)\[|<(?:str|int|float|bool|path|Path|file|datetime)\b", re.I)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_no_help_names_a_type_of_python(words: tuple[str, ...]) -> None:
    text = help_of(words)
    assert not TYPE.search(text)
    assert not re.search(r"\dx|x[<>]|[<>]=", text)
    usage = text[: text.index("\n\n")]
    assert "{" not in usage
    assert "...." not in usage
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("words", [words for words in commands() if words], ids=" ".join)
def test_every_option_and_argument_says_what_its_value_is(words: tuple[str, ...]) -> None:
    for parameter in parameters(words):
        if not getattr(parameter, "is_flag", False):
            assert parameter.metavar
            assert parameter.metavar in help_of(words)


@pytest.mark.parametrize(
    ("least", "most", "told"),
    [
        (1, None, "1 or more"),
        (0.1, None, "0.1 or more"),
        (None, 9, "9 or less"),
        (1, 20, "1 to 20"),
        (None, None, None),
    ],
)
def test_a_range_is_told_in_words(least: float | None, most: float | None, told: str | None) -> None:
    assert metavars.range_of(SimpleNamespace(min=least, max=most)) == told


def parameters(words: tuple[str, ...]) -> list[Any]:
    made: Any = command(*words)
    for word in words:
        made = made.commands[word]
    return list(made.params)


def test_names_of_values_are_of_options_that_there_are() -> None:
    there = {parameter.name for words in commands() if words for parameter in parameters(words)}
    assert metavars.METAVARS.keys() <= there


def test_usage_puts_brackets_around_what_may_be_left_out_alone() -> None:
    usages = {
        "show": "ID",
        "sync": "[DIR]...",
        "ingest": "PATH...",
        "encode": "IN [OUT.dsslic] | IN…",
    }
    for name, usage in usages.items():
        assert help_of((name,)).splitlines()[0] == f"Usage: dss-search {name} [OPTIONS] {usage}"
