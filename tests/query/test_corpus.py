"""Queries as people type them mean what the corpus says, but for those that are listed as not yet done."""

from tests.query.meant import NOT_YET, in_normal_form, not_yet, rows


def test_exactly_the_rows_that_are_listed_do_not_hold_yet() -> None:
    """`python -m tests.query.meant --write` writes the list anew."""
    assert not_yet() == NOT_YET.read_text("utf-8").splitlines()


def test_the_corpus_is_large_and_has_a_part_that_is_held_out() -> None:
    every = list(rows())
    assert len({row.text for row in every}) == len(every) >= 600
    assert sum(row.held_out for row in every) >= 60
    assert {row.kind for row in every if row.held_out} >= {"scenes", "objects", "lists", "dates"}


def test_the_notation_has_one_form_for_what_means_the_same() -> None:
    assert in_normal_form("(and b (and a b))") == in_normal_form("(and a b)")
    assert in_normal_form("(not (or a b))") == "(and (not a) (not b))"
    assert in_normal_form("(not (and a (not b)))") == in_normal_form("(or b (not a))")
    assert in_normal_form("(> sky 30%)") == "(cover sky 300000000001 1000000000000)"
