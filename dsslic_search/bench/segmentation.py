"""How well SegNet parses the validation split, beside the teacher, counted on the pixels that people
labelled."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.codec.encoder import segment_photo
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core import vocabulary
from dsslic_search.networks import runtime
from dsslic_search.networks.confidence import Confidence, decide
from dsslic_search.networks.look import Look
from dsslic_search.networks.segnets import AnySegNet, Together
from dsslic_search.training import calibrate
from dsslic_search.training.dataset import LATER_SCENES, Sample, photos_of, scene_samples
from dsslic_search.training.targets import load_targets

CLASSES = len(vocabulary.default())
ROOMS = ("bedroom", "kitchen", "bathroom")
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


def run(data: Path, beside: Path | None = None) -> dict[str, Any]:
    """Measure SegNet and the teacher on the validation photos under ``data``, and SegNet on the validation
    parts of the sets that came later; ``beside``: a weight file that is measured in the same run.

    Milliseconds are of making the label map that ingest codes, median of the first TIMED_PHOTOS photos."""
    samples = scene_samples(data, validation=True)
    net: AnySegNet = runtime.network("segnet")
    nets = {"segnet": net} | ({} if beside is None else {"beside": runtime.load("segnet", beside)})
    measured = {name: _tables(each, samples) for name, each in nets.items()}
    teacher = _sum(confusion(_read(s)[0], np.asarray(Image.open(s.teacher)), CLASSES) for s in samples)
    holders = _sum(np.bincount(np.unique(_read(s)[0]), minlength=256)[:CLASSES] for s in samples)
    return {
        "photos": len(samples),
        "milliseconds_median": _milliseconds(samples[:TIMED_PHOTOS]),
        **{name: scores(_sum(tables.values())) for name, tables in measured.items()},
        "teacher": scores(teacher),
        "photos_with_class": _by_class(holders),
        "segnet_by_set": {
            name: {k: v for k, v in scores(t).items() if k != "iou"} for name, t in measured["segnet"].items()
        },
        "later_sets": {name: later_sets(each, data) for name, each in nets.items()},
        "confidence": _confidence(samples),
    }


def later_sets(net: AnySegNet, data: Path) -> dict[str, Any]:
    """On validation parts: IoU of horses against people's masks, pixel accuracy on what people labelled in
    COCO's photos, and the share of pixels in rooms, and of sea, that are called as the teacher calls them."""
    horse = vocabulary.default().id_of("horse")
    horses, coco = (_tables(net, scene_samples(data, True, sets=(name,))) for name in LATER_SCENES)
    both, one = np.zeros(2)
    for sample in scene_samples(data, True, sets=("weizmann_horse",)):
        truth, pixels = _read(sample)
        said = _parsed(net, pixels, truth.shape) == horse
        both, one = both + (said & (truth == horse)).sum(), one + (said | (truth == horse)).sum()
    found = {
        "horse_iou": round(float(both / one), 4),
        "horse_recall": round(scores(_sum(horses.values()))["pixel_accuracy"], 4),
        "coco_pixel_accuracy": round(scores(_sum(coco.values()))["pixel_accuracy"], 4),
    }
    taught = [s for s in photos_of(data, "validation") if s.labels is None]
    for name, wanted in (("rooms", ROOMS), ("house_fronts", ("frontal",)), ("sea", ("sea",))):
        same = total = 0
        samples = [s for s in taught if any(kind in s.image.stem for kind in wanted)]
        for sample in samples:
            ids = load_targets(sample).ids
            same += int(
                (_parsed(net, np.asarray(Image.open(sample.image).convert("RGB")), ids.shape) == ids).sum()
            )
            total += ids.size
        found[name] = {"photos": len(samples), "agreement_with_teacher": round(same / max(1, total), 4)}
    return found


def _parsed(net: AnySegNet, pixels: NDArray[np.uint8], size: tuple[int, ...]) -> NDArray[np.uint8]:
    """The labels of a photo at ``size``, ``house`` called ``building``: a query for either finds both."""
    import torch
    import torch.nn.functional as F

    with torch.inference_mode():
        found = F.interpolate(runtime.class_scores(net, pixels), size, mode="bilinear")[0]
        labels: NDArray[np.uint8] = decide(found, Confidence.of(net.config)).numpy()
    ours = vocabulary.default()
    labels[labels == ours.id_of("house")] = ours.id_of("building")
    return labels


def _tables(net: AnySegNet, samples: list[Sample]) -> dict[str, NDArray[np.int64]]:
    """By set, the confusion of what people say with what ``net`` says."""
    by_set: dict[str, NDArray[np.int64]] = {}
    for sample in samples:
        truth, pixels = _read(sample)
        table = confusion(truth, _parsed(net, pixels, truth.shape), CLASSES)
        by_set[sample.dataset] = by_set.get(sample.dataset, np.zeros_like(table)) + table
    return by_set


def _sum(tables: Iterable[NDArray[np.int64]]) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.sum(list(tables), axis=0)
    return total


def _milliseconds(samples: list[Sample]) -> float:
    """Median time of making the label map that ingest codes; the first photo warms up."""
    spent = []
    for sample in samples:
        _, pixels = _read(sample)
        began = time.perf_counter()
        segment_photo(SourcePhoto(pixels))
        spent.append((time.perf_counter() - began) * 1000)
    return round(float(np.median(spent[1:])), 1)


def _by_class(counts: NDArray[np.int64]) -> dict[str, int]:
    return {vocabulary.default().classes[c].name: int(n) for c, n in enumerate(counts) if n}


def test_time(data: Path) -> dict[str, Any]:
    """What other working areas, averaging with the mirrored photo and one of several networks alone give, on
    the calibration part of ``data`` (not on the validation split: these are settings), without the rule that
    says ``other``."""
    import torch
    import torch.nn.functional as F

    net = runtime.network("segnet")
    samples = scene_samples(data, validation=False, calibration=True)
    classes, rows = len(vocabulary.default()), []
    for look in _looks(net):
        table, spent = np.zeros((classes, classes), np.int64), []
        for sample in samples:
            truth, pixels = _read(sample)
            began = time.perf_counter()
            with torch.inference_mode():
                found = runtime.class_scores(net, pixels, look)
                guess = F.interpolate(found, truth.shape, mode="bilinear")[0].argmax(0).to(torch.uint8)
            spent.append((time.perf_counter() - began) * 1000)
            table += confusion(truth, guess.numpy(), classes)
        found_scores = scores(table)
        rows.append(
            {
                **asdict(look),
                "pixel_accuracy": round(found_scores["pixel_accuracy"], 4),
                "mean_iou": round(found_scores["mean_iou"], 4),
                "milliseconds_median": round(float(np.median(spent[1:])), 1),
            }
        )
    return {"photos": len(samples), "settings": rows}


def _looks(net: AnySegNet) -> list[Look]:
    """Every way to look at a photo that is compared."""
    areas = [round(net.config.area * factor) for factor in AREA_FACTORS]
    alone = (False, True) if isinstance(net, Together) else (False,)
    return [Look(*each) for each in product(areas, (False, True), alone)]


def _read(sample: Sample) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """People's labels and the photo."""
    assert sample.labels is not None
    return np.asarray(Image.open(sample.labels)), np.asarray(Image.open(sample.image).convert("RGB"))


def _confidence(samples: list[Sample]) -> dict[str, Any]:
    """How honest SegNet's probabilities are, and what the rule that says ``other`` does, at the label map's
    scale."""
    net = runtime.network("segnet")
    rule = Confidence.of(net.config)
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
