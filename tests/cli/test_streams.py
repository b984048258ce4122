"""Standard streams whose reader goes away."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dsslic_search.cli.streams import UNREAD

WRITES = """
import os, sys
from dsslic_search.cli import streams

with streams.prepared():
    {first}
    os.write({left}, b"x")  # that it came so far; after this its reader goes away
    sys.stdin.read(1)
    try:
        print("told", file=sys.{name}, flush={flush})
        os.write({left}, b"y")
    finally:
        os.write({left}, b"z")
        print("more", file=sys.{name})
"""


def left_by(name: str, first: str = "0", *options: str, flush: bool = True) -> tuple[int, str, bytes]:
    """Exit code of a process that writes to a stream when its reader has gone, what the other stream had, and
    how far it came."""
    here, there = os.pipe()
    other = "stderr" if name == "stdout" else "stdout"
    script = WRITES.format(first=first, left=there, name=name, flush=flush)
    with (
        os.fdopen(here, "rb") as steps,
        subprocess.Popen(
            [sys.executable, *options, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[there],
            env={name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"},
        ) as process,
    ):
        os.close(there)
        begun = steps.read(1)
        getattr(process, name).close()
        assert process.stdin is not None
        process.stdin.close()
        told = getattr(process, other).read().decode()
        code = process.wait()
        return code, told, begun + steps.read()


@pytest.mark.parametrize("options", [[], ["-u"]])
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_nobody_who_reads_ends_it_quietly(name: str, options: list[str]) -> None:
    """And what it has begun is put in order."""
    assert left_by(name, "0", *options) == (UNREAD, "", b"xz")


def test_what_is_told_last_ends_it_so_too() -> None:
    """Which is written when all is done, as Python's own flush at its end would be."""
    assert left_by("stdout", flush=False) == (UNREAD, "", b"xyz")


def test_it_goes_on_where_it_is_to() -> None:
    assert left_by("stderr", "streams.outlive_readers()") == (0, "", b"xyz")
