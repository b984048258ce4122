"""Weight files: float16 safetensors with their architecture in the metadata, named by a hash of their bytes.

The identity of a weight file (the first 8 bytes of its SHA-256, in hex) goes into every .dsslic file that
depends on it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsslic_search.core.errors import WeightsError
from dsslic_search.core.files import write_atomically
from dsslic_search.core.plain_json import parsed

if TYPE_CHECKING:
    from torch import nn

MAX_BYTES = 128 << 20


@cache
def folder() -> Path:
    """Where the shipped weights are: inside an installed package, or at the top of a source tree."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "weights", package.parent / "weights"):
        if place.is_dir():
            return place
    raise WeightsError(f"no weights folder beside {package}; reinstall dsslic-search")


def advice(path: Path) -> str:
    """What to do about a weight file that cannot be used."""
    if path.resolve().is_relative_to(folder().resolve()):
        return "reinstall dsslic-search"
    return "name another file, or make it anew"


@cache
def identity(path: Path) -> str:
    """16 hex digits that name the weight file. Raises WeightsError when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as e:
        raise WeightsError(f"{path}: cannot read network weights ({e.strerror}); {advice(path)}") from e


def find(wanted: str) -> Path | None:
    """The weight file of an identity: one that ships, or one that shipped before and is kept for the files
    that depend on it."""
    places = folder(), folder() / "earlier"
    return next(
        (
            path
            for place in places
            for path in sorted(place.glob("*.safetensors"))
            if identity(path) == wanted
        ),
        None,
    )


def save(path: Path, net: nn.Module, architecture: str, config: Any) -> str:
    """Write ``net``'s parameters as float16 with its dataclass ``config``; returns the identity."""
    import torch
    from safetensors.torch import save as pack

    tensors = {k: v.detach().to("cpu", torch.float16).contiguous() for k, v in net.state_dict().items()}
    # One entry: several are written in no fixed order, and the bytes name the weights.
    metadata = {
        "network": json.dumps(
            {"architecture": architecture, "config": dataclasses.asdict(config)}, sort_keys=True
        )
    }
    write_atomically(path, pack(tensors, metadata))
    identity.cache_clear()
    return identity(path)


def load(path: Path, architecture: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(config fields, float32 state dict) of a weight file; WeightsError when it is not of that
    architecture."""
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        if path.stat().st_size > MAX_BYTES:
            raise WeightsError(f"{path}: larger than any weight file of this package; {advice(path)}")
        with safe_open(path, "pt") as f:
            network = parsed((f.metadata() or {}).get("network", "{}"))
            if not isinstance(network, dict) or not isinstance(network.get("config"), dict):
                raise ValueError("it tells of no network")
            if network.get("architecture") != architecture:
                held = str(network.get("architecture", "no known network"))[:40]
                raise WeightsError(f"{path}: holds {held}, wanted {architecture}")
            tensors = {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118 (not a dict)
        if not all(t.is_floating_point() for t in tensors.values()):
            raise ValueError("its tensors hold no fractions")
        state = {k: t.to(torch.float32) for k, t in tensors.items()}
        # One number that is none, of a damaged file, makes all that the network says none; and a sum, which
        # is sooner told than each number is looked at.
        if not all(math.isfinite(t.sum(dtype=torch.float64).item()) for t in state.values()):
            raise ValueError("its tensors hold what is no number")
        return network["config"], state
    except (OSError, SafetensorError, ValueError, KeyError) as e:
        why = getattr(e, "strerror", None) or e
        raise WeightsError(f"{path}: not a readable weight file ({why}); {advice(path)}") from e
