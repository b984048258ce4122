"""The figures of image words, on photos whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.bench.image_words import average_precision, judged, precision_at
from dsslic_search.core.wordnet import image_words
from dsslic_search.training.word_evidence import Evidence


def test_neighbours_are_by_angle_and_not_the_photo_itself() -> None:
    vectors = np.array([[100, 0], [9, 1], [0, 100], [1, 9]])
    assert precision_at(vectors, np.array([0, 0, 1, 1]), 1) == 1
    assert precision_at(vectors, np.array([0, 1, 0, 1]), 1) == 0


def test_of_equal_photos_those_without_the_word_come_first() -> None:
    assert average_precision(np.array([True, False, True]), np.array([9, 5, 5])) == pytest.approx(5 / 6)
    assert average_precision(np.array([True, False]), np.array([0, 0])) == 0.5


def test_a_word_is_judged_on_photos_of_which_it_is_known() -> None:
    synsets = image_words().meanings("pizza")
    stored = np.zeros((12, 1000), np.int64)
    stored[:9, image_words().number_of("pizza")] = 255
    shown, known = np.zeros((12, 1), bool), np.ones((12, 1), bool)
    shown[:8] = True
    known[8] = False  # it has the word, and nobody says whether rightly
    row = judged(stored, Evidence(("pizza",), (synsets,), shown, known, known[:, 0]))["pizza"]
    assert (row["photos"], row["of"], row["precision"], row["recall"]) == (8, 11, 1.0, 1.0)
    assert row["average_precision"] == 1
