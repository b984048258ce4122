"""People's label maps of stored photos: put into their files, taken out again, and carried over when a photo
is stored anew.

A file is put together anew with the one chunk changed and every other as it was; it is written under a
temporary name and renamed, and then its row follows. Where that was stopped in between, `check` tells of an
outdated row and `repair` mends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from dsslic_search.archive.features import MapFeatures, read_features
from dsslic_search.archive.store import Store
from dsslic_search.archive.stored import ObjectRecord, StoredFile
from dsslic_search.core.errors import ArchiveError, DSSError, FormatError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dsslic_search.archive.folder import ArchiveFolder
    from dsslic_search.codec.chunk import Chunk


@dataclass
class RelabelReport:
    """``photos``: ids of those whose label map is another now; ``unchanged``: of those that had it already;
    ``failed``: (photo id, or the name of a picture that is none in the archive, and why)."""

    photos: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)
    failed: list[tuple[int | str, str]] = field(default_factory=list)


def relabel(
    archive: ArchiveFolder,
    wanted: Iterable[tuple[int, NDArray[np.uint8] | None]],
    progress: Callable[[int, int], None] = lambda _done, _failed: None,
) -> RelabelReport:
    """Give photos label maps by people, uint8 [h, w] at the size of their own, in the shipped vocabulary, or
    with None the segmenter's again. Each photo is settled before the next; ``progress`` is told how many are,
    and how many of them failed. Raises ArchiveError when the archive cannot be written."""
    from dsslic_search.archive import parity
    from dsslic_search.codec import container

    report = RelabelReport()
    with archive.writing() as catalog:
        write = parity.writer(catalog, archive.store)
        for photo_id, labels in wanted:
            try:
                row = catalog.photo(photo_id)
                if row is None:
                    raise ArchiveError(f"photo {photo_id}: no such id")
                data = _with_map(archive.store, row.content_hash, labels)
                if data is not None:
                    write(row.content_hash, data)
                    record = ObjectRecord.of_header(container.read_contents(data))
                    features, _ = read_features(archive.store, row.content_hash, record.map_bytes)
                    catalog.update(photo_id, asdict(record), features)
            except DSSError as e:
                report.failed.append((photo_id, str(e)))
            else:
                (report.unchanged if data is None else report.photos).append(photo_id)
            settled = len(report.photos) + len(report.unchanged)
            progress(settled + len(report.failed), len(report.failed))
    return report


def _with_map(store: Store, content_hash: str, labels: NDArray[np.uint8] | None) -> bytes | None:
    """The file of a photo with that label map by people; None where it is as it is to be."""
    from dsslic_search.codec import container
    from dsslic_search.codec.layers import people

    before = store.read(content_hash)
    contents = container.read(before)
    if not contents.header.keep.is_seen:
        raise FormatError("it could not be decoded and is kept as it is, so it has no label map")
    has = container.read_chunk(before, contents, people.LAYER.kind)
    if labels is None:
        return None if has is None else container.without_chunk(before, people.LAYER.kind)
    if labels.shape != contents.header.map_size:
        height, width = contents.header.map_size
        raise FormatError(
            f"a label map of {labels.shape[1]} × {labels.shape[0]} is not its {width} × {height}"
        )
    made = people.encode(labels)
    return None if has == made else container.with_chunk(before, made)


def peoples_map(store: Store, content_hash: str) -> Chunk | None:
    """The chunk of people's label map in a photo's file; None where there is none, or no sound file."""
    from dsslic_search.codec.layers import people

    with suppress(FormatError, ArchiveError):
        return StoredFile(store, content_hash).chunk(people.LAYER.kind)
    return None


def carried_over(
    store: Store, content_hash: str, data: bytes, features: MapFeatures
) -> tuple[bytes, int, MapFeatures] | None:
    """What is to be stored instead of a new file of a photo and its features, where the file that is there
    has people's label map, and how many of its bytes hold the base layer; None where it has none."""
    from dsslic_search.archive.features import colours_of, features_of
    from dsslic_search.codec import container, decoder
    from dsslic_search.core import vocabulary

    chunk = peoples_map(store, content_hash)
    if chunk is None or not container.read_contents(data).header.keep.is_seen:
        return None
    made = container.with_chunk(data, chunk)
    contents = container.read_contents(made)
    base = decoder.read_base(made)
    colours = colours_of(made, base.label_map, contents.header.map_scale)
    classes = vocabulary.default()
    described = features_of(base.label_map, classes, base.certainties, features.words, colours)
    return made, contents.base_bytes, described


def labelled_photos(store: Store, hashes: Iterable[tuple[int, str]]) -> Iterator[int]:
    """The ids, of photos with the hashes of their originals, whose files have people's label map."""
    for photo_id, content_hash in hashes:
        if peoples_map(store, content_hash) is not None:
            yield photo_id
