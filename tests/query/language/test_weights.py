"""Importances by word."""

from __future__ import annotations

import pytest

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.query.language.weights import importance_of, read_importances

OURS = vocabulary.default()


def by_name(wishes: dict[str, float]) -> dict[str, float]:
    return {OURS.classes[class_id].name: value for class_id, value in importance_of(wishes, OURS)}


def test_names_synonyms_and_plurals_are_understood():
    assert by_name({"person": 4}) == by_name({"People": 4}) == by_name({"persons": 4}) == {"person": 4}
    assert by_name({"woods": 2, "sky": 0.5}) == by_name({"tree": 2, "SKY": 0.5})
    for described in OURS.classes:
        for word in (described.name, described.plural, *described.synonyms):
            assert importance_of({word: 3}, OURS) == ((described.id, 3),)


def test_groups_are_all_their_classes_and_a_class_of_its_own_comes_first():
    group = next(g for g in OURS.groups if len(g.members) > 2)
    member = OURS.classes[group.members[0]].name
    everyone = by_name({group.name: 2})
    assert set(everyone) == {OURS.classes[m].name for m in group.members}
    assert (
        by_name({group.name: 2, member: 5}) == by_name({member: 5, group.name: 2}) == {**everyone, member: 5}
    )


@pytest.mark.parametrize(
    ("word", "advice"),
    [("persn", 'did you mean "person"'), ("treee", '"tree"'), ("zzzz", "Archive.classes")],
)
def test_unknown_words_are_refused_with_advice(word, advice):
    with pytest.raises(UsageError, match=f'called "{word}"; .*{advice}'):
        importance_of({"sky": 1, word: 2}, OURS)


def test_the_command_lines_way_to_write_them():
    assert read_importances("person=4,sky=0.25") == {"person": 4.0, "sky": 0.25}
    assert read_importances(" traffic sign = 2 ") == {"traffic sign": 2.0}
    for text in ("person", "person=", "=4", "person=much", "person=4,", "", "person:4"):
        with pytest.raises(UsageError, match=r"person=4,sky=0.25"):
            read_importances(text)


def test_the_text_of_the_command_line_is_understood_and_nonsense_is_refused():
    assert importance_of("person=4, sky=0.25", OURS) == importance_of({"person": 4, "sky": 0.25}, OURS)
    with pytest.raises(UsageError, match="given twice"):
        read_importances("sky=2,sky=3")
    with pytest.raises(UsageError, match="words and numbers"):
        importance_of({3: 4.0}, OURS)  # type: ignore[dict-item]
