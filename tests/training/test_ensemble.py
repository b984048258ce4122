from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError, WeightsError
from dsslic_search.networks import runtime, weights
from dsslic_search.networks.look import Look
from dsslic_search.networks.segnet import ConvNorm, SegNetConfig
from dsslic_search.networks.segnets import Together, fold, made
from dsslic_search.training import ensemble, segnet_start

CONFIG = SegNetConfig(classes=5, width=16, vocabulary="mine", temperature=2.0, of_class=0.5)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.manual_seed(8)
    folder, written = tmp_path_factory.mktemp("nets"), {}
    for encoder in ("efficientnet-lite0", "mosaic"):
        config = replace(CONFIG, encoder=encoder)
        written[encoder] = folder / f"{encoder}.safetensors"
        weights.save(written[encoder], made(config), "segnet", config)
    return written


def test_the_mean_of_two_networks_counts(files: dict[str, Path], tmp_path: Path):
    out = tmp_path / "both.safetensors"
    assert ensemble.join(list(files.values()), out) == weights.identity(out)
    both = runtime.load("segnet", out)
    assert isinstance(both, Together)
    assert both.config == SegNetConfig(
        classes=5, width=16, vocabulary="mine", encoder="efficientnet-lite0+mosaic"
    )  # what either was calibrated to says nothing of both
    x = torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        each = [runtime.load("segnet", path)(x) for path in files.values()]
        got = both(x)
    torch.testing.assert_close(got, (each[0] + each[1]) / 2)
    probabilities = np.exp(np.mean([s.log_softmax(1).numpy() for s in each], axis=0))
    np.testing.assert_allclose(
        got.softmax(1), probabilities / probabilities.sum(1, keepdims=True), rtol=1e-4, atol=1e-6
    )


def test_one_of_them_is_asked_alone_where_time_is_short(files: dict[str, Path], tmp_path: Path):
    out = tmp_path / "both.safetensors"
    ensemble.join(list(files.values()), out)
    both, alone = runtime.load("segnet", out), runtime.load("segnet", files["mosaic"])
    pixels = np.random.default_rng(1).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    look = Look(area=64 * 96, alone=True)
    with torch.inference_mode():
        got, wanted = runtime.class_scores(both, pixels, look), runtime.class_scores(alone, pixels, look)
        assert torch.equal(got, wanted)
        assert not torch.equal(got, runtime.class_scores(both, pixels, Look(area=64 * 96)))


def test_both_are_gone_on_from_as_one(files: dict[str, Path], tmp_path: Path):
    out = tmp_path / "both.safetensors"
    ensemble.join(list(files.values()), out)
    before, seen, others = runtime.load("segnet", out), torch.rand(4, 3, 64, 64), torch.rand(1, 3, 64, 96)
    net = made(before.config, folded=False)
    assert any(isinstance(m, ConvNorm) for m in net.modules())
    segnet_start.begin(net, out, lambda: seen, vocabulary.built_in())
    with torch.no_grad():
        torch.testing.assert_close(net.eval()(others), before(others), rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(fold(net)(others), before(others), rtol=1e-3, atol=1e-3)
    other = made(replace(before.config, classes=7, vocabulary=""), folded=False)
    new = [m.classifier.weight.clone() for m in other.members]
    segnet_start.begin(other, out, lambda: seen, vocabulary.built_in())
    for member, unchanged in zip(other.members, new, strict=True):
        assert torch.equal(member.classifier.weight, unchanged)
        assert len(member.settled) == 3
    assert torch.equal(other.members[1].mosaic.fuse.conv.weight, before.members[1].mosaic.fuse.conv.weight)
    known = {id(p) for m in net.encoder + net.between for p in m.parameters()}
    fresh = {name.split(".")[2] for name, p in net.named_parameters() if id(p) not in known}
    assert fresh == {"lateral", "context", "fuse", "classifier", "carried", "merge"}


def test_what_cannot_be_joined_is_said(files: dict[str, Path], tmp_path: Path):
    first, second = files.values()
    wide = tmp_path / "wide.safetensors"
    config = replace(CONFIG, width=32, encoder="mosaic")
    weights.save(wide, made(config), "segnet", config)
    out = tmp_path / "out.safetensors"
    with pytest.raises(UsageError, match="name at least two weight files"):
        ensemble.join([first], out)
    with pytest.raises(
        UsageError, match="cannot be joined, they have different class lists, widths or areas"
    ):
        ensemble.join([first, wide], out)
    with pytest.raises(UsageError, match="cannot be joined, they have an encoder twice"):
        ensemble.join([first, first], out)
    assert not out.exists()
    ensemble.join([first, second], out)
    with pytest.raises(UsageError, match=r"out\.safetensors: is of several networks already"):
        ensemble.join([out, second], tmp_path / "more.safetensors")
    config = replace(CONFIG, encoder="mosaic+mosaic")
    weights.save(wide, runtime.load("segnet", second), "segnet", config)
    with pytest.raises(WeightsError, match=r"tells of cannot be \(an encoder twice\)"):
        runtime.load("segnet", wide)
