"""What a segmenter's labels mean: segmenter."""

from __future__ import annotations

from typing import Annotated

import typer

from dsslic_search.cli.options import AsJson, ClassesFile, print_json
from dsslic_search.core.text import printable


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(segmenter)


def segmenter(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|DIR", help="segnet, or a transformers model: its folder, or its name on the hub."
        ),
    ],
    classes: ClassesFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the classes that a segmenter's labels count as, and by which rule."""
    from dsslic_search.api.segmenters import segmenter_info

    said = segmenter_info(name, classes)
    if as_json:
        rows = [{"id": x.id, "label": x.label, "class": x.class_name, "by": x.by} for x in said.labels]
        print_json({"segmenter": name, "identity": said.identity, "labels": rows})
        return
    typer.echo(f"{printable(name)}: segmenter {said.identity}, {len(said.labels)} labels")
    width = min(40, max(len(x.label) for x in said.labels))
    typer.echo(f"{'id':>4}  {'label':{width}}  {'class':12}  by")
    for x in said.labels:
        label = x.label if len(x.label) <= width else x.label[: width - 1] + "…"
        typer.echo(printable(f"{x.id:>4}  {label:{width}}  {x.class_name:12}  {x.by}"))
    if lost := sum(x.by == "unknown" for x in said.labels):
        typer.echo(
            f"{lost} labels are not known and count as other; say what they are with --classes FILE", err=True
        )
