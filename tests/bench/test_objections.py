"""bench objections on a small made-up data folder: what is said, what words leave of it, what was true."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import objections as bench
from dsslic_search.core import vocabulary
from dsslic_search.core.wordnet import image_words
from dsslic_search.networks import runtime
from dsslic_search.training import dataset

OURS = vocabulary.default()
SHADES = {"horse": 40, "elephant": 200}  # of photos, by which the networks that stand in know them


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two validation photos of horses and one of an elephant, which people call other; of Corel an elephant
    and a horse."""

    def put(folder: Path, stem: str, thing: str, labels: np.ndarray | None) -> None:
        for kind in ("images", "labels"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        Image.new("L", (64, 48), SHADES[thing]).save(folder / "images" / f"{stem}.jpg")
        if labels is not None:
            Image.fromarray(labels).save(folder / "labels" / f"{stem}.png")

    stems = (f"{n}" for n in range(1000) if dataset.in_validation("msrc_v2", f"{n}"))
    for thing, truth in (("horse", "horse"), ("horse", "horse"), ("elephant", "other")):
        labels = np.full((48, 64), OURS.id_of(truth), np.uint8)
        put(tmp_path / "scenes" / "msrc_v2", next(stems), thing, labels)
    put(tmp_path / "photos" / "corel1k", "507", "elephant", None)
    put(tmp_path / "photos" / "corel1k", "703", "horse", None)
    return tmp_path


def test_what_words_take_away_is_counted_beside_what_was_there(data: Path, monkeypatch) -> None:
    table = image_words()

    def words(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        thing = min(SHADES, key=lambda each: abs(SHADES[each] - int(pixels.mean())))
        found = np.zeros(len(table.leaves), np.float32)
        found[table.leaves_of(table.meanings(thing))[0]] = 1
        return found, np.zeros(48, np.int8)

    def horses(pixels: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        return np.full(size, OURS.id_of("horse"), np.uint8), np.ones(size, np.float32)

    monkeypatch.setattr(runtime, "image_words", words)
    monkeypatch.setattr(runtime, "segment", horses)
    monkeypatch.setattr(bench, "LATER_SCENES", ())
    found = bench.run(data)
    assert found["photos"] == 3
    for part in ("validation", "validation_animals"):
        assert found[part] == {
            "presence_f1_without_words": 0.8,
            "presence_f1": 1.0,
            "taken_away": 1,
            "of_these_were_there": 0,
        }
    assert found["corel"]["elephants called horse"] == {
        "photos": 1,
        "share_without_words": 1.0,
        "share": 0.0,
    }
    assert found["corel"]["horses called horse"]["share"] == 1.0
    assert found["corel"]["dinosaurs called dog"] == {"photos": 0, "share_without_words": 0.0, "share": 0.0}
