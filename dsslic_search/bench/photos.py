"""The one place where benchmarks open folders of photos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dsslic_search.codec.picture.open import SourcePhoto, open_photo
from dsslic_search.core.errors import UsageError
from dsslic_search.core.settings import DEFAULT_MAX_PIXELS

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


def photos_in(folder: Path, names: Sequence[str] | None = None) -> list[Path]:
    """The photos directly in ``folder``, sorted; ``names``: of these alone, with their endings or without.
    UsageError when there are none, and for a name that none has."""
    found = sorted(p for p in folder.glob("*") if p.suffix.lower() in SUFFIXES)
    if not found:
        raise UsageError(f"{folder}: no photos here; name a folder of {', '.join(SUFFIXES)} files")
    if names is None:
        return found
    chosen = {name: [p for p in found if name in (p.name, p.stem)] for name in names}
    for name, paths in chosen.items():
        if not paths:
            raise UsageError(f"{folder}: no photo here is called {name}; the first one is {found[0].name}")
    return sorted({path for paths in chosen.values() for path in paths})


def read_photo(path: Path) -> SourcePhoto:
    """A photo as it is encoded: upright, 8-bit sRGB. PhotoError for what cannot be read."""
    return open_photo(path.read_bytes(), path.name, DEFAULT_MAX_PIXELS)
