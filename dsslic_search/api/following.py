"""Photos into an archive, what becomes of them, and whether all is whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from dsslic_search.api.arguments import (
    check_flags,
    count_of,
    number_of,
    path_of,
    paths_of,
    rules_of,
    scopes_of,
    text_of,
    wanted_of,
)
from dsslic_search.api.opened import OpenArchive
from dsslic_search.api.workplaces import encoders, workers_of, workplace
from dsslic_search.core.errors import DSSError, UsageError
from dsslic_search.core.settings import LONGEST_WAIT_SECONDS

if TYPE_CHECKING:
    import threading

    from dsslic_search.api.coding import EncodeWishes
    from dsslic_search.archive.backup import BackupReport
    from dsslic_search.archive.describe import DescribeReport
    from dsslic_search.archive.findings import Finding
    from dsslic_search.archive.ingest.report import Event, IngestReport
    from dsslic_search.archive.ingest.walk import Scope
    from dsslic_search.archive.parity import ParityReport
    from dsslic_search.archive.rebuild import RebuildReport
    from dsslic_search.archive.reindex import ReindexReport
    from dsslic_search.archive.relink import Relinked
    from dsslic_search.codec.options import EncodeOptions


SETTLED_FROM = 64
"""Fewer photos that changed are read from the catalog by every process that asks, until others come."""


class Following(OpenArchive):
    """The part of `api.archive.Archive` that puts photos in and looks after them."""

    # Putting photos in

    def init(self, *, objects: str | None = None, catalog: str | None = None) -> bool:
        """Make the archive, empty. ``objects``: the place in a bucket that its photos' files go to, as
        "s3://bucket/prefix", else $DSS_OBJECTS, else its folder. ``catalog``: the URL of the database that is
        its catalog, else $DSS_CATALOG, else a file in its folder; the URL is remembered without its password.
        One that is there already stays as it is. Returns whether the database compares photos itself, so that
        ``engine="sql"`` tells what they are like: PostgreSQL with the extension vector (pgvector 0.7 or
        later) does from then on; while it begins to, nobody else reads photos. UsageError where the archive
        keeps them elsewhere, ArchiveError where the bucket or the database cannot be reached."""
        from dsslic_search.archive.bucket import checked_url
        from dsslic_search.archive.manifest import Manifest

        self._check_words()
        place = objects if objects is None else checked_url(text_of(objects, "objects"))
        url = catalog if catalog is None else text_of(catalog, "catalog")
        self.close()
        new = Manifest(place or self.folder.new.objects, url or self.folder.new.catalog)
        self.folder = replace(self.folder, new=new)
        return self.folder.make()

    def ingest(
        self,
        paths: Sequence[Path | str] | Path | str,
        options: EncodeOptions | None = None,
        *,
        frames: str | None = None,
        even_undecoded: bool = False,
        include: Sequence[str] | str = (),
        exclude: Sequence[str] | str = (),
        rehash: bool = False,
        even_empty: bool = False,
        even_removed: bool = False,
        dry_run: bool = False,
        workers: int | None = None,
        memory: int | None = None,
        parity: int | None = None,
        ray: str | None = None,
        progress: Callable[[Event], None] | None = None,
        **wishes: Unpack[EncodeWishes],
    ) -> IngestReport:
        """Add the photos at ``paths`` (files and folders, on disks or in a bucket, as "s3://bucket/folder")
        that are not there yet; makes the archive if there is none.

        ``options``: how to encode them, see `api.coding.encode_options`; or the same by keyword,
        `api.coding.EncodeWishes`: ``archive.ingest(["photos"], quality=60, keep="exact")``. Photos that are
        there in another keep mode, at another quality, or by another segmenter than the one named are stored
        anew; another effort, importances or a target alone are no reason to. Files that cannot be used and
        photos that no quality brings to the target are in the report's ``failed``, with the reason; an
        interrupted ingest can be run again. ``frames``: how far apart frames of videos are taken as photos,
        as "2s", "500ms" or "1m", or "scenes" for one of each; without it videos are passed over, and counted.
        ``even_undecoded``: with keep mode "exact", files that are pictures or videos by their sort but cannot
        be decoded are kept as they are, and found by their facts alone.
        ``exclude``, ``include``: globs and parts of paths, as "path:" of queries reads them: what is not
        tried in the folders, and what alone is, whatever its ending.
        What became of photos that are known is in the report, too: moved, copied, back, replaced by another
        version, or missing, see `archive.ingest.report.IngestReport`. Files that look unchanged by size and
        time are not read but with ``rehash``; what lay in a folder that is empty or not there is missing only
        with ``even_empty``, and removed photos are taken back only with ``even_removed``.
        ``workers``: photos encoded at once, by default the number of
        cores. ``memory``: bytes that the program may take in all, by default half of what there is; as many
        photos are in flight as fit, and one that never does is refused. ``parity``: as in `parity`, for files
        that are written by this and later runs. ``ray``: the address of a Ray cluster on whose machines they
        are encoded (`core.ray_cluster.connected`), ``workers`` being as many as its cores by default; they
        are read and stored here as ever. Raises ArchiveError when the archive cannot be written, UsageError
        for impossible options, WeightsError for a segmenter that cannot be used, ClusterError when the
        cluster cannot be, MissingExtraError without Ray.
        """
        from dsslic_search.api.coding import options_or
        from dsslic_search.archive.ingest.frames import read_choice
        from dsslic_search.archive.ingest.run import ingest

        self._check_words()
        rules = rules_of(True, rehash, even_empty, even_removed)
        check_flags(even_undecoded=even_undecoded, dry_run=dry_run)
        choice = None if frames is None else read_choice(text_of(frames, "frames"))
        asked = options_or(options, wishes)
        with encoders(None if dry_run else ray, workers) as how:
            report = ingest(
                self.folder,
                paths_of(paths),
                asked,
                settings=self.settings,
                frames=choice,
                even_undecoded=even_undecoded,
                wanted=wanted_of(include, exclude),
                rules=rules,
                dry_run=dry_run,
                percent=None if parity is None else percent_of(parity),
                memory=None if memory is None else count_of(memory, "memory", 1),
                progress=progress,
                **how,
            )
        self._settle_after(report)
        return report

    def sync(
        self,
        folders: Sequence[Path | str | Scope] | Path | str = (),
        options: EncodeOptions | None = None,
        *,
        frames: str | None = None,
        even_undecoded: bool = False,
        include: Sequence[str] | str = (),
        exclude: Sequence[str] | str = (),
        rehash: bool = False,
        even_empty: bool = False,
        even_removed: bool = False,
        dry_run: bool = False,
        workers: int | None = None,
        memory: int | None = None,
        progress: Callable[[Event], None] | None = None,
        **wishes: Unpack[EncodeWishes],
    ) -> IngestReport:
        """Make the archive follow ``folders``, by default all that were ingested or synchronised so far: as
        `ingest`, but what is known is not stored anew in another way, and without options new photos are kept
        as last time. UsageError for what is no folder, and when there is none; ArchiveError when there is no
        archive."""
        import os

        from dsslic_search.api.coding import options_or
        from dsslic_search.archive.ingest.frames import read_choice
        from dsslic_search.archive.ingest.sync import sync

        self._check_words()
        rules = rules_of(False, rehash, even_empty, even_removed)
        check_flags(even_undecoded=even_undecoded, dry_run=dry_run)
        as_last_time = options is None and not wishes and frames is None and not even_undecoded
        report = sync(
            self.folder,
            scopes_of(folders),
            None if as_last_time else options_or(options, wishes),
            settings=self.settings,
            frames=None if frames is None else read_choice(text_of(frames, "frames")),
            even_undecoded=even_undecoded,
            wanted=wanted_of(include, exclude),
            rules=rules,
            dry_run=dry_run,
            workers=workers_of(workers) or os.cpu_count() or 1,
            memory=None if memory is None else count_of(memory, "memory", 1),
            progress=progress,
        )
        self._settle_after(report)
        return report

    def watch(
        self,
        folders: Sequence[Path | str] | Path | str = (),
        *,
        include: Sequence[str] | str = (),
        exclude: Sequence[str] | str = (),
        every: float = 3600,
        poll: bool = False,
        workers: int | None = None,
        memory: int | None = None,
        progress: Callable[[Event], None] | None = None,
        told: Callable[[IngestReport], None] | None = None,
        trouble: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Make the archive follow ``folders``, by default all that were ingested or synchronised so far, as
        their files change, until ``stop`` is set or KeyboardInterrupt comes, which goes through once what is
        in flight is stored.

        First all of them are synchronised, as `sync` does; so they are again after each ``every`` seconds,
        since network disks do not tell of changes that another computer makes: ``poll`` reads them again and
        again. A file is taken when it has been as it is for two seconds. The archive is locked only while
        something is taken. ``told`` gets the report of each sync, ``trouble`` a sentence where one fails,
        which is tried again with the next change, and where another process is writing, which is waited for.

        Raises what `sync` does where the first fails, UsageError for what is no folder, MissingExtraError
        without the extra ``watch``, ArchiveError where the system cannot watch so many folders.
        """
        import os
        import threading

        from dsslic_search.archive.ingest.remembered import folders_of
        from dsslic_search.archive.ingest.sync import sync
        from dsslic_search.archive.lock import untold
        from dsslic_search.archive.settling import Settling
        from dsslic_search.archive.watch import Watch, changes_of_files, require_folders
        from dsslic_search.core.files import absolute

        self._check_words()
        check_flags(poll=poll)
        wanted = wanted_of(include, exclude)
        at_once = workers_of(workers) or os.cpu_count() or 1
        allowed = None if memory is None else count_of(memory, "memory", 1)
        seconds_between = number_of(every, "every", 1, LONGEST_WAIT_SECONDS)
        chosen = [absolute(folder) for folder in paths_of(folders)]
        if not chosen:
            with self.folder.open_catalog() as catalog:
                chosen = folders_of(catalog)
        require_folders(chosen)

        def follow(folders: Sequence[Path | Scope], unsettled: frozenset[str], wait: float) -> IngestReport:
            report = sync(
                replace(self.folder, wait=wait, waiting=untold),
                folders,
                settings=self.settings,
                wanted=replace(wanted, unsettled=unsettled),
                workers=at_once,
                memory=allowed,
                progress=progress,
            )
            self._settle_after(report)
            return report

        stop = stop or threading.Event()
        Watch(
            follow,
            chosen,
            Settling(chosen, absolute(self.folder.root)),
            changes_of_files(stop, poll),
            stop,
            told or (lambda _report: None),
            trouble or (lambda _sentence: None),
            seconds_between,
        ).run()

    def relink(
        self, before: Path | str, after: Path | str, *, unchecked: bool = False, dry_run: bool = False
    ) -> Relinked:
        """Say that what lay in the folder, or the file, ``before`` lies at ``after`` now: see
        `archive.relink.relink`."""
        from dsslic_search.archive.relink import relink

        check_flags(unchecked=unchecked, dry_run=dry_run)
        return relink(self.folder, path_of(before), path_of(after), unchecked=unchecked, dry_run=dry_run)

    def reindex(
        self,
        *,
        workers: int | None = None,
        ray: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> ReindexReport:
        """Describe every photo anew from its label map alone, and rebuild the indexes; reads no byte past the
        label maps. ``ray``: on the Ray cluster there, whose machines have to see the photos' files."""
        from dsslic_search.archive.reindex import reindex

        self._check_words()
        with workplace(ray, workers) as place:
            report = reindex(self.folder, place=place, progress=progress)
        began = time.perf_counter()
        self._settle()
        report.seconds += time.perf_counter() - began
        return report

    def _settle_after(self, report: IngestReport) -> None:
        """Bring the indexes up to date when many photos changed, so that no question has to wait for it."""
        if not report.dry_run and report.changed >= SETTLED_FROM:
            with suppress(DSSError):  # the next question says what is wrong
                self._settle()

    def _settle(self) -> None:
        from dsslic_search.archive import history, published

        with published.publishing(self.folder.published(self.catalog.settings), self.catalog):
            state = self._indexes.settle()
        if state is not None:
            with self.catalog.noting() as session:
                history.forget(session, state)

    def describe(
        self,
        *,
        workers: int | None = None,
        ray: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> DescribeReport:
        """Add image words to the files and rows of photos that have none, seen in the best stage that each
        file has. ``ray``: as in `reindex`."""
        from dsslic_search.archive.describe import describe

        with workplace(ray, workers) as place:
            return describe(self.folder, place=place, max_pixels=self.settings.max_pixels, progress=progress)

    # Looking after them

    def backup(
        self,
        folder: Path | str,
        *,
        read_data: bool = False,
        replace: bool = False,
        progress: Callable[[int, int], None] | None = None,
    ) -> BackupReport:
        """Make ``folder`` a copy of the archive, which is an archive, or bring that copy up to date; also
        while others write. ``read_data``: read all copies, too, and compare them with their hashes. See
        `archive.backup.backup`; `api.restore_backup` is the way back."""
        from dsslic_search.archive.backup import backup

        check_flags(read_data=read_data, replace=replace)
        return backup(self.folder, path_of(folder), read_data=read_data, replace=replace, progress=progress)

    def rebuild(
        self,
        *,
        journal: Path | str | None = None,
        workers: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> RebuildReport:
        """Make the catalog anew, from the photos' files and the journal, or another ``journal`` that was
        kept aside; the catalog that is there is kept aside. May be stopped and run again. See
        `archive.rebuild`."""
        from dsslic_search.archive.rebuild import rebuild

        self.close()
        named = None if journal is None else path_of(journal)
        return rebuild(self.folder, journal=named, workers=workers_of(workers), progress=progress)

    def parity(self, percent: int, *, progress: Callable[[int, int], None] | None = None) -> ParityReport:
        """Give the photos' files parity of at least ``percent``, 1 to 25, of their bytes, beside them, and
        remember it for those to come: what is flipped, overwritten or lost of a file, up to that much,
        `repair` makes again. With 0 all parity is deleted. See `archive.parity`; MissingExtraError without
        the extra ``parity``."""
        from dsslic_search.archive.parity import complete

        return complete(self.folder, percent_of(percent), progress)

    def check(
        self,
        *,
        read_data: bool = False,
        sample: float = 100,
        restart: bool = False,
        ray: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Finding]:
        """Everything that is wrong with the archive, nothing when it is sound: the database, each photo's
        file by its length and header, with ``read_data`` every byte of it too, or of ``sample`` percent
        of the files, drawn anew each time. Changes nothing of them. One that reads all data and was stopped
        goes on where it was (`read_so_far`), unless it is to ``restart``. ``ray``: files are looked at as in
        `reindex`. ``progress`` is called with files looked at and to be looked at."""
        from dsslic_search.archive.check import check

        check_flags(read_data=read_data, restart=restart)
        percent = number_of(sample, "sample", 0, 100)
        with workplace(ray, None) as place:
            return check(self.folder, read_data, progress, percent, restart, place=place)

    def read_so_far(self) -> int:
        """How many files a stopped `check` of all data has read, and the next one passes over; else 0."""
        from dsslic_search.archive.reading import Reading

        stopped = Reading.stopped(self.folder.root)
        return 0 if stopped is None else stopped.read

    def repair(self, findings: Sequence[Finding]) -> list[Finding]:
        """Mend of what `check` found whatever can be mended without losing a photo; returns what was
        mended. See `archive.repair`."""
        from dsslic_search.archive.findings import Finding
        from dsslic_search.archive.repair import repair

        if not isinstance(findings, Sequence) or not all(isinstance(each, Finding) for each in findings):
            raise UsageError("what is repaired is the list that check returned, or some of it")
        return repair(self.folder, findings)


def percent_of(percent: int) -> int:
    """How much parity; UsageError for what cannot be."""
    from dsslic_search.archive.parity import LEAST_PERCENT, MOST_PERCENT

    number = count_of(percent, "parity")
    if number and not LEAST_PERCENT <= number <= MOST_PERCENT:
        raise UsageError(
            f"parity of {number} percent: must be from {LEAST_PERCENT} to {MOST_PERCENT}, or 0 for none"
        )
    return number
