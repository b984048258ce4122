"""Segments for tests: a whole catalog as one, or photos that are in no catalog."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from dsslic_search.core.vocabulary import Vocabulary, default
from dsslic_search.features.regions import regions
from dsslic_search.index.cache import Damaged
from dsslic_search.index.segment import Segment, made
from dsslic_search.index.segments import open_segments
from dsslic_search.index.source import InOrder, Source, State

T = TypeVar("T")


def whole(source: Source, folder: Path, vocabulary: Vocabulary) -> Segment:
    """All photos of a catalog as it is now, of which no index has been opened yet in this process."""
    (segment,) = open_segments(source, folder, vocabulary).parts
    return segment


def stored_regions(label_map: np.ndarray, vocabulary: Vocabulary) -> bytes:
    """The regions of a label map as catalogs keep them; of the same map again they are not worked out."""
    return _stored_regions(label_map.tobytes(), label_map.shape, tuple(vocabulary.classes_of_groups.items()))


@lru_cache(maxsize=1000)
def _stored_regions(
    pixels: bytes, shape: tuple[int, int], groups: tuple[tuple[int, tuple[int, ...]], ...]
) -> bytes:
    return regions(np.frombuffer(pixels, np.uint8).reshape(shape), dict(groups)).to_bytes()


def asked(
    source: Source, folder: Path, question: Callable[[Segment], T], vocabulary: Vocabulary | None = None
) -> T:
    """What a question makes of all photos of a catalog as one segment; asked again where a file of an index
    is found to be damaged, as `api.indexes` does it."""
    while True:
        try:
            return question(whole(source, folder, vocabulary or default()))
        except Damaged:
            continue


def ids_in(source: Source, folder: Path) -> list[int]:
    """The ids of all photos that the segments have, as far as they are not gone, by segment and row."""
    parts = open_segments(source, folder, default()).parts
    return [i for part in parts for i in part.ids[part.without_gone(np.ones(len(part), bool))].tolist()]


def file_of(folder: Path, kind: str) -> Path:
    """The only file of an index there is."""
    (path,) = folder.glob(f"*.{kind}")
    return path


def apart(photos: int) -> Segment:
    """So many photos that are in no catalog; their ids are their rows."""
    ids = np.arange(photos)
    nowhere: Any = None
    return made(nowhere, State(1, ""), default(), None, InOrder(ids, -np.arange(ids.size)))
