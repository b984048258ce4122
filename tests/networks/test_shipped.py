"""The shipped weights: float16, small, each with a model card that speaks of this very file."""

from __future__ import annotations

import hashlib

import pytest
import torch
from safetensors import safe_open

from dsslic_search.networks import runtime, weights

COMMANDS = {
    "segnet": "segnet",
    "compnet": "codec",
    "finenet": "codec",
    "finenet_perceptual": "codec",
    "restorer": "restoration",
}
NAMES = tuple(COMMANDS)


def test_all_weights_together_are_small():
    assert sum(p.stat().st_size for p in weights.folder().rglob("*") if p.is_file()) < 40_000_000


@pytest.mark.parametrize("name", NAMES)
def test_the_model_card_speaks_of_this_file(name: str):
    path = weights.folder() / f"{name}.safetensors"
    card = path.with_suffix(".md").read_text()
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    parameters = sum(p.numel() for p in runtime.network(name).parameters())
    assert f"{parameters:,}" in card
    for heading in ("Data", "Training", "Quality", "Limits"):
        assert f"## {heading}" in card
    assert f"dss-search train {COMMANDS[name]}" in card


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_float16_and_finite(name: str):
    with safe_open(weights.folder() / f"{name}.safetensors", "pt") as f:
        for key in f.keys():  # noqa: SIM118 (not a dict)
            tensor = f.get_tensor(key)
            assert tensor.dtype == torch.float16
            assert torch.isfinite(tensor).all()
