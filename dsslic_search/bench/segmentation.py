"""How well SegNet parses the validation split, beside the teacher, counted on the pixels that people
labelled."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.codec.encoder import segment_photo
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core import vocabulary
from dsslic_search.networks import runtime
from dsslic_search.networks.confidence import Confidence
from dsslic_search.training import calibrate
from dsslic_search.training.dataset import Sample, scene_samples

TIMED_PHOTOS = 50
AREA_FACTORS = (0.5, 0.75, 1.0, 1.35, 1.8)  # of the working area that SegNet was trained at


def confusion(truth: NDArray[np.uint8], guess: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """int64 [classes, classes]: pixels of each true class (row) by the class guessed (column); unknown pixels
    don't count."""
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
        "iou": {
            vocabulary.default().classes[c].name: round(float(v), 4)
            for c, v in zip(np.flatnonzero(present), iou, strict=True)
        },
    }


def run(data: Path) -> dict[str, Any]:
    """Measure SegNet and the teacher on the validation photos under ``data``; milliseconds are of making the
    label map that ingest codes, median of the first TIMED_PHOTOS photos."""
    classes = len(vocabulary.default())
    tables = {
        "segnet": np.zeros((classes, classes), np.int64),
        "teacher": np.zeros((classes, classes), np.int64),
    }
    by_set: dict[str, NDArray[np.int64]] = {}
    spent: list[float] = []
    samples = scene_samples(data, validation=True)
    for sample in samples:
        truth, pixels = _read(sample)
        guess = runtime.segment(pixels, (truth.shape[0], truth.shape[1]))
        if len(spent) < TIMED_PHOTOS:
            began = time.perf_counter()
            segment_photo(SourcePhoto(pixels))
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
        "segnet_by_set": {
            name: {k: v for k, v in scores(t).items() if k != "iou"} for name, t in by_set.items()
        },
        "confidence": _confidence(samples),
    }


def test_time(data: Path) -> dict[str, Any]:
    """What other working areas and averaging with the mirrored photo give, on the calibration part of
    ``data`` (not on the validation split: these are settings), without the rule that says ``other``."""
    import torch
    import torch.nn.functional as F

    net = runtime.network("segnet")
    samples = scene_samples(data, validation=False, calibration=True)
    classes, rows = len(vocabulary.default()), []
    for area in AREA_FACTORS:
        for mirrored in (False, True):
            table, spent = np.zeros((classes, classes), np.int64), []
            for sample in samples:
                truth, pixels = _read(sample)
                began = time.perf_counter()
                with torch.inference_mode():
                    found = runtime.class_scores(net, pixels, round(net.config.area * area))
                    if mirrored:
                        found = found + runtime.class_scores(
                            net, np.ascontiguousarray(pixels[:, ::-1]), round(net.config.area * area)
                        ).flip(3)
                    guess = (
                        F.interpolate(found, truth.shape, mode="bilinear")[0]
                        .argmax(0)
                        .to(torch.uint8)
                        .numpy()
                    )
                spent.append((time.perf_counter() - began) * 1000)
                table += confusion(truth, guess, classes)
            found_scores = scores(table)
            rows.append(
                {
                    "area": round(net.config.area * area),
                    "mirrored_too": mirrored,
                    "pixel_accuracy": round(found_scores["pixel_accuracy"], 4),
                    "mean_iou": round(found_scores["mean_iou"], 4),
                    "milliseconds_median": round(float(np.median(spent[1:])), 1),
                }
            )
    return {"photos": len(samples), "settings": rows}


def _read(sample: Sample) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """People's labels and the photo."""
    assert sample.labels is not None
    return np.asarray(Image.open(sample.labels)), np.asarray(Image.open(sample.image).convert("RGB"))


def _confidence(samples: list[Sample]) -> dict[str, Any]:
    """How honest SegNet's probabilities are, and what the rule that says ``other`` does, at the label map's
    scale."""
    net = runtime.network("segnet")
    rule = Confidence(net.config.temperature, net.config.of_class, net.config.of_pixel)
    photos = list(calibrate.scored(net, samples))
    found: dict[str, Any] = {"rule": vars(rule)}
    for name, each in (("without", Confidence()), ("with", rule)):
        judged = calibrate.judge(photos, each)
        found[name] = {
            "expected_calibration_error": round(calibrate.calibration_error(photos, each.temperature), 4),
            "pixel_accuracy": round(judged.accuracy, 4),
            "presence_f1": round(judged.presence, 4),
        }
    return found
