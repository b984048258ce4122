"""What each part of the layout embedding is good for: nDCG@10 on the training split with one thing changed at
a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.bench.layout import Collection, Map, Matrix, open_collection, score_lines
from dsslic_search.bench.retrieval import alike, layouts
from dsslic_search.core import vocabulary
from dsslic_search.features.embedding import (
    CELL_LENGTH,
    CELL_WEIGHTS,
    COLUMN_WEIGHTS,
    GRID,
    WHOLE_LENGTH,
    WHOLE_WEIGHT,
    spread,
)
from dsslic_search.training import layout as training

WHOLE_SHARE = WHOLE_WEIGHT / float(CELL_WEIGHTS.sum())
TRAINING_STEPS = 300


@dataclass(frozen=True)
class Variant:
    """An embedding without codes, a number for each class: ``levels`` are (cells a side, share of the
    weight), ``columns`` the weights of columns (None: all the same), ``power`` of the shares, ``lift``: power
    of the share of the whole that it is divided by, ``related``: share of relatedness in the likeness of
    classes."""

    levels: tuple[tuple[int, float], ...] = ((1, WHOLE_SHARE), (GRID, 1 - WHOLE_SHARE))
    columns: tuple[int, ...] | None = COLUMN_WEIGHTS
    power: float = 0.5
    lift: float = 0.25
    related: float = training.RELATED_SHARE


SHIPPED = Variant()
FLAT = replace(SHIPPED, columns=None)
VARIANTS = {
    "as shipped, but for codes": SHIPPED,
    "the whole alone": replace(FLAT, levels=((1, 1.0),)),
    "4 x 4 alone": replace(FLAT, levels=((4, 1.0),)),
    "5 x 5 alone": replace(FLAT, levels=((5, 1.0),)),
    "6 x 6 alone": replace(FLAT, levels=((6, 1.0),)),
    "1, 2 x 2, 4 x 4 (0.1, 0.2, 0.7)": replace(FLAT, levels=((1, 0.1), (2, 0.2), (4, 0.7))),
    "1, 5 x 5, all columns alike": FLAT,
    "1, 6 x 6, all columns alike": replace(FLAT, levels=((1, WHOLE_SHARE), (6, 1 - WHOLE_SHARE))),
    "whole weighs 0.1": replace(SHIPPED, levels=((1, 0.1), (GRID, 0.9))),
    "whole weighs 0.4": replace(SHIPPED, levels=((1, 0.4), (GRID, 0.6))),
    "columns 1 2 3 2 1": replace(SHIPPED, columns=(1, 2, 3, 2, 1)),
    "columns 3 4 5 4 3": replace(SHIPPED, columns=(3, 4, 5, 4, 3)),
    "shares, no roots": replace(SHIPPED, power=1.0, lift=0.0),
    "roots, small classes not lifted": replace(SHIPPED, lift=0.0),
    "small classes lifted by 1/8": replace(SHIPPED, lift=0.125),
    "classes unrelated": replace(SHIPPED, related=0.0),
    "classes related by 1/4": replace(SHIPPED, related=0.25),
    "classes related by 3/4": replace(SHIPPED, related=0.75),
    "classes related by 1": replace(SHIPPED, related=1.0),
}


def shares(label_map: Map, side: int, classes: int) -> NDArray[np.float64]:
    """The share of each class in each of side x side cells, float64[side², classes], pixels counted by
    area."""
    rows, columns = (_lines(n, side) for n in label_map.shape)
    found = np.zeros((side, side, classes))
    for class_id in np.unique(label_map):
        found[..., class_id] = rows @ (label_map == class_id) @ columns.T
    return found.reshape(side * side, classes)


def _lines(length: int, side: int) -> NDArray[np.float64]:
    """The share of each line in each cell of a side, float64[side, length]; rows sum to 1."""
    edges = np.clip(
        np.arange(side + 1)[:, None] * length, np.arange(length) * side, np.arange(1, length + 1) * side
    )
    return np.diff(edges, axis=0) / length


def unit(vectors: NDArray[Any]) -> NDArray[Any]:
    """Vectors of length 1 along the last axis; 0 stays 0."""
    found: NDArray[Any] = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return found


class Ablation:
    """Histograms are made once for all variants."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._words = vocabulary.default()
        self._shares: dict[int, NDArray[np.float64]] = {}

    def _of(self, side: int) -> NDArray[np.float64]:
        if side not in self._shares:
            self._shares[side] = np.stack(
                [shares(m, side, len(self._words)) for m in self._collection.guessed]
            )
        return self._shares[side]

    def roots(self, side: int, power: float, lift: float) -> NDArray[np.float64]:
        whole = self._of(1)
        found: NDArray[np.float64] = self._of(side) ** power / np.where(whole > 0, whole, 1) ** lift
        return found

    def without_codes(self, variant: Variant) -> Matrix:
        """The likeness of all photos by a variant."""
        blend = training.blending(self._words, variant.related)
        likeness = np.zeros((len(self._collection.samples),) * 2, np.float32)
        for side, weight in variant.levels:
            cells = unit(self.roots(side, variant.power, variant.lift) @ blend)
            likeness += alike(_weighted(cells, weight, variant.columns if side == GRID else None))
        return likeness

    def coded(self, whole: NDArray[np.float64], inner: NDArray[np.float64]) -> Matrix:
        """The likeness of all photos by codes of the whole, [classes, n], and of each cell, [GRID * GRID,
        classes, m]."""
        first = unit(self.roots(1, 0.5, 0.25) @ whole)
        cells = unit(np.einsum("ncx,cxk->nck", self.roots(GRID, 0.5, 0.25), inner))
        return alike(_weighted(first, WHOLE_SHARE, None)) + alike(
            _weighted(cells, 1 - WHOLE_SHARE, COLUMN_WEIGHTS)
        )

    def code_variants(self, data: Path) -> Iterator[tuple[str, int, Matrix]]:
        """Name, numbers a photo, and likeness, for other ways to stand for classes by few numbers."""
        classes, blend = len(self._words), training.blending(self._words)
        cells = GRID * GRID
        dimension = WHOLE_LENGTH + cells * CELL_LENGTH
        roots = training.training_roots(data, classes)
        values, axes = np.linalg.eigh(training.class_likeness(self._words))
        axes = blend @ axes[:, np.argsort(-values)]
        yield "axes of the likeness of classes", dimension, self._shared(axes)
        blended = unit(roots[:, 1:] @ blend).reshape(-1, classes)
        values, axes = np.linalg.eigh(blended.T @ blended)
        yield "principal axes of cells", dimension, self._shared(blend @ axes[:, np.argsort(-values)])
        rng = np.random.default_rng(0)
        signs = blend @ (rng.integers(0, 2, (1 + cells, classes, WHOLE_LENGTH)) * 2 - 1)
        yield "signs, the same in all cells", dimension, self._shared(signs[0])
        yield "signs, others in each cell", dimension, self.coded(signs[0], signs[1:, :, :CELL_LENGTH])
        for lengths in ((WHOLE_LENGTH, 4), (WHOLE_LENGTH, CELL_LENGTH), (WHOLE_LENGTH, 8)):
            learnt = training.learn(roots, self._words, steps=TRAINING_STEPS, lengths=lengths)
            name = f"learnt, {lengths[1]} numbers a cell, {TRAINING_STEPS} steps"
            yield name, lengths[0] + cells * lengths[1], self.coded(*spread(learnt, self._words, lengths[0]))

    def _shared(self, axes: NDArray[np.float64]) -> Matrix:
        return self.coded(axes[:, :WHOLE_LENGTH], np.repeat(axes[None, :, :CELL_LENGTH], GRID * GRID, axis=0))


def _weighted(cells: NDArray[Any], weight: float, columns: tuple[int, ...] | None) -> Matrix:
    """Blocks, [n, side², k], scaled to the roots of their weights, which sum to ``weight``, as float32[n,
    side² k]."""
    side = round(cells.shape[1] ** 0.5)
    by_cell = np.tile(np.ones(side) if columns is None else np.array(columns, float), side)
    scaled = cells * np.sqrt(weight * by_cell / by_cell.sum())[:, None]
    return np.asarray(scaled.reshape(len(cells), -1), np.float32)


def run(data: Path, folder: Path | None = None) -> dict[str, Any]:
    """Every variant on the training split: numbers a photo, and scores as `bench.layout` gives them."""
    collection = open_collection(data, validation=False, folder=folder)
    ablation = Ablation(collection)
    classes = len(vocabulary.default())
    rows: dict[str, Any] = {}
    for name, variant in VARIANTS.items():
        cells = sum(side * side for side, _ in variant.levels)
        rows[name] = {"numbers": classes * cells, **collection.scores(ablation.without_codes(variant))}
    for name, numbers, likeness in ablation.code_variants(data):
        rows[name] = {"numbers": numbers, **collection.scores(likeness)}
    shipped = layouts(collection.guessed)
    rows["as shipped"] = {"numbers": shipped.shape[1], **collection.scores(alike(shipped))}
    return {"split": "training", "photos": len(collection.samples), "variants": rows}


def table(results: dict[str, Any]) -> list[str]:
    """The results of :func:`run` as lines for people."""
    return score_lines(results["variants"])
