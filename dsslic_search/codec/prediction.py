"""x′, the photo as label map and compact image predict it. The encoder makes it as the decoder does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.bpg.colour import bands
from dsslic_search.networks import runtime

LUMA_WEIGHTS = (77, 150, 29)  # of red, green and blue in BT.601, / 256


def coarse_image(
    compact: NDArray[np.uint8],
    marks: NDArray[np.int64],
    size: tuple[int, int],
    grey: bool,
    network: str,
    identity: str | None = None,
) -> NDArray[np.uint8]:
    """The coarse image from a decoded compact image uint8 [h, w, 3] and labels as
    :func:`dsslic_search.networks.grid.network_labels` gives them: uint8 [H, W, 3], or [H, W] of a grey
    photo.

    ``size``: (H, W). ``network``: the FineNet that ships under that name; ``identity``: of the weights that
    it must be instead, StageError where they are not here.
    """
    coarse = runtime.make_coarse(compact, marks, *size, network, identity)
    return luma(coarse) if grey else coarse


def luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] → uint8 [H, W], BT.601 weights in integers."""
    out = np.empty(pixels.shape[:2], np.uint8)
    for at in bands(*pixels.shape[:2]):
        weighted = pixels[at].astype(np.uint16) @ np.array(LUMA_WEIGHTS, np.uint16)
        out[at] = (weighted + 128) >> 8
    return out
