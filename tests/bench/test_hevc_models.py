"""Models of HEVC's bins: that HEVC's own give the file's bits, that bins come back, and that the loop does
what a slow reading of it says."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import bin_models, bin_situations, hevc_models
from dsslic_search.codec.bpg import contexts
from dsslic_search.codec.layers.label_map import machine
from dsslic_search.core.errors import UsageError

SAMPLES = Path(__file__).parents[2] / "samples"
QP = 37


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    paths = [folder / "one.png", folder / "two.png"]
    for path, name in zip(paths, ("sunset.jpg", "picos.jpg"), strict=True):
        with Image.open(SAMPLES / name) as photo:
            photo.convert("RGB").resize((64, 48)).save(path)
    return paths


@pytest.fixture(scope="module")
def subject(photos: list[Path]) -> hevc_models.Coded:
    return hevc_models.coded(photos[0], QP)


def test_hevcs_own_contexts_take_what_the_file_takes(subject: hevc_models.Coded) -> None:
    assert subject.bins.size > 300
    assert hevc_models.cabac_bits(contexts.started(QP), subject.bins) == pytest.approx(
        subject.bin_bits, abs=0.01
    )
    assert 0 < subject.bits - subject.bin_bits < 8 * 40  # headers, and what ends the slice
    other = contexts.started(QP + 10)
    assert hevc_models.cabac_bits(other, subject.bins) != pytest.approx(subject.bin_bits, abs=1)


@pytest.mark.parametrize("count", [1, 8])
def test_bins_come_back(subject: hevc_models.Coded, count: int) -> None:
    data = hevc_models.encode(hevc_models.empty_state(count), subject.bins)
    blank = subject.bins | 1
    back = hevc_models.decode(hevc_models.empty_state(count), data, blank)
    assert np.array_equal(back, subject.bins)
    damaged = bytes([data[0] ^ 0x40]) + data[1:]
    assert not np.array_equal(
        hevc_models.decode(hevc_models.empty_state(count), damaged, blank), subject.bins
    )


def test_what_was_learnt_from_the_same_bins_saves_most_of_them(subject: hevc_models.Coded) -> None:
    found = hevc_models.models(QP, [subject.bins] * 3)
    for count in (1, 8):
        empty, learnt = (
            len(hevc_models.encode(states[count], subject.bins)) for states in (found.empty, found.learnt)
        )
        assert learnt < 0.9 * empty


def test_starts_are_the_states_nearest_to_what_contexts_began_with() -> None:
    ones = np.full(80, 5 << 8 | 1, np.int64)
    zeros = np.full(80, 9 << 8, np.int64)
    even = np.tile([12 << 8, 12 << 8 | 1], 40)
    hevc = contexts.started(30)
    starts = hevc_models.learnt_starts(hevc, [ones, zeros, even, ones * 0 + (7 << 8 | 1)])
    assert starts[5] == 2 * 63 + 1 or starts[5] == 2 * 62 + 1
    assert starts[9] & 1 == 0 and starts[9] >> 1 >= 62
    assert starts[12] >> 1 == 0
    assert starts[11] == hevc[11]


def mixed(
    weights: list[list[float]], opinions: list[list[float]], bits: list[int]
) -> tuple[list[float], list[list[float]]]:
    """Logistic mixing in floating point, of two mixers: the chance of a 1 before each bit, and the weights in
    the end."""
    rate = bin_models.RATE * 256 / 2**20 * 256  # as weights of whole log odds move
    chances = []
    for said, bit in zip(opinions, bits, strict=True):
        sums = [sum(w * s for w, s in zip(each, said, strict=True)) for each in weights]
        chances.append(1 / (1 + math.exp(-sum(sums) / 2)))
        for each, total in zip(weights, sums, strict=True):
            error = bit - 1 / (1 + math.exp(-total))
            for model, opinion in enumerate(said):
                each[model] += rate / 256 * error * opinion
    return chances, weights


def test_mixing_is_that_of_floating_point() -> None:
    count, rng = 3, np.random.default_rng(5)
    state = hevc_models.empty_state(count)
    cells, slots = state.cells, state.slots
    kind, circumstance = 17, 23
    cells[bin_situations.CIRCUMSTANCE] = circumstance
    cells[machine.END] = 1000
    start = cells[bin_situations.KIND_WEIGHTS] / 65536
    slow_slots = dict.fromkeys(range(12), 0.5)
    seen = dict.fromkeys(slow_slots, 0)
    weights = [[start] * count, [start] * count]
    data = np.zeros(1000, np.uint8)
    for _ in range(400):
        places = [int(model * 4 + rng.integers(4)) for model in range(count)]
        bit = int(rng.random() < (0.9 if places[0] % 2 else 0.3))
        for model, at in enumerate(places):
            cells[bin_situations.AT + model] = at
        said = [math.log(slow_slots[at] / (1 - slow_slots[at])) for at in places]
        chance, weights = mixed(weights, [said], [bit])
        before = int(cells[machine.LOW]), int(cells[machine.HIGH])
        bin_models.code_mixed(memoryview(data), memoryview(cells), memoryview(slots), bit, kind)
        after = int(cells[machine.LOW]), int(cells[machine.HIGH])
        if after[0] >> 24 == before[0] >> 24 and after[1] >> 24 == before[1] >> 24:  # no byte was written
            share = (after[1] - after[0] + 1) / (before[1] - before[0] + 1)
            assert share == pytest.approx(chance[0] if bit else 1 - chance[0], abs=0.03)
        for model, at in enumerate(places):
            most = bin_models.COUNTED if model else bin_models.QUICK
            slow_slots[at] += (bit - slow_slots[at]) / (seen[at] + 1.6)
            slow_slots[at] = min(max(slow_slots[at], 1 / 3000), 1 - 1 / 3000)
            seen[at] = min(seen[at] + 1, most)
    got = cells[bin_situations.KIND_WEIGHTS + kind * bin_situations.MODELS :][:count] / 65536
    assert got.tolist() == pytest.approx(weights[0], abs=0.05)


def test_each_set_and_model_has_its_figures(photos: list[Path]) -> None:
    found = hevc_models.measure({"all": photos[:1]}, photos[1:], (QP,))
    sizes = found["sizes"]["all"]["37"]
    assert sizes["bytes"] == hevc_models.coded(photos[0], QP).bits // 8
    assert abs(sizes["hevc_bits_off"]) < 0.01
    assert set(sizes["models"]) == set(sizes["models_learnt"]) == {"1", "2", "4", "8"}
    assert found["states"]["37"]["8"]["slots"] > found["states"]["37"]["1"]["slots"] > 0
    assert "models: 8, learnt" in "\n".join(hevc_models.table(found))


def test_too_few_photos_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are 0 photos of a kind of which 1 are asked for"):
        hevc_models.run(tmp_path, 1, 0, 1)
