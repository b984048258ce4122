from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError, WeightsError
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.mosaic import Mosaic, MosaicSegNet
from dsslic_search.networks.segnet import SegNetConfig
from dsslic_search.networks.segnets import fold, made
from dsslic_search.training import mosaic_start, segnet_start

CONFIG = SegNetConfig(width=16, encoder="mosaic")


def order(mosaic: Mosaic) -> list[tuple[str, bool]]:
    """The names of its layers, as MOSAIC's graph has them one after another."""
    names = ["stem"]
    for number in range(16):
        names += [f"blocks.{number}.expand", f"blocks.{number}.depthwise"]
        names += ["fine_classes"] * (number == 1)
        names.append(f"blocks.{number}.project")
    names.append("last")
    names += [f"pyramid.{part}.{i}" for part in ("depthwise", "pointwise") for i in range(6)]
    return [*names, "joined", "fuse", "separable", "classes"]


def write(folder: Path, mosaic: Mosaic) -> None:
    """What a folder of MOSAIC's weights holds; of the last three depthwise layers the norm is not folded."""
    graph, tensors = [], {}
    for number, name in enumerate(order(mosaic)):
        layer = mosaic.get_submodule(name).conv
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        row = {"op": "conv", "x": "in", "out": f"o{number}", "w": f"w{number}", "b": f"b{number}"}
        if name in ("blocks.13.depthwise", "blocks.14.depthwise", "blocks.15.depthwise"):
            scale = np.linspace(0.5, 2, len(bias), dtype=np.float32)
            tensors |= {
                f"s{number}": scale,
                f"t{number}": bias,
                f"w{number}": weight / scale[:, None, None, None],
            }
            graph += [row | {"b": None}, {"op": "relu", "x": "other", "out": "another"}]
            graph.append({"op": "affine", "x": row["out"], "s": f"s{number}", "t": f"t{number}", "out": "a"})
        else:
            tensors |= {f"w{number}": weight, f"b{number}": bias}
            graph += [row, {"op": "relu", "x": row["out"], "out": f"r{number}"}]
    folder.mkdir(exist_ok=True)
    (folder / "mosaic_fp16.json").write_text(json.dumps({"input": "in", "base": 512, "graph": graph}))
    np.savez(folder / "mosaic_fp16.npz", **tensors)


@pytest.fixture(scope="module")
def mosaic() -> Mosaic:
    torch.manual_seed(7)
    return Mosaic().eval()


@pytest.fixture(scope="module")
def folder(mosaic: Mosaic, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("mosaic")
    write(place, mosaic)
    return place


def begun(folder: Path, classes: vocabulary.Vocabulary | None = None) -> MosaicSegNet:
    spoken = classes or vocabulary.built_in()
    net = made(replace(CONFIG, classes=len(spoken)), folded=False)
    segnet_start.begin(net, folder, lambda: pytest.fail("nobody asked"), spoken)
    assert isinstance(net, MosaicSegNet)
    return net.eval()


def test_a_segnet_begins_by_saying_what_mosaic_says(folder: Path, mosaic: Mosaic):
    net, x = begun(folder), torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        wanted, features = mosaic(x)
        scores, seen = net.mosaic(x)
        torch.testing.assert_close(scores, wanted, rtol=1e-4, atol=1e-5)
        for ours, theirs in zip(seen, features, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
        carried = net.carried(scores)[0]
    ids = {c.name: c.id for c in vocabulary.built_in().classes}
    theirs = dict(zip(mosaic_start.CLASSES, wanted[0], strict=True))
    for name, class_id in ids.items():
        if name == "building":
            torch.testing.assert_close(
                carried[class_id], theirs["building"] + theirs["house"], rtol=1e-4, atol=1e-5
            )
        elif name == "house":
            assert (carried[class_id] < -5).all()
        elif name in theirs:
            torch.testing.assert_close(carried[class_id], theirs[name], rtol=1e-4, atol=1e-5)
        else:
            assert (carried[class_id] < 0).all()
    assert set(theirs) <= set(ids)


def test_of_a_class_list_of_ones_own_it_says_what_has_the_same_name(folder: Path, mosaic: Mosaic):
    own = vocabulary.parse(
        json.dumps(
            {
                "name": "mine",
                "classes": [
                    {"id": 0, "name": "other", "colour": "#000000"},
                    {"id": 1, "name": "sky", "colour": "#010203"},
                    {"id": 2, "name": "sand", "colour": "#030201"},
                ],
            }
        )
    )
    net, x = begun(folder, own), torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        scores = mosaic(x)[0]
        found = net.carried(net.mosaic(x)[0])
    torch.testing.assert_close(
        found[:, 1], scores[:, mosaic_start.CLASSES.index("sky")], rtol=1e-4, atol=1e-5
    )
    assert (found[:, 2] < 0).all()


def test_what_is_no_such_folder_is_refused(folder: Path, mosaic: Mosaic, tmp_path: Path):
    with pytest.raises(WeightsError, match=r"does not hold MOSAIC's weights as mosaic_fp16\.json and"):
        begun(tmp_path)
    graph = json.loads((folder / "mosaic_fp16.json").read_text())
    tensors = dict(np.load(folder / "mosaic_fp16.npz"))
    for damaged in (
        "[]",
        "{",
        json.dumps({"graph": graph["graph"][:-2]}),
        json.dumps({"graph": [*graph["graph"], graph["graph"][0]]}),
        json.dumps({"graph": graph["graph"][2:]}),
        json.dumps({"graph": [{"op": "conv"}]}),
    ):
        (tmp_path / "mosaic_fp16.json").write_text(damaged)
        np.savez(tmp_path / "mosaic_fp16.npz", **tensors)
        with pytest.raises(WeightsError, match="name a folder that does"):
            begun(tmp_path)


def test_it_is_gone_on_from_and_only_as_what_it_is(folder: Path, tmp_path: Path):
    path = tmp_path / "segnet.safetensors"
    first = begun(folder)
    weights.save(path, fold(first), "segnet", first.config)
    assert segnet_start.encoder_of(path) == segnet_start.encoder_of(folder) == "mosaic"
    assert segnet_start.encoder_of(None) == "efficientnet-lite0"
    assert segnet_start.named(folder) != segnet_start.named(path)
    before, seen, others = runtime.load("segnet", path), torch.rand(4, 3, 64, 64), torch.rand(2, 3, 64, 96)
    net = made(CONFIG, folded=False)
    segnet_start.begin(net, path, lambda: seen, vocabulary.built_in())
    with torch.no_grad():
        torch.testing.assert_close(net.eval()(others), before(others), rtol=1e-3, atol=1e-3)
    with pytest.raises(UsageError, match="a SegNet of mosaic and width 16, not of efficientnet-lite0 and 16"):
        segnet_start.go_on_from(made(SegNetConfig(width=16), folded=False), path, seen)
