from __future__ import annotations

import pytest
import torch

from dsslic_search.core.errors import WeightsError
from dsslic_search.networks import weights
from dsslic_search.networks.compnet import CompNet, CompNetConfig


def test_saved_weights_come_back_as_float16_kept_them(tmp_path):
    net = CompNet(CompNetConfig(width=16))
    name = weights.save(tmp_path / "c.safetensors", net, "compnet", net.config)
    config, state = weights.load(tmp_path / "c.safetensors", "compnet")
    assert CompNetConfig(**config) == net.config
    assert len(name) == 16
    for key, value in net.state_dict().items():
        assert torch.equal(state[key], value.half().float())


def test_identity_follows_the_bytes(tmp_path):
    net = CompNet(CompNetConfig(width=16))
    first = weights.save(tmp_path / "c.safetensors", net, "compnet", net.config)
    net.conv1.bias.data += 1
    assert weights.save(tmp_path / "c.safetensors", net, "compnet", net.config) != first


@pytest.mark.parametrize("content", [b"", b"nonsense" * 20])
def test_unsound_files_are_refused(tmp_path, content):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"bad\.safetensors"):
        weights.load(path, "compnet")
    with pytest.raises(WeightsError, match=r"gone\.safetensors"):
        weights.load(tmp_path / "gone.safetensors", "compnet")


@pytest.mark.parametrize("damage", [float("nan"), float("inf"), None], ids=str)
def test_weights_that_are_no_numbers_are_refused(tmp_path, damage):
    """Not even one, and none that are of whole numbers: all that the network said would be wrong."""
    net = CompNet(CompNetConfig(width=16))
    path = tmp_path / "bad.safetensors"
    weights.save(path, net, "compnet", net.config)
    weights.load(path, "compnet")
    if damage is None:
        path.write_bytes(path.read_bytes().replace(b'"F16"', b'"I16"'))
    else:
        net.conv1.bias.data[0] = damage
        weights.save(path, net, "compnet", net.config)
    with pytest.raises(WeightsError, match=r"bad\.safetensors: not a readable weight file"):
        weights.load(path, "compnet")


def test_another_architecture_is_refused(tmp_path):
    net = CompNet(CompNetConfig(width=16))
    weights.save(tmp_path / "c.safetensors", net, "compnet", net.config)
    with pytest.raises(WeightsError, match=r"holds compnet, wanted finenet"):
        weights.load(tmp_path / "c.safetensors", "finenet")


def test_who_names_a_file_of_his_own_is_not_told_to_install_anew(tmp_path):
    own = tmp_path / "mine.safetensors"
    for ask in (weights.identity, lambda path: weights.load(path, "segnet")):
        with pytest.raises(WeightsError, match=r"mine\.safetensors: .*name another file, or make it anew$"):
            ask(own)
        with pytest.raises(WeightsError, match=r"reinstall dsslic-search$"):
            ask(weights.folder() / "no.safetensors")
