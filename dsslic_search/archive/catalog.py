"""The catalog: one row a photo, with the coverages, regions and embedding of its label map.

SQLite by default (write-ahead log, so that queries go on while an ingest writes), any SQLAlchemy URL in
principle. Every committed change increases `Catalog.generation` within the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Engine,
    bindparam,
    delete,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session, selectinload

from dsslic_search.archive import history, journaling, layouts, paths, postgresql, schema
from dsslic_search.archive.database import database_trouble, for_writing, named, open_engine
from dsslic_search.archive.features import MapFeatures
from dsslic_search.archive.journals import Journals
from dsslic_search.archive.leases import Leases
from dsslic_search.archive.lookup import SETTINGS, Lookup, Rows, batches, state_in
from dsslic_search.archive.paths import FileThere
from dsslic_search.archive.snapshot import Snapshot
from dsslic_search.archive.stored import RECORD_NAMES, ObjectRecord
from dsslic_search.archive.sums import SUM, sum_of
from dsslic_search.core.cached import cached_property
from dsslic_search.core.files import absolute, path_to_text, text_to_path
from dsslic_search.features.coverage import Shown, pack_shown

RECORD_COLUMNS = tuple(getattr(schema.Photo, name) for name in RECORD_NAMES)

_WHOLE = selectinload(schema.Photo.paths)

# made once, since to put a statement together takes as long as to run it
_ID = select(schema.Photo.id).where(schema.Photo.content_hash == bindparam("content_hash"))
_PHOTO = select(schema.Photo).where(schema.Photo.id == bindparam("id")).options(_WHOLE)
_RECORD = select(schema.Photo.id, *RECORD_COLUMNS).where(
    schema.Photo.content_hash == bindparam("content_hash")
)


class Catalog(Lookup):
    """An open catalog; safe to use from several threads. Close it, or use it in a ``with``.

    Every method raises ArchiveError for trouble with the database. `Photo` objects that come out are
    detached: their columns are there, and from `photo` and `find` their ``paths`` too.
    """

    def __init__(self, engine: Engine, journal: Path | None = None) -> None:
        """Of an engine on a catalog that is known to be up to date; see `open`."""
        self.engine = engine
        self._journals = (
            Journals.of(journal) if journal is not None and engine.dialect.name == "sqlite" else None
        )
        self._writing = for_writing(engine)
        self._in_turn = False
        self.leases = Leases()
        """Of the one who writes, see `writer`."""

    @classmethod
    def open(
        cls, where: Path | str, *, create: bool = False, change: bool = True, journal: Path | None = None
    ) -> Catalog:
        """Open the catalog in an SQLite file or at a database URL, migrating an older one.

        ``create``: make it when there is none. ``change=False``: leave an older schema as it is, for `known`
        and `has`. ``journal``: where its changes are written down, too (`archive.journaling`), if it is in
        SQLite. Where the disk cannot be written, an SQLite file is opened for reading only, as one that
        nobody changes. Raises ArchiveError when it is missing, empty, damaged, of something else, or of a
        newer version (then nothing is modified).
        """
        return cls(open_engine(where, create=create, change=change), journal)

    def close(self) -> None:
        """Release the connections."""
        self.engine.dispose()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def name(self) -> str:
        """What messages call the database: see `archive.database.named`."""
        return named(self.engine.url)

    # Reading

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session for reading with any SQLAlchemy statement; changes go through `changing`."""
        with database_trouble(self.name), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """For reading columns, which takes no session, and half the time of one."""
        with database_trouble(self.name), self.engine.connect() as connection:
            yield connection

    def rows(self, *statements: str) -> list[Rows]:
        with self.reading() as connection:
            return [_rows(connection, statement) for statement in statements]

    def has(self, content_hash: str) -> bool:
        """Whether a photo of this content is there."""
        with self.reading() as connection:
            return connection.scalar(_ID, {"content_hash": content_hash}) is not None

    def known(self, content_hash: str) -> tuple[int, ObjectRecord] | None:
        """The id of the photo of this content and what its row says of its file; None when it is not
        there."""
        with self.reading() as connection:
            row = connection.execute(_RECORD, {"content_hash": content_hash}).one_or_none()
        return None if row is None else (row[0], ObjectRecord(*row[1:]))

    def photo(self, photo_id: int) -> schema.Photo | None:
        """A photo by id, with its paths."""
        with self.session() as session:
            return session.scalar(_PHOTO, {"id": photo_id})

    def find(self, content_hash: str) -> schema.Photo | None:
        """A photo by content hash, with its paths."""
        with self.session() as session:
            return session.scalar(
                select(schema.Photo).where(schema.Photo.content_hash == content_hash).options(_WHOLE)
            )

    def at_path(self, path: Path | str) -> list[schema.Photo]:
        """The photos that lie at a path or lay there, in the bin or not: the one that does first, then those
        that ended last."""
        row = schema.KnownPath
        chosen = select(schema.Photo).join(row, row.photo_id == schema.Photo.id)
        chosen = chosen.where(row.path + row.part == path_to_text(absolute(path)))
        with self.session() as session:
            return list(
                session.scalars(
                    chosen.order_by(row.ended_at.is_not(None), row.ended_at.desc(), schema.Photo.id.desc())
                )
            )

    def photos(self, ids: Iterable[int]) -> list[schema.Photo]:
        """Photos by id, in the order asked for; ids that are not there are left out."""
        wanted = [int(i) for i in ids]
        found: dict[int, schema.Photo] = {}
        with self.session() as session:
            for part in batches(wanted):
                found.update(
                    (p.id, p) for p in session.scalars(select(schema.Photo).where(schema.Photo.id.in_(part)))
                )
        return [found[i] for i in wanted if i in found]

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The whole catalog at one moment, to be read in bulk."""
        level = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
        with (
            database_trouble(self.name),
            self.engine.connect().execution_options(**level) as connection,
            connection.begin(),
        ):
            yield Snapshot(connection, state_in(dict(_rows(connection, SETTINGS))))

    # Changing

    @contextmanager
    def changing(self, *, shed: bool = False, in_turn: bool = True) -> Iterator[Session]:
        """A transaction that changes the catalog: committed, with the generation increased, when the block
        ends well. ``shed``: what it changes is to be forgotten, so that the journal is begun anew soon.
        ``in_turn``: after those of others from its start, where several write together; else from when the
        block calls `_take_turn`, before it looks at what others may change."""
        with self._transaction(shed, in_turn) as session:
            yield session
            session.flush()
            history.advance(session)

    @contextmanager
    def noting(self) -> Iterator[Session]:
        """A transaction that changes what no index holds, such as tags, saved queries and settings: committed
        when the block ends well, with the generation as it was."""
        with self._transaction() as session:
            yield session

    @contextmanager
    def _transaction(self, shed: bool = False, in_turn: bool = True) -> Iterator[Session]:
        with (
            database_trouble(self.name),
            Session(self._writing, expire_on_commit=False) as session,
            session.begin(),
        ):
            if self._journals is not None:
                journaling.follow(session)
            if in_turn:
                self._take_turn(session)
            yield session
            if self._journals is not None:
                session.flush()
                journaling.write(session, self._journals, shed=shed)

    def _take_turn(self, session: Session) -> None:
        if self._in_turn:
            postgresql.take_turn(session.connection())

    @contextmanager
    def writer(self, wait: float, waiting: Callable[[str], None], together: bool = False) -> Iterator[None]:
        """Hold the lock of the one process that writes, on whatever machine, where the catalog is a database
        that several reach; raises BusyError as `archive.lock.locked` does, whose lock is of a folder.
        ``together``: several may, each what it has `leases` of; their transactions come one after the
        other."""
        if self.engine.dialect.name != "postgresql":
            yield
            return
        with (
            database_trouble(self.name),
            postgresql.writer(self.engine, wait, waiting, together) as self.leases,
        ):
            self._in_turn = together
            yield

    @contextmanager
    def publishing(self, *, wait: float) -> Iterator[Connection | None]:
        """Be the one who publishes indexes, of a catalog in PostgreSQL; see `postgresql.publishing`."""
        with database_trouble(self.name), postgresql.publishing(self.engine, wait) as connection:
            yield connection

    def remember(self, name: str, value: str) -> None:
        """Keep a setting of the archive."""
        if self.settings().get(name) != value:
            with self.noting() as session:
                session.merge(schema.Setting(name=name, value=value))

    def keep_layouts(self) -> bool:
        """Have the database compare photos itself, if it can, see `archive.layouts`; returns whether it
        does."""
        with database_trouble(self.name), self._writing.begin() as connection:
            return layouts.keep(connection)

    def tend_journal(self, *, anew: bool = False) -> None:
        """Begin the journal where there is none that is the catalog's, where it has become long, and where
        it shall be ``anew``. For the one who writes, before anything else."""
        if self._journals is not None:
            with self._transaction() as session:
                journaling.tend(session, self._journals, anew=anew)

    def add(self, photo: schema.Photo, features: MapFeatures, there: FileThere | None = None) -> int:
        """Add a photo with its features in one transaction; returns its id. What ``features`` tell is set
        here. ``there``: the file in which it was met, by default one at the row's path and of its size.

        Raises ArchiveError, too, when its content is there already.
        """
        for name, value in of_photo(features).items():
            setattr(photo, name, value)
        there = there or FileThere(text_to_path(photo.path), photo.file_size, None)
        photo.path = path_to_text(absolute(there.path)) + there.part
        with self.changing(in_turn=False) as session:
            photo.id = _inserted(session, photo)  # most of what is to do, for which others need not wait
            self._take_turn(session)
            paths.seen(session, photo.id, there, photo.added_at)
        return photo.id

    def replace_features(self, features: Mapping[int, MapFeatures]) -> None:
        """Give photos, by id, other coverages, regions and embeddings, in one transaction; ids that are gone
        are left out."""
        with self.changing() as session:
            for part in batches(list(features)):
                there = session.scalars(select(schema.Photo.id).where(schema.Photo.id.in_(part))).all()
                _replace_features(session, {i: features[i] for i in there})

    def update(
        self,
        photo_id: int,
        values: Mapping[str, Any],
        features: MapFeatures,
        there: FileThere | None = None,
        now: datetime | None = None,
        shed: bool = False,
    ) -> None:
        """Give a photo whose object file is sound other values of its row, by column, and other features, in
        one transaction; no error when it is gone. ``there``: the file in which it was met ``now`` (UTC),
        where it was. ``shed``: what it had is to be forgotten."""
        with self.changing(shed=shed) as session:
            if session.get(schema.Photo, photo_id) is not None:
                sound = {"lost_at": None, **values}
                session.execute(update(schema.Photo).where(schema.Photo.id == photo_id).values(**sound))
                _replace_features(session, {photo_id: features})
                paths.settle(session, [photo_id])
                if there is not None:
                    paths.seen(session, photo_id, there, now or utc_now())

    def remove(self, ids: Sequence[int]) -> int:
        """Remove photos with their features in one transaction; returns how many were there. Their files
        stay."""
        count = 0
        with self.changing() as session:
            for part in batches(ids):
                result = session.execute(delete(schema.Photo).where(schema.Photo.id.in_(part)))
                assert isinstance(result, CursorResult)
                count += result.rowcount
        return count


_NEW_PHOTO = insert(schema.Photo)
_COLUMN_OF = {attribute.key: attribute.columns[0].name for attribute in inspect(schema.Photo).column_attrs}
"""By the names of a photo's attributes those of its columns."""


def _inserted(session: Session, photo: schema.Photo) -> int:
    """Puts in a photo's row, by SQL alone, which takes a third of the time of a unit of work; returns its
    id."""
    told = vars(photo)
    values = {column: told[name] for name, column in _COLUMN_OF.items() if name in told}
    key = session.connection().execute(_NEW_PHOTO, values).inserted_primary_key
    assert key is not None
    return int(key[0])


def utc_now() -> datetime:
    """As the catalog keeps dates: UTC, without a time zone."""
    return datetime.now(UTC).replace(tzinfo=None)


_text = lru_cache(maxsize=100)(text)


def _rows(reader: Session | Connection, statement: str) -> Rows:
    return [tuple(row) for row in reader.execute(_text(statement))]


def _replace_features(session: Session, features: Mapping[int, MapFeatures]) -> None:
    """Of photos that are there."""
    if not features:
        return
    values = [{"id": i, **of_photo(made)} for i, made in features.items()]
    session.execute(update(schema.Photo), values)


def of_photo(made: MapFeatures) -> dict[str, Any]:
    """The columns of a photo's row that follow from its base layer and its compact image, with their
    checksum."""
    colours = made.colours
    brightness, mask = (None, None) if colours is None else (colours.brightness, colours.photo)
    coverages = pack_shown(
        Shown(c, f, made.certainties.get(c), None if colours is None else colours.of_class.get(c))
        for c, f in made.coverages
    )
    return {
        "embedding": made.embedding,
        "regions": made.regions,
        "stored_words": made.words,
        "brightness": brightness,
        "colours": mask,
        "stored_coverages": coverages,
        SUM: sum_of(made.embedding, made.regions, brightness, mask, made.words, coverages),
    }
