"""The journal beside the catalog: a text file that says again what the catalog knows and the photos' own
files do not, so that the catalog can be made anew; bytes and meaning in docs/archive.md.

A line is the CRC-32 of its JSON, in eight digits, a space, the JSON, a line feed. The first names the
journal, those up to ``"whole"`` say all that the catalog knew when it was begun, each further line is one
transaction. It is written and flushed to the disk before that transaction is committed, within SQLite's lock
of writers, and the catalog says how long its journal is. So what a kill leaves behind that length is one
line, whole or torn, of a change that was never committed: the next writer cuts it off.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from itertools import chain
from pathlib import Path
from typing import IO, Any

from dsslic_search.archive.disk import disk_trouble
from dsslic_search.core import files
from dsslic_search.core.errors import ArchiveError

NAME = "journal.jsonl"
FORMAT, VERSION = "dsslic-search journal", 1
TEMPORARY_NAME = f".{NAME}{files.TEMPORARY}"

Change = tuple[str, str, Any]
"""What is known of something now: its kind, its name, and what is known; None where it is gone."""

SHED_BYTES = 1 << 20  # a shorter journal is not begun anew for its length
SHED_FACTOR = 4  # nor one of less than so many times what it began with
MAX_HEADER_BYTES = 1000
MOST_EARLIER = 30  # names of earlier journals in a first line
DIGEST_BYTES = 1 << 20  # read at once


@dataclass(frozen=True)
class Place:
    """What a catalog says of its journal: its name, of random digits, its lines and bytes, with how many it
    was begun, and whether it is to be begun anew, since it tells of what was to be forgotten (``shed``) or of
    a catalog that was brought up to date since (``older``), which may know more, or in other words."""

    name: str
    lines: int
    length: int
    begun: int
    shed: bool = False
    older: bool = False

    @classmethod
    def read(cls, text: str | None) -> Place | None:
        """Of the catalog's setting; None where it has none that can be read."""
        words = (text or "").split(" ")
        if len(words) != 5 or not all(word.isascii() and word.isdigit() for word in words[1:]):
            return None
        lines, length, begun, why = map(int, words[1:])
        return cls(words[0], lines, length, begun, bool(why & 1), bool(why & 2))

    def __str__(self) -> str:
        return f"{self.name} {self.lines} {self.length} {self.begun} {self.shed + 2 * self.older}"

    @property
    def is_long(self) -> bool:
        """Whether most of it tells of what has changed since, or some that shall not stay."""
        return self.shed or self.older or self.length > max(SHED_BYTES, SHED_FACTOR * self.begun)


class Stand(Enum):
    """How a journal stands to its catalog. UNFINISHED: it ends with one line, or a part of one, of a change
    that was not committed; ANEW: such a change began it anew. BEHIND: it lacks what the catalog says it has,
    or is not there. OTHER: it is another catalog's, or of a past that this one has not."""

    IN_STEP = "in step"
    UNFINISHED = "unfinished"
    ANEW = "begun anew"
    BEHIND = "behind"
    OTHER = "other"


OWN = frozenset({Stand.IN_STEP, Stand.UNFINISHED, Stand.ANEW})
"""Of these nothing is amiss: the next change goes on from there."""
GOES_ON = frozenset({Stand.IN_STEP, Stand.UNFINISHED})
"""One that the next change is written behind."""


@dataclass(frozen=True)
class Line:
    """A line of a journal. ``number``: from 0; ``end``: bytes up to its end. ``content``: None where it is
    not what was written."""

    number: int
    end: int
    content: dict[str, Any] | None
    data: bytes

    @property
    def counted(self) -> int | None:
        """Which line of the journal it says that it is, from 0."""
        said = None if self.content is None else self.content.get("n")
        return said if isinstance(said, int) else None


@dataclass(frozen=True)
class Journal:
    """The file at ``path``. All methods raise ArchiveError for trouble with the disk; those that write are
    for the holder of the catalog's write lock."""

    path: Path

    def stand(self, place: Place | None) -> Stand:
        """How it stands to a catalog that says ``place`` of it. ArchiveError for one of a newer version."""
        with disk_trouble(self.path, "read"):
            try:
                with self.path.open("rb") as file:
                    return _stand(self.path, file, place)
            except FileNotFoundError:
                return Stand.BEHIND

    def append(self, place: Place, changes: list[Change], *, flushed: bool = True) -> Place:
        """Write one transaction down, on the disk for good when this returns, but not ``flushed`` when the
        system likes, of a journal that is in step or unfinished; where that fails the file is as it was."""
        data = _line({"n": place.lines, "set": changes})
        with disk_trouble(self.path, "written"), self.path.open("r+b") as file:
            try:
                file.truncate(place.length)
                file.seek(place.length)
                file.write(data)
                file.flush()
                if flushed:
                    os.fsync(file.fileno())
            except BaseException:
                with suppress(OSError):
                    file.truncate(place.length)
                raise
        return replace(place, lines=place.lines + 1, length=place.length + len(data))

    def begin(self, place: Place | None, everything: Iterable[list[Change]]) -> Place:
        """Write it anew, under a temporary name, then in the place of what is there, which is kept aside
        unless it is the catalog's own (``place``) and so says nothing else."""
        stand, name = self.stand(place), secrets.token_hex(8)
        temporary = self.path.with_name(TEMPORARY_NAME)  # one name: what a kill left is replaced
        first: dict[str, Any] = {"format": FORMAT, "version": VERSION, "journal": name}
        if place is not None:
            first["follows"] = place.name
            first["before"] = self.earlier()[:MOST_EARLIER] if self.name == place.name else []
        whole: dict[str, Any] = {"whole": True}
        lines = length = 0
        with disk_trouble(self.path, "written"), files.replacing(self.path, temporary) as file:
            for content in chain([first], ({"set": changes} for changes in everything), [whole]):
                length += file.write(_line({"n": lines, **content}))
                lines += 1
            if stand is Stand.OTHER or (stand is Stand.BEHIND and self.path.exists()):
                self.path.rename(self.free_name())
        return Place(name, lines, length, length)

    def cut(self, place: Place) -> None:
        """Cut off what a change left that was not committed, of a journal that is in step or unfinished."""
        with disk_trouble(self.path, "written"), self.path.open("r+b") as file:
            file.truncate(place.length)
            os.fsync(file.fileno())

    def lines(self, length: int | None = None) -> Iterator[Line]:
        """All lines, of the first ``length`` bytes; what behind the last line feed is torn is left out."""
        with disk_trouble(self.path, "read"), self.path.open("rb") as file:
            end = 0
            for number, data in enumerate(file):
                end += len(data)
                if not data.endswith(b"\n") or (length is not None and end > length):
                    return
                yield Line(number, end, _content(data), data)

    @property
    def name(self) -> str | None:
        """What its first line calls it; None where there is none that can be read."""
        with disk_trouble(self.path, "read"):
            try:
                with self.path.open("rb") as file:
                    return name_in(_content(file.readline(MAX_HEADER_BYTES)))
            except FileNotFoundError:
                return None

    def tells_changes(self) -> bool:
        """Whether anything follows what it was begun with; False where there is none."""
        with disk_trouble(self.path, "read"), suppress(FileNotFoundError), self.path.open("rb") as file:
            return not _is_just_begun(file)
        return False

    def earlier(self) -> list[str]:
        """The names of those that it was begun in the place of, the last first, as far as it says."""
        with disk_trouble(self.path, "read"), suppress(FileNotFoundError), self.path.open("rb") as file:
            first = _content(file.readline(MAX_HEADER_BYTES)) or {}
            before = first.get("before")
            names = [first.get("follows"), *(before if isinstance(before, list) else ())]
            return [name for name in names if isinstance(name, str)]
        return []

    def damaged_lines(self, place: Place) -> int:
        """How many lines, as far as it is the catalog's that says ``place``, are not what was written; of
        one that a change began anew which was not committed, how many of all."""
        is_anew = self.name != place.name
        lines = list(self.lines(None if is_anew else place.length))
        sound = {line.counted for line in lines}
        expected = len(lines) if is_anew else place.lines
        return sum(number not in sound for number in range(expected)) or int(len(lines) > expected)

    def free_name(self) -> Path:
        """A name beside it that nothing has."""
        number = 1
        while (free := self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")).exists():
            number += 1
        return free

    def digest(self, name: str, length: int) -> str:
        """The SHA-256 of the first bytes in hex; "" where it is another journal, or has not as many."""
        digest, left = hashlib.sha256(), length
        with disk_trouble(self.path, "read"), suppress(FileNotFoundError), self.path.open("rb") as file:
            if name_in(_content(file.readline(MAX_HEADER_BYTES))) != name:
                return ""
            file.seek(0)
            while left and (piece := file.read(min(left, DIGEST_BYTES))):
                digest.update(piece)
                left -= len(piece)
            return "" if left else digest.hexdigest()
        return ""


def name_in(content: dict[str, Any] | None) -> str | None:
    """The journal's name, of the content of its first line; None where that is none."""
    if content is None or content.get("format") != FORMAT or not isinstance(content.get("version"), int):
        return None
    return str(content.get("journal"))


def check_version(path: Path, content: dict[str, Any] | None) -> None:
    """ArchiveError where the first line is that of a newer version."""
    if name_in(content) is not None and content is not None and content["version"] > VERSION:
        raise ArchiveError(
            f"{path}: made by a newer dsslic-search (journal version {content['version']}, this one reads up "
            f"to {VERSION}); update dsslic-search; nothing was changed"
        )


def _stand(path: Path, file: IO[bytes], place: Place | None) -> Stand:
    size = os.fstat(file.fileno()).st_size
    first = _content(file.readline(MAX_HEADER_BYTES))
    check_version(path, first)
    name = name_in(first)
    if place is None or first is None or name is None:
        return Stand.OTHER
    if name != place.name:
        anew = first.get("follows") == place.name and _is_just_begun(file)
        return Stand.ANEW if anew else Stand.OTHER
    if size < place.length:
        return Stand.BEHIND
    file.seek(place.length - 1)
    behind = file.read()
    if not behind.startswith(b"\n"):
        return Stand.OTHER
    more = behind[1:]
    if not more:
        return Stand.IN_STEP
    return Stand.UNFINISHED if more.count(b"\n", 0, -1) == 0 else Stand.OTHER


def _is_just_begun(file: IO[bytes]) -> bool:
    """Whether nothing follows what a journal was begun with."""
    last = b""
    for line in file:
        last = line
    content = _content(last)
    return content is not None and content.get("whole") is True


def _line(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _content(data: bytes) -> dict[str, Any] | None:
    """What a line says; None where it is not what was written."""
    if data[8:9] != b" " or not data.endswith(b"\n"):
        return None
    text = data[9:-1]
    if data[:8] != b"%08x" % zlib.crc32(text):
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
