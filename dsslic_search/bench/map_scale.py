"""What the label map's scale costs and gives: its bytes, the answers to questions, and the whole file at
equal PSNR."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.bench import record
from dsslic_search.bench.metrics import bd_rate, bpp, psnr
from dsslic_search.bench.photos import photos_in, read_photo
from dsslic_search.codec import decoder, encoder, options
from dsslic_search.codec.layers import label_map
from dsslic_search.codec.layers.label_map import coder
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core import vocabulary
from dsslic_search.core.settings import DEFAULT_PRESENCE
from dsslic_search.features.coverage import coverage
from dsslic_search.networks import runtime
from dsslic_search.training.dataset import Sample, scene_samples

SCALES = (1, 2, 3, 4, 6)
QUALITIES = (25, 50, 75, 90)
SAMPLED_ONE_IN = 5  # of the labelled photos
BOUNDS = {"presence": DEFAULT_PRESENCE, "over 10%": 0.1, "over 30%": 0.3, "over 50%": 0.5}
"""Coverage, 0..1, from which each kind of question is answered with yes."""


def run(data: Path, images: Path) -> dict[str, Any]:
    """Answers on labelled photos under ``data``, rate and distortion on the photos of ``images``.

    The photos are of the training split: what is chosen here must not be chosen on the validation split.

    BD-rates are against the scale that the codec chooses by itself ("default").
    """
    scales = (*SCALES, None)
    samples = scene_samples(data, validation=False)[::SAMPLED_ONE_IN]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda scale: _answers(samples, scale), scales))
        photos = [read_photo(path) for path in photos_in(images)]
        curves = list(pool.map(lambda scale: _curve(photos, scale), scales))
    anchor = curves[-1]
    table = {}
    for scale, answer, curve in zip(scales, answers, curves, strict=True):
        rate = bd_rate(*zip(*anchor, strict=True), *zip(*curve, strict=True))
        table["default" if scale is None else f"1/{scale}"] = {
            **answer,
            "bd_rate_percent": round(rate, 3),
            "curve": curve,
        }
    return {
        "labelled_photos": len(samples),
        "photos": len(photos),
        "qualities": list(QUALITIES),
        "scales": table,
    }


def _answers(samples: list[Sample], scale: int | None) -> dict[str, Any]:
    score, sizes = PredicateScore(len(vocabulary.default())), []
    runtime.use_one_thread()
    for sample in samples:
        assert sample.labels is not None
        truth = np.asarray(Image.open(sample.labels))
        photo = SourcePhoto(np.asarray(Image.open(sample.image).convert("RGB")))
        labels, used = encoder.segment_photo(photo, scale)
        sizes.append(len(coder.encode(labels)))
        score.add(truth, label_map.enlarge(labels, used, photo.height, photo.width))
    return {"mean_map_bytes": round(float(np.mean(sizes)), 1), **score.summary()}


def _curve(photos: list[SourcePhoto], scale: int | None) -> list[tuple[float, float]]:
    """(mean bpp, mean PSNR) per quality."""
    runtime.use_one_thread()
    points = []
    for quality in QUALITIES:
        rates, scores = [], []
        for photo in photos:
            data = encoder.encode_photo(photo, options.EncodeOptions(quality, map_scale=scale)).data
            decoded = decoder.decode_stage(data).pixels
            rates.append(bpp(len(data), photo.height, photo.width))
            scores.append(psnr(photo.pixels if decoded.ndim == 3 else photo.pixels[..., 0], decoded))
        points.append((round(float(np.mean(rates)), 5), round(float(np.mean(scores)), 4)))
    return points


@dataclass
class PredicateScore:
    """Counts over photos and classes for each kind of question; feed it with :meth:`add`, read it with
    :meth:`summary`.

    Only pixels that people labelled count, in both maps, and only classes that they labelled anywhere are
    asked about.
    """

    classes: int
    truths: list[NDArray[np.float64]] = field(default_factory=list)
    guesses: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, truth: NDArray[np.uint8], guess: NDArray[np.uint8]) -> None:
        """Two label maps of one photo, uint8 [H, W]; ids of ``classes`` and above in ``truth`` are unknown.
        Photos that nobody labelled at all are left out."""
        known = truth < self.classes
        if known.any():
            self.truths.append(coverage(truth[known][None], self.classes))
            self.guesses.append(coverage(guess[known][None], self.classes))

    def summary(self) -> dict[str, dict[str, float]]:
        """Per kind precision, recall and F1 (0..1, over all photos and classes together), and the mean
        coverage error."""
        truth, guess = np.array(self.truths), np.array(self.guesses)
        asked = truth.max(0) > 0
        truth, guess = truth[:, asked], guess[:, asked]
        found: dict[str, dict[str, float]] = {}
        for kind, bound in BOUNDS.items():
            wanted, got = truth >= bound, guess >= bound
            right = float((wanted & got).sum())
            precision, recall = right / max(1, got.sum()), right / max(1, wanted.sum())
            f1 = 2 * right / max(1, wanted.sum() + got.sum())
            found[kind] = {"precision": round(precision, 4), "recall": round(recall, 4), "f1": round(f1, 4)}
        found["coverage"] = {"mean_absolute_error": round(float(np.abs(truth - guess).sum(1).mean() / 2), 5)}
        return found


def table(results: dict[str, Any]) -> list[str]:
    """The scales beside each other as lines for people."""
    return record.table(
        ("scale", "map bytes", "coverage error", "presence F1", ">30% F1", "BD-rate"),
        [
            (
                name,
                f"{row['mean_map_bytes']:.0f}",
                f"{row['coverage']['mean_absolute_error']:.4f}",
                f"{row['presence']['f1']:.4f}",
                f"{row['over 30%']['f1']:.4f}",
                f"{row['bd_rate_percent']:+.2f} %",
            )
            for name, row in results["scales"].items()
        ],
    )
