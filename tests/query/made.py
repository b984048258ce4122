"""Archives in memory, of small label maps: what a catalog tells its indexes, computed from a list of
photos."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from operator import attrgetter, is_not
from pathlib import Path
from typing import Any

import numpy as np

from dsslic_search.archive.features import MapFeatures, features_of
from dsslic_search.core.certainty import UNKNOWN_CERTAINTY
from dsslic_search.core.fields import INDEXED
from dsslic_search.core.kinds import PhotoState
from dsslic_search.core.moments import microseconds
from dsslic_search.core.vocabulary import default
from dsslic_search.features.coverage import Shown, pack_shown
from dsslic_search.features.image_words import ImageWords
from dsslic_search.index import segment
from dsslic_search.index.cache import Arrays
from dsslic_search.index.known_files import KnownFiles
from dsslic_search.index.segment import Segment
from dsslic_search.index.source import InOrder, State, Stored
from dsslic_search.query.run.execute import Indexes
from tests.oracle import Scene, regions_of

V = default()
NOWHERE = Path("/dev/null/index")  # no folder can be made there, so nothing is written
NOON = datetime(2024, 5, 1, 12)


@dataclass(eq=False)
class MadePhoto:
    """No test changes one; frozen, it would take three times as long to be made."""

    id: int
    label_map: np.ndarray
    taken: datetime | None = None
    added: datetime = NOON
    width: int = 4
    height: int = 3
    size: int = 1
    place: tuple[float, float] | None = None
    camera: str | None = None
    lens: str | None = None
    taken_from: str | None = None
    iso: int | None = None
    focal_length: float | None = None
    exposure: float | None = None
    f_number: float | None = None
    rating: float | None = None
    keywords: str | None = None
    people: str | None = None
    title: str | None = None
    description: str | None = None
    profile: str | None = None
    bit_depth: int | None = None
    brightness: int | None = None
    colours: int | None = None
    certainties: dict[int, int] | int = 255  # by class, or of all classes
    class_colours: dict[int, int] = field(default_factory=dict)
    turn: int | None = None
    format: str = "JPEG"
    keep: str = "layers"
    path: str = "/x.jpg"
    copies: tuple[str, ...] = ()
    state: str = "here"
    tags: tuple[str, ...] = ()
    words: tuple[tuple[int, int], ...] | None = None
    image: tuple[int, ...] = (0,) * 32
    maker: str = "00" * 8

    @cached_property
    def features(self) -> MapFeatures:
        return _features(self.label_map.tobytes(), self.label_map.shape)

    @cached_property
    def pixels(self) -> Counter[int]:
        """How many pixels each class has."""
        return Counter(self.label_map.ravel().tolist())

    @cached_property
    def found(self) -> Scene:
        return regions_of(self.label_map)

    @cached_property
    def file(self) -> tuple[Any, ...]:
        """Its values in the columns of files, in their order."""
        return tuple([microseconds(v) if isinstance(v, datetime) else v for v in _IN_FILES(self)])

    @cached_property
    def shown(self) -> bytes:
        """Its classes, as the catalog keeps them."""
        coverages = self.features.coverages
        return pack_shown(
            Shown(c, f, self.known_certainty(c), self.class_colours.get(c)) for c, f in coverages
        )

    def certainty(self, class_id: int) -> int:
        known = self.known_certainty(class_id)
        return UNKNOWN_CERTAINTY if known is None else known

    def known_certainty(self, class_id: int) -> int | None:
        known = self.certainties
        return known if isinstance(known, int) else known.get(class_id)

    @property
    def latitude(self) -> float | None:
        return self.place and self.place[0]

    @property
    def longitude(self) -> float | None:
        return self.place and self.place[1]

    @property
    def moment(self) -> datetime:
        return self.taken or self.added

    @cached_property
    def instant(self) -> int:
        return microseconds(self.moment)


_ATTRIBUTES = {"taken_at": "taken", "added_at": "added", "file_size": "size"}  # of columns
_IN_FILES = attrgetter(*(_ATTRIBUTES.get(column.name, column.name) for column in INDEXED))


@lru_cache(maxsize=1000)
def _features(pixels: bytes, shape: tuple[int, int]) -> MapFeatures:
    return features_of(np.frombuffer(pixels, np.uint8).reshape(shape), V)


@dataclass
class MadeArchive:
    """A Source and its own Snapshot. ``asked`` counts the photos whose exact coverage was asked for."""

    photos: list[MadePhoto]
    changes: int = 1
    asked: int = field(default=0, compare=False)
    _of: list[MadePhoto] = field(default_factory=list, init=False, compare=False, repr=False)
    _ordered: list[MadePhoto] = field(default_factory=list, init=False, compare=False, repr=False)

    @property
    def in_order(self) -> list[MadePhoto]:
        if len(self._ordered) != len(self.photos) or any(map(is_not, self._of, self.photos)):
            by_id = sorted(self.photos, key=attrgetter("id"))
            self._of, self._ordered = [*self.photos], sorted(by_id, key=attrgetter("instant"), reverse=True)
        return [*self._ordered]

    def indexes(self, segments: int = 1) -> tuple[Indexes, ...]:
        """Of the photos there are now, each made when it is first needed and kept, as an open archive keeps
        them. ``segments``: so many, among which they are dealt out; in each of several, some are gone."""
        if segments == 1:
            photos = _Moment(self).newest_first()
            return (Indexes.of(segment.made(self, self.state(), V, None, photos)),)
        rng = random.Random(segments)
        dealt = [rng.randrange(segments) for _ in self.photos]
        moment, made = _Moment(self), []
        for number in range(segments):
            own = {p.id for p, at in zip(self.photos, dealt, strict=True) if at == number}
            held = np.array(sorted(own | {p.id for p in self.photos if not rng.randrange(4)}), np.int64)
            ids, moments = moment.newest_first(held)
            rows = {"ids": ids, "moments": moments, "by_id": np.argsort(ids).astype(np.uint32)}
            gone = np.array([i not in own for i in ids.tolist()], bool)
            made.append(
                Segment(self, self.state(), V, f"{number}", None, Arrays(rows, self.state()), set(), gone)
            )
        return tuple(map(Indexes.of, made))

    # as a Source

    def state(self) -> State:
        return State(self.changes, "made")

    @contextmanager
    def snapshot(self) -> Iterator[_Moment]:
        yield _Moment(self)


class _Moment:
    def __init__(self, archive: MadeArchive, ids: np.ndarray | None = None) -> None:
        self.archive = archive
        self.state = archive.state()
        self.photos = archive.in_order
        if ids is not None:
            by_id = {p.id: p for p in self.photos}
            self.photos = [by_id[i] for i in ids.tolist()]

    def changed_since(self, state: State) -> np.ndarray | None:
        return np.empty(0, np.int64) if state == self.state else None

    @contextmanager
    def of(self, ids: np.ndarray) -> Iterator[_Moment]:
        yield _Moment(self.archive, ids)

    def newest_first(self, ids: np.ndarray | None = None) -> InOrder:
        held = None if ids is None else set(ids.tolist())
        photos = [p for p in self.archive.in_order if held is None or p.id in held]
        moments = np.array([p.instant for p in photos], np.int64)
        return InOrder(np.array([p.id for p in photos], np.int64), moments)

    def photo_ids(self) -> np.ndarray:
        return np.array([p.id for p in self.photos], np.int64)

    def coverages(self) -> Iterator[Stored]:
        yield Stored.of([(p.id, p.shown) for p in self.photos])

    def covered(self, ids: np.ndarray, classes: Sequence[int]) -> np.ndarray:
        self.archive.asked += ids.size
        by_id = {p.id: p for p in self.photos}
        return np.array(
            [sum(f for c, f in by_id[i].features.coverages if c in classes) for i in ids.tolist()], np.float64
        )

    def embeddings(self) -> Iterator[Stored]:
        yield Stored.of([(p.id, p.features.embedding) for p in self.photos])

    def regions(self) -> Iterator[Stored]:
        yield Stored.of([(p.id, p.features.regions) for p in self.photos])

    def image_words(self) -> Iterator[Stored]:
        yield Stored.of(
            [
                (p.id, None if p.words is None else ImageWords(p.maker, p.image, p.words).to_bytes())
                for p in self.photos
            ]
        )

    def files(self) -> Iterator[KnownFiles]:
        yield KnownFiles.of([p.file for p in self.photos], [p.path for p in self.photos])

    def paths(self, ids: np.ndarray | None = None, letters: str = "") -> Iterator[list[tuple[int, str]]]:
        asked = None if ids is None else set(ids.tolist())
        yield [(p.id, p.path) for p in self.photos[::-1] if asked is None or p.id in asked]

    def copies(self, ids: np.ndarray | None = None, letters: str = "") -> Iterator[list[tuple[int, str]]]:
        asked = None if ids is None else set(ids.tolist())
        yield [(p.id, path) for p in self.photos for path in p.copies if asked is None or p.id in asked]

    def hidden(self) -> tuple[np.ndarray, np.ndarray]:
        flags = {p.id: PhotoState(p.state).flag for p in self.photos if PhotoState(p.state).flag}
        return np.array([*flags], np.int64), np.array([*flags.values()], np.uint8)

    def texts(self, column: str) -> Iterator[list[tuple[int, str]]]:
        yield [(p.id, text) for p in self.photos if (text := getattr(p, column)) is not None]

    def tagged(self, name: str | None) -> np.ndarray:
        return np.array([p.id for p in self.photos if (name in p.tags if name else p.tags)], np.int64)
