"""Copies of an archive, and archives of copies: backup, restore-backup."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsslic_search.cli import progress
from dsslic_search.cli.options import PARTIAL, ArchiveDir, AsJson, Wait, print_json, say_waiting
from dsslic_search.cli.wording import in_commands, tell_of, to_run
from dsslic_search.core.text import counted, printable, size_text


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (backup, restore_backup):
        app.command()(command)


def backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or that of the last backup.")],
    archive: ArchiveDir = None,
    wait: Wait = None,
    read_data: Annotated[
        bool, typer.Option("--read-data", help="Read all copies, too, and compare them with their hashes.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Even over the backup of another archive, or one that was changed or knows more.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy the archive, or bring its copy up to date, also while others write to it.

    The copy is an archive itself. Only what is new is read. May be stopped and run again."""
    from dsslic_search.api import Archive

    with (
        Archive(archive, wait=wait, waiting=say_waiting) as opened,
        progress.shown("copying") as settled,
    ):
        report = opened.backup(folder, read_data=read_data, replace=force, progress=settled)
    _say_failed(report.failed)
    if as_json:
        print_json(
            {
                "photos": report.photos,
                "copied": report.copied,
                "bytes": report.bytes,
                "unchanged": report.unchanged,
                "removed": report.removed,
                "mended": report.mended,
                "failed": [{"path": path, "reason": in_commands(why)} for path, why in report.failed],
            }
        )
    said = f"{counted(report.photos, 'photo')}: {report.copied} copied ({size_text(report.bytes)}), "
    said += f"{report.unchanged} unchanged"
    said += f", {report.removed} removed" if report.removed else ""
    said += f", {report.mended} of the copies mended" if report.mended else ""
    typer.echo(said, err=True)
    if report.failed:
        raise typer.Exit(PARTIAL)


def restore_backup(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a backup.")],
    to: Annotated[Path, typer.Argument(metavar="TO", help="A new or empty folder.")],
    as_json: AsJson = False,
) -> None:
    """Make an archive of a backup, each file compared with its hash. Nothing is overwritten.

    May be stopped and run again."""
    from dsslic_search.api import restore_backup

    tell_of(folder)  # what goes wrong is of the backup
    with progress.shown("restoring") as settled:
        report = restore_backup(folder, to, progress=settled)
    _say_failed(report.failed)
    if as_json:
        print_json(
            {
                "photos": report.photos,
                "files": report.files,
                "bytes": report.bytes,
                "unlisted": report.unlisted,
                "complete": report.is_complete,
                "failed": [{"path": path, "reason": in_commands(why)} for path, why in report.failed],
            }
        )
    compared = counted(report.files - report.unlisted, "file")
    typer.echo(f"{counted(report.photos, 'photo')}, {compared} compared", err=True)
    if report.unlisted:
        them = "file has" if report.unlisted == 1 else "files have"
        typer.echo(f"{report.unlisted} {them} no hash in the backup, and could not be compared", err=True)
    if not report.is_complete:
        tell_of(to)
        what = "the backup was stopped before its end, or is an archive and no backup"
        typer.echo(f"{what}; see what is missing with: {to_run('check')}", err=True)
    if report.failed or report.unlisted or not report.is_complete:
        raise typer.Exit(PARTIAL)


def _say_failed(failed: list[tuple[str, str]]) -> None:
    for path, why in failed:
        typer.echo(printable(f"not copied: {path}: {in_commands(why)}"), err=True)
