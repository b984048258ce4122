"""Files of the user's disk: their names as text that every database and terminal can hold, and writing them
whole or not at all.

A POSIX file name is bytes; Python shows the bytes that are not UTF-8 as lone surrogates, which no database
and no UTF-8 terminal accepts. In text each of them is written ``//udcXX``: two slashes in a row occur in no
clean absolute path but at its very start, so the way back is exact.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath
from typing import IO

LARGEST_FILE_BYTES = (1 << 31) - 1  # a larger file is no photo, and would not fit in memory beside others
TEMPORARY = ".tmp"  # how the names of unfinished files end

BUCKETS = ("s3", "gs", "az")
"""Schemes of the URLs of buckets."""

_IN_BUCKET = tuple(f"{scheme}:/" for scheme in BUCKETS)
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE = re.compile("//u(d[89a-f][0-9a-f]{2})")
_ESCAPED = re.compile(f"(?<=.){_ESCAPE.pattern}", re.DOTALL)


def absolute(path: Path | str) -> Path:
    """``path`` made absolute against the working directory; symbolic links stay, but for paths with ".."."""
    path = Path(path)
    if in_bucket(path):
        return Path(os.path.normpath(path))
    if ".." in path.parts:
        return Path(os.path.realpath(path))  # not Path.resolve: that raises for symbolic-link loops
    return path.absolute()


def in_bucket(path: PurePath | str) -> bool:
    """Whether a path is one in a bucket, "s3://bucket/name". A `Path` has it with one slash, as a relative
    one: a folder of this machine that is called "s3:" has to be named from "/" on."""
    text = str(path)
    return text.startswith(_IN_BUCKET) or f"{text}/" in _IN_BUCKET


def path_to_text(path: Path | str) -> str:
    """The text under which a path is kept in the catalog and shown to people."""
    text = str(path)
    if in_bucket(text):
        scheme, _, rest = text.partition(":")
        return f"{scheme}://{rest.lstrip('/')}"
    return _SURROGATE.sub(lambda m: f"//u{ord(m[0]):04x}", text)


def text_to_path(text: str) -> Path:
    """The path that `path_to_text` turned into ``text``."""
    return Path(native_name(text))


def name_of(text: str) -> str:
    """The text of the name alone, without its folder, of the path that ``text`` stands for."""
    return path_to_text(text_to_path(text).name)


def native_name(text: str) -> str:
    """The path that a text stands for, as Python has it: bytes that are not UTF-8 are lone surrogates.
    Patterns are tested on it, so that "*" stands for such bytes, too."""
    return text if in_bucket(text) else _ESCAPED.sub(_surrogate, text)


def native_part(text: str) -> str:
    """The same of any part of a path's text, which may begin in its midst."""
    return _ESCAPE.sub(_surrogate, text)


def _surrogate(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file by `replacing`."""
    with replacing(path) as f:
        f.write(data)


@contextmanager
def replacing(path: Path, temporary: Path | None = None) -> Iterator[IO[bytes]]:
    """A new file to write into that takes the place of the one at ``path`` when the block ends well: at every
    moment either the old or the new one is there, whole, on the disk for good when this returns, with the
    permissions that the user's umask gives. For files of our own; those that people name are written by
    `core.output`. ``temporary``: its name until then, which replaces what is there; else one that none has.

    Raises OSError; then what was there is as it was.
    """
    mode = "xb" if temporary is None else "wb"
    temporary = temporary or path.with_name(f".{secrets.token_hex(8)}{TEMPORARY}")
    try:
        with temporary.open(mode) as f:
            yield f
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make names that were added to a folder durable, where the system can (Windows cannot open folders)."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
