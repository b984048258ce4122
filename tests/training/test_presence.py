"""From which coverage on a class counts: only what people's labels show to be better, on enough photos."""

from __future__ import annotations

import numpy as np

from dsslic_search.core.settings import DEFAULT_PRESENCE
from dsslic_search.training.presence import MIN_PHOTOS, MIN_RIGHTED, choose, f1, measure


def shares(photos: int, class_id: int, said: float, there: float) -> tuple[np.ndarray, np.ndarray]:
    both = np.zeros((2, photos, 51))
    both[:, :, class_id] = np.array([said, there])[:, None]
    return both[0], both[1]


def joined(*parts: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def test_small_persons_that_are_there_lower_the_threshold_of_persons_alone() -> None:
    found = joined(shares(MIN_PHOTOS, 13, 0.002, 0.004), shares(MIN_PHOTOS, 20, 0.3, 0.3))
    chosen = choose(*found)
    assert chosen == {13: 0.002}
    assert measure(*found, chosen) == {"all": (2 / 3, 1.0), "person": (0.0, 1.0)}


def test_what_is_said_and_not_there_raises_it() -> None:
    found = joined(shares(MIN_PHOTOS, 20, 0.2, 0.2), shares(MIN_PHOTOS, 20, 0.012, 0.0))
    assert choose(*found) == {20: 0.015}


def test_few_photos_and_small_gains_choose_nothing() -> None:
    assert choose(*shares(MIN_PHOTOS - 1, 13, 0.002, 0.004)) == {}
    nearly = joined(shares(200, 13, 0.2, 0.2), shares(1, 13, 0.002, 0.004))
    assert choose(*nearly) == {}
    one = joined(shares(MIN_PHOTOS, 13, 0.2, 0.2), shares(MIN_RIGHTED - 1, 13, 0.002, 0.004))
    assert choose(*one) == {}
    assert choose(*joined(one, shares(1, 13, 0.002, 0.004))) == {13: 0.002}
    assert f1(nearly[0][:, 13] >= DEFAULT_PRESENCE, nearly[1][:, 13] > 0) > 0.99
