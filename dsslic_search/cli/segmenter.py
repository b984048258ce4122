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
            metavar="NAME_OR_DIR", help="segnet, or a transformers model: its folder, or its name on the hub."
        ),
    ],
    classes: ClassesFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the classes that a segmenter's labels count as, and by which rule."""
    from dsslic_search.core import vocabulary
    from dsslic_search.networks.labels import Label
    from dsslic_search.networks.segmenter import open_segmenter
    from dsslic_search.networks.transformer import TransformersSegmenter

    opened = open_segmenter(name, classes=classes)
    names = [c.name for c in vocabulary.default().classes]
    own = tuple(Label(i, label, i, "name") for i, label in enumerate(names))
    labels = opened.labels if isinstance(opened, TransformersSegmenter) else own
    if as_json:
        rows = [{"id": x.id, "label": x.name, "class": names[x.class_id], "by": x.how} for x in labels]
        print_json({"segmenter": name, "identity": opened.identity, "labels": rows})
        return
    typer.echo(f"{printable(name)}: segmenter {opened.identity}, {len(labels)} labels")
    width = min(40, max(len(x.name) for x in labels))
    typer.echo(f"{'id':>4}  {'label':{width}}  {'class':12}  by")
    for x in labels:
        label = x.name if len(x.name) <= width else x.name[: width - 1] + "…"
        typer.echo(printable(f"{x.id:>4}  {label:{width}}  {names[x.class_id]:12}  {x.how}"))
    if lost := sum(x.how == "unknown" for x in labels):
        typer.echo(
            f"{lost} labels are not known and count as other; say what they are with --classes FILE", err=True
        )
