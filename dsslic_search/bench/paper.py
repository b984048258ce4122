"""From the paper's way of coding to the one that ships, one replacement after the other.

The replacements, each on top of those before it: the residual by a fixed mapping with all chroma instead of
min–max with chroma of half size; the label-map coder instead of FLIF; the label map at the size that files
have; the compact image in HEVC; the photo along its own colour axes instead of a residual; the restoration.
The finer compact image that files of low quality have for previews replaces nothing, and is left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dsslic_search.bench import record
from dsslic_search.bench.compare import bd_rates
from dsslic_search.bench.metrics import bpp, psnr
from dsslic_search.bench.photos import photos_in, read_photo
from dsslic_search.codec import encoder, fitting, prediction, reduction
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.layers import axes, compact, label_map, normalised, residual
from dsslic_search.codec.layers.planes import read_planes
from dsslic_search.codec.layers.terms import SIXTY_FOURTHS, Terms, read_terms
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.codec.quality import effort, quantisers
from dsslic_search.core.settings import DEFAULT_EFFORT
from dsslic_search.networks import grid, runtime
from dsslic_search.networks.grid import SCALE

QUALITIES = (25, 50, 75, 90)
STEPS = (
    "paper",
    "fixed mapping, 4:4:4",
    "label-map coder",
    "smaller label map",
    "compact image in HEVC",
    "colour axes, no prediction",
    "restoration",
)
Pixels = NDArray[np.uint8]
_WARM_SIDE = 64
T = TypeVar("T")


@dataclass
class Way:
    """A photo at one quality, coded in one of the ways of :data:`STEPS`: bytes, and CPU seconds of coding and
    decoding, by layer; PSNR in dB."""

    sizes: dict[str, int] = field(default_factory=dict)
    encoding: dict[str, float] = field(default_factory=dict)
    decoding: dict[str, float] = field(default_factory=dict)
    psnr_rgb: float = 0.0


@dataclass
class Coded:
    """A layer with its coding's seconds and its decoding's, and what it decodes to."""

    chunk: Chunk
    seconds: tuple[float, float]
    shown: Any


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.process_time()
    return work(), time.process_time() - start


def _coded(encode: Callable[[], Chunk], decode: Callable[[Chunk], Any]) -> Coded:
    chunk, encoding = _timed(encode)
    shown, decoding = _timed(lambda: decode(chunk))
    return Coded(chunk, (encoding, decoding), shown)


class _Subject:
    """One photo, with the layers that do not depend on the quality."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels, self.size = pixels, pixels.shape[:2]
        photo = SourcePhoto(pixels)
        labels, _ = encoder.segment_photo(photo, 1)
        few, self.scale = encoder.segment_photo(photo)

        def of_map(labels: Pixels, as_flif: bool) -> Coded:
            return _coded(
                lambda: label_map.encode(labels, as_flif=as_flif),
                lambda chunk: label_map.decode(chunk, labels.shape),
            )

        self.maps = {
            "paper": of_map(labels, True),
            "label-map coder": of_map(labels, False),
            "smaller label map": of_map(few, False),
        }
        small = reduction.compact_image(pixels)
        self.small = small
        self.flif = _coded(lambda: compact.encode_as_flif(small), lambda c: compact.decode(c, False))
        self.axes = axes.principal(pixels)

    def ways(self, quality: int) -> Iterator[Way]:
        """In the order of :data:`STEPS`."""
        qps, tools = quantisers(quality), effort(DEFAULT_EFFORT)
        large, coded_large = self.maps["paper"], self.maps["label-map coder"]
        few = self.maps["smaller label map"]
        hevc = _coded(
            lambda: compact.encode(self.small, qps.compact), lambda chunk: compact.decode(chunk, False)
        )
        min_max = self._normalised(large, 1, self.flif, normalised.MIN_MAX, qps.residual)
        yield self._way(large, self.flif, *min_max)
        fixed = self._normalised(large, 1, self.flif, normalised.FIXED, qps.residual)
        yield self._way(large, self.flif, *fixed)
        yield self._way(coded_large, self.flif, *fixed)
        on_few = self._normalised(few, self.scale, self.flif, normalised.FIXED, qps.residual)
        yield self._way(few, self.flif, *on_few)
        on_hevc = self._normalised(few, self.scale, hevc, normalised.FIXED, qps.residual)
        yield self._way(few, hevc, *on_hevc)
        terms = Terms(0, axes=self.axes)
        search = fitting.search_for(self.pixels, tools.search)
        plain = _coded(
            lambda: residual.chunk(
                terms,
                residual.encode_picture(self.pixels, qps.residual, terms, preset=tools.preset, search=search),
            ),
            lambda chunk: residual.reconstruct_whole(self._planes(chunk), terms),
        )
        yield self._way(few, hevc, plain, 0.0)
        planes, marks = self._planes(plain.chunk), self._marks(few, self.scale)
        strength, fitting_took = _timed(
            lambda: fitting.restoration_strength(self.pixels, planes, terms, None, marks, qps.residual)
        )
        restored, took = _timed(
            lambda: runtime.restore(
                residual.reconstruct(planes, terms), marks, qps.residual, strength / SIXTY_FOURTHS
            )
        )
        told = replace(terms, strength=strength, restorer=runtime.identity("restorer"))
        chunk = residual.chunk(told, read_terms(plain.chunk.data, False)[1])
        encoding, decoding = plain.seconds
        more = Coded(chunk, (encoding + fitting_took, decoding + took), restored)
        yield self._way(few, hevc, more, 0.0)

    def _planes(self, chunk: Chunk) -> tuple[NDArray[np.uint16], ...]:
        return read_planes(read_terms(chunk.data, False)[1], False, axes.BIT_DEPTH, self.size)

    def _marks(self, labels: Coded, scale: int) -> NDArray[np.int64]:
        cells = -(-self.size[0] // SCALE), -(-self.size[1] // SCALE)
        return grid.network_labels(labels.shown, scale, cells)

    def _normalised(self, labels: Coded, scale: int, small: Coded, kind: int, qp: int) -> tuple[Coded, float]:
        """The residual over x′, and the seconds of x′."""
        coarse, took = _timed(
            lambda: prediction.coarse_image(
                small.shown, self._marks(labels, scale), self.size, False, runtime.UNDER_RESIDUAL
            )
        )
        preset = effort(DEFAULT_EFFORT).preset
        coded = _coded(
            lambda: normalised.encode(self.pixels, coarse, kind, qp, preset)[0],
            lambda chunk: normalised.decode(chunk, coarse),
        )
        return coded, took

    def _way(self, labels: Coded, small: Coded, last: Coded, coarse_took: float) -> Way:
        parts = {"map": labels, "compact": small, "residual": last}
        way = Way(
            {name: len(part.chunk.data) for name, part in parts.items()},
            {name: part.seconds[0] for name, part in parts.items()},
            {name: part.seconds[1] for name, part in parts.items()},
            psnr(self.pixels, last.shown),
        )
        if coarse_took:
            way.encoding["coarse"] = way.decoding["coarse"] = coarse_took
        return way


def measure(path: Path) -> list[list[Way]]:
    """By quality, then by step."""
    _warm()
    subject = _Subject(read_photo(path).pixels)
    return [list(subject.ways(quality)) for quality in QUALITIES]


@cache
def _warm() -> None:
    """Load networks and compile what is compiled on first use, so that no photo's seconds have it."""
    runtime.use_one_thread()
    noise = np.random.default_rng(0).integers(0, 256, (_WARM_SIDE, _WARM_SIDE, 3)).astype(np.uint8)
    list(_Subject(noise).ways(50))


def run(folder: Path, workers: int | None = None) -> dict[str, Any]:
    """Every photo of a folder in all ways at all qualities; bytes are those of the layers, without the header
    that all ways have alike. ``workers``: processes; one a core if None, 1 works in this process."""
    paths = photos_in(folder)
    count = min(workers or os.cpu_count() or 1, len(paths))
    if count == 1:
        found = [measure(path) for path in paths]
    else:
        with ProcessPoolExecutor(count) as pool:
            found = list(pool.map(measure, paths))
    pixels = [read_photo(path).pixels.shape[:2] for path in paths]
    steps = {
        step: [
            {"quality": quality, **_mean([photo[at][place] for photo in found], pixels)}
            for at, quality in enumerate(QUALITIES)
        ]
        for place, step in enumerate(STEPS)
    }
    return {"photos": len(paths), "steps": steps, "bd_rate_percent": gains(steps)}


def _mean(ways: list[Way], sizes: list[tuple[int, ...]]) -> dict[str, Any]:
    def over(read: Callable[[Way], Mapping[str, float]]) -> dict[str, float]:
        names = dict.fromkeys(name for way in ways for name in read(way))
        return {name: round(float(np.mean([read(way)[name] for way in ways])), 5) for name in names}

    rates = [bpp(sum(way.sizes.values()), *size[:2]) for way, size in zip(ways, sizes, strict=True)]
    by_layer = {
        "bytes": over(lambda way: way.sizes),
        "encode_cpu_seconds": over(lambda way: way.encoding),
        "decode_cpu_seconds": over(lambda way: way.decoding),
    }
    shown = {
        "bpp": round(float(np.mean(rates)), 6),
        "psnr_rgb": round(float(np.mean([w.psnr_rgb for w in ways])), 4),
    }
    return {**shown, **by_layer}


def gains(steps: Mapping[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """By step: BD-rate by PSNR against the step before, and against the first, where both have the same."""
    names = list(steps)
    return {
        name: {
            "against_the_step_before": bd_rates(steps[before], steps[name], "psnr_rgb")["all"],
            "against_the_paper": bd_rates(steps[names[0]], steps[name], "psnr_rgb")["all"],
        }
        for before, name in pairwise(names)
    }


def table(found: Mapping[str, Any]) -> list[str]:
    """For people: at the middle quality bytes, dB and milliseconds, and over all of them BD-rates."""
    middle = QUALITIES.index(50)
    rows = []
    for step, means in found["steps"].items():
        mean, rates = means[middle], found["bd_rate_percent"].get(step, {})
        sizes = mean["bytes"]
        rows.append(
            (
                step,
                *(f"{sizes[name]:.0f}" for name in ("map", "compact", "residual")),
                f"{mean['psnr_rgb']:.2f}",
                *(
                    f"{1000 * sum(mean[name].values()):.0f}"
                    for name in ("encode_cpu_seconds", "decode_cpu_seconds")
                ),
                *(
                    f"{rates[name]['percent']:+.1f}" if rates.get(name) else ""
                    for name in ("against_the_step_before", "against_the_paper")
                ),
            )
        )
    head = (
        "quality 50",
        "map",
        "compact",
        "residual",
        "dB",
        "encode ms",
        "decode ms",
        "BD-rate, step",
        "in all",
    )
    return record.table(head, rows)
