"""A record: all sections, made in a working folder that is gone afterwards."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from dsslic_search import Archive
from tests.behaviour import archives
from tests.behaviour.commands import commands
from tests.behaviour.comparison import MADE_WITH, leaves
from tests.behaviour.encodings import codec
from tests.behaviour.interface import interface
from tests.behaviour.photos import gather
from tests.behaviour.plain import PHOTO_FOLDER
from tests.behaviour.runs import run
from tests.behaviour.views import write_sketches

NEEDING_ARCHIVES = {"archives", "api", "commands"}  # sections
PACKAGES = (
    "dsslic-search",
    "torch",
    "numpy",
    "pillow",
    "numba",
    "faiss-cpu",
    "av",
    "imagecodecs",
    "sqlalchemy",
    "typer",
)


def made_with() -> dict[str, str]:
    """What explains differences between machines; not compared."""
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    return machine | {name: version(name) for name in PACKAGES}


@contextlib.contextmanager
def working_folder() -> Iterator[None]:
    """A new folder to work in, with a home of its own, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="behaviour-") as folder, contextlib.chdir(folder):
        os.environ["XDG_DATA_HOME"] = str(Path.cwd() / "home")
        Path(PHOTO_FOLDER).mkdir()
        yield


def class_words() -> dict[str, list[str]]:
    """The synonyms of each class and group, as the program tells them, sorted by name."""
    known = run("classes", "--json")["out"]
    words = {each["name"]: each["synonyms"] for each in known["classes"]}
    return dict(sorted((words | {group: [] for group in known["groups"]}).items()))


def record(photos: Path, kept: Path | None, keep: Path | None, only: Sequence[str]) -> dict[str, Any]:
    """The sections ``only``, and what they were made with.

    ``photos``: a folder of at least nine. ``kept``: archives of an earlier record, for the section "stored".
    ``keep``: the folder to make and keep the archives of the section "archives" in."""
    torch.set_num_threads(1)
    found: dict[str, Any] = {MADE_WITH: made_with()}
    with working_folder():
        copies = gather(photos)
        write_sketches()
        words = class_words()
        folder = Path.cwd() / "made"  # the whole path, as the library tells it in errors
        if NEEDING_ARCHIVES & {*only}:
            made = archives.make(folder, copies, run("palette", "--json")["out"])

        def asked() -> Any:
            answers = archives.ask(folder, words, stored=False)
            if keep is not None:
                shutil.copytree(folder, keep)
            return {name: made[name] | answers[name] for name in archives.NAMES}

        def api() -> Any:
            with Archive(folder / "photos") as archive:
                return interface(archive)

        steps: dict[str, Callable[[], Any]] = {"codec": lambda: codec(copies), "archives": asked, "api": api}
        if kept is not None:
            steps["stored"] = lambda: archives.ask_again(kept, words)
        steps["commands"] = lambda: commands(copies)  # last, since they change the archive
        for name, step in steps.items():
            if name in only:
                began = time.monotonic()
                found[name] = step()
                spent = time.monotonic() - began
                sys.stderr.write(f"{name}: {sum(1 for _ in leaves(found[name]))} values in {spent:.0f} s\n")
    return found
