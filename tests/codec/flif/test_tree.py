"""Trees: read as they were written, learnt where they pay, refused where they are impossible."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.codec.flif import learning, machine, tree
from dsslic_search.codec.flif.chances import first_chances
from dsslic_search.codec.flif.passes import Passes
from dsslic_search.codec.flif.ranges import Ranges
from dsslic_search.codec.flif.stream import Stream
from dsslic_search.core.errors import FormatError

LEAF = (-1, 0, 0, 0, 0)


def passes(stream: Stream, shape: tuple[int, int] = (30, 30)) -> Passes:
    planes = np.zeros((1, *shape), np.int32)
    return Passes(stream, planes, Ranges((0,), (255,)), None, (2, 19), is_interlaced=False)


def encoder() -> Stream:
    return Stream(np.zeros(1_000_000, np.uint8), machine.ENCODING)


def written(nodes: list[tuple[int, ...]]) -> bytes:
    stream = encoder()
    coded = passes(stream)
    coded.trees[0] = np.array(nodes, np.int32).reshape(-1)
    coded.code_trees()
    return stream.finish()


def read(data: bytes, shape: tuple[int, int] = (30, 30)) -> list[tuple[int, ...]]:
    coded = passes(Stream(np.frombuffer(bytearray(data), np.uint8), machine.DECODING), shape)
    coded.code_trees()
    return [tuple(node) for node in coded.trees[0].reshape(-1, machine.NODE).tolist()]


def test_a_tree_comes_back() -> None:
    nodes = [(0, 100, 512, 1, 0), (1, 0, 1, 3, 0), (2, -9, 40, 5, 0), *4 * [LEAF]]
    nodes[3] = (0, 180, 8, 7, 0)
    nodes += 2 * [LEAF]
    back = read(written(nodes))
    assert len(back) == len(nodes)
    kept = [node[:3] for node in nodes if node != LEAF]
    assert sorted(node[:3] for node in back if node[0] >= 0) == sorted(kept)
    assert back[0][:3] == (0, 100, 512)


def test_a_property_that_can_be_but_one_is_no_question() -> None:
    nodes = [(1, 1, 1, 1, 0), (1, 1, 1, 3, 0), *3 * [LEAF]]  # above 1 it is 2
    with pytest.raises(FormatError, match="impossible tree"):
        written(nodes)


def test_a_tree_deeper_than_any_is_refused() -> None:
    deep = tree.MAX_DEPTH + 1
    nodes: list[tuple[int, ...]] = []
    for depth in range(deep):  # takes one value of a difference off after the other
        nodes += [(2 + depth // 500, depth % 500 - 255, 1, 2 * depth + 1, 0)]
        nodes += [LEAF]
    ordered = [nodes[0]]
    for depth in range(1, deep):
        ordered += [nodes[2 * depth], LEAF]
    ordered += [LEAF, LEAF]
    for depth in range(deep):
        at = 0 if depth == 0 else 2 * depth - 1
        property_, split, uses, _, leaf = ordered[at]
        ordered[at] = (property_, split, uses, 2 * depth + 1, leaf)
    with pytest.raises(FormatError, match="larger than any"):
        written(ordered)


def test_a_tree_of_more_leaves_than_pixels_is_refused() -> None:
    nodes = [(0, 100, 1, 1, 0), (0, 180, 1, 3, 0), *3 * [LEAF]]
    data = written(nodes)
    assert len(read(data, (1, 2))) == 5
    with pytest.raises(FormatError, match="larger than any"):
        read(data, (1, 1))


def test_a_leaf_splits_after_its_uses_and_both_halves_know_what_it_learnt() -> None:
    nodes = np.array([(0, 10, 2, 1, 0), LEAF, LEAF], np.int32).reshape(-1)
    chances = np.zeros(3 * machine.CHANCES, np.uint16)
    chances[: machine.CHANCES] = first_chances()
    cells = memoryview(np.zeros(machine.CELL_COUNT, np.int64))
    cells[machine.LEAF_COUNT] = 1
    found = []
    for value in (50, 3, 50, 3, 50):
        cells[machine.PROPERTIES] = value
        tree.find_leaf(memoryview(nodes), memoryview(chances), cells)
        chances[machine.LEAF and int(cells[machine.LEAF]) * machine.CHANCES] += 1
        found.append(cells[machine.LEAF])
    assert found == [0, 0, 0, 1, 0]
    first = int(first_chances()[0])
    assert (chances[0], chances[machine.CHANCES]) == (first + 4, first + 3)


def test_a_tree_is_learnt_where_a_property_tells_something_and_pruned_where_it_does_not() -> None:
    x = np.arange(48)[None]
    noise = np.random.default_rng(1).integers(0, 256, (48, 48))
    halves = np.where(x < 24, 60, noise).astype(np.int32)[None]
    for planes, grows in ((halves, True), (np.full((1, 48, 48), 7, np.int32), False)):
        learner = Passes(
            Stream(np.zeros(1, np.uint8), machine.LEARNING),
            planes.copy(),
            Ranges((0,), (255,)),
            None,
            (2, 19),
            is_interlaced=False,
        )
        nodes = learner.learn(2, 0, [0])[0].reshape(-1, machine.NODE)
        assert (nodes[0, 0] >= 0) == grows
        asked = nodes[nodes[:, 0] >= 0]
        assert ((asked[:, 2] >= 1) & (asked[:, 2] <= learning.MAX_USES)).all()
        assert np.array_equal(learner.planes, planes)
