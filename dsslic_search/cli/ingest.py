"""Putting photos into an archive, and making it follow its folders: ingest, sync, relink."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsslic_search.cli import progress as progress_shown
from dsslic_search.cli.encoding import size_option, with_encoder_options
from dsslic_search.cli.options import (
    ERROR,
    INTERRUPTED,
    PARTIAL,
    ArchiveDir,
    AsJson,
    Ray,
    Wait,
    print_json,
    say_waiting,
)
from dsslic_search.cli.parity import PARITY_HELP, percent_option
from dsslic_search.cli.wording import in_commands, to_run
from dsslic_search.core.errors import ArchiveError, Remedy
from dsslic_search.core.text import counted, printable, size_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from dsslic_search.api import Archive, EncodeOptions, Event, IngestReport

NEXT_STEPS = {
    'query "sky and no people"': "find photos by what they show",
    "stats": "what there is",
    "serve": "see them in a browser",
}
"""What a person is told after the first ingest: commands, and what each is for."""

Frames = Annotated[
    str | None,
    typer.Option(
        metavar="TIME|scenes",
        help="Take a frame of videos every 2s, 500ms or 1m, or of each scene; else they are passed over.",
        show_default=False,
    ),
]
EvenUndecoded = Annotated[
    bool,
    typer.Option(
        "--even-undecoded",
        help="With --keep exact: keep pictures and videos that cannot be decoded, found by facts alone.",
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include",
        metavar="GLOB",
        help="Of the folders try only what matches, whatever its ending; may be given several times.",
        show_default=False,
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="GLOB",
        help="Pass over files and folders that match, as path: of queries does; may be given several times.",
        show_default=False,
    ),
]
Rehash = Annotated[
    bool, typer.Option("--rehash", help="Read files, too, whose size and time are as they were.")
]
EvenEmpty = Annotated[
    bool,
    typer.Option("--even-empty", help="What lay in folders that are empty now, or not there, is missing."),
]
EvenRemoved = Annotated[
    bool, typer.Option("--even-removed", help="Take photos back that were removed from the archive.")
]
ListIgnored = Annotated[
    bool, typer.Option("--list-ignored", help="Name each file that is passed over, on stdout.")
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Photos encoded at once; else one a core.", show_default=False)
]
Memory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="What the program may take in all, as 2GB or 1500MiB; else half of what there is.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (ingest, sync, relink):
        app.command()(command)


@with_encoder_options(
    keep="layers, exact (originals packed in, bit-exact), reference (originals stay) or coarse "
    "(previews alone)."
)
def ingest(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Photos, and folders to walk, also as s3://BUCKET/FOLDER."),
    ],
    archive: ArchiveDir = None,
    *,
    wait: Wait = None,
    options: EncodeOptions,
    frames: Frames = None,
    even_undecoded: EvenUndecoded = False,
    include: Include = None,
    exclude: Exclude = None,
    rehash: Rehash = False,
    even_empty: EvenEmpty = False,
    even_removed: EvenRemoved = False,
    list_ignored: ListIgnored = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be added; write nothing.")
    ] = False,
    workers: Workers = None,
    memory: Memory = None,
    parity: Annotated[
        str | None, typer.Option(metavar="PERCENT", help=PARITY_HELP, show_default=False)
    ] = None,
    ray: Ray = None,
    as_json: AsJson = False,
) -> None:
    """Add photos to the archive. What is already there, by content, is skipped, or stored anew where another
    keep mode or quality is asked for (another effort, importances or a target alone are no reason); a bad
    file is skipped with its reason."""
    from dsslic_search.api import Archive

    allowed = None if memory is None else size_option("--memory", memory)
    with Archive(archive, wait=wait, waiting=say_waiting) as opened, _progress(dry_run) as progress:
        first = not opened.folder.exists
        report = opened.ingest(
            paths,
            options,
            frames=frames,
            even_undecoded=even_undecoded,
            include=include or (),
            exclude=exclude or (),
            rehash=rehash,
            even_empty=even_empty,
            even_removed=even_removed,
            dry_run=dry_run,
            workers=workers,
            memory=allowed,
            parity=None if parity is None else percent_option(parity),
            ray=ray,
            progress=progress,
        )
    _end(report, opened, list_ignored, as_json)
    if not report.found and not report.missing:
        raise ArchiveError(_nothing_found(report))
    if first and report.added and not dry_run and sys.stderr.isatty():
        for step, why in NEXT_STEPS.items():
            typer.echo(f"next: {to_run(step)}   # {why}", err=True)


def sync(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DIR", help="Folders; else all that were ingested so far.", show_default=False
        ),
    ] = None,
    archive: ArchiveDir = None,
    wait: Wait = None,
    include: Include = None,
    exclude: Exclude = None,
    rehash: Rehash = False,
    even_empty: EvenEmpty = False,
    even_removed: EvenRemoved = False,
    list_ignored: ListIgnored = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
    workers: Workers = None,
    memory: Memory = None,
    as_json: AsJson = False,
) -> None:
    """Make the archive follow its folders: new photos are added, kept as by the last ingest; moved and edited
    ones are found again, and what is not there any more is marked as missing. Nothing is ever deleted."""
    from dsslic_search.api import Archive

    allowed = None if memory is None else size_option("--memory", memory)
    with Archive(archive, wait=wait, waiting=say_waiting) as opened, _progress(dry_run) as progress:
        report = opened.sync(
            folders or (),
            include=include or (),
            exclude=exclude or (),
            rehash=rehash,
            even_empty=even_empty,
            even_removed=even_removed,
            dry_run=dry_run,
            workers=workers,
            memory=allowed,
            progress=progress,
        )
    _end(report, opened, list_ignored, as_json)


def relink(
    before: Annotated[Path, typer.Argument(metavar="FROM", help="Where photos lay: a folder, or a file.")],
    after: Annotated[Path, typer.Argument(metavar="TO", help="Where they lie now.")],
    archive: ArchiveDir = None,
    wait: Wait = None,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Believe it of files that are not there now, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell the archive that a whole folder lies elsewhere. Each file must be there, with the size and the
    time, or else the content, that it had."""
    from dsslic_search.api import Archive

    with Archive(archive, wait=wait, waiting=say_waiting) as opened:
        done = opened.relink(before, after, unchecked=unchecked, dry_run=dry_run)
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "linked": [{"id": photo_id, "path": path} for photo_id, path in done.linked],
                "absent": done.absent,
                "different": done.different,
            }
        )
    for reason, paths in (("not there", done.absent), ("another file", done.different)):
        for path in paths:
            typer.echo(printable(f"skipped: {path}: {reason}"), err=True)
    verb = "would be relinked" if dry_run else "relinked"
    typer.echo(
        f"{len(done.linked)} {verb}, {len(done.absent)} not there, {len(done.different)} different", err=True
    )
    if done.absent or done.different:
        raise typer.Exit(PARTIAL if done.linked else ERROR)


def _end(report: IngestReport, opened: Archive, list_ignored: bool, as_json: bool) -> None:
    """Tell of a run, and end with its exit code."""
    root = opened.folder.root
    if as_json:
        print_json(as_plain(report, root))
    elif list_ignored:
        for kind, paths in report.passed_over.by_kind().items():
            for path in paths:
                typer.echo(printable(f"ignored: {kind}: {path}"))
    tell(report, root)
    tell_passed_over(report, list_ignored)
    if report.interrupted:
        raise typer.Exit(INTERRUPTED)
    if report.failed or report.unseen:
        well = report.added or report.updated or report.present or report.missing
        raise typer.Exit(PARTIAL if well else ERROR)


def _nothing_found(report: IngestReport) -> str:
    if report.videos:
        return f"no photos found there but {counted(report.videos, 'video')}; {_WITH_FRAMES}"
    return "no photos found there; name photos, or folders that hold some"


_WITH_FRAMES = f"{in_commands(Remedy.FRAMES)} takes frames of them"


_WORDS = {
    "moved": "moved",
    "copy": "copy",
    "back": "back",
    "version": "new version",
    "missing": "missing",
}
"""What is said of photos that were known, by the kind of the event."""


def line_of(event: Event) -> str:
    """What is said of a step of an ingest; of most of them nothing."""
    if event.kind == "failed":
        return printable(f"skipped: {event.path}: {in_commands(event.reason)}")
    if event.kind == "stopping":
        return f"finishing {counted(event.in_flight, 'photo')} in flight; Ctrl-C again stops at once"
    if event.kind not in _WORDS:
        return ""
    before = f"{event.before} -> " if event.before else ""
    return printable(f"{_WORDS[event.kind]}: {before}{event.path}")


@contextmanager
def _progress(dry_run: bool) -> Iterator[Callable[[Event], None]]:
    """Lines about skipped files and known photos, and how far it has come, on stderr."""
    failed = 0
    with progress_shown.shown("checking" if dry_run else "ingesting") as settled:

        def show(event: Event) -> None:
            nonlocal failed
            if event.kind == "stopping":
                settled.stop_at_once_when_interrupted()
            else:
                failed += event.kind == "failed"
                settled(event.done, event.total, failed)
            if line := line_of(event):
                settled.say(line)

        yield show


def tell(report: IngestReport, root: Path) -> None:
    """What a run did, on stderr."""
    for note in report.notes:
        typer.echo(printable(note), err=True)
    for folder, reason, photos in report.unseen:
        lie = f"{counted(photos, 'photo')} {'lies' if photos == 1 else 'lie'} under it, nothing was marked"
        hint = "; if that is right: --even-empty" if reason in ("empty", "not there") else ""
        typer.echo(printable(f"{folder}: {reason}; {lie}{hint}"), err=True)
    verb = "would be added" if report.dry_run else "added"
    parts = [f"{report.added} {verb}", f"{report.present} already there{_inside(report)}"]
    parts.append(f"{len(report.failed)} skipped")
    if report.updated:
        were = ", ".join(f"{count} {keep}" for keep, count in sorted(report.kept_before.items()))
        anew = f"{'would be ' if report.dry_run else ''}stored anew{f' (they were: {were})' if were else ''}"
        parts.insert(1, f"{report.updated} {anew}")
    if report.undecoded:
        parts.append(f"{report.undecoded} kept undecoded")
    if report.versions:
        parts.append(counted(len(report.versions), "new version"))
    if report.missing:
        parts.append(f"{len(report.missing)} missing")
    if report.sidecars:
        parts.append(f"{counted(report.sidecars, 'sidecar')} read")
    line = ", ".join(parts)
    if report.in_bin:
        line += f"; {report.in_bin} passed over, as removed before"
    if report.bytes_in and not report.dry_run:
        share = report.bytes_stored / report.bytes_in
        line += f"; {size_text(report.bytes_in)} became {size_text(report.bytes_stored)} ({share:.0%})"
        line += f" in {report.seconds:.1f} s"
    typer.echo(
        f"{root}: {line}" + ("; interrupted, run it again to go on" if report.interrupted else ""), err=True
    )


def tell_passed_over(report: IngestReport, listed: bool = False) -> None:
    """What a run passed over, on stderr; ``listed``: each of it is named."""
    if passed_over := report.passed_over.sentence():
        hints = [] if listed else ["name them with --list-ignored"]
        hints += [_WITH_FRAMES] if report.videos else []
        typer.echo(printable("; ".join([f"passed over: {passed_over}", *hints])), err=True)


def _inside(report: IngestReport) -> str:
    """What of the photos that are there already is worth a word."""
    parts = [f"{n} {word}" for n, word in ((len(report.moved), "moved"), (len(report.back), "back")) if n]
    if n := len(report.copies):
        parts.insert(1 if report.moved else 0, "1 copy" if n == 1 else f"{n} copies")
    return f" ({', '.join(parts)})" if parts else ""


def as_plain(report: IngestReport, root: Path) -> dict[str, Any]:
    """What a run did, as ``--json`` has it."""
    return {
        "archive": str(root),
        "dry_run": report.dry_run,
        "found": report.found,
        "added": report.added,
        "updated": report.updated,
        "present": report.present,
        "undecoded": report.undecoded,
        "videos_passed_over": report.videos,
        "sidecars": report.sidecars,
        "failed": [{"path": f.path, "reason": in_commands(f.reason)} for f in report.failed],
        "moved": [{"id": m.id, "from": m.before, "to": m.path} for m in report.moved],
        "copies": [each._asdict() for each in report.copies],
        "back": [each._asdict() for each in report.back],
        "versions": [each._asdict() for each in report.versions],
        "missing": [each._asdict() for each in report.missing],
        "unseen": [each._asdict() for each in report.unseen],
        "in_bin": report.in_bin,
        "ignored": report.passed_over.by_kind(),
        "notes": report.notes,
        "bytes_in": report.bytes_in,
        "bytes_stored": report.bytes_stored,
        "seconds": round(report.seconds, 3),
        "interrupted": report.interrupted,
    }
