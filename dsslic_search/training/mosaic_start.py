"""A SegNet that begins with MOSAIC's weights (MLCommons, Apache-2.0; ``v3_0/CoreML/Mosaic.mlmodel`` of its
mobile models), as a folder holds them: ``mosaic_fp16.json``, its graph, and ``mosaic_fp16.npz``, the tensors
that the graph names.

Each convolution of the graph, in the order in which it runs, is one of :class:`Mosaic`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dsslic_search.core.errors import WeightsError
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.networks.mosaic import FINE, Conv, Mosaic, MosaicSegNet

FILES = ("mosaic_fp16.json", "mosaic_fp16.npz")
CLASSES = (
    *("other", "wall", "building", "sky", "floor", "tree", "ceiling", "road", "bed", "windowpane", "grass"),
    *("cabinet", "sidewalk", "person", "earth", "door", "table", "mountain", "plant", "curtain", "chair"),
    *("car", "water", "painting", "sofa", "shelf", "house", "sea", "mirror", "rug", "field", "armchair"),
)
"""MOSAIC's, by their numbers: the scene classes that ADE20K has most of (Zhou et al. 2017), and all else."""
SAME = {"house": "building"}  # of which training knows one (`training.targets`)
UNKNOWN_BEFORE = -2.0  # what a class that MOSAIC has not begins with, beside its scores from 0 on
NEVER = -8.0


def begin(net: MosaicSegNet, folder: Path, classes: Vocabulary) -> None:
    """Have ``net`` say what MOSAIC says, of the classes that both have. WeightsError where the folder does
    not hold its weights."""
    try:
        _fill(net.mosaic, folder)
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as e:
        raise WeightsError(
            f"{folder}: does not hold MOSAIC's weights as {' and '.join(FILES)} ({e}); name a folder that "
            "does, or the weights of a trained SegNet"
        ) from e
    numbers = {c.name: c.id for c in classes.classes}
    weight, bias = torch.zeros_like(net.carried.weight), torch.full((len(classes),), UNKNOWN_BEFORE)
    for number, name in enumerate(CLASSES):
        meant = SAME.get(name, name)
        if meant in numbers:
            weight[numbers[meant], number], bias[numbers[meant]] = 1, 0
        if meant != name and name in numbers:
            bias[numbers[name]] = NEVER
    net.carried.load_state_dict({"weight": weight, "bias": bias})
    silent = torch.zeros(len(classes))
    net.classifier.load_state_dict({"weight": 0.1 * net.classifier.weight.data, "bias": silent})


def _fill(mosaic: Mosaic, folder: Path) -> None:
    graph = json.loads((folder / FILES[0]).read_text())["graph"]
    with np.load(folder / FILES[1]) as tensors:
        values = {name: torch.from_numpy(tensors[name].astype(np.float32)) for name in tensors.files}
    scaled = {o["x"]: o for o in graph if o["op"] == "affine"}  # batch norms that were not folded
    layers = _in_order(mosaic)
    for operation in (o for o in graph if o["op"] == "conv"):
        weight = values[operation["w"]]
        bias = values[operation["b"]] if operation["b"] else torch.zeros(len(weight))
        if (norm := scaled.get(operation["out"])) is not None:
            scale = values[norm["s"]]
            weight, bias = weight * scale[:, None, None, None], bias * scale + values[norm["t"]]
        _copy(next(layers), weight, bias)
    if next(layers, None) is not None:
        raise ValueError("fewer layers than MOSAIC has")


def _copy(layer: Conv, weight: Tensor, bias: Tensor) -> None:
    if layer.conv.weight.shape != weight.shape:
        raise ValueError(f"a layer of {tuple(weight.shape)} for one of {tuple(layer.conv.weight.shape)}")
    layer.conv.load_state_dict({"weight": weight, "bias": bias})


def _in_order(mosaic: Mosaic) -> Iterator[Conv]:
    blocks: Any = mosaic.blocks
    yield mosaic.stem
    for number, block in enumerate(blocks):
        yield block.expand
        yield block.depthwise
        if number == FINE:
            yield mosaic.fine_classes
        yield block.project
    yield mosaic.last
    for layer in (*mosaic.pyramid.depthwise, *mosaic.pyramid.pointwise):
        assert isinstance(layer, Conv)
        yield layer
    yield from (mosaic.joined, mosaic.fuse, mosaic.separable, mosaic.classes)
