"""The photos of a catalog in parts that never change: segments, as in a log-structured store (O'Neil et al.,
"The log-structured merge-tree", 1996) and in Lucene.

A segment is some photos, newest first (date taken, else date added), then by id, as they were at one state of
the catalog. Each index (coverage, regions, files …) has a file a segment, made when it is needed first. A
photo that changes or goes is marked in its segment as gone, and one that is new or changed comes into a new
segment. A manifest lists the segments and what is gone of them, and names the state of the catalog that they
are right for; what changed since, the catalog tells. A manifest of another catalog, or of a state that this
one never had, counts as not there; so does a file of an index that was made at such a state.

A few new photos become a segment that lives in memory alone; many are written. `merged` joins small segments
to larger ones, up to MAX_PHOTOS, so that there are few: whoever has changed many photos calls it, and no
question does. Where several machines have a catalog, what one of them made may be had from `Elsewhere`.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.plain_json import parsed
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.index import cache
from dsslic_search.index.segment import FORMAT, ROWS, Elsewhere, Segment, made
from dsslic_search.index.source import InOrder, Snapshot, Source, State

MANIFEST = "segments.manifest"
THEIRS = "published.manifest"
"""The one that another machine published, while it is looked at."""
KIND = "manifest"
WRITTEN_FROM = 64
"""New photos that are kept in memory, to be read from the catalog again by the next process, are fewer."""
GROWTH = 4
"""A segment is merged with those that are smaller when it has no more than so many times their photos."""
GONE_ONE_IN = 4
"""A segment is made anew when at least one photo in so many is gone from it."""
MAX_PHOTOS = 1_000_000
"""Of a segment: what it takes to make one is bounded, and several are asked at once."""
_NAME = re.compile(r"[0-9a-f]{16}")
_TEMPORARY = re.compile(r"\.([0-9a-f]{16}|segments|published)\..*")
ABANDONED_SECONDS = 3600.0
"""A file that no manifest names may be one that another process is about to name, if it is younger."""
OUTGROWN = (
    "coverage.columns",
    "files.columns",
    "image.vectors",
    "image.words",
    "layout.vectors",
    "places.regions",
)
"""Files of the versions before there were segments."""


NO_PHOTOS = InOrder(np.empty(0, np.int64), np.empty(0, np.int64))


class Manifest(NamedTuple):
    """Segments that are written, of one state. ``seen``: the last state to which they were followed."""

    state: State
    segments: tuple[Segment, ...]
    seen: State


@dataclass(frozen=True)
class Segments:
    """All photos of a catalog at one state. ``parts``: at least one. ``written``: those that the manifest
    lists, at its own state."""

    state: State
    parts: tuple[Segment, ...]
    written: Manifest | None


def open_segments(
    source: Source, folder: Path, vocabulary: Vocabulary, known: Manifest | None = None,
    elsewhere: Elsewhere | None = None,
) -> Segments:  # fmt: skip
    """The photos of the catalog as it is now. ``known``: the manifest as this process has it open."""
    state = source.state()
    written = known or _read(source, folder, vocabulary, elsewhere)
    if written is not None and written.state == state and written.segments:  # no need to read in bulk
        parts = [part.at(source, state, NO_PHOTOS.ids) for part in written.segments]
        return Segments(state, tuple(parts), written)
    with source.snapshot() as snapshot:
        written, parts, fresh = _followed(source, snapshot, folder, vocabulary, written, elsewhere)
        if fresh.ids.size or not parts:
            stays = fresh.ids.size < WRITTEN_FROM and written is not None
            parts += _made_of(source, snapshot.state, vocabulary, None if stays else folder, fresh, elsewhere)
            if not stays:
                written = _publish(folder, snapshot.state, parts)
        return Segments(snapshot.state, tuple(parts), written and written._replace(seen=snapshot.state))


def merged(
    source: Source, folder: Path, vocabulary: Vocabulary, elsewhere: Elsewhere | None = None,
    theirs: bool = False,
) -> Segments:  # fmt: skip
    """As :func:`open_segments`, with small segments joined to larger ones, and those made anew of which much
    is gone; files that are not needed any more are removed. Nothing is lost when it is killed. ``theirs``: go
    on from what was published last, however much that lacks, since what comes of it is to be published."""
    with source.snapshot() as snapshot:
        before, parts, fresh = _followed(source, snapshot, folder, vocabulary, None, elsewhere, theirs)
        written, joined = before, _to_merge(parts, fresh.ids.size)
        if joined or fresh.ids.size >= WRITTEN_FROM or before is None:
            ids = [fresh.ids, *(part.ids[part.without_gone(np.ones(len(part), bool))] for part in joined)]
            parts = [part for part in parts if part not in joined]
            photos = snapshot.newest_first(np.concatenate(ids)) if joined else fresh
            parts += _made_of(source, snapshot.state, vocabulary, folder, photos, elsewhere)
            written = _publish(folder, snapshot.state, parts)
        elif fresh.ids.size or not parts:
            parts += _made_of(source, snapshot.state, vocabulary, None, fresh, elsewhere)
        if written is not None:
            _tidy(folder, written, before)
        return Segments(snapshot.state, tuple(parts), written and written._replace(seen=snapshot.state))


def _followed(
    source: Source, snapshot: Snapshot, folder: Path, vocabulary: Vocabulary, known: Manifest | None,
    elsewhere: Elsewhere | None, theirs: bool = False,
) -> tuple[Manifest | None, list[Segment], InOrder]:  # fmt: skip
    """The manifest, if there is one that goes on to the snapshot's state; its segments at that state; and
    the photos that are in none of them. ``theirs``: that of another machine, if any goes on."""
    if known is not None and snapshot.changed_since(known.seen) is None:
        known = None  # what was opened of it may be of a continuation that was given up
    written = known
    changed = None if written is None else snapshot.changed_since(written.state)
    if changed is None or changed.size >= WRITTEN_FROM:  # another process may have written since
        newer = _read(source, folder, vocabulary, elsewhere)
        later = None if newer is None else snapshot.changed_since(newer.state)
        if changed is None or (later is not None and later.size < changed.size):
            written, changed = newer, later
    wanted = theirs or changed is None or changed.size >= WRITTEN_FROM
    if elsewhere is not None and wanted and elsewhere.bring(THEIRS):  # or another machine may have published
        newer = _read(source, folder, vocabulary, elsewhere, THEIRS)
        later = None if newer is None else snapshot.changed_since(newer.state)
        if newer and later is not None and (theirs or changed is None or later.size < changed.size):
            _take(folder, newer, written)
            written, changed = newer, later
    if written is None or changed is None:
        return None, [], snapshot.newest_first()
    parts = [part.at(source, snapshot.state, changed) for part in written.segments]
    return written, parts, snapshot.newest_first(changed) if changed.size else NO_PHOTOS


def _to_merge(parts: Sequence[Segment], fresh: int) -> list[Segment]:
    """The segments that are joined into one, with ``fresh`` photos."""
    chosen = [part for part in parts if GONE_ONE_IN * (len(part) - part.live) >= max(len(part), 1)]
    others = sorted((part for part in parts if part not in chosen), key=lambda part: part.live)
    total = fresh + sum(part.live for part in chosen)
    for part in others:
        if total and (part.live > GROWTH * total or total + part.live > MAX_PHOTOS):
            break
        chosen.append(part)
        total += part.live
    alone = len(chosen) == 1 and not fresh and chosen[0].live == len(chosen[0])
    return [] if alone else chosen


def _gone(segment: Segment) -> NDArray[np.bool_]:
    return np.zeros(len(segment), bool) if segment.gone is None else segment.gone


def _made_of(
    source: Source, state: State, vocabulary: Vocabulary, folder: Path | None, photos: InOrder,
    elsewhere: Elsewhere | None,
) -> list[Segment]:  # fmt: skip
    """New segments of photos, at least one, of which none has more than MAX_PHOTOS."""
    starts = range(0, max(photos.ids.size, 1), MAX_PHOTOS)
    slices = [slice(start, start + MAX_PHOTOS) for start in starts]
    return [
        made(source, state, vocabulary, folder, InOrder(photos.ids[part], photos.moments[part]), elsewhere)
        for part in slices
    ]


def _publish(folder: Path, state: State, parts: Sequence[Segment]) -> Manifest | None:
    """Write the manifest; None where that cannot be, or where another process has merged some of the segments
    and removed their files."""
    segments = tuple(part for part in parts if part.folder is not None)
    if not all((folder / f"{part.name}.{ROWS}").is_file() for part in segments):
        return None
    arrays = {"listed": _listed(state, segments)}
    arrays |= {
        f"gone {number}": np.flatnonzero(_gone(part)).astype(np.uint32)
        for number, part in enumerate(segments)
    }
    try:
        cache.save(folder / MANIFEST, KIND, FORMAT, arrays, state)
    except OSError:
        return None
    return Manifest(state, segments, state)


def _listed(state: State, segments: Sequence[Segment]) -> NDArray[np.uint8]:
    """Names and past of segments as JSON. Of what came after ``state`` another copy of the catalog may know
    otherwise, so each process asks its own."""
    past = [sorted(each for each in part.past if each.generation <= state.generation) for part in segments]
    rows = [[part.name, states] for part, states in zip(segments, past, strict=True)]
    return np.frombuffer(json.dumps(rows).encode(), np.uint8)


def remember(folder: Path, written: Manifest) -> None:
    """Write of which states the files of a manifest's segments are, where it does not say that yet, so that
    the catalog may forget these."""
    there = cache.load_whole(folder / MANIFEST, KIND, FORMAT)
    listed = _listed(written.state, written.segments)
    if there is not None and there.state == written.state and not np.array_equal(there["listed"], listed):
        _publish(folder, written.state, written.segments)


def _take(folder: Path, theirs: Manifest, own: Manifest | None) -> None:
    """Go on from a manifest of another machine; where it cannot be written, each process for itself."""
    is_own = own is not None and own.state == theirs.state and _names(own) == _names(theirs)
    if not is_own and _publish(folder, theirs.state, theirs.segments) is not None:
        _tidy(folder, theirs, own)


def _names(manifest: Manifest) -> set[str]:
    return {part.name for part in manifest.segments}


def _read(
    source: Source, folder: Path, vocabulary: Vocabulary, elsewhere: Elsewhere | None = None,
    manifest: str = MANIFEST,
) -> Manifest | None:  # fmt: skip
    read: State | None = None
    while (arrays := cache.load_whole(folder / manifest, KIND, FORMAT)) is not None and arrays.state != read:
        read = arrays.state
        segments = []
        listed = _named(arrays)
        if listed is None:
            return None
        for number, (name, known) in enumerate(listed):
            rows = cache.load_whole(folder / f"{name}.{ROWS}", ROWS, FORMAT)
            if rows is None:
                break  # damaged; or merged since, and then there is another manifest
            gone, marked = None, arrays[f"gone {number}"]
            if marked.dtype != np.uint32 or marked.ndim != 1 or (marked >= rows["ids"].size).any():
                return None  # nobody wrote that
            if marked.size:
                gone = np.zeros(rows["ids"].size, bool)
                gone[marked] = True
            segments.append(Segment(source, read, vocabulary, name, folder, rows, known, gone, elsewhere))
        else:
            return Manifest(read, tuple(segments), read)
    return None


def names_in(manifest: Path) -> list[str] | None:
    """The names of the segments that a manifest lists; None for what is none."""
    arrays = cache.load_whole(manifest, KIND, FORMAT)
    listed = None if arrays is None else _named(arrays)
    return None if listed is None else [name for name, _ in listed]


def _named(arrays: cache.Arrays) -> list[tuple[str, set[State]]] | None:
    """What :func:`_listed` wrote; None for what is none of it."""
    try:
        rows = [
            (str(name), {State(*each) for each in past}) for name, past in parsed(arrays["listed"].tobytes())
        ]
    except (ValueError, TypeError, KeyError):
        return None
    sound = all(_NAME.fullmatch(name) and f"gone {number}" in arrays for number, (name, _) in enumerate(rows))
    return rows if sound else None


def _tidy(folder: Path, written: Manifest, before: Manifest | None) -> None:
    """Remove the files of segments that no manifest names any more, but for those that another process may be
    about to name."""
    named = _names(written)
    replaced = _names(before) - named if before else set()
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            name = path.name.partition(".")[0]
            with contextlib.suppress(OSError):
                ours = name not in named if _NAME.fullmatch(name) else _TEMPORARY.fullmatch(path.name)
                abandoned = ours and time.time() - path.stat().st_mtime > ABANDONED_SECONDS
                if name in replaced or path.name in OUTGROWN or abandoned:
                    path.unlink()


def damaged_files(folder: Path) -> list[Path]:
    """The files of segments, and the manifest, that are not as they were written; all of them are read.
    Raises OSError for one that cannot be read."""
    paths = sorted(folder.glob("*")) if folder.is_dir() else []
    return [
        path
        for path in paths
        if (path.name == MANIFEST or _NAME.fullmatch(path.stem)) and cache.is_damaged(path)
    ]
