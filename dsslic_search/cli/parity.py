"""The command `parity`: blocks by which damaged files are made again."""

from __future__ import annotations

from typing import Annotated

import typer

from dsslic_search.cli import progress
from dsslic_search.cli.options import ERROR, PARTIAL, ArchiveDir, AsJson, Wait, print_json, say_waiting
from dsslic_search.cli.wording import in_commands
from dsslic_search.core.errors import UsageError
from dsslic_search.core.text import counted, printable, size_text

PARITY_HELP = "Parity beside files that are written, by which damage is mended: 1% to 25%, 0 for none."


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(parity)


def percent_option(text: str) -> int:
    """A percentage as people write it, with or without its sign."""
    number = text.removesuffix("%").strip()
    if not number.isdecimal():
        raise UsageError(f'"{text}" is no percentage such as 5%')
    return int(number)


def parity(
    percent: Annotated[str, typer.Argument(metavar="PERCENT", help="From 1% to 25%; 0 deletes all parity.")],
    archive: ArchiveDir = None,
    wait: Wait = None,
    as_json: AsJson = False,
) -> None:
    """Write parity beside the photos' files, and beside those to come: what is flipped, overwritten or lost
    of a file, up to that much, is made again by: dss-search check --read-data --repair."""
    from dsslic_search.api import Archive

    wanted = percent_option(percent)
    with (
        Archive(archive, wait=wait, waiting=say_waiting) as opened,
        progress.shown("writing parity") as settled,
    ):
        report = opened.parity(wanted, progress=settled)
    for photo_id, reason in report.failed:
        typer.echo(printable(f"skipped: photo {photo_id}: {in_commands(reason)}"), err=True)
    if as_json:
        failed = [{"id": photo_id, "reason": in_commands(reason)} for photo_id, reason in report.failed]
        print_json(
            {"percent": report.percent, "photos": report.photos, "bytes": report.bytes, "failed": failed}
        )
    done = "written" if wanted else "deleted"
    typer.echo(f"{counted(report.photos, 'parity file')} {done}, {size_text(report.bytes)}", err=True)
    if report.failed:
        raise typer.Exit(PARTIAL if report.photos else ERROR)
