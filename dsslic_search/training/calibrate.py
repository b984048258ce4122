"""Make a trained SegNet say how sure it is, and what to leave unsaid, on photos that it was not trained
on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.core.settings import DEFAULT_PRESENCE
from dsslic_search.core.vocabulary import UNKNOWN
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.confidence import Confidence, decide
from dsslic_search.networks.look import PLAINLY, QUICKLY, Look
from dsslic_search.networks.segnets import AnySegNet, Together
from dsslic_search.training import offsets
from dsslic_search.training.dataset import LATER_SCENES, SCENES, Sample, photos_of, scene_samples

MAX_SIDE = 256  # pixels a side that are judged: those of label maps
TEMPERATURES = tuple(round(0.5 * 1.1**i, 3) for i in range(16))
OF_CLASS = (0.0, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55)
OF_PIXEL = (0.0, 0.15, 0.2, 0.25, 0.3)
BINS = 15
ONE_LEARNED_IN = 8  # photos that were trained on: enough to tell of rare classes
ONE_THING = ("weizmann_horse",)  # sets of which each photo shows one thing, which people marked


@dataclass(frozen=True)
class Judged:
    """What a rule does to photos: share of known pixels that are right, and F1 of "shows at least 0.5 % of
    class X"."""

    accuracy: float
    presence: float


def opened(path: Path) -> AnySegNet:
    """The SegNet in a weight file, whose classes are those that ``scenes/`` is labelled with. WeightsError
    when the file is unsound, UsageError when it is for another class list."""
    net: AnySegNet = runtime.load("segnet", path)
    if net.config.vocabulary:
        raise UsageError(
            f"{path}: is for a class list of its own, which the photos of scenes/ are not labelled with; "
            "only a SegNet for this package's classes can be judged by them"
        )
    return net


def scored(net: AnySegNet, samples: list[Sample], look: Look = PLAINLY) -> Iterator[tuple[Tensor, Tensor]]:
    """Of each photo the scores float32 [classes, h, w] and what people say, int64 [h, w] with ids past the
    classes unknown."""
    for sample in samples:
        assert sample.labels is not None
        truth = np.asarray(Image.open(sample.labels))
        scale = -(-max(truth.shape) // MAX_SIDE)
        size = -(-truth.shape[0] // scale), -(-truth.shape[1] // scale)
        ys, xs = (
            np.minimum(np.arange(n) * scale + scale // 2, full - 1)
            for n, full in zip(size, truth.shape, strict=True)
        )
        scores = runtime.class_scores(net, np.asarray(Image.open(sample.image).convert("RGB")), look)
        yield (
            F.interpolate(scores, size, mode="bilinear")[0],
            torch.from_numpy(truth[np.ix_(ys, xs)].astype(np.int64)),
        )


def negative_log_likelihood(photos: list[tuple[Tensor, Tensor]], temperature: float) -> float:
    """Mean over known pixels."""
    total, count = 0.0, 0
    for scores, truth in photos:
        known = truth < scores.shape[0]
        total += F.cross_entropy(scores[:, known].T / temperature, truth[known], reduction="sum").item()
        count += int(known.sum())
    return total / max(1, count)


def calibration_error(photos: list[tuple[Tensor, Tensor]], temperature: float) -> float:
    """Expected calibration error (Naeini et al. 2015): mean distance of confidence and accuracy over BINS
    equal bins, 0..1."""
    counts, sure, right = np.zeros((3, BINS))
    for scores, truth in photos:
        known = truth < scores.shape[0]
        confidence, labels = (scores[:, known] / temperature).softmax(0).max(0)
        place = np.minimum((confidence.numpy() * BINS).astype(int), BINS - 1)
        counts += np.bincount(place, minlength=BINS)
        sure += np.bincount(place, confidence.numpy(), BINS)
        right += np.bincount(place, (labels == truth[known]).numpy(), BINS)
    return float(np.abs(sure - right).sum() / max(1, counts.sum()))


def judge(photos: list[tuple[Tensor, Tensor]], rule: Confidence) -> Judged:
    """What ``rule`` makes of the scores, on pixels that people know; ``other`` is never the right answer
    here."""
    right, pixels, presence = _counted(photos, rule)
    both, said, there = presence[1:].sum(0)
    return Judged(right / max(1, pixels), float(2 * both / max(1, said + there)))


def _counted(photos: list[tuple[Tensor, Tensor]], rule: Confidence) -> tuple[int, int, NDArray[np.int64]]:
    """How many pixels are right, of how many that people know; and of each class how many photos show it and
    are said to, are said to, and show it, int64 [classes, 3]."""
    right = pixels = 0
    presence = np.zeros((photos[0][0].shape[0], 3), np.int64)
    for scores, truth in photos:
        classes = scores.shape[0]
        known = truth < classes
        labels, asked = decide(scores, rule)[known].long(), truth[known]
        right += int((labels == asked).sum())
        pixels += asked.numel()
        said, there = (
            torch.bincount(t, minlength=classes).numpy() >= max(1.0, DEFAULT_PRESENCE * asked.numel())
            for t in (labels, asked)
        )
        presence += np.stack([said & there, said, there], 1)
    return right, pixels, presence


def likeliest(photos: list[tuple[Tensor, Tensor]]) -> float:
    """The temperature by which people's labels are likeliest."""
    return min(TEMPERATURES, key=lambda t: negative_log_likelihood(photos, t))


def choose(photos: list[tuple[Tensor, Tensor]]) -> Confidence:
    """The likeliest temperature, then the rule of best presence F1 among those that lose no accuracy."""
    temperature = likeliest(photos)
    plain = judge(photos, Confidence(temperature))
    best, best_presence = Confidence(temperature), plain.presence
    for of_class in OF_CLASS:
        for of_pixel in OF_PIXEL:
            rule = Confidence(temperature, of_class, of_pixel)
            judged = judge(photos, rule)
            if judged.accuracy >= plain.accuracy and judged.presence > best_presence:
                best, best_presence = rule, judged.presence
    voting = replace(best, vote=True)
    judged = judge(photos, voting)
    return voting if judged.accuracy >= plain.accuracy and judged.presence > best_presence else best


def spared(learned: list[tuple[Tensor, Tensor]], classes: list[int], rule: Confidence) -> tuple[int, ...]:
    """Which of some classes should not be struck out: those whose presence in photos that were trained on is
    told less well (F1) with ``rule`` than without striking out."""
    if not classes:
        return ()
    struck, free = (
        2 * both / np.maximum(1, said + there)
        for both, said, there in (
            _counted(learned, each)[2].T for each in (rule, replace(rule, of_class=0.0))
        )
    )
    return tuple(c for c in classes if c and struck[c] < free[c])


def marked(sample: Sample, truth: Tensor) -> Tensor:
    """What people say of pixels; where they marked the one thing of a photo, ELSE for all others."""
    return truth.where(truth != UNKNOWN, offsets.ELSE) if sample.dataset in ONE_THING else truth


def _marked(samples: list[Sample], photos: list[tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
    return [(x, marked(sample, truth)) for sample, (x, truth) in zip(samples, photos, strict=True)]


def calibrate(data: Path, path: Path) -> str:
    """Choose on the calibration part of ``data``, write the choice into the weight file at ``path``; returns
    its new identity.

    Offsets of classes (`training.offsets`) are chosen on all of it, and of classes that it hardly shows on
    some photos that were trained on; the rest on the sets in which people labelled most of each photo alone:
    where they labelled one horse and nothing around it, calling all the rest ``other`` costs nothing, and
    seems best."""
    net = opened(path)
    samples = scene_samples(data, validation=False, calibration=True, sets=(*SCENES, *LATER_SCENES))
    every = list(scored(net, samples))
    learned = [s for s in photos_of(data, "training") if s.labels is not None][::ONE_LEARNED_IN]
    ours, theirs = _marked(samples, every), _marked(learned, list(scored(net, learned)))
    moved = offsets.chosen(ours, theirs)
    offsets.add(net, moved)
    for class_id in np.flatnonzero(moved).tolist():
        print(f"{vocabulary.default().classes[class_id].name}: offset {moved[class_id]}", flush=True)
    added = torch.from_numpy(moved)[:, None, None]
    first = [sample.dataset in SCENES for sample in samples]
    before = [photo for photo, chosen in zip(every, first, strict=True) if chosen]
    photos = [(scores + added, truth) for scores, truth in before]
    rule = choose(photos)
    rare = offsets.of_learned_alone(ours, theirs)
    rule = replace(rule, spared=spared([(scores + added, truth) for scores, truth in theirs], rare, rule))
    for name, of, each in (("as it was", before, Confidence()), ("calibrated", photos, rule)):
        judged, error = judge(of, each), calibration_error(of, each.temperature)
        print(
            f"{name}: {each}, accuracy {judged.accuracy:.4f}, presence F1 {judged.presence:.4f}, calibration "
            f"error {error:.4f}",
            flush=True,
        )
    config = replace(net.config, **asdict(rule))
    if isinstance(net, Together):
        same = [sample for sample, chosen in zip(samples, first, strict=True) if chosen]
        config = replace(config, quick=likeliest(list(scored(net, same, QUICKLY))))
        print(f"alone, at fewer pixels: temperature {config.quick}", flush=True)
    return weights.save(path, net, "segnet", config)
