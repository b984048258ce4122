"""What a file's header tells before anything is decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dsslic_search.codec.picture.raster import Embedded, Raster


@dataclass(frozen=True)
class Header:
    """``format``: "JPEG", "PNG" …; ``width``, ``height``: of the picture that ``decode`` gives, in pixels,
    before it is turned upright; ``embedded()``: what stands beside it, which
    some formats have behind the pixels, so it is asked for after them.

    ``decode(shrink)`` gives the picture; where the format can (JPEG), every side shrunk ``shrink`` times, 1,
    2, 4 or 8, rounded up, else as it is. It may raise anything for damage."""

    format: str
    width: int
    height: int
    decode: Callable[[int], Raster]
    embedded: Callable[[], Embedded] = Embedded
