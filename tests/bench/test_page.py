"""The benchmark of the page, small: a browser scrolls, jumps, and waits for pictures over a slow line."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import page
from dsslic_search.core.errors import DSSError, MissingExtraError, UsageError
from dsslic_search.core.vocabulary import default

SAMPLES = Path(__file__).parents[2] / "samples"


def test_the_page_is_scrolled_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LINE_BITS", 4_000_000)  # a slow line would be waited for here
    monkeypatch.setattr(page, "JUMPS", 4)
    monkeypatch.setattr(page, "PAUSE_MS", 100)
    if page.chromium() is None:
        pytest.skip("no Chromium found: install it (apt-get install chromium) or name it in DSS_CHROMIUM")
    (tmp_path / "maps").mkdir()
    (tmp_path / "images").mkdir()
    for number in range(6):
        labels = np.full((32, 48), default().id_of("grass"), np.uint8)
        labels[: 8 + number] = default().id_of("sky")
        labels[-6:, :20] = default().id_of("building")
        labels[-6:, 20:] = default().id_of("person")
        Image.fromarray(labels).save(tmp_path / "maps" / f"{number}.png")
    with Image.open(SAMPLES / "picos.jpg") as photo:
        photo.thumbnail((120, 120))
        photo.save(tmp_path / "images" / "a.jpg")
    results = page.run([tmp_path / "maps"], tmp_path / "images", 1500, 1.0, 1)
    assert results["photos"] == 1500
    assert list(results["frames"]) == ["nothing moves", *page.SPEEDS]
    for row in results["frames"].values():
        assert 0 < row["median"] <= row["p95"] <= row["most"]
        assert row["long_frames"] <= row["frames"]
        assert 0 <= row["thread_computes"] <= 1
    assert 0 < results["tiles_at_most"] < 400
    waits = results["milliseconds_after_a_jump"]
    assert [waits[what]["median"] for what in waits] == sorted(row["median"] for row in waits.values())
    slow = results["slow_line"]
    assert slow["queries"] > 0
    for waited in (slow, slow["first_visit"], slow["next_visit"]):
        something, compact = (waited[what] for what in waited if what.startswith("seconds"))
        assert 0 < something["median"] <= compact["median"]
    lines = list(page.table(results))
    assert lines[0].startswith("1500 photos, a window of 1280 × 800 pixels")
    assert lines[-5].startswith("at 4000 kbit/s, seconds until compact images: ")
    assert lines[-1].startswith("at 4000 kbit/s, next visit seconds until compact images: ")


def test_what_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="too few to scroll"):
        page.run([tmp_path], tmp_path, 20)
    with monkeypatch.context() as patched:
        patched.setattr(page, "chromium", lambda: None)
        with pytest.raises(DSSError, match="no Chromium found"), page.browsing():
            pass
    real = builtins.__import__

    def without(name: str, *others: Any) -> Any:
        if name.startswith("playwright"):
            raise ImportError(name)
        return real(name, *others)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match="pip install playwright"), page.browsing():
        pass
