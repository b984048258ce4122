"""Many photos out of an archive: originals, previews."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsslic_search.cli.encoding import StripLocation, StripMetadata, strip_of
from dsslic_search.cli.naming import Ids, Query, chosen_photos
from dsslic_search.cli.options import (
    ERROR,
    INTERRUPTED,
    PARTIAL,
    ArchiveDir,
    AsJson,
    Force,
    among,
    any_stage,
    print_json,
)
from dsslic_search.cli.progress import shown
from dsslic_search.cli.wording import in_commands
from dsslic_search.core.files import path_to_text
from dsslic_search.core.text import counted, printable, size_text

if TYPE_CHECKING:
    from dsslic_search.api import GotOut

Folder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go; it is made.")]
Flat = Annotated[bool, typer.Option("--flat", help="All in one folder, not in folders as theirs.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(originals)
    app.command()(previews)


def originals(
    out: Folder,
    ids: Ids = None,
    query: Query = None,
    archive: ArchiveDir = None,
    flat: Flat = False,
    strip_metadata: StripMetadata = False,
    strip_location: StripLocation = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write originals into a folder, bit for bit, each checked by its hash (keep modes exact and reference).
    What is there already with the very bytes stays, so the same again goes on where it ended."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened, shown("writing originals") as progress:
        report = opened.originals(
            chosen_photos(opened, ids, query),
            out,
            flat=flat,
            strip=strip_of(strip_metadata, strip_location),
            replace=force,
            progress=progress,
        )
    tell(report, "original", as_json)


def previews(
    out: Folder,
    ids: Ids = None,
    query: Query = None,
    archive: ArchiveDir = None,
    stage: Annotated[
        str | None,
        typer.Option(
            help="map, compact, coarse or full; else the best there is.",
            show_default=False,
            autocompletion=any_stage,
        ),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="png|jpg|webp",
            help="Of the pictures; maps are png.",
            autocompletion=among(lambda: ("png", "jpg", "webp")),
        ),
    ] = "png",
    flat: Flat = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write pictures of a stage of photos into a folder, in one start. What is written has no metadata."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened, shown("writing previews") as progress:
        report = opened.previews(
            chosen_photos(opened, ids, query),
            out,
            stage=stage,
            form=form,
            flat=flat,
            replace=force,
            progress=progress,
        )
    tell(report, "preview", as_json)


def tell(report: GotOut, what: str, as_json: bool) -> None:
    """What became of the photos, and the exit code."""
    for photo_id, reason in report.failed:
        told = in_commands(reason.removeprefix(f"photo {photo_id}: "))
        typer.echo(printable(f"skipped: photo {photo_id}: {told}"), err=True)
    if as_json:
        print_json(
            {
                "written": [{"id": i, "file": path_to_text(file)} for i, file in report.written],
                "present": [{"id": i, "file": path_to_text(file)} for i, file in report.present],
                "failed": [{"id": i, "reason": in_commands(reason)} for i, reason in report.failed],
                "bytes": report.bytes,
            }
        )
    else:
        for file in dict.fromkeys(file for _, file in report.written):  # one may hold the maps of many
            typer.echo(printable(path_to_text(file)))
    parts = [f"{counted(len(report.written), what)} written ({size_text(report.bytes)})"]
    if report.present:
        parts.append(f"{len(report.present)} already there")
    parts.append(f"{len(report.failed)} skipped")
    line = ", ".join(parts)
    typer.echo(line + ("; interrupted, run it again to go on" if report.interrupted else ""), err=True)
    if report.interrupted:
        raise typer.Exit(INTERRUPTED)
    if report.failed:
        raise typer.Exit(PARTIAL if report.written or report.present else ERROR)
