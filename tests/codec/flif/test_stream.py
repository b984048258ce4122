from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsslic_search.codec.flif import chances, machine
from dsslic_search.codec.flif.stream import Stream

LIMITS = st.tuples(st.integers(-70_000, 70_000), st.integers(0, 65_535)).map(lambda n: (n[0], n[0] + n[1]))
NUMBERS = st.lists(LIMITS.flatmap(lambda n: st.tuples(st.just(n), st.integers(*n))), max_size=60)


def written(room: int = 5000) -> Stream:
    return Stream(np.zeros(room, np.uint8), machine.ENCODING)


def read(data: bytes) -> Stream:
    return Stream(np.frombuffer(bytearray(data), np.uint8), machine.DECODING)


@settings(deadline=None)
@given(NUMBERS, st.integers(1, 128), st.integers(2, 128))
def test_numbers_flags_and_uniform_ones_come_back(numbers, cutoff: int, divisor: int) -> None:
    def code(stream: Stream) -> list[object]:
        stream.set_steps(cutoff, divisor)
        adaptive = stream.numbers(), stream.numbers()
        back: list[object] = []
        for place, ((low, high), value) in enumerate(numbers):
            given = 0 if stream.is_decoding else value
            back.append(adaptive[place % 2].code(low, high, given))
            back.append(stream.uniform(low, high, given))
            back.append(stream.flag(bool(given % 2)))
        return back

    stream = written()
    wanted = [part for _, value in numbers for part in (value, value, bool(value % 2))]
    assert code(stream) == wanted
    data = stream.finish()
    decoder = read(data)
    assert code(decoder) == wanted
    assert not decoder.has_ended()
    assert decoder.position == len(data)  # a reader needs all of it and no more


def test_a_carry_goes_back_over_full_bytes() -> None:
    stream = written()
    wanted = [0, *40 * [1], 0, 1] * 30  # low runs up to a byte's edge again and again
    for bit in wanted:
        machine.code_bit(stream._data, stream.state, bit, stream.state[machine.RANGE] * 4094 >> 12)
    decoder = read(stream.finish())
    assert [
        machine.code_bit(decoder._data, decoder.state, 0, decoder.state[machine.RANGE] * 4094 >> 12)
        for _ in wanted
    ] == wanted


def test_past_the_end_every_bit_is_a_one_and_it_is_known() -> None:
    stream = read(b"\0\0\0")
    assert not stream.has_ended()
    numbers = stream.numbers()
    for _ in range(5000):
        numbers.code(-200, 200)
    assert stream.has_ended()
    assert [numbers.code(-200, 200) for _ in range(100)] == 100 * [0]
    assert stream.flag() and stream.uniform(3, 18) == 18


def test_without_room_it_is_known_too() -> None:
    stream = written(4)
    for value in range(40):
        stream.uniform(0, 255, value)
    assert len(stream.finish()) == 4
    assert stream.has_ended()


@pytest.mark.parametrize(("cutoff", "divisor"), [(2, 19), (1, 2), (40, 100), (128, 128)])
def test_chances_move_towards_what_came_and_stay_within_the_cutoff(cutoff: int, divisor: int) -> None:
    after_zero, after_one = chances.steps(cutoff, divisor).reshape(2, 4096)
    inside = np.arange(cutoff, 4097 - cutoff)
    assert (after_one[inside] >= inside).all() and (after_one[inside[:-1]] > inside[:-1]).all()
    assert (after_one[inside] <= 4096 - cutoff).all()
    assert np.array_equal(after_zero[inside], 4096 - after_one[4096 - inside])
    half = after_one[2048] - 2048
    assert abs(half - 2048 / divisor) < 3


def test_costs_are_the_logarithms_of_chances() -> None:
    costs = chances.costs()
    assert costs[4096] == 0
    assert costs[2048] == 5461
    assert costs[1] == 65535
    assert (np.diff(costs[1:]) <= 0).all()
