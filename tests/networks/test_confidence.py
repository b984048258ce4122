"""What is not believed is not said: against the rule written out in plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.core import vocabulary
from dsslic_search.networks.confidence import Confidence, decide, decide_surely

ANIMALS = {name: vocabulary.default().id_of(name) for name in ("bird", "cat", "dog")}


def oracle(scores: np.ndarray, rule: Confidence) -> tuple[np.ndarray, np.ndarray]:
    exponent = np.exp((scores - scores.max(0)) / rule.temperature)
    whole = exponent / exponent.sum(0)
    probability = whole.copy()
    labels = scores.argmax(0)
    shown = np.unique(labels)
    struck = [c for c in shown if probability[c][labels == c].mean() < rule.of_class]
    if len(struck) < len(shown):
        probability[struck] = -1
        labels = probability.argmax(0)
    held = np.take_along_axis(probability, labels[None], 0)[0]
    labels = np.where(held < rule.of_pixel, 0, labels)
    return labels, np.take_along_axis(whole, labels[None], 0)[0]


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.5, 1.0, 2.0]),
    st.sampled_from([0.0, 0.3, 0.45, 0.6, 0.99]),
    st.sampled_from([0.0, 0.2, 0.5]),
)
def test_it_does_what_the_rule_says(seed: int, temperature: float, of_class: float, of_pixel: float):
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, rng.uniform(0.5, 3), (6, 5, 7)) + 2 * rng.normal(0, 1, (6, 1, 1))
    rule = Confidence(temperature, of_class, of_pixel)
    found, held = decide_surely(torch.from_numpy(scores), rule)
    assert found.dtype == torch.uint8
    labels, probabilities = oracle(scores, rule)
    np.testing.assert_array_equal(found.numpy(), labels)
    np.testing.assert_allclose(held.numpy(), probabilities, atol=1e-6)


def test_a_doubtful_class_gives_way_to_the_next_and_doubtful_pixels_to_other():
    scores = torch.full((4, 1, 6), -9.0)
    scores[1, 0, :3] = 5.0  # surely class 1
    scores[2, 0, 3:] = 1.0  # class 2, hardly more than class 1 …
    scores[1, 0, 3:5] = 0.9
    scores[3, 0, 5] = 0.9  # … or, in the last pixel, class 3
    scores[0, 0, 5] = 0.8
    assert decide(scores, Confidence()).tolist() == [[1, 1, 1, 2, 2, 2]]
    assert decide(scores, Confidence(of_class=0.55)).tolist() == [[1, 1, 1, 1, 1, 3]]
    assert decide(scores, Confidence(of_class=0.55, of_pixel=0.4)).tolist() == [[1, 1, 1, 1, 1, 0]]


def test_where_everything_is_in_doubt_nothing_is_struck_out():
    scores = torch.zeros(4, 2, 2)
    scores[2] = 0.1
    assert (decide(scores, Confidence(of_class=0.9)) == 2).all()
    assert (decide(scores, Confidence(of_class=0.9, of_pixel=0.5)) == 0).all()


@pytest.mark.parametrize("rule", [Confidence(), Confidence(0.8, 0.45, 0.2)])
def test_sure_pixels_are_said(rule: Confidence):
    labels = torch.randint(1, 9, (20, 30), generator=torch.Generator().manual_seed(1))
    scores = 20.0 * torch.nn.functional.one_hot(labels, 9).permute(2, 0, 1)
    torch.testing.assert_close(decide(scores, rule).long(), labels)


def test_touching_animals_become_the_one_that_most_speaks_for():
    bird, cat, dog = (ANIMALS[name] for name in ("bird", "cat", "dog"))
    scores = torch.full((51, 3, 9), -9.0)
    for columns, class_id, score in (
        (slice(0, 3), dog, 3.0),
        (slice(3, 5), cat, 1.0),
        (slice(7, 9), bird, 2),
    ):
        scores[class_id, :, columns] = score
    scores[1, :, 5:7] = 5.0  # a wall between them and the bird
    plain, votes = (decide_surely(scores, Confidence(2.0, vote=vote)) for vote in (False, True))
    assert plain[0][0].tolist() == [dog] * 3 + [cat] * 2 + [1, 1, bird, bird]
    assert votes[0][0].tolist() == [dog] * 5 + [1, 1, bird, bird]
    whole = torch.softmax(scores / 2, 0)
    expected = torch.gather(whole, 0, votes[0][None].long())[0]
    torch.testing.assert_close(votes[1], expected)
