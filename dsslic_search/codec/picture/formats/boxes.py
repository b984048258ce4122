"""Boxes of the ISO base media family (ISO/IEC 14496-12), as AVIF, HEIF, JPEG 2000 and JPEG XL files have
them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MAX_BOXES = 10_000


@dataclass(frozen=True)
class Box:
    """``kind``: its four letters; ``start``, ``end``: of what is in it."""

    kind: bytes
    start: int
    end: int


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes of a stretch of bytes, one after the other; ends where one would go beyond it."""
    end = len(data) if end is None else end
    for _ in range(MAX_BOXES):
        if start + 8 > end:
            return
        size, head = int.from_bytes(data[start : start + 4], "big"), 8
        if size == 1:
            size, head = int.from_bytes(data[start + 8 : start + 16], "big"), 16
        elif size == 0:
            size = end - start
        if size < head or start + size > end:
            return
        yield Box(bytes(data[start + 4 : start + 8]), start + head, start + size)
        start += size


def find(data: bytes, path: tuple[bytes, ...], start: int = 0, end: int | None = None) -> Box | None:
    """The first box at a path of kinds. What is in "meta" begins after its version."""
    for box in boxes(data, start, end):
        if box.kind == path[0]:
            if len(path) == 1:
                return box
            inner = box.start + (4 if box.kind == b"meta" else 0)
            return find(data, path[1:], inner, box.end)
    return None
