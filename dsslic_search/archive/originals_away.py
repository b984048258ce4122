"""Which originals that keep mode "reference" left outside are not where they should be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import func, select

from dsslic_search.archive import outside
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.ingest.look import Absent, Here, Looker
from dsslic_search.archive.schema import KnownPath, Photo
from dsslic_search.core.files import native_name, path_to_text, text_to_path
from dsslic_search.core.kinds import KeepMode, PhotoState


@dataclass(frozen=True)
class Away:
    """Originals of mode reference that cannot be found where they should be.

    ``where``: a folder that is not there, with ``photos`` under it; else the path that is shown of photo
    ``photo_id``, whose original is at none of its paths, or ``changed`` there."""

    where: str
    photos: int = 1
    photo_id: int | None = None
    content_hash: str = ""
    changed: bool = False


_LEFT_OUTSIDE = (
    Photo.keep == KeepMode.REFERENCE.value,
    Photo.state.in_([PhotoState.HERE.value, PhotoState.MISSING.value]),
)


# Made once: to put together a statement takes longer than to run it in a small archive.
ORIGINALS = select(func.count(Photo.id)).where(*_LEFT_OUTSIDE)
"""How many originals `away` looks for."""

_PLACES = (
    select(
        Photo.id,
        Photo.content_hash,
        Photo.path,
        KnownPath.path,
        KnownPath.part,
        KnownPath.file_size,
        KnownPath.ended_at.is_(None),
    )
    .join(KnownPath, KnownPath.photo_id == Photo.id)
    .where(*_LEFT_OUTSIDE)
    .order_by(Photo.id, KnownPath.ended_at.is_not(None), KnownPath.first_seen, KnownPath.id)
)


@dataclass(frozen=True)
class LookedAt:
    """An original that was looked at. ``size``: bytes that were read of it, 0 for none."""

    photo_id: int
    content_hash: str
    size: int
    there: bool


def away(
    catalog: Catalog,
    read: Callable[[int, str], bool] = lambda _photo_id, _hash: False,
    looked_at: Callable[[LookedAt], None] = lambda _each: None,
) -> Iterator[Away]:
    """Which originals of mode reference are not at any path at which they lie or lay, by size, or, of those
    to be ``read`` by id and content hash, by their bytes; those of folders that are not there at all are told
    together. ``looked_at`` is told of each original."""
    looker = Looker()
    by_folder: dict[str, int] = defaultdict(int)
    with catalog.snapshot() as snapshot:
        every = (row for rows in snapshot.rows(_PLACES) for row in rows)
        for (photo_id, content_hash, shown), places in groupby(every, key=lambda row: tuple(row[:3])):
            looks, read_bytes = [], 0
            is_read, there = read(photo_id, content_hash), True
            for *_, path, part, size, live in places:
                look = looker(native_name(path))
                if isinstance(look, Here) and look.size == size:
                    wanted = content_hash if is_read and not part else None
                    read_bytes += 0 if wanted is None else size
                    if wanted is None or outside.hash_of(text_to_path(path)) == wanted:
                        break
                looks.append((path, look, live))
            else:
                there = False
                path, look, live = looks[0]
                topmost = path_to_text(look.topmost) if isinstance(look, Absent) else path
                if topmost != path:
                    by_folder[topmost] += 1
                else:
                    yield Away(shown, 1, photo_id, content_hash, live and isinstance(look, Here))
            looked_at(LookedAt(photo_id, content_hash, read_bytes, there))
    for folder, photos in by_folder.items():
        yield Away(folder, photos)
