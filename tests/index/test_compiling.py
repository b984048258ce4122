"""Machine code that was kept is never that of another version of the program."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from dsslic_search.index import column_loops, compiling, packing_loops
from dsslic_search.index.regions import build_loops, kernels
from dsslic_search.index.regions.relate import Between, Related
from dsslic_search.index.regions.table import Regions, open_regions
from dsslic_search.index.vectors import scan
from tests import forks
from tests.measured import as_written
from tests.query.made import NOWHERE, MadeArchive, MadePhoto, V
from tests.query.test_exactness import made_photo
from tests.segments import whole

TESTS = (Related("left of", (4,)), Related("next to", (1, 2)), Between((1,), (2,)))


def opened(photos: list[MadePhoto]) -> Regions:
    return open_regions(whole(MadeArchive(photos), NOWHERE, V))


LOOPS = """
import numpy as np
from upgraded import numbers
from upgraded.numbers import STEP

def loop(values):
    total = 0
    for value in values:
        total += value * STEP + numbers.START
    return total
"""


def ran(top: Path, text: str) -> tuple[int, int]:
    """The result with another module of this text, and how many versions of machine code are kept; the loop's
    own file stays as it is."""
    module = top / "upgraded" / "numbers.py"
    module.write_text(text)

    def work(say: Callable[[str], None]) -> None:
        sys.path.insert(0, str(top))
        sys.dont_write_bytecode = True  # so that a change within the same second is one
        from upgraded.loops import loop

        compiling.PATIENCE.photos = 0
        say(str(compiling.runnable(loop, 1)(np.arange(3))))

    with forks.forked(work, top) as process:
        (said,) = process.rest()
        assert process.wait() == 0
    return int(said), len(list((top / "upgraded" / "__pycache__").glob("*.nbi")))


def test_a_constant_that_another_module_changes_is_compiled_anew(tmp_path: Path) -> None:
    import numba  # noqa: F401  # once, and not in each process

    (tmp_path / "upgraded").mkdir()
    (tmp_path / "upgraded" / "__init__.py").write_text("")
    (tmp_path / "upgraded" / "loops.py").write_text(LOOPS)
    assert ran(tmp_path, "STEP, START = 2, 0") == (6, 1)
    assert ran(tmp_path, "STEP, START = 2, 0") == (6, 1)
    assert ran(tmp_path, "STEP, START = 5, 0") == (15, 2)
    assert ran(tmp_path, "STEP, START = 5, 1") == (18, 3)


@pytest.mark.parametrize(
    "loop",
    [
        kernels.counting,
        kernels.chosen,
        kernels.numbered,
        kernels.placed,
        kernels.touching,
        kernels.zoned,
        kernels.beside,
        kernels.adjacent,
        kernels.overlapping,
        kernels.amid,
        column_loops.gather,
        column_loops.settle,
        column_loops.narrow,
        column_loops.mark,
        build_loops.of_half,
        packing_loops.measure,
        packing_loops.number_all,
        packing_loops.apart,
        packing_loops.split,
        packing_loops.unpack,
        scan._loop(5),
    ],
)
def test_the_name_of_a_loop_is_the_same_in_every_process(loop: compiling.Loop) -> None:
    with as_written([loop]):
        assert " at 0x" not in repr(compiling._meaning(loop, set()))


def test_loops_of_different_lengths_have_different_names() -> None:
    loops = [scan._loop(length) for length in (5, 6)]
    with as_written(loops):
        names = {compiling._named_by_meaning(loop).__qualname__ for loop in loops}
    assert len(names) == 2


@pytest.mark.parametrize("photos", [0, 1, 7, 1000])
@pytest.mark.parametrize("processors", [1, 2, 3])
def test_many_photos_are_dealt_out_to_all_processors(photos: int, processors: int) -> None:
    looked_at = []

    def look(part: slice) -> None:
        looked_at.append((threading.get_ident(), range(photos)[part]))

    with (
        mock.patch.object(compiling, "SHARED_FROM", 2),
        mock.patch.object(os, "cpu_count", lambda: processors),
    ):
        compiling.on_all_processors(look, photos)
    assert sorted(photo for _, part in looked_at for photo in part) == list(range(photos))
    assert len(looked_at) == (processors if photos > 1 else 1)


def test_photos_are_compared_alike_on_one_thread_and_on_several() -> None:
    rng = np.random.default_rng(2)
    regions = opened([made_photo(rng, number + 1) for number in range(80)])
    asked = [(test, classes) for test in TESTS for classes in ((1,), (2, 3))]
    alone = [regions.passing(classes, test) for test, classes in asked]
    with mock.patch.object(compiling, "SHARED_FROM", 2):
        shared = [regions.passing(classes, test) for test, classes in asked]
    for one, other in zip(alone, shared, strict=True):
        assert one.best.tolist() == other.best.tolist()
        assert one.counts is not None and other.counts is not None
        assert one.counts.tolist() == other.counts.tolist()


@pytest.mark.parametrize("items", [0, 1, 2, 50])
def test_results_come_in_turn_and_few_items_are_read_ahead(items: int) -> None:
    read = []

    def source() -> Iterator[int]:
        for number in range(items):
            read.append(number)
            yield number

    for place, result in enumerate(compiling.in_turn(lambda number: number**2, source())):
        assert result == place**2
        assert len(read) <= place + 2 + (os.cpu_count() or 1)
    assert len(read) == items


def test_the_first_trouble_in_turn_is_raised() -> None:
    def work(number: int) -> int:
        return 1 // (number - 3)

    with pytest.raises(ZeroDivisionError):
        list(compiling.in_turn(work, range(10)))
