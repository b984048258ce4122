"""Label maps as files of other programs: labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsslic_search.cli.getting_out import tell
from dsslic_search.cli.naming import Ids, Query, chosen_photos
from dsslic_search.cli.options import ArchiveDir, AsJson, Force
from dsslic_search.cli.progress import shown

labels = typer.Typer(
    help="Label maps in the formats of other programs.", no_args_is_help=True, rich_markup_mode=None
)


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
        ),
    ] = "png",
    size: Annotated[
        str, typer.Option(metavar="map|photo", help="As they are coded, or at the photo's size.")
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
