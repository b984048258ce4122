"""Layout retrieval: how good an order of photos is, by the label maps that people made of them; see
docs/layout.md.

Each labelled photo of a split asks for the others, all sets together. How relevant one photo is to another is
read off the label maps that people made; what is ranked are the label maps that SegNet made.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.bench import record
from dsslic_search.bench.photos import read_photo
from dsslic_search.codec.encoder import segment_photo
from dsslic_search.core import vocabulary
from dsslic_search.core.cached import cached_property
from dsslic_search.networks import runtime
from dsslic_search.training.dataset import Sample, scene_samples

GRID_SIDE = 32  # label maps are compared on so many points a side
MIN_SHARED_POINTS = 0.1  # of the points must be known in both maps; else a photo counts as irrelevant
NDCG_DEPTH = 10  # photos of an order that count
MIN_SET_PHOTOS = 20  # of a set whose mean counts by itself
ONE_CLASS_SETS = ("ccp",)  # sets in which people labelled one class: there every pair is a perfect match

Map = NDArray[np.uint8]
Matrix = NDArray[np.float32]


def on_grid(label_map: Map, side: int = GRID_SIDE) -> Map:
    """The labels under the middles of side x side equal parts."""
    rows, columns = ((2 * np.arange(side) + 1) * n // (2 * side) for n in label_map.shape)
    return label_map[np.ix_(rows, columns)]


def relevance(asked: Map, others: Map, classes: int) -> Matrix:
    """Mean IoU by class of each of ``asked`` with each of ``others``, uint8 [n, points] and [m, points]:
    float32 [n, m].

    Only points that are known (< ``classes``) in both count; the mean is over the classes that either map has
    there. 0 where fewer than MIN_SHARED_POINTS of the points asked for are known in both."""
    known_a, known_b = (asked < classes).astype(np.float32), (others < classes).astype(np.float32)
    total, count = (
        np.zeros((len(asked), len(others)), np.float32),
        np.zeros((len(asked), len(others)), np.float32),
    )
    for class_id in (
        np.unique(asked[asked < classes]).tolist() + np.setdiff1d(others[others < classes], asked).tolist()
    ):
        a, b = (asked == class_id).astype(np.float32), (others == class_id).astype(np.float32)
        common = a @ b.T
        either = a @ known_b.T + known_a @ b.T - common
        there = either > 0
        total[there] += common[there] / either[there]
        count += there
    total /= np.maximum(count, 1)
    total[known_a @ known_b.T < MIN_SHARED_POINTS * known_a.shape[1]] = 0
    return total


def ndcg(likeness: Matrix, relevant: Matrix, depth: int = NDCG_DEPTH) -> NDArray[np.float64]:
    """Normalised discounted cumulative gain of each row, float64[n], 0..1; NaN where nothing is relevant.

    Gains are the relevances themselves, discounts 1 / log2(1 + rank); equally alike photos come in their
    order."""
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :depth]
    found = np.take_along_axis(relevant, order, 1) @ discounts
    best = -np.sort(-relevant, axis=1)[:, :depth] @ discounts
    with np.errstate(invalid="ignore"):
        return np.asarray(found / best, np.float64)


def place(sample: Sample) -> str:
    """Where a photo was taken, as far as its set tells: CamVid's sequence, LabelMeFacade's walk; else the
    photo alone."""
    dataset, stem = sample.image.parts[-3], sample.image.stem
    part = {"camvid": stem[:6], "labelmefacade": stem.split("__")[0]}.get(dataset, stem)
    return f"{dataset}/{part}"


@dataclass(frozen=True)
class Collection:
    """The labelled photos of a split, with SegNet's maps of them. ``folder`` keeps the maps from one run to
    the next, if given."""

    samples: list[Sample]
    folder: Path | None

    @cached_property
    def sets(self) -> NDArray[np.str_]:
        return np.array([s.image.parts[-3] for s in self.samples])

    @cached_property
    def human(self) -> list[Map]:
        return [_map(s.labels) for s in self.samples if s.labels is not None]

    @cached_property
    def guessed(self) -> list[Map]:
        return [segmented(s.image, self.folder) for s in self.samples]

    @cached_property
    def points(self) -> Map:
        return np.stack([on_grid(m).ravel() for m in self.human])

    @cached_property
    def relevant(self) -> Matrix:
        found = relevance(self.points, self.points, len(vocabulary.default()))
        np.fill_diagonal(found, 0)
        return found

    @cached_property
    def same_place(self) -> NDArray[np.bool_]:
        places = np.array([place(s) for s in self.samples])
        found: NDArray[np.bool_] = places[:, None] == places
        return found

    def scores(
        self, likeness: Matrix, relevant: Matrix | None = None, rows: NDArray[np.intp] | None = None
    ) -> dict[str, Any]:
        """Mean nDCG@10: over all photos, by set, over the sets that say something ("macro"), and that again
        when photos of the same place are neither found nor wanted. ``rows``: the photos that asked, by
        default all, with the ``relevant`` ones."""
        rows = np.arange(len(self.samples)) if rows is None else rows
        relevant = self.relevant if relevant is None else relevant
        own, likeness = self.same_place[rows], likeness.copy()
        likeness[np.arange(rows.size), rows] = -np.inf
        found = ndcg(likeness, relevant)
        elsewhere = ndcg(np.where(own, -np.inf, likeness), np.where(own, 0, relevant))
        by_set = {str(s): found[self.sets[rows] == s] for s in np.unique(self.sets[rows])}
        telling = [
            s for s, values in by_set.items() if values.size >= MIN_SET_PHOTOS and s not in ONE_CLASS_SETS
        ]
        return {
            "all": _mean(found),
            "macro": _mean(np.array([np.nanmean(by_set[s]) for s in telling])),
            "macro_elsewhere": _mean(
                np.array([np.nanmean(elsewhere[self.sets[rows] == s]) for s in telling])
            ),
            **{s: _mean(values) for s, values in by_set.items()},
        }


def _mean(values: NDArray[np.float64]) -> float:
    return round(float(np.nanmean(values)), 4)


def _map(path: Path) -> Map:
    with Image.open(path) as opened:
        return np.asarray(opened, np.uint8)


def segmented(path: Path, folder: Path | None) -> Map:
    """SegNet's label map of a photo as ingest makes it. ``folder``: where maps are kept by the weights'
    identity."""
    kept = folder / runtime.identity("segnet") / path.parts[-3] / f"{path.stem}.npy" if folder else None
    if kept is not None and kept.exists():
        found: Map = np.load(kept)
        return found
    label_map = segment_photo(read_photo(path))[0]
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, label_map)
    return label_map


def open_collection(data: Path, *, validation: bool, folder: Path | None) -> Collection:
    return Collection(scene_samples(data, validation), folder)


def score_lines(rows: dict[str, dict[str, Any]]) -> list[str]:
    """A table of rows of scores with their names."""
    columns = list(next(iter(rows.values())))
    return record.table(
        ("", *columns), [(name, *(str(row[c]) for c in columns)) for name, row in rows.items()]
    )
