"""Tell an archive that a whole folder lies elsewhere now, without reading it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from sqlalchemy import select

from dsslic_search.archive import outside, paths
from dsslic_search.archive.catalog import Catalog, utc_now
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest import remembered
from dsslic_search.archive.ingest.look import Here, Looker
from dsslic_search.archive.known_paths import Known, under
from dsslic_search.archive.paths import End, FileThere
from dsslic_search.archive.schema import Photo
from dsslic_search.core.errors import UsageError
from dsslic_search.core.files import absolute, path_to_text, text_to_path

ROWS_AT_ONCE = 1000  # in a transaction


@dataclass
class Relinked:
    """Paths as text, of files as they should lie now. ``linked``: with the photo's id; ``absent``: not there;
    ``different``: another file."""

    linked: list[tuple[int, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)


def relink(
    archive: ArchiveFolder, before: Path, after: Path, *, unchecked: bool = False, dry_run: bool = False
) -> Relinked:
    """Say of each photo that lay at ``before``, a folder or a file, or was missing there, that it lies at the
    same place in ``after``.

    The file there must have the size it had, and the time or else the content; with ``unchecked`` it need not
    be there at all. ``dry_run`` writes nothing. UsageError when no photo lay there, or both are the same;
    ArchiveError while another writer is at work.
    """
    before, after = absolute(before), absolute(after)
    if before == after:
        raise UsageError(f"{path_to_text(before)}: is where they lie already; name the folder they moved to")
    result = Relinked()
    if dry_run:
        with archive.open_catalog() as catalog:
            _sort_out(_rows(catalog, before), before, after, unchecked, result)
        return result
    with archive.writing() as catalog:
        moves = _sort_out(_rows(catalog, before), before, after, unchecked, result)
        _move(catalog, moves, before, after)
    return result


def _move(catalog: Catalog, moves: Sequence[tuple[Known, FileThere]], before: Path, after: Path) -> None:
    """Write it down. What was seen first is so at its new path, so that answers show that; and where one copy
    comes to lie at the path that another leaves, the photo lies there still. The folder that syncs follow
    moves with the last of them, so that whatever stops this, doing it again goes on."""
    now = utc_now()
    taken = {(row.photo_id, path_to_text(there.path), there.part) for row, there in moves}
    ordered = sorted(moves, key=lambda move: move[0].row)
    for start in range(0, len(ordered), ROWS_AT_ONCE):
        some = ordered[start : start + ROWS_AT_ONCE]
        with catalog.changing() as session:
            since = paths.first_seen(session, [row.row for row, _ in some])
            for row, there in some:
                paths.seen(session, row.photo_id, there, now, since[row.row])
            left = [row.row for row, _ in some if (row.photo_id, row.path, row.part) not in taken]
            paths.gone(session, left, now)
            if start + ROWS_AT_ONCE >= len(ordered):
                remembered.move(session, before, after)


def _rows(catalog: Catalog, before: Path) -> list[Known]:
    """The photos of a folder: where they lie, or where they were last seen."""
    rows = [
        row for rows in under(catalog, [before]).values() for row in rows if row.live or row.ended == End.GONE
    ]
    with catalog.session() as session:
        shown = {row.id: row.path for row in session.execute(select(Photo.id, Photo.path))}
    rows = [row for row in rows if row.live or shown[row.photo_id] == row.path + row.part]
    if not rows:
        raise UsageError(f"no photo of the archive lies under {path_to_text(before)}")
    return rows


def _sort_out(
    rows: Iterable[Known], before: Path, after: Path, unchecked: bool, result: Relinked
) -> list[tuple[Known, FileThere]]:
    look = Looker()
    moves: list[tuple[Known, FileThere]] = []
    for row in rows:
        path = after / text_to_path(row.path).relative_to(before)
        text = path_to_text(path) + row.part
        found = look(str(path))
        there = _there(row, path, found) if isinstance(found, Here) else None
        if there is None and unchecked and not isinstance(found, Here):
            there = FileThere(path, row.size, row.modified_ns, row.part)
        if there is not None:
            result.linked.append((row.photo_id, text))
            moves.append((row, there))
        elif isinstance(found, Here):
            result.different.append(text)
        else:
            result.absent.append(text)
    return moves


def _there(row: Known, path: PurePath, found: Here) -> FileThere | None:
    """The file that a row is about, if it is that one."""
    if found.size != row.size:
        return None
    same = row.modified_ns == found.modified_ns
    if not same and not row.part:
        same = outside.hash_of(path) == row.content_hash
    return FileThere(Path(path), found.size, found.modified_ns, row.part) if same else None
