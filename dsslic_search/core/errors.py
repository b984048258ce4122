"""Every error this package raises on purpose, in one tree.

::

    DSSError                    something the user can act on; the message says what, where and what to do
    ├── UsageError              the request itself is wrong (exit code 2)
    │   ├── QueryError          a query that cannot be understood; carries the position of the word
    │   └── TargetError         no quality gives a photo the size or the PSNR that was asked for
    ├── PhotoError              a file that cannot be read as a photo
    │   └── PixelsError         a photo of more pixels than are allowed
    ├── FormatError             bytes that are not a sound .dsslic, BPG or label-map stream
    │   └── StageError          a sound file that does not hold (or cannot decode) the stage asked for
    ├── WeightsError            network weights missing, damaged or of another architecture
    ├── ArchiveError            an archive that cannot be opened, locked, read or written
    │   ├── BusyError           another process is writing to it
    │   ├── NotThereError       no photo of an id, no saved query of a name
    │   └── TakenError          a name that something else has
    ├── ClusterError            a cluster of machines that cannot be reached, or do the work
    └── MissingExtraError       an optional package is needed and not installed
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

__all__ = [
    "ArchiveError",
    "BusyError",
    "ClusterError",
    "DSSError",
    "FormatError",
    "MissingExtraError",
    "NotThereError",
    "PhotoError",
    "PixelsError",
    "QueryError",
    "Remedy",
    "StageError",
    "TakenError",
    "TargetError",
    "UsageError",
    "WeightsError",
    "in_words",
]


_SURROGATE = re.compile("[\ud800-\udfff]")


class Remedy(StrEnum):
    """What a sentence about trouble can tell to do, in the words of a Python program.

    Library sentences name a remedy by its value, so that a face with words of its own can say those instead:
    the command line has a command or an option for each (`dsslic_search.cli.wording`).
    """

    INGEST = "Archive.ingest([path])"
    REINDEX = "Archive.reindex()"
    CHECK = "Archive.check()"
    REBUILD = "Archive.rebuild()"
    JOURNAL = "journal=path"
    READ_DATA = "Archive.check(read_data=True)"
    OTHER_ARCHIVE = "Archive(path)"
    WAIT = "Archive(path, wait=seconds)"
    SAVED_QUERIES = "Archive.saved_queries()"
    TAG = "Archive.tag(names, ids)"
    TAGS = "Archive.tags()"
    REPLACE = "replace=True"
    CLASSES = "Archive.classes()"
    PALETTE = "Archive.palette()"
    LOSSLESS = 'quality="lossless"'
    CLASSES_FILE = "classes=path"
    OWN_CLASSES = "own_classes=True"
    MEMORY = "memory=bytes"
    FRAMES = 'frames="2s"'
    SEGMENTER = "segmenter=name"
    EVEN_UNDECODED = "even_undecoded=True"
    POLL = "poll=True"
    INDEXES = 'engine="index"'
    INIT = "Archive.init()"


def in_words(sentence: object, words: Mapping[Remedy, str]) -> str:
    """A sentence of the library, or an error's, with each remedy in the words that a face has for it."""
    said = str(sentence)
    for remedy, own in words.items():
        said = said.replace(remedy, own)
    return said


class DSSError(Exception):
    """Base of all errors a user can act on. ``str(error)`` is one clear sentence, which every terminal and
    file can hold: of what names and texts hold, lone surrogates are written out."""

    def __str__(self) -> str:
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", super().__str__())

    @property
    def remedy(self) -> Remedy | None:
        """What the sentence tells to do, where the program itself can do it."""
        return next((remedy for remedy in Remedy if remedy in str(self)), None)


class UsageError(DSSError):
    """The request is wrong in itself: an impossible option, value or combination."""


class QueryError(UsageError):
    """A query that cannot be understood.

    ``text`` is the whole query, ``position`` the 0-based character where the trouble starts,
    ``end`` that behind its last (None where no place is known), ``suggestions`` the closest known words
    (possibly empty).
    """

    def __init__(
        self,
        message: str,
        text: str = "",
        position: int = 0,
        suggestions: tuple[str, ...] = (),
        end: int | None = None,
    ) -> None:
        super().__init__(message)
        self.text = text
        self.position = position
        self.suggestions = suggestions
        self.end = end


class TargetError(UsageError):
    """No quality gives this photo the size or the PSNR that was asked for; another photo may be met by it."""


class PhotoError(DSSError):
    """A file that cannot be read as a photo."""


class PixelsError(PhotoError):
    """A photo of more pixels than are allowed."""


class FormatError(DSSError):
    """Bytes that are not a sound stream of the format they claim to be."""


class StageError(FormatError):
    """The file is sound but the stage asked for is not in it or cannot be decoded here."""


class WeightsError(DSSError):
    """Network weights are missing, damaged or belong to another architecture."""


class ArchiveError(DSSError):
    """An archive that cannot be opened, locked, read or written."""


class BusyError(ArchiveError):
    """Another process is writing to the archive; ``holder``: which and since when, as the start of a
    sentence."""

    def __init__(self, holder: str, advice: str) -> None:
        super().__init__(f"{holder}; {advice}")
        self.holder = holder


class NotThereError(ArchiveError):
    """Nothing in the archive has the id or the name that was given."""


class TakenError(ArchiveError):
    """Something else has the name already, and is not to be replaced."""


class ClusterError(DSSError):
    """A cluster of machines cannot be reached, or none of them is left that could do the work."""


class MissingExtraError(DSSError):
    """An optional package is needed for this and not installed."""
