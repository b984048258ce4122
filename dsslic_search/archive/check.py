"""Whether an archive is whole: the rows against the files, the files against themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.engine import database_trouble
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.models import Photo
from dsslic_search.archive.store import Store
from dsslic_search.errors import ArchiveError, FormatError

Kind = Literal["missing", "damaged", "orphan", "leftover", "catalog"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; ``message`` says what and what mends it.

    ``kind``: "missing", a photo without its file; "damaged", a file that is not what was stored; "orphan", a file without a
    photo; "leftover", a file of an interrupted write; "catalog", the database itself. ``subject``: the content hash, or
    the file's path for "leftover"; empty for "catalog". ``photo_id``: where a catalog row is concerned.
    """

    kind: Kind
    subject: str
    message: str
    photo_id: int | None = None


def check(archive: ArchiveFolder, read_data: bool = False) -> list[Problem]:
    """Everything that is wrong with an archive; an empty list when it is sound. Nothing is changed.

    Always: the database's own check, each photo's file there, as long as it was, its header sound. With ``read_data``
    also every checksum of every file, which reads the whole archive. A photo that an ingest adds meanwhile is not a problem.
    Raises ArchiveError when the archive cannot be opened at all.
    """
    store = archive.store
    with archive.open_catalog() as catalog:
        problems = _of_database(catalog)
        if problems:
            return problems
        known: set[str] = set()
        with catalog.snapshot() as snapshot:
            wanted = select(Photo.content_hash, Photo.id, Photo.path, Photo.stored_bytes, Photo.map_bytes).order_by(Photo.id)
            for rows in snapshot.rows(wanted):
                for content_hash, photo_id, path, stored_bytes, map_bytes in rows:
                    known.add(content_hash)
                    problem = _of_file(store, content_hash, stored_bytes, map_bytes, read_data)
                    if problem is not None:
                        kind, what = problem
                        problems.append(Problem(kind, content_hash, f"photo {photo_id} ({path}): {what}", photo_id))
        for content_hash in store.hashes():
            if content_hash not in known and not catalog.has(content_hash):
                where = store.path_of(content_hash)
                problems.append(Problem("orphan", content_hash, f"{where}: no photo of the catalog; ingest its original again to use it"))
    message = "{}: left by an interrupted write; the next ingest removes it, or: dss-search check --repair"
    problems.extend(Problem("leftover", str(path), message.format(path)) for path in store.leftovers())
    return problems


def repair(archive: ArchiveFolder, problems: Sequence[Problem]) -> list[Problem]:
    """Mend what can be mended without losing anything: delete leftovers, and forget photos whose file is missing (so that
    ingesting them again brings them back). Returns the problems mended. Damaged and orphaned files are left alone.

    Raises ArchiveError while an ingest is running.
    """
    mended: list[Problem] = []
    with archive.writing() as catalog:
        store = archive.store
        leftovers = {str(p) for p in store.leftovers()}
        mended.extend(p for p in problems if p.kind == "leftover" and p.subject in leftovers)
        store.remove_leftovers()
        gone = [p for p in problems if p.kind == "missing" and p.photo_id is not None and store.size_of(p.subject) is None]
        if gone:
            catalog.remove([p.photo_id for p in gone if p.photo_id is not None])
            mended.extend(gone)
    return mended


def _of_database(catalog: Catalog) -> list[Problem]:
    if catalog.engine.dialect.name != "sqlite":
        return []
    with database_trouble(catalog.name), catalog.engine.connect() as connection:
        found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check(10)")]
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    problems = [f"database damaged: {line}" for line in found if line != "ok"]
    if dangling:
        problems.append("coverages or regions of photos that are not there")
    return [Problem("catalog", "", f"{catalog.name}: {p}; restore the catalog from a backup") for p in problems]


def _of_file(store: Store, content_hash: str, stored_bytes: int, map_bytes: int, read_data: bool) -> tuple[Kind, str] | None:
    size = store.size_of(content_hash)
    if size is None:
        return "missing", "its file is missing; forget it with: dss-search check --repair, then ingest the photo again"
    mend = "restore the file from a backup, or remove the photo and ingest it again"
    if size != stored_bytes:
        return "damaged", f"its file has {size} bytes instead of {stored_bytes}; {mend}"
    from dsslic_search.codec import container

    try:
        if read_data:
            container.read(store.read(content_hash))
        else:
            length = container.header_length(store.read_prefix(content_hash, container.PREAMBLE))
            layout = container.read_layout(store.read_prefix(content_hash, length))
            if layout.total != stored_bytes or layout.stage_bytes("map") != map_bytes:
                return "damaged", f"its file's table does not fit the catalog; {mend}"
    except (FormatError, ArchiveError) as e:
        return "damaged", f"{e}; {mend}"
    return None
