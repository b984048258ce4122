"""The program as a process, when it is interrupted: exit code 130 or the signal itself, and no traceback."""

from __future__ import annotations

import logging
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from dsslic_search.cli.options import INTERRUPTED
from tests.cli.conftest import Run
from tests.logged import logged

BEGINS = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from dsslic_search.cli import main, program
sys.argv = ["dss-search", "classes"]
{instead}
program.program()
"""


def ended(instead: str) -> tuple[int, str]:
    """Exit code and standard error of the program with something of it in another way."""
    command = [sys.executable, "-c", BEGINS.format(instead=instead)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


IN_A_FINALIZER = """
class Odd:
    def __del__(self):
        raise KeyboardInterrupt

def work(*_, **__):
    odd = Odd()
    del odd
    for _ in range(5000):  # an interrupt just before a wait is seen after it
        threading.Event().wait(0.01)

main.command = lambda *_: work
"""


def test_an_interrupt_that_cannot_be_raised_where_it_comes_is_not_lost() -> None:
    assert ended(IN_A_FINALIZER) == (INTERRUPTED, "dss-search: interrupted\n")


WHILE_IT_TELLS = """
def work(*_, **__):
    raise KeyboardInterrupt

main.command, main.say = lambda *_: work, work
"""
AT_THE_END = """
import atexit
atexit.register(signal.raise_signal, signal.SIGINT)
"""


@pytest.mark.parametrize("instead", [WHILE_IT_TELLS, AT_THE_END])
def test_an_interrupt_outside_of_the_command_ends_it_by_the_signal(instead: str) -> None:
    assert ended(instead) == (-signal.SIGINT, "")


def test_an_interrupt_while_a_connection_is_closed_is_one(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLAlchemy logs it as an error besides, with a traceback."""
    assert run("init", "--archive", tmp_path / "a").code == 0

    def interrupted(_dialect: SQLiteDialect_pysqlite, connection: sqlite3.Connection) -> None:
        connection.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(SQLiteDialect_pysqlite, "do_close", interrupted)
    with logged(level=logging.DEBUG) as records:
        ran = run("check", "--archive", tmp_path / "a")
    monkeypatch.undo()
    assert ran.code == INTERRUPTED
    assert [record.exc_info for record in records if record.exc_info] == []
    assert "Traceback" not in ran.err
