"""From the bytes of one photo file to everything an archive keeps of it; runs in ingest's worker threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsslic_search.archive.features import MapFeatures, features_of
from dsslic_search.core import vocabulary
from dsslic_search.core.settings import Settings

if TYPE_CHECKING:
    from dsslic_search.codec.options import EncodeOptions
    from dsslic_search.codec.picture.open import PhotoFacts


@dataclass(frozen=True)
class Prepared:
    """``data``: the .dsslic file, whose first ``map_bytes`` hold the label map. ``width``, ``height``: of the
    upright photo, pixels. ``milliseconds``: wall time per step."""

    format: str
    width: int
    height: int
    facts: PhotoFacts
    data: bytes
    map_bytes: int
    quality: int
    vocabulary: str
    segmenter: str
    features: MapFeatures
    milliseconds: Mapping[str, float]


Prepare = Callable[[bytes, str, "EncodeOptions", Settings], Prepared]


def prepare_photo(original: bytes, name: str, options: EncodeOptions, settings: Settings) -> Prepared:
    """Open, encode and describe a photo; ``name`` is for messages. Raises PhotoError when it is none, other
    DSSErrors when the codec cannot work."""
    from dsslic_search.codec.encoder import encode_photo
    from dsslic_search.codec.picture.open import open_photo
    from dsslic_search.networks.runtime import use_one_thread

    use_one_thread()  # each worker has a photo of its own
    start = time.perf_counter()
    photo = open_photo(original, name, settings.max_pixels)
    opened = time.perf_counter()
    encoded = encode_photo(photo, options, original)
    coded = time.perf_counter()
    features = features_of(encoded.dialect.meant(encoded.label_map), vocabulary.default())
    done = time.perf_counter()
    return Prepared(
        format=photo.format,
        width=photo.width,
        height=photo.height,
        facts=photo.facts,
        data=encoded.data,
        map_bytes=encoded.map_bytes,
        quality=encoded.quality,
        vocabulary=encoded.vocabulary,
        segmenter=encoded.segmenter,
        features=features,
        milliseconds={
            "open": (opened - start) * 1000,
            **encoded.milliseconds,
            "features": (done - coded) * 1000,
        },
    )
