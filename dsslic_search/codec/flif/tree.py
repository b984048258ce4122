"""MANIAC trees: which leaf's chances a sample is coded with, by its properties.

A node asks whether a property is above a value; the first child is for those above. It comes to ask only
after its own leaf has been used some times, and then both children start from what that leaf has learnt.
"""

from __future__ import annotations

from dsslic_search.codec.flif.chances import code_number, code_shifted
from dsslic_search.codec.flif.learning import MAX_USES, learn_leaf
from dsslic_search.codec.flif.machine import (
    CHANCES,
    DECODING,
    LARGEST,
    LEAF,
    LEAF_COUNT,
    LEARNING,
    MODE,
    NODE,
    NODE_COUNT,
    NODE_LIMIT,
    PROPERTIES,
    PROPERTY_COUNT,
    PROPERTY_HIGHS,
    PROPERTY_LOWS,
    SMALLEST,
    STRIDE,
    Cells,
)

MAX_DEPTH = 1024  # of a tree: far more than any that was learnt has
MAX_NODES = 1 << 21
LEVEL = 4  # numbers of a level: its node, the least and greatest of its property, the child it is in
DONE, IMPOSSIBLE, TOO_LARGE = range(3)


def code_tree(data: Cells, nodes: Cells, chances: Cells, stats: Cells, cells: Cells) -> int:
    """Code a whole tree, each node before its children. ``chances`` holds three first sets, ``stats`` has
    room for the levels; cells say what the properties can be, and do so again at the end."""
    cells[STRIDE] = CHANCES
    if cells[MODE] == DECODING:
        cells[NODE_COUNT] = 1
    depth, node = 0, 0
    while True:
        at = NODE * node
        cells[LEAF] = 0
        asked = (
            code_number(data, chances, stats, cells, 0, int(cells[PROPERTY_COUNT]), int(nodes[at]) + 1) - 1
        )
        nodes[at], nodes[at + 4] = asked, 0
        if asked >= 0:
            low, high = int(cells[PROPERTY_LOWS + asked]), int(cells[PROPERTY_HIGHS + asked])
            if low >= high:
                return IMPOSSIBLE
            cells[LEAF] = 1
            nodes[at + 2] = code_shifted(data, chances, stats, cells, 1, MAX_USES, int(nodes[at + 2]))
            cells[LEAF] = 2
            split = code_shifted(data, chances, stats, cells, low, high - 1, int(nodes[at + 1]))
            nodes[at + 1] = split
            if cells[MODE] == DECODING:
                nodes[at + 3] = cells[NODE_COUNT]
                cells[NODE_COUNT] += 2
                if cells[NODE_COUNT] > cells[NODE_LIMIT]:
                    return TOO_LARGE
            if depth == MAX_DEPTH:
                return TOO_LARGE
            level = LEVEL * depth
            stats[level], stats[level + 1], stats[level + 2], stats[level + 3] = node, low, high, 0
            depth += 1
            cells[PROPERTY_LOWS + asked] = split + 1
            node = int(nodes[at + 3])
            continue
        while depth and stats[LEVEL * depth - 1]:
            depth -= 1
            cells[PROPERTY_HIGHS + nodes[NODE * stats[LEVEL * depth]]] = stats[LEVEL * depth + 2]
        if depth == 0:
            return DONE
        level = LEVEL * (depth - 1)
        at = NODE * int(stats[level])
        cells[PROPERTY_LOWS + nodes[at]] = stats[level + 1]
        cells[PROPERTY_HIGHS + nodes[at]] = nodes[at + 1]
        stats[level + 3] = 1
        node = int(nodes[at + 3]) + 1


def find_leaf(nodes: Cells, chances: Cells, cells: Cells) -> None:
    """Put the leaf for the properties at hand to work."""
    node = 0
    while nodes[NODE * node] >= 0:
        at = NODE * node
        uses = int(nodes[at + 2])
        if uses > 0:
            nodes[at + 2] = uses - 1
            break
        child = int(nodes[at + 3])
        node = child + (0 if cells[PROPERTIES + nodes[at]] > nodes[at + 1] else 1)
        if uses == 0:
            nodes[at + 2] = -1
            old, new = int(nodes[at + 4]) * CHANCES, int(cells[LEAF_COUNT])
            for i in range(CHANCES):
                chances[new * CHANCES + i] = chances[old + i]
            nodes[NODE * child + 4], nodes[NODE * child + NODE + 4] = nodes[at + 4], new
            cells[LEAF_COUNT] = new + 1
            break
    cells[LEAF] = nodes[NODE * node + 4]


def code_sample(
    data: Cells, nodes: Cells, chances: Cells, stats: Cells, cells: Cells, guess: int, sample: int
) -> int:
    """Code a sample of SMALLEST..LARGEST as its difference from a guess within these; returns it."""
    low, high = int(cells[SMALLEST]), int(cells[LARGEST])
    if low == high:
        return low
    if cells[MODE] == LEARNING:
        learn_leaf(nodes, chances, stats, cells)
    else:
        find_leaf(nodes, chances, cells)
    return guess + code_number(data, chances, stats, cells, low - guess, high - guess, sample - guess)
