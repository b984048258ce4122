"""Which lines tests run, where it is asked for: of a package that is made here, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import coverage
import pytest

from tests import measured

ROOT = Path(__file__).parents[1]
MODULE = """\
def doubled(number):
    if number < 0:
        return -2 * -number
    return (
        2 * number
    )


class Loops:
    @staticmethod
    def summed(values):
        total = 0
        for each in values:
            total += each
        return total


def not_called():
    return 1
"""
RUN_BEGINS = """\
import sys
from pathlib import Path
from tests import measured

measured.ROOT = Path.cwd()
sys.path.insert(0, str(Path.cwd()))
measured.start()
from dsslic_search import made
"""


def do(run: str, folder: Path, asked: str = "1") -> None:
    """By Python, with a package of the package's name in ``folder``."""
    package = folder / measured.PACKAGE
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "made.py").write_text(MODULE)
    (package / "never_loaded.py").write_text("x = 1\n")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DSS_TEST_COVERAGE": asked}
    done = subprocess.run(
        [sys.executable, "-c", RUN_BEGINS + run + "\nmeasured.write('gw7')\n"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def statements(run: str, folder: Path) -> tuple[list[int], list[int]]:
    """Of the module, the statements that there are and those that were not run, as coverage.py tells them,
    after Python did ``run``."""
    do(run, folder)
    report = coverage.Coverage(data_file=str(folder / ".coverage"), config_file=False)
    report.combine([str(folder)])
    assert {Path(file).name for file in report.get_data().measured_files()} >= {"never_loaded.py"}
    _, found, missing, _ = report.analysis(str(folder / measured.PACKAGE / "made.py"))
    return found, missing


@pytest.mark.parametrize(
    ("run", "missing"),
    [
        ("", [2, 3, 4, 12, 13, 14, 15, 19]),
        ("made.doubled(3)", [3, 12, 13, 14, 15, 19]),
        ("made.doubled(-3); made.Loops.summed([1, 2])", [4, 19]),
    ],
)
def test_lines_that_were_run_are_told_of_and_no_others(run: str, missing: list[int], tmp_path: Path) -> None:
    assert statements(run, tmp_path) == ([1, 2, 3, 4, 9, 10, 11, 12, 13, 14, 15, 18, 19], missing)


def test_lines_are_told_of_too_when_the_probes_before_them_were_taken_out(tmp_path: Path) -> None:
    run = """
measured.NEW_LINES = 1
for number in 3, 3, -3, 4:
    code = made.doubled.__code__
    assert made.doubled(number) == 2 * number
    measured.take_out_probes()
assert made.doubled.__code__ is code  # nothing new the last time
made.Loops.summed([1])
"""
    assert statements(run, tmp_path)[1] == [19]


def test_what_numba_compiles_is_without_probes_and_others_have_them_again(tmp_path: Path) -> None:
    run = """
import numba

probed = made.Loops.summed.__code__
assert "__slipcover__" in probed.co_consts
with measured.as_written([made.Loops.summed, made.doubled, 3]):
    assert "__slipcover__" not in made.Loops.summed.__code__.co_consts
    assert numba.njit(made.Loops.summed)((1, 2, 4)) == 7
assert made.Loops.summed.__code__ is probed
"""
    assert statements(run, tmp_path)[1] == [2, 3, 4, 12, 13, 14, 15, 19]


def test_nothing_is_measured_unless_it_is_asked_for(tmp_path: Path) -> None:
    run = """
assert "slipcover" not in sys.modules
measured.take_out_probes()
measured.write("nothing")
"""
    do(run, tmp_path, asked="")
    assert not [*tmp_path.glob(".coverage*")]
