"""The journal twice: beside the catalog, and once more among the photos' files, which so are enough to make
the catalog anew.

Both are the same bytes. The first is written, and flushed to the disk, first; the second follows within the
same transaction, unflushed, so that it costs a write and no wait: it is for the day on which the first is
lost or damaged, not for a power cut. Where the second does not go on from what the catalog says it is copied
from the first.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from filecmp import cmp
from heapq import merge
from itertools import groupby
from pathlib import Path

from dsslic_search.archive.disk import disk_trouble
from dsslic_search.archive.journal import GOES_ON, TEMPORARY_NAME, Change, Journal, Line, Place, Stand
from dsslic_search.core import files

PIECE = 1 << 20


@dataclass(frozen=True)
class Journals:
    """All methods raise ArchiveError for trouble with the disk; those that write are for the holder of the
    catalog's write lock."""

    first: Journal
    second: Journal

    @classmethod
    def of(cls, path: Path) -> Journals:
        """Of an archive whose journal, the first, is ``path``."""
        return cls(Journal(path), Journal(path.parent / "objects" / path.name))

    @property
    def both(self) -> tuple[Journal, Journal]:
        return self.first, self.second

    def goes_on(self, place: Place) -> bool:
        """Whether the next change is written behind what there is."""
        return self.first.stand(place) in GOES_ON

    def append(self, place: Place, changes: list[Change]) -> Place:
        """`Journal.append` of both; where that fails both are as they were."""
        self.follow(place)
        after = self.first.append(place, changes)
        try:
            self.second.append(place, changes, flushed=False)
        except BaseException:
            with suppress(OSError):
                os.truncate(self.first.path, place.length)
            raise
        return after

    def begin(self, place: Place | None, everything: Iterable[list[Change]]) -> Place:
        """`Journal.begin` of the first, of which the second becomes a copy."""
        if self.second.stand(place) is Stand.OTHER and not self._holds_all():
            self._keep_aside()
        new = self.first.begin(place, everything)
        self._copy(new.length)
        return new

    def follow(self, place: Place) -> None:
        """See that the second goes on, too, from the ``place`` where the first does."""
        stand = self.second.stand(place)
        if stand in GOES_ON:
            return
        if stand is Stand.OTHER:
            self._keep_aside()
        self._copy(place.length)

    def join(self) -> None:
        """Make either what both together say, where one is cut or damaged, or the first is missing, and they
        are of one name. A first that was damaged is kept aside. For who makes a lost catalog anew."""
        first, second = self.first.path, self.second.path
        if not second.is_file():
            return
        names = {self.first.name, self.second.name} - {None}
        if first.is_file() and len(names) > 1:
            return
        if self._is_to_be_joined():
            with (
                disk_trouble(first, "written"),
                files.replacing(first, first.with_name(TEMPORARY_NAME)) as out,
            ):
                for here, there in self._side_by_side():
                    line = here or there
                    assert line is not None
                    out.write(line.data)
                ends = [_unsound_end(each) for each in self.both if each.path.is_file()]
                out.write(min(ends, key=len))  # so that it can be counted what is lost
                if first.exists():
                    os.link(first, self.first.free_name())
        with disk_trouble(first, "read"):
            if first.is_file() and not cmp(first, second, shallow=False):
                self._copy(first.stat().st_size)

    def _is_to_be_joined(self) -> bool:
        """Whether the first lacks what the second says, or has what is no line where the second is whole."""
        if any(here is None for here, _ in self._side_by_side()):
            return True
        there = self.first.path.is_file()
        return there and any(line.counted is None for line in self.first.lines()) and _is_whole(self.second)

    def _side_by_side(self) -> Iterator[tuple[Line | None, Line | None]]:
        """The sound lines, in order: of the first and of the second, None where it has none of a number."""
        numbered = merge(
            ((number, 0, line) for number, line in _sound(self.first)),
            ((number, 1, line) for number, line in _sound(self.second)),
            key=lambda each: each[:2],
        )
        for _, some in groupby(numbered, key=lambda each: each[0]):
            by_which = {which: line for _, which, line in some}
            yield by_which.get(0), by_which.get(1)

    def _holds_all(self) -> bool:
        """Whether the second says nothing that the first does not, which is kept aside itself."""
        with disk_trouble(self.second.path, "read"):
            try:
                return self.first.path.read_bytes().startswith(self.second.path.read_bytes())
            except FileNotFoundError:
                return not self.second.path.exists()

    def _keep_aside(self) -> None:
        with disk_trouble(self.second.path, "renamed"), suppress(FileNotFoundError):
            self.second.path.rename(self.second.free_name())

    def _copy(self, left: int) -> None:
        """Make the second so many bytes of the first."""
        target = self.second.path
        with disk_trouble(target, "written"):
            target.parent.mkdir(parents=True, exist_ok=True)
            with (
                self.first.path.open("rb") as source,
                files.replacing(target, target.with_name(TEMPORARY_NAME)) as out,
            ):
                while left and (piece := source.read(min(left, PIECE))):
                    left -= out.write(piece)


def _sound(journal: Journal) -> Iterator[tuple[int, Line]]:
    """The lines that are what was written, with the numbers that they say, in their order."""
    last = -1
    if journal.path.is_file():
        for line in journal.lines():
            if line.counted is not None and line.counted > last:
                last = line.counted
                yield last, line


def _is_whole(journal: Journal) -> bool:
    return all(line.counted == number for number, line in enumerate(journal.lines()))


def _unsound_end(journal: Journal) -> bytes:
    """The lines behind the last one that is what was written."""
    end = b""
    for line in journal.lines():
        end = b"" if line.counted is not None else end + line.data
    return end
