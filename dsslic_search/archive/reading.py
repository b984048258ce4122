"""How far a check has read all data, kept in the archive, so that one that is stopped goes on.

``check.json`` says up to which photo files, and originals of mode reference, were read, and which of these
were not sound: those are read again, so that nothing that was found is forgotten. It is of the very folder in
which it lies: in a copy it counts as not there.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dsslic_search.core.files import write_atomically
from dsslic_search.core.output import ARCHIVE_MANIFEST
from dsslic_search.core.plain_json import parsed

NAME = "check.json"
FORMAT, VERSION = "dsslic-search check", 1
STEP_BYTES = 64 << 20
"""So much is read at most before it is noted."""


@dataclass
class Part:
    """Files of one sort: all of photos up to id ``upto`` were read, ``read`` in number; ``wrong``: content
    hashes of those among them that were not sound."""

    upto: int = 0
    read: int = 0
    wrong: list[str] = field(default_factory=list)

    def is_due(self, photo_id: int, content_hash: str) -> bool:
        """Whether a file is to be read, still or again."""
        return photo_id > self.upto or content_hash in self.wrong


@dataclass
class Reading:
    """``place``: which folder it is of. ``path``: None where nothing is noted."""

    path: Path | None = None
    place: str = ""
    files: Part = field(default_factory=Part)
    originals: Part = field(default_factory=Part)
    _since: int = 0

    @property
    def read(self) -> int:
        """How many files were read so far."""
        return self.files.read + self.originals.read

    @classmethod
    def stopped(cls, root: Path) -> Reading | None:
        """What a check of the archive at ``root`` left that was stopped; None where none did, or what is
        there cannot be used."""
        path = root / NAME
        with suppress(OSError, ValueError, KeyError, TypeError):
            told = parsed(path.read_bytes())
            if (told["format"], told["version"], told["place"]) == (FORMAT, VERSION, _place(root)):
                return cls(path, told["place"], _part(told["files"]), _part(told["originals"]))
        return None

    @classmethod
    def of(cls, root: Path, restart: bool) -> Reading:
        """What goes on, unless it is to ``restart``."""
        begun = None if restart else cls.stopped(root)
        if begun is None:
            place = ""
            with suppress(OSError):
                place = _place(root)
            begun = cls(root / NAME, place)
        return begun

    def done(self, part: Part, photo_id: int, content_hash: str, size: int, sound: bool) -> None:
        """A file of ``size`` bytes was read."""
        if photo_id > part.upto:
            part.upto = photo_id
            part.read += 1
        if sound and content_hash in part.wrong:
            part.wrong.remove(content_hash)
        elif not sound and content_hash not in part.wrong:
            part.wrong.append(content_hash)
        self._since += size
        if self._since >= STEP_BYTES:
            self._since = 0
            self._keep()

    def _keep(self) -> None:
        """On a disk that cannot be written a check goes on without."""
        if self.path is not None:
            told = {
                "format": FORMAT,
                "version": VERSION,
                "place": self.place,
                "files": asdict(self.files),
                "originals": asdict(self.originals),
            }
            with suppress(OSError):
                write_atomically(self.path, json.dumps(told).encode())

    def end(self) -> None:
        """All was read."""
        if self.path is not None:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)


def _place(root: Path) -> str:
    """What tells a folder from its copies: the description of an archive is written once."""
    there = (root / ARCHIVE_MANIFEST).stat()
    return f"{there.st_ino} {there.st_ctime_ns}"


def _part(told: dict[str, object]) -> Part:
    upto, read, wrong = told["upto"], told["read"], told["wrong"]
    if not isinstance(upto, int) or not isinstance(read, int) or not isinstance(wrong, list):
        raise TypeError
    return Part(upto, read, [str(each) for each in wrong])
