"""How fast, how exact and how large the index of layouts is for a big archive, made up from real label maps.

Each made-up photo is a window of a real map, of half to all of its sides, mirrored half of the time; seven
times in ten a thing from another map is pasted on it. Queries are made in the same way and are not in the
archive; half of them are canvases of which only a part is painted.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.bench import record
from dsslic_search.core import vocabulary
from dsslic_search.features.embedding import WEIGHT_ROOTS, embed, lengths, mirrored, pack, query
from dsslic_search.index.cache import Arrays
from dsslic_search.index.segment import made
from dsslic_search.index.source import InOrder, State
from dsslic_search.index.vectors.table import Vectors, arrays_of
from dsslic_search.training.dataset import scene_samples, teacher_samples

MAP_SIDE, WINDOW_SIDE = 96, 40  # labels a side of the maps that windows are cut from, and of the windows
PHOTOS_AT_ONCE = 5_000  # are made
QUERIES_A_KIND = 200
DEPTHS = 10, 50  # photos asked for
KINDS = "photo", "photo, mirrored too", "canvas"
SCORED_AT_ONCE = 50_000
SCORE_ROUNDING = 5e-5  # see index.vectors.scan

Map = NDArray[np.uint8]


@cache
def sources(data: Path) -> list[Map]:
    """The teacher's label maps under ``data``, MAP_SIDE x MAP_SIDE."""
    paths = [s.teacher for s in (*scene_samples(data, validation=False), *teacher_samples(data))]
    found = []
    for path in paths:
        with Image.open(path) as opened:
            label_map = np.asarray(opened, np.uint8)
        rows, columns = ((2 * np.arange(MAP_SIDE) + 1) * n // (2 * MAP_SIDE) for n in label_map.shape)
        found.append(label_map[np.ix_(rows, columns)])
    return found


def made_up(rng: np.random.Generator, maps: list[Map]) -> Map:
    """A label map, WINDOW_SIDE x WINDOW_SIDE, of no photo."""
    window = rng.uniform(0.5, 1, 2) * MAP_SIDE
    corner = rng.random(2) * (MAP_SIDE - window)
    rows, columns = (
        (corner[i] + (np.arange(WINDOW_SIDE) + 0.5) * window[i] / WINDOW_SIDE).astype(int) for i in (0, 1)
    )
    if rng.random() < 0.5:
        columns = columns[::-1]
    made: Map = maps[rng.integers(len(maps))][rows[:, None], columns]
    if rng.random() < 0.7:
        other = maps[rng.integers(len(maps))]
        height, width = rng.integers(4, 30, 2)
        top, left = rng.integers(0, WINDOW_SIDE - height), rng.integers(0, WINDOW_SIDE - width)
        y, x = rng.integers(0, MAP_SIDE - 2 * height), rng.integers(0, MAP_SIDE - 2 * width)
        piece = other[y : y + 2 * height : 2, x : x + 2 * width : 2]
        thing = piece == piece[height // 2, width // 2]
        made[top : top + height, left : left + width][thing] = piece[thing]
    return made


def _packed(data: Path, part: int) -> NDArray[np.int8]:
    rng, maps, words = np.random.default_rng(part), sources(data), vocabulary.default()
    return pack(np.stack([embed(made_up(rng, maps), words) for _ in range(PHOTOS_AT_ONCE)]))


def archive(data: Path, photos: int) -> NDArray[np.int8]:
    """The packed embeddings of that many made-up photos, int8[photos, DIMENSION]."""
    parts = range(-(-photos // PHOTOS_AT_ONCE))
    # forks of a process with threads may hang
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        return np.concatenate(list(pool.map(_packed, [data] * len(parts), parts)))[:photos]


def queries(data: Path) -> dict[str, NDArray[np.float32]]:
    """Queries, float32[QUERIES_A_KIND, m, DIMENSION], by kind: photos, the same with their mirror images, and
    canvases painted in a box of a fifth to two thirds of the sides."""
    rng, maps, words = np.random.default_rng(10**9), sources(data), vocabulary.default()
    photos = [embed(made_up(rng, maps), words) for _ in range(QUERIES_A_KIND)]
    canvases = []
    for _ in range(QUERIES_A_KIND):
        known = np.zeros((WINDOW_SIDE, WINDOW_SIDE), bool)
        height, width = rng.integers(WINDOW_SIDE // 5, 2 * WINDOW_SIDE // 3, 2)
        top, left = rng.integers(0, WINDOW_SIDE - height), rng.integers(0, WINDOW_SIDE - width)
        known[top : top + height, left : left + width] = True
        canvases.append(query(made_up(rng, maps), known, words))
    photo, canvas = np.stack(photos)[:, None], np.stack(canvases)[:, None]
    return dict(zip(KINDS, (photo, np.concatenate([photo, mirrored(photo)], axis=1), canvas), strict=True))


def run(data: Path, photos: int) -> dict[str, Any]:
    """Build an index of ``photos``; ask it; compare with scores of all photos computed in floating point."""
    packed = archive(data, photos)
    began = time.perf_counter()
    nowhere: Any = None  # nothing is asked of a catalog
    ids = np.arange(photos)
    segment = made(nowhere, State(0, ""), vocabulary.default(), None, InOrder(ids, -ids))
    vectors = Vectors(segment, Arrays(arrays_of(packed)))
    built = time.perf_counter() - began
    results: dict[str, Any] = {
        "photos": photos,
        "build_seconds": round(built, 1),
        "bytes_a_photo": round(vectors.arrays.nbytes / photos, 1),
    }
    for kind, asked in queries(data).items():
        results[kind] = {f"{k} nearest": _measured(vectors, packed, asked, k) for k in DEPTHS}
        results[kind]["all scores"] = _milliseconds(asked[:20], lambda q: vectors.scores(q))
    return results


def _measured(
    vectors: Vectors, packed: NDArray[np.int8], asked: NDArray[np.float32], k: int
) -> dict[str, Any]:
    """Milliseconds, and recall@k of the first queries against a full scan: a photo counts that is as near as
    the k-th."""
    vectors.nearest(asked[0], k)
    spent = _milliseconds(asked, lambda q: vectors.nearest(q, k))
    tried = asked[:20]
    exact = np.concatenate(
        [_scores(packed[i : i + SCORED_AT_ONCE], tried) for i in range(0, len(packed), SCORED_AT_ONCE)]
    )
    bounds = np.partition(exact, -k, axis=0)[-k] - SCORE_ROUNDING
    recalls = [float((exact[vectors.nearest(q, k)[0], i] >= bounds[i]).mean()) for i, q in enumerate(tried)]
    return {**spent, "recall": round(float(np.mean(recalls)), 4)}


def _scores(packed: NDArray[np.int8], asked: NDArray[np.float32]) -> NDArray[np.float64]:
    """In floating point: float64[n, queries]."""
    found: NDArray[np.float64] = np.einsum(
        "nd,qmd->nqm", packed * WEIGHT_ROOTS / lengths(packed)[:, None], asked, optimize=True
    ).max(axis=2)
    return found


def _milliseconds(
    asked: NDArray[np.float32], ask: Callable[[NDArray[np.float32]], object]
) -> dict[str, float]:
    spent = []
    for each in asked:
        began = time.perf_counter()
        ask(each)
        spent.append((time.perf_counter() - began) * 1000)
    return {
        name: round(float(np.percentile(spent, p)), 2)
        for name, p in (("median_ms", 50), ("p95_ms", 95), ("slowest_ms", 100))
    }


def table(results: dict[str, Any]) -> list[str]:
    """The results of :func:`run` as lines for people."""
    columns = ("median_ms", "p95_ms", "slowest_ms", "recall")
    rows = [
        (f"{kind}, {what}", *(str(row.get(name, "")) for name in columns))
        for kind in KINDS
        for what, row in results[kind].items()
    ]
    return [
        f"{results['photos']} photos, {results['bytes_a_photo']} bytes each, built in "
        f"{results['build_seconds']} s",
        *record.table(("", *columns), rows),
    ]
