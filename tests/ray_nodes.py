"""A Ray cluster of several nodes on this machine, and a segmenter that tells on which of them it works.

Ray has to be there, and asked for: starting it takes a minute (`DSS_TEST_RAY=1`)."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from dsslic_search.networks.segmenter import SegNetSegmenter

ROOT = Path(__file__).parents[1]
STORE_BYTES = 100_000_000  # of shared memory, for each node

there = pytest.mark.skipif(
    find_spec("ray") is None or "DSS_TEST_RAY" not in os.environ,
    reason="Ray is an extra of 240 MB, and its cluster takes a minute to start: with it, set DSS_TEST_RAY=1",
)
_HELD = "held"


@contextmanager
def nodes_of_one_core(count: int) -> Iterator[Any]:
    """A cluster of so many nodes. Who connects to it is on the first."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    from ray.cluster_utils import Cluster

    each = {"num_cpus": 1, "object_store_memory": STORE_BYTES}
    cluster = Cluster(initialize_head=True, head_node_args={**each, "include_dashboard": False})
    try:
        for _ in range(count - 1):
            cluster.add_node(**each)
        yield cluster
    finally:
        cluster.shutdown()


def node_here() -> str:
    """The node whose process this is, if it is connected."""
    import ray

    return str(ray.get_runtime_context().get_node_id()) if ray.is_initialized() else "none"


class Noting(SegNetSegmenter):
    """SegNet, which notes in a folder of which photos it begins to make label maps, and where; on a node that
    is held it never ends."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def hold(self, node: str) -> None:
        """From now on nothing ends there."""
        (self.folder / _HELD).write_text(node)

    def begun(self, node: str = "") -> list[str]:
        """The photos that were begun, on a node or on all."""
        notes = (path.name.split("-") for path in self.folder.glob("*-*-*"))
        return [photo for photo, where, _ in notes if node in ("", where)]

    def segment_with_certainty(
        self, pixels: NDArray[np.uint8], map_size: tuple[int, int]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        node, photo = node_here(), hashlib.sha256(pixels.tobytes()).hexdigest()
        (self.folder / f"{photo}-{node}-{uuid4().hex}").touch()
        held = self.folder / _HELD
        while held.exists() and held.read_text() == node:
            time.sleep(0.05)
        return super().segment_with_certainty(pixels, map_size)
