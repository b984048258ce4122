"""Label maps as files of other programs: labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsslic_search.cli.getting_out import tell
from dsslic_search.cli.lines import path_for_people
from dsslic_search.cli.naming import Ids, Query, chosen_photos
from dsslic_search.cli.options import ERROR, PARTIAL, ArchiveDir, AsJson, Force, among, print_json
from dsslic_search.cli.progress import shown
from dsslic_search.cli.wording import in_commands
from dsslic_search.core.text import counted, printable

if TYPE_CHECKING:
    from dsslic_search.api.labels import Imported

labels = typer.Typer(
    help="Label maps in the formats of other programs.", no_args_is_help=True, rich_markup_mode=None
)


def _formats() -> tuple[str, ...]:
    from dsslic_search.api.labels import formats

    return formats()


def _sizes() -> tuple[str, ...]:
    from dsslic_search.api.labels import SIZES

    return SIZES


any_format = among(_formats)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(labels, name="labels")


@labels.command("export")
def labels_export(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go; it is made.")],
    ids: Ids = None,
    query: Query = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="png, coco, coco-panoptic, cityscapes, voc, labelme, cvat, label-studio or yolo.",
            autocompletion=any_format,
        ),
    ] = "png",
    size: Annotated[
        str,
        typer.Option(
            metavar="map|photo",
            help="As they are coded, or at the photo's size.",
            autocompletion=among(_sizes),
        ),
    ] = "map",
    archive: ArchiveDir = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write label maps of photos, with their regions and a legend, for other programs; docs/labels.md tells
    what each format holds."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened, shown("writing label maps") as progress:
        report = opened.export_labels(
            chosen_photos(opened, ids, query), out, form, size=size, replace=force, progress=progress
        )
    tell(report, "label map", as_json)


@labels.command("import")
def labels_import(
    source: Annotated[
        Path, typer.Argument(metavar="DIR|FILE", help="What labels export or another program wrote.")
    ],
    form: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT", help="As of labels export.", autocompletion=any_format),
    ] = "png",
    archive: ArchiveDir = None,
    as_json: AsJson = False,
) -> None:
    """Give photos label maps that people made or corrected: they are shown and searched from then on instead
    of the segmenter's. Pictures are photos of the same path or name."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened, shown("reading label maps") as progress:
        report = opened.import_labels(source, form, progress=progress)
    _tell_imported(report, as_json)


@labels.command("reset")
def labels_reset(
    ids: Ids = None, query: Query = None, archive: ArchiveDir = None, as_json: AsJson = False
) -> None:
    """Take people's label maps away again: the segmenter's are still there."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened:
        report = opened.reset_labels(chosen_photos(opened, ids, query))
    _tell_imported(report, as_json)


@labels.command("list")
def labels_list(archive: ArchiveDir = None, as_json: AsJson = False) -> None:
    """List the photos that have label maps by people."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened:
        known = {photo_id: opened.photo(photo_id).path for photo_id in opened.labelled()}
    if as_json:
        print_json([{"id": photo_id, "path": path} for photo_id, path in known.items()])
        return
    for photo_id, path in known.items():
        typer.echo(f"#{photo_id:<6} {path_for_people(path)}")
    typer.echo(f"{counted(len(known), 'photo')} with label maps by people", err=True)


def _tell_imported(report: Imported, as_json: bool) -> None:
    """What became of the label maps, and the exit code."""
    for picture, reason in report.failed:
        typer.echo(printable(f"skipped: {picture}: {in_commands(reason)}"), err=True)
    if report.unknown:
        names = ", ".join(report.unknown)
        typer.echo(printable(f'classes that mean nothing here, and became "other": {names}'), err=True)
    if as_json:
        print_json(
            {
                "photos": report.photos,
                "unchanged": report.unchanged,
                "failed": [{"picture": p, "reason": in_commands(r)} for p, r in report.failed],
                "unknown": list(report.unknown),
            }
        )
    parts = [f"{counted(len(report.photos), 'label map')} changed"]
    if report.unchanged:
        parts.append(f"{len(report.unchanged)} as they were")
    parts.append(f"{len(report.failed)} skipped")
    typer.echo(", ".join(parts), err=True)
    if report.failed:
        raise typer.Exit(PARTIAL if report.photos or report.unchanged else ERROR)
