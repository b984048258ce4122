"""Following folders as their files change: watch."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsslic_search.cli.encoding import size_option
from dsslic_search.cli.ingest import (
    Exclude,
    Include,
    Memory,
    Workers,
    as_plain,
    line_of,
    tell,
    tell_passed_over,
)
from dsslic_search.cli.options import ArchiveDir
from dsslic_search.cli.wording import in_commands
from dsslic_search.core.errors import UsageError
from dsslic_search.core.text import parse_duration, printable

if TYPE_CHECKING:
    from dsslic_search.api import Event, IngestReport


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(watch)


def watch(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DIR", help="Folders; else all that were ingested so far.", show_default=False
        ),
    ] = None,
    archive: ArchiveDir = None,
    include: Include = None,
    exclude: Exclude = None,
    every: Annotated[
        str, typer.Option(metavar="TIME", help="How often to look at all of them again: 30m, 1h.")
    ] = "1h",
    poll: Annotated[
        bool, typer.Option("--poll", help="Read the folders again and again, as on network disks.")
    ] = False,
    workers: Workers = None,
    memory: Memory = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what each sync did as JSON, one line each.")
    ] = False,
) -> None:
    """Make the archive follow its folders as their files change, as sync does, until it is stopped by Ctrl-C
    or SIGTERM; then what is in flight is finished."""
    from dsslic_search.api import Archive

    allowed = None if memory is None else size_option("--memory", memory)
    try:
        seconds = float(parse_duration(every))
    except ValueError as e:
        raise UsageError(f"--every: {e}") from None
    with Archive(archive) as opened, _ended_by_sigterm():
        says = Says(
            opened.folder.root, "watching; Ctrl-C finishes what is in flight, and stops", as_json=as_json
        )
        opened.watch(
            folders or (),
            include=include or (),
            exclude=exclude or (),
            every=seconds,
            poll=poll,
            workers=workers,
            memory=allowed,
            progress=says.step,
            told=says.report,
            trouble=says.trouble,
        )


class Says:
    """What happens, on stderr: the first sync of all whole, and ``begun``, then what is worth a line; with
    ``as_json`` the same syncs on stdout, too, a line each."""

    def __init__(self, root: Path, begun: str, *, as_json: bool = False) -> None:
        self._root, self._begun, self._as_json, self._watching = root, begun, as_json, False

    def step(self, event: Event) -> None:
        if line := line_of(event):
            typer.echo(line, err=True)

    def report(self, report: IngestReport) -> None:
        taken = report.added or report.updated or report.moved or report.copies or report.back
        changed = report.versions or report.missing or report.unseen
        if not self._watching or taken or changed or report.failed:
            tell(report, self._root)
            if self._as_json:
                typer.echo(json.dumps(as_plain(report, self._root), ensure_ascii=False))
        if not self._watching and not report.interrupted:
            tell_passed_over(report)
            typer.echo(self._begun, err=True)
        self._watching = True

    def trouble(self, sentence: str) -> None:
        typer.echo(printable(in_commands(sentence)), err=True)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM is as Ctrl-C, but no error: who stops a service sends it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = threading.Event()

    def end(number: int, frame: object) -> None:
        asked.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        if not asked.is_set():
            raise
    finally:
        signal.signal(signal.SIGTERM, before)
