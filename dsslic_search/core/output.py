"""Files that people ask for: where they may go, and how they appear.

A file that is there is replaced only when that is asked for; what is read, what lies inside an archive, and
what is no plain file is never written. The name "-" is standard output, and as an input standard input.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dsslic_search.core.cached import cached_property
from dsslic_search.core.errors import DSSError, Remedy, UsageError
from dsslic_search.core.files import TEMPORARY, path_to_text, sync_folder
from dsslic_search.core.plain_json import parsed

STANDARD = Path("-")
"""Standard output where a file is written, standard input where one is read."""

ARCHIVE_MANIFEST = "archive.json"
ARCHIVE_FORMAT = "dsslic-search archive"

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


def is_archive(folder: Path) -> bool:
    """Whether a folder is an archive of this program, also one whose description is damaged."""
    manifest = folder / ARCHIVE_MANIFEST
    try:
        content = parsed(manifest.read_bytes())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return False
    except (OSError, ValueError):
        return (folder / "objects").is_dir()
    return isinstance(content, dict) and content.get("format") == ARCHIVE_FORMAT


@dataclass(frozen=True)
class Outputs:
    """How files are written. ``replace``: also over plain files that are there. ``inputs``: files that are
    read for it, which are never written, under whatever name."""

    replace: bool = False
    inputs: tuple[Path, ...] = ()

    def check(self, path: Path, *, text: bool = False) -> None:
        """UsageError when nothing may be written at ``path``; to be asked before any work is done. ``text``:
        what is written is for people, so that it may go to a terminal too."""
        if path == STANDARD:
            if not text and sys.stdout.isatty():
                raise UsageError("a terminal cannot show what would be written; name a file, or pipe it")
            return
        with _disk_trouble(path):
            self._checked(path)

    def write(self, path: Path, data: bytes, *, text: bool = False) -> None:
        """Write a file whole or not at all, on the disk for good when this returns. UsageError as `check`,
        DSSError when it cannot be written."""
        with self.stream(path, text=text) as f:
            f.write(data)

    @contextmanager
    def stream(self, path: Path, *, text: bool = False) -> Iterator[IO[bytes]]:
        """A file to write into, which appears at ``path`` when the block ends well; see `write`. A symbolic
        link stays and leads to the new file, the mode of a file that is replaced stays."""
        self.check(path, text=text)
        if path == STANDARD:
            sys.stdout.flush()
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        target = Path(os.path.realpath(path))
        temporary = target.with_name(f".{secrets.token_hex(8)}{TEMPORARY}")
        try:
            with _disk_trouble(path, temporary), temporary.open("xb") as f:
                yield f
                f.flush()
                os.fsync(f.fileno())
            with _disk_trouble(path):
                self._publish(temporary, path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def folder(self, path: Path) -> Path:
        """The folder that many files are to be written into, made where it is not there. UsageError when it
        is none, or inside an archive."""
        if path == STANDARD:
            raise UsageError("many files do not fit into standard output; name a folder")
        with _disk_trouble(path):
            _outside_archives(path, _real(path))
            if path.exists() and not path.is_dir():
                raise UsageError(f"{_said(path)}: is a file; name a folder to write into")
            path.mkdir(parents=True, exist_ok=True)
        return path

    @cached_property
    def _input_files(self) -> frozenset[tuple[int, int]]:
        """Devices and inodes of the inputs that are there."""
        found = set()
        for path in self.inputs:
            with suppress(OSError, ValueError):
                there = path.stat()
                found.add((there.st_dev, there.st_ino))
        return frozenset(found)

    def _checked(self, path: Path) -> Path:
        """Where to write for ``path``."""
        target = _real(path)
        try:
            there = target.lstat()
        except FileNotFoundError:
            there = None
        if there is not None:
            if stat.S_ISDIR(there.st_mode):
                raise UsageError(f"{_said(path)}: is a folder; name a file in it")
            if not stat.S_ISREG(there.st_mode):
                raise UsageError(
                    f"{_said(path)}: is a device or a pipe, no file to write; - is standard output"
                )
            if (there.st_dev, there.st_ino) in self._input_files:
                raise UsageError(f"{_said(path)}: is what is read; choose another name")
        _outside_archives(path, target)
        if there is not None and not self.replace:
            raise UsageError(
                f"{_said(path)}: is there already; replace it with {Remedy.REPLACE}, or choose another name"
            )
        if there is None and not target.parent.is_dir():
            raise UsageError(f"{_said(path)}: there is no folder {_said(target.parent)}; make it first")
        return target

    def _publish(self, temporary: Path, path: Path) -> None:
        """Give a finished file its name, as the rules have it at this very moment."""
        target = self._checked(path)
        if self.replace:
            with suppress(FileNotFoundError):
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            temporary.replace(target)
        else:
            try:
                _name(temporary, target)
            except FileExistsError:
                raise UsageError(
                    f"{_said(path)}: is there by now; replace it with {Remedy.REPLACE}, or choose another "
                    "name"
                ) from None
        sync_folder(target.parent)


NEW_FILES = Outputs()
"""Nothing that is there is replaced."""


def _name(temporary: Path, target: Path) -> None:
    """Name a file, FileExistsError where the name is taken: at one stroke, where the disk knows links."""
    try:
        os.link(temporary, target)
        return
    except OSError as e:
        if e.errno not in _NO_LINKS:
            raise
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    try:
        temporary.replace(target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _real(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except ValueError:
        raise UsageError(f"{_said(path)}: not a path that can exist") from None


def _outside_archives(path: Path, target: Path) -> None:
    for folder in (target, *target.parents):
        if is_archive(folder):
            raise UsageError(
                f"{_said(path)}: lies inside the archive {_said(folder)}; choose a place outside"
            )


def _said(path: Path) -> str:
    return path_to_text(path)


@contextmanager
def _disk_trouble(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Turn OSError into DSSError that names the file that was asked for. ``temporary``: only where the
    trouble is with that one, or without a name as that of a full disk is: in the block others work, too."""
    try:
        yield
    except OSError as e:
        if temporary is not None and e.filename not in (None, str(temporary)):
            raise
        raise DSSError(
            f"{_said(path)}: cannot be written ({e.strerror or e}); check the folder and the space left on "
            "the disk"
        ) from e
