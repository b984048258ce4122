"""Options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dsslic_search.config import DEFAULT_QUALITY

ArchiveDir = Annotated[
    Path | None,
    typer.Option("--archive", metavar="DIR", help="The archive; else $DSS_ARCHIVE, else the user's data directory.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Quality = Annotated[int, typer.Option("--quality", "-q", help="1 (smallest files) to 100 (best picture).")]
QUALITY = DEFAULT_QUALITY

OK, ERROR, USAGE, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 130  # exit codes


def print_json(value: Any) -> None:
    """JSON on stdout, indented, with every character that JSON can hold written as it is."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def size_text(count: float) -> str:
    """Bytes for people: 1000-based, three digits."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
