"""When image words are believed against regions: as strictly as photos that people labelled allow."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import Outputs
from dsslic_search.networks import runtime
from dsslic_search.networks.objections import WORD_OF_ANIMAL, Evidence
from dsslic_search.training import objections
from dsslic_search.training.objections import ANIMALS_LIKELY, MIN_PHOTOS, PARTS, choose


def photo(name: str, part: float, animals: float = 0.9, close_ups: float = 0.0) -> objections.Shown:
    parts = dict.fromkeys(WORD_OF_ANIMAL, 0.0) | ({name: part} if name in WORD_OF_ANIMAL else {})
    return frozenset({name}), Evidence(animals, parts, close_ups)


def test_the_strictest_that_loses_nothing_is_chosen_for_each_class() -> None:
    photos = [photo("dog", 0.25)] * MIN_PHOTOS + [photo("horse", 0.0015)] * MIN_PHOTOS
    assert choose(photos).least_part == {"dog": 0.2, "horse": 0.001}


def test_one_photo_of_a_hundred_may_be_lost_and_three_may_not() -> None:
    many = [photo("cat", 0.25)] * 99
    assert choose([*many, photo("cat", 0.0)]).least_part["cat"] == 0.2
    assert "cat" not in choose([*many, *[photo("cat", 0.0)] * 3]).least_part


def test_few_photos_and_those_without_likely_animals_choose_nothing() -> None:
    assert choose([photo("cow", 0.9)] * (MIN_PHOTOS - 1)).least_part == {}
    unlikely = [photo("sheep", 0.0, animals=ANIMALS_LIKELY / 2)] * 50
    assert choose([*unlikely, *[photo("sheep", 0.9)] * MIN_PHOTOS]).least_part == {"sheep": max(PARTS)}


def test_persons_are_doubted_far_from_any_photo_of_one() -> None:
    assert choose([photo("person", 0, close_ups=each) for each in (0.0, 0.12, 0.03)]).close_ups == 0.3
    assert choose([photo("person", 0, close_ups=0.7)]).close_ups == 1.0
    assert choose([]).close_ups == 1.0


def test_the_choice_is_written_for_the_words_it_was_made_with(tmp_path: Path) -> None:
    classes = vocabulary.default()
    for folder in ("images", "labels", "teacher", "confidence"):
        (tmp_path / "scenes" / "msrc_v2" / folder).mkdir(parents=True)
    for number in range(12):
        stem = f"photo{number}"
        shades = np.random.default_rng(number).integers(0, 256, (24, 32, 3)).astype(np.uint8)
        Image.fromarray(shades).save(tmp_path / "scenes/msrc_v2/images" / f"{stem}.jpg")
        labels = np.full((24, 32), classes.id_of("person"), np.uint8)
        Image.fromarray(labels).save(tmp_path / "scenes/msrc_v2/labels" / f"{stem}.png")
    out = tmp_path / "objections.json"
    found = objections.fit(tmp_path, out, Outputs())
    stored = json.loads(out.read_text("utf-8"))
    assert stored["words"] == runtime.identity(runtime.IMAGE_WORDS)
    assert stored["close_ups"] == found.close_ups and stored["least_part"] == {}
    with pytest.raises(UsageError, match="no labelled photos"):
        objections.fit(tmp_path / "empty", out, Outputs())
