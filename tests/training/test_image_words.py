"""How the image words are fitted: the projection, the temperature, the thresholds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dsslic_search.core.errors import UsageError
from dsslic_search.core.wordnet import image_words as table
from dsslic_search.features.image_words import LEAVES
from dsslic_search.training import image_words, word_thresholds
from dsslic_search.training.word_evidence import Evidence


def evidence(shown: np.ndarray) -> Evidence:
    """Of one word, that of ImageNet's first leaf."""
    known = np.ones(shown.shape, bool)
    synset = next(s for s in table().synsets if list(table().leaves_of([s])) == [0])
    return Evidence(("one",), ((synset,),), shown, known, np.arange(len(shown)) % 2 == 0)


def test_the_projection_keeps_the_directions_that_vary_most():
    rng = np.random.default_rng(0)
    spread = np.array([5.0, 3.0, 0.1, 0.1, 0.1, 0.1])
    found = (rng.normal(0, 1, (400, 6)) * spread + 7).astype(np.float32)
    weight, bias = image_words.fit_projection(found, 2)
    made = found @ weight.T + bias
    assert np.abs(made.mean(0)).max() < 0.01
    assert np.sqrt((made**2).mean()) == pytest.approx(image_words.ROOT_MEAN_SQUARE, rel=1e-3)
    assert abs(weight[0, 0]) > 10 * np.abs(weight[0, 2:]).max()
    assert abs(weight[1, 1]) > 10 * np.abs(weight[1, 2:]).max()


def test_the_temperature_is_the_one_that_scores_were_made_with():
    rng = np.random.default_rng(1)
    honest = rng.normal(0, 1, (3000, LEAVES)).astype(np.float32)
    honest[:, 0] += rng.normal(6.0, 2.0, 3000).astype(np.float32)
    probabilities = np.exp(honest) / np.exp(honest).sum(1, keepdims=True)
    shown = (rng.random(3000) < probabilities[:, 0])[:, None]
    assert image_words.fit_temperature(honest * 1.5, evidence(shown)) == pytest.approx(1.5, abs=0.15)


def test_a_threshold_is_the_least_that_is_right_often_enough():
    parts = np.arange(200)[:, None]
    shown = parts >= 100
    found = word_thresholds.Found(parts, evidence(shown))
    least = found.least(0)
    right, held, there = found.counts(0, least).tolist()
    assert (held, there) == (200 - least, 100)
    assert right / held >= word_thresholds.WANTED_PRECISION
    right, held, _ = found.counts(0, least - 1).tolist()
    assert right < word_thresholds.WANTED_PRECISION * (held + 1)
    assert found.part(shown[:, 0]).least(0) == word_thresholds.LEAST_PARTS
    nothing = word_thresholds.Found(parts, evidence(np.zeros((200, 1), bool)))
    assert nothing.least(0) == word_thresholds.BEYOND_DOUBT


def test_a_folder_without_photos_is_one_clear_sentence(tmp_path: Path):
    with pytest.raises(UsageError, match="no photos found"):
        image_words.make(tmp_path, tmp_path / "run", tmp_path / "out.safetensors")
