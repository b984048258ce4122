"""Whether an archive is whole: the rows against the files, the files against themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import func, select, true

from dsslic_search.archive.catalog import FACTS, Catalog
from dsslic_search.archive.database import database_trouble
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.meaning import is_current
from dsslic_search.archive.schema import Photo
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import Finding, ObjectFacts, examine, read_features
from dsslic_search.core.errors import ArchiveError, FormatError

Kind = Literal["missing", "damaged", "outdated", "orphan", "leftover", "catalog"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; ``message`` says what and what mends it.

    ``kind``: "missing", a photo without its file; "damaged", a file that is not what was stored; "outdated",
    a row that describes an earlier file; "orphan", a file without a photo; "leftover", a file of an
    interrupted write; "catalog", the database itself, or what an older version wrote in it. ``subject``: the
    content hash, or the file's path for "leftover"; empty for "catalog". ``photo_id``: where a catalog row is
    concerned.
    """

    kind: Kind
    subject: str
    message: str
    photo_id: int | None = None


def check(archive: ArchiveFolder, read_data: bool = False) -> list[Problem]:
    """Everything that is wrong with an archive; an empty list when it is sound. Nothing is changed.

    Always: the database's own check, each photo's file there, as long as it was, its header sound. With
    ``read_data`` also every checksum of every file, which reads the whole archive. What an ingest changes
    meanwhile is not a problem. Raises ArchiveError when the archive cannot be opened at all.
    """
    store = archive.store
    with archive.open_catalog() as catalog:
        problems = _of_database(catalog)
        if problems:
            return problems
        known: set[str] = set()
        with catalog.snapshot() as snapshot:
            for rows in snapshot.rows(
                select(Photo.content_hash, Photo.id, Photo.path, *FACTS).order_by(Photo.id)
            ):
                for content_hash, photo_id, path, *values in rows:
                    known.add(content_hash)
                    problem = _of_photo(
                        catalog, store, content_hash, (photo_id, ObjectFacts(*values)), path, read_data
                    )
                    if problem is not None:
                        problems.append(problem)
        problems.extend(_of_descriptions(catalog))
        for content_hash in store.hashes():
            if content_hash not in known and not catalog.has(content_hash):
                where = store.path_of(content_hash)
                problems.append(
                    Problem(
                        "orphan",
                        content_hash,
                        f"{where}: no photo of the catalog; ingest its original again to use it",
                    )
                )
    message = "{}: left by an interrupted write; the next ingest removes it, or: dss-search check --repair"
    problems.extend(Problem("leftover", str(path), message.format(path)) for path in store.leftovers())
    return problems


def repair(archive: ArchiveFolder, problems: Sequence[Problem]) -> list[Problem]:
    """Mend what can be mended; returns the problems mended.

    Leftovers are deleted. Photos whose file is missing are forgotten, so that ingesting them again brings
    them back; so are photos whose file is damaged, and the file set aside under another name, but never one
    kept exactly. Rows that describe an earlier file are written anew from the file. Files without a photo,
    and those that the disk does not give, are left alone. Every problem is looked at again first. Raises
    ArchiveError while another writer is at work.
    """
    mended: list[Problem] = []
    with archive.writing() as catalog:
        store = archive.store
        leftovers = {str(p) for p in store.leftovers()}
        mended.extend(p for p in problems if p.kind == "leftover" and p.subject in leftovers)
        store.remove_leftovers()
        forgotten: list[int] = []
        for problem in problems:
            known = (
                catalog.known(problem.subject) if problem.kind in ("missing", "damaged", "outdated") else None
            )
            if known is None or known[0] != problem.photo_id:
                continue
            photo_id, row = known
            found = examine(store, problem.subject, row, read_data=problem.kind == "damaged")
            if found.state == "missing" or (
                found.state == problem.kind == "damaged" and not _may_be_exact(row, found)
            ):
                store.set_aside(problem.subject)
                forgotten.append(photo_id)
                mended.append(problem)
            elif (
                found.state == "outdated"
                and found.facts
                and _describe_anew(catalog, store, problem.subject, photo_id, found.facts)
            ):
                mended.append(problem)
        if forgotten:
            catalog.remove(forgotten)
    return mended


def _describe_anew(
    catalog: Catalog, store: Store, content_hash: str, photo_id: int, facts: ObjectFacts
) -> bool:
    """Write a row anew from its file; False when the label map cannot be read."""
    try:
        features = read_features(store, content_hash, facts.map_bytes)
    except (FormatError, ArchiveError):
        return False
    catalog.update(photo_id, asdict(facts), features)
    return True


def _of_database(catalog: Catalog) -> list[Problem]:
    if catalog.engine.dialect.name != "sqlite":
        return []
    with database_trouble(catalog.name), catalog.engine.connect() as connection:
        found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check(10)")]
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    problems = [f"database damaged: {line}" for line in found if line != "ok"]
    if dangling:
        problems.append("coverages of photos that are not there")
    return [
        Problem("catalog", "", f"{catalog.name}: {p}; restore the catalog from a backup") for p in problems
    ]


def _of_descriptions(catalog: Catalog) -> list[Problem]:
    """What queries would refuse: photos that an older version described."""
    older = Photo.regions.is_(None) if is_current(catalog) else true()
    with catalog.session() as session:
        count = session.scalar(select(func.count(Photo.id)).where(older)) or 0
    if not count:
        return []
    said = "1 photo was" if count == 1 else f"{count} photos were"
    return [
        Problem(
            "catalog",
            "",
            f"{catalog.name}: {said} described by an older version; describe all anew with: dss-search "
            "reindex",
        )
    ]


def _of_photo(
    catalog: Catalog,
    store: Store,
    content_hash: str,
    known: tuple[int, ObjectFacts],
    path: str,
    read_data: bool,
) -> Problem | None:
    found = examine(store, content_hash, known[1], read_data)
    if found.state == "sound":
        return None
    now = catalog.known(content_hash)
    if now is None:
        return None
    if now != known:  # an ingest was here meanwhile
        return _of_photo(catalog, store, content_hash, now, path, read_data)
    photo_id, row = known
    kind: Kind = "damaged" if found.state == "unreadable" else found.state
    return Problem(
        kind,
        content_hash,
        f"photo {photo_id} ({path}): {found.reason}{_advice(row, found, store.path_of(content_hash))}",
        photo_id,
    )


def _advice(row: ObjectFacts, found: Finding, where: Path) -> str:
    mend = {
        "missing": "restore the file from a backup, or forget it with dss-search check --repair and ingest "
        "the photo again",
        "outdated": "mend it with: dss-search check --repair",
        "damaged": f"restore {where} from a backup, or if you have the photo: dss-search check --repair sets "
        "the file aside, then "
        "ingest the photo again",
    }
    if found.state == "damaged" and _may_be_exact(row, found):
        mend["damaged"] = (
            f"restore {where} from a backup; it is kept exactly, so repair leaves it. If you have the photo "
            "still, "
        )
        mend["damaged"] += "delete that file and ingest the photo again with --keep exact"
    return f"; {mend[found.state]}" if found.state in mend else ""


def _may_be_exact(row: ObjectFacts, found: Finding) -> bool:
    """Whether what is there may be the only copy of an original."""
    return "exact" in (row.keep, found.facts and found.facts.keep)
