"""The table of image words: what a word means, and what it is a kind of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dsslic_search.core.wordnet import TABLE, THRESHOLDS, Thresholds, WordNet, image_words, thresholds

SMALL = """# a licence
3
n1\tn4\tcrane
n2\tn5\tcrane
n3\tn4,n5\tsnow goose;Chen
n4\tn6\tbird;fowl
n5\tn6\tmachine
n6\t\tthing;body
"""


@pytest.fixture
def small(tmp_path: Path) -> WordNet:
    path = tmp_path / "table.txt"
    path.write_text(SMALL)
    return WordNet.read(path)


def test_a_word_means_all_its_synsets_and_what_are_kinds_of_them(small: WordNet) -> None:
    assert small.meanings("Crane") == ("n1", "n2")
    assert small.meanings("snow-geese") == ()
    assert small.meanings("cranes") == ("n1", "n2")
    assert small.leaves_of(("n1",)) == (0,)
    assert small.leaves_of(small.meanings("fowl")) == (0, 2)
    assert small.leaves_of(("n4", "n5")) == (0, 1, 2)
    assert small.kinds_of("n3") == ("n4", "n5", "n6")


def test_leaves_have_names_of_their_own(small: WordNet) -> None:
    assert [small.name_of_leaf(i) for i in range(3)] == ["crane", "crane (machine)", "snow goose"]
    assert small.number_of("crane (machine)") == 1


def test_the_shipped_table_has_the_thousand_and_all_that_they_are_kinds_of() -> None:
    table = image_words()
    assert len(table.leaves) == 1000
    assert len(set(map(table.name_of_leaf, range(1000)))) == 1000
    assert all(kind in table.synsets for synset in table.synsets.values() for kind in synset.kinds)
    (root,) = (synset for synset in table.synsets.values() if not synset.kinds)
    assert root.words == ("entity",)
    assert len(table.leaves_of((root.identity,))) == 1000
    assert [table.name_of_leaf(n) for n in (0, 339, 963)] == ["tench", "sorrel", "pizza"]
    for word, leaf in (("spaniel", "cocker spaniel"), ("reptile", "triceratops"), ("food", "pizza")):
        assert table.number_of(leaf) in table.leaves_of(table.meanings(word))
    assert table.number_of("tiger") not in table.leaves_of(table.meanings("cat"))  # a big cat, WordNet says
    assert "WordNet 3.0 Copyright 2006 by Princeton University" in TABLE.read_text("utf-8")


def test_a_misspelt_word_has_close_ones() -> None:
    assert image_words().close_to("elefant")[0] == "elephant"


def test_thresholds_are_those_of_the_synset_else_the_common_one() -> None:
    made = Thresholds({"n1": 13, "n2": 90}, 128)
    assert made.of(("n1",)) == 13
    assert made.of(("n1", "n2")) == 90
    assert made.of(("n1", "n9")) == 128
    stored = json.loads(THRESHOLDS.read_text("utf-8"))
    assert thresholds().otherwise == stored["otherwise"]
    assert all(synset in image_words().synsets for synset in stored["words"])
    assert all(0 < row["parts"] <= 255 for row in stored["words"].values())
