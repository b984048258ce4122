"""Asking: query."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from dsslic_search.cli.options import ArchiveDir, AsJson, print_json
from dsslic_search.text import printable


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(query)


def query(
    text: Annotated[list[str], typer.Argument(metavar="QUERY", help='For example: "images with road and >30% sky".')],
    archive: ArchiveDir = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Photos to list; the total is always exact.")] = 20,
    as_json: AsJson = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show how the query was understood, and what each part matches.")] = False,
) -> None:
    """Find photos by what is in them, best first."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened:
        result = opened.query(" ".join(text), limit=limit)
    if explain:
        typer.echo(result.explanation, err=as_json)
    if as_json:
        print_json({"query": result.query, "total": result.total, "results": [asdict(hit) for hit in result.hits]})
        return
    for hit in result.hits:
        coverage = ", ".join(f"{name} {fraction:.1%}" for name, fraction in hit.coverage.items() if fraction)
        typer.echo(f"{hit.rank:>4}  #{hit.id:<6} {hit.score:.3f}  {printable(hit.path)}" + (f"  ({coverage})" if coverage else ""))
    shown = f", {len(result.hits)} shown" if len(result.hits) < result.total else ""
    typer.echo(f"{result.total} photo{'' if result.total == 1 else 's'}{shown}", err=True)
