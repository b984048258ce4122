"""What the label map's scale costs and gives: its bytes, the answers to questions, and the whole file at
equal PSNR."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dsslic_search.bench.metrics import bd_rate, bpp, psnr
from dsslic_search.bench.predicates import PredicateScore
from dsslic_search.bench.rd import photos_in
from dsslic_search.codec import decoder, encoder, options
from dsslic_search.codec.layers import label_map
from dsslic_search.codec.layers.label_map import coder
from dsslic_search.codec.picture.open import SourcePhoto, open_photo
from dsslic_search.core import vocabulary
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS
from dsslic_search.networks import runtime
from dsslic_search.training.dataset import Sample, scene_samples

SCALES = (1, 2, 3, 4, 6)
QUALITIES = (25, 50, 75, 90)
LABELLED_ONE_IN = 5


def run(data: Path, images: Path) -> dict[str, Any]:
    """Answers on labelled photos under ``data``, rate and distortion on the photos of ``images``.

    The photos are of the training split: what is chosen here must not be chosen on the validation split.

    BD-rates are against the scale that the codec chooses by itself ("default").
    """
    scales = (*SCALES, None)
    samples = scene_samples(data, validation=False)[::LABELLED_ONE_IN]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda scale: _answers(samples, scale), scales))
        photos = [open_photo(path.read_bytes(), path.name, DEFAULT_MAX_PIXELS) for path in photos_in(images)]
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
