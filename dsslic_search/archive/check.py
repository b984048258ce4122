"""Whether an archive is whole: the rows against the files, the files against themselves.

What is found is told in values; the face that shows it makes the sentences.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import TypeVar

from sqlalchemy import func, not_, or_, select

from dsslic_search.archive import intact, parity, sums, there
from dsslic_search.archive.agreeing import UNREADABLE, differences
from dsslic_search.archive.bin import purged_files
from dsslic_search.archive.catalog import RECORD_COLUMNS, Catalog
from dsslic_search.archive.database import database_trouble
from dsslic_search.archive.findings import Finding, Kind, Problem
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.journal import OWN, Journal, Stand
from dsslic_search.archive.journaling import says_of_journal, stated
from dsslic_search.archive.journals import Journals
from dsslic_search.archive.lock import may_be_held
from dsslic_search.archive.lookup import batches
from dsslic_search.archive.originals_away import ORIGINALS, LookedAt, away
from dsslic_search.archive.published import leftovers
from dsslic_search.archive.reading import Reading
from dsslic_search.archive.schema import Photo
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import Examination, Fault, ObjectRecord, examine
from dsslic_search.archive.terms import is_current
from dsslic_search.core.workplace import Here, Workplace, here, in_order
from dsslic_search.features.scene import CURRENT
from dsslic_search.index.segments import damaged_files

# Made once: to put together a statement takes longer than to run it in a small archive.
_COUNT = select(func.count(Photo.id))
_PHOTOS = select(Photo.content_hash, Photo.id, Photo.path, Photo.lost_at, *RECORD_COLUMNS).order_by(Photo.id)
_OLDER = _COUNT.where(
    or_(
        Photo.regions.is_(None),
        not_(func.substr(Photo.regions, 1, 1).in_([bytes([each]) for each in CURRENT])),
    )
)

TRIES = 5  # to read catalog and journal between two changes
LOOKS, SECONDS_BETWEEN = 50, 0.1
"""At files of which a writer at work may be about to write the row, or to give them their names."""

Each = TypeVar("Each")


def check(
    archive: ArchiveFolder,
    read_data: bool = False,
    progress: Callable[[int, int], None] | None = None,
    sample: float = 100,
    restart: bool = False,
    *,
    place: Workplace | None = None,
) -> list[Finding]:
    """Everything that is wrong with an archive; an empty list when it is sound. Nothing of it is changed.

    Always: the database's own check, the checksums of what it says of label maps, each photo's file there,
    as long as it was, its header sound, and of mode reference the original, as long as it was. With
    ``read_data`` also the database's indexes against its tables, whether it says what the journal does,
    every checksum of every file, of our indexes too, and these originals' bytes. What an ingest changes
    meanwhile is not a problem. ``sample``: the percentage of photos, drawn anew each time, of which
    ``read_data`` reads every byte; where it is below 100, of no originals. What reads all of them notes how
    far it has come (`archive.reading`): one that was stopped goes on, unless it is to ``restart``.
    ``place``: where the photos' files are read, else here, one after the other.
    ``progress`` is called with files, these originals among them, that were looked at and that are to be
    looked at in all. Raises ArchiveError when the archive cannot be opened at all.
    """
    store = archive.store
    with archive.open_catalog() as catalog:
        found = list(_of_database(catalog, read_data))
        if found:
            return found
        reads_all = read_data and sample >= 100
        reading = Reading.of(archive.root, restart) if reads_all else Reading()
        known: set[str] = set()
        chance = random.SystemRandom()
        with_parity = parity.wanted(catalog) > 0
        with catalog.session() as session:
            files = (session.scalar(_COUNT) or 0) + (session.scalar(ORIGINALS) or 0)
        looked_at = count(1)

        def look_on() -> None:
            if progress is not None:
                progress(next(looked_at), files)

        with catalog.snapshot() as snapshot:

            def photos() -> Iterator[_Photo]:
                for rows in snapshot.rows(_PHOTOS):
                    for content_hash, photo_id, path, lost_at, *values in rows:
                        known.add(content_hash)
                        if reads_all:
                            whole = reading.files.is_due(photo_id, content_hash)
                        else:
                            whole = read_data and chance.random() * 100 < sample
                        row = ObjectRecord(*values)
                        yield _Photo(content_hash, photo_id, path, lost_at is not None, row, whole)

            for photo, look in _looks(place or here(1), store, with_parity, photos()):
                if photo.lost:
                    finding = _of_lost(store, photo, look)
                else:
                    finding = _of_photo(catalog, store, photo, look)
                wrong = [] if finding is None else [finding]
                if finding is None and not look.parity:
                    where = store.where_parity(photo.content_hash)
                    wrong.append(
                        Finding(Problem.PARITY_LACKING, where, photo.content_hash, photo.id, photo.path)
                    )
                if photo.whole:
                    size = photo.row.stored_bytes
                    reading.done(reading.files, photo.id, photo.content_hash, size, not wrong)
                found += wrong
                look_on()
        # A row that its file contradicts may be wrong about the keep mode, too.
        doubtful = {finding.photo_id for finding in found if finding.kind is Kind.OUTDATED}

        def original_looked_at(each: LookedAt) -> None:
            if reads_all:
                reading.done(reading.originals, each.photo_id, each.content_hash, each.size, each.there)
            look_on()

        outside = _of_originals(
            catalog,
            lambda *each: reads_all and reading.originals.is_due(*each),
            original_looked_at,
        )
        found.extend(each for each in outside if each.photo_id not in doubtful)
        found.extend(_of_descriptions(catalog))
        found.extend(_of_sums(catalog, store))
        found.extend(_of_journal(archive, catalog, read_data))
        if reads_all:
            found.extend(_of_agreement(archive, catalog))
        deleted = set(purged_files(catalog, store))
        unknown = [each for each in store.hashes() if each not in known and not catalog.has(each)]
        found.extend(
            Finding(
                Problem.LEFTOVER if content_hash in deleted else Problem.NO_PHOTO,
                store.where(content_hash),
                content_hash,
            )
            for content_hash in _lasting(
                archive,
                unknown,
                lambda each: store.size_of(each) is not None and not catalog.has(each),
            )
        )
        unpublished = leftovers(archive.published(catalog.settings), catalog)
    unfinished = _lasting(archive, list(store.leftovers()), lambda each: each.exists())
    found.extend(Finding(Problem.LEFTOVER, str(each)) for each in (*unfinished, *unpublished))
    if read_data:
        found.extend(Finding(Problem.INDEX_DAMAGED, str(path)) for path in damaged_files(archive.index))
    reading.end()
    return found


def _lasting(archive: ArchiveFolder, some: list[Each], lasts: Callable[[Each], bool]) -> list[Each]:
    """Those that a writer at work does not settle at once."""
    for _ in range(LOOKS if some else 0):
        at_work = may_be_held(archive.root)
        some = [each for each in some if lasts(each)]
        if not some or not at_work:
            break
        time.sleep(SECONDS_BETWEEN)
    return some


def _of_database(catalog: Catalog, thorough: bool) -> Iterator[Finding]:
    with database_trouble(catalog.name), catalog.engine.connect() as connection:
        said = intact.faults(connection, thorough)
        dangling = intact.has_rows_of_no_photo(connection)
    for line in said:
        yield Finding(Problem.DATABASE, catalog.name, detail=line)
    if dangling:
        yield Finding(Problem.ROWS_OF_NO_PHOTO, catalog.name)


def _of_sums(catalog: Catalog, store: Store) -> Iterator[Finding]:
    with catalog.session() as session:
        for part in batches(list(sums.differing(session.connection()))):
            chosen = select(Photo.id, Photo.content_hash, Photo.path, Photo.lost_at)
            for photo_id, content_hash, path, lost_at in session.execute(chosen.where(Photo.id.in_(part))):
                if lost_at is None:
                    where = store.where(content_hash)
                    yield Finding(Problem.DESCRIBED_OTHERWISE, where, content_hash, photo_id, path)
                else:  # the journal has it, and nothing else
                    said = f"what it says of photo {photo_id}, whose file is lost, is not what was written"
                    yield Finding(Problem.DATABASE, catalog.name, detail=said)


def _of_originals(
    catalog: Catalog, read: Callable[[int, str], bool], looked_at: Callable[[LookedAt], None]
) -> Iterator[Finding]:
    for each in away(catalog, read, looked_at):
        if each.photo_id is None:
            yield Finding(Problem.ORIGINALS_AWAY, each.where, photos=each.photos)
        else:
            what = Problem.ORIGINAL_CHANGED if each.changed else Problem.ORIGINAL_AWAY
            yield Finding(what, each.where, each.content_hash, each.photo_id, each.where)


def _of_journal(archive: ArchiveFolder, catalog: Catalog, read_data: bool) -> Iterator[Finding]:
    """Whether both journals are the catalog's, and with ``read_data`` all of them what was written."""
    if catalog.engine.dialect.name == "sqlite":
        for journal in Journals.of(archive.journal).both:
            yield from _of_one_journal(journal, catalog, read_data)


def _of_one_journal(journal: Journal, catalog: Catalog, read_data: bool) -> Iterator[Finding]:
    place, stand, damaged = None, Stand.IN_STEP, 0
    for _ in range(TRIES):
        with catalog.session() as session:
            place = stated(session.connection())
            unread = place is None and says_of_journal(session.connection())
        if place is None:  # the first that writes begins it, and may have been stopped there
            if not unread and not journal.tells_changes():
                return
            with catalog.session() as session:
                if stated(session.connection()) is not None:  # somebody wrote meanwhile
                    continue
            yield Finding(
                Problem.JOURNAL, str(journal.path), detail="the catalog does not say how long it is"
            )
            return
        stand = journal.stand(place)
        damaged = journal.damaged_lines(place) if read_data and stand in OWN else 0
        with catalog.session() as session:
            if stated(session.connection()) == place:  # else somebody wrote meanwhile
                break
    if stand not in OWN:
        yield Finding(Problem.JOURNAL, str(journal.path), detail=_WRONG[stand])
    elif damaged:
        lines = "a line is" if damaged == 1 else f"{damaged} lines are"
        yield Finding(Problem.JOURNAL, str(journal.path), detail=f"{lines} damaged or missing")


def _of_agreement(archive: ArchiveFolder, catalog: Catalog) -> Iterator[Finding]:
    if catalog.engine.dialect.name != "sqlite":
        return
    for _ in range(TRIES):
        with catalog.session() as session:
            place = stated(session.connection())
            differ = differences(session, Journal(archive.journal))
        with catalog.session() as session:
            if stated(session.connection()) == place:  # else somebody wrote meanwhile
                break
    else:
        return
    if differ == UNREADABLE:
        yield Finding(Problem.DATABASE, catalog.name, detail="a value that cannot be one")
    elif differ:
        yield Finding(Problem.OTHERWISE, catalog.name, photos=differ)


_WRONG = {
    Stand.BEHIND: "missing, or shorter than the catalog says",
    Stand.OTHER: "not the journal of this catalog, or of another past",
}


def _of_descriptions(catalog: Catalog) -> Iterator[Finding]:
    with catalog.session() as session:
        count = session.scalar(_OLDER if is_current(catalog) else _COUNT) or 0
    if count:
        yield Finding(Problem.EARLIER_DESCRIPTIONS, catalog.name, photos=count)


@dataclass(frozen=True)
class _Photo:
    """A row of the catalog. ``lost``: it is set apart. ``whole``: its file is read to its end."""

    content_hash: str
    id: int
    path: str
    lost: bool
    row: ObjectRecord
    whole: bool


@dataclass(frozen=True)
class _Look:
    """``parity``: whether the file has what it should have of it."""

    found: Examination
    parity: bool = True


PHOTOS_IN_A_BATCH = 32  # looked at elsewhere at once


def _looks(
    place: Workplace, store: Store, with_parity: bool, photos: Iterator[_Photo]
) -> Iterator[tuple[_Photo, _Look]]:
    """Photos, in order, with what their files are."""
    if isinstance(place, Here):
        for photo in photos:
            yield photo, _look(store, with_parity, [photo])[0]
        return
    batches = iter(lambda: list(islice(photos, PHOTOS_IN_A_BATCH)), [])
    do = there.doing(place, _look, store, with_parity)
    for batch, looks in in_order(place, do, ((batch, (batch,)) for batch in batches)):
        yield from zip(batch, looks.result(), strict=True)


def _look(store: Store, with_parity: bool, photos: Sequence[_Photo]) -> list[_Look]:
    """What the files of some photos are."""
    looks = []
    for photo in photos:
        content_hash = photo.content_hash
        found = examine(store, content_hash, photo.row, photo.whole and not photo.lost)
        sound = True
        if with_parity and found.fault is None and not photo.lost:
            if photo.whole:
                sound = parity.is_current(store, content_hash, store.read(content_hash))
            else:
                sound = store.has_parity(content_hash)
        looks.append(_Look(found, sound))
    return looks


def _of_lost(store: Store, photo: _Photo, look: _Look) -> Finding | None:
    """Of a photo that is set apart: whether its file is back."""
    if not may_be_taken_back(look.found):
        return None
    where = store.where(photo.content_hash)
    return Finding(Problem.RETURNED, where, photo.content_hash, photo.id, photo.path)


def may_be_taken_back(found: Examination) -> bool:
    """Whether the file of a lost photo is what it should be, or can be described anew."""
    return found.fault is None or found.fault is Fault.OUTDATED_ROW


def _of_photo(catalog: Catalog, store: Store, photo: _Photo, look: _Look) -> Finding | None:
    found = look.found
    if found.fault is None:
        return None
    now = catalog.known(photo.content_hash)
    if now is None:
        return None
    if now != (photo.id, photo.row):  # an ingest was here meanwhile
        again = replace(photo, id=now[0], row=now[1])
        return _of_photo(catalog, store, again, _look(store, False, [again])[0])
    return Finding(
        found.fault,
        store.where(photo.content_hash),
        photo.content_hash,
        photo.id,
        photo.path,
        detail=found.detail,
        actual_bytes=found.actual_bytes,
        expected_bytes=found.expected_bytes,
        only_copy=found.damaged and found.may_be_only_copy(photo.row),
    )
