"""What a face with pictures asks besides answers: how a query is read and what could be added to it, what
can be shown of a photo and how many bytes it takes, facets."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from dsslic_search.api.arguments import check_flags, count_of, id_of, ids_of, text_of
from dsslic_search.api.opened import OpenArchive
from dsslic_search.core.errors import DSSError, QueryError, StageError, UsageError
from dsslic_search.core.kinds import HIDDEN, Stage

if TYPE_CHECKING:
    from dsslic_search.api.arguments import Ids
    from dsslic_search.api.facets import Facets
    from dsslic_search.api.showing import Preview
    from dsslic_search.archive.objects import Looks
    from dsslic_search.archive.store import Store
    from dsslic_search.archive.stored import StoredFile
    from dsslic_search.codec.container import Contents
    from dsslic_search.features.embedding import Canvas
    from dsslic_search.index.source import State
    from dsslic_search.query.ast import Query
    from dsslic_search.query.chips import Chip, Read
    from dsslic_search.query.run.evaluate import By, Indexes, Resembled
    from dsslic_search.query.run.execute import Answer

HEADERS_KEPT = 20_000
"""Of files that were looked at: some hundred bytes each, and the label map."""
MAP_BYTES_KEPT = 2048
"""Of a file whose header is kept; those of most photos take a few hundred."""
CLASSES_SHOWN = 12
"""Of an archive in a notebook."""
EVERYTHING = "everything"
"""The query for all photos."""


@dataclass(frozen=True)
class Reading:
    """How a query's ``text`` is understood. ``reading``: the whole in its normal form, "" for an empty text;
    ``exactly``: the same with the coverage from which each bare class counts; ``chips``: its parts;
    ``order``: what it is sorted by, None for relevance; ``notes``: how words were read that are none of the
    vocabulary. ``error``: why it is no query; then the others say nothing."""

    text: str
    reading: str = ""
    exactly: str = ""
    chips: tuple[Chip, ...] = ()
    order: str | None = None
    notes: tuple[str, ...] = ()
    error: QueryError | None = None


@dataclass(frozen=True)
class Overview:
    """``photos`` that answers are of, ``stored_bytes`` of their files, the ``generation`` of the catalog, and
    the ``folders`` that were ingested or synchronised."""

    photos: int
    stored_bytes: int
    generation: int
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class Card:
    """What is shown of a photo besides a `Hit`. ``version``: another one whenever its file in the archive is
    another; None where that cannot be read. ``stages``: bytes from the file's start that hold each stage; a
    stage that the file does not hold is not there. ``tags`` by name. ``map_prefix``: the first bytes of the
    file, header and label map, where they were asked for; none where there is no label map.
    ``has_plain_map``: whether programs that know docs/label-map.md alone can read it, see
    `codec.plain_map`."""

    id: int
    content_hash: str
    keep: str
    map_bytes: int
    tags: tuple[str, ...]
    version: str | None = None
    stages: dict[str, int] = field(default_factory=dict)
    has_plain_map: bool = False
    map_prefix: bytes = field(default=b"", repr=False)


class Header(NamedTuple):
    """Of a file what a `Card` tells of it; ``map_prefix`` None where nobody asked for it or it is long."""

    version: str | None = None
    stages: Mapping[str, int] = MappingProxyType({})
    has_plain_map: bool = False
    map_prefix: bytes | None = None


class Headers:
    """Headers and label maps of files of the archive, kept while the files are as they were: what is read of
    sixty files for every answer has other threads wait. Safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, Looks], Header] = OrderedDict()
        self._turn = threading.Lock()

    def of(self, store: Store, content_hash: str, maps: bool) -> Header:
        """Of a file, with ``maps`` its label map, too; that of none where there is no sound file."""
        from dsslic_search.archive.stored import StoredFile
        from dsslic_search.core.errors import ArchiveError, FormatError

        file = StoredFile(store, content_hash)
        try:
            # in a bucket, a look would take as long as the header does
            looks = store.looks(content_hash) if store.is_here else None
            known = None if looks is None else self._known((content_hash, looks))
            if looks is None and store.is_here:
                return Header()
            found = known or _read_header(file)
            if maps and found.map_prefix is None:
                end = found.stages.get(Stage.MAP, 0)
                found = found._replace(map_prefix=file.prefix(end)[:end])
        except (ArchiveError, FormatError):
            return Header()
        if looks is not None and found is not known:
            self._keep((content_hash, looks), found)
        return found

    def _known(self, key: tuple[str, Looks]) -> Header | None:
        with self._turn:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def _keep(self, key: tuple[str, Looks], header: Header) -> None:
        if len(header.map_prefix or b"") > MAP_BYTES_KEPT:
            header = header._replace(map_prefix=None)
        with self._turn:
            self._kept[key] = header
            if len(self._kept) > HEADERS_KEPT:
                self._kept.popitem(last=False)


def _read_header(file: StoredFile) -> Header:
    from dsslic_search.codec.plain_map import is_plain

    contents = file.contents
    # the header ends with a checksum of all in it, which has one of each layer
    checksum = file.data[: contents.header_bytes][-4:].hex()
    version = f"{file.content_hash[:16]}{checksum}"
    return Header(version, MappingProxyType(ends_of(contents)), is_plain(contents))


def ends_of(contents: Contents) -> dict[str, int]:
    """For each stage that a file holds, the bytes from its start that hold it."""
    ends: dict[str, int] = {}
    for stage in Stage:
        try:
            ends[stage.value] = contents.stage_bytes(stage)
        except StageError:
            continue
    return ends


@dataclass(frozen=True)
class StoredPhoto:
    """A photo of an archive, as ``archive[id]`` gives it: what is known of it is read as it is asked for."""

    id: int
    archive: Browsing = field(repr=False)

    @property
    def info(self) -> dict[str, Any]:
        """What is known of it, as plain values; see `Archive.info`."""
        return self.archive.info(self.id)

    def preview(self, stage: str | None = None) -> Preview:
        """A stage of it, by default the best that it has."""
        return self.archive.preview(self.id, stage)

    @property
    def original(self) -> bytes:
        """The file that was put in, bit for bit. StageError where it is not kept."""
        return self.archive.original(self.id)

    def _repr_html_(self) -> str:
        from dsslic_search.api import notebook

        return notebook.details(self.info, lambda photo_id: self.archive.preview(photo_id, "compact").image)


class Browsing(OpenArchive, ABC):
    """The part of `Archive` that faces with pictures, and notebooks, need."""

    @abstractmethod
    def info(self, photo_id: int) -> dict[str, Any]: ...
    @abstractmethod
    def preview(self, photo_id: int, stage: str | None = None) -> Preview: ...
    @abstractmethod
    def original(self, photo_id: int) -> bytes: ...

    def __len__(self) -> int:
        """Photos that answers are of."""
        return self.overview().photos

    def __bool__(self) -> bool:
        """An archive is one, with photos or without."""
        return True

    def __contains__(self, photo_id: object) -> bool:
        """Whether there is a photo of that id, be it left out of answers or not."""
        try:
            number = id_of(photo_id)
        except DSSError:
            return False
        return bool(self._lookup.kept([number]))

    def __getitem__(self, photo_id: int) -> StoredPhoto:
        """A photo by its id. NotThereError where there is none."""
        return StoredPhoto(self._searcher.photo(id_of(photo_id)).id, self)

    def __iter__(self) -> Iterator[StoredPhoto]:
        """Photos that answers are of, newest first."""

        def asked(indexes: Sequence[Indexes]) -> list[int]:
            found: list[int] = self._searcher.answer(indexes, EVERYTHING, limit=0).all_ids.tolist()
            return found

        return (StoredPhoto(photo_id, self) for photo_id in self._indexes.ask(asked))

    def _repr_html_(self) -> str:
        from dsslic_search.api import notebook
        from dsslic_search.core.vocabulary import hex_colour

        colours = {c.name: hex_colour(c.colour) for c in self.vocabulary.classes}
        overview, found = self.overview(), self.facets().values["classes"]
        classes = [(each.name, colours[each.name], each.count) for each in found[:CLASSES_SHOWN]]
        return notebook.archive(str(self.folder.root), overview.photos, overview.stored_bytes, classes)

    @property
    def _headers(self) -> Headers:
        kept: Headers = self.__dict__.setdefault("_kept_headers", Headers())
        return kept

    def overview(self) -> Overview:
        """What the whole archive has, in a few numbers."""
        from dsslic_search.archive.ingest.remembered import folders_of

        states = self._lookup.states()
        shown = [totals for state, totals in states.items() if state not in HIDDEN]
        return Overview(
            sum(totals.photos for totals in shown),
            sum(totals.stored_bytes for totals in shown),
            self._lookup.generation(),
            tuple(folders_of(self.catalog)),
        )

    def cards(self, ids: Ids, *, maps: bool = False) -> dict[int, Card]:
        """What can be shown of photos, by id; those that are not there are left out. Of each file only the
        header is read, and that is kept; with ``maps`` the label map, too."""
        check_flags(maps=maps)
        store = self.folder.store
        known = self._lookup.kept(ids_of(ids).tolist())
        hashes = (kept.content_hash for kept in known.values())
        headers = self._headers
        found = store.each(hashes, lambda each: headers.of(store, each, maps))
        return {
            photo_id: Card(
                photo_id,
                *kept,
                header.version,
                dict(header.stages),
                header.has_plain_map,
                (maps and header.map_prefix) or b"",
            )
            for (photo_id, kept), header in zip(known.items(), found, strict=True)
        }

    def stored_path(self, photo_id: int) -> Path | None:
        """Where a photo's .dsslic file is on this machine; None where it is in a bucket."""
        content_hash, store = self._searcher.photo(id_of(photo_id)).content_hash, self.folder.store
        return store.path_of(content_hash) if store.is_here else None

    def stored_part(self, photo_id: int, start: int, end: int) -> bytes:
        """The bytes from ``start`` to ``end`` of a photo's .dsslic file, fewer if it is shorter. ArchiveError
        where it is not there."""
        first, last = count_of(start, "start", 0), count_of(end, "end", 0)
        content_hash = self._searcher.photo(id_of(photo_id)).content_hash
        return self.folder.store.read_prefix(content_hash, last, start=first)

    def known(self, content_hash: str) -> int | None:
        """The id of the photo of this SHA-256 of its file, in the bin or not; None where there is none."""
        found = self.catalog.known(text_of(content_hash, "a hash"))
        return None if found is None else found[0]

    # Reading queries

    def read(self, text: str) -> Reading:
        """How a query is understood, part by part, or why it is not: nothing is looked for."""
        text = text_of(text)
        if not text.strip():
            return Reading(text)
        return self._indexes.ask(lambda indexes: self._reading(text, indexes))

    def _reading(self, text: str, indexes: Sequence[Indexes]) -> Reading:
        from dsslic_search.query.ast import whole
        from dsslic_search.query.chips import chips
        from dsslic_search.query.exactly import exactly
        from dsslic_search.query.explain import outermost
        from dsslic_search.query.run.execute import least

        read = self.reader(indexes)
        try:
            query = read(text)
            return Reading(
                text,
                outermost(whole(query)),
                exactly(query, least(self.vocabulary, self.settings.presence)),
                chips(text, read),
                None if query.sort is None else whole(_sorted_alone(query)).partition(" sort:")[2],
                query.notes,
            )
        except QueryError as e:
            return Reading(text, error=e)

    def reader(self, indexes: Sequence[Indexes]) -> Read:
        """Reads queries as answers read them, each text once."""
        return cache(lambda text: self._searcher.parsed(text, lambda: indexes))

    def facets(self, text: str = "") -> Facets:
        """What all photos, or those that a query asks for, have in common, with the queries that ask for
        those alone. QueryError for a text that is no query."""
        text = text_of(text)
        if text.strip():
            return self._indexes.ask(lambda indexes: self._facets(indexes, text))
        state = self._lookup.state()
        kept: tuple[State, Facets] | None = self.__dict__.get("_facets_of_all")
        if kept is None or kept[0] != state:
            # of all photos they are asked for most, take longest, and change with the catalog alone
            kept = state, self._indexes.ask(lambda indexes: self._facets(indexes, text))
            self.__dict__["_facets_of_all"] = kept
        return kept[1].with_tags(self._lookup.tag_counts())

    def _facets(self, indexes: Sequence[Indexes], text: str) -> Facets:
        from dsslic_search.api.facets import facets_of

        answer = self._searcher.answer(indexes, text if text.strip() else EVERYTHING, limit=0)
        whole = [part.rows.size == part.mask.size for part in answer.parts]
        return facets_of(
            indexes,
            [None if all_of_it else part.rows for all_of_it, part in zip(whole, answer.parts, strict=True)],
            answer.total,
            self._lookup.tag_counts() if answer.total == answer.photos else self._tags_among(answer),
            text,
            self.reader(indexes),
            self.vocabulary,
            self.settings.presence,
            answer.query.tally,
        )

    def _tags_among(self, answer: Answer) -> dict[str, int]:
        if not self._lookup.tag_names():
            return {}
        from dsslic_search.archive import notes

        return notes.tag_counts(self.catalog, answer.all_ids)

    # What photos may be like

    def canvas(self, painted: bytes | Sequence[Sequence[Any]]) -> Canvas:
        """A sketch in the bytes of a PNG or of a JSON file (docs/layout.md), or as rows of cells that are
        each the id or the name of a class, or None where anything may be. UsageError says what is wrong."""
        from dsslic_search.features.canvas import read_canvas, read_cells

        if isinstance(painted, bytes):
            return read_canvas(painted, "the sketch", self.vocabulary)
        return read_cells(painted, "the sketch", self.vocabulary)

    def resembled(
        self, like: int | Path | str | bytes | Canvas | Resembled, by: By = "both", mirrored: bool = False
    ) -> Resembled:
        """What `find` may be asked to be like: a photo of the archive by its id, or one in a file or in
        bytes, which is looked at and not kept, or a canvas; or another way to compare with what this gave
        before. ``by``: "layout", "look" (what it shows as a whole), or
        "both", as "like" in a query; ``mirrored``: by layout, left and right may be exchanged. UsageError for
        look alone where that is not known of a photo."""
        import numpy as np

        from dsslic_search.api.searching import Compared
        from dsslic_search.features.embedding import Canvas
        from dsslic_search.features.embedding import mirrored as mirror
        from dsslic_search.query.run.evaluate import Resembled

        check_flags(mirrored=mirrored)
        if by not in ("layout", "look", "both"):
            raise UsageError(f'"{by}" is not one of: layout, look, both')
        if isinstance(like, Canvas):
            return Resembled(like.queries(self.vocabulary, with_mirrored=mirrored), None, "layout")
        found: Compared
        if isinstance(like, Resembled):
            found = Compared(like.embeddings[0], like.image)
        elif isinstance(like, bytes):
            found = self._searcher.looked_at(like, "the photo")
        elif isinstance(like, int):
            found = self._searcher.compared(f"#{self._searcher.photo(id_of(like)).id}")
        else:
            found = self._searcher.compared(str(like))
        if by == "look" and found.image is None:
            raise UsageError("of that photo it is not known what it shows as a whole; compare by layout")
        layouts = [found.embedding, mirror(found.embedding)] if mirrored else [found.embedding]
        return Resembled(np.stack(layouts), found.image, by)


def _sorted_alone(query: Query) -> Query:
    from dataclasses import replace

    return replace(query, tree=None, limit=None, tally=None)
