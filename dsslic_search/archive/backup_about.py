"""``backup.json``: of which archive a backup is, of which state of that, and in which state it was left."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.disk import write_whole
from dsslic_search.archive.folder import BACKUP_ABOUT, ArchiveFolder
from dsslic_search.archive.journal import Journal, Place
from dsslic_search.archive.journaling import JOURNAL_SETTING
from dsslic_search.core.files import path_to_text

ABOUT, ABOUT_FORMAT = BACKUP_ABOUT, "dsslic-search backup"


@dataclass(frozen=True)
class Moment:
    """What tells a state of an archive from those before it and from those of another past: its
    ``generation``; of its ``journal`` the name, the bytes and their SHA-256, and the names of the ``earlier``
    ones that it was begun in the place of; "" where it has none."""

    generation: int
    journal: str = ""
    length: int = 0
    sha256: str = ""
    earlier: tuple[str, ...] = ()

    @classmethod
    def of(cls, archive: ArchiveFolder, snapshot: Path) -> Moment:
        """That of a copy of an archive's catalog."""
        with Catalog.open(snapshot, change=False) as catalog:
            generation = catalog.state().generation
            place = Place.read(catalog.settings().get(JOURNAL_SETTING))
        if place is None:
            return cls(generation)
        journal = Journal(archive.journal)
        digest = journal.digest(place.name, place.length)
        return cls(generation, place.name, place.length, digest, tuple(journal.earlier()) if digest else ())

    def is_unknown_to(self, archive: ArchiveFolder, now: Moment) -> bool:
        """Whether an archive that is at ``now`` does not come from this state, so that what was done up to
        here may be missing in it."""
        if self.journal and self.journal == now.journal:
            there = Journal(archive.journal).digest(self.journal, self.length)
            return self.length > now.length or bool(there and self.sha256 and there != self.sha256)
        if self.journal in now.earlier:
            return False
        common = {now.journal, *now.earlier} & set(self.earlier)  # from where the two went other ways
        return bool(common - {""}) or self.generation > now.generation


@dataclass(frozen=True)
class About:
    """``of``: the archive's folder. ``state``: the copy's own, None while it is made. ``made_of``: the
    archive's; None where that is not known."""

    of: str
    state: str | None = None
    made_of: Moment | None = None

    @classmethod
    def read(cls, copy: ArchiveFolder) -> About | None:
        """That of a folder; None where it is no backup."""
        try:
            about = json.loads((copy.root / ABOUT).read_bytes())
            if about["format"] != ABOUT_FORMAT:
                return None
            found = cls(str(about["of"]), about["state"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        with suppress(KeyError, TypeError, ValueError):
            made_of = about["made_of"]
            generation, length = int(made_of["generation"]), int(made_of["length"])
            journal, sha256 = str(made_of["journal"]), str(made_of["sha256"])
            earlier = tuple(str(name) for name in made_of["earlier"])
            return cls(found.of, found.state, Moment(generation, journal, length, sha256, earlier))
        return found

    def write(self, copy: ArchiveFolder) -> None:
        """Into a folder."""
        made_of = None if self.made_of is None else asdict(self.made_of)
        said = {"format": ABOUT_FORMAT, "version": 1, "of": self.of, "state": self.state, "made_of": made_of}
        write_whole(copy.root / ABOUT, (json.dumps(said) + "\n").encode())


def folder_of(archive: ArchiveFolder) -> str:
    """An archive's folder as backups name it."""
    return path_to_text(os.path.realpath(archive.root))


def is_complete(copy: ArchiveFolder) -> bool:
    """Whether a folder is a backup that was made to its end; one that was not is an archive of files that
    may be newer than their rows."""
    about = About.read(copy)
    return about is not None and about.state is not None
