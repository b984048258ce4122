"""Fingerprints of stored photos, each from the first bytes of its file: those up to its compact image."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from dsslic_search.archive.store import Store
from dsslic_search.core.errors import ArchiveError, FormatError
from dsslic_search.features.fingerprint import fingerprint

AHEAD = 256  # photos read before one of them is handed on


def read_fingerprint(store: Store, content_hash: str, map_bytes: int, max_pixels: int) -> NDArray[np.uint8]:
    """The fingerprint of a photo of which the first ``map_bytes`` bytes hold header and label map. Raises
    FormatError or ArchiveError."""
    from dsslic_search.codec import container
    from dsslic_search.codec.decoder import decode_stage

    data = store.read_prefix(content_hash, map_bytes)
    end = container.read_layout(data).stage_bytes("compact")
    data += store.read_prefix(content_hash, end, start=len(data))
    return fingerprint(decode_stage(data, "compact", max_pixels=max_pixels).pixels)


def read_fingerprints(
    store: Store,
    photos: Sequence[tuple[str, int]],
    max_pixels: int,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[int, NDArray[np.uint8] | str]]:
    """(place, fingerprint or what is wrong) of each photo of a content hash and map bytes, in order.

    ``progress`` is called with photos done and in all."""

    def read(photo: tuple[str, int]) -> NDArray[np.uint8] | str:
        try:
            return read_fingerprint(store, *photo, max_pixels)
        except (FormatError, ArchiveError) as e:
            return str(e)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(photos), AHEAD):
            part = photos[start : start + AHEAD]
            yield from enumerate(pool.map(read, part), start)
            if progress is not None:
                progress(start + len(part), len(photos))
