"""What commands that measure share: their options, and how they say and write what they found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dsslic_search.cli.options import print_json
from dsslic_search.core.output import Outputs

Images = Annotated[Path, typer.Option("--images", metavar="DIR", help="A folder of photos.")]
SCENES = "Folder with scenes/<set>; see docs/training.md."
Scenes = Annotated[Path, typer.Option("--data", metavar="DIR", help=SCENES)]
ScenesAndCorel = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/<set> and photos/corel1k.")
]
Maps = Annotated[
    list[Path],
    typer.Option(
        "--maps",
        metavar="DIR",
        help="Label maps, PNG files of class ids, to make photos from; may be repeated.",
    ),
]
Against = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="DIR",
        help="The source of another build, to measure beside this one.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the JSON here instead of stdout.", show_default=False),
]


def may_write(out: Path | None, force: bool) -> Outputs:
    """How results are written; UsageError before the measuring, not after it."""
    outputs = Outputs(force)
    if out is not None:
        outputs.check(out, text=True)
    return outputs


def finish(results: dict[str, Any], out: Path | None, outputs: Outputs) -> None:
    """Write the figures, with date, machine and versions, to ``out``, or print them."""
    from dsslic_search.bench import record

    if out is None:
        print_json(record.record(results))
        return
    record.write(out, results, outputs)
    typer.echo(out, err=True)
