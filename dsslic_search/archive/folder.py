"""The archive directory: what lies where, and what makes a directory an archive.

::

    archive.json              {"format": "dsslic-search archive", "version": 1}, see archive.manifest
    catalog.sqlite            the catalog, see archive.schema
    journal.jsonl             what it knows and the objects do not, see archive.journal
    objects/journal.jsonl     the same again, see archive.journals
    objects/ab/abcdef….dsslic one file a photo, by the SHA-256 of the original file's bytes
    index/                    caches of the catalog; may be deleted at any time
    lock                      held by the one process that writes
    lock.next                 held by the one that is to be the next
    writer.json               who that is, while it does

The catalog may be a database elsewhere, without a journal, and the objects may be in a bucket; archive.json
says so, see `archive.manifest`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.archive import journal, owner
from dsslic_search.archive.disk import disk_trouble
from dsslic_search.archive.journals import Journals
from dsslic_search.archive.lock import LOCK, NEXT, WRITER, locked, untold
from dsslic_search.archive.lookup import Lookup, open_lookup
from dsslic_search.archive.manifest import ALL_HERE, Manifest, read_manifest
from dsslic_search.archive.store import Store
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, Remedy, UsageError
from dsslic_search.core.files import TEMPORARY
from dsslic_search.core.output import ARCHIVE_MANIFEST

if TYPE_CHECKING:
    from dsslic_search.archive.catalog import Catalog
    from dsslic_search.archive.published import Published

OBJECTS_SETTING = "objects"
BACKUP_ABOUT = "backup.json"  # in a backup, see `archive.backup_about`
"""Of a catalog that several machines use: the URL of the bucket that holds the photos' files."""

_CATALOG = "catalog.sqlite"
_OWN_LEFTOVER = re.compile(rf"\.[0-9a-f]{{16}}{re.escape(TEMPORARY)}")  # of `core.files.replacing`


@dataclass(frozen=True)
class ArchiveFolder:
    """Names the parts of the archive at ``root``. ``new``: where it keeps what is not in its folder, if it is
    made now; of one that is there, its catalog's URL tells the password. ``wait``: seconds to wait for
    another process that writes; ``waiting`` is told, once, where that is so."""

    root: Path
    new: Manifest = ALL_HERE
    wait: float = 0
    waiting: Callable[[str], None] = untold

    @property
    def manifest(self) -> Manifest:
        """What archive.json says, or will. ArchiveError where it is damaged."""
        known: Manifest | None = self.__dict__.get("_manifest")
        if known is None:
            return self._read_manifest() if self.exists else self.new
        return known

    def _read_manifest(self) -> Manifest:
        found: Manifest = self.__dict__.setdefault("_manifest", read_manifest(self.root))
        return found

    @property
    def store(self) -> Store:
        return Store(self.manifest.objects or self.root / "objects")

    @property
    def are_objects_outside(self) -> bool:
        """Whether the photos' files are where another archive could keep its own, see `archive.owner`."""
        return self.manifest.objects is not None or (self.root / "objects").is_symlink()

    @property
    def catalog(self) -> Path | str:
        url = self.manifest.catalog
        if url is None:
            return self.root / _CATALOG
        from dsslic_search.archive.database import with_password

        return with_password(url, self.new.catalog)

    @property
    def has_own_catalog(self) -> bool:
        """Whether the catalog is a file of its folder, and has a journal there."""
        return self.manifest.catalog is None

    @property
    def journal(self) -> Path:
        return self.root / journal.NAME

    @property
    def index(self) -> Path:
        return self.root / "index"

    def published(self, settings: Callable[[], Mapping[str, str]]) -> Published | None:
        """The indexes that other machines made, where there can be others: with the catalog, of which these
        are the ``settings``, and the photos' files where several reach them."""
        if self.has_own_catalog or not self.are_objects_outside:
            return None
        from dsslic_search.archive.published import Published

        return Published(self.store, settings, self.index)

    @property
    def exists(self) -> bool:
        """Whether an archive is there, readable by this version or not."""
        try:
            return (self.root / ARCHIVE_MANIFEST).exists()
        except OSError as e:
            raise ArchiveError(
                f"{self.root}: cannot open this archive ({e.strerror}); check the path and its permissions"
            ) from e

    def verify(self, missing: str = f"no archive there; make one with: {Remedy.INGEST}") -> None:
        """Raise ArchiveError unless an archive that this version understands is there; ``missing``: what to
        say where there is nothing of one. Changes nothing."""
        self.__dict__.pop("_manifest", None)
        if not self.exists:
            if self._holds_photos():
                raise ArchiveError(
                    f"{self.root}: no archive there, but photos' files of one; make it anew from these with: "
                    f"{Remedy.REBUILD}"
                )
            raise ArchiveError(f"{self.root}: {missing}")
        self._read_manifest()

    @property
    def is_backup(self) -> bool:
        """Whether it is a copy that `archive.backup` made, and makes as its archive is."""
        return (self.root / BACKUP_ABOUT).is_file()

    def _holds_photos(self) -> bool:
        """Whether photos' files lie where those of an archive do by default."""
        return next((self.root / "objects").glob("*/*.dsslic"), None) is not None

    def open_catalog(self) -> Catalog:
        """The catalog of an existing archive, migrated to this version. Raises ArchiveError."""
        from dsslic_search.archive.catalog import Catalog

        self.verify()
        with self._without_a_catalog():
            return Catalog.open(self.catalog, journal=self.journal)

    def open_lookup(self, whole: Callable[[], Catalog]) -> Lookup:
        """The catalog of an existing archive, for looking things up; see `archive.lookup.open_lookup`."""
        self.verify()
        return open_lookup(self.catalog, whole)

    @contextmanager
    def writing(self, *, create: bool = False, together: bool = False) -> Iterator[Catalog]:
        """The catalog, with the archive locked against other writers; with ``create`` a new archive is made
        if there is none. ``together``: other machines may write, too, where the catalog is a database, see
        `archive.leases`.

        Raises ArchiveError when another process (or another `writing` of this one) holds the lock for longer
        than ``wait``. The lock ends with the process, however that ends.
        """
        from dsslic_search.archive.catalog import Catalog

        if self.exists or not create:
            self.verify()
        else:
            self._make_folder()
        self._require_own_objects()
        with locked(self.root, self.wait, self.waiting):
            if create:
                if not self.exists:
                    self._begin()
                self.verify()
            with self._without_a_catalog():
                create = create and not self._is_filled()
                catalog = Catalog.open(self.catalog, create=create, journal=self.journal)
            with catalog, catalog.writer(self.wait, self.waiting, together):
                if create and self.manifest.catalog and self.manifest.objects:
                    catalog.remember(OBJECTS_SETTING, self.manifest.objects)
                if self.are_objects_outside:
                    owner.claim(self.store, catalog)
                catalog.tend_journal()
                yield catalog
                catalog.tend_journal()

    def make(self) -> bool:
        """Make the archive, empty but for what others put where it keeps its things, and have its catalog
        compare photos itself where it can (`archive.layouts`); returns whether it does. UsageError where one
        is there that keeps them elsewhere."""
        from dsslic_search.archive.database import without_password

        if self.exists:
            self.verify()
            named = self.new.catalog and without_password(self.new.catalog)
            if (self.new.objects or self.manifest.objects, named or self.manifest.catalog) != (
                self.manifest.objects,
                self.manifest.catalog,
            ):
                raise UsageError(
                    f"{self.root}: an archive already, with its files in "
                    f"{self.manifest.objects or 'its folder'} and its catalog in "
                    f"{self.manifest.catalog or 'its folder'}; choose another directory with "
                    f"{Remedy.OTHER_ARCHIVE}"
                )
        with self.writing(create=True) as catalog:
            return catalog.keep_layouts()

    def _begin(self) -> None:
        """Say where a new archive keeps its things, once these can be reached. With a catalog that others use
        already, they keep the photos' files in one place, which is a bucket: two folders cannot be."""
        from dsslic_search.archive.database import reach, without_password

        objects, catalog = self.new.objects, self.new.catalog
        settings: dict[str, str] = {}
        if catalog is not None:
            settings = reach(catalog)
            theirs = settings.get(OBJECTS_SETTING)
            if settings and objects is None and theirs:
                objects = theirs
            elif settings and (objects != theirs or (objects is None and not self._has_files())):
                raise UsageError(
                    f"{without_password(catalog)}: the photos' files of this catalog are in "
                    f"{theirs or 'the folder of another archive'}; choose another database, or use that"
                )
            catalog = without_password(catalog)
        if objects is not None:
            next(Store(objects).objects.names(), None)
            owner.require_free(Store(objects), settings.get(owner.OWNER_SETTING))
        Manifest(objects, catalog, vocabulary.own_in_use()).write(self.root)

    def begin_anew(self) -> None:
        """Make archive.json, where all but photos' files is lost that an archive had in its folder."""
        if not self.exists and self._holds_photos():
            with locked(self.root, self.wait, self.waiting):
                if not self.exists:
                    self._begin()

    def adopt_classes(self) -> None:
        """Put the archive's own class list in use, where it has one, see `vocabulary.adopt`. Says nothing of
        an archive that cannot be read: opening it will."""
        with suppress(ArchiveError):
            if self.exists and (own := self.manifest.classes) is not None:
                vocabulary.adopt(own)

    def remember_classes(self) -> None:
        """Write the class list in use into archive.json, where that says another. Only for the holder of the
        lock, whose catalog is in its terms."""
        own = vocabulary.own_in_use()
        if own != self.manifest.classes:
            replace(self.manifest, classes=own).write(self.root)
            self.verify()

    def remove_leftovers(self) -> None:
        """Delete what interrupted writes left. Only for the holder of the lock. ArchiveError where the disk
        does not let it."""
        with disk_trouble(self.root, "listed"):
            names = [path.name for path in self.root.iterdir()]
        for name in filter(_OWN_LEFTOVER.fullmatch, names):
            with disk_trouble(self.root / name, "deleted"):
                (self.root / name).unlink(missing_ok=True)
        self.store.remove_leftovers()

    @contextmanager
    def _without_a_catalog(self) -> Iterator[None]:
        """Say what to do where there is none: it is lost, or was never filled."""
        from dsslic_search.archive.database import NoCatalogError

        try:
            yield
        except NoCatalogError as e:
            if self._is_filled():
                raise ArchiveError(
                    f"{e}; make it anew from the photos' files and the journal with: {Remedy.REBUILD}"
                ) from None
            raise ArchiveError(
                f"{self.root}: no photos yet, since an ingest was stopped before the first; run it again: "
                f"{Remedy.INGEST}"
            ) from None

    def _is_filled(self) -> bool:
        """Whether a catalog could be made from what is there, so that none is to be begun."""
        if not self.has_own_catalog:
            return False
        return any(each.path.exists() for each in Journals.of(self.journal).both) or self._has_files()

    def _has_files(self) -> bool:
        """Whether files of photos are there."""
        return next(self.store.hashes(), None) is not None

    def _require_own_objects(self) -> None:
        """ArchiveError where a link makes another archive's files those of this one, too: what either deletes
        the other would lose."""
        objects = self.root / "objects"
        if objects.is_symlink():
            other = Path(os.path.realpath(objects)).parent
            if other != Path(os.path.realpath(self.root)) and (other / ARCHIVE_MANIFEST).exists():
                raise ArchiveError(
                    f"{objects}: leads to the files of another archive, {other}, and what is deleted here "
                    "would be lost there; put a copy of that folder in its place"
                )

    def _make_folder(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            strange = any(not _may_be_ours(p.name) for p in self.root.iterdir())
        except OSError as e:
            raise ArchiveError(
                f"{self.root}: cannot make an archive there ({e.strerror}); choose another directory with "
                f"{Remedy.OTHER_ARCHIVE}"
            ) from e
        if strange:
            raise ArchiveError(
                f"{self.root}: holds other files and is not an archive; choose a new or empty directory with "
                f"{Remedy.OTHER_ARCHIVE}"
            )


def _may_be_ours(name: str) -> bool:
    """Whether a first ingest that was interrupted may have left a file of this name."""
    unfinished = name.startswith(".") and name.endswith(TEMPORARY)
    return (
        unfinished
        or name in (LOCK, NEXT, WRITER, "objects", "index")
        or name.startswith((_CATALOG, "journal."))
    )
