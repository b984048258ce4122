"""Whatever happens to a catalog, to the files of its indexes and to the processes that make them, answers are
those of indexes that are made from nothing."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import ClassVar
from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dsslic_search.api.indexes import OpenIndexes
from dsslic_search.index import segments
from tests.index.segment_answers import QUERIES, Kept, Killed, ended_at
from tests.query.made import NOON, V

IS_LONG = settings().max_examples == settings.get_profile("long").max_examples
WRITTEN_FROM = 5
"""Photos that make a segment here, so that few steps make many."""
MAX_PHOTOS = 16
"""Of a segment here, so that there are several full ones."""
QUERIES_ASKED_OF_A_STEP = 3
TIMES = (1, 1, 1, 8) if IS_LONG else (1,)
"""How much larger the segments of a life are."""
LONG_STEPS = 2_000  # that the long run has at least

seeds = st.integers(0, 10_000)
picks = st.integers(0, 1000)
ends = st.none() | st.integers(1, 30)


class Life(RuleBasedStateMachine):
    """``lasting``: indexes of a process that goes on; each step asks those of a new one, too."""

    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp())
        self.patch = mock.patch.multiple(segments, WRITTEN_FROM=WRITTEN_FROM, MAX_PHOTOS=MAX_PHOTOS)
        self.patch.start()
        self.kept = Kept(self.top)
        self.lasting = self.new()
        self.turn = 0

    def teardown(self) -> None:
        self.patch.stop()
        self.kept.close()
        shutil.rmtree(self.top)

    def new(self) -> OpenIndexes:
        return OpenIndexes(self.kept, self.kept.index, V)

    def some(self, pick: int) -> int | None:
        ids = self.kept.ids
        return ids[pick % len(ids)] if ids else None

    @initialize(count=st.integers(0, 12), seed=seeds, times=st.sampled_from(TIMES))
    def begin(self, count: int, seed: int, times: int) -> None:
        """With segments of so many ``times`` MAX_PHOTOS."""
        segments.MAX_PHOTOS = times * MAX_PHOTOS
        self.kept.add(times * count, seed)

    # Changes

    @rule(count=st.integers(1, 3), seed=seeds)
    def add_few(self, count: int, seed: int) -> None:
        self.kept.add(count, seed)

    @rule(count=st.integers(WRITTEN_FROM, 12), seed=seeds, settled=st.booleans())
    def add_many(self, count: int, seed: int, settled: bool) -> None:
        self.kept.add(count, seed)
        if settled:
            self.kept.settle(self.lasting)

    @rule(pick=picks, seed=seeds)
    def describe_anew(self, pick: int, seed: int) -> None:
        if (photo_id := self.some(pick)) is not None:
            self.kept.describe_anew(photo_id, seed)

    @rule(pick=picks, days=st.integers(0, 5))
    def change_date(self, pick: int, days: int) -> None:
        if (photo_id := self.some(pick)) is not None:
            self.kept.change(photo_id, taken_at=NOON + timedelta(days=days) if days else None)

    @rule(pick=picks, camera=st.sampled_from(["Canon EOS", "Nikon", None]), iso=st.sampled_from([50, 800]))
    def change_facts(self, pick: int, camera: str | None, iso: int) -> None:
        if (photo_id := self.some(pick)) is not None:
            self.kept.change(photo_id, camera=camera, iso=iso)

    @rule(pick=picks, to=st.sampled_from(["/a/z.jpg", "/b/a.jpg", "/z/é.png"]), keep=st.booleans())
    def move(self, pick: int, to: str, keep: bool) -> None:
        if (photo_id := self.some(pick)) is not None:
            self.kept.move(photo_id, to, NOON + timedelta(days=self.turn), keep)

    @rule(pick=picks, into=st.booleans())
    def put_into_bin(self, pick: int, into: bool) -> None:
        if (photo_id := self.some(pick)) is not None:
            self.kept.put(photo_id, into)

    @rule(pick=picks, take=st.booleans())
    def tag(self, pick: int, take: bool) -> None:
        if (photo_id := self.some(pick)) is not None:
            self.kept.tag(photo_id, take)

    @rule(pick=picks, count=st.integers(1, 6))
    def remove(self, pick: int, count: int) -> None:
        if ids := self.kept.ids:
            start = pick % len(ids)
            self.kept.catalog.remove(ids[start : start + count])

    # Indexes

    @rule(end=ends, lasting=st.booleans(), full=st.booleans())
    def settle(self, end: int | None, lasting: bool, full: bool) -> None:
        """``full``: the disk is, from then on; else the process is killed."""
        indexes = self.lasting if lasting else self.new()
        if end is None:
            self.kept.settle(indexes)
            return
        with suppress(Killed), ended_at(end, (lambda: OSError("no space left")) if full else Killed):
            self.kept.settle(indexes)
        if lasting and not full:
            self.lasting = self.new()

    @rule(end=st.integers(1, 20), full=st.booleans(), turn=picks)
    def ask_and_end(self, end: int, full: bool, turn: int) -> None:
        with suppress(Killed), ended_at(end, (lambda: OSError("no space left")) if full else Killed):
            self.kept.asked(self.new(), QUERIES[turn % len(QUERIES)])

    @rule()
    def begin_a_process(self) -> None:
        self.lasting = self.new()

    @precondition(lambda self: self.kept.index.is_dir())
    @rule(pick=picks, flip=st.none() | st.integers(0, 1_000_000), within=st.booleans())
    def harm(self, pick: int, flip: int | None, within: bool) -> None:
        """A file is lost, or a byte of it is another; ``within``: where it lies, else in a file that takes
        its place."""
        files = sorted(self.kept.index.iterdir())
        if not files:
            return
        path = files[pick % len(files)]
        if flip is None:
            path.unlink()
            return
        data = bytearray(path.read_bytes())
        data[flip % len(data)] ^= 1 + flip % 255
        if within:
            self.lasting = self.new()  # what was found sound is not looked at again
        else:
            path.unlink()
        path.write_bytes(data)

    # Copies

    @rule()
    def back_up(self) -> None:
        self.kept.back_up()

    @precondition(lambda self: self.kept.aside.is_file())
    @rule()
    def restore(self) -> None:
        self.kept.restore()

    @rule()
    def keep_index(self) -> None:
        self.kept.keep_index()

    @precondition(lambda self: self.kept.index_aside.is_dir())
    @rule()
    def put_index_back(self) -> None:
        self.kept.put_index_back()

    # What must be answered

    @invariant()
    def answers(self) -> None:
        Life.steps += 1
        if IS_LONG and Life.steps % 100 == 0:
            sys.stderr.write(f"{Life.steps} steps so far\n")
        plain, new = self.kept.plainly(), self.new()
        for _ in range(QUERIES_ASKED_OF_A_STEP):
            text = QUERIES[self.turn % len(QUERIES)]
            self.turn += 1
            expected = self.kept.asked(plain, text)
            assert self.kept.asked(self.lasting, text) == expected, f"{text}, asked of a lasting process"
            assert self.kept.asked(new, text) == expected, f"{text}, asked of a new process"
        if self.turn % 2:
            expected = self.kept.counted(plain)
            assert self.kept.counted(self.lasting) == expected
            assert self.kept.counted(new) == expected


class TestLife(Life.TestCase):  # type: ignore[misc,name-defined] # made by Hypothesis
    def runTest(self) -> None:
        super().runTest()
        sys.stderr.write(f"{Life.steps} steps\n")
        if IS_LONG:
            assert Life.steps >= LONG_STEPS


if not IS_LONG:
    TestLife.settings = settings(max_examples=4, stateful_step_count=10)
