"""Other class lists: what their classes mean, and where they are found."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.core import dialect, vocabulary
from dsslic_search.core.errors import FormatError, UsageError
from tests.painted import BEACH_TEXT, beach

OURS = vocabulary.default()


def names(meanings: tuple[int, ...]) -> list[str]:
    return [OURS.classes[m].name for m in meanings]


def test_words_say_what_the_classes_of_another_list_mean():
    found = beach()
    assert names(found.meanings) == ["person", "other", "sea", "other", "grass"]
    assert found.marks == found.meanings
    assert not found.native


def test_label_maps_are_translated_by_meaning_and_checked():
    label_map = np.array([[0, 1], [2, 4]], np.uint8)
    meant = beach().meant(label_map)
    assert meant.dtype == np.uint8
    assert names(tuple(meant.ravel().tolist())) == ["person", "other", "sea", "grass"]
    with pytest.raises(FormatError, match="ids that the vocabulary does not have"):
        beach().meant(np.array([[5]], np.uint8))
    with pytest.raises(FormatError, match="ids that the vocabulary does not have"):
        dialect.shipped().marked(np.array([[len(OURS)]], np.uint8))


def test_the_shipped_vocabulary_means_itself():
    label_map = np.arange(len(OURS), dtype=np.uint8)[None]
    assert dialect.shipped().native
    assert dialect.shipped().meant(label_map) is label_map
    assert dialect.known(OURS.identity) is dialect.shipped()
    assert dialect.by_words(OURS).native


def test_lists_of_a_folder_are_known_by_their_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    identity = beach().vocabulary.identity
    assert dialect.known(identity) is None
    (tmp_path / "beach.json").write_text(BEACH_TEXT)
    monkeypatch.setenv("DSS_VOCABULARIES", str(tmp_path))
    found = dialect.known(identity)
    assert found is not None
    assert found == beach()
    assert found.vocabulary.classes[2].colour == (0, 0, 255)
    assert dialect.known("0" * 16) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "7",
        '{"classes": 3}',
        '{"name": "x", "classes": [{"id": 1, "name": "a", "colour": "#000000"}]}',
    ],
)
def test_a_file_that_is_no_vocabulary_is_named(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "odd.json").write_text(text)
    monkeypatch.setenv("DSS_VOCABULARIES", str(tmp_path))
    with pytest.raises(UsageError, match=r"odd\.json: not a vocabulary file"):
        dialect.known("0" * 16)


def test_synonyms_and_groups_may_be_left_out():
    plain = {"name": "v", "classes": [{"id": 0, "name": "sky", "colour": "#0000ff"}]}
    assert vocabulary.parse(json.dumps(plain)).classes[0].synonyms == ()
