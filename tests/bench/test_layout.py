"""The layout and class retrieval protocols, on made-up data whose answers are known."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import layout, layout_ablation, retrieval, vectors
from dsslic_search.bench.layout import ndcg, on_grid, relevance
from dsslic_search.core.vocabulary import default
from dsslic_search.features.embedding import DIMENSION, cell_counts, pack
from dsslic_search.networks import runtime
from dsslic_search.training.dataset import Sample

V = default()


def slow_relevance(one: list[int], other: list[int]) -> float:
    both = [(a, b) for a, b in zip(one, other, strict=True) if a < len(V) and b < len(V)]
    if len(both) < 0.1 * len(one):
        return 0.0
    ious = []
    for c in {label for pair in both for label in pair}:
        common = sum(a == c and b == c for a, b in both)
        ious.append(common / sum(c in pair for pair in both))
    return sum(ious) / len(ious)


def test_relevance_is_the_mean_iou_where_both_are_known() -> None:
    rng = np.random.default_rng(1)
    one, other = (
        rng.choice(np.array([0, 3, 7, 50, 255], np.uint8), (12, 30), p=[0.2, 0.2, 0.1, 0.1, 0.4])
        for _ in range(2)
    )
    other[3] = 255
    other[4, 3:] = 255
    found = relevance(one, other, len(V))
    expected = [[slow_relevance(a, b) for b in other.tolist()] for a in one.tolist()]
    assert found == pytest.approx(np.array(expected), abs=1e-6)
    assert (found[:, 3] == 0).all()
    assert relevance(one, one, len(V)).diagonal() == pytest.approx(1)


def test_ndcg_by_hand() -> None:
    relevant = np.array([[0, 0.5, 1, 0.25], [0, 0, 0, 0]], np.float32)
    found = ndcg(np.array([[-np.inf, 3, 2, 2], [1, 2, 3, 4]], np.float32), relevant, depth=2)
    assert found[0] == pytest.approx((0.5 + 1 / math.log2(3)) / (1 + 0.5 / math.log2(3)))
    assert np.isnan(found[1])


def test_the_grid_takes_labels_under_the_middles() -> None:
    label_map = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert on_grid(label_map, 2).tolist() == [[1, 3], [9, 11]]


def test_places() -> None:
    def place(dataset: str, stem: str) -> str:
        path = Path("data") / dataset / "images" / f"{stem}.jpg"
        return layout.place(Sample(path, path, path, None))

    assert place("camvid", "0016E5_0100") == place("camvid", "0016E5_0900") != place("camvid", "0001TP_0100")
    assert (
        place("labelmefacade", "walk_a__1")
        == place("labelmefacade", "walk_a__2")
        != place("labelmefacade", "walk_b__1")
    )
    assert place("msrc_v2", "1_1_s") != place("msrc_v2", "1_2_s")


def held_out(dataset: str, count: int) -> list[str]:
    """Names that belong to the validation split."""
    names = (f"{i}" for i in range(10_000))
    return [n for n in names if hashlib.sha256(f"{dataset}/{n}".encode()).digest()[0] % 6 == 0][:count]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A data folder whose photos have one of three layouts, mirrored or not; and SegNet's maps of them, a
    little wrong."""
    data, maps = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("maps")
    rng = np.random.default_rng(1)
    numbers = [*range(6), *range(100, 106), *range(200, 206)]
    names = {"scenes/msrc_v2": held_out("msrc_v2", 24), "photos/corel1k": [str(n) for n in numbers]}
    for part, stems in names.items():
        for kind in ("images", "labels", "teacher", "confidence"):
            (data / part / kind).mkdir(parents=True)
        kept = maps / runtime.identity("segnet") / Path(part).name
        kept.mkdir(parents=True)
        for i, stem in enumerate(stems):
            group = i % 3 if part.startswith("scenes") else int(stem) // 100
            labels = np.full((40, 60), (3, 7, 10)[group], np.uint8)
            labels[20:, : 30 + i % 5] = (2, 5, 27)[group]
            labels = labels[:, ::-1] if i % 2 else labels
            Image.fromarray(np.kron(labels, np.ones((2, 2), np.uint8))).save(
                data / part / "labels" / f"{stem}.png"
            )
            Image.fromarray(labels).save(data / part / "teacher" / f"{stem}.png")
            noise = rng.integers(0, 255, (40, 60, 3), np.uint8)
            Image.fromarray(noise).save(data / part / "images" / f"{stem}.jpg")
            Image.fromarray(np.full((5, 8), 255, np.uint8)).save(data / part / "confidence" / f"{stem}.png")
            wrong = rng.random(labels.shape) < 0.05
            np.save(kept / f"{stem}.npy", np.where(wrong, np.uint8(0), labels))
    return data, maps


def test_a_run_ranks_layouts_above_the_baselines(folders: tuple[Path, Path]) -> None:
    results = retrieval.run(folders[0], folder=folders[1])
    assert (results["split"], results["photos"], results["places"]) == (
        "validation",
        {"msrc_v2": 24},
        {"msrc_v2": 24},
    )
    scores = {name: row["macro"] for name, row in results["layout_ndcg@10"].items()}
    assert (
        scores["random"]
        < scores["class histogram"]
        < scores["layout"]
        <= scores["layout, all by people's label maps"]
    )
    assert scores["colour histogram"] < scores["class histogram"]
    assert scores["layout, asked by people's label maps"] > scores["class histogram"]
    assert (
        results["window_ndcg@10"]["layout"]["macro"] > results["window_ndcg@10"]["class histogram"]["macro"]
    )
    corel = results["class_retrieval"]
    assert corel["photos"] == 18
    # all five others of the class, and no more are there
    assert corel["class histogram"]["precision@10"] == 0.5
    assert corel["random"]["precision@10"] < 0.45
    lines = retrieval.table(results)
    assert any(line.startswith("layout ") and str(scores["layout"]) in line for line in lines)


def test_the_ablation_has_every_variant(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    real = layout_ablation.open_collection
    monkeypatch.setattr(
        layout_ablation,
        "open_collection",
        lambda data, validation, folder: real(data, validation=True, folder=folder),
    )
    monkeypatch.setattr(
        layout_ablation.training,
        "scene_samples",
        lambda data, validation: real(data, validation=True, folder=None).samples,
    )
    monkeypatch.setattr(layout_ablation, "TRAINING_STEPS", 2)
    few = {
        name: v
        for name, v in layout_ablation.VARIANTS.items()
        if name in ("as shipped, but for codes", "the whole alone", "4 x 4 alone")
    }
    monkeypatch.setattr(layout_ablation, "VARIANTS", few)
    results = layout_ablation.run(folders[0], folders[1])
    rows = results["variants"]
    assert rows["as shipped"]["numbers"] == DIMENSION
    assert rows["as shipped, but for codes"]["numbers"] == 26 * 51
    assert rows["as shipped"]["macro"] == pytest.approx(rows["as shipped, but for codes"]["macro"], abs=0.03)
    assert rows["the whole alone"]["macro"] < rows["4 x 4 alone"]["macro"]
    assert sum("learnt" in name for name in rows) == 3
    assert len(layout_ablation.table(results)) == 1 + len(rows)


@pytest.mark.parametrize("shape", [(1, 1), (7, 3), (50, 33)])
def test_shares_are_those_of_the_embedding(shape: tuple[int, int]) -> None:
    label_map = np.random.default_rng(2).integers(0, 5, shape).astype(np.uint8)
    counts = cell_counts(label_map, None, 5)
    expected = counts[1:] / label_map.size
    assert layout_ablation.shares(label_map, 5, 5) == pytest.approx(expected)
    assert layout_ablation.shares(label_map, 1, 5) == pytest.approx(counts[:1] / (25 * label_map.size))


def test_made_up_archives_are_made_alike_each_time(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "scene_samples", lambda data, validation: [])
    maps = vectors.sources(folders[0])
    assert len(maps) == 18
    made = [vectors.made_up(np.random.default_rng(seed), maps) for seed in (1, 1, 2)]
    assert made[0].shape == (40, 40)
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_the_vector_benchmark_counts_what_it_finds(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "QUERIES_A_KIND", 6)
    monkeypatch.setattr(vectors, "PHOTOS_AT_ONCE", 80)
    monkeypatch.setattr(
        vectors,
        "archive",
        lambda data, photos: np.concatenate([vectors._packed(data, i) for i in range(2)])[:photos],
    )
    monkeypatch.setattr(vectors, "scene_samples", lambda data, validation: [])
    results = vectors.run(folders[0], 150)
    assert results["photos"] == 150
    assert results["bytes_a_photo"] == DIMENSION + 4
    for kind in vectors.KINDS:
        assert results[kind]["10 nearest"]["recall"] == 1
        assert 0 < results[kind]["10 nearest"]["median_ms"] <= results[kind]["10 nearest"]["slowest_ms"]
    assert len(vectors.table(results)) == 2 + 9
    asked = vectors.queries(folders[0])
    assert pack(asked["photo"]).shape == (6, 1, DIMENSION)
    assert (asked["canvas"] == 0).any(axis=2).all()


def test_the_tables_in_the_documentation_are_the_stored_results() -> None:
    docs = Path(__file__).parents[2] / "docs"
    page = (docs / "layout.md").read_text()
    measured = json.loads((docs / "results" / "retrieval.json").read_text())
    variants = json.loads((docs / "results" / "layout-ablation.json").read_text())["variants"]
    columns = ("macro", "macro_elsewhere", "msrc_v2", "camvid", "labelmefacade")
    rows = [
        (name, row, (*columns, "ccp", "all"))
        for part in ("layout", "window")
        for name, row in measured[f"{part}_ndcg@10"].items()
    ]
    rows += [
        (name, row, tuple(row)) for name, row in measured["class_retrieval"].items() if isinstance(row, dict)
    ]
    for name, row, shown in rows:
        assert f"| {name} | " + " | ".join(f"{row[c]:.3f}" for c in shown) + " |" in page
    for name, row in variants.items():
        assert f"| {name} | {row['numbers']} | " + " | ".join(f"{row[c]:.3f}" for c in columns) + " |" in page
    speeds = json.loads((docs / "results" / "vectors.json").read_text())
    for kind in vectors.KINDS:
        row = speeds[kind]["10 nearest"]
        name = kind.replace("canvas", "sketch of a part")
        assert f"| {name}, 10 nearest | {row['median_ms']} | {row['p95_ms']} | {row['recall']} |" in page
    assert (
        measured["layout_ndcg@10"]["layout"]["macro"]
        > measured["layout_ndcg@10"]["class histogram"]["macro"] + 0.05
    )
