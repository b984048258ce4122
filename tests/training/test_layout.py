"""Learning the class codes of the layout embedding."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.core.vocabulary import default
from dsslic_search.features.embedding import CELL_WEIGHTS, CELLS, WEIGHT_ROOTS, code_table, spread
from dsslic_search.training import layout

V = default()


@pytest.fixture(scope="module")
def roots() -> np.ndarray:
    rng = np.random.default_rng(1)
    maps = [rng.choice(rng.integers(0, len(V), 5), (10, 10)).astype(np.uint8) for _ in range(80)]
    return np.stack([layout.all_roots(m, len(V)) for m in maps])


def likeness(roots: np.ndarray, codes: dict[str, list[int]]) -> np.ndarray:
    """By codes, without rounding to int8."""
    whole, inner = spread(codes, V)
    blocks = [roots[:, 0] @ whole, *(roots[:, 1 + c] @ inner[c] for c in range(len(inner)))]
    scaled = [
        b / np.linalg.norm(b, axis=1, keepdims=True) * w**0.5
        for b, w in zip(blocks, CELL_WEIGHTS / CELL_WEIGHTS.sum(), strict=True)
    ]
    joined = np.concatenate(scaled, axis=1)
    assert joined.shape[1] == WEIGHT_ROOTS.size
    return joined @ joined.T


def wanted(roots: np.ndarray) -> np.ndarray:
    cells = roots @ layout.blending(V)
    cells /= np.linalg.norm(cells, axis=2, keepdims=True)
    joined = (cells * np.sqrt(CELL_WEIGHTS / CELL_WEIGHTS.sum())[:, None]).reshape(len(roots), -1)
    return joined @ joined.T


def test_learning_brings_likeness_nearer_to_what_it_should_be(roots: np.ndarray) -> None:
    before, after = (layout.learn(roots, V, steps=steps) for steps in (1, 60))
    errors = [float(np.abs(likeness(roots, codes) - wanted(roots)).mean()) for codes in (before, after)]
    assert errors[1] < 0.75 * errors[0]
    assert list(after) == [c.name for c in V.classes]
    assert max(abs(n) for code in after.values() for n in code) == 127


def test_the_shipped_codes_keep_likeness(roots: np.ndarray) -> None:
    assert np.abs(likeness(roots, code_table()) - wanted(roots)).mean() < 0.05


def test_relatedness_comes_from_the_smallest_common_group() -> None:
    related = layout.relatedness(V)
    assert np.array_equal(related, related.T)
    assert np.all(np.diag(related) == 1)
    assert related[V.id_of("sea"), V.id_of("water")] == pytest.approx(2**-0.5)
    assert related[V.id_of("car"), V.id_of("bus")] == pytest.approx(7**-0.5)
    assert related[V.id_of("car"), V.id_of("bed")] == 0


def test_blending_is_the_root_of_the_likeness_of_classes() -> None:
    assert np.linalg.eigvalsh(layout.class_likeness(V, 1.0)).min() > -0.01
    assert layout.blending(V) @ layout.blending(V) == pytest.approx(layout.class_likeness(V), abs=1e-6)


def test_unknown_pixels_count_for_nothing() -> None:
    label_map = np.full((10, 10), 255, np.uint8)
    label_map[:5] = 3
    found = layout.all_roots(label_map, len(V))
    assert found.shape == (CELLS, len(V))
    assert (found[:11, 3] > 0).all()
    assert not found[16:].any()
    assert not np.delete(found, 3, axis=1).any()


def test_a_file_of_codes_is_written_and_can_be_used(tmp_path: Path) -> None:
    folders = {
        kind: tmp_path / "scenes" / "msrc_v2" / kind for kind in ("images", "labels", "teacher", "confidence")
    }
    rng = np.random.default_rng(2)
    for folder in folders.values():
        folder.mkdir(parents=True)
    for number in range(12):
        Image.new("RGB", (8, 8)).save(folders["images"] / f"{number}.jpg")
        for kind in ("labels", "teacher"):
            Image.fromarray(rng.choice(np.array([3, 5, 7, 255], np.uint8), (8, 8))).save(
                folders[kind] / f"{number}.png"
            )
    count = layout.train(tmp_path, tmp_path / "codes.json", steps=2)
    stored = json.loads((tmp_path / "codes.json").read_text())
    assert 0 < count == stored["label_maps"] <= 24
    assert stored["vocabulary"] == V.identity
    whole, inner = spread(stored["classes"], V)
    assert (whole.shape, inner.shape) == ((51, 26), (25, 51, 6))
