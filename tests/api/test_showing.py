"""Stages of stored photos, and the time that they say they took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dsslic_search import Archive
from dsslic_search.networks import runtime

LOADING_SECONDS = 7.0  # of a network, on a clock that stands still otherwise


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with Archive(tmp_path_factory.mktemp("archive")) as opened:
        assert opened.ingest([Path(__file__).parents[2] / "samples" / "wine.jpg"]).added == 1
        yield opened


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which nothing moves but the loading of networks."""
    now = [0.0]
    load = runtime.load

    def slowly(name: str, path: Path) -> Any:
        now[0] += LOADING_SECONDS
        return load(name, path)

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(runtime, "load", slowly)
    runtime._opened.cache_clear()
    return now


def test_milliseconds_of_a_stage_include_the_networks_it_waits_for(
    archive: Archive, clock: list[float]
) -> None:
    spent = {p.stage: p.milliseconds for p in archive.progressive(1, ("map", "compact", "coarse"))}
    assert spent == {"map": 0, "compact": 0, "coarse": 1000 * LOADING_SECONDS}
    assert archive.preview(1, "coarse").milliseconds == 0, "a network is loaded once"


def test_time_between_stages_is_the_callers(archive: Archive, clock: list[float]) -> None:
    for shown in archive.progressive(1, ("map", "compact")):
        assert shown.milliseconds == 0
        clock[0] += 60
