"""Parity: a file of which up to so many blocks are damaged comes back; of more, never another one."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.api import Archive
from dsslic_search.archive import parity
from dsslic_search.archive.check import check
from dsslic_search.archive.findings import Kind, Problem
from dsslic_search.archive.repair import repair
from dsslic_search.archive.stored import Fault
from dsslic_search.core.errors import FormatError, UsageError


@given(st.binary(max_size=3000), st.integers(1, 25), st.integers(0, 2**32))
def test_as_many_blocks_as_there_are_spare_ones_are_made_again(data: bytes, percent: int, seed: int) -> None:
    read = parity.read(parity.made(data, percent))
    chance, damaged = random.Random(seed), bytearray(data)
    assert 100 * len(read.blocks) >= percent * read.count
    numbers = chance.sample(range(read.count), min(len(read.blocks), read.count))
    for number in numbers:
        start = number * read.block_bytes
        for position in range(start, min(start + read.block_bytes, len(data))):
            damaged[position] ^= chance.randrange(256)
    assert parity.mended(bytes(damaged), read) == data


@given(st.binary(min_size=1, max_size=2000), st.data())
def test_what_is_made_again_is_the_file_or_nothing(data: bytes, drawn: st.DataObject) -> None:
    stored, damaged = bytearray(parity.made(data, 10)), bytearray(data)
    for each in damaged, stored:
        for position in drawn.draw(st.lists(st.integers(0, len(each) - 1), max_size=5)):
            each[position] ^= drawn.draw(st.integers(0, 255))
        if drawn.draw(st.booleans()):
            del each[drawn.draw(st.integers(0, len(each))) :]
    try:
        read = parity.read(bytes(stored))
    except FormatError:
        return
    assert parity.mended(bytes(damaged), read) in (data, None)


def test_either_head_will_do_and_every_flip_is_harmless() -> None:
    data = bytes(range(256)) * 5
    stored = parity.made(data, 5)
    damaged = data[:300] + b"?" + data[301:]
    for position in range(len(stored)):
        flipped = stored[:position] + bytes([stored[position] ^ 4]) + stored[position + 1 :]
        assert parity.mended(damaged, parity.read(flipped)) in (data, None)
    assert parity.mended(damaged, parity.read(b"?" * 80 + stored[80:])) == data
    with pytest.raises(FormatError):
        parity.read(b"?" * 80 + stored[80:-80] + b"?" * 80)


@pytest.fixture
def filled(world: Any) -> Any:
    for i in range(3):
        world.photo(f"{i}.jpg", f"{i} " * 500)
    world.ingest(keep="exact", percent=20)
    return world


def files(world: Any) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in world.archive.root.glob("objects/*/*") if path.is_file()}


def first(world: Any, ending: str = "dsslic") -> Path:
    return sorted(world.archive.root.glob(f"objects/*/*.{ending}"))[0]


def test_a_damaged_only_copy_is_made_again(filled: Any) -> None:
    before = files(filled)
    assert len(before) == 6
    path = first(filled)
    data = path.read_bytes()
    for damaged in (
        data[:200] + b"?" + data[201:],
        data[:-100],
        b"?" * 70 + data[70:],
        data[:300] + b"?" * 100 + data[400:],
        data + b"more",
    ):
        path.write_bytes(damaged)
        (found,) = check(filled.archive, read_data=True)
        assert (found.kind, found.only_copy) == (Kind.DAMAGED, True)
        assert [each.by_parity for each in repair(filled.archive, [found])] == [True]
        assert files(filled) == before
    assert check(filled.archive, read_data=True) == []


def test_too_much_damage_changes_nothing(filled: Any) -> None:
    path = first(filled)
    path.write_bytes(path.read_bytes()[:400])
    before = files(filled)
    found = check(filled.archive, read_data=True)
    assert repair(filled.archive, found) == []  # the only copy, as far as is known
    assert files(filled) == before


@pytest.mark.parametrize("how", ["missing", "damaged", "cut"])
def test_parity_that_is_lacking_is_made(filled: Any, how: str) -> None:
    before, path = files(filled), first(filled, "parity")
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1] + (b"?" if how == "damaged" else b""))
    assert [f.what for f in check(filled.archive)] == [Problem.PARITY_LACKING] * (how == "missing")
    (found,) = check(filled.archive, read_data=True)
    assert found.what is Problem.PARITY_LACKING
    assert repair(filled.archive, [found]) == [found]
    assert files(filled) == before


def test_parity_follows_its_file(world: Any) -> None:
    for i in range(3):
        world.photo(f"{i}.jpg", f"{i} " * 500)
    world.ingest(keep="layers", percent=20)
    filled, before = world, files(world)
    assert filled.ingest(keep="exact").updated == 3
    assert set(files(filled)) == set(before)
    assert not set(files(filled).values()) & set(before.values())
    assert check(filled.archive, read_data=True) == []
    filled.photo("late.jpg")
    filled.ingest()
    assert len(files(filled)) == 8
    with Archive(filled.archive.root) as archive:
        archive.remove([1])
        archive.empty_bin(even_only_copies=True)
    assert len(files(filled)) == 6
    assert check(filled.archive, read_data=True) == []


def test_parity_for_what_is_there_and_none_again(world: Any) -> None:
    world.photo("a.jpg")
    world.photo("b.jpg")
    world.ingest()
    with Archive(world.archive.root) as archive:
        assert archive.parity(5).photos == 2
        assert archive.parity(5).photos == 0
        assert archive.parity(10).percent == 10
        first(world).write_bytes(b"?" * 400)
        assert [reason for _, reason in archive.parity(12).failed]
        assert check(world.archive)[0].what is Fault.WRONG_LENGTH
        assert archive.parity(0).photos == 2
        for percent in (-1, 26):
            with pytest.raises(UsageError):
                archive.parity(percent)
    assert not list(world.archive.root.glob("objects/*/*.parity"))
    world.photo("c.jpg")
    world.ingest()
    assert not list(world.archive.root.glob("objects/*/*.parity"))
