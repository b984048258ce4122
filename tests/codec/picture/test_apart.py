"""Samples decoded in processes apart: the same, and nothing that happens there ends this one."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import numpy as np
import pytest

from dsslic_search.codec.picture import apart
from dsslic_search.codec.picture.apart import STOPPED, Apart, Refused
from dsslic_search.codec.picture.formats import tiff, tiff_pages
from dsslic_search.codec.picture.open import open_photo, read_header
from dsslic_search.core.errors import PhotoError
from tests.codec.picture import misbehaving
from tests.forks import forked

PICTURES = sorted((Path(__file__).parents[2] / "data" / "pictures").glob("*.tif"))
BYTE = np.dtype(np.uint8)


@pytest.fixture(scope="module")
def odd() -> Iterator[Apart]:
    """Processes that misbehave where data say so."""
    processes = Apart(misbehaving.__name__)
    yield processes
    for process in processes._idle:
        process.end()


def told(by: Apart, data: bytes) -> int:
    """The number of the process that decoded it."""
    return int.from_bytes(by.samples(data, 0, (8,), BYTE).tobytes(), "little")


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_samples_are_those_that_this_process_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = {path: open_photo(path.read_bytes(), path.name, 1 << 20) for path in PICTURES}
    assert tiff._APART.pids
    monkeypatch.setattr(tiff, "_APART", Apart(tiff_pages.__name__))
    monkeypatch.setattr(sys, "frozen", True, raising=False)  # so that none can be begun
    for path, photo in decoded.items():
        own = open_photo(path.read_bytes(), path.name, 1 << 20)
        np.testing.assert_array_equal(photo.pixels, own.pixels)
        np.testing.assert_array_equal(photo.alpha is None, own.alpha is None)
        assert (photo.alpha is None and own.alpha is None) or (photo.alpha == own.alpha).all()
        assert (photo.bits, photo.profile, photo.remarks) == (own.bits, own.profile, own.remarks)
    assert not tiff._APART.pids


def test_pictures_that_pillow_reads_begin_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff, "_APART", None)
    for name in ("cmyk8.tif", "grey4.tif", "jpeg_ycc.tif"):
        path = next(path for path in PICTURES if path.name == name)
        open_photo(path.read_bytes(), name, 1 << 20)
        assert read_header(path.read_bytes(), name, 1 << 20).elsewhere() == 0


def test_a_process_that_ends_or_lies_refuses_its_picture_alone(odd: Apart) -> None:
    for data in (b"signal", b"more"):
        with pytest.raises(Refused, match=f"^{STOPPED}$"):
            odd.samples(data, 0, (8,), BYTE)
    assert not ended(told(odd, b"next"))


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", EOFError),
        (b"\3\0\0\0{}", EOFError),
        (b"\2\0\0\0[]", ValueError),
        (b"\2\0\0\0{\xff", ValueError),
        (b"\xff\xff\xff\xff{}", ValueError),
        ((8000).to_bytes(4, "little") + b"[" * 8000, ValueError),
    ],
)
def test_what_is_no_text_is_not_taken(said: bytes, error: type[Exception]) -> None:
    reader, writer = os.pipe()
    with FileIO(reader) as heard:
        os.write(writer, said)
        os.close(writer)
        with pytest.raises(error):
            apart._heard(heard)


def test_a_picture_is_not_blamed_for_what_the_one_before_did(odd: Apart) -> None:
    before = told(odd, b"one")
    after = told(odd, b"first")
    assert after not in (before, os.getpid())
    assert ended(before)


def test_what_goes_wrong_in_it_is_said_as_here(odd: Apart) -> None:
    """And no picture after it knows of that."""
    first = told(odd, b"one")
    for data, sentence in {
        b"error": "odd data",
        b"early": "it ends too early",
        b"shape": "its samples are others than its header tells of",
    }.items():
        with pytest.raises(Refused, match=f"^{sentence}$"):
            odd.samples(data, 0, (8,), BYTE)
    with pytest.raises(MemoryError):
        odd.samples(b"memory", 0, (8,), BYTE)
    assert told(odd, b"prints") == first
    for data in (b"killed", b"short"):  # by a system without memory; where not even its file fits
        with pytest.raises(MemoryError):
            odd.samples(data, 0, (8,), BYTE)


def test_samples_that_do_not_fit_here_leave_none_behind(odd: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    first = told(odd, b"one")

    def none(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch, pytest.raises(MemoryError):
        patch.setattr(np, "empty", none)
        odd.samples(b"two", 0, (8,), BYTE)
    assert ended(first) and told(odd, b"three") != first


def test_one_that_hangs_is_ended(odd: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LEAST_SECONDS", 0.01)
    with pytest.raises(Refused, match=f"^{STOPPED}$"):
        odd.samples(b"hang", 0, (8,), BYTE)


@pytest.mark.parametrize("without", ["python", "module"])
def test_where_none_can_be_begun_this_process_decodes(
    without: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if without == "python":
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        assert told(Apart(misbehaving.__name__), b"one") == os.getpid()
        return
    environment = apart._environment()
    (tmp_path / "only_here.py").write_text(f"from {misbehaving.__name__} import samples\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(apart, "_environment", lambda: environment)
    assert told(Apart("only_here"), b"one") == os.getpid()


def test_what_says_nothing_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the interpreter is a part of another program, which is begun instead."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(apart, "SECONDS_TO_BEGIN", 0.1)
    begin, begun = subprocess.Popen, []

    def noted(*args: Any, **more: Any) -> Any:
        begun.append(begin(*args, **more))
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    own = Apart(misbehaving.__name__)
    assert [told(own, b"one"), told(own, b"two")] == [os.getpid()] * 2
    assert [ended(process.pid) for process in begun] == [True]


def test_paths_of_other_kinds_among_those_of_modules_are_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [tmp_path, b"bytes", f"a{os.pathsep}b", *sys.path])
    own = Apart(misbehaving.__name__)
    assert told(own, b"one") != os.getpid()
    own._idle[0].end()


def test_threads_have_one_each_and_get_what_they_ask_for(odd: Apart) -> None:
    together = Barrier(3)

    def ask(thread: int) -> set[int]:
        together.wait()
        found = set()
        for number in range(20):
            data = bytes([thread, number])
            assert odd.samples(data, 0, (8,), BYTE).size == 8
            found.add(told(odd, data))
        return found

    with ThreadPoolExecutor(3) as threads:
        pids = set().union(*threads.map(ask, range(3)))
    assert os.getpid() not in pids and odd.pids and len(odd.pids) <= apart.KEPT
    assert all(ended(pid) for pid in pids - set(odd.pids))


def test_a_photo_that_ends_it_is_refused_in_a_sentence(odd: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiff, "_APART", odd)
    data = next(path for path in PICTURES if path.name == "rgb16_tiled.tif").read_bytes()
    with pytest.raises(PhotoError) as refused:
        open_photo(data + misbehaving.ENDS, "a.tif", 1 << 20)
    assert str(refused.value) == f"a.tif: the TIFF data is damaged or cut short ({STOPPED})"
    assert open_photo(data, "a.tif", 1 << 20).bits == 16


def test_it_runs_nothing_that_lies_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json.py", "numpy.py", "tests.py"):
        (tmp_path / name).write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    own = Apart(misbehaving.__name__)
    assert told(own, b"one") != os.getpid()
    own._idle[0].end()


def test_ctrl_c_is_not_for_it(odd: Apart) -> None:
    pid = told(odd, b"one")
    assert os.getsid(pid) == pid
    os.kill(pid, signal.SIGINT)
    assert told(odd, b"two") == pid


def test_a_fork_has_processes_of_its_own_and_none_is_left_when_it_is_killed(
    odd: Apart, tmp_path: Path
) -> None:
    first = told(odd, b"one")

    def work(say: Callable[[str], None]) -> None:
        say(str(told(odd, b"two")))
        say(str(len(odd.pids)))
        signal.pause()

    with forked(work, tmp_path) as fork:
        pid = int(fork.line())
        assert pid not in (first, os.getpid()) and fork.line() == "1"
        watched = os.pidfd_open(pid)
        fork.send(signal.SIGKILL)
        assert select.select([watched], [], [], 60)[0]  # it has ended
        os.close(watched)
    assert told(odd, b"three") == first


def test_none_is_left_at_the_end_of_a_program() -> None:
    program = (
        "import sys, numpy; from dsslic_search.codec.picture.apart import Apart; "
        "found = Apart(sys.argv[1]).samples(b'one', 0, (8,), numpy.dtype('u1')); "
        "print(int.from_bytes(found.tobytes(), 'little'))"
    )
    command = [sys.executable, "-c", program, misbehaving.__name__]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr == "" and ended(int(ran.stdout))


def test_it_answers_until_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does, done in a thread of this process."""
    requests, asks = os.pipe()
    answers, says = os.pipe()
    with (
        FileIO(requests) as its,
        FileIO(asks, "wb") as ours,
        FileIO(answers) as heard,
        FileIO(says, "wb") as said,
    ):
        thread = Thread(target=apart.serve, args=(misbehaving.__name__, its, said))
        thread.start()
        assert apart._heard(heard) == {}
        asked: dict[str, Any] = {"number": 0, "shape": [8], "dtype": "|u1", "seconds": 60}
        for data, told in {
            b"one": {"bytes": 8},
            b"error": {"reason": "odd data"},
            b"memory": {"memory": True},
        }.items():
            apart._say(ours, {**asked, "bytes": len(data)}, data)
            assert apart._heard(heard) == told
            apart._bytes(heard, told.get("bytes", 0))
        ours.close()
        thread.join()


def test_the_memory_that_it_takes_is_known_before() -> None:
    path = next(path for path in PICTURES if path.name == "rgb16_tiled.tif")
    data = path.read_bytes()
    header = read_header(data, "x", 1 << 20)
    samples = 2 * 3 * header.width * header.height
    assert header.elsewhere() == apart.PROCESS_BYTES + 2 * len(data) + 2 * samples
