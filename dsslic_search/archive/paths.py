"""Original file names as text that every database and terminal can hold.

A POSIX file name is bytes; Python shows the bytes that are not UTF-8 as lone surrogates, which no database
and no UTF-8 terminal accepts. In text each of them is written ``//udcXX``: two slashes in a row occur in no
clean absolute path but at its very start, so the way back is exact.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(r"(?<=.)//u(d[89a-f][0-9a-f]{2})", re.DOTALL)


def clean(path: Path | str) -> Path:
    """``path`` made absolute against the working directory; symbolic links stay, but for paths with ".."."""
    path = Path(path)
    if ".." in path.parts:
        return Path(os.path.realpath(path))  # not Path.resolve: that raises for symbolic-link loops
    return path.absolute()


def to_text(path: Path | str) -> str:
    """The text under which a path is kept in the catalog and shown to people."""
    return _SURROGATE.sub(lambda m: f"//u{ord(m[0]):04x}", str(path))


def to_path(text: str) -> Path:
    """The path that `to_text` turned into ``text``."""
    return Path(_ESCAPED.sub(lambda m: chr(int(m[1], 16)), text))
