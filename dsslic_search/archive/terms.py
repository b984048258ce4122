"""In which terms an archive describes its photos.

Label maps may be of any vocabulary; what the catalog knows of them is in the one that shipped with the
version that described them, and the embeddings are made of the codes that shipped with it. When a later
version ships another vocabulary, or other codes, or where another list of one's own is in use, queries would
read the numbers wrongly: so the archive says which they are, and has to be reindexed.
"""

from __future__ import annotations

from dsslic_search.archive.lookup import Lookup
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, Remedy
from dsslic_search.features.embedding import codes_identity

TERMS_SETTING = "described in"
# archives that do not say were described in the first class list and codes
FIRST_TERMS = "817902e1dae7288d/4cc4ffdde356fb57"


def our_terms() -> str:
    """What this version describes photos in."""
    return f"{vocabulary.default().identity}/{codes_identity()}"


def speaks_ours(catalog: Lookup) -> bool:
    """Whether the catalog says that it is in the terms of this version."""
    return catalog.settings().get(TERMS_SETTING, FIRST_TERMS) == our_terms()


def is_current(catalog: Lookup) -> bool:
    """Whether everything in the catalog is in the terms of this version; in an empty one it is."""
    return speaks_ours(catalog) or not catalog.count()


def require_current(catalog: Lookup) -> None:
    """Raise ArchiveError unless `is_current`."""
    if not is_current(catalog):
        ours = vocabulary.default()
        if catalog.settings().get(TERMS_SETTING, FIRST_TERMS).partition("/")[0] != ours.identity:
            raise ArchiveError(
                "the archive's photos are described in the terms of another version, or in another class "
                f'list than "{ours.name}", which this process speaks; open it in a process of its own, with '
                f"DSS_CLASSES as when they were put in, or describe them anew with: {Remedy.REINDEX}"
            )
        raise ArchiveError(
            "the archive's photos are described in the terms of another version; bring it up to date with: "
            f"{Remedy.REINDEX}"
        )
