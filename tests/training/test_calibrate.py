"""Calibration: overconfidence is found and undone, and nonsense is traded for "other" without losing
accuracy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import Outputs
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.networks import weights
from dsslic_search.networks.confidence import Confidence, decide
from dsslic_search.networks.segnet import SegNet, SegNetConfig
from dsslic_search.networks.segnets import made
from dsslic_search.training import calibrate, dataset, presence


def photos(confidence: float, seed: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Scores of 5 classes that are honest times ``confidence``: labels are drawn from the softmax of the
    honest ones."""
    generator = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(4):
        honest = 1.5 * torch.randn(5, 40, 40, generator=generator)
        drawn = torch.multinomial(honest.softmax(0).reshape(5, -1).T, 1, generator=generator).reshape(40, 40)
        drawn[:2] = 255
        made.append((honest * confidence, drawn))
    return made


def test_the_temperature_undoes_overconfidence():
    rule = calibrate.choose(photos(3.0))
    assert 2.6 < rule.temperature < 3.5 or rule.temperature == max(calibrate.TEMPERATURES)
    assert (
        calibrate.calibration_error(photos(2.0), 2.0)
        < 0.03
        < 0.1
        < calibrate.calibration_error(photos(2.0), 1.0)
    )


def test_calibration_error_of_a_sure_liar_is_one():
    scores = torch.zeros(3, 4, 4)
    scores[1] = 50.0
    assert calibrate.calibration_error([(scores, torch.full((4, 4), 2))], 1.0) == 1
    assert calibrate.calibration_error([(scores, torch.full((4, 4), 1))], 1.0) == 0


def test_a_doubtful_second_class_is_struck_out_where_that_is_better():
    scores = torch.full((4, 20, 20), -5.0)
    scores[1] = 3.0
    scores[2, :3] = 3.05  # a strip that is class 1 in truth
    truth = torch.ones(20, 20, dtype=torch.long)
    assert calibrate.judge([(scores, truth)], Confidence()).presence < 1
    rule = calibrate.choose([(scores, truth)] * 3)
    assert rule.of_class > 0.5
    judged = calibrate.judge([(scores, truth)], rule)
    assert (judged.accuracy, judged.presence) == (1, 1)


def test_a_class_of_which_nobody_is_ever_sure_is_not_struck_out_where_it_is_there():
    scores = torch.full((4, 20, 20), -5.0)
    scores[1] = 2.0
    scores[2, :, 9], scores[3, 15:] = 2.1, 2.1  # a pole, and a strip that is class 1 in truth
    truth = torch.ones(20, 20, dtype=torch.long)
    truth[:, 9] = 2
    learned = [(scores, truth)] * 3
    rule = Confidence(of_class=0.6)
    assert calibrate.spared(learned, [2, 3], rule) == (2,)
    assert calibrate.spared(learned, [3], rule) == calibrate.spared(learned, [], rule) == ()
    assert calibrate.spared(learned, [2, 3], Confidence()) == ()
    said = decide(scores, replace(rule, spared=(2,)))
    assert set(said[:, 9].tolist()) == {2} and not (said == 3).any()


def test_the_choice_goes_into_the_weight_file(tmp_path: Path, monkeypatch, capsys):
    for kind in ("images", "labels"):
        (tmp_path / "scenes" / "msrc_v2" / kind).mkdir(parents=True)
    rng = np.random.default_rng(0)
    monkeypatch.setattr(dataset, "CALIBRATION_ONE_PHOTO_IN", 2)
    for i in range(8):
        Image.fromarray(rng.integers(0, 255, (64, 96, 3), np.uint8)).save(
            tmp_path / "scenes" / "msrc_v2" / "images" / f"{i}.jpg"
        )
        Image.fromarray(rng.integers(1, 5, (64, 96), np.uint8)).save(
            tmp_path / "scenes" / "msrc_v2" / "labels" / f"{i}.png"
        )
    torch.manual_seed(0)
    config = SegNetConfig(width=16, area=64 * 96)
    path = tmp_path / "segnet.safetensors"
    before = weights.save(path, SegNet(config), "segnet", config)
    after = calibrate.calibrate(tmp_path, path)
    fields, state = weights.load(path, "segnet")
    assert after == weights.identity(path) != before
    assert fields["temperature"] != 1
    SegNet(SegNetConfig(**fields)).load_state_dict(state)
    assert "calibrated: Confidence(" in capsys.readouterr().out
    assert fields["quick"] == 0
    both = replace(config, encoder="efficientnet-lite0+mosaic")
    weights.save(path, made(both), "segnet", both)
    calibrate.calibrate(tmp_path, path)
    fields, _ = weights.load(path, "segnet")
    assert fields["quick"] in calibrate.TEMPERATURES
    rules = [Confidence.of(SegNetConfig(**fields), alone) for alone in (False, True)]
    assert [rule.temperature for rule in rules] == [fields["temperature"], fields["quick"]]
    assert rules[1] == replace(rules[0], temperature=fields["quick"])


def test_a_class_list_of_its_own_is_not_judged_by_labels_of_another(tmp_path: Path):
    """Nor is its weight file written anew."""
    mine = Vocabulary("mine", vocabulary.built_in().classes[:3], ())
    config = SegNetConfig(classes=3, width=16, vocabulary=vocabulary.written(mine))
    path = tmp_path / "mine.safetensors"
    weights.save(path, made(config), "segnet", config)
    before, out = path.read_bytes(), tmp_path / "presence.json"
    with pytest.raises(UsageError, match=r"mine\.safetensors: is for a class list of its own"):
        calibrate.calibrate(tmp_path, path)
    with pytest.raises(UsageError, match=r"mine\.safetensors: is for a class list of its own"):
        presence.fit(tmp_path, path, out, Outputs())
    assert path.read_bytes() == before
    assert not out.exists()
