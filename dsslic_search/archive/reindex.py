"""Describe every photo anew from its base layer (coverages, certainty, regions and embedding) and its compact
image (colours), reading no byte past them (but for facts that came later: see `archive.later_facts`), in the
terms of this version (see `archive.terms`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import delete, insert, select

from dsslic_search.archive import later_facts, there
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import MapFeatures, features_of, read_features
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.schema import Photo, Setting
from dsslic_search.archive.store import Store
from dsslic_search.archive.terms import TERMS_SETTING, is_current, our_terms, speaks_ours
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, FormatError
from dsslic_search.core.workplace import Workplace, here, in_order

PHOTOS_IN_A_BATCH = 32  # photos described and written at once: few enough to keep all cores busy to the end


@dataclass
class ReindexReport:
    """``photos`` were described anew from ``bytes_read`` bytes; ``failed``: (photo id, reason), whose rows
    stay as they were, or where the class list changed since, say that nothing is known of them."""

    photos: int = 0
    bytes_read: int = 0
    seconds: float = 0.0
    failed: list[tuple[int, str]] = field(default_factory=list)


def reindex(
    archive: ArchiveFolder,
    *,
    workers: int | None = None,
    place: Workplace | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ReindexReport:
    """Replace what the catalog knows of all label maps. May be stopped and run again; queries go on
    meanwhile.

    ``place``: where label maps are described, else ``workers`` threads. ``progress`` is called with photos
    done and in all. Raises ArchiveError when the archive cannot be written, ClusterError as `archive.there`.
    """
    start = time.perf_counter()
    report = ReindexReport()
    place = place or here(workers)
    with archive.writing() as catalog:
        total = catalog.count()
        # else old rows would say something else in the class list of now
        readable = is_current(catalog)
        with catalog.snapshot() as snapshot:
            chosen = select(Photo.id, Photo.content_hash, Photo.map_bytes).order_by(Photo.id)
            batches = snapshot.rows(chosen, PHOTOS_IN_A_BATCH)
            do = there.doing(place, _describe, archive.store)
            for batch, described in in_order(place, do, ((batch, (batch,)) for batch in batches)):
                made: dict[int, MapFeatures] = {}
                unknown: dict[int, MapFeatures] = {}
                for (photo_id, _hash, _bytes), result in zip(batch, described.result(), strict=True):
                    if isinstance(result, str):
                        report.failed.append((photo_id, result))
                        if not readable:
                            unknown[photo_id] = nothing_known()
                    else:
                        made[photo_id], bytes_read = result
                        report.bytes_read += bytes_read
                catalog.replace_features(made | unknown)
                report.photos += len(made)
                if progress is not None:
                    progress(report.photos + len(report.failed), total)
        make_current(catalog)
        archive.remember_classes()
        report.bytes_read += later_facts.complete(catalog, archive.store)
    report.seconds = time.perf_counter() - start
    return report


Rows = list[tuple[int, str, int]]
Described = tuple[MapFeatures, int]
"""Features, and from how many bytes."""


def _describe(store: Store, batch: Rows) -> list[Described | str]:
    """Features, or what is wrong, of each photo."""
    made: list[Described | str] = []
    for _photo_id, content_hash, map_bytes in batch:
        try:
            made.append(read_features(store, content_hash, map_bytes))
        except (FormatError, ArchiveError) as e:
            made.append(str(e))
    return made


def make_current(catalog: Catalog) -> None:
    """Say that everything in the catalog is in the terms of this version. Writes nothing where that is said
    already."""
    if not speaks_ours(catalog):
        with catalog.changing() as session:
            session.execute(delete(Setting).where(Setting.name == TERMS_SETTING))
            session.execute(insert(Setting).values(name=TERMS_SETTING, value=our_terms()))


def nothing_known() -> MapFeatures:
    """Of a photo whose label map cannot be read: all of it is "other"."""
    classes = vocabulary.default()
    return features_of(np.full((1, 1), classes.id_of("other"), np.uint8), classes)
