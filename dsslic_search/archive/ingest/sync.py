"""Make an archive follow its folders: what is new is added, and what became of the rest is noted; nothing
that is known is stored anew but what was lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.archive import outside
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest import remembered
from dsslic_search.archive.ingest.encode import Prepare, prepare_photo
from dsslic_search.archive.ingest.report import Event, IngestReport
from dsslic_search.archive.ingest.run import SYNC, ingest
from dsslic_search.archive.ingest.taking import Rules
from dsslic_search.archive.ingest.walk import Scope
from dsslic_search.archive.ingest.wanted import ALL, Wanted
from dsslic_search.core.errors import Remedy, UsageError
from dsslic_search.core.files import path_to_text
from dsslic_search.core.settings import LOSSLESS, Settings

if TYPE_CHECKING:
    from dsslic_search.archive.ingest.frames import FrameChoice
    from dsslic_search.codec.options import EncodeOptions


def sync(
    archive: ArchiveFolder,
    folders: Sequence[Path | Scope] = (),
    options: EncodeOptions | None = None,
    *,
    settings: Settings,
    dry_run: bool = False,
    frames: FrameChoice | None = None,
    even_undecoded: bool = False,
    wanted: Wanted = ALL,
    rules: Rules = SYNC,
    workers: int = 2,
    memory: int | None = None,
    progress: Callable[[Event], None] | None = None,
    prepare: Prepare = prepare_photo,
    now_ns: Callable[[], int] = time.time_ns,
) -> IngestReport:
    """As `archive.ingest.run.ingest`, of folders alone, by default all that were ingested or synchronised
    before; with ``options`` None, new photos are kept as the last ingest was asked to.

    Raises what that does, and UsageError for what is no folder, and when no folder is named or remembered;
    ArchiveError when there is no archive.
    """
    for each in folders:
        if isinstance(each, Scope) and each.within is not None:
            continue  # whatever it has become by now
        folder = each.folder if isinstance(each, Scope) else each
        if outside.is_file(folder):
            text = path_to_text(folder)
            raise UsageError(f"{text}: sync takes folders; put single photos in with {Remedy.INGEST}")
    with archive.open_catalog() as catalog:
        known = remembered.folders_of(catalog)
        last = None if options is not None else remembered.recall(catalog)
    chosen = folders or known
    if not chosen:
        raise UsageError("no folder was ingested so far; name those that the archive shall follow")
    note = ""
    if last is not None:
        options, frames, even_undecoded = last.options, last.frames, last.even_undecoded
        quality = "lossless" if options.quality == LOSSLESS else f"quality {options.quality}"
        if options.mode.needs_original:
            quality = f"previews at {quality}"
        note = f"new photos as {options.keep}, {quality}, as last time"
    assert options is not None
    report = ingest(
        archive,
        chosen,
        options,
        settings=settings,
        dry_run=dry_run,
        frames=frames,
        even_undecoded=even_undecoded,
        wanted=wanted,
        rules=replace(rules, anew=False),
        workers=workers,
        memory=memory,
        progress=progress,
        prepare=prepare,
        now_ns=now_ns,
    )
    if note and report.added:
        report.notes.append(note)
    return report
