"""What the catalog knows of a photo's label map: the one place that turns the map into catalog values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.vocabulary import Vocabulary


@dataclass(frozen=True)
class MapFeatures:
    """``coverages``: (class id, fraction of the pixels) of the classes that are there, by id. ``regions``:
    the bytes of `features.scene.SceneRegions`. ``embedding``: float32 little-endian bytes of a unit
    vector."""

    coverages: tuple[tuple[int, float], ...]
    regions: bytes
    embedding: bytes


def features_of(label_map: NDArray[np.uint8], vocabulary: Vocabulary) -> MapFeatures:
    """The catalog values of a label map, uint8 (h, w) of class ids of ``vocabulary``."""
    from dsslic_search.features.coverage import coverage
    from dsslic_search.features.embedding import embed
    from dsslic_search.features.regions import regions

    fractions = coverage(label_map, len(vocabulary))
    return MapFeatures(
        coverages=tuple((int(i), float(fractions[i])) for i in np.flatnonzero(fractions)),
        regions=regions(label_map).to_bytes(),
        embedding=embed(label_map, vocabulary).astype("<f4").tobytes(),
    )
