"""What other people's class names mean here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dsslic_search.core import naming, vocabulary
from dsslic_search.core.vocabulary import Vocabulary

OURS = vocabulary.default()
LABELS: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[1] / "data" / "names" / "labels.json").read_text()
)


def said(name: str, classes: Vocabulary = OURS) -> tuple[str, str]:
    found = naming.class_named(name, classes)
    return classes.classes[found.class_id].name, found.how


@pytest.mark.parametrize(
    "word", ["person", "Person", "persons", "PEOPLE", " people ", "pedestrians", "Pedestrian"]
)
def test_the_vocabularys_own_words(word: str):
    assert said(word)[0] == "person"


def test_every_name_plural_and_synonym_means_its_class():
    for c in OURS.classes:
        for word in (c.name, c.plural, *c.synonyms):
            if naming.normal(word) not in naming.well_known():
                assert naming.class_named(word, OURS).class_id == c.id


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("building, edifice", "building"),
        ("sky-other-merged", "sky"),
        ("grass-merged", "grass"),
        ("Traffic_Sign", "signboard"),
        ("Traffic Sign (Front)", "signboard"),
        ("trafficSign", "signboard"),
        ("dining table", "table"),
        ("diningtable", "table"),
        ("vegetation", "tree"),
        ("terrain", "grass"),
        ("rider", "person"),
        ("wall-brick", "wall"),
        ("mirror-stuff", "mirror"),
        ("kitten / cat", "cat"),
        ("screen, silver screen, projection screen", "tv"),
        ("screen door, screen", "door"),
        ("blind, screen", "curtain"),
        ("television receiver, television, television set, tv", "tv"),
    ],
)
def test_names_as_people_write_them(name: str, wanted: str):
    assert said(name)[0] == wanted


@pytest.mark.parametrize(
    "name",
    ["hot dog", "teddy bear", "things", "traffic light", "wine glass", "wood", "truck", "animal", "void"],
)
def test_what_has_no_counterpart_is_other_on_purpose(name: str):
    assert said(name) == ("other", "table")


@pytest.mark.parametrize("name", ["kangaroo", "", "LABEL_3", "grassy", "a, b; c", "人"])
def test_what_nobody_knows_is_other_and_says_so(name: str):
    assert said(name) == ("other", "unknown")


@pytest.mark.parametrize("source", LABELS)
def test_every_label_of_the_well_known_data_sets_is_decided(source: str):
    assert [name for name in LABELS[source] if said(name)[1] == "unknown"] == []


def test_short_and_long_forms_agree():
    """Models of ADE20K carry either; only where two labels share a first name the long form says more."""
    differing = [n for n in LABELS["ade20k"] if said(n)[0] != said(n.split(",")[0])[0]]
    assert differing == ["blind, screen"] or differing == []


def test_the_table_speaks_of_classes_that_there_are_and_contradicts_the_vocabulary_once():
    assert set(naming.well_known().values()) <= {c.name for c in OURS.classes}
    words = {naming.normal(w): c.name for c in OURS.classes for w in (c.name, c.plural, *c.synonyms)}
    contradicting = {name for name, meant in naming.well_known().items() if words.get(name, meant) != meant}
    assert contradicting == {"wood"}  # a forest to people who ask, planks in data sets


def test_the_first_of_several_names_that_means_anything_counts():
    found = naming.class_meant(("gizmo", "gizmos", "ocean", "lawn"), OURS)
    assert OURS.classes[found.class_id].name == "sea"
    assert naming.class_meant(("gizmo", "gadget"), OURS).how == "unknown"


def test_a_vocabulary_without_other_cannot_be_a_target():
    with pytest.raises(KeyError, match="other"):
        naming.class_named("gizmo", Vocabulary("v", OURS.classes[1:3], ()))
