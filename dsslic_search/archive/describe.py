"""Adding what photos lack that an earlier version stored: image words, seen in the best stage of each file.

A file is put together anew with the new chunk at its place and every other chunk as it was, so that originals
in it stay what they are to the byte; it is written under a temporary name and renamed, and then its row
follows. Where that was stopped in between, the file has the chunk and the next run writes the row.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from dsslic_search.archive import parity, there
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import read_features
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.schema import Photo
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import ObjectRecord
from dsslic_search.core.errors import ArchiveError, DSSError, FormatError, StageError
from dsslic_search.core.kinds import Stage
from dsslic_search.core.workplace import Workplace, here, in_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dsslic_search.codec.container import Contents


@dataclass
class DescribeReport:
    """``photos`` have words now that had none; ``bytes_added`` to their files; ``failed``: (photo id,
    reason), whose files and rows stay as they were."""

    photos: int = 0
    bytes_added: int = 0
    seconds: float = 0.0
    failed: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Described:
    """``data``: the file with its words, None where it has them already; ``added``: bytes."""

    data: bytes | None
    record: ObjectRecord
    added: int


_LACKING = Photo.stored_words.is_(None), Photo.map_bytes > 0, Photo.lost_at.is_(None)


def describe(
    archive: ArchiveFolder,
    *,
    workers: int | None = None,
    place: Workplace | None = None,
    max_pixels: int,
    progress: Callable[[int, int], None] | None = None,
) -> DescribeReport:
    """Give image words to all photos that have none. May be stopped and run again; queries go on meanwhile.

    ``place``: where photos are looked at, else ``workers`` threads. ``progress`` is called with photos done
    and in all. Raises ArchiveError when the archive cannot be written, ClusterError as `archive.there`."""
    start = time.perf_counter()
    report = DescribeReport()
    place = place or here(workers)
    with archive.writing() as catalog:
        with catalog.session() as session:
            total = session.scalar(select(func.count(Photo.id)).where(*_LACKING)) or 0
            wanted = session.execute(
                select(Photo.id, Photo.content_hash).where(*_LACKING).order_by(Photo.id)
            ).all()
        do = there.doing(place, _described, archive.store, max_pixels)
        photos = (((photo_id, content_hash), (content_hash,)) for photo_id, content_hash in wanted)
        write = parity.writer(catalog, archive.store)
        for (photo_id, content_hash), future in in_order(place, do, photos):
            try:
                made = future.result()
            except (FormatError, ArchiveError) as e:
                report.failed.append((photo_id, str(e)))
            else:
                _keep(catalog, archive.store, write, photo_id, content_hash, made)
                report.photos += 1
                report.bytes_added += made.added
            if progress is not None:
                progress(report.photos + len(report.failed), total)
    report.seconds = time.perf_counter() - start
    return report


def _keep(
    catalog: Catalog,
    store: Store,
    write: Callable[[str, bytes], None],
    photo_id: int,
    content_hash: str,
    made: _Described,
) -> None:
    """The file first: where it is stopped before the row, the next run finds the words in the file."""
    if made.data is not None:
        write(content_hash, made.data)
    features, _ = read_features(store, content_hash, made.record.map_bytes)
    catalog.update(photo_id, asdict(made.record), features)


def _described(store: Store, max_pixels: int, content_hash: str) -> _Described:
    """In a worker: a photo's file with its words, and what its row is to say."""
    from dsslic_search.codec import container, decoder
    from dsslic_search.codec.layers import words
    from dsslic_search.networks.runtime import use_one_thread

    use_one_thread()
    before = store.read(content_hash)
    contents = container.read(before)
    data = None
    if decoder.read_words(before, contents) is None:
        data = container.with_chunk(before, words.encode(words.look(_best(before, contents, max_pixels))[0]))
        contents = container.read(data)
    return _Described(data, ObjectRecord.of_header(contents), contents.total - len(before))


def _best(data: bytes, contents: Contents, max_pixels: int) -> NDArray[np.uint8]:
    """The pixels, uint8 [H, W, 3], of the best stage that a file has and that can be shown here."""
    import numpy as np

    from dsslic_search.codec.decoder import decode_stage

    trouble: DSSError | None = None
    for stage in reversed([stage for stage in contents.header.keep.stages if stage is not Stage.MAP]):
        try:
            pixels = decode_stage(data[: contents.stage_bytes(stage)], stage, max_pixels=max_pixels).pixels
        except StageError as e:  # weights that are not here
            trouble = e
            continue
        return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
    raise trouble or FormatError("this file has no stage that could be looked at")
