"""Differences of records are found, counted, and told alone or with those that are alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.behaviour import __main__
from tests.behaviour.comparison import MADE_WITH, NOTHING, Difference, compared, leaves
from tests.behaviour.grouping import grouped

VERSIONS = {"numpy": "2.4.6"}


def record(**sections: Any) -> dict[str, Any]:
    return {MADE_WITH: VERSIONS, **sections}


def groups(before: dict[str, Any], after: dict[str, Any]) -> dict[str, int]:
    """The patterns, with how many differences each has."""
    found = grouped(compared(record(queries=before), record(queries=after)))
    return {group.pattern: len(group.differences) for group in found}


def test_lists_of_plain_values_are_one_value_and_empty_mappings_too() -> None:
    value = {"a": [1, 2], "b": {"c": [{"d": 1}, 2], "e": {}}, "f": []}
    assert dict(leaves(value)) == {
        ("a",): [1, 2],
        ("b", "c", "0", "d"): 1,
        ("b", "c", "1"): 2,
        ("b", "e"): {},
        ("f",): [],
    }


def test_changed_gone_and_new_values_are_counted() -> None:
    before = record(api={"a": 1, "b": 2, "c": 1, "d": [1]}, codec={"x": 1})
    after = record(api={"a": 1, "c": 1.0, "d": [2], "e": None}, stored={"y": 1})
    comparison = compared(before, after)
    assert comparison.differences == [
        Difference(("api", "b"), 2, NOTHING),
        Difference(("api", "c"), 1, 1.0),
        Difference(("api", "d"), [1], [2]),
        Difference(("api", "e"), NOTHING, None),
    ]
    assert comparison.left_out == ("codec", "stored")
    assert comparison.counts == (
        "4 values before, 4 after, 3 in both; 2 differ, 1 gone, 1 new: 4 differences"
    )


def test_a_difference_is_told_line_by_line() -> None:
    lists = Difference(("commands", "stats", "out"), ["a", "b", "c"], ["a", "B", "c", "d"])
    assert str(lists) == "commands › stats › out:\n    -b\n    +B\n    +d"
    assert str(Difference(("api", "x"), NOTHING, "new")) == "api › x:\n    -nothing\n    +'new'"


def test_sentences_with_the_same_words_changed_are_alike() -> None:
    before = {
        name: {"says": [f'unknown word "{name}": see `dss-search classes`']} for name in ("red", "é", "a b")
    }
    after = {name: {"says": [f'unknown word "{name}": see `Archive.classes()`']} for name in before}
    assert groups(before, after) == {"says: dss-search classes → Archive.classes()": 3}


def test_long_numbers_and_hashes_are_alike_and_exit_codes_are_not() -> None:
    before = {
        "a": {"bytes": 120, "exit": 0, "sha": "0" * 64},
        "b": {"bytes": 7.25, "exit": 2, "sha": "a" * 64},
    }
    after = {"a": {"bytes": 99, "exit": 2, "sha": "1" * 64}, "b": {"bytes": 10, "exit": 1, "sha": "b" * 64}}
    assert groups(before, after) == {
        "bytes: <n> → <n>": 2,
        "sha: <hash> → <hash>": 2,
        "exit: 0 → 2": 1,
        "exit: 2 → 1": 1,
    }


def test_keys_gone_and_new_side_by_side_are_told_together() -> None:
    before = {name: {"total": 3, "formats": {"PNG": 1, "GIF": 2}} for name in ("sky", "sea")}
    after = {name: {"total": 3, "counts": {"formats": {"PNG": 1, "GIF": 2}}} for name in before}
    assert groups(before, after) == {"keys formats → counts": 8}
    assert groups(before, before | {"more": {"total": 1}}) == {"keys nothing → more": 1}


def test_texts_that_share_little_are_told_whole() -> None:
    before, after = {"a": {"err": ["no such stage"]}}, {"a": {"err": ["18 kB were written to p.dsslic"]}}
    assert groups(before, after) == {"err: no such stage → <n> kB were written to p.dsslic": 1}


def test_every_difference_is_in_one_group() -> None:
    before = {str(n): {"hits": [f"{n}. #{n * 7} {n / 3!r}"], "more": {"x": n}} for n in range(60)}
    after = {str(n): {"hits": [f"{n}. #{n * 5} {n / 2!r}"], "more": {"y": n}} for n in range(40, 90)}
    comparison = compared(record(queries=before), record(queries=after))
    differences = [difference for group in grouped(comparison) for difference in group.differences]
    assert sorted(map(str, differences)) == sorted(map(str, comparison.differences))


def test_compare_prints_groups_counts_and_what_was_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = record(api={str(n): {"says": f"see page {n}"} for n in range(5)})
    after = record(api={str(n): {"says": f"see leaf {n}"} for n in range(5)}, codec={})
    after[MADE_WITH] = {"numpy": "2.0.0"}
    for name, value in (("before", before), ("after", after)):
        (tmp_path / name).write_text(json.dumps(value))

    def compare(*names: str) -> tuple[int | str | None, str]:
        monkeypatch.setattr(
            "sys.argv", ["tests.behaviour", "compare", *(str(tmp_path / n) for n in names), "--grouped"]
        )
        with pytest.raises(SystemExit) as left:
            __main__.main()
        return left.value.code, capsys.readouterr().out

    assert compare("before", "after") == (
        1,
        "5 × says: page → leaf\n"
        "      api › 0 › says\n      api › 1 › says\n      api › 2 › says\n      and 2 more\n"
        'not made with the same versions, see "made with" in both\n'
        "not compared, since only one of them has it: codec\n"
        "5 values before, 5 after, 5 in both; 5 differ, 0 gone, 0 new: 5 differences\n",
    )
    assert compare("before", "before")[0] == 0
