"""Pictures of stages, as browsers show them, and a folder that keeps them: bounded, and of no use to anybody
when it is lost."""

from __future__ import annotations

import io
import os
import re
import threading
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.core.files import TEMPORARY
from dsslic_search.core.kinds import Stage
from dsslic_search.web.refusals import Refusal

if TYPE_CHECKING:
    from PIL import Image

    from dsslic_search.api import Preview

FORMATS = {"png": "image/png", "webp": "image/webp", "jpeg": "image/jpeg"}
JPEG_QUALITY, WEBP_QUALITY = 88, 84
"""Of pictures to look at; PNG and the label map's are exact."""
COMPACT_WEBP_QUALITY = 70
"""Of compact images, which are shown enlarged and soon give way: two thirds of the bytes at 84."""
SWEPT_TO = 0.9
"""Of the limit, where the oldest pictures go."""
SUM_BYTES = 4
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}")


def encoded(preview: Preview, form: str, size: int | None, most_pixels: int) -> bytes:
    """A stage as the bytes of a picture file whose longer side is at most ``size`` pixels; the label map in
    its colours, exact, each pixel one of the map's. Refusal 413 for more than ``most_pixels``."""
    from PIL import Image

    image = preview.image
    labels = preview.vocabulary is not None
    if image.width * image.height > most_pixels:
        raise Refusal(
            413, f"{image.width} × {image.height} pixels are more than the limit of {most_pixels:,}"
        )
    if size is not None and max(image.size) > size:
        scale = size / max(image.size)
        to = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(to, Image.Resampling.NEAREST if labels else Image.Resampling.LANCZOS)
    out = io.BytesIO()
    match form:
        case "png":
            image.save(out, "PNG", compress_level=4)
        case "webp" if labels:
            image.convert("RGB").save(out, "WEBP", lossless=True, method=2)
        case "webp":
            quality = COMPACT_WEBP_QUALITY if preview.stage == Stage.COMPACT else WEBP_QUALITY
            _plain(image).save(out, "WEBP", quality=quality, method=4 if image.width < 512 else 2)
        case _:
            _on_white(image).save(out, "JPEG", quality=95 if labels else JPEG_QUALITY)
    return out.getvalue()


def _plain(image: Image.Image) -> Image.Image:
    return image if image.mode in ("RGB", "RGBA") else image.convert("RGBA" if "A" in image.mode else "RGB")


def _on_white(image: Image.Image) -> Image.Image:
    """JPEG has no transparency."""
    from PIL import Image

    if "A" not in image.getbands():
        return image if image.mode in ("RGB", "L") else image.convert("RGB")
    whole = image.convert("RGBA")
    paper = Image.new("RGBA", whole.size, "white")
    paper.alpha_composite(whole)
    return paper.convert("RGB")


def _sum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(SUM_BYTES, "little")


@dataclass
class Cache:
    """Files under ``folder`` of at most ``limit`` bytes in all: when more are written, those that were not
    asked for the longest go. A folder that cannot be written costs time, nothing else; nor does damage, as
    each file ends with its CRC-32."""

    folder: Path
    limit: int

    def __post_init__(self) -> None:
        self._turn = threading.Lock()
        self._bytes: int | None = None

    def get(self, name: str) -> bytes | None:
        """What is kept under a name, as it was put there."""
        path = self._path(name)
        try:
            kept = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        data, ending = kept[:-SUM_BYTES], kept[-SUM_BYTES:]
        return data if ending == _sum(data) else None

    def put(self, name: str, data: bytes) -> None:
        """Keep something under a name, for as long as there is room."""
        path = self._path(name)
        data += _sum(data)
        if len(data) > self.limit:
            return
        temporary = path.with_name(f"{path.name}.{threading.get_ident()}{TEMPORARY}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(data)
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            return
        with self._turn:
            if self._bytes is None:
                self._bytes = sum(size for _, size, _ in self._kept())
            else:
                self._bytes += len(data)
            if self._bytes > self.limit:
                self._sweep()

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or name.startswith("."):
            raise ValueError(name)
        return self.folder / name[:2] / name

    def _kept(self) -> list[tuple[float, int, Path]]:
        found = []
        for path in self.folder.glob("*/*"):
            with suppress(OSError):
                looks = path.stat()
                found.append((looks.st_mtime, looks.st_size, path))
        return found

    def _sweep(self) -> None:
        kept = sorted(self._kept())
        left = sum(size for _, size, _ in kept)
        for _, size, path in kept:
            if left <= SWEPT_TO * self.limit:
                break
            with suppress(OSError):
                path.unlink()
                left -= size
        self._bytes = left


def cache_folder() -> Path:
    """Where pictures are kept: $DSS_CACHE, else the user's cache folder."""
    from platformdirs import user_cache_path

    named = os.environ.get("DSS_CACHE")
    return (Path(named) if named else user_cache_path("dsslic-search", appauthor=False)) / "pictures"
