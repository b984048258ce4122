"""Which class list the catalog's coverages, regions and embeddings speak in, and which codes the embeddings
are made of.

Label maps may be of any vocabulary; what the catalog knows of them is in the one that shipped with the
version that described them. When a later version ships another, or other codes, queries would read the
numbers wrongly: so the archive says, and has to be reindexed.
"""

from __future__ import annotations

import numpy as np
from sqlalchemy import delete, insert

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import MapFeatures, features_of
from dsslic_search.archive.schema import Setting
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, Remedy
from dsslic_search.features.embedding import codes_identity

SETTING = "described in"
# archives that do not say were described in the first class list and codes
FIRST = "817902e1dae7288d/4cc4ffdde356fb57"


def ours() -> str:
    """What this version describes photos in."""
    return f"{vocabulary.default().identity}/{codes_identity()}"


def is_current(catalog: Catalog) -> bool:
    """Whether the catalog speaks in the terms of this version; an empty one does."""
    with catalog.session() as session:
        said = session.get(Setting, SETTING)
    return (said.value if said else FIRST) == ours() or not catalog.count()


def require_current(catalog: Catalog) -> None:
    """Raise ArchiveError unless `is_current`."""
    if not is_current(catalog):
        raise ArchiveError(
            "the archive's photos are described in the terms of another version; bring it up to date with: "
            f"{Remedy.REINDEX}"
        )


def make_current(catalog: Catalog) -> None:
    """Say that everything in the catalog is in the terms of this version. Writes nothing where that is said
    already."""
    with catalog.session() as session:
        said = session.get(Setting, SETTING)
    if (said.value if said else FIRST) != ours():
        with catalog.changing() as session:
            session.execute(delete(Setting).where(Setting.name == SETTING))
            session.execute(insert(Setting).values(name=SETTING, value=ours()))


def nothing_known() -> MapFeatures:
    """Of a photo whose label map cannot be read: all of it is "other"."""
    classes = vocabulary.default()
    return features_of(np.full((1, 1), classes.id_of("other"), np.uint8), classes)
