"""Keeping a training run, so that it can be interrupted and resumed, and how long it may be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dsslic_search.core.errors import UsageError


@dataclass(frozen=True)
class Budget:
    """How long a run may be: ``steps``, or ``minutes`` of wall time, those before an interruption counted."""

    steps: int | None = None
    minutes: float | None = None

    def spent(self, step: int, seconds: float) -> float:
        """The part that is spent, 0..1."""
        if self.steps is not None:
            return min(1.0, step / self.steps)
        assert self.minutes is not None
        return min(1.0, seconds / (60 * self.minutes))


class Seconds:
    """What a run has taken, kept in its checkpoint."""

    def __init__(self) -> None:
        self.spent = 0.0

    def state_dict(self) -> dict[str, float]:
        """As torch's parts have it."""
        return {"spent": self.spent}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """The other way."""
        self.spent = state["spent"]


def keep(path: Path, parts: dict[str, Any], step: int, settings: dict[str, Any]) -> None:
    """Write the state of networks and optimisers after ``step`` steps; a reader sees the old file or the new
    one, whole."""
    partial = path.with_suffix(".tmp")
    torch.save(
        {name: part.state_dict() for name, part in parts.items()} | {"step": step, "settings": settings},
        partial,
    )
    partial.replace(path)


def resume(path: Path, parts: dict[str, Any], settings: dict[str, Any], device: torch.device) -> int:
    """Load what :func:`keep` wrote and return the step to go on from, 0 when there is nothing yet.

    UsageError when the run was begun with other settings: half of each would be neither.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return 0
    saved = torch.load(path, map_location=device, weights_only=True)
    if saved["settings"] != settings:
        differing = sorted(
            key for key in settings | saved["settings"] if settings.get(key) != saved["settings"].get(key)
        )
        raise UsageError(
            f"{path}: that run was begun with other settings ({', '.join(differing)}); give the same ones, "
            "or another --run"
        )
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    print(f"resuming at step {saved['step']}", flush=True)
    return int(saved["step"])
