"""Made-up bytes wherever bytes come in: the short form of `tests.attacks.run`, what went wrong once, and that
the harness sees what goes wrong."""

from __future__ import annotations

import json
import mmap
import os
import random
import re
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.codec.picture.apart import Apart, Refused
from tests.attacks import kept, run
from tests.attacks import target as attacked
from tests.attacks.codec import refuses
from tests.attacks.mutate import changed_json, mutated
from tests.attacks.target import Attack, Target, close_all
from tests.attacks.targets import by_name
from tests.codec.picture import misbehaving
from tests.forks import ended

CORPUS = Path(__file__).parent / "corpus"
SEED = 20


@pytest.fixture(scope="module")
def attempts() -> Iterator[Callable[[str], Attack]]:
    """Attacks that are ready, each made once."""
    ready: dict[str, Attack] = {}

    def attempt(name: str) -> Attack:
        if name not in ready:
            ready[name] = by_name()[name].opened()
        return ready[name]

    yield attempt
    close_all()


@pytest.mark.filterwarnings("default")  # Pillow warns of files that are damaged
@pytest.mark.parametrize("name", sorted(by_name()))
def test_made_up_inputs_are_taken_or_refused(name: str, attempts: Callable[[str], Attack]) -> None:
    target, attempt = by_name()[name], attempts(name)
    assert all(attempt(data) for data in target.seeds)
    outcomes = {attempt(target.input(SEED, number)) for number in range(target.short)}
    assert False in outcomes or name in ("metadata",)  # which is passed over where it cannot be read


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*.bin")), ids=lambda path: path.name)
def test_what_went_wrong_once(path: Path, attempts: Callable[[str], Attack]) -> None:
    """The file's name is its target's, and a number."""
    attempts(path.name.rpartition(".")[0].rpartition(".")[0])(path.read_bytes())


def test_each_file_of_the_corpus_is_told_of() -> None:
    told = re.findall(r"^\| `(\S+)` \|", (CORPUS / "README.md").read_text(), re.M)
    assert sorted(told) == sorted(path.name for path in CORPUS.glob("*.bin"))


def test_what_an_attack_keeps_open_is_no_matter_of_the_garbage_collector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which may run in any thread, and SQLite's connections may be closed in their own alone."""
    ignored: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    monkeypatch.setattr(attacked, "_OPEN", ExitStack())  # beside those of other tests
    monkeypatch.setattr(kept, "folder", lambda: tmp_path)
    opened = [by_name()["journal"].opened()]
    close_all()
    dropping = threading.Thread(target=opened.clear)
    dropping.start()
    dropping.join()
    assert not ignored


def test_inputs_are_the_same_whenever_they_are_made() -> None:
    sound, words = [b"abcdefgh" * 8], [b"word"]
    made = [mutated(sound, words, random.Random(number)) for number in range(200)]
    assert made == [mutated(sound, words, random.Random(number)) for number in range(200)]
    assert len(set(made)) > 150
    texts = {changed_json(b'{"a": [1, 2, {"b": "c"}]}', random.Random(number)) for number in range(200)}
    assert len(texts) > 50


def harmful(data: bytes) -> bool:
    """Does what the first byte says."""
    if data[:1] == b"e":
        raise KeyError("another error")
    if (
        data[:1] == b"m"
    ):  # pages of its own: what tests before have freed may be there still, and is no growth
        with mmap.mmap(-1, 96 << 20) as room:
            room[:: mmap.PAGESIZE] = b"\1" * (len(room) // mmap.PAGESIZE)
        return True
    if data[:1] == b"t":
        return sum(range(30_000_000)) > 0
    if data[:1] == b"d":
        os.abort()
    return data[:1] == b"g"


def test_the_harness_sees_every_kind_of_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In processes forked from this one: the input that ends a process is told, and the run goes on."""
    for start, data in enumerate((b"g", b"e", b"m", b"t", b"d")):
        seconds = 0.2 if data == b"t" else 60.0  # a busy machine is slow, which is no fault of the others
        target = Target("harm", "what harms", lambda: harmful, lambda: [b"g"], seconds=seconds)
        child = os.fork()
        if not child:
            signal.alarm(60)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            monkeypatch.setattr(Target, "input", lambda _target, _seed, _number, data=data: data)
            run.attack(target, tmp_path, SEED, start, start + 1)
            os._exit(0)
        assert (os.waitpid(child, 0)[1] == 0) == (data != b"d")
    told = (tmp_path / "harm.faults").read_text().splitlines()
    assert len(told) == 3
    assert "KeyError" in told[0] and "MB" in told[1] and " s" in told[2]
    assert run.Current(tmp_path / "harm.current").data() == b"d"
    sums = run._sums(tmp_path, "harm")
    assert (sums["taken"], sums["refused"], sums["next"]) == (3, 0, 4)
    resumed = run.watched("harm", tmp_path, SEED, 4, resume=True)  # which has nothing left to try
    assert resumed["inputs"] == 3 and len(resumed["faults"]) == 3


def test_processes_that_a_target_begins_are_bounded_and_may_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that was begun for the sound input, before the bound, and the one behind it."""
    inputs = [b"one", b"signal", b"one"]
    monkeypatch.setattr(Target, "input", lambda _target, _seed, number: inputs[number])
    processes = Apart(misbehaving.__name__)

    def attempt(data: bytes) -> bool:
        processes.samples(data, 0, (8,), np.dtype(np.uint8))
        limits = [resource.prlimit(pid, resource.RLIMIT_AS)[0] for pid in (0, *processes.pids)]
        assert len({limit == resource.RLIM_INFINITY for limit in limits}) == 1
        return True

    def work() -> None:
        target = Target(
            "begins", "what begins processes", lambda: refuses(attempt, Refused), lambda: [b"one"]
        )
        run.attack(target, tmp_path, SEED, 0, len(inputs))

    assert ended(work, tmp_path) == 0
    sums = run._sums(tmp_path, "begins")
    assert (sums["taken"], sums["refused"], sums["ended"]) == (2, 1, 1)
    assert not (tmp_path / "begins.faults").exists()


def test_the_document_tells_of_targets_that_have_not_had_their_million() -> None:
    """Inputs before one that ends the process may go uncounted, up to 256 of them."""
    root = Path(__file__).parents[2]
    known = json.loads((root / "docs" / "results" / "hostile.json").read_text())["targets"]
    few = {name for name in by_name() if known.get(name, {"inputs": 0})["inputs"] < 999_900}
    told = re.search(
        r"^(\d+) of the (\d+) targets have had their million(?:; fewer so far: (.*))?\.$",
        (root / "docs" / "reliability.md").read_text(),
        re.M,
    )
    assert told is not None
    assert (int(told[1]), int(told[2])) == (len(by_name()) - len(few), len(by_name()))
    assert set(re.findall(r"`([^`]+)`", told[3] or "")) == few
    assert known.keys() <= by_name().keys()
