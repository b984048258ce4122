"""The one place where benchmarks open folders of photos."""

from __future__ import annotations

from pathlib import Path

from dsslic_search.codec.picture.open import SourcePhoto, open_photo
from dsslic_search.core.errors import UsageError
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


def photos_in(folder: Path) -> list[Path]:
    """The photos directly in ``folder``, sorted. UsageError when there are none."""
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES)
    if not found:
        raise UsageError(f"{folder}: no photos here; name a folder of {', '.join(SUFFIXES)} files")
    return found


def read_photo(path: Path) -> SourcePhoto:
    """A photo as it is encoded: upright, 8-bit sRGB. PhotoError for what cannot be read."""
    return open_photo(path.read_bytes(), path.name, DEFAULT_MAX_PIXELS)
