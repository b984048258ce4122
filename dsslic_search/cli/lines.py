"""Lines for people: paths as short as they can be, as links where the terminal follows them, and lines that
fit its width."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from dsslic_search.core.files import in_bucket, path_to_text, text_to_path
from dsslic_search.core.text import printable

if TYPE_CHECKING:
    from dsslic_search.api import Hit

FRAME = "#t="
"""Between the path of a video and the moment of a frame, which is no part of the file's name."""


def width_of(stream: TextIO) -> int | None:
    """Characters of a line of the terminal behind ``stream``; None where it is none, and lines may be of any
    length."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def shown_path(text: str) -> str:
    """A path as the catalog has it, for people: from the current folder where that is shorter, on one
    line."""
    if in_bucket(text):
        return printable(text)
    try:
        nearer = path_to_text(os.path.relpath(text_to_path(text)))
    except (OSError, ValueError):  # the current folder is gone, or the path is no path here
        return printable(text)
    return printable(min(text, nearer, key=len))


def follows_links(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a link may be written: to a terminal, which leaves out what it does not understand."""
    return stream.isatty() and environment.get("TERM", "dumb") not in ("dumb", "linux")


def linked(shown: str, path: str, stream: TextIO | None = None) -> str:
    """``shown`` as a link (OSC 8) to the file that the catalog calls ``path``, of a frame to its video; as it
    is where no link may be written."""
    if in_bucket(path) or not follows_links(stream or sys.stdout):
        return shown
    from urllib.parse import quote

    file = os.path.abspath(text_to_path(path.partition(FRAME)[0]))  # noqa: PTH100 (".." are names, not links)
    address = f"file://{os.uname().nodename}{quote(os.fsencode(file))}"
    return f"\x1b]8;;{address}\x1b\\{shown}\x1b]8;;\x1b\\"


def path_for_people(text: str) -> str:
    """`shown_path` as a link on standard output."""
    return linked(shown_path(text), text)


def hit_line(hit: Hit, width: int | None) -> str:
    """A result on one line: its number, id, score, path and coverages; of a long path the end, and coverages
    where there is room for them in ``width`` characters."""
    head, path = f"{hit.rank:>4}  #{hit.id:<6} {hit.score:.3f}  ", shown_path(hit.path)
    coverage = ", ".join(f"{name} {fraction:.1%}" for name, fraction in hit.coverage.items() if fraction)
    tail = f"  ({coverage})" if coverage else ""
    if width is not None:
        path, tail = _within(path, tail, width - len(head))
    return head + linked(path, hit.path) + tail


def _within(path: str, tail: str, room: int) -> tuple[str, str]:
    from rich.cells import cell_len

    if cell_len(path + tail) <= room:
        return path, tail
    name = path.rpartition("/")[2]
    if cell_len(f"…/{name}{tail}") > room:
        tail = ""
    return _without_beginning(path, max(1, room - cell_len(tail))), tail


def _without_beginning(text: str, room: int) -> str:
    """``text``, or … and its end, in at most ``room`` columns, or one where there is none."""
    from rich.cells import cell_len

    if cell_len(text) <= room:
        return text
    while text and cell_len(text) > room - 1:
        text = text[1:]
    return f"…{text}"
