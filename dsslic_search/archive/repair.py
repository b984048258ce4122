"""Mending what `archive.check` found, without losing a photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import select, update

from dsslic_search.archive import parity
from dsslic_search.archive.bin import purged_files
from dsslic_search.archive.catalog import Catalog, utc_now
from dsslic_search.archive.check import may_be_taken_back
from dsslic_search.archive.features import read_features
from dsslic_search.archive.findings import Finding, Kind, Problem
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.paths import settle
from dsslic_search.archive.published import leftovers
from dsslic_search.archive.schema import Photo
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import Fault, ObjectRecord, examine
from dsslic_search.core.errors import ArchiveError, FormatError
from dsslic_search.index.segments import damaged_files


def repair(archive: ArchiveFolder, findings: Sequence[Finding]) -> list[Finding]:
    """Mend what can be mended; returns the findings mended.

    Leftovers and damaged files of indexes, which the next question makes anew, are deleted. A journal that
    is not as it was written is begun anew from the catalog. Photos whose
    file is missing are set apart: they keep their rows and tags, are out of answers, and are taken back
    when the file is there again, or their original is ingested. So are photos whose file is damaged, and
    the file is set aside under another name, but never one that may hold the only copy of an original;
    where parity gives a file back, that is all that is done. Parity that is lacking is made.
    Rows that describe an earlier file are written anew from the file, and so is what a row says of a label
    map and is not what was written. Files without a photo, and those
    that the disk does not give, are left alone. Everything is looked at again first. Raises ArchiveError
    while another writer is at work.
    """
    with archive.writing() as catalog:
        back = take_back(catalog, archive.store)
        mended = [f for f in findings if f.what is Problem.RETURNED and f.photo_id in back]
        mended += _without_leftovers(catalog, archive, findings)
        mended += _without_damaged_indexes(archive, findings)
        mended += _with_a_sound_journal(catalog, findings)
        for finding in findings:
            if isinstance(finding.what, Fault):
                if _given_back(catalog, archive.store, finding):
                    mended.append(replace(finding, by_parity=True))
                elif _mended(catalog, archive.store, finding):
                    mended.append(finding)
            elif finding.what is Problem.DESCRIBED_OTHERWISE:
                if _described_again(catalog, archive.store, finding):
                    mended.append(finding)
            elif finding.what is Problem.PARITY_LACKING and _parity_made(catalog, archive.store, finding):
                mended.append(finding)
    return mended


_LOST = select(Photo.id, Photo.content_hash).where(Photo.lost_at.is_not(None))


def take_back(catalog: Catalog, store: Store) -> list[int]:
    """Take photos back that are set apart and whose files are there again; returns their ids. For the one who
    writes, before anything else."""
    with catalog.reading() as connection:
        lost = connection.execute(_LOST).all()
    back = []
    for photo_id, content_hash in lost:
        known = catalog.known(content_hash)
        if known is None:
            continue
        found = examine(store, content_hash, known[1])
        if not may_be_taken_back(found):
            continue
        if found.fault is None:
            _set_lost(catalog, photo_id, lost=False)
        elif found.record is None or not _describe_anew(catalog, store, content_hash, photo_id, found.record):
            continue
        back.append(photo_id)
    return back


def _without_leftovers(
    catalog: Catalog, archive: ArchiveFolder, findings: Sequence[Finding]
) -> list[Finding]:
    """Delete what interrupted writes and emptyings left; the findings that told of it."""
    store = archive.store
    deleted = set(purged_files(catalog, store))
    left = {str(path) for path in store.leftovers()} | {store.where(each) for each in deleted}
    for content_hash in deleted:
        store.remove(content_hash)
    store.remove_leftovers()
    left |= set(leftovers(archive.published(catalog.settings), catalog, remove=True))
    return [f for f in findings if f.what is Problem.LEFTOVER and f.where in left]


def _without_damaged_indexes(archive: ArchiveFolder, findings: Sequence[Finding]) -> list[Finding]:
    told = {f.where: f for f in findings if f.what is Problem.INDEX_DAMAGED}
    damaged = {str(path): path for path in damaged_files(archive.index)} if told else {}
    for path in damaged.values():
        path.unlink(missing_ok=True)
    return [finding for where, finding in told.items() if where in damaged]


def _with_a_sound_journal(catalog: Catalog, findings: Sequence[Finding]) -> list[Finding]:
    """One that is not the catalog's was set aside, and another begun, when the archive was opened."""
    told = [f for f in findings if f.what is Problem.JOURNAL]
    if told:
        catalog.tend_journal(anew=True)
    return told


def _given_back(catalog: Catalog, store: Store, finding: Finding) -> bool:
    """Whether a missing or damaged file was made again from its parity."""
    known = catalog.known(finding.content_hash)
    if known is None or finding.kind not in (Kind.MISSING, Kind.DAMAGED):
        return False
    now = examine(store, finding.content_hash, known[1], read_data=True)
    if now.fault is not Fault.MISSING and not now.damaged:
        return False
    whole = parity.mend(store, finding.content_hash)
    if whole is None:
        return False
    store.write(finding.content_hash, whole)
    return True


def _described_again(catalog: Catalog, store: Store, finding: Finding) -> bool:
    """Whether what the catalog says of a photo's label map was made anew from its file."""
    known = catalog.known(finding.content_hash)
    if known is None or known[0] != finding.photo_id:
        return False
    try:
        features, _ = read_features(store, finding.content_hash, known[1].map_bytes)
    except (FormatError, ArchiveError):
        return False
    catalog.replace_features({known[0]: features})
    return True


def _parity_made(catalog: Catalog, store: Store, finding: Finding) -> bool:
    known, percent = catalog.known(finding.content_hash), parity.wanted(catalog)
    if known is None or not percent or examine(store, finding.content_hash, known[1], read_data=True).fault:
        return False
    store.write_parity(finding.content_hash, parity.made(store.read(finding.content_hash), percent))
    return True


def _mended(catalog: Catalog, store: Store, finding: Finding) -> bool:
    """Whether a fault of a photo's file or row was mended; looks at it again first."""
    content_hash, known = finding.content_hash, catalog.known(finding.content_hash)
    if known is None or known[0] != finding.photo_id:
        return False
    photo_id, row = known
    now = examine(store, content_hash, row, read_data=finding.kind is Kind.DAMAGED)
    damaged = now.damaged and finding.kind is Kind.DAMAGED
    if now.fault is Fault.MISSING or (damaged and not now.may_be_only_copy(row)):
        store.set_aside(content_hash)
        _set_lost(catalog, photo_id, lost=True)
        return True
    outdated = now.record if now.fault is Fault.OUTDATED_ROW else None
    return outdated is not None and _describe_anew(catalog, store, content_hash, photo_id, outdated)


def _set_lost(catalog: Catalog, photo_id: int, *, lost: bool) -> None:
    with catalog.changing() as session:
        lost_at = utc_now() if lost else None
        session.execute(update(Photo).where(Photo.id == photo_id).values(lost_at=lost_at))
        settle(session, [photo_id])


def _describe_anew(
    catalog: Catalog, store: Store, content_hash: str, photo_id: int, record: ObjectRecord
) -> bool:
    """Write a row anew from its file; False when the label map cannot be read."""
    try:
        features, _ = read_features(store, content_hash, record.map_bytes)
    except (FormatError, ArchiveError):
        return False
    catalog.update(photo_id, asdict(record), features)
    return True
