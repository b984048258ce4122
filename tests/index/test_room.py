"""What is made is kept while there is room and its owner lives; what was not used for longest goes first."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.index import room as room_module
from dsslic_search.index.room import HUGE_FROM, Room, gives_back, zeros


class Owner:
    """Makes arrays of 100 bytes, and counts how many."""

    made = 0

    def make(self) -> np.ndarray:
        self.made += 1
        return np.full(100, self.made, np.uint8)


def test_what_was_made_is_kept_and_read_only() -> None:
    room, owner = Room(1000), Owner()
    first = room.array(owner, "a", owner.make)
    assert room.array(owner, "a", owner.make) is first
    assert not first.flags.writeable
    assert (owner.made, room.taken) == (1, 100)
    assert room.array(owner, "b", owner.make)[0] == 2
    assert room.array(Owner(), "a", owner.make)[0] == 3


def test_what_was_not_used_for_longest_goes_when_there_is_no_room() -> None:
    room, owner = Room(300), Owner()
    for key in "abc":
        room.array(owner, key, owner.make)
    room.array(owner, "a", owner.make)
    room.array(owner, "d", owner.make)
    assert (owner.made, room.taken) == (4, 300)
    room.array(owner, "a", owner.make)
    assert owner.made == 4
    room.array(owner, "b", owner.make)
    assert (owner.made, room.taken) == (5, 300)


def test_what_grows_stays_and_others_go() -> None:
    room, owner = Room(300), Owner()
    grown = room.get(owner, "grows", lambda: [1])
    room.array(owner, "a", owner.make)
    room.grew(owner, "grows", 150)
    assert room.taken == 250
    room.grew(owner, "grows", 5000)
    assert room.get(owner, "grows", lambda: [2]) is grown
    assert room.taken == 5150
    room.array(owner, "a", owner.make)
    assert (owner.made, room.taken) == (2, 100)
    room.grew(owner, "gone", 50)
    assert room.taken == 100


def test_nothing_is_kept_of_an_owner_that_is_gone() -> None:
    room, owner, other = Room(1000), Owner(), Owner()
    for key in "ab":
        room.array(owner, key, owner.make)
    room.array(other, "a", other.make)
    del owner
    gc.collect()
    assert room.taken == 100
    room.array(other, "a", other.make)
    assert other.made == 1


def test_what_is_kept_is_known_and_what_had_to_go_is_not() -> None:
    room, owner = Room(100), Owner()
    assert room.known(owner, "a") is None
    room.get(owner, "a", lambda: 1, 60)
    assert room.known(owner, "a") == 1
    room.get(owner, "b", lambda: 2, 30)
    room.known(owner, "a")
    room.get(owner, "c", lambda: 3, 40)  # "b" was not used for longest
    assert [room.known(owner, key) for key in "abc"] == [1, None, 3]


@pytest.mark.parametrize("small", [False, True])
def test_arrays_that_are_kept_have_zeros_and_can_be_written(
    small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "gives_back", lambda balloons: small)
    for count in (0, 5, HUGE_FROM // 2, HUGE_FROM + 3):
        array = zeros(count, np.dtype(np.uint16))
        assert (array.size, array.dtype, int(array.sum())) == (count, np.uint16, 0)
        array[-1:] = 7
        assert int(array.sum()) == (7 if count else 0)


@pytest.mark.parametrize(
    ("features", "gives"), [("01100101", True), ("01100001", False), ("0110", False), ("", False)]
)
def test_a_balloon_tells_whether_free_memory_goes_back_to_the_host(
    tmp_path: Path, features: str, gives: bool
) -> None:
    """By the sixth of its features; a machine without a balloon keeps its memory."""
    assert not gives_back(tmp_path / "none")
    (tmp_path / "virtio3").mkdir()
    (tmp_path / "virtio3" / "features").write_text(features)
    assert gives_back(tmp_path) is gives
