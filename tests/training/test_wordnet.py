"""The table of image words is what WordNet's file says of some synsets."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsslic_search.core.errors import UsageError
from dsslic_search.core.wordnet import WordNet
from dsslic_search.training import wordnet

NOUNS = """  1 A licence of two
  2 lines.
00000001 03 n 01 thing 0 001 ~ 00000002 n 0000 | what there is
00000002 05 n 02 bird 0 fowl 1 002 @ 00000001 n 0000 ~ 00000003 n 0000 | it flies
00000003 05 n 01 snow_goose 0 002 @ 00000002 n 0000 #m 00000001 n 0000 | it is white | and more
00000004 05 n 01 stone 0 001 @i 00000001 n 0000 | it lies
"""


def test_a_leaf_comes_with_all_that_it_is_a_kind_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.noun").write_text(NOUNS)
    monkeypatch.setattr(wordnet, "outputs", lambda: ["n00000003", "n00000004"])
    assert wordnet.make(tmp_path, tmp_path / "table.txt") == 4
    made = (tmp_path / "table.txt").read_text()
    assert made.startswith("# A licence of two\n# lines.\n2\nn00000003\tn00000002\tsnow goose\n")
    table = WordNet.read(tmp_path / "table.txt")
    assert table.leaves == ("n00000003", "n00000004")
    assert table.leaves_of(table.meanings("fowl")) == (0,)
    assert table.leaves_of(table.meanings("thing")) == (0, 1)


def test_another_wordnet_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="not the nouns of WordNet"):
        wordnet.make(tmp_path, tmp_path / "table.txt")
    (tmp_path / "data.noun").write_text(NOUNS)
    monkeypatch.setattr(wordnet, "outputs", lambda: ["n00000009"])
    with pytest.raises(UsageError, match=r"has no synset n00000009; take version 3\.0"):
        wordnet.make(tmp_path, tmp_path / "table.txt")
