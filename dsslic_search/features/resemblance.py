"""How alike two photos are: their layouts, mixed with what they show as a whole.

::

    likeness = (1 - share) · cosine of the layouts + share · min(cosine of the image embeddings / enough, 1)

From the cosine ``enough`` on, photos show the same kind of thing, and the layout alone says which is nearest.
Both numbers are fitted by ``dss-search bench likeness --fit``. Image embeddings
(:mod:`dsslic_search.features.image_words`) are compared only with those of the same maker; where there is
none to compare with, the likeness is that of the layouts. Both terms are about as large on the whole, so that
such photos come neither before nor behind all others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

MIXTURE_FILE = "resemblance.json"

Likeness = NDArray[np.float32]


@dataclass(frozen=True)
class Mixture:
    """``share``: of the image embeddings in a likeness, 0..1; ``enough``: the cosine of theirs that counts as
    1."""

    share: float
    enough: float

    def of(self, layout: Likeness, image: Likeness) -> Likeness:
        """The likeness, float32[n], of cosines of layouts and of image embeddings; NaN for those that cannot
        be compared."""
        alike = layout.astype(np.float64)
        shown = np.where(np.isnan(image), alike, self.shown(image))
        return ((1 - self.share) * alike + self.share * shown).astype(np.float32)

    def shown(self, image: Likeness) -> Likeness:
        """The term of cosines of image embeddings, at most 1."""
        return np.asarray(np.minimum(image / np.float32(self.enough), np.float32(1)), np.float32)


@cache
def mixture() -> Mixture:
    """The one that ships."""
    found = json.loads((files("dsslic_search.features") / MIXTURE_FILE).read_text())
    return Mixture(**found)
