"""Tests of two trees, compared."""

from __future__ import annotations

from pathlib import Path

from tests import cost

WORK = "    sum(i * i for i in range({times}))\n"


def tree(place: Path, tests: dict[str, int], folder: str) -> Path:
    """A tree of tests by name, each of which does so much work."""
    (place / "tests" / folder).mkdir(parents=True)
    (place / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--import-mode=importlib'\n")
    text = "".join(f"def test_{name}():\n{WORK.format(times=times)}" for name, times in tests.items())
    (place / "tests" / folder / "test_work.py").write_text(text + "def test_more():\n    assert False\n")
    same = "import os\n\ndef test_more():\n    assert 'OMP_NUM_THREADS' not in os.environ\n"
    (place / "tests" / "test_same.py").write_text(same)
    return place


def test_tests_of_two_trees_are_compared_by_name(tmp_path: Path) -> None:
    before = tree(tmp_path / "a", {"moved": 3_000_000, "gone": 1}, "old")
    after = tree(tmp_path / "b", {"moved": 30_000, "new": 1}, "new")
    found = cost.measure(before, after)
    assert found["tests"] == 3
    assert {file: row["tests"] for file, row in found["files"].items()} == {
        "tests/new/test_work.py": 2,
        "tests/test_same.py": 1,
    }
    assert found["files"]["tests/new/test_work.py"]["before"] > 0.02
    assert 0 < found["processor_seconds"]["ratio"] < 1
    assert found["failed"] == {
        "before": ["tests/old/test_work.py::test_more"],
        "now": ["tests/new/test_work.py::test_more"],
    }
    assert list(cost.table(found))[-1].split()[2:4] == ["all", "3:"]


def test_a_test_is_the_same_by_its_file_or_else_where_no_other_has_its_name() -> None:
    before = ["a.py::test_x", "a.py::test_y[1]", "a.py::test_z", "b.py::test_z", "c.py::test_w"]
    after = ["a.py::test_x", "c.py::test_y[1]", "c.py::test_y[2]", "d.py::test_z", "c.py::test_w"]
    assert list(cost.pairs(before, after)) == [
        ("a.py::test_x", "a.py::test_x"),
        ("c.py::test_w", "c.py::test_w"),
        ("a.py::test_y[1]", "c.py::test_y[1]"),
    ]


def test_of_several_rounds_each_test_counts_as_where_it_took_least() -> None:
    def round_(before: float, now: float) -> list[dict[str, object]]:
        return [{"took": {"a::x": before, "a::y": 1.0}, "failed": []}, {"took": {"b::x": now}, "failed": []}]

    found = cost.compare([("a::x", "b::x"), ("a::y", "b::y")], [round_(4.0, 3.0), round_(5.0, 1.0)])
    assert found["tests"] == 1
    assert found["processor_seconds"] == {"before": 4.0, "now": 1.0, "ratio": 0.25}
    assert found["rounds"] == [{"before": 4.0, "now": 3.0}, {"before": 5.0, "now": 1.0}]
