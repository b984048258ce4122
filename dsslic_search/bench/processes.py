"""Commands of a build in processes of their own, and what the system says that they took; builds side by
side.

Seconds of the processor, user's and system's together, are taken from the operating system when a process
ends; unlike seconds of the clock they hardly depend on what else runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dsslic_search
from dsslic_search.core.errors import DSSError, UsageError

THIS, OTHER = "this", "other"  # builds


@dataclass(frozen=True)
class Taken:
    """What a process took: seconds of the processor and of the clock, and bytes of memory at its peak."""

    processor_seconds: float
    seconds: float
    peak_bytes: int


def builds_beside(against: Path | None) -> dict[str, Path]:
    """The folders of the builds' sources by their names, this one first. ``against``: the folder of another
    one's, which holds its ``dsslic_search``.

    UsageError where it holds none, and where the system does not tell what a process took.
    """
    if not hasattr(os, "wait4"):
        raise UsageError("this system does not tell what a process took; measure on Linux or macOS")
    builds = {THIS: Path(str(dsslic_search.__file__)).parents[1]}
    if against is not None:
        if not (against / "dsslic_search" / "__init__.py").is_file():
            raise UsageError(f"{against}: holds no dsslic_search; name the folder of another build's source")
        builds[OTHER] = against.absolute()
    return builds


def taken_by(source: Path, words: Sequence[str], place: Path) -> Taken:
    """What a command of the build at ``source`` takes in a process of its own, in the folder ``place``.
    DSSError when it fails."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "dsslic_search.cli.main", *words],
            env=environment(source),
            cwd=place,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            message = said.read().decode(errors="replace").strip() or f"ended with {process.returncode}"
            raise DSSError(f"dss-search {' '.join(words)} of {source} failed: {message.splitlines()[-1]}")
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    return Taken(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss * unit)


def told_by(source: Path, script: str, words: Sequence[str], place: Path) -> Any:
    """What a script prints as JSON that the Python of the build at ``source`` runs with ``words``, in the
    folder ``place``, which holds no build. DSSError when it fails."""
    ended = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=place, env=environment(source), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ended.returncode:
        raise DSSError(f"the build at {source} failed: {ended.stderr.strip().splitlines()[-1]}")
    return json.loads(ended.stdout)


def environment(source: Path) -> dict[str, str]:
    """The build at ``source`` comes first, and its bytecode is kept whatever this process was told."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(source)}
