"""What the catalog knows of a photo's label map: the one place that turns the map into catalog values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsslic_search.vocabulary import Vocabulary

if TYPE_CHECKING:
    from dsslic_search.features.regions import Region


@dataclass(frozen=True)
class MapFeatures:
    """``coverages``: (class id, fraction of the pixels) of the classes that are there, by id. ``regions``: largest first.
    ``embedding``: float32 little-endian bytes of a unit vector."""

    coverages: tuple[tuple[int, float], ...]
    regions: tuple[Region, ...]
    embedding: bytes


def features_of(label_map: NDArray[np.uint8], vocabulary: Vocabulary) -> MapFeatures:
    """The catalog values of a label map, uint8 (h, w) of class ids of ``vocabulary``."""
    from dsslic_search.features.coverage import coverage
    from dsslic_search.features.embedding import embed
    from dsslic_search.features.regions import regions

    fractions = coverage(label_map, len(vocabulary))
    return MapFeatures(
        coverages=tuple((int(i), float(fractions[i])) for i in np.flatnonzero(fractions)),
        regions=tuple(regions(label_map)),
        embedding=embed(label_map, vocabulary).astype("<f4").tobytes(),
    )
