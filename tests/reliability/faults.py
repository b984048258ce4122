"""Faults at every change of a file: what `faults.c` counts, stops and lets fail in a process that was started
with it.

A process starts itself anew with the library in front (`preloaded`), does what takes long once, and then
forks for each fault (`forked`): so a case costs what its own work costs.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import json
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

SOURCE = Path(__file__).with_name("faults.c")
STOPPED = 77
"""How a process ends that a fault stopped."""

WATCH, STOP, TEAR, FAIL = range(4)

KINDS = {
    "c": "a file is made", "o": "a file is opened for writing", "w": "bytes are written",
    "s": "bytes are flushed", "t": "a file is cut", "r": "a file is renamed", "u": "a file is deleted",
    "m": "a folder is made", "l": "a name is added",
}  # fmt: skip


class Point(NamedTuple):
    """A call that changes something: its kind, a letter of `KINDS`, and the path below the folder watched."""

    kind: str
    path: str

    @property
    def sort(self) -> str:
        """Its kind and what sort of file it is about, whatever the file's own name is."""
        name = Path(self.path).name
        folder = self.path.split("/")[1] if self.path.count("/") > 1 else ""
        ending = "tmp" if name.startswith(".") else name if not folder else Path(name).suffix.lstrip(".")
        return f"{self.kind} {folder}/{ending}" if folder else f"{self.kind} {ending}"


@dataclass(frozen=True)
class Trouble:
    """An error of the system, and the kinds of calls that it lets fail."""

    number: int
    kinds: str

    @property
    def name(self) -> str:
        return errno.errorcode[self.number]


TROUBLES = (
    Trouble(errno.ENOSPC, "cwtml"),
    Trouble(errno.EIO, "cowstruml"),
    Trouble(errno.EACCES, "coruml"),
    Trouble(errno.EROFS, "coruml"),
)
"""A full disk lets files be deleted and renamed; a file that is open stays so when permissions are lost."""


def compiler() -> str | None:
    """The C compiler of this machine, None where it has none; only Linux has what is done with it."""
    return shutil.which("cc") or shutil.which("gcc") if sys.platform == "linux" else None


def preloaded(scratch: Path) -> None:
    """Start this process anew with the library in front, unless it was."""
    if "DSS_FAULTS" in os.environ:
        return
    made = scratch / "faults.so"
    command = [compiler() or "cc", "-O1", "-shared", "-fPIC", "-o", str(made), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    environment = os.environ | {"LD_PRELOAD": str(made), "DSS_FAULTS": str(made)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


class Faults:
    """The library, in a process that has it in front."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(os.environ["DSS_FAULTS"])
        self._library.faults_point.restype = ctypes.c_char_p
        self._library.faults_count.restype = ctypes.c_long
        self._library.faults_point.argtypes = [ctypes.c_long]
        self._library.faults_arm.argtypes = [
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_long,
            ctypes.c_int,
            ctypes.c_char_p,
        ]

    def arm(self, folder: Path, how: int = WATCH, at: int = -1, trouble: Trouble | None = None) -> None:
        """From now on watch what changes under a folder, and do ``how`` at point ``at``, from 0."""
        number, kinds = (trouble.number, trouble.kinds) if trouble else (0, "")
        self._library.faults_arm(os.fsencode(folder), how, at, number, kinds.encode())

    def disarm(self) -> list[Point]:
        """Watch no more; the points that there were."""
        self._library.faults_disarm()
        lines = [
            os.fsdecode(self._library.faults_point(number)) for number in range(self._library.faults_count())
        ]
        return [Point(line[:1], line[1:]) for line in lines]


class Ended(NamedTuple):
    """How a forked process ended: its exit code, what it returned, and what it raised, as text."""

    code: int
    value: Any = None
    raised: str = ""


def forked(work: Callable[[], Any], limit: int = 300) -> Ended:
    """Do something in a process of its own, which ends at once when it is done; what it returns is JSON. It
    is ended when it takes longer than ``limit`` seconds."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        import signal

        signal.alarm(limit)
        gc.disable()  # it ends before it would have anything to clear away
        os.close(reader)
        try:
            answer = json.dumps([work(), ""])
        except BaseException:
            answer = json.dumps([None, traceback.format_exc()])
        with os.fdopen(writer, "w") as out:
            out.write(answer)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        answer = told.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Ended(code, *json.loads(answer)) if answer else Ended(code)
