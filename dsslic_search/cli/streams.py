"""Standard output and standard error of a command, and its quiet end when nobody reads them any more.

SIGPIPE stays ignored, as Python has it. At its default it ends the whole process, without a word, also where
a socket or a pipe to somebody else is closed (a database, a bucket, another program), which is to be told.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

UNREAD = 141
"""Exit code where who read standard output or error closed it: what shells say of a process that SIGPIPE
ended."""


class Unread(SystemExit):
    """Nobody reads what the command tells any more. No error of a file, so that nobody takes it for one."""

    def __init__(self) -> None:
        super().__init__(UNREAD)


class _Told(io.FileIO):
    """A standard stream that raises `Unread` once its reader has gone, and swallows what comes after."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "wb", closefd=False)
        self.ends = True

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            if self.ends:
                raise Unread from None
            return memoryview(data).nbytes


@contextmanager
def prepared() -> Iterator[None]:
    """Within the block, what the terminal cannot show is written as escapes, and a reader such as head that
    has enough ends the block quietly, with `Unread`. Streams that somebody put in their place stay."""
    before = sys.stdout, sys.stderr
    ours = []
    try:
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
                if stream is getattr(sys, f"__{name}__"):
                    stream.flush()
                    ours.append(_ending(stream))
                    setattr(sys, name, ours[-1])
        yield
        for each in ours:
            with suppress(OSError):  # of a disk, which is told while there is somebody who tells it
                each.flush()
    finally:
        outlive_readers(*ours)
        for each in ours:
            with suppress(OSError):
                each.flush()
        sys.stdout, sys.stderr = before


def _ending(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    raw = _Told(stream.fileno())
    unbuffered = isinstance(stream.buffer, io.RawIOBase)  # as `python -u` has it
    return io.TextIOWrapper(
        raw if unbuffered else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def outlive_readers(*streams: object) -> None:
    """From now on the process goes on when nobody reads what it tells, in these streams or in both."""
    for stream in streams or (sys.stdout, sys.stderr):
        buffer = getattr(stream, "buffer", None)
        raw = getattr(buffer, "raw", buffer)
        if isinstance(raw, _Told):
            raw.ends = False
