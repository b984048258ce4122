"""Where ImageNet's photos show things of no class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dsslic_search.core import vocabulary
from dsslic_search.core.wordnet import image_words
from dsslic_search.training import dataset, targets, things

SHAPE = (120, 160)


@pytest.fixture
def sample(tmp_path: Path) -> dataset.Sample:
    """A photo that is named after a pizza; for the teacher a table, with a person in front."""
    folder = tmp_path / "photos" / "imagenet_sample"
    ours = vocabulary.default()
    labels = np.full(SHAPE, ours.id_of("table"), np.uint8)
    labels[:, :40] = ours.id_of("person")
    for kind in ("images", "teacher", "confidence"):
        (folder / kind).mkdir(parents=True)
    Image.new("RGB", SHAPE[::-1], (200, 90, 40)).save(folder / "images" / "n07873807_pizza.jpg")
    Image.fromarray(labels).save(folder / "teacher" / "n07873807_pizza.png")
    Image.fromarray(np.full((15, 20), 255, np.uint8)).save(folder / "confidence" / "n07873807_pizza.png")
    (found,) = dataset.teacher_samples(tmp_path)
    return found


def test_words_of_classes_of_clothes_and_of_places_are_no_things():
    words = {image_words().name_of_leaf(number) for number in things.words()}
    assert {"pizza", "accordion", "African elephant", "tennis ball", "goblet", "tusker"} <= words
    assert not words & {"golden retriever", "tabby", "sorrel", "robin", "wine bottle", "studio couch"}
    assert not words & {"cowboy hat", "miniskirt", "sports car", "seashore", "church", "fire engine", "daisy"}
    for name in (*things.KINDS, *things.OURS):
        assert image_words().meanings(name), name


def test_other_is_taught_where_the_thing_is_seen_and_around_it_little(sample, monkeypatch):
    seen = torch.zeros(4, 4)
    seen[1:3] = 1.0
    monkeypatch.setattr(things, "map_of", lambda photo, word: seen)
    found, ours = targets.load_targets(sample), vocabulary.default()
    middle, edge = SHAPE[0] // 2, SHAPE[0] // 4 - 4
    assert found.ids[middle, 80] == 0
    assert found.weight[middle, 80] >= targets.INSIDE_COUNTS
    assert found.ids[middle, 10] == ours.id_of("person"), "who stands in front is no thing"
    assert found.weight[middle, 10] == 1
    assert found.ids[edge, 80] == ours.id_of("table")
    assert found.weight[edge, 80] == pytest.approx(targets.AROUND_COUNTS)
    assert found.weight[0, 80] == 1


def test_a_thing_that_is_not_seen_leaves_the_teachers_word(sample):
    """A plain photo is not taken for a pizza."""
    found = targets.load_targets(sample)
    assert found.ids[60, 80] == vocabulary.default().id_of("table")
    assert (found.weight == 1).all()


def test_the_map_shows_where_the_thing_is():
    """Two spaniels in one part of a photo."""
    photo = np.asarray(Image.open(Path(__file__).parents[2] / "samples" / "dogs.jpg").convert("RGB"))
    spaniels = image_words().leaves_of(image_words().meanings("spaniel"))
    maps = [found for word in spaniels if (found := things.map_of(photo, word)) is not None]
    assert maps
    side = things.SIDE // 32
    for found in maps:
        assert found.shape == (side, side)
        assert float(found.max()) == pytest.approx(1)
        assert float(found.min()) >= 0
        assert float((found < things.AROUND).float().mean()) > 0.2, "not everywhere"
    assert things.map_of(photo, image_words().number_of("pizza")) is None
