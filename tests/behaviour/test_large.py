"""What a large archive is asked, and what is told of two records of it."""

from __future__ import annotations

from typing import Any

from tests.behaviour.comparison import MADE_WITH
from tests.behaviour.large import ANSWERS, SECONDS, questions, verdict

THINGS = [f"thing {number}" for number in range(40)]
GROUPS = ["animal", "vehicle", "ground"]


def record(photos: int, **archives: Any) -> dict[str, Any]:
    made = {name: {ANSWERS: answers, SECONDS: {"a": 1.5}} for name, answers in archives.items()}
    return {MADE_WITH: {"photos": str(photos)}, **made}


def test_more_than_two_thousand_different_questions_are_asked_always_the_same() -> None:
    asked = questions(THINGS, GROUPS, 20_000, 100)
    texts = [text for kind in asked.values() for text in kind]
    assert len(set(texts)) == len(texts) > 2000
    assert asked == questions(THINGS, GROUPS, 20_000, 100)
    assert all(0 < len(kind) <= 100 for kind in asked.values())


def test_an_answer_differs_by_any_of_its_pages_and_errors_are_counted() -> None:
    before = record(9, made={"sky": ["1: #3 0.5"], "sea": ["2: #1 0.5", "2: #2 0.25"], "x": {"error": ["E"]}})
    same = verdict(before, before)
    assert (same["questions"], same["differing"]) == (3, 0)
    other = record(9, made={"sky": ["1: #3 0.5"], "sea": ["2: #1 0.5", "2: #2 0.26"], "x": {"error": ["F"]}})
    told = verdict(before, other)["archives"]["made"]
    assert (told["differing"], told["which"]) == (2, ["sea", "x"])
    assert (told["of these errors"], told["of these with photos"]) == (1, 2)
    assert told["processor seconds before"] == told["processor seconds after"] == 1.5


def test_answers_that_only_one_record_has_differ_and_archives_of_one_are_left_out() -> None:
    told = verdict(record(9, made={"sky": ["1: #3 0.5"]}), record(9, made={"sea": ["0: "]}, real={}))
    assert list(told["archives"]) == ["made"]
    assert told["archives"]["made"]["which"] == ["sea", "sky"]
