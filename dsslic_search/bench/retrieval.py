"""How well photos are found by layout: the two protocols of docs/layout.md, beside simpler ways to compare
photos.

Layout retrieval (`bench.layout`) is asked with SegNet's maps, with people's label maps, and with windows of
these, as somebody would paint them. Class retrieval: each photo of a collection in which file number // 100
is the class asks for others of its class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.bench.layout import (
    GRID_SIDE,
    Collection,
    Map,
    Matrix,
    open_collection,
    place,
    relevance,
    score_lines,
    segmented,
)
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.features.coverage import coverage
from dsslic_search.features.embedding import embed, query

COLOUR_BINS = 8  # of each of red, green and blue
WINDOW_SHARE = 0.25, 0.75  # of a side; the least and the most of windows that are cut out as canvases


def colours(path: Path) -> Matrix:
    """Roots of a photo's colour histogram, float32[COLOURS³], length 1."""
    with Image.open(path) as opened:
        pixels = np.asarray(opened.convert("RGB")).astype(np.int64) * COLOUR_BINS // 256
    counts = np.bincount((pixels @ [COLOUR_BINS**2, COLOUR_BINS, 1]).ravel(), minlength=COLOUR_BINS**3)
    return np.asarray(np.sqrt(counts / counts.sum()), np.float32)


def class_roots(label_map: Map) -> Matrix:
    """Roots of the fractions of all classes, float32[classes], length 1."""
    return np.asarray(np.sqrt(coverage(label_map, len(vocabulary.default()))), np.float32)


def alike(vectors: Matrix, asked: Matrix | None = None) -> Matrix:
    """Inner products of all with all, or of ``asked`` with all."""
    found: Matrix = (vectors if asked is None else asked) @ vectors.T
    return found


def stacked(function: Callable[[Any], Matrix], things: Iterable[Any]) -> Matrix:
    """What a function makes of each thing, as rows."""
    return np.stack([function(thing) for thing in things])


def layouts(maps: list[Map]) -> Matrix:
    """Embeddings, float32[n, DIMENSION]."""
    return stacked(lambda m: embed(m, vocabulary.default()), maps)


def retrieval(collection: Collection) -> dict[str, dict[str, Any]]:
    """nDCG@10 of each way to compare photos."""
    embeddings = layouts(collection.guessed)
    random = np.random.default_rng(1).random(collection.relevant.shape, np.float32)
    return {
        "random": collection.scores(random),
        "colour histogram": collection.scores(alike(stacked(colours, [s.image for s in collection.samples]))),
        "class histogram": collection.scores(alike(stacked(class_roots, collection.guessed))),
        "layout": collection.scores(alike(embeddings)),
        "layout, asked by people's label maps": collection.scores(alike(embeddings, _painted(collection))),
        "layout, all by people's label maps": collection.scores(alike(_painted(collection))),
    }


def _painted(collection: Collection) -> Matrix:
    """Queries from people's label maps, what they left unknown left open."""
    words = vocabulary.default()
    return stacked(lambda m: query(m, m < len(words), words), collection.human)


def windows(collection: Collection, seed: int = 1) -> dict[str, dict[str, Any]]:
    """nDCG@10 for canvases of which only a window is painted, cut from people's label maps.

    Relevance is as above, but only of the points in the window. The class histogram asked with is that of the
    window."""
    rng, words = np.random.default_rng(seed), vocabulary.default()
    masks = np.zeros((len(collection.samples), GRID_SIDE, GRID_SIDE), bool)
    for mask in masks:
        height, width = rng.integers(int(WINDOW_SHARE[0] * GRID_SIDE), int(WINDOW_SHARE[1] * GRID_SIDE), 2)
        top, left = rng.integers(0, GRID_SIDE - height), rng.integers(0, GRID_SIDE - width)
        mask[top : top + height, left : left + width] = True
    inside = masks.reshape(len(masks), -1)
    known = inside & (collection.points < len(words))
    rows = np.flatnonzero(known.sum(1) >= inside.sum(1) / 2)
    relevant = np.concatenate(
        [_window_relevance(collection.points, int(i), inside[i], len(words)) for i in rows]
    )
    maps = [p.reshape(GRID_SIDE, GRID_SIDE) for p in collection.points]
    asked = stacked(lambda i: query(maps[i], known[i].reshape(GRID_SIDE, GRID_SIDE), words), rows)
    things = stacked(lambda i: class_roots(maps[i].ravel()[known[i]][None]), rows)
    ways = {
        "random": np.random.default_rng(seed).random((rows.size, len(masks)), np.float32),
        "class histogram": alike(stacked(class_roots, collection.guessed), things),
        "layout": alike(layouts(collection.guessed), asked),
    }
    return {name: collection.scores(likeness, relevant, rows) for name, likeness in ways.items()}


def _window_relevance(points: Map, row: int, inside: NDArray[np.bool_], classes: int) -> Matrix:
    found = relevance(points[row : row + 1, inside], points[:, inside], classes)
    found[0, row] = 0
    return found


def class_retrieval(folder: Path, kept: Path | None, depths: tuple[int, ...] = (10, 20)) -> dict[str, Any]:
    """Precision@10 and @20 on a folder with images/<number>.jpg, where number // 100 is the class."""
    paths = sorted((folder / "images").glob("*.jpg"), key=lambda p: int(p.stem))
    if not paths:
        raise UsageError(f"{folder}: no photos found; expected images/<number>.jpg")
    classes = np.array([int(p.stem) // 100 for p in paths])
    maps = [segmented(p, kept) for p in paths]
    colour, layout = alike(stacked(colours, paths)), alike(layouts(maps))
    ways: dict[str, Matrix] = {
        "random": np.random.default_rng(1).random(colour.shape, np.float32),
        "colour histogram": colour,
        "class histogram": alike(stacked(class_roots, maps)),
        "layout": layout,
        "layout and colour histogram, half each": np.asarray((layout + colour) / 2, np.float32),
    }
    found: dict[str, Any] = {"photos": len(paths)}
    for name, likeness in ways.items():
        np.fill_diagonal(likeness, -np.inf)
        order = np.argsort(-likeness, axis=1, kind="stable")
        found[name] = {
            f"precision@{k}": round(float((classes[order[:, :k]] == classes[:, None]).mean()), 4)
            for k in depths
        }
    return found


def run(data: Path, *, validation: bool = True, folder: Path | None = None) -> dict[str, Any]:
    """Both protocols; ``data`` holds scenes/<set> and photos/corel1k."""
    collection = open_collection(data, validation=validation, folder=folder)
    return {
        "split": "validation" if validation else "training",
        "photos": {str(s): int((collection.sets == s).sum()) for s in np.unique(collection.sets)},
        "places": {
            str(s): len({place(x) for x in collection.samples if x.image.parts[-3] == s})
            for s in np.unique(collection.sets)
        },
        "layout_ndcg@10": retrieval(collection),
        "window_ndcg@10": windows(collection),
        "class_retrieval": class_retrieval(data / "photos" / "corel1k", folder),
    }


def table(results: dict[str, Any]) -> list[str]:
    """The results of :func:`run` as lines for people."""
    lines = []
    for title, measure in (("layout", "layout_ndcg@10"), ("windows", "window_ndcg@10")):
        lines += [f"{title}: nDCG@10 on the {results['split']} split", *score_lines(results[measure])]
    lines.append("class retrieval")
    rows = {name: row for name, row in results["class_retrieval"].items() if isinstance(row, dict)}
    return [*lines, *score_lines(rows)]
