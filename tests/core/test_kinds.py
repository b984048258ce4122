from __future__ import annotations

import json

import pytest

from dsslic_search.core.errors import UsageError
from dsslic_search.core.kinds import KeepMode, Stage


def test_their_names_and_order_are_those_of_files_and_of_the_interface() -> None:
    assert list(KeepMode) == ["layers", "exact", "reference", "coarse", "undecoded"]
    assert list(Stage) == ["map", "compact", "coarse", "full"]


def test_a_member_is_the_string_that_names_it() -> None:
    assert json.dumps({"keep": KeepMode.LAYERS, "stage": Stage.MAP}) == '{"keep": "layers", "stage": "map"}'
    assert {KeepMode.EXACT: 1}["exact"] == 1
    assert f"{Stage.COARSE} {KeepMode.COARSE!s}" == "coarse coarse"
    assert KeepMode.named("exact") is KeepMode.EXACT
    assert Stage.named("full") is Stage.FULL


@pytest.mark.parametrize("name", ["", "Layers", "LAYERS", "full", "all", "undecoded"])
def test_an_unknown_keep_mode_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError) as error:
        KeepMode.named(name)
    assert str(error.value) == f'keep mode "{name}" is not one of: layers, exact, reference, coarse'


def test_an_unknown_stage_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as error:
        Stage.named("layers")
    assert str(error.value) == 'stage "layers" is not one of: map, compact, coarse, full'


def test_what_a_keep_mode_needs_and_holds() -> None:
    assert [mode.needs_original for mode in KeepMode] == [False, True, True, False, False]
    assert [mode.has_residual for mode in KeepMode] == [True, False, False, False, False]
    assert [mode.holds_original for mode in KeepMode] == [False, True, False, False, True]
    assert [mode.is_seen for mode in KeepMode] == [True, True, True, True, False]
    assert {mode.value: list(mode.stages) for mode in KeepMode} == {
        "layers": ["map", "compact", "coarse", "full"],
        "exact": ["map", "compact", "coarse", "full"],
        "reference": ["map", "compact", "coarse"],
        "coarse": ["map", "compact", "coarse"],
        "undecoded": [],
    }
