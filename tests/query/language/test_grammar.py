"""The grammar of one predicate: what it reads in a row of tokens, and where a row stops being one."""

from __future__ import annotations

from collections import Counter

import pytest

from dsslic_search.query.language.grammar import (
    MAX_PREDICATE_TOKENS,
    PARTS,
    RULES,
    Reading,
    _sentences,
    reading_of,
)


def read(text: str) -> Reading | int:
    return reading_of(tuple(text.split()))


@pytest.mark.parametrize(
    ("row", "reading"),
    [
        ("THING", Reading("present", (0,), (0,), (), "", (), ())),
        ("THING ZONE", Reading("present", (0,), (0,), (), "", (), (1,))),
        ("THING RELATION THING", Reading("present", (0,), (0,), (), "", (), (1, 2))),
        ("THING BETWEEN THING", Reading("present", (0,), (0,), (), "", (), (1, 2))),
        ("WHOLE THING", Reading("counted", (1,), (1,), (), "exactly", (0,), ())),
        ("MANY THING ZONE", Reading("counted", (1,), (1,), (), "many", (0,), (2,))),
        ("COMPARE WHOLE THING", Reading("counted", (2,), (2,), (), "bounds", (0, 1), ())),
        (
            "THING BETWEEN WHOLE MID WHOLE ZONE",
            Reading("counted", (0,), (0,), (), "bounds", (1, 2, 3, 4), (5,)),
        ),
        ("COMPARE AMOUNT THING", Reading("compared", (0, 1, 2), (2,), (1,), "", (), ())),
        ("THING BETWEEN AMOUNT MID AMOUNT", Reading("ranged", (0, 1, 2, 3, 4), (0,), (2, 4), "", (), ())),
        ("LIKE OPERAND MIRRORED", Reading("like", (0, 1, 2), (), (), "", (), ())),
        (
            "BETWEEN WHOLE MID WHOLE THING BETWEEN THING MID THING",
            Reading("counted", (4,), (4,), (), "bounds", (0, 1, 2, 3), (5, 6, 7, 8)),
        ),
    ],
)
def test_tokens_are_read_in_their_roles(row: str, reading: Reading) -> None:
    assert read(row) == reading


@pytest.mark.parametrize(
    ("row", "index"),
    [
        ("", 0),
        ("MID", 0),
        ("WHOLE", 1),
        ("THING THING", 1),
        ("WHOLE AMOUNT", 1),
        ("COMPARE AMOUNT", 2),
        ("THING BETWEEN WHOLE MID", 4),
        ("THING BETWEEN WHOLE MID AMOUNT", 4),
        ("THING BETWEEN THING MID THING ZONE", 5),
        ("FILTER " * 50, 1),
        ("BETWEEN WHOLE MID WHOLE THING BETWEEN THING MID THING ZONE", 9),
    ],
)
def test_the_first_token_that_does_not_fit_is_named(row: str, index: int) -> None:
    assert read(row) == index


def test_every_sentence_is_read_and_no_beginning_of_one_that_is_none() -> None:
    readings, beginnings = _sentences()
    assert max(map(len, readings)) == MAX_PREDICATE_TOKENS
    for types in beginnings:
        assert reading_of(types) == readings.get(types, len(types))
    assert {reading.rule for reading in readings.values()} == set(RULES)


def test_no_row_of_tokens_has_two_readings() -> None:
    """Each form with each choice of its parts is a row of its own."""
    forms = {"count": 4, "bounds": 2, "where": 5}
    assert {part: sum(map(len, rules.values())) for part, rules in PARTS.items()} == forms
    placed = 1 + 5
    of_rules = {
        "present": placed, "coloured": placed, "uncounted": 4 * placed, "tinted": 1,
        "counted": (4 + 2) * placed,
        "compared": 2, "ranged": 2, "about": 4, "more": 2, "times": 6, "mostly": 2, "only": 3, "barely": 1,
        "lots": placed, "large": 2 * placed, "small": 2 * placed, "little": 1, "like": 2, "filter": 1,
        "everything": 1,
    }  # fmt: skip
    assert Counter(reading.rule for reading in _sentences()[0].values()) == of_rules
