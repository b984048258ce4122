"""How many classes the weights of a `transformers` model tell apart, by the shape of its last layer.

Of safetensors files the headers say it, so that nothing is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dsslic_search.core.plain_json import parsed

HEADER_LENGTH_BYTES = 8  # at the start of a safetensors file, little-endian
MAX_HEADER_BYTES = 100_000_000  # what the format allows

# The last layers of the library's segmenters: the end of their name, and outputs that are no class, as for
# queries that find nothing.
_HEADS = {
    "decode_head.classifier.weight": 0,  # SegFormer, BEiT, Data2Vec, UperNet
    "segmentation_head.classifier.convolution.weight": 0,  # MobileNetV2, MobileViT
    "head.head.4.weight": 0,  # DPT
    "class_predictor.weight": 1,  # MaskFormer, Mask2Former, EoMT
    "decoder.class_embed.weight": 1,  # OneFormer
    "class_labels_classifier.weight": 1,  # DETR
}
_SECOND_HEADS = ("auxiliary_head.",)  # help in training, and are not asked


class Outputs(NamedTuple):
    """The ``classes`` that a layer gives scores for, and the ``layer``'s name."""

    classes: int
    layer: str


def outputs_of(layer: str, shape: Sequence[int]) -> Outputs | None:
    """What a tensor of this name and shape says; None for one that is no last layer known here."""
    if not shape or layer.startswith(_SECOND_HEADS):
        return None
    beside = next((more for end, more in _HEADS.items() if f".{layer}".endswith(f".{end}")), None)
    return None if beside is None else Outputs(shape[0] - beside, layer)


def stored_outputs(weights: Sequence[Path]) -> Outputs | None:
    """What safetensors files say, from their headers; None where there is no last layer known here, and for
    files of other kinds or that cannot be read, of which loading will tell."""
    found = (outputs_of(*tensor) for path in weights for tensor in _tensors(path))
    return next((outputs for outputs in found if outputs is not None), None)


def _tensors(path: Path) -> Iterator[tuple[str, list[int]]]:
    """Names and shapes in a safetensors file."""
    try:
        with path.open("rb") as f:
            length = int.from_bytes(f.read(HEADER_LENGTH_BYTES), "little")
            if path.suffix != ".safetensors" or not 0 < length <= MAX_HEADER_BYTES:
                return
            header = parsed(f.read(length))
        tensors = [(name, [int(n) for n in of["shape"]]) for name, of in header.items() if "shape" in of]
    except (OSError, ValueError, TypeError, AttributeError, OverflowError):
        return
    yield from tensors
