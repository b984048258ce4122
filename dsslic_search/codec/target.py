"""Meeting a target: the quality whose file is the best, or the smallest, that a size or a PSNR allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.fitting import squared_error
from dsslic_search.codec.options import Target
from dsslic_search.core.errors import Remedy, TargetError
from dsslic_search.core.kinds import KeepMode


class File(Protocol):
    """A photo encoded at some quality."""

    @property
    def data(self) -> bytes: ...


AnyFile = TypeVar("AnyFile", bound=File)


def meet(target: Target, photo: NDArray[np.uint8], encode_at: Callable[[int], AnyFile]) -> AnyFile:
    """The file that ``encode_at`` gives at the quality that meets a target, by bisection: size and PSNR grow
    with quality.

    ``photo``: uint8 [H, W, 3] or [H, W], what is encoded. TargetError where no quality from 1 to 100 meets
    it.
    """
    low, high, best = 1, 100, None  # qualities that are still open
    while low <= high:
        middle = (low + high) // 2
        tried = encode_at(middle)
        met = _meets(target, photo, tried.data)
        if met:
            best = tried
        if met == (target.kind == "psnr"):
            high = middle - 1
        else:
            low = middle + 1
    if best is None:
        raise TargetError(f"no quality from 1 to 100 gives this photo {_wish(target)}; {_advice(target)}")
    return best


def _meets(target: Target, photo: NDArray[np.uint8], data: bytes) -> bool:
    pixels = photo.shape[0] * photo.shape[1]
    if target.kind == "psnr":
        shown = decode_stage(data, max_pixels=pixels).pixels
        return squared_error(shown, photo) / shown.size <= 255**2 / 10 ** (target.value / 10)
    return len(data) <= (target.value if target.kind == "bytes" else target.value * pixels / 8)


def _wish(target: Target) -> str:
    return {
        "psnr": f"{target.value:g} dB",
        "bpp": f"{target.value:g} bits a pixel",
        "bytes": f"{target.value:.0f} bytes",
    }[target.kind]


def _advice(target: Target) -> str:
    if target.kind == "psnr":
        return f"try {Remedy.LOSSLESS}"
    return f'at this size, keep mode "{KeepMode.COARSE}" is what may fit'
