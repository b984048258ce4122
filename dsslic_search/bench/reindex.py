"""How fast an archive is described anew from its base layers alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from dsslic_search.api import Archive
from dsslic_search.archive.store import Store
from dsslic_search.bench.rd import photos_in

SIZE = (640, 480)


def run(folder: Path, copies: int) -> dict[str, Any]:
    """Ingest the photos of ``folder`` at 640×480 by reference, ``copies`` mirrored or turned versions of
    each, then reindex.

    ``bytes_read`` is counted where files are read, not taken from the catalog.
    """
    with tempfile.TemporaryDirectory() as place:
        photos = Path(place) / "photos"
        photos.mkdir()
        for path in photos_in(folder):
            with Image.open(path) as opened:
                photo = opened.convert("RGB").resize(SIZE)
            for i in range(copies):
                version = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if i % 2 else photo
                version = version.point([max(0, v - i // 2) for v in range(256)] * 3)
                version.save(photos / f"{path.stem}-{i}.jpg", quality=90)
        with Archive(Path(place) / "archive") as archive:
            archive.ingest([photos], keep="reference")
            with _Meter() as meter:
                report = archive.reindex()
            stored = archive.statistics().stored_bytes
    return {
        "photos": report.photos,
        "size": list(SIZE),
        "seconds": round(report.seconds, 3),
        "photos_per_second": round(report.photos / report.seconds, 1),
        "bytes_read": meter.bytes,
        "bytes_of_label_map_prefixes": report.bytes_read,
        "bytes_stored": stored,
    }


class _Meter:
    """Counts the bytes that stores give out."""

    def __init__(self) -> None:
        self.bytes = 0

    def __enter__(self) -> _Meter:
        self._read_prefix = Store.read_prefix
        meter, read_prefix = self, self._read_prefix

        def counted(store: Store, content_hash: str, n: int, *, start: int = 0) -> bytes:
            data = read_prefix(store, content_hash, n, start=start)
            meter.bytes += len(data)
            return data

        Store.read_prefix = counted  # type: ignore[method-assign, assignment]  # the one place that all reads of prefixes pass
        return self

    def __exit__(self, *_error: object) -> None:
        Store.read_prefix = self._read_prefix  # type: ignore[method-assign]  # as it was
