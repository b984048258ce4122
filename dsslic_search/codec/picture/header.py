"""What a file's header tells before anything is decoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dsslic_search.codec.picture.raster import Embedded, Raster


@dataclass(frozen=True)
class Companions:
    """What stands beside the primary picture in a file, and is not read. ``gain_map``: whether there is one,
    which would make it a picture of high dynamic range. ``pictures``: in the file, without gain maps and
    thumbnails. ``clip_bytes``: of a motion photo's clip, 0 for none."""

    gain_map: bool = False
    pictures: int = 1
    clip_bytes: int = 0

    def notes(self, format_: str) -> tuple[str, ...]:
        """What a person should know of the primary picture of a file of that format."""
        found = []
        if self.gain_map:
            found.append(f"primary picture of a gain-map {format_} (HDR part not used)")
        if self.pictures > 1:
            found.append(f"picture 1 of {self.pictures}")
        return tuple(found)


@dataclass(frozen=True)
class Header:
    """``format``: "JPEG", "PNG" …; ``width``, ``height``: of the picture that ``decode`` gives, in pixels,
    before it is turned upright; ``embedded()``: what stands beside it, which
    some formats have behind the pixels, so it is asked for after them. ``companions()``: what else is in the
    file. ``elsewhere()``: bytes of memory that another process takes while it decodes.

    ``decode(shrink)`` gives the picture; where the format can (JPEG), every side shrunk ``shrink`` times, 1,
    2, 4 or 8, rounded up, else as it is. It may raise anything for damage."""

    format: str
    width: int
    height: int
    decode: Callable[[int], Raster]
    embedded: Callable[[], Embedded] = Embedded
    companions: Callable[[], Companions] = Companions
    elsewhere: Callable[[], int] = int
