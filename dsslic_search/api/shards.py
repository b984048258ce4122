"""Indexes that several processes have open, each some of the segments, and questions asked of all of them.

Who asks says which segments each process is to answer for, as they are at one state of the catalog; so no
photo is counted twice or left out, whoever merges segments meanwhile. New photos that are in no file yet are
looked at by who asks. A process that has ended is an error, never an answer without its photos; so is one
that hangs. While it is at a question, however long, it says every few seconds that it lives, and who hears
nothing of it for two minutes ends it.

The processes are of this machine and read the same files of the archive's folder and the same catalog. They
are told in Python's own format, through sockets that only the two have.
"""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dsslic_search.core.errors import ArchiveError, DSSError
from dsslic_search.core.vocabulary import Vocabulary
from dsslic_search.index.source import Source, Stale, State

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dsslic_search.index.segment import Elsewhere, Segment
    from dsslic_search.query.run.evaluate import Indexes
    from dsslic_search.query.run.scatter import Asked, Finding

SECONDS_TO_END = 5.0  # that a process gets when it is not needed any more
BEAT_SECONDS = 5.0  # between signs that a process lives
SILENT_SECONDS = 120  # after which one that gives none is ended; it also gets so long to begin
_BEAT = None  # is sent as a sign


@dataclass(frozen=True)
class Listed:
    """A segment that a process is to answer for, by the name of its files; see `index.segment.Segment`."""

    name: str
    past: frozenset[State]
    gone: NDArray[np.bool_] | None


@dataclass(frozen=True)
class Told:
    """What a process is told: the segments, where they are others than before, at a state of the catalog; and
    what is asked, None for what is to be unpacked ahead. ``number``: of the question, which the answer
    repeats."""

    number: int
    state: State
    segments: tuple[Listed, ...] | None
    asked: Asked | None


class Shards:
    """``count`` processes for the catalog ``source``, begun when they are asked first. Safe to ask from
    several threads; one question at a time."""

    def __init__(self, source: Source, count: int, command: Sequence[str]) -> None:
        """``command``: begins a process that calls `answering` with the socket whose number is its last
        argument; :func:`of_archive` gives an archive's."""
        self._source, self._count, self._command = source, count, command
        self._processes: list[_Process] = []
        self._place: dict[str, int] = {}  # of a segment, by its name
        self._turn = threading.Lock()

    def find(self, indexes: Sequence[Indexes], asked: Asked) -> Finding:
        """What is asked for in all these segments. Raises Stale where the catalog has changed since they were
        opened, and ArchiveError where a process has ended, or hangs."""
        from dsslic_search.query.run import scatter

        segments = [each.columns.segment for each in indexes]
        if any(each.source is not self._source for each in segments):  # of one moment, which only we have
            return scatter.find(asked, indexes)
        with self._turn:
            chosen = self._tell([each for each in segments if each.folder is not None], asked)
            try:
                own = [each for each in indexes if each.columns.segment.folder is None]
                findings = [scatter.find(asked, own)] if own else []
            finally:
                answers = [process.heard() for process in chosen]
            findings += self._all(chosen, answers)
        return scatter.together(asked, findings)

    def unpack_ahead(self, indexes: Sequence[Indexes]) -> None:
        """As `query.run.evaluate.unpack_ahead`, in each process for its own segments."""
        segments = [each.columns.segment for each in indexes]
        written = [each for each in segments if each.folder is not None and each.source is self._source]
        with self._turn:
            chosen = self._tell(written, None)
            self._all(chosen, [process.heard() for process in chosen])

    def close(self) -> None:
        """End the processes."""
        with self._turn:
            for process in self._processes:
                process.end()
            self._processes = []

    @property
    def pids(self) -> list[int]:
        """Of the processes that were begun."""
        return [process.pid for process in self._processes]

    def _tell(self, segments: Sequence[Segment], asked: Asked | None) -> list[_Process]:
        """Those that have segments to look at, told what is asked."""
        while len(self._processes) < self._count:
            self._processes.append(_Process(self._command))
        for shard, process in enumerate(self._processes):
            if process.has_ended:
                process.end()
                self._processes[shard] = _Process(self._command)
        of_each = self._spread(segments)
        chosen = [(process, own) for process, own in zip(self._processes, of_each, strict=True) if own]
        for process, own in chosen:
            process.tell(own, asked)
        return [process for process, _ in chosen]

    def _spread(self, segments: Sequence[Segment]) -> list[list[Segment]]:
        """The segments of each process: those that it had, and new ones where there are fewest photos."""
        place = {each.name: self._place[each.name] for each in segments if each.name in self._place}
        photos = [0] * self._count
        for each in segments:
            if each.name in place:
                photos[place[each.name]] += len(each)
        for each in sorted(segments, key=len, reverse=True):
            if each.name not in place:
                place[each.name] = photos.index(min(photos))
                photos[place[each.name]] += len(each)
        self._place = place
        return [[each for each in segments if place[each.name] == shard] for shard in range(self._count)]

    def _all(self, processes: Sequence[_Process], answers: Sequence[Any]) -> list[Finding]:
        """The findings of all; what went wrong with any is raised."""
        lost = [process for process, answer in zip(processes, answers, strict=True) if answer is None]
        if lost:
            raise ArchiveError(
                f"of the {self._count} processes that have the indexes open, {lost[0].pid} "
                f"{lost[0].fate()}, so there is no answer, which would lack its photos; ask "
                "again: it is begun anew"
            )
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return list(answers)


class _Process:
    """One process, and what it was told."""

    def __init__(self, command: Sequence[str]) -> None:
        ours, its = socket.socketpair()
        with its:
            number = its.fileno()
            # a session of its own, so that Ctrl-C ends who asks first
            self._process = subprocess.Popen(
                [*command, str(number)],
                pass_fds=[number],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        hear_at_most(ours, SILENT_SECONDS)
        self._connection = Connection(ours.detach())
        self._told: tuple[State, tuple[str, ...]] | None = None
        self._number = 0
        self._lost = self._hung = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._lost or self._process.poll() is not None

    def fate(self) -> str:
        """Of one that is lost, as a part of a sentence."""
        if self._hung:
            return f"gave no sign that it lives for {SILENT_SECONDS} seconds and was ended"
        return f"has ended{self._how()}"

    def _how(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(SECONDS_TO_END)
            return f" (signal {-code})" if code < 0 else f" (exit code {code})"
        return ""

    def tell(self, segments: Sequence[Segment], asked: Asked | None) -> None:
        """Ask for something in segments; `heard` has the answer."""
        state, names = segments[0].state, tuple(each.name for each in segments)
        listed = None
        if self._told != (state, names):
            listed = tuple(Listed(each.name, frozenset(each.past), each.gone) for each in segments)
        self._number += 1
        try:
            self._connection.send(Told(self._number, state, listed, asked))
            self._told = state, names
        except OSError as e:
            self._lose(e)

    def heard(self) -> Finding | Exception | None:
        """What it answered; None where it has ended, or hung and was ended."""
        if self._lost:
            return None
        answer: Finding | Exception
        try:
            while (told := self._connection.recv()) is _BEAT or told[0] != self._number:
                pass  # it lives, or this is of a question whose asker was interrupted
            answer = told[1]
        except (EOFError, OSError) as e:
            self._lose(e)
            return None
        if isinstance(answer, Exception):
            self._told = None  # it looks at all anew
        return answer

    def _lose(self, error: EOFError | OSError) -> None:
        self._lost = True
        if isinstance(error, BlockingIOError):  # what `hear_at_most` brings
            self._hung = True
            self._process.kill()

    def end(self) -> None:
        self._connection.close()
        try:
            self._process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def hear_at_most(connection: socket.socket, seconds: float) -> None:
    """Have what is received by a socket, or sent, end in BlockingIOError after so long without a byte.
    Whoever asks may be stopped meanwhile, and go on later: the time then begins anew."""
    whole = int(seconds)
    time_value = struct.pack("@ll", whole, int((seconds - whole) * 1e6))
    for option in socket.SO_RCVTIMEO, socket.SO_SNDTIMEO:
        connection.setsockopt(socket.SOL_SOCKET, option, time_value)


class Beating:
    """In the process: sends signs that it lives while it is at work, and all else that it has to send."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = threading.Lock()
        self._works = threading.Event()
        threading.Thread(target=self._beat, name="beating", daemon=True).start()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        self._works.set()
        try:
            yield
        finally:
            self._works.clear()

    def send(self, told: object) -> None:
        with self._turn:
            self._connection.send(told)

    def _beat(self) -> None:
        with suppress(OSError):  # who asked has ended, and so will this process
            while self._works.wait():
                time.sleep(BEAT_SECONDS)
                if self._works.is_set():
                    self.send(_BEAT)


class _Shard:
    """In the process: the segments that it was told of."""

    def __init__(
        self, source: Source, folder: Path, vocabulary: Vocabulary, elsewhere: Elsewhere | None
    ) -> None:
        self._source, self._folder, self._vocabulary = source, folder, vocabulary
        self._elsewhere = elsewhere
        self._segments: dict[str, Segment] = {}
        self._indexes: list[Indexes] = []

    def answer(self, told: Told) -> Finding | Exception | bool:
        """What it is asked for, or what came in between."""
        from dsslic_search.index.blocks import Damaged
        from dsslic_search.query.run import scatter
        from dsslic_search.query.run.evaluate import unpack_ahead

        try:
            if told.segments is not None:
                self._open(told.state, told.segments)
            if told.asked is None:
                unpack_ahead(self._indexes)
                return True
            return scatter.find(told.asked, self._indexes)
        except Damaged:
            self._segments, self._indexes = {}, []
            return Damaged()
        except Stale:
            return Stale()
        except DSSError as e:
            return ArchiveError(str(e))
        except Exception as e:
            return ArchiveError(f"unexpected error, please report it ({type(e).__name__}: {e})")

    def _open(self, state: State, listed: Sequence[Listed]) -> None:
        from dsslic_search.index.segment import reopened
        from dsslic_search.query.run.evaluate import Indexes

        self._indexes = []  # of another state, should opening fail
        opened = {
            each.name: reopened(
                self._source, state, self._vocabulary, self._folder, each.name, each.past, each.gone,
                self._segments.get(each.name), self._elsewhere,
            )
            for each in listed
        }  # fmt: skip
        self._segments = opened
        self._indexes = [Indexes.of(segment) for segment in opened.values()]


def answering(
    number: int, source: Source, folder: Path, vocabulary: Vocabulary, count: int,
    elsewhere: Elsewhere | None = None,
) -> None:  # fmt: skip
    """In one of ``count`` processes: answer what comes by a socket until its other end closes."""
    from dsslic_search.index.room import ROOM

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ROOM.nbytes //= count  # together they take what one would
    shard = _Shard(source, folder, vocabulary, elsewhere)
    with Connection(number) as connection, suppress(EOFError, OSError):
        beating = Beating(connection)
        while True:
            told: Told = connection.recv()
            with beating.at_work():
                answer = shard.answer(told)
            beating.send((told.number, answer))


def of_archive(root: Path, count: int) -> list[str]:
    """The command of each process for the archive at ``root``: `api.shard`."""
    return [sys.executable, "-m", "dsslic_search.api.shard", str(root), str(count)]
