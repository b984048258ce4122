"""Processes of their own for tests that end one in the midst of its work, or let several write at once. They
are forked, with all that is loaded here, where starting Python and importing it all takes seconds; not where
buckets are asked, as the threads of their client are not there in a fork."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LIMIT_SECONDS = 300


class Fork:
    """Another process; what it says are lines."""

    def __init__(self, work: Callable[[Callable[[str], None]], object], folder: Path) -> None:
        assert not _open_below(folder), "SQLite would take this process's locks for those of the other"
        reader, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            os.close(reader)
            _work_and_end(work, writer)
        os.close(writer)
        self._said = os.fdopen(reader)

    def line(self) -> str:
        """The next that it says. AssertionError, with its exit code, once it has ended."""
        said = self._said.readline()
        assert said, f"the other process ended with {self.wait()}"
        return said.rstrip("\n")

    def rest(self) -> list[str]:
        """All that it says until it ends."""
        return self._said.read().split("\n")[:-1]

    def send(self, what: signal.Signals) -> None:
        """A signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, what)

    def poll(self) -> int | None:
        """Its exit code, the negative number of the signal that ended it, None while it goes on."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def wait(self) -> int:
        """The same once it has ended."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def close(self) -> None:
        """End it, if it has not ended."""
        self.send(signal.SIGKILL)
        self.wait()
        self._said.close()


@contextmanager
def forked(work: Callable[[Callable[[str], None]], object], folder: Path) -> Iterator[Fork]:
    """Does ``work``, to which it hands a function that says a line, in ``folder``, in which this process has
    nothing open; its exit code is 0, or 1 where it raised. It is ended with the block."""
    fork = Fork(work, folder)
    try:
        yield fork
    finally:
        fork.close()


def ended(work: Callable[[], object], folder: Path) -> int:
    """The exit code of a process that did ``work``, see `forked`; the negative number of the signal that
    ended it."""
    with forked(lambda _say: work(), folder) as fork:
        return fork.wait()


def _work_and_end(work: Callable[[Callable[[str], None]], object], writer: int) -> None:
    """In the other process: nothing happens there of what would at the end of this one, and a signal ends it
    where it hangs."""
    code = 1
    try:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]  # None is what it begins with
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.alarm(LIMIT_SECONDS)
        faulthandler.dump_traceback_later(LIMIT_SECONDS - 5, file=2)  # where it hangs
        work(lambda line: _say(writer, line))
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _say(writer: int, line: str) -> None:
    os.write(writer, f"{line}\n".encode())


def _open_below(folder: Path) -> list[str]:
    """Files in a folder that this process has open, where the system tells."""
    found = []
    for each in Path("/proc/self/fd").glob("*"):
        try:
            found.append(str(each.readlink()))
        except OSError:  # the one that lists them
            continue
    return [name for name in found if name.startswith(f"{folder.resolve()}{os.sep}")]
