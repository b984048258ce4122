"""Indexes of as many photos as are wanted, in segments: one is made of photos of `bench.synthetic`, and the
others are copies of its files whose photos have ids of their own.

So archives of tens of millions of photos can be asked though making each photo would take hours. Copies are
files of their own, so that they take their room on disk and in memory as others do.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dsslic_search.archive.features import MapFeatures
from dsslic_search.bench.synthetic import Coverages, Synthetic, SyntheticSource
from dsslic_search.core import vocabulary
from dsslic_search.index import cache, segment, segments
from dsslic_search.index.columns import open_columns
from dsslic_search.index.files import open_files
from dsslic_search.index.regions.table import open_regions
from dsslic_search.index.segment import FORMAT, ROWS, Segment
from dsslic_search.index.source import InOrder, Snapshot, State
from dsslic_search.index.vectors.image import open_image_vectors
from dsslic_search.index.vectors.table import open_vectors
from dsslic_search.index.words import open_words
from dsslic_search.query.run.execute import Indexes

KINDS: dict[str, Callable[[Segment], object]] = {
    "coverage": open_columns,
    "files": open_files,
    "regions": open_regions,
    "layout": open_vectors,
    "words": open_words,
    "image": open_image_vectors,
}
"""What opens each kind of index."""
_LISTED = "segments.json"


def grow(
    folder: Path,
    features: Sequence[MapFeatures],
    photos: int,
    kinds: Sequence[str] = tuple(KINDS),
    least: int = 1,
) -> dict[str, Any]:
    """Make the indexes of ``kinds`` in ``folder`` for ``photos`` photos made from ``features``, in at least
    ``least`` segments of which none has more than `segments.MAX_PHOTOS`: rounded up to a whole number of
    segments that are as large. Returns how many ``photos`` and
    ``segments`` there are, ``seconds_to_build`` each index of one segment, and ``bytes_a_photo``."""
    own = min(-(-photos // least), segments.MAX_PHOTOS)
    made = Synthetic(features, own)
    source, classes = SyntheticSource(made), vocabulary.default()
    (first,) = segments.open_segments(source, folder, classes).parts
    seconds = {}
    for kind in kinds:
        began = time.perf_counter()
        KINDS[kind](first)
        seconds[kind] = round(time.perf_counter() - began, 2)
    for name, array in made.exact._asdict().items():
        np.save(folder / f"{name}.npy", array)
    names = [first.name]
    for number in range(1, -(-photos // own)):
        rows = {name: np.asarray(array) for name, array in first.rows.items()}
        copied = segment.made(
            source, made.state, classes, folder, InOrder(rows["ids"] + number * own, rows["moments"])
        )
        for kind in kinds:
            shutil.copyfile(folder / f"{first.name}.{kind}", folder / f"{copied.name}.{kind}")
        names.append(copied.name)
    (folder / _LISTED).write_text(json.dumps({"state": made.state, "names": names}))
    sizes = {
        kind: round((folder / f"{first.name}.{kind}").stat().st_size / own, 1) for kind in (*kinds, ROWS)
    }
    return {
        "photos": own * len(names),
        "segments": len(names),
        "seconds_to_build": seconds,
        "bytes_a_photo": sizes | {"all": round(sum(sizes.values()), 1)},
    }


def opened(folder: Path) -> list[Indexes]:
    """The indexes of each segment that :func:`grow` made; those of kinds that it did not make must not be
    asked for."""
    listed = json.loads((folder / _LISTED).read_text())
    exact = Coverages(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in Coverages._fields))
    state = State(*listed["state"])
    catalog = SyntheticSource(cast(Snapshot, _Answering(state, exact)))
    classes, found = vocabulary.default(), []
    for name in listed["names"]:
        rows = cache.load(folder / f"{name}.{ROWS}", ROWS, FORMAT)
        assert rows is not None
        own = Segment(catalog, state, classes, name, folder, rows, {state})
        found.append(Indexes.of(own))
    return found


@dataclass(frozen=True)
class _Answering:
    """What answers ask of a catalog when all indexes are there: its state, and exact coverages."""

    state: State
    exact: Coverages

    def covered(self, ids: NDArray[np.int64], classes: Sequence[int]) -> NDArray[np.float64]:
        return self.exact.covered(ids, classes)
