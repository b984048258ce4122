"""Arrays come back as they were, whatever their numbers are, and take few bytes where these are alike."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsslic_search.index import compiling, packing
from dsslic_search.index.packing import BLOCK_VALUES, Packed, packed

KINDS = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8", "?"]


WAYS = {"whole arrays": 10**12, "compiled loops": 0}
"""How blocks are unpacked, and the patience that makes it so."""


def unpacked(stored: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The same in both ways."""
    few, found = Packed(stored), []
    for patience in WAYS.values():
        out = np.empty(like.size, like.dtype)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compiling, "PATIENCE", compiling.Patience(patience, patience))
            for number in range(few.starts.size - 1):
                few.block(number, out[number * BLOCK_VALUES : (number + 1) * BLOCK_VALUES])
        found.append(out)
    assert found[0].tobytes() == found[1].tobytes()
    return found[0].reshape(like.shape)


def packed_both_ways(array: np.ndarray) -> np.ndarray | None:
    """Whole-array operations and compiled loops make the same bytes."""
    found = []
    for patience in WAYS.values():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(compiling, "PATIENCE", compiling.Patience(patience, patience))
            found.append(packed(array))
    assert [each is None or each.tobytes() for each in found[:1]] == [
        each is None or each.tobytes() for each in found[1:]
    ]
    return found[0]


def bytes_of(array: np.ndarray) -> int:
    """What it takes packed, and that it comes back to the last bit."""
    stored = packed_both_ways(array)
    if stored is None:
        return array.nbytes
    assert unpacked(stored, array).tobytes() == array.tobytes()
    assert stored.size < array.nbytes
    return stored.size


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    """Of any kind, of a few different numbers, ascending, of one number nearly always, or of any."""
    kind = np.dtype(draw(st.sampled_from(KINDS)))
    size = draw(st.sampled_from([1, 2, 7, 300, BLOCK_VALUES - 1, BLOCK_VALUES, 2 * BLOCK_VALUES + 9]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    some = draw(hnp.arrays(kind, st.integers(1, 40)))
    values = some[rng.integers(some.size, size=size)]
    match draw(st.integers(0, 3)):
        case 0:
            values = np.sort(values)
        case 1:
            values = np.where(rng.random(size) < draw(st.floats(0, 1)), some[0], values)
        case 2:
            spread = rng.integers(0, 2 ** draw(st.integers(1, 60)), size)
            with np.errstate(over="ignore"):
                values = spread.astype(kind) if kind.kind in "iu" else values
        case _:
            pass
    return np.ascontiguousarray(values.astype(kind))


@settings(max_examples=150, deadline=None)
@given(arrays())
def test_any_array_comes_back_to_the_last_bit(array: np.ndarray) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "PACKED_FROM", 1)
        patch.setattr(packing, "WORTH_ONE_IN", 10**9)
        bytes_of(array)


@pytest.mark.parametrize("width", range(1, 55))
def test_numbers_of_any_width(width: int) -> None:
    """With some that need more, and some below."""
    rng = np.random.default_rng(width)
    array = rng.integers(2**62, 2**62 + 2**width, BLOCK_VALUES + 77).astype(np.int64) - 2**62
    array[rng.integers(array.size, size=9)] = [-(2**63), 2**63 - 1, -1, 0, 1, 2**62, -(2**40), 2**40, 7]
    assert bytes_of(array) <= array.size * (width + 1) // 8 + 3000


@pytest.mark.parametrize(
    ("made", "most_bits"),
    [
        (lambda rng, n: np.full(n, np.nan), 0.02),
        (lambda rng, n: np.full(n, 7, np.int64), 0.02),
        (lambda rng, n: np.arange(n, dtype=np.uint32) * 4 + 3, 0.02),
        (lambda rng, n: np.cumsum(rng.integers(1, 5, n)), 2.1),
        (lambda rng, n: rng.permutation(n).astype(np.uint32), 18.1),
        (lambda rng, n: rng.integers(0, 2**24, n) * 1_000_000 + 1_600_000_000_000_000, 24.1),
        (lambda rng, n: np.array([3000, 4000, 6000, 1920])[rng.integers(4, size=n)], 2.1),
        (lambda rng, n: np.array([50.0, np.nan, 2.8, 1 / 3, 1e300])[rng.integers(5, size=n)], 3.1),
        (lambda rng, n: np.where(rng.random(n) < 0.7, 0, rng.integers(0, 65536, n)).astype(np.uint16), 6.0),
        (lambda rng, n: np.where(rng.random(n) < 0.7, np.nan, rng.random(n)), 18.0),
        (lambda rng, n: np.where(rng.random(n) < 0.01, 200, rng.integers(0, 4, n)).astype(np.uint8), 2.4),
        (lambda rng, n: np.where(rng.random(n) < 0.5, -8, 2**61 + 1), 1.1),
        (lambda rng, n: np.concatenate([np.arange(n // 4, dtype=np.uint32)] * 4), 0.1),
    ],
)
def test_what_is_alike_takes_few_bits(made: Any, most_bits: float) -> None:
    array = made(np.random.default_rng(3), 200_000)
    assert 8 * bytes_of(array) / array.size <= most_bits


def test_what_would_not_become_smaller_is_left_alone() -> None:
    rng = np.random.default_rng(5)
    assert packed(rng.integers(0, 256, 100_000).astype(np.uint8)) is None
    assert packed(rng.integers(-(2**63), 2**63 - 1, 100_000)) is None
    assert packed(np.zeros(packing.PACKED_FROM - 1)) is None
    assert packed(np.array(["a"] * 100_000)) is None


def test_one_block_can_be_had_without_the_others() -> None:
    array = np.arange(3 * BLOCK_VALUES + 5, dtype=np.uint32) // 3
    stored = packed(array)
    assert stored is not None
    few = Packed(stored)
    damaged = stored.copy()
    damaged[few.starts[0] : few.starts[2]] = 255
    damaged[few.starts[3] :] = 255
    out = np.empty(BLOCK_VALUES, np.uint32)
    Packed(damaged).block(2, out)
    assert np.array_equal(out, array[2 * BLOCK_VALUES : 3 * BLOCK_VALUES])
    assert Packed.head_bytes(stored) == few.starts[0]


@pytest.mark.parametrize("values", [np.arange(5000) ** 3, np.arange(5000) % 251, np.arange(5000) % 2 * 2**40])
def test_a_block_that_was_changed_by_others_ends_no_process(
    values: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loops look at no place that is not there, whatever a block says, and nothing takes more memory than the
    block may; what is found then is anyone's guess."""
    monkeypatch.setattr(packing, "PACKED_FROM", 1)
    monkeypatch.setattr(compiling, "PATIENCE", compiling.Patience(0, 0))
    array = values.astype(np.int64)
    stored = packed(array)
    assert stored is not None
    start, rng = Packed(stored).starts[0], np.random.default_rng(1)
    for _ in range(300):
        damaged = stored.copy()
        damaged[start + rng.integers(min(stored.size - start, 64), size=3)] = rng.integers(0, 256, 3)
        with contextlib.suppress(ValueError, IndexError):
            Packed(damaged).block(0, np.empty(array.size, np.int64))


def test_numba_is_loaded_only_after_many_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def loop() -> None: ...

    monkeypatch.setattr(compiling, "_compiled", lambda loop: lambda: loop)
    monkeypatch.setattr(compiling, "PATIENCE", compiling.Patience(100, 1000))
    assert [compiling.quick(loop, 400) is None for _ in range(3)] == [True, True, False]
    monkeypatch.setattr(compiling, "PATIENCE", compiling.Patience(0, 1000))
    assert compiling.quick(loop, 1) is not None
    monkeypatch.setattr(compiling, "_compiled", lambda loop: loop)  # where numba is missing
    assert compiling.quick(loop, 1) is None


def test_bytes_are_packed_where_that_saves_an_eighth() -> None:
    """Two planes of bits in eight are saved, or one less what stands beside."""
    numbers = np.random.default_rng(8).integers(0, 128, 2 * BLOCK_VALUES).astype(np.uint8)
    assert packed(numbers // 2) is not None
    few_more = numbers.copy()
    few_more[::40] = 255
    assert packed(numbers) is None
    assert packed(few_more) is None
    assert packed(few_more.astype(np.uint16)) is not None
