"""Asking by layout: sketch, and palette, which gives the colours to paint with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dsslic_search.cli.options import ArchiveDir, AsJson, Force, print_json
from dsslic_search.cli.query import PHOTOS_LISTED, list_hits, tell
from dsslic_search.core.output import Outputs

EXAMPLES = """
Find photos laid out like a sketch, most alike first.

A sketch is a PNG painted in the colours that dss-search palette lists, transparent or white where anything
may be, or JSON:

\b
[{"class": "sky", "box": [0, 0, 1, 0.4]},
 {"class": "boat", "ellipse": [0.5, 0.6, 0.2, 0.1]}]

\b
dss-search sketch beach.png --query "no people"
dss-search sketch street.json --mirrored --limit 5

docs/layout.md tells all that a sketch may hold.
"""


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(help=EXAMPLES)(sketch)
    app.command()(palette)


def sketch(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A painted PNG, or shapes in JSON.")],
    query: Annotated[
        str,
        typer.Option(
            "--query",
            metavar="QUERY",
            help="Only photos that this asks for, as dss-search query does.",
            show_default=False,
        ),
    ] = "",
    mirrored: Annotated[bool, typer.Option("--mirrored", help="Left and right may be exchanged.")] = False,
    archive: ArchiveDir = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Photos to list.")] = PHOTOS_LISTED,
    after: Annotated[
        str | None,
        typer.Option(
            "--page",
            "--after",
            metavar="CURSOR",
            help="Go on after the page that gave this cursor.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show how --query was understood, and what each part matches.")
    ] = False,
) -> None:
    """Find photos laid out like a sketch, most alike first."""
    from dsslic_search.api import Archive
    from dsslic_search.api.export import write

    with Archive(archive) as opened:
        found = opened.sketch(file, query, mirrored=mirrored, limit=limit, after=after, explain=explain)
        if explain:
            typer.echo(found.explanation, err=as_json)
        shown = write(found, "json", sys.stdout) if as_json else list_hits(found)
    if not as_json:
        tell(found, shown)


def palette(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="A .png of all colours, or a .gpl palette for GIMP, Krita or Inkscape."
        ),
    ] = None,
    as_json: AsJson = False,
    force: Force = False,
) -> None:
    """List the colours of the classes, or write them to a file to paint sketches with."""
    from dsslic_search.core.vocabulary import default, hex_colour

    colours = {c.name: hex_colour(c.colour) for c in default().classes}
    if file is not None:
        from dsslic_search.api.render import save_palette

        save_palette(default(), file, outputs=Outputs(force))
        typer.echo(file, err=True)
    elif as_json:
        print_json(colours)
    else:
        for name, colour in colours.items():
            typer.echo(f"{colour}  {name}")
