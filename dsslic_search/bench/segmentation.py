"""How well SegNet parses the validation split, beside the teacher, counted on the pixels that people labelled."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search import vocabulary
from dsslic_search.networks import runtime
from dsslic_search.training.dataset import scene_samples


def confusion(truth: NDArray[np.uint8], guess: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """int64 [classes, classes]: pixels of each true class (row) by the class guessed (column); unknown pixels don't count."""
    known = truth < classes
    index = truth[known].astype(np.int64) * classes + guess[known]
    return np.bincount(index, minlength=classes * classes).reshape(classes, classes)


def scores(table: NDArray[np.int64]) -> dict[str, Any]:
    """Pixel accuracy, and IoU per class that occurs in the truth with their mean, all in 0..1."""
    right = np.diag(table).astype(float)
    truth, guess = table.sum(1), table.sum(0)
    present = truth > 0
    union = (truth + guess - right)[present]
    iou = right[present] / union
    return {
        "pixel_accuracy": float(right.sum() / table.sum()),
        "mean_iou": float(iou.mean()),
        "classes": int(present.sum()),
        "iou": {vocabulary.default().classes[c].name: round(float(v), 4) for c, v in zip(np.flatnonzero(present), iou, strict=True)},
    }


def run(data: Path) -> dict[str, Any]:
    """Measure SegNet and the teacher on the validation photos under ``data``; milliseconds are of SegNet alone, median."""
    classes = len(vocabulary.default())
    tables = {"segnet": np.zeros((classes, classes), np.int64), "teacher": np.zeros((classes, classes), np.int64)}
    by_set: dict[str, NDArray[np.int64]] = {}
    spent = []
    samples = scene_samples(data, validation=True)
    for sample in samples:
        assert sample.labels is not None
        truth = np.asarray(Image.open(sample.labels))
        pixels = np.asarray(Image.open(sample.image).convert("RGB"))
        began = time.perf_counter()
        guess = runtime.segment(pixels, (truth.shape[0], truth.shape[1]))
        spent.append((time.perf_counter() - began) * 1000)
        table = confusion(truth, guess, classes)
        tables["segnet"] += table
        tables["teacher"] += confusion(truth, np.asarray(Image.open(sample.teacher)), classes)
        name = sample.image.parts[-3]
        by_set[name] = by_set.get(name, np.zeros_like(table)) + table
    return {
        "photos": len(samples),
        "milliseconds_median": round(float(np.median(spent[1:])), 1),
        **{name: scores(table) for name, table in tables.items()},
        "segnet_by_set": {name: {k: v for k, v in scores(t).items() if k != "iou"} for name, t in by_set.items()},
    }
