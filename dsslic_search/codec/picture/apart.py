"""Samples that are decoded in a process of its own, as some libraries end the process on damaged data.

Such a process is begun when it is needed first, and kept for the next picture. It gets a file's bytes and
gives samples, through pipes that only the two have: the length of a JSON text (four bytes, little end first),
the text, then the bytes that the text tells of. Nothing that it says is run or unpickled, and how many bytes
are taken from it is known before, from the picture's header. It ends when who asks ends, however that
happens, and when a picture takes it longer than any should.

A process that has ended may have been broken by the picture before, so a picture is refused for it only by a
process that has seen no other. Where no process can be begun, as in programs that are frozen into one file,
or whose interpreter is no Python that can be started, it is decoded in this one.
"""

from __future__ import annotations

import atexit
import json
import math
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from io import FileIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from dsslic_search.codec.picture.reasons import reason

if TYPE_CHECKING:
    from collections.abc import Mapping

STOPPED = "the library that decodes it stopped at it"
KEPT = 2
"""Processes that wait for the next picture at most; as many are at work as there are threads that ask."""
LEAST_SECONDS = 120.0
SECONDS_A_MILLION = 10.0
"""More for each million samples: slow codecs take a tenth of a second on a slow machine."""
SECONDS_TO_BEGIN = 120.0
"""After which what was begun is no Python, as where another program has one in it: a second is usual."""
PROCESS_BYTES = 40_000_000
"""Of memory that a process takes beside a picture, and while it waits for one."""
_LONGEST_TEXT = 8192
_SECONDS_TO_END = 5.0
_NO_MEMORY = 77  # an exit code

_alive: set[_Process] = set()
_over = False


def bytes_taken(file: int, samples: int) -> int:
    """Of memory by a process at work, for so many bytes of a file and of samples: of each as it is read, and
    as libraries cut it up."""
    return PROCESS_BYTES + 2 * (file + samples)


class Refused(Exception):
    """No samples; it says the reason, as `reasons.reason` has it."""


class Apart:
    """Processes that do what ``samples(data, number)`` of a module does. For any number of threads."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._idle: list[_Process] = []  # whose methods are atomic, so that no lock is held when we fork
        self._hopeless = False

    def samples(self, data: bytes, number: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Those of a file's picture of that number, which its header says to be of that shape and dtype.
        Raises Refused, or MemoryError."""
        size = math.prod(shape) * dtype.itemsize
        asked = {
            "bytes": len(data),
            "number": number,
            "shape": shape,
            "dtype": dtype.str,
            "seconds": LEAST_SECONDS + SECONDS_A_MILLION * math.prod(shape) / 1e6,
        }
        while (process := self._taken()) is not None:
            try:
                answer = process.answer(asked, data, size)
            except (EOFError, OSError, ValueError) as e:  # it has ended, or says what is no answer
                short = not isinstance(e, ValueError) and process.lacked_memory()
                process.end()
                if process.has_answered:
                    continue
                if short:
                    raise MemoryError from e
                raise Refused(STOPPED) from e
            except BaseException:
                process.end()  # in the midst of an answer
                raise
            self._give_back(process)
            if isinstance(answer, Exception):
                raise answer
            return answer.view(dtype).reshape(shape)
        return _samples(self._module, asked, data)

    @property
    def pids(self) -> list[int]:
        """Of the processes that wait for the next picture."""
        return [process.pid for process in self._idle]

    def _taken(self) -> _Process | None:
        """A process that is nobody else's until it is given back; None where none can be begun."""
        if _over:
            raise Refused("the program is ending")
        while self._idle:
            with suppress(IndexError):  # another thread has taken the last
                process = self._idle.pop()
                if process.is_there():
                    return process
                process.end()
        if self._hopeless or not sys.executable or getattr(sys, "frozen", False):
            return None
        try:
            return _Process(self._module)
        except TimeoutError:
            self._hopeless = True  # and not to be waited for again
        except (EOFError, OSError, ValueError):
            pass
        return None

    def _give_back(self, process: _Process) -> None:
        if len(self._idle) < KEPT:
            self._idle.append(process)
        else:
            process.end()


class _Process:
    """One of them, as who asks sees it."""

    def __init__(self, module: str) -> None:
        """Raises OSError where it cannot be begun, TimeoutError where it says nothing, EOFError or ValueError
        where it cannot do its work."""
        windows = ("CREATE_NO_WINDOW", "CREATE_NEW_PROCESS_GROUP")
        self.has_answered = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-m", __name__, module],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # so that Ctrl-C ends who asks
            creationflags=sum(getattr(subprocess, name, 0) for name in windows),
        )
        _alive.add(self)
        try:
            _wait_for(self._answers, SECONDS_TO_BEGIN)
            _heard(self._answers)
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def _requests(self) -> IO[bytes]:
        return cast(IO[bytes], self._process.stdin)

    @property
    def _answers(self) -> IO[bytes]:
        return cast(IO[bytes], self._process.stdout)

    def is_there(self) -> bool:
        return self._process.poll() is None

    def answer(self, asked: Mapping[str, Any], data: bytes, size: int) -> NDArray[np.uint8] | Exception:
        """The bytes of the samples, of which there are to be ``size``, or why there are none; the process can
        be asked on. Raises EOFError or OSError where it has ended, ValueError for what is no answer."""
        _say(self._requests, asked, data)
        told = _heard(self._answers)
        found: NDArray[np.uint8] | Exception
        if told.get("memory") is True:
            found = MemoryError()
        elif "reason" in told:
            found = Refused(str(told["reason"]))
        elif told == {"bytes": size}:
            found = np.empty(size, np.uint8)
            _fill(self._answers, found.data)
        else:
            raise ValueError("no answer")
        self.has_answered = True
        return found

    def lacked_memory(self) -> bool:
        """Whether a process that says nothing more ended so: by itself, or as systems that are short of
        memory end one."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_SECONDS_TO_END)
        killed = -getattr(signal, "SIGKILL", -_NO_MEMORY)  # which there is not everywhere
        return self._process.returncode in (_NO_MEMORY, killed)

    def end(self) -> None:
        """End it, and leave nothing of it."""
        self._process.kill()
        self._process.wait()
        self.forget()

    def forget(self) -> None:
        """Close what this process has of it; after a fork it is that of another."""
        _alive.discard(self)
        self._process.returncode = self._process.returncode or 0
        for pipe in self._requests, self._answers:
            with suppress(OSError):
                pipe.close()


@atexit.register
def _end_all() -> None:
    global _over
    _over = True
    for process in list(_alive):
        process.end()


def _forget_all() -> None:
    for process in list(_alive):
        process.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def _environment() -> dict[str, str]:
    """In which it finds the modules that this process has, and none besides."""
    root = str(Path(__file__).parents[3])
    # Python looks in no others of sys.path, where programs put paths of other kinds as well
    texts = [place for place in sys.path if isinstance(place, str) and place]
    places = [place for place in texts if os.pathsep not in place]
    places += [] if root in places else [root]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places), "OPENBLAS_NUM_THREADS": "1"}


# What both say and hear


def _say(to: IO[bytes], told: Mapping[str, Any], data: bytes | memoryview = b"") -> None:
    text = json.dumps(told).encode()
    for part in (len(text).to_bytes(4, "little") + text, data):
        rest = memoryview(part)
        while rest:
            rest = rest[to.write(rest) :]


def _heard(by: IO[bytes]) -> dict[str, Any]:
    """A text. EOFError where the other has ended, ValueError for what is none."""
    length = int.from_bytes(_bytes(by, 4), "little")
    if length > _LONGEST_TEXT:
        raise ValueError("no text")
    try:
        told = json.loads(_bytes(by, length))
    except RecursionError as e:
        raise ValueError("no text") from e
    if not isinstance(told, dict):
        raise ValueError("no text")
    return told


def _wait_for(by: IO[bytes], seconds: float) -> None:
    """Until there is something to hear, where a system has such waiting. TimeoutError after so long."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(by, select.POLLIN)
        if not poll.poll(1000 * seconds):
            raise TimeoutError


def _bytes(by: IO[bytes], count: int) -> bytes:
    parts = []
    while count:
        part = by.read(count)
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _fill(by: IO[bytes], place: memoryview) -> None:
    while place:
        count = cast(FileIO, by).readinto(place)
        if not count:
            raise EOFError
        place = place[count:]


# In the process


def _samples(module: str, asked: Mapping[str, Any], data: bytes) -> NDArray[Any]:
    found: NDArray[Any] = import_module(module).samples(data, asked["number"])
    dtype = np.dtype(asked["dtype"])
    if found.shape != tuple(asked["shape"]) or found.dtype.newbyteorder("=") != dtype:
        raise ValueError("its samples are others than its header tells of")
    return np.ascontiguousarray(found, dtype)


def serve(module: str, requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer until nobody asks any more."""
    import faulthandler
    import gc

    import_module(module)
    gc.freeze()
    with Path(os.devnull).open("w") as nowhere, suppress(EOFError, OSError):
        _say(answers, {})
        while True:
            asked = _heard(requests)
            data = _bytes(requests, asked["bytes"])
            # ends the process even where a library neither comes back nor lets other threads go on
            faulthandler.dump_traceback_later(asked["seconds"], exit=True, file=nowhere)
            told: dict[str, Any]
            found = np.empty(0, np.uint8)
            try:
                found = _samples(module, asked, data).reshape(-1).view(np.uint8)
                told = {"bytes": found.nbytes}
            except MemoryError:
                told = {"memory": True}
            except Exception as e:
                told = {"reason": reason(e)}
            faulthandler.cancel_dump_traceback_later()
            _say(answers, told, found.data)
            del data, found  # nothing is kept while nobody asks,
            gc.collect()  # nor by libraries whose objects know each other


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    # what libraries print is no answer
    answers = FileIO(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        with os.fdopen(os.dup(0), "rb") as requests:  # which reads many bytes without a copy
            serve(sys.argv[1], requests, answers)
    except MemoryError:  # for a file's bytes, the rest of which nobody reads
        os._exit(_NO_MEMORY)


if __name__ == "__main__":
    main()
