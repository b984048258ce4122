"""One weight file out of several SegNets, whose mean counts (`networks.segnets.Together`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dsslic_search.core.errors import UsageError
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.segnets import Together, joined


def join(files: Sequence[Path], out: Path) -> str:
    """Write networks to ``out`` as one, which is not calibrated yet; returns its identity. WeightsError when
    a file is unsound, UsageError where they cannot be joined."""
    if len(files) < 2:
        raise UsageError("name at least two weight files to join")
    nets = [runtime.load("segnet", path) for path in files]
    whole = next((path for path, net in zip(files, nets, strict=True) if isinstance(net, Together)), None)
    if whole is not None:
        raise UsageError(f"{whole}: is of several networks already; join those that it was made of")
    try:
        net = joined(nets)
    except ValueError as e:
        raise UsageError(
            f"{', '.join(map(str, files))}: cannot be joined, they have {e}; join a SegNet that was trained "
            "from ImageNet's weights and one from MOSAIC's, of one class list"
        ) from e
    return weights.save(out, net, "segnet", net.config)
