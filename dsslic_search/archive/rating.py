"""Stars that people give to photos in the archive, where metadata put theirs: no file of anybody is
changed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import update

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.lookup import batches
from dsslic_search.archive.notes import check_ids
from dsslic_search.archive.schema import Photo


def rate(catalog: Catalog, stars: float, ids: NDArray[np.int64]) -> None:
    """Give photos a rating, 0 for none, in one transaction. NotThereError, and nothing done, when there is no
    photo of an id."""
    with catalog.session() as reading:
        check_ids(reading, ids)
    with catalog.changing() as session:
        for part in batches(ids):
            session.execute(update(Photo).where(Photo.id.in_(part)).values(rating=stars or None))


def but_unsaid(values: dict[str, Any]) -> dict[str, Any]:
    """The columns of a photo that is stored anew, without a rating where its file says none: one that
    somebody gave stays."""
    if values.get("rating") is None:
        return {name: value for name, value in values.items() if name != "rating"}
    return values
