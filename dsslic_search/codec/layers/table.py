"""The layers that a .dsslic file may have, in the order of their chunks.

Each module of this package codes and decodes one layer and describes it as a
:class:`~dsslic_search.codec.chunk.Layer`; a new one is entered here.
"""

from __future__ import annotations

from dsslic_search.codec.layers import (
    alpha,
    certainty,
    class_list,
    compact,
    label_map,
    metadata,
    original,
    people,
    provenance,
    residual,
    words,
)

LAYERS = (
    class_list.LAYER,
    label_map.LAYER,
    people.LAYER,
    certainty.LAYER,
    words.LAYER,
    compact.LAYER,
    residual.LAYER,
    alpha.LAYER,
    original.HASH,
    original.LAYER,
    metadata.ICC,
    metadata.EXIF,
    metadata.XMP,
    metadata.IPTC,
    provenance.LAYER,
)
