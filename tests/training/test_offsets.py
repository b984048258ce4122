from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch import Tensor

from dsslic_search.networks.segnet import SegNetConfig
from dsslic_search.networks.segnets import made
from dsslic_search.training import offsets

CLASSES, HORSE, GRASS = 4, 2, 1


def photo(seed: int) -> tuple[Tensor, Tensor]:
    """A horse on grass of which people marked the horse alone; it is said three pixels too far around."""
    generator = torch.Generator().manual_seed(seed)
    truth = torch.full((24, 24), offsets.ELSE)
    truth[8:16, 8:16] = HORSE
    scores = torch.rand(CLASSES, 24, 24, generator=generator) * 0.1
    scores[GRASS] += 2
    scores[HORSE, 5:19, 5:19] += 3
    scores[HORSE, 8:16, 8:16] += 4
    return scores, truth


def overlap(photos: list[tuple[Tensor, Tensor]], added: np.ndarray) -> float:
    both = either = 0
    for scores, truth in photos:
        said = (scores.numpy() + added[:, None, None]).argmax(0) == HORSE
        both += (said & (truth.numpy() == HORSE)).sum()
        either += (said | (truth.numpy() == HORSE)).sum()
    return both / either


def test_a_class_that_is_said_too_far_around_is_said_less():
    photos = [photo(seed) for seed in range(offsets.LEAST_PHOTOS)]
    found = offsets.chosen(photos)
    assert found.dtype == np.float32
    assert found[HORSE] <= -1.5
    assert not found[[0, GRASS, 3]].any()
    assert overlap(photos, np.zeros(CLASSES, np.float32)) == pytest.approx(64 / 196, abs=0.01)
    assert overlap(photos, found) == 1


def test_what_is_said_around_a_marked_thing_is_not_wrong():
    photos = []
    for seed in range(2 * offsets.LEAST_PHOTOS):
        scores, truth = photo(seed)
        if seed % 2:
            truth = torch.full((24, 24), 255)
            truth[:6] = GRASS
        photos.append((scores, truth))
    assert offsets.chosen(photos)[GRASS] >= 0  # where nobody marked grass, it may be there


def test_photos_that_were_trained_on_tell_of_classes_that_others_hardly_show():
    enough = [photo(seed) for seed in range(offsets.LEAST_PHOTOS)]
    grass = torch.full((24, 24), GRASS)
    plain = [(scores, grass) for scores, _ in enough]
    told = offsets.chosen(enough)
    assert offsets.chosen(plain)[HORSE] == 0
    assert offsets.chosen(plain, enough)[HORSE] == told[HORSE] < 0
    assert offsets.chosen(enough, plain)[HORSE] == told[HORSE]  # nothing that was trained on has a say there


def test_other_is_said_more_as_far_as_all_classes_gain_by_it():
    """Of a thing of no class half is found by 1 more, all by 2 more, with which a faint horse is lost."""
    scores = torch.zeros(CLASSES, 24, 24)
    truth = torch.full((24, 24), GRASS)
    scores[GRASS] = 4
    truth[:4], truth[20:], truth[8:12] = 0, 0, HORSE
    scores[0, :4], scores[0, 20:], scores[0, 8:12] = 3.2, 2.2, 3.0
    scores[HORSE, 8:12] = 4.8
    found = offsets.chosen([(scores, truth)] * offsets.LEAST_PHOTOS)
    assert found[0] == 1
    scores[HORSE, 8:12] = 9
    assert offsets.chosen([(scores, truth)] * offsets.LEAST_PHOTOS)[0] == 2


@pytest.mark.parametrize("seed", range(3))
def test_what_is_counted_is_what_would_be_said(seed: int):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(CLASSES, 9, 7, generator=generator)
    truth = torch.randint(0, CLASSES, (9, 7), generator=generator)
    for class_id, offset in itertools.product(range(CLASSES), (-1.0, 0.0, 0.5)):
        moved = scores.clone()
        moved[class_id] += offset
        table = np.zeros((CLASSES + 1, CLASSES), np.int64)
        np.add.at(table, (truth.numpy(), moved.argmax(0).numpy()), 1)
        counted = offsets._counted([(scores, truth)], [scores.topk(2, dim=0)], class_id, offset)
        np.testing.assert_array_equal(counted, table)


def test_few_photos_and_what_costs_others_choose_nothing():
    assert not offsets.chosen([photo(seed) for seed in range(offsets.LEAST_PHOTOS - 1)]).any()
    photos = []
    for seed in range(offsets.LEAST_PHOTOS):
        scores, truth = photo(seed)
        truth[:5] = HORSE  # of which nothing tells but a horse's score that is hardly below that of grass
        scores[HORSE, :5] += 2.05
        photos.append((scores, truth))
    assert offsets.chosen(photos)[HORSE] >= 0  # less would lose these
    unknown = [(scores, torch.where(truth == offsets.ELSE, 255, truth)) for scores, truth in photos]
    assert not (offsets.chosen(unknown) < 0).any()  # what nobody knows is not wrong


@pytest.mark.parametrize("encoder", ["efficientnet-lite0", "mosaic", "efficientnet-lite0+mosaic"])
def test_offsets_are_added_to_what_a_network_says(encoder: str):
    torch.manual_seed(1)
    net = made(SegNetConfig(classes=CLASSES, width=16, encoder=encoder)).eval()
    x = torch.rand(1, 3, 64, 64)
    added = np.array([0, 0, -2.5, 1], np.float32)
    with torch.inference_mode():
        before, alone = net(x), net.quick(x)
    offsets.add(net, added)
    with torch.inference_mode():
        torch.testing.assert_close(net(x), before + torch.from_numpy(added)[:, None, None])
        torch.testing.assert_close(net.quick(x), alone + torch.from_numpy(added)[:, None, None])
