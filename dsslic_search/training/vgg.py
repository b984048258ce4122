"""How different two pictures look to VGG19 (Simonyan & Zisserman 2015), as the paper's loss asks for it: L1
between its features after the first convolution of each of its five parts.

No weights ship with the package. They come from a file of somebody's own, with the names that torchvision
gives them (``features.0.weight`` …), as safetensors or as PyTorch's ``.pth``.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsslic_search.core.errors import WeightsError

# places of the convolutions up to each layer that is compared; a pooling stands before all groups but the
# first, after the convolutions of the part before
PARTS = ((0, 2), (5, 7), (10, 12, 14, 16), (19, 21, 23, 25), (28,))
WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
_MEAN, _SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's RGB, 0..1
_MAX_BYTES = 1 << 30


class VGGLoss(nn.Module):
    """Pictures float32 [N, 3, H, W] RGB 0..1, sides of 16 or more → distance, a scalar; gradients go to the
    first one only.

    ``path``: the weight file. WeightsError when it does not hold these layers.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        state = _read(path)
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None])
        self.register_buffer("spread", torch.tensor(_SPREAD)[:, None, None])
        channels = 3
        for i in (i for part in PARTS for i in part):
            kernel, bias = (state.get(f"features.{i}.{kind}") for kind in ("weight", "bias"))
            if (
                not isinstance(kernel, Tensor)
                or not isinstance(bias, Tensor)
                or kernel.shape[1:] != (channels, 3, 3)
                or bias.shape != kernel.shape[:1]
            ):
                raise WeightsError(
                    f"{path}: layer features.{i} is not VGG19's; give its weights as torchvision has them"
                )
            channels = len(bias)
            self.register_buffer(f"kernel{i}", kernel.to(torch.float32))
            self.register_buffer(f"bias{i}", bias.to(torch.float32))

    def features(self, pictures: Tensor) -> list[Tensor]:
        """Of five layers, [N, channels, h, w]."""
        x = (pictures - self.mean) / self.spread
        found: list[Tensor] = []
        for part in PARTS:
            x = F.max_pool2d(x, 2) if found else x
            for place, i in enumerate(part):
                x = F.relu(F.conv2d(x, self.get_buffer(f"kernel{i}"), self.get_buffer(f"bias{i}"), padding=1))
                if place == 0:
                    found.append(x)
        return found

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = self.features(real)
        found = self.features(made)
        parts = [w * F.l1_loss(a, b) for w, a, b in zip(WEIGHTS, found, wanted, strict=True)]
        return torch.stack(parts).sum()


def _read(path: Path) -> dict[str, object]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise WeightsError(f"{path}: larger than VGG19 is; give its weights as torchvision names them")
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, SafetensorError, RuntimeError, pickle.UnpicklingError, EOFError, ValueError) as e:
        reason = f" ({e.strerror})" if isinstance(e, OSError) and e.strerror else ""
        raise WeightsError(
            f"{path}: not a weight file that can be read{reason}; give VGG19's, as torchvision names them"
        ) from e
    if not isinstance(state, dict):
        raise WeightsError(f"{path}: holds no weights by name; give VGG19's, as torchvision names them")
    return state
