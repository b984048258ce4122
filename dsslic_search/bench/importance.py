"""What ``--importance`` does at equal bytes: PSNR on the pixels of the class that matters, and on all others.

Each photo is coded with the class weighted and, at qualities around, plainly; the plain curve is read at the
weighted file's bytes, straight in the logarithm of bytes between its two neighbours. Which pixels are of the
class says the label map in the file, as for the codec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.bench.photos import photos_in, read_photo
from dsslic_search.codec import decoder, encoder
from dsslic_search.codec.layers import label_map
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.networks import runtime
from dsslic_search.query.language.weights import importance_of

CLASS_SHARE = 0.03, 0.9  # of the photo; the least and the most that the class may cover
QUALITY_STEP = 6  # between points of the plain curve
TRIED_A_PHOTO = 25  # photos looked at, at most, for each that is wanted
_GOLDEN = 0.6180339887


@dataclass(frozen=True)
class Case:
    """Photos of a folder on which things called ``word`` matter ``value`` times as much."""

    folder: Path
    word: str
    value: float = 4.0


@dataclass(frozen=True)
class _Point:
    """One file: bytes, and mean squared errors on the class, elsewhere and overall."""

    size: int
    errors: tuple[float, float, float]


def run(
    cases: Sequence[Case],
    *,
    photos: int = 12,
    quality: int = 50,
    effort: int = 6,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """For each case the first ``photos`` photos that show the class, at the bytes that ``quality`` gives with
    it weighted."""
    found = []
    for n, case in enumerate(cases):
        importance = importance_of({case.word: case.value}, vocabulary.default())
        options = EncodeOptions(quality, effort=effort, importance=importance)
        chosen = list(_showing(case.folder, [class_id for class_id, _ in importance], photos))
        if not chosen:
            raise UsageError(f"{case.folder}: no photo there shows {case.word} on {CLASS_SHARE[0]:.0%} of it")
        with ThreadPoolExecutor(workers, initializer=runtime.use_one_thread) as pool:
            rows = [row for row in pool.map(partial(_measure, options), *zip(*chosen, strict=True)) if row]
        found.append(
            {
                "images": str(case.folder),
                "class": case.word,
                "importance": case.value,
                "photos": len(rows),
                **_means(rows),
                "rows": rows,
            }
        )
        if progress:
            progress(n + 1, len(cases))
    return {"quality": quality, "effort": effort, "cases": found}


def _showing(
    folder: Path, classes: list[int], count: int
) -> Iterator[tuple[Path, SourcePhoto, NDArray[np.bool_]]]:
    """Photos, spread over a folder, and where they show the classes."""
    paths = photos_in(folder)
    order = sorted(range(len(paths)), key=lambda i: (i * _GOLDEN) % 1)
    for i in order[: TRIED_A_PHOTO * count]:
        photo = read_photo(paths[i])
        labels, scale = encoder.segment_photo(photo)
        inside = label_map.enlarge(
            np.isin(labels, classes).astype(np.uint8), scale, photo.height, photo.width
        ).astype(bool)
        if CLASS_SHARE[0] <= inside.mean() <= CLASS_SHARE[1]:
            yield paths[i], photo, inside
            count -= 1
        if not count:
            return


def _measure(
    options: EncodeOptions, path: Path, photo: SourcePhoto, inside: NDArray[np.bool_]
) -> dict[str, Any] | None:
    """Figures of one photo; None where no plain file is of the weighted one's bytes."""
    weighted = _point(photo, inside, options)
    plain = replace(options, importance=())
    low = high = options.quality
    curve = {low: _point(photo, inside, plain)}
    while curve[low].size > weighted.size and low > 1:
        low = max(1, low - QUALITY_STEP)
        curve[low] = _point(photo, inside, replace(plain, quality=low))
    while curve[high].size < weighted.size and high < 100:
        high = min(100, high + QUALITY_STEP)
        curve[high] = _point(photo, inside, replace(plain, quality=high))
    points = [curve[quality] for quality in sorted(curve)]
    if not points[0].size <= weighted.size <= points[-1].size:
        return None
    at = np.log(weighted.size)
    sizes = np.log([point.size for point in points])
    levels = [float(np.interp(at, sizes, [_decibels(point.errors[k]) for point in points])) for k in range(3)]
    row: dict[str, Any] = {
        "photo": path.name,
        "share": round(float(inside.mean()), 4),
        "bytes": weighted.size,
    }
    for k, where in enumerate(("class", "elsewhere", "all")):
        with_it = _decibels(weighted.errors[k])
        row[where] = {
            "plain": round(levels[k], 3),
            "weighted": round(with_it, 3),
            "gain": round(with_it - levels[k], 3),
        }
    return row


def _point(photo: SourcePhoto, inside: NDArray[np.bool_], options: EncodeOptions) -> _Point:
    data = encoder.encode_photo(photo, options).data
    shown = decoder.decode_stage(data).pixels
    wanted = photo.pixels[..., 0] if photo.grey else photo.pixels
    error = np.square(shown.astype(np.float32) - wanted)
    per_pixel = error if photo.grey else error.mean(2)
    parts = (per_pixel[inside], per_pixel[~inside], per_pixel)
    first, second, third = (float(part.mean(dtype=np.float64)) for part in parts)
    return _Point(len(data), (first, second, third))


def _decibels(error: float) -> float:
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def _means(rows: list[dict[str, Any]]) -> dict[str, Any]:
    def mean(where: str, which: str) -> float:
        return round(float(np.mean([row[where][which] for row in rows])), 3) if rows else float("nan")

    shares = [row["share"] for row in rows]
    means = {
        where: {which: mean(where, which) for which in ("plain", "weighted", "gain")}
        for where in ("class", "elsewhere", "all")
    }
    return {
        "mean_share": round(float(np.mean(shares)), 4) if rows else 0.0,
        "better_on_class": sum(row["class"]["gain"] > 0 for row in rows),
        "psnr": means,
    }
