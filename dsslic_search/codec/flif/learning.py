"""Learning a MANIAC tree: which properties of a sample tell most about how its number will come out.

Each leaf keeps, beside the chances that it codes with, two sets for every property: one for samples whose
property is above the mean so far, one for the others. It counts what coding would have cost with either. Once
some property would have saved more than a threshold, the leaf becomes a node that asks for that property.
(Sneyers & Wuille, "FLIF: Free lossless image format based on MANIAC compression", ICIP 2016.)

A leaf's record in ``stats``: samples, cost, the property that would cost least or -1; then what each property
would cost; then the sum of each property.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.flif.machine import (
    CHANCES,
    COSTS,
    LEAF,
    LEAF_COUNT,
    MAX_LEAVES,
    NODE,
    NODE_COUNT,
    PROPERTIES,
    PROPERTY_COUNT,
    PROPERTY_HIGHS,
    PROPERTY_LOWS,
    SIDES,
    STEPS,
    STRIDE,
    THRESHOLD,
    Cells,
)

SAMPLES, COST, BEST, RECORD = range(4)
MAX_USES = 512  # of a node's leaf before the node asks
USES_DIVISOR = 30  # a decoder's node asks after this part of the samples that it took to see that it pays
LEAST_SAMPLES = 50  # in the leaves below a node; it is taken out if there are fewer
EMPTY_LEAF = -100  # what a leaf without samples counts


def stride_for(properties: int) -> int:
    """Chances of a leaf that learns."""
    return CHANCES * (1 + 2 * properties)


def record_for(properties: int) -> int:
    """Numbers of a leaf's record."""
    return RECORD + 2 * properties


def learn_bit(chances: Cells, stats: Cells, cells: Cells, place: int, bit: int) -> None:
    """Count what one bit costs the leaf at work, as it is and by each property, and move the chances."""
    count, leaf = int(cells[PROPERTY_COUNT]), int(cells[LEAF])
    at, record = leaf * int(cells[STRIDE]) + place, leaf * (RECORD + 2 * count)
    move = STEPS + (bit << 12)
    chance = int(chances[at])
    least = int(stats[record + COST]) + int(cells[COSTS + (chance if bit else 4096 - chance)])
    stats[record + COST] = least
    chances[at] = cells[move + chance]
    best, sides = -1, int(cells[SIDES])
    for i in range(count):
        there = at + CHANCES * (1 + 2 * i + ((sides >> i) & 1))
        chance = int(chances[there])
        cost = int(stats[record + RECORD + i]) + int(cells[COSTS + (chance if bit else 4096 - chance)])
        stats[record + RECORD + i] = cost
        chances[there] = cells[move + chance]
        if cost < least:
            least, best = cost, i
    stats[record + BEST] = best


def learn_leaf(nodes: Cells, chances: Cells, stats: Cells, cells: Cells) -> None:
    """Find the leaf for the properties at hand, split it where that pays, and note on which side of the means
    they are."""
    count = int(cells[PROPERTY_COUNT])
    node = 0
    while nodes[NODE * node] >= 0:
        above = cells[PROPERTIES + nodes[NODE * node]] > nodes[NODE * node + 1]
        node = int(nodes[NODE * node + 3]) + (0 if above else 1)
    leaf = int(nodes[NODE * node + 4])
    record = leaf * (RECORD + 2 * count)
    best = int(stats[record + BEST])
    if (
        best >= 0
        and int(stats[record + COST]) > int(stats[record + RECORD + best]) + int(cells[THRESHOLD])
        and cells[LEAF_COUNT] < cells[MAX_LEAVES]
    ):
        leaf = split_leaf(nodes, chances, stats, cells, node, best)
        record = leaf * (RECORD + 2 * count)
    samples = int(stats[record + SAMPLES]) + 1
    stats[record + SAMPLES] = samples
    sides = 0
    for i in range(count):
        total = int(stats[record + RECORD + count + i]) + int(cells[PROPERTIES + i])
        stats[record + RECORD + count + i] = total
        if cells[PROPERTIES + i] > total // samples:
            sides |= 1 << i
    cells[LEAF], cells[SIDES] = leaf, sides


def split_leaf(nodes: Cells, chances: Cells, stats: Cells, cells: Cells, leaf_node: int, best: int) -> int:
    """Make a leaf's node ask for a property, where the samples that come here may still differ in it; returns
    the leaf for the properties at hand."""
    low, high = int(cells[PROPERTY_LOWS + best]), int(cells[PROPERTY_HIGHS + best])
    node = 0
    while node != leaf_node:
        asked, split = int(nodes[NODE * node]), int(nodes[NODE * node + 1])
        above = cells[PROPERTIES + asked] > split
        if asked == best and above:
            low = split + 1
        elif asked == best:
            high = split
        node = int(nodes[NODE * node + 3]) + (0 if above else 1)
    old, new = int(nodes[NODE * node + 4]), int(cells[LEAF_COUNT])
    if low >= high:
        return old
    size, stride = RECORD + 2 * int(cells[PROPERTY_COUNT]), int(cells[STRIDE])
    samples = int(stats[old * size + SAMPLES])
    total = int(stats[old * size + RECORD + cells[PROPERTY_COUNT] + best])
    split = min(max(total // samples, low), high - 1)
    child = int(cells[NODE_COUNT])
    nodes[NODE * node], nodes[NODE * node + 1], nodes[NODE * node + 2] = best, split, min(samples, 32767)
    nodes[NODE * node + 3] = child
    for which in range(2):
        nodes[NODE * (child + which)] = -1
        nodes[NODE * (child + which) + 4] = new if which else old
    for i in range(stride):
        chances[new * stride + i] = chances[old * stride + i]
    for i in range(size):
        stats[old * size + i] = stats[new * size + i] = 0
    stats[old * size + BEST] = stats[new * size + BEST] = -1
    cells[LEAF_COUNT], cells[NODE_COUNT] = new + 1, child + 2
    return old if cells[PROPERTIES + best] > split else new


def prune(nodes: NDArray[np.int32], stats: NDArray[np.int64], properties: int) -> None:
    """Take nodes with too few samples below them out of a learnt tree, int32 [n, NODE], and say of the others
    after how many samples they ask. A node's children come after it."""
    samples = [0] * len(nodes)
    size = record_for(properties)
    for at in range(len(nodes) - 1, -1, -1):
        asked, _, uses, child, leaf = (int(number) for number in nodes[at])
        if asked < 0:
            samples[at] = int(stats[leaf * size + SAMPLES]) or EMPTY_LEAF
            continue
        samples[at] = samples[child] + samples[child + 1]
        uses = min(max(uses // USES_DIVISOR, 1), MAX_USES)
        nodes[at, 2] = uses & ~7 if uses > 15 else uses  # multiples of 8 take fewer bits
        if samples[at] < LEAST_SAMPLES:
            nodes[at, 0] = -1
