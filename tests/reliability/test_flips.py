"""Some flips and cuts of each file of an archive; all of them: `tests.reliability.flips`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reliability.flips import SORTS, SOUND, tried


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return tried(most_flips=12, most_cuts=3)


@pytest.mark.parametrize("sort", SORTS)
def test_damage_is_detected_or_harmless(results: dict[str, Any], sort: str) -> None:
    told = results[sort]
    assert told["wrong"] == []
    assert sum(told[each] for each in SOUND) == told["flips"] + told["cuts"] >= 15
    assert sort == "catalog" or not told["made anew"]
    assert told["detected"]
