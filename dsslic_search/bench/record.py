"""How results are kept and shown: as JSON that says where its figures come from, and as tables for people."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dsslic_search import __version__
from dsslic_search.core.output import NEW_FILES, Outputs
from dsslic_search.networks import runtime

PACKAGES = ("torch", "numpy", "av", "imagecodecs", "pillow", "faiss-cpu", "sqlalchemy")

NETWORKS = ("segnet", "image_words", "compnet", "finenet", "finenet_perceptual", "restorer")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def version_of(package: str) -> str:
    """The version that is installed, or "absent"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def record(results: dict[str, Any]) -> dict[str, Any]:
    """``results`` with date, command, machine, versions and weight identities in front."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["dss-search", *sys.argv[1:]]),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "versions": {"dsslic-search": __version__, **{p: version_of(p) for p in PACKAGES}},
        "weights": {n: runtime.identity(n) for n in NETWORKS},
        **results,
    }


def write(path: Path, results: dict[str, Any], outputs: Outputs = NEW_FILES) -> None:
    """Write :func:`record` of ``results`` as JSON."""
    text = json.dumps(record(results), indent=1, ensure_ascii=False) + "\n"
    outputs.write(path, text.encode(), text=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table: the names of the columns, then the rows; the first column at the left, the others
    at the right."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
