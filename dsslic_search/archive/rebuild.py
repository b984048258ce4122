"""Making the catalog anew from the photos' files and the journal.

It is made under another name, beside, so that it can be stopped and run again, and goes on where it was; the
catalog that is there is kept aside, under a name that tells it is no longer used. What the journal says comes
first, then photos of which it says nothing, out of their files alone; then every photo is described from its
label map. Who writes to an archive without a catalog is refused, so that nothing changes meanwhile.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from dsslic_search.archive import later_facts, owner, replaying
from dsslic_search.archive.catalog import RECORD_COLUMNS, Catalog, of_photo, utc_now
from dsslic_search.archive.copies import LOGS, bring_into_one_file
from dsslic_search.archive.damage import DamagedCatalogError
from dsslic_search.archive.database import (
    NoCatalogError,
    make_engine,
    url_of,
)
from dsslic_search.archive.disk import disk_trouble
from dsslic_search.archive.features import MapFeatures, read_features
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.journal import OWN, Journal, Stand, name_in
from dsslic_search.archive.journaling import JOURNAL_SETTING, stated, tend
from dsslic_search.archive.journals import Journals
from dsslic_search.archive.lock import locked
from dsslic_search.archive.paths import settle
from dsslic_search.archive.reindex import make_current, nothing_known
from dsslic_search.archive.schema import Photo, Purged, Setting
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import Fault, ObjectRecord, StoredFile, examine, stored_metadata
from dsslic_search.core import files
from dsslic_search.core.errors import ArchiveError, FormatError, Remedy, UsageError
from dsslic_search.core.files import absolute, path_to_text

if TYPE_CHECKING:
    from dsslic_search.codec.picture.raster import Embedded

BUILDING = "catalog.rebuild.sqlite"
PHOTOS_IN_A_BATCH = 32
UNKNOWN_FORMAT = "unknown"


@dataclass
class RebuildReport:
    """``photos``: of the catalog that was made. ``from_files``: those of which the journal says nothing, so
    that their tags and paths are not known; ``lost``: those that have no file, and are set apart; ``unread``:
    lines of the journal that are damaged or missing; ``failed``: (photo id, reason), whose label maps could
    not be read. ``aside``: where the earlier catalog is."""

    photos: int = 0
    from_files: int = 0
    lost: int = 0
    unread: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)
    aside: Path | None = None
    seconds: float = 0.0


def rebuild(
    archive: ArchiveFolder,
    *,
    journal: Path | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> RebuildReport:
    """Make the catalog anew; ``journal``: from which, by default the archive's. ``progress`` is called with
    photos described and in all. May be stopped and run again.

    Raises ArchiveError when the archive cannot be written, while another program uses it, where the journal
    is not that of the catalog that is there, and for a catalog in another database than SQLite's file;
    UsageError when there is no such journal."""
    start = time.perf_counter()
    report = RebuildReport()
    archive.begin_anew()
    archive.verify()
    if not archive.has_own_catalog:
        raise ArchiveError("only a catalog in the archive's own folder is made anew; restore that database")
    if journal is not None and not journal.is_file():
        raise UsageError(f"{path_to_text(journal)}: no such file; name a journal that was kept aside")
    source = Journal(journal or archive.journal)
    building = archive.root / BUILDING
    with locked(archive.root, archive.wait, archive.waiting):
        length = _prepare(archive, journal is not None, report)
        if journal is None:
            Journals.of(archive.journal).join()
        has_journal = source.path.is_file()
        with _building(building, source) as catalog:
            replayed = replaying.replay(catalog, source, length) if has_journal else replaying.Replay()
            report.unread = replayed.unread
            if source.path == archive.journal and replayed.place is not None:
                _write_setting(catalog, JOURNAL_SETTING, str(replayed.place))
        with Catalog.open(building, journal=archive.journal) as catalog:
            if not has_journal:
                later_facts.begin(catalog)
            if archive.are_objects_outside:
                owner.adopt(archive.store, catalog)
            report.from_files = _take_files(catalog, archive.store, replayed)
            _describe(catalog, archive.store, workers, report, progress)
            make_current(catalog)
            catalog.tend_journal()
            report.photos = catalog.count()
        bring_into_one_file(building)
        with disk_trouble(archive.root / "catalog.sqlite", "written"):
            building.replace(archive.root / "catalog.sqlite")
            files.sync_folder(archive.root)
    report.seconds = time.perf_counter() - start
    return report


def _prepare(archive: ArchiveFolder, named: bool, report: RebuildReport) -> int | None:
    """Set the catalog that is there aside, once its journal says all that it knows, unless another one is
    ``named``; returns how many bytes of the journal are its own, None for all."""
    file = archive.root / "catalog.sqlite"
    length = None
    if any(each.exists() for each in _with_logs(file)):
        _delete(archive.root / BUILDING)  # of a run that was stopped before this catalog was made
        with suppress(_Unusable):
            length = _written_down(archive, named)
        report.aside = _set_aside(file)
    return length


class _Unusable(Exception):
    """A catalog that is damaged, or has nothing in it."""


def _written_down(archive: ArchiveFolder, named: bool) -> int | None:
    """See that the journal says all that a catalog knows, and that nobody uses it."""
    file, journal = archive.root / "catalog.sqlite", Journal(archive.journal)
    length = None
    try:
        with Catalog.open(file) as catalog, catalog.noting() as session:
            stand = journal.stand(stated(session.connection()))
            if not named and stand is Stand.OTHER:
                raise ArchiveError(
                    f"{archive.journal}: is not the journal of the catalog that is there; name the one to "
                    f"make it anew from, with {Remedy.JOURNAL}, or move the wrong one of the two away"
                )
            if not named:
                place = stated(session.connection())
                damaged = stand in OWN and place is not None and journal.damaged_lines(place) > 0
                tend(session, Journals.of(archive.journal), anew=damaged)
                place = stated(session.connection())
                assert place is not None
                journal.cut(place)
                length = place.length
        _require_nobody(file)
    except (NoCatalogError, DamagedCatalogError) as e:
        raise _Unusable from e
    return length


def _require_nobody(file: Path) -> None:
    """ArchiveError where another program has a catalog open; brings all of it into its one file."""
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.OperationalError:
            mode = "wal"
    if mode != "delete":
        raise ArchiveError(f"{file}: another program has it open; end servers and shells, and run it again")


def _with_logs(file: Path) -> list[Path]:
    """A catalog's file, and what may lie beside it."""
    return [file.with_name(file.name + ending) for ending in ("", *LOGS)]


def _delete(file: Path) -> None:
    for each in _with_logs(file):
        with disk_trouble(each, "deleted"):
            each.unlink(missing_ok=True)


def _set_aside(file: Path) -> Path:
    number = 1
    while (aside := file.with_name(f"{file.stem}.{number}{file.suffix}")).exists():
        number += 1
    for each, target in reversed([*zip(_with_logs(file), _with_logs(aside), strict=True)]):
        with disk_trouble(each, "renamed"), suppress(FileNotFoundError):
            each.rename(target)
    with disk_trouble(file.parent, "written"):
        files.sync_folder(file.parent)
    return aside


def _building(building: Path, source: Journal) -> Catalog:
    """The catalog that is made, without foreign keys: what was begun, if it is of the same journal."""
    first = next(source.lines(), None) if source.path.is_file() else None
    identity = (name_in(first.content) if first else None) or "-"
    if building.exists() and not _was_begun(building, identity):
        _delete(building)
    Catalog.open(building, create=True).close()
    catalog = Catalog(make_engine(url_of(building), foreign_keys=False))
    if replaying.begun_from(catalog) is None:
        with catalog.noting() as session:
            replaying.say(session.connection(), identity, -1)
    return catalog


def _was_begun(building: Path, identity: str) -> bool:
    try:
        with Catalog.open(building) as catalog:
            begun = replaying.begun_from(catalog)
    except ArchiveError:
        return False
    return begun is not None and begun[0] == identity


def _write_setting(catalog: Catalog, name: str, value: str) -> None:
    with catalog.noting() as session:
        session.execute(delete(Setting).where(Setting.name == name))
        session.execute(insert(Setting).values(name=name, value=value))


# Photos of which the journal says nothing.


def _take_files(catalog: Catalog, store: Store, replayed: replaying.Replay) -> int:
    """Add those whose files are there, with what the files tell; returns how many."""
    count = 0
    with catalog.session() as session:
        purged = set(session.scalars(select(Purged.content_hash)))
    for content_hash in store.hashes():
        if content_hash in purged or catalog.has(content_hash):
            continue
        try:
            values = _told_by(store, content_hash)
        except (FormatError, ArchiveError):
            continue  # `check` tells of it
        with catalog.changing() as session:
            session.add(photo := Photo(content_hash=content_hash, **values))
            session.flush()
            for kind in "paths", "tags":
                known = replayed.pending.pop((kind, content_hash), None)
                if known is not None:
                    with suppress(*replaying.IMPOSSIBLE):
                        replaying.apply(session.connection(), (kind, content_hash, known), {})
            settle(session, [photo.id])
        count += 1
    return count


def _told_by(store: Store, content_hash: str) -> dict[str, Any]:
    """The columns of a photo's row, as far as its file tells. FormatError or ArchiveError where it cannot be
    read."""
    from dsslic_search.codec.picture.facts import facts_of, turn_of
    from dsslic_search.codec.picture.formats.signature import kind_of

    record = ObjectRecord.of_header(StoredFile(store, content_hash).contents)
    looks, where = store.looks(content_hash), store.where(content_hash)
    written = datetime.fromtimestamp(looks.modified_ns / 1e9 if looks else 0, UTC).replace(tzinfo=None)
    original = _original(store, content_hash)
    embedded = stored_metadata(store, content_hash)[0]
    if original is not None:
        embedded = _embedded(original)
    turn = turn_of(embedded) if original is not None else None
    return {
        **facts_of(embedded),
        **asdict(record),
        "turn": turn,
        "path": path_to_text(absolute(Path(where))) if store.is_here else where,
        "file_size": 0 if original is None else len(original),
        "modified_at": written,
        "added_at": written,
        "format": UNKNOWN_FORMAT if original is None else kind_of(original) or UNKNOWN_FORMAT,
        **of_photo(nothing_known()),
        "regions": None,  # to be described, with its checksum
    }


def _original(store: Store, content_hash: str) -> bytes | None:
    """The original in a photo's file, None where it holds none."""
    from dsslic_search.codec.layers import original

    file = StoredFile(store, content_hash)
    chunk = file.chunk(original.LAYER.kind)
    return None if chunk is None else original.decode(chunk, file.chunk(original.HASH.kind))


def _embedded(original: bytes) -> Embedded:
    """Metadata of an original; none where it cannot be opened."""
    from dsslic_search.codec.picture.open import read_header
    from dsslic_search.codec.picture.raster import Embedded
    from dsslic_search.core.settings import DEFAULT_MAX_PIXELS

    try:
        return read_header(original, "", DEFAULT_MAX_PIXELS).embedded()
    except Exception:  # damage can make libraries raise nearly anything
        return Embedded()


# Describing them all.


@dataclass(frozen=True)
class _Looked:
    """What is to be known of a photo from its file: ``features``; ``record``, where the row has another;
    ``is_lost``: it has no file; ``reason``: why it could not be read."""

    features: MapFeatures | None = None
    record: ObjectRecord | None = None
    is_lost: bool = False
    reason: str = ""


Batch = list[tuple[int, str, ObjectRecord]]


def _describe(
    catalog: Catalog,
    store: Store,
    workers: int | None,
    report: RebuildReport,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Describe all photos that are not yet, some at a time, each lot in a transaction."""
    total = done = catalog.count()
    chosen = select(Photo.id, Photo.content_hash, *RECORD_COLUMNS).where(Photo.regions.is_(None))
    with (
        ThreadPoolExecutor(workers or os.cpu_count()) as pool,
        catalog.snapshot() as snapshot,
    ):
        lots = list(snapshot.rows(chosen.order_by(Photo.id), PHOTOS_IN_A_BATCH))
        done -= sum(map(len, lots))
        batches = ([(i, h, ObjectRecord(*values)) for i, h, *values in rows] for rows in lots)
        for batch, looked in _looked(pool, store, batches):
            _write(catalog, batch, looked.result(), report)
            done += len(batch)
            if progress is not None:
                progress(done, total)


def _looked(
    pool: ThreadPoolExecutor, store: Store, batches: Iterator[Batch]
) -> Iterator[tuple[Batch, Future[list[_Looked]]]]:
    """Batches with what their files tell, a few batches ahead of the one that is written."""
    ahead: deque[tuple[Batch, Future[list[_Looked]]]] = deque()
    for batch in batches:
        ahead.append((batch, pool.submit(lambda some: [_look(store, h, r) for _, h, r in some], batch)))
        if len(ahead) > (os.cpu_count() or 1):
            yield ahead.popleft()
    yield from ahead


def _look(store: Store, content_hash: str, row: ObjectRecord) -> _Looked:
    found = examine(store, content_hash, row)
    if found.fault is Fault.MISSING:
        return _Looked(is_lost=True)
    record = found.record if found.fault is Fault.OUTDATED_ROW else None
    try:
        features, _ = read_features(store, content_hash, (record or row).map_bytes)
    except (FormatError, ArchiveError) as e:
        return _Looked(reason=str(e))
    return _Looked(features, record)


def _write(catalog: Catalog, batch: Batch, looked: list[_Looked], report: RebuildReport) -> None:
    now = utc_now()
    lost = [photo_id for (photo_id, _, _), each in zip(batch, looked, strict=True) if each.is_lost]
    with catalog.changing() as session:
        for (photo_id, _, _), each in zip(batch, looked, strict=True):
            values = of_photo(each.features or nothing_known())
            values |= {} if each.record is None else asdict(each.record)
            if each.is_lost:
                values["map_bytes"] = 0  # so that the file, should it come back, is described anew
            elif each.reason:
                report.failed.append((photo_id, each.reason))
            session.execute(update(Photo).where(Photo.id == photo_id).values(**values))
        newly = update(Photo).where(Photo.id.in_(lost), Photo.lost_at.is_(None))
        session.execute(newly.values(lost_at=now))
        settle(session, lost)
    report.lost += len(lost)
