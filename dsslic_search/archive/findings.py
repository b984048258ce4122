"""What a check of an archive may find, in values; the face that shows it makes the sentences."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dsslic_search.archive.stored import Fault


class Problem(StrEnum):
    """What is wrong with an archive beside its photos."""

    NO_PHOTO = "no photo"
    """An object file that no photo of the catalog has."""
    LEFTOVER = "leftover"
    """A temporary file of an interrupted write, or, with a ``content_hash``, the file of a photo that was
    deleted from the bin."""
    RETURNED = "returned"
    """The file of a photo that is set apart, lost, is there again."""
    ORIGINAL_AWAY = "original away"
    """The original of a photo of mode reference is at none of its paths."""
    ORIGINAL_CHANGED = "original changed"
    """Another file is where that should be."""
    ORIGINALS_AWAY = "originals away"
    """A folder is not there, under which lie originals of mode reference, of ``photos`` many."""
    DATABASE = "database"
    """The database's own check fails; the finding's ``detail`` is what it says."""
    ROWS_OF_NO_PHOTO = "rows of no photo"
    """The catalog has paths or tags of photos that it does not have."""
    JOURNAL = "journal"
    """The journal does not say what the catalog wrote into it; the finding's ``detail`` is how."""
    OTHERWISE = "otherwise"
    """The catalog says otherwise than its journal, whose lines are sound, of ``photos`` many things (paths of
    a photo are one, its tags another): what was changed of the database is not seen by its own check."""
    INDEX_DAMAGED = "index damaged"
    """A file of an index, a cache of the catalog, is not as it was written."""
    PARITY_LACKING = "parity lacking"
    """The file of a photo is to have parity and has none, or that of an earlier file, or a damaged one."""
    DESCRIBED_OTHERWISE = "described otherwise"
    """What the catalog says of a photo's label map or colours is not what was written there, by its checksum:
    what was changed of the database is not seen by its own check."""
    EARLIER_DESCRIPTIONS = "earlier descriptions"
    """Photos, ``photos`` many, that an older version described: queries refuse them."""


class Kind(StrEnum):
    """What a finding is about, roughly: for counting, and as JSON has it."""

    MISSING = "missing"
    DAMAGED = "damaged"
    OUTDATED = "outdated"
    ORPHAN = "orphan"
    LEFTOVER = "leftover"
    RETURNED = "returned"
    ORIGINAL = "original"
    JOURNAL = "journal"
    INDEX = "index"
    PARITY = "parity"
    CATALOG = "catalog"


_KINDS: dict[Fault | Problem, Kind] = {
    Fault.MISSING: Kind.MISSING,
    Fault.UNREADABLE: Kind.DAMAGED,
    Fault.INVALID: Kind.DAMAGED,
    Fault.WRONG_LENGTH: Kind.DAMAGED,
    Fault.OTHER_PHOTO: Kind.DAMAGED,
    Fault.OUTDATED_ROW: Kind.OUTDATED,
    Problem.NO_PHOTO: Kind.ORPHAN,
    Problem.LEFTOVER: Kind.LEFTOVER,
    Problem.RETURNED: Kind.RETURNED,
    Problem.ORIGINAL_AWAY: Kind.ORIGINAL,
    Problem.ORIGINAL_CHANGED: Kind.ORIGINAL,
    Problem.ORIGINALS_AWAY: Kind.ORIGINAL,
    Problem.DATABASE: Kind.CATALOG,
    Problem.ROWS_OF_NO_PHOTO: Kind.CATALOG,
    Problem.EARLIER_DESCRIPTIONS: Kind.CATALOG,
    Problem.OTHERWISE: Kind.CATALOG,
    Problem.DESCRIBED_OTHERWISE: Kind.CATALOG,
    Problem.INDEX_DAMAGED: Kind.INDEX,
    Problem.JOURNAL: Kind.JOURNAL,
    Problem.PARITY_LACKING: Kind.PARITY,
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    ``where``: the file or folder concerned, or the catalog's name. ``content_hash``: of the photo's file or
    original, but for leftovers, folders and the catalog. ``photo_id``, ``photo_path``: of the catalog row
    concerned, and where its original was.
    ``detail``, ``actual_bytes``, ``expected_bytes``: as in `stored.Examination`; ``photos``: as in `Problem`.
    ``only_copy``: a damaged file that may hold the only copy of an original, which `repair` leaves alone
    unless parity gives it back. ``by_parity``: of one that was mended, that this was how.
    """

    what: Fault | Problem
    where: str
    content_hash: str = ""
    photo_id: int | None = None
    photo_path: str = ""
    detail: str = ""
    actual_bytes: int | None = None
    expected_bytes: int | None = None
    photos: int = 0
    only_copy: bool = False
    by_parity: bool = field(default=False, compare=False)

    @property
    def kind(self) -> Kind:
        return _KINDS[self.what]
