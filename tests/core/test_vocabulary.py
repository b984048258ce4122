"""From which coverage on classes and groups count as present."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from dsslic_search.core.vocabulary import default, parse


def test_a_group_is_present_where_one_of_its_classes_is() -> None:
    listed: dict[str, dict[str, Any]] = {"other": {}, "bird": {"presence": 0.001}, "cat": {}}
    classes = [
        {"id": i, "name": name, "colour": "#000000"} | more for i, (name, more) in enumerate(listed.items())
    ]
    own = parse(json.dumps({"name": "own", "classes": classes}))
    assert [c.presence for c in own.classes] == [0.005, 0.001, 0.005]
    assert (own.presence((1, 2)), own.presence((2,))) == (0.001, 0.005)


def test_every_threshold_is_of_a_class_that_there_is() -> None:
    chosen = json.loads((files("dsslic_search.core") / "presence.json").read_text())["presence"]
    assert set(chosen) <= {c.name for c in default().classes}
    assert all(0 < least < 0.1 for least in chosen.values())
    assert {c.name: c.presence for c in default().classes if c.name in chosen} == chosen


def test_a_group_of_a_class_that_there_is_not_is_told_by_its_name() -> None:
    raw = {"name": "own", "classes": [{"id": 0, "name": "other", "colour": "#000000"}]}
    with pytest.raises(ValueError, match=r"^a group names the class 'cat', which the list has not$"):
        parse(json.dumps(raw | {"groups": [{"name": "pets", "classes": ["cat"]}]}))
