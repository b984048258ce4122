"""Catalogs of any size in memory, made from the label maps of a real archive, to measure searches among a
million photos.

Each photo of such a catalog is one of the archive's, drawn at random: its coverages with noise (each times
exp(spread x normal), then brought back to their sum and to whole pixels of a map), its regions as they are,
its embedding with noise. Files have dates over fifteen years, one in ten none; some cameras, sizes, places
and folders. The same seed makes the same catalog.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.archive.features import MapFeatures
from dsslic_search.core.blobs import Blobs
from dsslic_search.core.cached import cached_property
from dsslic_search.core.colour_terms import TERMS
from dsslic_search.core.fact import FactValue
from dsslic_search.core.fields import INDEXED
from dsslic_search.core.moments import microseconds
from dsslic_search.features.coverage import CERTAINTY_KNOWN, COLOURS_KNOWN, SHOWN
from dsslic_search.features.embedding import BLOCK_NORM, DIMENSION, pack, unpack
from dsslic_search.index.known_files import KnownFiles
from dsslic_search.index.source import InOrder, Snapshot, State, Stored

MAP_PIXELS = 256 * 171  # of a label map of a common shape
COVERAGE_SPREAD = 0.3  # of the logarithm of a coverage
EMBEDDING_NOISE = 12.0  # of packed embeddings, 0..127
PHOTOS_AT_ONCE = 5000
FIRST_DAY = datetime(2010, 1, 1)
SPAN_SECONDS = 15 * 365 * 86_400  # from then on photos are taken
_EPOCH = int((FIRST_DAY - datetime(1970, 1, 1)).total_seconds())
PHOTO_SIZES = [
    (4000, 3000),
    (3000, 4000),
    (6000, 4000),
    (4000, 6000),
    (1920, 1080),
    (1080, 1080),
    (8000, 3000),
]
CAMERAS = [
    None,
    *(
        f"{maker} {model}"
        for maker in ("Canon", "NIKON", "SONY", "Apple", "FUJIFILM")
        for model in ("A1", "B2", "C3", "D4")
    ),
]


class Coverages(NamedTuple):
    """The exact coverages of photos 1, 2 …: ``class_ids``, uint8, and ``fractions``, float64, photo by photo;
    those of photo i are from ``starts[i - 1]`` to ``starts[i]``."""

    starts: NDArray[np.int64]
    class_ids: NDArray[np.uint8]
    fractions: NDArray[np.float64]

    def covered(self, ids: NDArray[np.int64], classes: Sequence[int]) -> NDArray[np.float64]:
        """As `index.source.Snapshot.covered`; after the last photo they begin again."""
        sums = np.zeros(ids.size)
        for place, photo in enumerate(((ids - 1) % (self.starts.size - 1)).tolist()):
            for entry in range(self.starts[photo], self.starts[photo + 1]):
                if self.class_ids[entry] in classes:
                    sums[place] += self.fractions[entry]
        return sums


class Synthetic:
    """A Snapshot of the photos 1, 2 …

    ``model``: intp, for each photo by id the place in ``features`` of what it was made from."""

    def __init__(
        self,
        features: Sequence[MapFeatures],
        photos: int,
        seed: int = 0,
        *,
        noise: float = EMBEDDING_NOISE,
    ) -> None:
        """Of ``photos`` photos made from ``features``, of which there must be some; ``noise``: of their
        embeddings."""
        if not features:
            raise ValueError("there is no photo to make others from")
        self.features = features
        self._seed = seed
        self._noise = noise
        self.state = State(1, f"{seed:016x}")
        self.model = self._rng(0).integers(len(features), size=photos)
        self._facts = self._made_facts()
        self._photo, self._class_id, self._fraction = self._made_coverages()
        self._starts = np.searchsorted(self._photo, np.arange(photos + 1))
        self.exact = Coverages(self._starts, self._class_id, self._fraction)
        self._order = np.lexsort((np.arange(photos), -self._facts["moment"]))

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng((self._seed, *stream))

    def _made_coverages(self) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.float64]]:
        """Place of the photo, class and fraction of every coverage, by photo, then by class."""
        sizes = np.array([len(each.coverages) for each in self.features])
        class_ids, fractions = (
            np.concatenate([[pair[k] for pair in each.coverages] for each in self.features]) for k in (0, 1)
        )
        counts = sizes[self.model]
        photo = np.repeat(np.arange(self.model.size, dtype=np.int32), counts)
        within = np.arange(photo.size) - np.repeat(np.cumsum(counts) - counts, counts)
        entry = (np.cumsum(sizes) - sizes)[self.model][photo] + within
        noisy = fractions[entry] * np.exp(COVERAGE_SPREAD * self._rng(1).standard_normal(entry.size))
        totals, noisy_totals = (
            np.bincount(photo, values, self.model.size) for values in (fractions[entry], noisy)
        )
        pixels = np.maximum(
            np.floor(noisy * (totals / np.maximum(noisy_totals, 1e-9))[photo] * MAP_PIXELS), 1
        )
        whole = np.bincount(photo, pixels, self.model.size)  # tiny classes were rounded up
        return photo, class_ids[entry].astype(np.uint8), pixels / np.maximum(whole, MAP_PIXELS)[photo]

    def _made_facts(self) -> dict[str, NDArray[Any]]:
        rng, photos = self._rng(2), self.model.size
        taken = rng.integers(SPAN_SECONDS, size=photos)
        added = np.minimum(taken + rng.integers(90 * 86_400, size=photos), SPAN_SECONDS)
        dated = rng.random(photos) >= 0.1
        return {
            "taken": np.where(dated, taken, -1),
            "added": added,
            "moment": np.where(dated, taken, added),
            "size": rng.choice(len(PHOTO_SIZES), photos, p=[0.45, 0.15, 0.2, 0.1, 0.05, 0.04, 0.01]),
            "bytes": rng.lognormal(15, 0.5, photos).astype(np.int64),
            "latitude": np.where(rng.random(photos) < 0.4, rng.normal(45, 8, photos), np.nan),
            "longitude": rng.normal(5, 10, photos),
            "camera": np.minimum(rng.zipf(1.6, photos), len(CAMERAS)) - 1,
            "folder": rng.integers(2000, size=photos),
        }

    def changed_since(self, state: State) -> NDArray[np.int64] | None:
        """Nothing ever changes."""
        return np.empty(0, np.int64) if state == self.state else None

    def of(self, ids: NDArray[np.int64]) -> AbstractContextManager[Synthetic]:
        some = copy(self)
        some._order = ids - 1
        return nullcontext(some)

    def photo_ids(self) -> NDArray[np.int64]:
        return self._order + 1

    def newest_first(self, ids: NDArray[np.int64] | None = None) -> InOrder:
        order = self._order if ids is None else self._order[np.isin(self._order, ids - 1)]
        seconds: NDArray[np.int64] = self._facts["moment"][order]
        return InOrder(order + 1, (seconds + _EPOCH) * 1_000_000)

    def coverages(self) -> Iterator[Stored]:
        """Certainties are as if each were as likely as any over a half; a thing has one or two colours."""
        bounds = (SHOWN.itemsize * self._starts).tolist()
        stored = self._shown.tobytes()
        for photos in self._batches():
            yield Stored.of(
                [(photo + 1, stored[bounds[photo] : bounds[photo + 1]]) for photo in photos.tolist()]
            )

    @cached_property
    def _shown(self) -> NDArray[Any]:
        """Of all photos, by id, then by class."""
        shown = np.empty(self._photo.size, SHOWN)
        shown["class_id"], shown["fraction"] = self._class_id, self._fraction
        for class_id in np.unique(self._class_id).tolist():
            entries, rng = np.flatnonzero(self._class_id == class_id), self._rng(4, class_id)
            colours = 1 << rng.integers(len(TERMS), size=(2, entries.size))
            shown["certainty"][entries] = rng.integers(128, 256, entries.size, np.uint8)
            shown["colours"][entries] = colours[0] | colours[1] | CERTAINTY_KNOWN | COLOURS_KNOWN
        return shown

    def covering(self, class_id: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The photos, by id, that a class covers some of, and how much of each."""
        entries = np.flatnonzero(self._class_id == class_id)
        return self._photo[entries] + np.int64(1), self._fraction[entries]

    def covered(self, ids: NDArray[np.int64], classes: Sequence[int]) -> NDArray[np.float64]:
        return self.exact.covered(ids, classes)

    def embeddings(self) -> Iterator[Stored]:
        models = pack(np.stack([np.frombuffer(each.embedding, "<f4") for each in self.features]))
        for number, photos in enumerate(self._batches()):
            noise = self._rng(3, number).normal(0, self._noise, (photos.size, DIMENSION))
            made = unpack(
                np.clip(np.rint(models[self.model[photos]] + noise), -BLOCK_NORM, BLOCK_NORM).astype(np.int8)
            ).astype("<f4")
            sizes = np.full(photos.size, made.shape[1] * made.itemsize)
            yield Stored(photos + 1, Blobs(made.reshape(-1).view(np.uint8), sizes))

    def regions(self) -> Iterator[Stored]:
        for photos in self._batches():
            models = self.model[photos].tolist()
            blobs = Blobs.of([self.features[model].regions for model in models])
            yield Stored(photos + 1, blobs)

    def image_words(self) -> Iterator[Stored]:
        for photos in self._batches():
            models = self.model[photos].tolist()
            blobs = Blobs.of([self.features[model].words for model in models])
            yield Stored(photos + 1, blobs)

    def files(self) -> Iterator[KnownFiles]:
        """Facts that are not made up here are not known of any photo."""
        for part in self.known_files():
            rows = [tuple(_stored(each.get(column.name)) for column in INDEXED) for each in part]
            ids = np.array([each["id"] for each in part], np.int64)
            yield KnownFiles.of(rows, [path for some in self.paths(ids) for _, path in some])

    def known_files(self) -> Iterator[list[dict[str, Any]]]:
        """What is made up of each photo's file, by the catalog's columns, in the order of `photo_ids`, in
        lists."""
        for photos in self._batches():
            values = zip(*(column[photos].tolist() for column in self._facts.values()), strict=True)
            rows = [dict(zip(self._facts, each, strict=True)) for each in values]
            yield [{"id": i + 1} | _known(row) for i, row in zip(photos.tolist(), rows, strict=True)]

    def features_of(self, photo_id: int, embedding: bytes) -> MapFeatures:
        """What a catalog knows of a photo's label map; of its colours nothing."""
        model = self.features[self.model[photo_id - 1]]
        entries = slice(*self._starts[photo_id - 1 : photo_id + 1].tolist())
        shown = tuple(zip(self._class_id[entries].tolist(), self._fraction[entries].tolist(), strict=True))
        sure = {class_id: 128 + (photo_id * (class_id + 7)) % 128 for class_id, _ in shown}
        return MapFeatures(shown, model.regions, embedding, sure, words=model.words)

    def paths(
        self, ids: NDArray[np.int64] | None = None, letters: str = ""
    ) -> Iterator[list[tuple[int, str]]]:
        asked = np.arange(1, self.model.size + 1) if ids is None else ids
        folders = self._facts["folder"][asked - 1].tolist()
        yield [
            (i, f"/photos/{2010 + f % 15}/trip {f:04}/IMG_{i:08}.jpg")
            for i, f in zip(asked.tolist(), folders, strict=True)
        ]

    def copies(
        self, ids: NDArray[np.int64] | None = None, letters: str = ""
    ) -> Iterator[list[tuple[int, str]]]:
        """Each photo lies at one path."""
        return iter(())

    def hidden(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """No photo is."""
        return np.empty(0, np.int64), np.empty(0, np.uint8)

    def texts(self, column: str) -> Iterator[list[tuple[int, str]]]:
        """No photo has any."""
        return iter(())

    def tagged(self, name: str | None) -> NDArray[np.int64]:
        """Every thousandth photo, whatever the tag."""
        return np.arange(1000, self.model.size + 1, 1000)

    def _batches(self) -> Iterator[NDArray[np.intp]]:
        return (
            self._order[start : start + PHOTOS_AT_ONCE]
            for start in range(0, self._order.size, PHOTOS_AT_ONCE)
        )


def _stored(value: FactValue) -> str | int | float | None:
    return microseconds(value) if isinstance(value, datetime) else value


def _known(facts: Mapping[str, Any]) -> dict[str, FactValue]:
    """What `Synthetic._made_facts` made for one photo, by the catalog's columns."""
    placed = facts["latitude"] == facts["latitude"]
    width, height = PHOTO_SIZES[facts["size"]]
    return {
        "taken_at": None if facts["taken"] < 0 else FIRST_DAY + timedelta(seconds=facts["taken"]),
        "added_at": FIRST_DAY + timedelta(seconds=facts["added"]),
        "width": width,
        "height": height,
        "file_size": facts["bytes"],
        "latitude": facts["latitude"] if placed else None,
        "longitude": facts["longitude"] if placed else None,
        "camera": CAMERAS[facts["camera"]],
        "lens": None,
        "format": "JPEG",
        "keep": "layers",
        "state": "here",
    }


@dataclass(frozen=True)
class SyntheticSource:
    """A catalog that is always the same."""

    moment: Snapshot

    def state(self) -> State:
        return self.moment.state

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        return nullcontext(self.moment)
