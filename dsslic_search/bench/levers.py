"""What each means of the codec gains by itself, on clean photos that no network was trained on: choices are
made here, not on Kodak.

BD-rates are by PSNR of the RGB pixels against BPG 4:4:4 (8 bits, YCbCr), the mean of the photos' own, over
the QPs below. The means are judged on the last layer alone; what header, label map and compact image cost is
beside them.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.bench.metrics import bd_rate, psnr
from dsslic_search.codec import bpg, encoder, prediction
from dsslic_search.codec.bpg.colour import rescale
from dsslic_search.codec.bpg.x265 import Search
from dsslic_search.codec.layers import axes, compact, residual
from dsslic_search.codec.layers.label_map import coder
from dsslic_search.codec.layers.planes import read_planes
from dsslic_search.codec.layers.terms import SIXTY_FOURTHS, Terms
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core.errors import UsageError
from dsslic_search.networks import grid, runtime
from dsslic_search.networks.grid import SCALE
from dsslic_search.training.codec import clean_photos, held_out
from dsslic_search.training.restoration import tiles_of

QPS = (22, 27, 32, 37, 42)
OFFSETS = (0, 4, 8, 12)
TRUSTS = (16, 32, 64)

Pixels = NDArray[np.uint8]
Point = tuple[int, float]  # bytes, PSNR in dB


@dataclass(frozen=True)
class Subject:
    """A photo and what does not depend on the QP: its axes, labels for the networks, and compact image."""

    pixels: Pixels
    axes: axes.Axes
    marks: NDArray[np.int64]
    compact: Pixels
    map_bytes: int


def subject(pixels: Pixels) -> Subject:
    """Segments a photo, uint8 [H, W, 3]."""
    labels, scale = encoder.segment_photo(SourcePhoto(pixels))
    marks = grid.network_labels(labels, scale, (-(-pixels.shape[0] // SCALE), -(-pixels.shape[1] // SCALE)))

    return Subject(
        pixels,
        axes.principal(pixels),
        marks,
        runtime.make_compact(pixels, marks),
        len(coder.encode(labels)),
    )


def _anchor(of: Subject, qp: int) -> Point:
    data = bpg.encode(of.pixels, qp=qp)
    return len(data), psnr(of.pixels, bpg.decode(data, max_pixels=of.pixels.size).rgb8())


def _ten_bits(of: Subject, qp: int) -> Point:
    data = bpg.encode(rescale(of.pixels, bit_depth=8, out_depth=10), qp=qp, bit_depth=10)
    shown = rescale(bpg.decode(data, max_pixels=of.pixels.size).rgb_native(), bit_depth=10, out_depth=8)
    return len(data), psnr(of.pixels, shown.astype(np.uint8))


def _layer(
    trust: int = 0, search: Search = Search.PLAIN, restored: bool = False
) -> Callable[[Subject, int], Point]:
    def code(of: Subject, qp: int) -> Point:
        terms, coarse = Terms(trust, axes=of.axes), None
        if trust:
            compact_image = compact.decode(compact.encode(of.compact, min(51, qp + 8)), False)
            coarse = prediction.coarse_image(
                compact_image, of.marks, of.pixels.shape[:2], False, runtime.UNDER_RESIDUAL
            )
        data = residual.encode_picture(of.pixels, qp, terms, coarse=coarse, search=search)
        decoded = residual.reconstruct(
            read_planes(data, False, axes.BIT_DEPTH, of.pixels.shape[:2]), terms, coarse=coarse
        )
        shown = runtime.restore(decoded, of.marks, qp, 1.0) if restored else residual.whole(decoded)
        return len(data) + len(terms.to_bytes()), psnr(of.pixels, shown)

    return code


MEANS: dict[str, Callable[[Subject, int], Point]] = {
    "10 bits": _ten_bits,
    "colour axes": _layer(),
    **{f"colour axes, trust {trust}/{SIXTY_FOURTHS}": _layer(trust) for trust in TRUSTS},
    "colour axes, thorough": _layer(search=Search.PHOTO),
    "colour axes, thorough, restoration": _layer(search=Search.PHOTO, restored=True),
}


def run(data: Path, workers: int = 2) -> dict[str, Any]:
    """Measure the held-out clean photos of a data folder, a tile of 512 × 512 pixels of each, ``workers`` at
    once."""
    files = [sample.image for sample in clean_photos(data) if held_out(sample)]
    if not files:
        raise UsageError(f"{data}: no clean photos here; expected codec/<set>/images and teacher")

    def one(path: Path) -> tuple[dict[str, list[Point]], dict[str, Any]]:
        runtime.use_one_thread()
        of = subject(tiles_of(path)[0])
        points = {name: [code(of, qp) for qp in QPS] for name, code in {"anchor": _anchor, **MEANS}.items()}
        return points, _overhead(of)

    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(one, files))
    means = {
        name: _summary([points[name] for points, _ in found], [points["anchor"] for points, _ in found])
        for name in MEANS
    }
    anchor = [float(np.mean([points["anchor"][i][0] for points, _ in found])) for i in range(len(QPS))]
    overhead = {
        key: (np.round(np.mean([extra[key] for _, extra in found], 0), 2)).tolist()
        for key in ("map_bytes", "compact_bytes", "coarse_psnr_rgb")
    }
    return {
        "photos": len(files),
        "qps": QPS,
        "anchor_bytes": [round(value) for value in anchor],
        "compact_qp_offsets": OFFSETS,
        **overhead,
        "bd_rate_psnr_percent": means,
    }


def _overhead(of: Subject) -> dict[str, Any]:
    """Bytes of the compact image and PSNR of the coarse one, by offset of its QP and by QP."""
    sizes, qualities = [], []
    for offset in OFFSETS:
        coded = [compact.encode(of.compact, min(51, qp + offset)) for qp in QPS]
        sizes.append([len(chunk.data) for chunk in coded])
        shown = [
            prediction.coarse_image(
                compact.decode(chunk, False),
                of.marks,
                of.pixels.shape[:2],
                False,
                runtime.UNDER_RESIDUAL,
            )
            for chunk in coded
        ]
        qualities.append([psnr(of.pixels, coarse) for coarse in shown])
    return {"map_bytes": of.map_bytes, "compact_bytes": sizes, "coarse_psnr_rgb": qualities}


def _summary(curves: list[list[Point]], anchors: list[list[Point]]) -> dict[str, float]:
    """Mean, best and worst BD-rate over the photos, in percent, and that of the two lowest and of the two
    highest rates."""
    each = [_bd(anchor, curve) for anchor, curve in zip(anchors, curves, strict=True)]
    low = [_bd(anchor[-3:], curve[-3:]) for anchor, curve in zip(anchors, curves, strict=True)]
    high = [_bd(anchor[:3], curve[:3]) for anchor, curve in zip(anchors, curves, strict=True)]
    values = {
        "mean": np.mean(each),
        "best": np.min(each),
        "worst": np.max(each),
        "low_rates": np.mean(low),
        "high_rates": np.mean(high),
    }
    return {name: round(float(value), 2) for name, value in values.items()}


def _bd(anchor: list[Point], curve: list[Point]) -> float:
    return bd_rate(
        [p[0] for p in anchor], [p[1] for p in anchor], [p[0] for p in curve], [p[1] for p in curve]
    )
