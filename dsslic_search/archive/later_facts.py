"""Facts that came after photos were put in: read from what archives keep of photos' metadata (in mode layers)
and from the names of their files.

A migration adds a column that is empty for all photos that are there. The catalog says for which columns
metadata were read for all its photos, so that this is done once, by the reindexing after a new fact came; it
then fills what is not known of older facts, too, since what reads metadata learns. Photos in other keep modes
have no metadata of their own in the archive; they get such facts when they are stored anew.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.schema import Photo, Setting
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import stored_metadata
from dsslic_search.core.fields import FROM_METADATA, METADATA_COLUMNS
from dsslic_search.core.kinds import KeepMode

if TYPE_CHECKING:
    from dsslic_search.codec.picture.facts import PhotoFacts

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
    return tuple(name for name in METADATA_COLUMNS if name not in read)


def complete(catalog: Catalog, store: Store) -> int:
    """Read what is not known of all photos, if there are columns for which that was not done; returns how
    many bytes of metadata.

    A file that cannot be read, or is damaged there, leaves its photo without. To be called by the one who
    writes. Raises ArchiveError for trouble with the database."""
    if not missing(catalog):
        return 0
    from dsslic_search.codec.picture.facts import facts_of
    from dsslic_search.codec.picture.raster import Embedded

    count = 0
    known = [getattr(Photo, name) for name in METADATA_COLUMNS]
    with catalog.snapshot() as snapshot:
        chosen = select(Photo.id, Photo.content_hash, Photo.keep, Photo.path, *known).order_by(Photo.id)
        for batch in snapshot.rows(chosen, PHOTOS_IN_A_BATCH):
            values = []
            for photo_id, content_hash, keep, path, *row in batch:
                embedded, length = Embedded(), 0
                if keep == KeepMode.LAYERS:
                    embedded, length = stored_metadata(store, content_hash)
                count += length
                facts = facts_of(embedded, PurePosixPath(path).name)
                if new := _new(dict(zip(METADATA_COLUMNS, row, strict=True)), facts):
                    values.append({"id": photo_id} | new)
            if values:
                with catalog.changing() as session:
                    session.execute(update(Photo), values)
    _say(catalog)
    return count


def _new(row: dict[str, Any], facts: PhotoFacts) -> dict[str, Any]:
    """Those facts of which a photo's row knows nothing. Where a date came from is told of the date that the
    row has, or gets."""
    found: dict[str, Any] = {}
    for fact in FROM_METADATA:
        columns = [column.name for column in fact.columns]
        if all(row[name] is None for name in columns) and all(facts[name] is not None for name in columns):
            found |= {name: facts[name] for name in columns}
    if row["taken_at"] not in (None, facts["taken_at"]):
        found.pop("taken_from", None)
    return found


def _say(catalog: Catalog) -> None:
    with catalog.noting() as session:
        session.execute(delete(Setting).where(Setting.name == READ_SETTING))
        session.execute(insert(Setting).values(name=READ_SETTING, value=" ".join(METADATA_COLUMNS)))
