"""What keep mode "reference" loses by looking at fewer pixels: its label map, compact image and answers
beside those of the whole photo."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.bench.metrics import psnr
from dsslic_search.bench.photos import photos_in
from dsslic_search.bench.throughput import MEGAPIXELS, enlarge
from dsslic_search.codec import reduction
from dsslic_search.codec.encoder import segment_photo
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto, open_photo
from dsslic_search.core import vocabulary
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS, DEFAULT_PRESENCE
from dsslic_search.features.coverage import coverage
from dsslic_search.networks import grid, runtime


class _Seen(NamedTuple):
    """Of one photo: its label map, compact image, coarse image, and the classes that count as present."""

    labels: NDArray[np.uint8]
    compact: NDArray[np.uint8]
    coarse: NDArray[np.uint8]
    present: frozenset[int]


ENLARGED_PHOTOS = 12  # at the most


def run(images: Path) -> dict[str, Any]:
    """:func:`compare` for the first twelve photos of ``images``, enlarged to 12 megapixels."""
    count = min(ENLARGED_PHOTOS, len(photos_in(images)))
    with tempfile.TemporaryDirectory() as place:
        return compare(enlarge(images, Path(place) / "enlarged", count, MEGAPIXELS))


def compare(folder: Path) -> dict[str, Any]:
    """Every photo of ``folder`` as keep mode reference sees it beside all its pixels. ``answers``: pairs of a
    photo and a class where a query by the class finds the photo in both cases, and in one alone."""
    options = EncodeOptions(keep="reference")
    rows, both, one = [], 0, 0
    for path in photos_in(folder):
        data = path.read_bytes()
        whole = open_photo(data, path.name, DEFAULT_MAX_PIXELS)
        reduced = reduction.open_for(data, path.name, DEFAULT_MAX_PIXELS, options)
        before, now = _seen(whole, reduce=False), _seen(reduced, reduce=True)
        both += len(before.present & now.present)
        one += len(before.present ^ now.present)
        rows.append(
            {
                "photo": path.name,
                "shrink": reduction.shrunk(reduced),
                "labels_equal": float((before.labels == now.labels).mean()),
                "compact_db": psnr(before.compact, now.compact),
                "coarse_db": psnr(before.coarse, now.coarse),
                "coarse_db_to_photo": psnr(whole.pixels, now.coarse),
                "coarse_db_to_photo_before": psnr(whole.pixels, before.coarse),
            }
        )
    figures = [name for name, value in rows[0].items() if isinstance(value, float)]
    return {
        "photos": len(rows),
        "mean": {name: round(float(np.mean([row[name] for row in rows])), 4) for name in figures},
        "least": {name: round(float(np.min([row[name] for row in rows])), 4) for name in figures},
        "answers": {"in_both": both, "in_one": one},
        "rows": rows,
    }


def _seen(photo: SourcePhoto, reduce: bool) -> _Seen:
    labels, scale = segment_photo(photo)
    cells = -(-photo.height // grid.SCALE), -(-photo.width // grid.SCALE)
    marks = grid.network_labels(labels, scale, cells)
    compact = reduction.box_average(photo) if reduce else runtime.make_compact(photo.pixels, marks)
    fractions = coverage(labels, len(vocabulary.default()))
    return _Seen(
        labels,
        compact,
        runtime.make_coarse(compact, marks, photo.height, photo.width, runtime.SHOWN),
        frozenset(int(i) for i in np.flatnonzero(fractions >= DEFAULT_PRESENCE)),
    )
