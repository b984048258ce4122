"""Originals that keep mode "reference" left where they lay."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.archive import outside
from dsslic_search.core.files import text_to_path
from dsslic_search.core.kinds import KeepMode

if TYPE_CHECKING:
    from dsslic_search.archive.schema import Photo


def places_of(photo: Photo) -> list[Path]:
    """The files at which a photo may lie: those where it does by the catalog first, then those where it
    lay."""
    texts = dict.fromkeys(known.path for known in photo.paths)
    return [text_to_path(text) for text in texts or (photo.path,)]


def left_outside(photo: Photo) -> tuple[Path, ...]:
    """Files outside the archive that a photo is read from, which are never written: none but by reference."""
    return tuple(places_of(photo)) if photo.keep == KeepMode.REFERENCE else ()


def find_original(photo: Photo) -> bytes | None:
    """The file that a photo was made of, from the first of its places that holds its very bytes."""
    for place in places_of(photo):
        with suppress(OSError):
            data = outside.read_whole(place)
            if hashlib.sha256(data).hexdigest() == photo.content_hash:
                return data
    return None
