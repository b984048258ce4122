"""``Archive``: photos in, queries, previews. The command line is a thin layer over it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsslic_search import coding, vocabulary
from dsslic_search.config import DEFAULT_QUALITY, Settings, archive_path
from dsslic_search.errors import ArchiveError, FormatError, QueryError, StageError, UsageError
from dsslic_search.networks import runtime

if TYPE_CHECKING:
    from PIL import Image

    from dsslic_search.archive.catalog import Catalog
    from dsslic_search.archive.models import Photo
    from dsslic_search.archive.reindex import ReindexReport
    from dsslic_search.archive.report import Event, IngestReport
    from dsslic_search.archive.statistics import ClassCount, Statistics
    from dsslic_search.codec.container import Layout
    from dsslic_search.codec.dsslic import Decoded
    from dsslic_search.index.columns import Columns
    from dsslic_search.index.vectors import Vectors

STAGES = ("map", "compact", "coarse", "full")


@dataclass(frozen=True)
class Hit:
    """One photo that answers a query. ``rank`` from 1; ``score`` 0..1; ``coverage``: class name → fraction of the photo,
    for the classes the query speaks of."""

    rank: int
    id: int
    path: str
    score: float
    coverage: dict[str, float]


@dataclass(frozen=True)
class QueryResult:
    """``total`` photos match, exactly; ``hits`` are the best of them. ``explanation`` is text for people."""

    query: str
    total: int
    hits: tuple[Hit, ...]
    explanation: str


@dataclass(frozen=True)
class Preview:
    """One stage of a stored photo. ``bytes_read``: of its file, from the start; ``milliseconds``: reading and decoding."""

    stage: str
    image: Image.Image
    bytes_read: int
    bytes_total: int
    milliseconds: float


class Archive:
    """An archive of photos: ``ingest`` puts them in, ``query`` finds them, ``preview`` shows them.

    ``path``: its directory, else $DSS_ARCHIVE, else the platform's data directory for this user. Nothing is read or made
    before it is needed. Close it, or use it in a ``with``. Every method raises ArchiveError when the archive is missing,
    damaged, or made by a newer version.
    """

    def __init__(self, path: Path | str | None = None, settings: Settings | None = None) -> None:
        from dsslic_search.archive.folder import ArchiveFolder

        self.folder = ArchiveFolder(archive_path(None if path is None else Path(path)))
        self.settings = settings or Settings()
        self.vocabulary = vocabulary.default()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the catalog."""
        if catalog := self.__dict__.pop("catalog", None):
            catalog.close()

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog, opened at first use."""
        return self.folder.open_catalog()

    # Putting photos in

    def ingest(
        self,
        paths: Sequence[Path | str],
        *,
        quality: int = DEFAULT_QUALITY,
        keep: str = "layers",
        dry_run: bool = False,
        workers: int | None = None,
        progress: Callable[[Event], None] | None = None,
    ) -> IngestReport:
        """Add the photos at ``paths`` (files and folders) that are not there yet; makes the archive if there is none.

        Files that cannot be used are in the report's ``failed``, with the reason; an interrupted ingest can be run again.
        ``workers``: photos encoded at once, by default the number of cores. Raises ArchiveError when the archive cannot
        be written, UsageError for impossible options.
        """
        import os

        from dsslic_search.archive.ingest import ingest
        from dsslic_search.codec.dsslic import EncodeOptions

        return ingest(
            self.folder,
            [Path(p) for p in paths],
            EncodeOptions(quality, keep),
            settings=self.settings,
            dry_run=dry_run,
            workers=workers or os.cpu_count() or 1,
            progress=progress,
        )

    def reindex(self, *, workers: int | None = None, progress: Callable[[int, int], None] | None = None) -> ReindexReport:
        """Describe every photo anew from its label map alone, and rebuild the indexes; reads no byte past the label maps."""
        from dsslic_search.archive.reindex import reindex

        report = reindex(self.folder, workers=workers, progress=progress)
        began = time.perf_counter()
        self._columns()
        self._vectors()
        report.seconds += time.perf_counter() - began
        return report

    # Finding them

    def query(self, text: str, *, limit: int = 50) -> QueryResult:
        """The photos that ``text`` asks for, best first; see docs/query-language.md. QueryError says what is not understood."""
        from dsslic_search.query.execute import answer

        if limit < 0:
            raise UsageError(f"limit {limit}: must be 0 or more")
        found = answer(
            text,
            columns=self._columns(),
            vectors=self._vectors,
            vocabulary=self.vocabulary,
            presence=self.settings.presence,
            locate=self.locate,
            limit=limit,
        )
        photos = {p.id: p for p in self.catalog.photos(found.ids.tolist())}
        fractions = self._fractions(list(photos), found.classes)
        names = {c: self.vocabulary.classes[c].name for c in found.classes}
        hits = [
            Hit(rank, i, photos[i].path, round(float(score), 6), {name: fractions.get((i, c), 0.0) for c, name in names.items()})
            for rank, (i, score) in enumerate(zip(found.ids.tolist(), found.scores, strict=True), 1)
            if i in photos
        ]
        return QueryResult(text, found.total, tuple(hits), found.explain())

    def locate(self, operand: str) -> NDArray[np.float32]:
        """The embedding that ``like OPERAND`` means: "#12", a photo in the archive by path or file name, or any photo file."""
        if operand.startswith("#"):
            return np.frombuffer(self.photo(int(operand[1:20])).embedding, "<f4")
        if known := self.catalog.at_path(operand):
            return np.frombuffer(known[0].embedding, "<f4")
        with suppress(OSError, ValueError):  # names that no file can have
            if Path(operand).is_file():
                return self._embed_file(Path(operand))
        named = self._named(operand)
        if len(named) == 1:
            return np.frombuffer(named[0].embedding, "<f4")
        if named:
            some = ", ".join(f"#{p.id}" for p in named[:5])
            raise QueryError(f'like "{operand}": {len(named)} photos have that name; say which by its id, for example {some}')
        raise QueryError(f'like "{operand}": no such file, and no photo of that name in the archive; give a path or "#" and an id')

    def _embed_file(self, path: Path) -> NDArray[np.float32]:
        from dsslic_search.codec.dsslic import segment_photo
        from dsslic_search.codec.picture import open_photo
        from dsslic_search.features.embedding import embed

        photo = open_photo(coding.read_file(path), str(path), self.settings.max_pixels)
        return embed(segment_photo(photo)[0], self.vocabulary)

    def _named(self, name: str) -> list[Photo]:
        from sqlalchemy import select

        from dsslic_search.archive.models import Photo

        with self.catalog.session() as session:
            ending = Photo.path.endswith("/" + name, autoescape=True)
            return list(session.scalars(select(Photo).where(ending).order_by(Photo.id)))

    def _columns(self) -> Columns:
        from dsslic_search.index.columns import open_columns

        return open_columns(self.catalog, self.folder.index, self.vocabulary)

    def _vectors(self) -> Vectors:
        from dsslic_search.index.vectors import open_vectors

        return open_vectors(self.catalog, self.folder.index, self.vocabulary)

    def _fractions(self, ids: list[int], classes: Sequence[int]) -> dict[tuple[int, int], float]:
        from sqlalchemy import select

        from dsslic_search.archive.models import Coverage

        found: dict[tuple[int, int], float] = {}
        with self.catalog.session() as session:
            for start in range(0, len(ids), 500):
                chosen = Coverage.photo_id.in_(ids[start : start + 500]), Coverage.class_id.in_(classes)
                rows = session.execute(select(Coverage.photo_id, Coverage.class_id, Coverage.fraction).where(*chosen))
                found.update({(photo, class_id): fraction for photo, class_id, fraction in rows})
        return found

    # Showing them

    def photo(self, photo_id: int) -> Photo:
        """A photo's catalog row with its coverages and regions; ArchiveError when there is no such id."""
        found = self.catalog.photo(photo_id) if 0 < photo_id < 2**63 else None
        if found is None:
            raise ArchiveError(f"photo {photo_id}: no such id in {self.folder.root}; a query lists ids")
        return found

    def layout(self, photo: Photo) -> Layout:
        """Header and chunk table of a stored photo, reading nothing else."""
        from dsslic_search.codec import container

        store = self.folder.store
        with self._about(photo):
            length = container.header_length(store.read_prefix(photo.content_hash, container.PREAMBLE))
            return container.read_layout(store.read_prefix(photo.content_hash, length))

    @contextmanager
    def _about(self, photo: Photo) -> Iterator[None]:
        """Says which file a FormatError is about."""
        try:
            yield
        except FormatError as e:
            advice = "" if isinstance(e, StageError) else "; see what else is wrong with: dss-search check --read-data"
            raise type(e)(f"photo {photo.id} ({self.folder.store.path_of(photo.content_hash)}): {e}{advice}") from e

    def original(self, photo_id: int) -> bytes:
        """The original file, bit for bit: from the archive in keep mode "exact", from its place in "reference".

        StageError in mode "layers", and when the place holds something else by now.
        """
        from dsslic_search.codec.dsslic import read_original

        photo = self.photo(photo_id)
        if photo.keep == "reference":
            return self._referenced(photo)
        with self._about(photo):
            return read_original(self.folder.store.read(photo.content_hash))

    def ids(self, limit: int) -> list[int]:
        """The first ``limit`` photos by id."""
        from sqlalchemy import select

        from dsslic_search.archive.models import Photo

        with self.catalog.session() as session:
            return list(session.scalars(select(Photo.id).order_by(Photo.id).limit(limit)))

    def preview(self, photo_id: int, stage: str = "full") -> Preview:
        """One stage of a photo, reading only the bytes up to its end. StageError when the photo has no such stage."""
        if stage not in STAGES:
            raise UsageError(f'stage "{stage}" is not one of: {", ".join(STAGES)}')
        return next(self.progressive(photo_id, (stage,)))

    def progressive(self, photo_id: int, stages: Sequence[str] = STAGES) -> Iterator[Preview]:
        """Stages of a photo as a slow link would show them: each reads on where the one before ended.

        Coder and network are loaded before the clock starts; "full" uses "coarse" where that came before it.
        """
        from dsslic_search.codec import label_map
        from dsslic_search.codec.dsslic import decode_stage

        photo = self.photo(photo_id)
        layout = self.layout(photo)
        label_map.load()
        if {"coarse", "full"} & set(stages) and layout.header.keep == "layers":
            runtime.network("finenet")
        store, data, coarse = self.folder.store, b"", None
        for stage in stages:
            began = time.perf_counter()
            elsewhere = 0
            with self._about(photo):
                if stage == "full" and layout.header.keep == "reference":
                    original = self._referenced(photo)
                    elsewhere, decoded = len(original), self._open(original, photo.path)
                else:
                    end = layout.stage_bytes(stage)
                    if end > len(data):
                        data += store.read_prefix(photo.content_hash, end, start=len(data))
                    decoded = decode_stage(data, stage, max_pixels=self.settings.max_pixels, coarse=coarse)
            if stage == "coarse":
                coarse = decoded.pixels
            image = coding.to_image(decoded, stage)
            spent = (time.perf_counter() - began) * 1000
            yield Preview(stage, image, len(data) + elsewhere, layout.total + elsewhere, spent)

    def _open(self, original: bytes, name: str) -> Decoded:
        from dsslic_search.codec.dsslic import Decoded
        from dsslic_search.codec.picture import open_photo

        photo = open_photo(original, name, self.settings.max_pixels)
        return Decoded(photo.pixels[..., 0] if photo.grey else photo.pixels, photo.alpha)

    def _referenced(self, photo: Photo) -> bytes:
        """The original that keep mode "reference" left at its place, if it still is what it was."""
        import hashlib

        from dsslic_search.archive import paths

        data = None
        with suppress(OSError):
            data = paths.to_path(photo.path).read_bytes()
        if data is None or hashlib.sha256(data).hexdigest() != photo.content_hash:
            state = "is gone" if data is None else "has changed"
            raise StageError(f'{photo.path}: the original {state} since it was ingested by reference; "coarse" is the best stage stored')
        return data

    # Counting them

    def statistics(self) -> Statistics:
        """Counts and bytes of the whole archive."""
        from dsslic_search.archive.statistics import statistics

        return statistics(self.catalog, self.vocabulary, self.settings.presence)

    def classes(self) -> tuple[ClassCount, ...]:
        """Every class of the vocabulary with how many photos show it, most frequent first; without an archive, zeros."""
        from dsslic_search.archive.statistics import count_classes

        return count_classes(self.catalog if self.folder.exists else None, self.vocabulary, self.settings.presence)
