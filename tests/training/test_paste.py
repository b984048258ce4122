"""Things pasted into other photos."""

from __future__ import annotations

import io
import random

import numpy as np
from PIL import Image

from dsslic_search.core import vocabulary
from dsslic_search.training.pack import PackedPhoto
from dsslic_search.training.paste import LARGEST, SMALLEST, Things, paste

RED, GREY = (250, 10, 10), (120, 120, 120)


def photo_of(name: str, weight: int = 255) -> PackedPhoto:
    """Red in a grey photo of 80 × 60: 20 × 16, which people call so."""
    ids = np.full((30, 40, 2), (vocabulary.default().id_of("grass"), 255), np.uint8)
    ids[10:18, 12:22] = vocabulary.default().id_of(name), weight
    pixels = Image.new("RGB", (80, 60), GREY)
    pixels.paste(RED, (24, 20, 44, 36))
    files = []
    for image, form in ((pixels, "PNG"), (Image.fromarray(ids, "LA"), "PNG")):
        buffer = io.BytesIO()
        image.save(buffer, form)
        files.append(buffer.getvalue())
    return PackedPhoto(f"scenes/own/{name}", "training", True, *files)


def test_what_people_marked_is_found_with_its_outline():
    things = Things([photo_of("horse"), photo_of("other"), photo_of("road")], vocabulary.default())
    horse, other = (vocabulary.default().id_of(name) for name in ("horse", "other"))
    assert set(things.by_class) == {horse, other}, "roads are no things that lie elsewhere"
    (thing,) = things.by_class[horse]
    assert (thing.top, thing.left, thing.inside.shape) == (10, 12, (8, 10))
    pixels, mask = thing.cut
    assert pixels.size == mask.size == (20, 16)
    assert (np.asarray(pixels) == RED).all()
    assert (np.asarray(mask) == 255).all()


def test_what_the_teacher_says_is_not_pasted():
    assert not Things([photo_of("horse", weight=170)], vocabulary.default()).by_class
    assert Things([], vocabulary.default()).draw(random.Random(1)) is None


def test_a_pasted_thing_and_its_labels_cover_the_same_place():
    things = Things([photo_of("horse")], vocabulary.default())
    horse = vocabulary.default().id_of("horse")
    shares = []
    for seed in range(40):
        rng = random.Random(seed)
        crop = Image.new("RGB", (128, 128), GREY)
        ids, weight = np.full((32, 32), 3, np.uint8), np.full((32, 32), 0.2, np.float32)
        thing = things.draw(rng)
        assert thing is not None
        paste(thing, crop, ids, weight, rng)
        red = np.asarray(crop)[..., 0].reshape(32, 4, 32, 4).mean((1, 3)) > (RED[0] + GREY[0]) / 2
        assert (red != (ids == horse)).mean() < 0.04, "but for its edge"
        assert (weight[ids == horse] == 1).all()
        assert (weight[ids != horse] == np.float32(0.2)).all()
        shares.append((ids == horse).mean())
    assert min(shares) > SMALLEST / 6, "a part of it may lie outside"
    assert max(shares) < LARGEST * 1.1
    assert max(shares) > 3 * min(shares)


def test_things_of_no_class_are_drawn_in_a_share_and_classes_evenly():
    photos = [photo_of("other"), *[photo_of("horse")] * 20, photo_of("boat")]
    things, rng = Things(photos, vocabulary.default()), random.Random(5)
    drawn = [thing.class_id for _ in range(600) if (thing := things.draw(rng)) is not None]
    counts = {name: drawn.count(vocabulary.default().id_of(name)) for name in ("other", "horse", "boat")}
    assert 190 < counts["other"] < 290
    assert abs(counts["horse"] - counts["boat"]) < 80
