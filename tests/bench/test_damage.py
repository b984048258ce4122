"""Damaged streams: that they are damaged, the same for a seed, and that what decoders do is told as it is."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.bench import damage
from dsslic_search.core.errors import FormatError

SOUND = [bytes(range(50)), bytes(200), bytes(5000)]


def test_damage_is_the_same_for_a_seed():
    damaged = [[damage.damage(SOUND[0], np.random.default_rng(seed)) for _ in range(3)] for seed in (1, 1, 2)]
    assert damaged[0] == damaged[1] != damaged[2]


def test_all_streams_are_given_and_counted_and_small_ones_most_often():
    seen: list[tuple[bytes, int]] = []
    kept: list[bytearray] = []

    def decode(data: bytes, number: int) -> None:
        seen.append((data, number))
        if number == 7:
            kept.append(bytearray(b"x" * (40 << 20)))
            sum(range(3_000_000))
        if number % 3 == 0:
            raise FormatError("no")

    with pytest.raises(FormatError):  # sound ones are taken
        damage.fuzz(SOUND, decode, 10, np.random.default_rng(1))
    seen.clear()
    told = damage.fuzz(SOUND, lambda data, number: decode(data, number + 1), 300, np.random.default_rng(1))
    assert [number for _, number in seen[1:]] == list(range(1, 301))
    assert (told["streams"], told["refused"], told["decoded"]) == (300, 100, 200)
    assert told["longest_seconds"] > 0.01
    assert told["more_megabytes"] > 20
    large = sum(len(data) > 4000 for data, _ in seen[1:])
    assert 0 < large < 60  # one in 21 by size, were none cut


def test_other_errors_are_not_swallowed():
    def decode(data: bytes, number: int) -> None:
        if number:
            raise IndexError(number)

    with pytest.raises(IndexError):
        damage.fuzz(SOUND, decode, 3, np.random.default_rng(1))
