"""LPIPS of 8-bit pictures with the shipped weights; smaller is better, 0 when equal."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

_loading = threading.Lock()


@cache
def _shipped() -> Any:
    from dsslic_search.networks import weights
    from dsslic_search.networks.lpips import Lpips, LpipsConfig

    config, state = weights.load(weights.folder() / "lpips.safetensors", "lpips")
    net = Lpips(LpipsConfig(**config))
    net.load_state_dict(state)
    return net.eval()


class PerceptualDistance:
    """From one picture, uint8 [H, W, 3] sRGB with sides of 31 or more, to others of its size: its features
    are computed once.

    Raises ValueError for pictures that are not so, WeightsError when the weight file is unsound. May be
    called from many threads.
    """

    def __init__(self, reference: NDArray[np.uint8]) -> None:
        from dsslic_search.networks.lpips import MIN_SIDE

        if reference.ndim != 3 or reference.shape[2] != 3 or min(reference.shape[:2]) < MIN_SIDE:
            raise ValueError(
                f"LPIPS compares RGB pictures with sides of {MIN_SIDE} or more, not {list(reference.shape)}"
            )
        with _loading:
            self._net = _shipped()
        self._shape = reference.shape
        self._features = self._of(reference)

    def __call__(self, picture: NDArray[np.uint8]) -> float:
        import torch

        if picture.shape != self._shape or picture.dtype != np.uint8:
            raise ValueError(
                f"two uint8 pictures of one size are compared, not {list(self._shape)} and "
                f"{list(picture.shape)}"
            )
        with torch.inference_mode():
            return float(self._net.distance(self._features, self._of(picture)))

    def _of(self, picture: NDArray[np.uint8]) -> list[Tensor]:
        import torch

        with torch.inference_mode():
            pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].to(torch.float32) / 255
            found: list[Tensor] = self._net.features(pixels)
        return found
