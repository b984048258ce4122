"""The architectures that a SegNet may have, by the ``encoder`` of its config."""

from __future__ import annotations

from torch import nn

from dsslic_search.networks.mosaic import MosaicSegNet
from dsslic_search.networks.segnet import ConvNorm, SegNet, SegNetConfig, folded

AnySegNet = SegNet | MosaicSegNet
ARCHITECTURES: dict[str, type[SegNet] | type[MosaicSegNet]] = {
    "efficientnet-lite0": SegNet,
    "mosaic": MosaicSegNet,
}


def made(config: SegNetConfig, *, folded: bool = True) -> AnySegNet:
    """The network that a config tells of; its batch norms are ``folded`` into convolutions unless it is to be
    trained. ValueError for an encoder that there is not."""
    if config.encoder not in ARCHITECTURES:
        raise ValueError(f"an encoder {config.encoder!r}")
    return ARCHITECTURES[config.encoder](config, folded)


def fold(net: AnySegNet) -> AnySegNet:
    """A copy whose batch norms are folded into the convolutions before them; same outputs in eval mode."""
    plain = made(net.config)
    state = net.state_dict()
    for name, module in net.named_modules():
        if isinstance(module, ConvNorm) and isinstance(module.norm, nn.BatchNorm2d):
            weight, bias = folded(module.conv.weight, module.norm)
            state[f"{name}.conv.weight"], state[f"{name}.conv.bias"] = weight, bias
    plain.load_state_dict({k: state[k].detach() for k in plain.state_dict()})
    return plain.eval()
