"""Passes over all planes of a picture: read, written, or learnt from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.flif import chances, learning, loops, machine, run, tree
from dsslic_search.codec.flif.interlaced import level_order
from dsslic_search.codec.flif.ranges import Ranges
from dsslic_search.codec.flif.scanlines import WHOLE
from dsslic_search.codec.flif.stream import Stream
from dsslic_search.core.errors import FormatError

ROW_ORDER = (3, 0, 1, 2)  # of planes that are coded row by row
PREDICTORS = 3
THRESHOLD = 64 * 5461  # 1/5461 bits that asking for a property must save before a leaf learns to ask
MAX_LEAVES = 1 << 14  # of a tree that learns
LEAST_USES = 8  # pixels a leaf, at most so many leaves
PROPERTIES_OF_ROWS, PROPERTIES_OF_LEVELS = (7, 8, 9, 7), (8, 10, 9, 8)  # of each plane, without alpha
EACH_LEVEL = -1  # in place of a predictor: each level tells its own


@dataclass(frozen=True)
class Stop:
    """Where data ended: ``levels``, the next of each plane that nothing is known of; ``level`` and ``row`` of
    ``plane``, the first that may be missing, where a level was begun."""

    levels: list[int]
    plane: int = 0
    level: int | None = None
    row: int = 0


class Passes:
    """The planes of a picture, int32 [planes, h, w], as they are coded, with a tree for each.

    ``skips_invisible``: whether pixels whose alpha is 0 are left out of the other planes.
    """

    def __init__(
        self,
        stream: Stream,
        planes: NDArray[np.int32],
        ranges: Ranges,
        table: NDArray[np.int32] | None,
        steps: tuple[int, int],
        *,
        is_interlaced: bool,
    ) -> None:
        self.stream, self.planes, self.ranges = stream, planes, ranges
        self.table = np.zeros(1, np.int32) if table is None else table
        self.steps, self.is_interlaced = steps, is_interlaced
        count, height, width = planes.shape
        self.trees = [np.array([-1, 0, 0, 0, 0], np.int32) for _ in range(count)]
        self.leaves = count * [np.zeros(0, np.uint16)]
        self.stats = np.zeros(1, np.int64)
        state = stream.state
        ranges.fill(state)
        state[machine.WIDTH], state[machine.HEIGHT], state[machine.PLANE_COUNT] = width, height, count
        state[machine.SKIPS_INVISIBLE] = 0
        if table is not None:
            state[machine.HAS_BUCKETS] = 1
            state[machine.BUCKET_ROWS] = ranges.highs[0] - ranges.lows[0] + 1
            state[machine.BUCKET_COLUMNS] = (
                (ranges.highs[1] - ranges.lows[1]) // 4 + 1 if not ranges.is_constant(2) else 0
            )

    def skip_invisible(self, predictor: int) -> None:
        """Leave pixels whose alpha is 0 out of the other planes; ``predictor``: what they are taken for."""
        self.stream.state[machine.SKIPS_INVISIBLE] = 1
        self.stream.state[machine.INVISIBLE_PREDICTOR] = predictor

    def varying(self) -> list[int]:
        """The planes that are coded."""
        return [plane for plane in range(len(self.planes)) if not self.ranges.is_constant(plane)]

    def code_trees(self) -> None:
        """Code the tree of each plane. FormatError for one that is impossible or too large."""
        state = self.stream.state
        self.stream.set_steps(chances.DEFAULT_CUTOFF, chances.DEFAULT_DIVISOR)
        job = run.CODE_LEVELS_TREE if self.is_interlaced else run.CODE_ROWS_TREE
        for plane in self.varying():
            if self.stream.is_decoding:
                most = min(2 * self.planes[0].size + 1, tree.MAX_NODES)
                self.trees[plane] = np.zeros(most * machine.NODE, np.int32)
                state[machine.NODE_LIMIT] = most
            else:
                state[machine.NODE_LIMIT] = tree.MAX_NODES
            self.leaves[plane] = np.tile(chances.first_chances(), 3)
            self.stats = np.zeros(tree.LEVEL * tree.MAX_DEPTH, np.int64)
            outcome = self._run(job, plane)
            if outcome != tree.DONE:
                raise FormatError(
                    "the FLIF picture holds an impossible tree: damaged data"
                    if outcome == tree.IMPOSSIBLE
                    else "the FLIF picture holds a tree that is larger than any that was learnt: damaged data"
                )
            if self.stream.is_decoding:
                used = machine.NODE * state[machine.NODE_COUNT]
                self.trees[plane] = self.trees[plane][:used].copy()

    def start(self) -> None:
        """Fresh chances for all planes, as many as each tree has leaves."""
        for plane in self.varying():
            most = len(self.trees[plane]) // machine.NODE // 2 + 1
            self.leaves[plane] = np.empty(most * machine.CHANCES, np.uint16)
            self.leaves[plane][: machine.CHANCES] = chances.first_chances()
        self.leaf_counts = len(self.planes) * [1]
        self.stream.set_steps(*self.steps)

    def code_rows(self) -> None:
        """Code all planes row by row, as far as a decoder has data."""
        self.start()
        for plane in ROW_ORDER:
            if plane in self.varying() and self._code(run.CODE_ROWS, plane) != WHOLE:
                return

    def code_levels(
        self, first: int, last: int, predictors: list[int], *, is_default: bool = True
    ) -> Stop | None:
        """Code the levels ``first`` down to ``last`` of all planes; returns where a decoder had no more."""
        self.start()
        state = self.stream.state
        for plane, level in self._order(first, last, is_default):
            self.levels[plane] = level - 1
            if self.ranges.is_constant(plane):
                continue
            predictor = predictors[plane]
            if predictor == EACH_LEVEL:
                predictor = self.stream.uniform(0, PREDICTORS - 1)
            state[machine.ZOOM], state[machine.PREDICTOR] = level, predictor
            row = self._code(run.CODE_LEVEL, plane)
            if row != WHOLE:
                # a decoder reads ahead, so what was read last may be missing too
                back = 1 if level % 2 else 2
                return Stop(self.levels, plane, level, row - back if row >= back else row)
        return None

    def learn(self, rounds: int, first: int, predictors: list[int]) -> list[NDArray[np.int32]]:
        """The tree of each plane that suits it, from rounds over its rows, or over its levels from ``first``
        on."""
        state = self.stream.state
        state[machine.THRESHOLD] = THRESHOLD
        for plane in self.varying():
            count = PROPERTIES_OF_ROWS if not self.is_interlaced else PROPERTIES_OF_LEVELS
            properties = count[plane] + (1 if len(self.planes) > 3 and plane < 3 else 0)
            most = min(self.planes[plane].size // LEAST_USES + 2, MAX_LEAVES)
            stride, record = learning.stride_for(properties), learning.record_for(properties)
            tree_array = np.empty((2 * most + 1) * machine.NODE, np.int32)
            tree_array[: machine.NODE] = -1, 0, 0, 0, 0
            self.trees[plane], self.leaves[plane] = tree_array, np.empty(most * stride, np.uint16)
            self.leaves[plane][:stride] = np.tile(chances.first_chances(), 1 + 2 * properties)
            self.stats = np.empty(most * record, np.int64)
            self.stats[:record] = 0
            self.stats[learning.BEST] = -1
            state[machine.NODE_COUNT], state[machine.LEAF_COUNT], state[machine.MAX_LEAVES] = 1, 1, most
            state[machine.STRIDE] = stride
            self.stream.set_steps(*self.steps)
            for _ in range(rounds):
                if not self.is_interlaced:
                    self._run(run.CODE_ROWS, plane)
                    continue
                for level in range(first, -1, -1):
                    state[machine.ZOOM], state[machine.PREDICTOR] = level, predictors[plane]
                    self._run(run.CODE_LEVEL, plane)
            learnt = tree_array[: machine.NODE * state[machine.NODE_COUNT]].reshape(-1, machine.NODE)
            learning.prune(learnt, self.stats, properties)
            self.trees[plane] = learnt.reshape(-1).copy()
            self.leaves[plane] = np.zeros(0, np.uint16)
        return self.trees

    def _order(self, first: int, last: int, is_default: bool) -> Iterator[tuple[int, int]]:
        """(plane, level) as the file has them: by rule, or each told."""
        count = len(self.planes)
        self.levels = count * [first]
        if is_default:
            yield from level_order(count, first, last, is_palette=self.ranges.is_constant(0))
            return
        for _ in range(count * (first - last + 1)):
            plane = self.stream.uniform(0, count - 1)
            level = self.levels[plane]
            hidden = self.stream.state[machine.SKIPS_INVISIBLE] and plane < 3 and level <= self.levels[3]
            if level < 0 or hidden:
                raise FormatError("the FLIF picture's planes come in an impossible order: damaged data")
            yield plane, level

    def _code(self, job: int, plane: int) -> int:
        state = self.stream.state
        state[machine.LEAF_COUNT], state[machine.STRIDE] = self.leaf_counts[plane], machine.CHANCES
        outcome = self._run(job, plane)
        self.leaf_counts[plane] = state[machine.LEAF_COUNT]
        return outcome

    def _run(self, job: int, plane: int) -> int:
        state = self.stream.state
        state[machine.JOB], state[machine.PLANE] = job, plane
        return loops.run_loops(
            self.stream.data,
            self.planes.reshape(-1),
            self.trees[plane],
            self.leaves[plane],
            self.stats,
            self.table,
            self.stream.cells,
        )
