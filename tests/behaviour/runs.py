"""Runs of ``dss-search``: exit code, what was printed and what was written."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageSequence

from tests.behaviour.plain import digest, lines, picture, plain

SECONDS_ALLOWED = 1800  # for one run
RUNS = itertools.count()


def run(*arguments: object, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Exit code, what was printed and what was written by ``dss-search ARGUMENTS``.

    The folder ``out`` in the arguments is another one for every call, and gone afterwards."""
    folder = Path(f"out-{next(RUNS):04}")
    folder.mkdir()
    words = [re.sub(r"^out(?=/|$)", folder.name, str(word)) for word in arguments]
    ran = subprocess.run(
        [sys.executable, "-m", "dsslic_search.cli.main", *words],
        capture_output=True,
        env={**os.environ, **(environment or {})},
        timeout=SECONDS_ALLOWED,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    out, err = (
        text.decode(errors="backslashreplace").replace(folder.name, "out")
        for text in (ran.stdout, ran.stderr)
    )
    told: dict[str, Any] = {
        "exit": ran.returncode,
        "out": printed(out.replace("\0", "\\0\n")),
        "err": complaint(err),
    }
    written = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if written:
        told["files"] = {path.name: contents(path) for path in written}
    shutil.rmtree(folder)
    return told


def called(command: str, *more: object, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run a command that is written as in a shell; ``more`` goes before a "--" that ends the options."""
    words = shlex.split(command)
    end = words.index("--") if "--" in words else len(words)
    return run(*words[:end], *more, *words[end:], environment=environment)


def helps(words: tuple[str, ...] = ()) -> dict[str, Any]:
    """The help of the program and of every command that it names."""
    told = run(*words, "--help")
    found = {" ".join(("dss-search", *words)): told}
    _, listed, rest = "\n".join(told["out"]).partition("\nCommands:\n")
    for command in re.findall(r"(?m)^  ([a-z][\w-]*)", rest) if listed else ():
        found |= helps((*words, command))
    return found


def complaint(text: str) -> list[str]:
    """The lines on stderr; of an error that the program did not expect, the last alone, since code moves."""
    _, traceback, _ = text.partition("Traceback (most recent call last):")
    return lines(f"{traceback} … {text.rstrip().splitlines()[-1]}" if traceback else text)


def printed(text: str) -> Any:
    """JSON as values, other text as lines."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return plain(json.loads(text))
        except ValueError:
            pass
    return lines(text)


def contents(path: Path) -> Any:
    """What a written file holds: pixels, values, lines, rows, or at least its length and hash."""
    data = path.read_bytes()
    if path.suffix in (".png", ".gif", ".jpg", ".webp", ".tif"):
        with Image.open(path) as opened:
            return [picture(frame) for frame in ImageSequence.Iterator(opened)]
    if path.suffix in (".txt", ".csv", ".json", ".gpl"):
        return printed(data.decode(errors="backslashreplace"))
    if path.suffix == ".parquet":
        import pyarrow.parquet  # the program cannot have written the file without it

        table = pyarrow.parquet.read_table(path)
        return {"schema": lines(str(table.schema)), "rows": plain(table.to_pylist())}
    return {"bytes": len(data), "sha256": digest(data)}
