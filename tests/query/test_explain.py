from __future__ import annotations

import json
from dataclasses import replace

import pytest

from dsslic_search.core.trust import TABLE
from dsslic_search.core.vocabulary import default
from dsslic_search.query.explain import _words, outermost, reading
from dsslic_search.query.language.parse import parse


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("(sky or road)", "sky or road"),
        ("((sky or road) and car)", "(sky or road) and car"),
        ("(sky or road) and (car or bus)", "(sky or road) and (car or bus)"),
        ("sky and (car or bus)", "sky and (car or bus)"),
        ("sky", "sky"),
        ("x", "x"),
    ],
)
def test_only_parentheses_around_everything_are_taken_off(text: str, inside: str) -> None:
    assert outermost(text) == inside


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dog", None),
        ("dog and cat", None),
        ("dog, cat or horse", None),
        ("dog without cars", None),
        ("no people or cars", "not (person or car)"),
        ("dogs or cats without people", "(dog or cat) and not person"),
        ("sky or sea and road", "sky or (sea and road)"),
        ("(no people) or cars", "(not person) or car"),
        ("newest first", None),
        ("dog next to a car or a cat", "(dog next to car) or cat"),
        ("car next to a bus or a dog", None),
        ("bed or table on the left", None),
    ],
)
def test_a_reading_is_said_where_there_could_be_another(text: str, said: str | None) -> None:
    assert reading(parse(text, default())) == said


def test_words_tell_their_source_and_what_they_are_worth() -> None:
    lines = list(_words(parse("woods, vehicles, kitchen, word:bed and red bus", default()), default()))
    measured = json.loads(TABLE.read_text("utf-8"))["classes"]["tree"]
    right, found = (f"{measured[which]:.0%}" for which in ("precision", "recall"))
    assert lines[0] == f"woods: tree, an area of the label map; {right} of answers right, {found} found"
    assert lines[1].startswith("vehicles: vehicle = car + ")
    assert "kitchen: 4 image words, of the whole photo; not measured" in lines
    assert any(
        line.startswith("bed: ") and "of the whole photo; 100% of answers right" in line for line in lines
    )
    assert any(line.startswith("red: at least 15% of the thing is") for line in lines)
    own = replace(default(), name="own", classes=default().classes[:4], groups=())
    assert list(_words(parse("sky", own), own)) == ["sky: sky, an area of the label map; not measured"]


def test_words_tell_of_a_thing_that_is_meant_again_by_its_name() -> None:
    lines = list(_words(parse("red or blue bus on the left or right", default()), default()))
    assert all(not line.startswith(":") for line in lines)
    assert any(line.startswith("bus: bus, an area of the label map") for line in lines)
