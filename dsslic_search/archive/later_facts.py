"""Facts that came after photos were put in: read from the EXIF data that is kept with photos in mode layers.

A migration adds a column that is empty for all photos that are there. The catalog says of which columns EXIF
data were read for all its photos, so that this is done once, by the reindexing after a new fact came. Photos
in other keep modes have no EXIF data of their own in the archive; they get such facts when they are stored
anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.notes import noting
from dsslic_search.archive.schema import Photo, Setting
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import StoredFile
from dsslic_search.core.errors import ArchiveError, FormatError
from dsslic_search.core.fields import EXIF_COLUMNS
from dsslic_search.core.kinds import KeepMode

if TYPE_CHECKING:
    from dsslic_search.codec.picture.metadata import PhotoFacts

READ_SETTING = "facts read"
# catalogs that do not say have what the first version read
FIRST_COLUMNS = frozenset({"taken_at", "camera", "latitude", "longitude"})
PHOTOS_IN_A_BATCH = 1000  # read, then written at once


def begin(catalog: Catalog) -> None:
    """Say of an empty catalog that all facts are going to be read for its photos."""
    if missing(catalog) and not catalog.count():
        _say(catalog)


def missing(catalog: Catalog) -> tuple[str, ...]:
    """The columns that were not read for some photos."""
    said = catalog.settings().get(READ_SETTING)
    read = FIRST_COLUMNS if said is None else frozenset(said.split())
    return tuple(name for name in EXIF_COLUMNS if name not in read)


def complete(catalog: Catalog, store: Store) -> int:
    """Read the missing columns of all photos that have EXIF data in the archive; returns how many bytes of
    it.

    A file that cannot be read, or is damaged there, leaves its photo without. To be called by the one who
    writes. Raises ArchiveError for trouble with the database."""
    columns = missing(catalog)
    if not columns:
        return 0
    count = 0
    with catalog.snapshot() as snapshot:
        chosen = select(Photo.id, Photo.content_hash).where(Photo.keep == KeepMode.LAYERS).order_by(Photo.id)
        for batch in snapshot.rows(chosen, PHOTOS_IN_A_BATCH):
            values = []
            for photo_id, content_hash in batch:
                facts, length = _read(store, content_hash)
                count += length
                if any(facts.get(name) is not None for name in columns):
                    values.append({"id": photo_id} | {name: facts[name] for name in columns})
            if values:
                with catalog.changing() as session:
                    session.execute(update(Photo), values)
    _say(catalog)
    return count


def _read(store: Store, content_hash: str) -> tuple[PhotoFacts, int]:
    """What a photo's file kept of its EXIF data, and in how many bytes."""
    from dsslic_search.codec.layers import metadata
    from dsslic_search.codec.picture.metadata import NO_FACTS, kept_facts

    try:
        chunk = StoredFile(store, content_hash).chunk(metadata.EXIF.kind)
        if chunk is not None:
            return kept_facts(metadata.decode(metadata.EXIF, chunk)), len(chunk.data)
    except (FormatError, ArchiveError):
        pass
    return NO_FACTS, 0


def _say(catalog: Catalog) -> None:
    with noting(catalog) as session:
        session.execute(delete(Setting).where(Setting.name == READ_SETTING))
        session.execute(insert(Setting).values(name=READ_SETTING, value=" ".join(EXIF_COLUMNS)))
