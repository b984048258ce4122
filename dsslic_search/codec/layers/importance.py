"""Object-based adaptive compression: bits go where the classes are that matter (DSSLIC, section 1).

A class of importance v has its squared error counted v times, so its residual is scaled by √v before the
quantiser and by 1/√v after it. The decoder knows the label map, so all that is sent is a byte for each class
named. Gains are at most 1 (nothing leaves the range of the planes) and the quantiser makes up for that. It is
chosen so that bits move between classes and stay about as many: the mean logarithm of the gains over the
photo is taken out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.layers.terms import SIXTY_FOURTHS, Gains

MIN_IMPORTANCE, MAX_IMPORTANCE = 1 / 64, 64.0

Importance = tuple[tuple[int, float], ...]
"""(class id of the shipped vocabulary, importance) each; 1 for all others."""


def gains(importance: Importance, labels: NDArray[np.uint8]) -> tuple[Gains | None, float]:
    """What the residual of each class is multiplied with, and what to add to the QP for it.

    ``labels``: class ids of the shipped vocabulary at any scale, for how much of the photo each class covers.
    None where the photo shows none of the classes, or nothing else.
    """
    share = np.bincount(labels.reshape(-1), minlength=256) / labels.size
    amplitude = np.ones(256)
    for class_id, value in importance:
        amplitude[class_id] = np.sqrt(value)
    seen = amplitude[share > 0]
    if np.ptp(seen) == 0:
        return None, 0.0
    largest = float(seen.max())
    kept = np.clip(np.round(amplitude / largest * SIXTY_FOURTHS), 1, SIXTY_FOURTHS).astype(int)
    # Nothing else in the photo has the gain of "all others" where every class in it is named: then any will
    # do.
    named = tuple((class_id, int(kept[class_id])) for class_id, _ in importance if share[class_id] > 0)
    others = int(np.clip(round(SIXTY_FOURTHS / largest), 1, SIXTY_FOURTHS))
    return Gains(others, named), 6 * float(share @ np.log2(amplitude) - np.log2(largest))
