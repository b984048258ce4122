"""What is derived from the layers of a stored photo: the catalog's values from its base layer and, for
colours, its compact image; the fingerprint from its compact image. No byte past those layers is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dsslic_search.archive import there
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import StoredFile
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import ArchiveError, FormatError
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.core.workplace import Workplace, here, in_order
from dsslic_search.features.colours import ColourFeatures
from dsslic_search.features.scene import SceneRegions

MAX_PIXELS = 64 * DEFAULT_MAX_PIXELS
"""Of photos whose compact images, 64 times smaller, are looked at for colours."""
Made = TypeVar("Made")

PHOTOS_IN_A_BATCH = 8  # compact images that are looked at in one piece of work


@dataclass(frozen=True)
class MapFeatures:
    """``coverages``: (class id, fraction of the pixels) of the classes that are there, by id. ``regions``:
    the bytes of `features.scene.SceneRegions`. ``embedding``: float32 little-endian bytes of a unit
    vector, none where nothing was seen. ``certainties``: 0..255 by class id, of classes of which the file
    says how sure the segmenter was. ``words``: the bytes of `features.image_words.ImageWords`, None where the
    file has none. ``colours``: None where the compact image was not looked at."""

    coverages: tuple[tuple[int, float], ...]
    regions: bytes
    embedding: bytes
    certainties: Mapping[int, int] = field(default_factory=dict)
    words: bytes | None = None
    colours: ColourFeatures | None = None


NOTHING_SEEN = MapFeatures((), SceneRegions.none().to_bytes(), b"")
"""Of a photo without a label map."""


def features_of(
    label_map: NDArray[np.uint8],
    vocabulary: Vocabulary,
    certainties: Mapping[int, int] | None = None,
    words: bytes | None = None,
    colours: ColourFeatures | None = None,
) -> MapFeatures:
    """The catalog values of a label map, uint8 (h, w) of class ids of ``vocabulary``; certainties, words
    and colours as they are given."""
    from dsslic_search.features.coverage import coverage
    from dsslic_search.features.embedding import embed
    from dsslic_search.features.regions import regions

    fractions = coverage(label_map, len(vocabulary))
    return MapFeatures(
        coverages=tuple((int(i), float(fractions[i])) for i in np.flatnonzero(fractions)),
        regions=regions(label_map, vocabulary.classes_of_groups).to_bytes(),
        embedding=embed(label_map, vocabulary).astype("<f4").tobytes(),
        certainties=certainties or {},
        words=words,
        colours=colours,
    )


def read_features(store: Store, content_hash: str, map_bytes: int) -> tuple[MapFeatures, int]:
    """Describe a photo anew, in the shipped vocabulary, from the first ``map_bytes`` bytes of its file, its
    base layer, and from its compact image, if that is sound; and how many bytes were read. 0 for a photo
    without a label map. Raises FormatError or ArchiveError."""
    if not map_bytes:
        return NOTHING_SEEN, 0
    from dsslic_search.codec.decoder import read_base

    file = StoredFile(store, content_hash)
    base = read_base(file.prefix(map_bytes))
    colours = None
    with suppress(FormatError):
        colours = colours_of(file.stage("compact"), base.label_map, file.contents.header.map_scale)
    words = None if base.words is None else base.words.to_bytes()
    features = features_of(base.label_map, vocabulary.default(), base.certainties, words, colours)
    return features, len(file.data)


def colours_of(prefix: bytes, label_map: NDArray[np.uint8], map_scale: int) -> ColourFeatures:
    """The colours of a photo, from the bytes of its file that hold the compact image, and its label map in
    the shipped vocabulary. FormatError for damage."""
    from dsslic_search.codec.decoder import decode_stage
    from dsslic_search.features.colours import colour_features

    compact = decode_stage(prefix, "compact", max_pixels=MAX_PIXELS).pixels
    return colour_features(compact, label_map, map_scale)


def read_compact(store: Store, content_hash: str, map_bytes: int, max_pixels: int) -> NDArray[np.uint8]:
    """The compact image, uint8 [h, w, 3], of a photo of which the first ``map_bytes`` bytes hold header and
    label map. Raises FormatError or ArchiveError."""
    from dsslic_search.codec.decoder import decode_stage

    file = StoredFile(store, content_hash)
    file.prefix(map_bytes)
    return decode_stage(file.stage("compact"), "compact", max_pixels=max_pixels).pixels


def read_compacts(
    store: Store,
    photos: Sequence[tuple[str, int]],
    max_pixels: int,
    make: Callable[[NDArray[np.uint8]], Made],
    progress: Callable[[int, int], None] | None = None,
    place: Workplace | None = None,
) -> Iterator[tuple[int, Made | str]]:
    """(number, what is made of its compact image, or what is wrong) of each photo of a content hash and map
    bytes, in order.

    ``place``: where they are read, else in threads here, one a core. ``progress`` is called with photos done
    and in all."""
    place = place or here()
    do = there.doing(place, _made_of, store, max_pixels, make)
    starts = range(0, len(photos), PHOTOS_IN_A_BATCH)
    batches = ((start, (photos[start : start + PHOTOS_IN_A_BATCH],)) for start in starts)
    for start, made in in_order(place, do, batches):
        yield from enumerate(made.result(), start)
        if progress is not None:
            progress(start + len(made.result()), len(photos))


def _made_of(
    store: Store,
    max_pixels: int,
    make: Callable[[NDArray[np.uint8]], Made],
    photos: Sequence[tuple[str, int]],
) -> list[Made | str]:
    def read(photo: tuple[str, int]) -> Made | str:
        try:
            return make(read_compact(store, *photo, max_pixels))
        except (FormatError, ArchiveError) as e:
            return str(e)

    return [read(photo) for photo in photos]
