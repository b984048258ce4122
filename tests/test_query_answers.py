"""Every form of the query language has an answer on its page, and it is what the sample photos give."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.syspath_prepend(ROOT / "docs" / "making")
    monkeypatch.delitem(sys.modules, "answers", raising=False)
    import answers

    return str(answers.page(tmp_path))


def told(page: str) -> list[tuple[str, str, frozenset[str]]]:
    """Headings, and of each form what is asked, how many match and, where all are named, which: of many, what
    comes first may depend on when each was put in."""
    rows = re.findall(r"^(?:## (.*)|\| `(.*)` \| ([^:|]*)(?:: (.*))? \|)$", page, re.MULTILINE)
    return [
        (heading or asked, total, frozenset(() if "…" in names else names.split(", ")))
        for heading, asked, total, names in rows
    ]


def test_every_form_is_answered_as_the_page_says(made: str):
    page = told((ROOT / "docs" / "query-answers.md").read_text())
    assert len(page) > 150
    assert told(made) == page, "run: python docs/making/answers.py > docs/query-answers.md"
