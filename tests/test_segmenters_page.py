"""docs/segmenters.md says what the program does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dsslic_search.api import Archive
from dsslic_search.core import dialect, naming, vocabulary
from tests.painted import paint

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "segmenters.md").read_text()
LABELS = json.loads((ROOT / "tests" / "data" / "names" / "labels.json").read_text())
OURS = vocabulary.default()


def test_the_example_segmenter_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    paint(tmp_path / "photos" / "any.png", ("sea", 1.0))
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "segmenters.md", "exec"), {})
    with Archive("photos.archive") as archive:
        assert archive.query(">45% sky").total == 1
        assert archive.photo(1).segmenter == "00112233aabbccdd"


def test_the_table_shown_is_that_of_ade20k():
    rows = re.findall(r"^ +(\d+)  (\S.*?)  +(\S+)  +(name|synonym|table|unknown)$", PAGE, re.MULTILINE)
    assert len(rows) == 5
    for number, label, class_name, how in rows:
        found = naming.class_named(label, OURS)
        assert (LABELS["ade20k"][int(number)], OURS.classes[found.class_id].name, found.how) == (
            label,
            class_name,
            how,
        )


def test_the_counts_of_labels_with_a_class():
    told = re.search(
        r"(\d+) of ADE20K's (\d+) labels find a class, (\d+) of COCO panoptic's (\d+),\s(\d+) of Cityscapes' "
        r"(\d+)",
        PAGE,
    )
    assert told is not None
    counted = []
    for source in ("ade20k", "coco-panoptic", "cityscapes"):
        counted += [
            sum(naming.class_named(x, OURS).class_id > 0 for x in LABELS[source]),
            len(LABELS[source]),
        ]
    assert [int(n) for n in told.groups()] == counted, (
        "the vocabulary has other words now: put the figures of the page right"
    )


def test_the_vocabulary_file_shown_is_one():
    (text,) = re.findall(r'^(\{"name": "beach".*\})$', PAGE, re.MULTILINE)
    found = dialect.by_words(vocabulary.parse(text))
    assert [OURS.classes[m].name for m in found.meanings] == ["person", "sea"]
