"""Strings of bytes in one array: told one by one, chosen, and put in another order."""

from __future__ import annotations

import random

import numpy as np
import pytest

from dsslic_search.core.blobs import Blobs, Gathered, put_together

EACH: list[bytes | None] = [b"one", None, b"", b"\0\xff", b"four", None]


def test_what_goes_in_comes_out() -> None:
    blobs = Blobs.of(EACH)
    assert blobs.each() == EACH
    assert blobs.whole() == [b"one", b"", b"\0\xff", b"four"]
    assert (len(blobs), blobs.lengths.tolist()) == (6, [3, 0, 0, 2, 4, 0])
    assert blobs.known.tolist() == [each is not None for each in EACH]
    assert Blobs.of(blobs) is blobs
    assert Blobs.of([]).each() == []


def test_some_are_those_that_are_chosen() -> None:
    chosen = np.array([False, True, True, False, True, False])
    assert Blobs.of(EACH).some(chosen).each() == [None, b"", b"four"]


@pytest.mark.parametrize("together", [None, put_together])
@pytest.mark.parametrize("nothing", [None, b"", b"none"])
def test_they_are_handed_out_in_the_order_of_their_places(together: object, nothing: bytes | None) -> None:
    rng = random.Random(1)
    for _ in range(20):
        wanted: list[bytes | None] = [rng.choice(EACH) for _ in range(rng.randrange(12))]
        there = [place for place in range(len(wanted)) if rng.random() < 0.8]
        gathered = Gathered(len(wanted), nothing)
        left = rng.sample(there, len(there))
        while left:
            some, left = left[:3], left[3:]
            gathered.put(np.array(some), Blobs.of([wanted[place] for place in some]))
        parts = list(gathered.parts(4, together))  # type: ignore[arg-type]  # the loop is one of these
        assert [len(part) for part in parts] == [4] * (len(wanted) // 4) + [len(wanted) % 4] * (
            len(wanted) % 4 > 0
        )
        found = [each for part in parts for each in part.each()]
        assert found == [each if place in there else nothing for place, each in enumerate(wanted)]
