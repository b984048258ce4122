"""The architectures that a SegNet may have, by the ``encoder`` of its config: one of ARCHITECTURES, or some
with + between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from torch import Tensor, nn

from dsslic_search.networks.mosaic import MosaicSegNet
from dsslic_search.networks.segnet import ConvNorm, SegNet, SegNetConfig, folded

ARCHITECTURES: dict[str, type[SegNet] | type[MosaicSegNet]] = {
    "efficientnet-lite0": SegNet,
    "mosaic": MosaicSegNet,
}
TOGETHER = "+"
ALIKE = ("classes", "vocabulary", "width", "area")
"""What of their configs networks have to share to be joined."""


class Together(nn.Module):
    """Several networks of which each says its scores, and the mean counts: an ensemble (Hansen and Salamon
    1990) by the geometric mean of probabilities. Takes and gives what each does."""

    def __init__(self, config: SegNetConfig, folded: bool = True) -> None:
        super().__init__()
        encoders = str(config.encoder).split(TOGETHER)
        if len(set(encoders)) < len(encoders):
            raise ValueError("an encoder twice")
        self.config = config
        self.members = nn.ModuleList(
            ARCHITECTURES[encoder](replace(config, encoder=encoder), folded) for encoder in encoders
        )

    @property
    def quick(self) -> nn.Module:
        """The one that is asked alone where time is short."""
        return self.members[-1]

    @property
    def encoder(self) -> list[nn.Module]:
        """Those of all, one after another."""
        return [part for member in self._each for part in member.encoder]

    @property
    def settled(self) -> list[nn.Module]:
        """The first layers of all."""
        return [part for member in self._each for part in member.settled]

    @property
    def between(self) -> list[nn.Module]:
        """What began with weights besides the encoders."""
        return [part for member in self._each for part in member.between]

    @property
    def _each(self) -> list[SegNet | MosaicSegNet]:
        return cast("list[SegNet | MosaicSegNet]", list(self.members))

    def forward(self, x: Tensor) -> Tensor:
        scores = self.members[0](x)
        for member in self.members[1:]:
            scores = scores + member(x)
        return scores / len(self.members)


AnySegNet = SegNet | MosaicSegNet | Together


def made(config: SegNetConfig, *, folded: bool = True) -> AnySegNet:
    """The network that a config tells of; its batch norms are ``folded`` into convolutions unless it is to be
    trained. KeyError for an encoder that there is not, ValueError for one that is there twice."""
    if TOGETHER in str(config.encoder):
        return Together(config, folded)
    return ARCHITECTURES[config.encoder](config, folded)


def joined(nets: Sequence[SegNet | MosaicSegNet]) -> Together:
    """Networks of one class list, width and area as one, that is to be calibrated. ValueError where they
    differ, or have the same encoder."""
    plain = {replace(SegNetConfig(), **{n: getattr(net.config, n) for n in ALIKE}) for net in nets}
    if len(plain) > 1:
        raise ValueError("different class lists, widths or areas")
    whole = Together(replace(plain.pop(), encoder=TOGETHER.join(net.config.encoder for net in nets)))
    for member, net in zip(whole.members, nets, strict=True):
        member.load_state_dict(net.state_dict())
    return whole.eval()


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
