"""A catalog of small photos that changes in every way, what is asked of its indexes, and how a process that
makes them ends in its midst."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from sqlalchemy import select, update

from dsslic_search.api.indexes import OpenIndexes
from dsslic_search.archive import bin, history, notes, paths
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import MapFeatures, features_of
from dsslic_search.archive.schema import Photo
from dsslic_search.core.errors import DSSError
from dsslic_search.features.colours import ColourFeatures
from dsslic_search.features.image_words import ImageWords
from dsslic_search.index.source import Snapshot, State
from dsslic_search.query.facets import count_classes, count_files, count_words
from dsslic_search.query.run.evaluate import Indexes
from dsslic_search.query.run.execute import Answer, answer
from tests.query.made import NOON, NOWHERE, MadePhoto, V
from tests.query.test_exactness import made_photo

DAY = timedelta(days=1)
QUERIES = (
    "sky",
    "no sky",
    "sky > 20% or sea",
    "sky > 10.5% and not road",
    "2 cars",
    "car left of sea",
    "most sky",
    "least sky",
    "sort:-taken",
    "sort:taken sky",
    "sort:path",
    "sort:-name sea",
    "sort:-iso",
    "camera:canon and sky",
    "path:/a/**",
    "description:sea or keyword:beach",
    "taken:2024-05-02",
    "tag:best or sea",
    "like #{id}",
    "like #{id} and tree",
    "is:removed",
    "is:any",
    "sky in the top",
    "no person",
)


def features(made: MadePhoto) -> MapFeatures:
    """As an ingest describes a photo."""
    certainties = made.certainties if isinstance(made.certainties, dict) else {}
    words = None if made.words is None else ImageWords(made.maker, made.image, made.words).to_bytes()
    colours = ColourFeatures(made.class_colours, made.colours or 0, made.brightness or 0)
    return features_of(made.label_map, V, certainties, words, colours)


class Kept:
    """A catalog in a file, which may be replaced by an older one while whoever reads it goes on; a Source."""

    def __init__(self, top: Path) -> None:
        top.mkdir(exist_ok=True)
        self.path, self.index = top / "catalog.sqlite", top / "index"
        self.aside, self.index_aside = top / "aside.sqlite", top / "index-aside"
        self.catalog = Catalog.open(self.path, create=True)
        self.number = 0

    def state(self) -> State:
        return self.catalog.state()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        with self.catalog.snapshot() as snapshot:
            yield snapshot

    def close(self) -> None:
        self.catalog.close()

    # What changes it

    @property
    def ids(self) -> list[int]:
        with self.catalog.session() as session:
            return list(session.scalars(select(Photo.id).order_by(Photo.id)))

    def add(self, count: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(count):
            self.number += 1
            made = made_photo(rng, self.number)
            row = Photo(
                content_hash=f"{self.number:064x}", path=f"{made.path}.{self.number}", file_size=made.size,
                modified_at=NOON, added_at=made.added, format=made.format, width=made.width,
                height=made.height, taken_at=made.taken, camera=made.camera, lens=made.lens, iso=made.iso,
                rating=made.rating, keywords=made.keywords, people=made.people, title=made.title,
                description=made.description, latitude=made.latitude, longitude=made.longitude,
                keep=made.keep, quality=75, stored_bytes=1, map_bytes=1, vocabulary="v", segmenter="s",
            )  # fmt: skip
            photo_id = self.catalog.add(row, features(made))
            for tag in made.tags:
                notes.add_tags(self.catalog, [tag], np.array([photo_id]))

    def describe_anew(self, photo_id: int, seed: int) -> None:
        made = made_photo(np.random.default_rng(seed), photo_id)
        self.catalog.replace_features({photo_id: features(made)})

    def change(self, photo_id: int, **values: Any) -> None:
        with self.catalog.changing() as session:
            session.execute(update(Photo).where(Photo.id == photo_id).values(**values))

    def move(self, photo_id: int, path: str, now: datetime, keep: bool) -> None:
        """``keep``: the old path too."""
        with self.catalog.changing() as session:
            before = session.get(Photo, photo_id)
            assert before is not None
            rows = [] if keep else [row.id for row in before.paths if row.ended_at is None]
            paths.seen(session, photo_id, paths.FileThere(Path(path), 1, None), now)
            paths.gone(session, rows, now)

    def put(self, photo_id: int, into_bin: bool) -> None:
        if into_bin:
            bin.remove(self.catalog, np.array([photo_id]), NOON)
        else:
            bin.restore(self.catalog, np.array([photo_id]))

    def tag(self, photo_id: int, take: bool) -> None:
        change = notes.remove_tags if take else notes.add_tags
        with contextlib.suppress(DSSError):  # a tag that no photo has
            change(self.catalog, ["best"], np.array([photo_id]))

    # Copies of it, and of its indexes

    def back_up(self) -> None:
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(self.aside)) as target:
            source.backup(target)

    def restore(self) -> None:
        self.catalog.close()
        for path in self.path.parent.glob(f"{self.path.name}-*"):
            path.unlink()
        shutil.copy(self.aside, self.path)
        self.catalog = Catalog.open(self.path)

    def keep_index(self) -> None:
        _replace(self.index, self.index_aside)

    def put_index_back(self) -> None:
        _replace(self.index_aside, self.index)

    # What is asked

    def settle(self, indexes: OpenIndexes) -> None:
        """As `api.following` does it."""
        state = indexes.settle()
        if state is not None:
            with self.catalog.noting() as session:
                history.forget(session, state)

    def plainly(self) -> OpenIndexes:
        """Indexes made from nothing, in memory alone."""
        return OpenIndexes(self, NOWHERE, V)

    def asked(self, indexes: OpenIndexes, text: str, page: int | None = None) -> dict[str, Any]:
        """Everything that a query answers, and pages of it: of so many photos, or else four or so."""
        page = page or max(3, self.number // 4)
        (like,) = self.ids[:1] or [0]
        text = text.format(id=like)
        told = indexes.ask(lambda current: _told(self._answer(current, text)))
        listed, scores, after = [], [], None
        while told["ids"]:
            found = indexes.ask(lambda current, at=after: self._answer(current, text, page, at))  # type: ignore[misc]  # mypy knows no default of a lambda
            listed += found.ids.tolist()
            scores += found.scores.tolist()
            after = found.cursor
            if after is None:
                break
        return told | {"listed": listed, "page scores": scores}

    def _answer(
        self, indexes: Sequence[Indexes], text: str, limit: int | None = None, after: str | None = None
    ) -> Answer:
        def embeddings_of(operand: str, _mirrored: bool) -> np.ndarray:
            photo = self.catalog.photo(int(operand[1:]))
            return (
                np.zeros((1, 1), np.float32) if photo is None else np.frombuffer(photo.embedding, "<f4")[None]
            )

        return answer(
            text, indexes=indexes, vocabulary=V, presence=0.005, embeddings_of=embeddings_of, now=NOON + DAY,
            limit=limit, after=after,
        )  # fmt: skip

    def counted(self, indexes: OpenIndexes) -> dict[str, Any]:
        """What all photos are counted by."""

        def count(current: Sequence[Indexes]) -> dict[str, Any]:
            rows = [each.columns.shown_rows() for each in current]
            classes = count_classes([*zip([each.columns for each in current], rows, strict=True)], V, 0.005)
            return {
                "classes": sorted(classes, key=lambda each: each.name),
                "files": count_files([*zip([each.files() for each in current], rows, strict=True)]),
                "words": count_words([*zip([each.words() for each in current], rows, strict=True)]),
                "cameras": sorted({name for each in current for name in each.files().there("camera")}),
            }

        return indexes.ask(count)


def _told(found: Answer) -> dict[str, Any]:
    return {
        "ids": found.ids.tolist(),
        "scores": found.scores.tolist(),
        "total": found.total,
        "photos": found.photos,
        "all ids": found.all_ids.tolist(),
        "explanation": found.explain(),
        "unseen": found.unseen(),
    }


def _replace(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    if source.is_dir():
        shutil.copytree(source, target)


class Killed(BaseException):
    """As when a process ends at once: nothing catches it, and nothing is cleaned up after it."""


@contextmanager
def ended_at(number: int, how: Callable[[], BaseException] = Killed) -> Iterator[None]:
    """Raises the so manieth time that a file of an index is about to be made, written out, renamed or
    removed, and each time after that."""
    left = number

    def before(real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left <= 0:
                raise how()
            return real(*given, **more)

        return counted

    with contextlib.ExitStack() as patches:
        for owner, name in (
            ("tempfile", "mkstemp"),
            ("os", "fsync"),
            ("pathlib.Path", "replace"),
            ("pathlib.Path", "unlink"),
        ):
            target = f"{owner}.{name}"
            real = getattr(Path if owner == "pathlib.Path" else __import__(owner), name)
            patches.enter_context(mock.patch(target, before(real)))
        yield
