"""What an ingest passed over, by kind: nothing that lies in the folders named is left unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from dsslic_search.archive.ingest.file_names import Kind, extension
from dsslic_search.core.text import counted

_MADE = frozenset((Kind.VIDEO, Kind.CLIP, Kind.AUDIO, Kind.SIDECAR, Kind.LONE_SIDECAR, Kind.OTHER))
"""Of these files the archive has nothing, or of sidecars only what was read."""

ENDINGS_NAMED = 4  # of other files, the most frequent ones; the rest is counted together


class Passed(NamedTuple):
    """A file, by its path as text. ``within``: the name of the folder that is passed over with all that is in
    it, or of the file that is known by its name alone; else empty."""

    kind: Kind
    path: str
    within: str = ""


@dataclass
class PassedOver:
    """The files passed over, in the order in which they were met."""

    files: list[Passed] = field(default_factory=list)

    def add(self, kind: Kind, path: str, within: str = "") -> None:
        """One more."""
        self.files.append(Passed(kind, path, within))

    def leave_out(self, paths: Collection[str]) -> None:
        """Files that are tried all the same, since they were named themselves."""
        if paths:
            self.files = [each for each in self.files if each.path not in paths]

    def count(self, kind: Kind) -> int:
        """How many of a kind."""
        return sum(each.kind is kind for each in self.files)

    def by_kind(self) -> dict[str, list[str]]:
        """The paths by kind, in the order in which kinds are said."""
        return {
            kind.value: paths
            for kind in Kind
            if (paths := [each.path for each in self.files if each.kind is kind])
        }

    def sentence(self) -> str:
        """ "2 videos, 3 sidecars used, 12 in @eaDir, 4 others (3 .txt, 1 without ending)"; empty for
        nothing."""
        return ", ".join(self._parts(set(Kind)))

    def only_here(self) -> str:
        """The same of what people made and may miss, and what no archive has."""
        return ", ".join(self._parts(_MADE))

    def _parts(self, kinds: Set[Kind]) -> Iterator[str]:
        counts = Counter(each.kind for each in self.files if each.kind in kinds)
        if n := counts[Kind.VIDEO]:
            yield counted(n, "video")
        if n := counts[Kind.CLIP]:
            yield "1 clip of a photo" if n == 1 else f"{n} clips of photos"
        if n := counts[Kind.AUDIO]:
            yield counted(n, "audio file")
        if n := counts[Kind.SIDECAR]:
            yield f"{counted(n, 'sidecar')} used"
        if n := counts[Kind.LONE_SIDECAR]:
            yield f"{counted(n, 'sidecar')} without a photo"
        places = Counter(
            each.within for each in self.files if each.kind in kinds & {Kind.BIN, Kind.THUMBNAILS}
        )
        for name, n in sorted(places.items()):
            yield f"{n} in {name}" if name else counted(n, "file") + " of thumbnails"
        if n := counts[Kind.HIDDEN]:
            yield f"{n} hidden"
        if n := counts[Kind.ARCHIVE]:
            yield counted(n, "archive")
        if n := counts[Kind.EXCLUDED]:
            yield f"{n} excluded"
        if n := counts[Kind.OTHER]:
            yield f"{counted(n, 'other')} ({', '.join(self._endings())})"

    def _endings(self) -> Iterator[str]:
        endings = Counter(extension(each.path) for each in self.files if each.kind is Kind.OTHER)
        named = sorted((e for e in endings if e), key=lambda e: (-endings[e], e))
        for ending in named[:ENDINGS_NAMED]:
            yield f"{endings[ending]} {ending}"
        if rest := sum(endings[ending] for ending in named[ENDINGS_NAMED:]):
            yield f"{rest} of other endings"
        if n := endings[""]:
            yield f"{n} without ending"
