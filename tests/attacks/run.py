"""The long runs: `python -m tests.attacks.run TARGET … --inputs N`, or `all`.

Each target runs in a process of its own, whose address space is bounded. An input is a fault when anything
but the refusal that it should get comes out, when it takes more processor time or memory than its target may,
or when it ends or holds up the process; the run goes on behind it. Processes that the target begins for
itself count with it, and may end: how many did is told. Faults are written to a folder, the sums
to the JSON file that `--record` names.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import re
import resource
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.attacks.target import Target

ROOM = 3 << 30  # bytes of address space that an attack may take beyond what is there when it begins
STUCK_SECONDS = 120  # without a finished input, while the process computes
FAULTS_KEPT = 200
CURRENT_BYTES = 64 << 20  # more than any input has


def main(arguments: list[str] | None = None) -> int:
    from tests.attacks.targets import by_name

    parser = argparse.ArgumentParser(prog="python -m tests.attacks.run", description=__doc__.split("\n")[0])
    parser.add_argument("targets", nargs="+", help=f"all, or some of: {', '.join(by_name())}")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many inputs each")
    parser.add_argument("--seed", type=int, default=1, help="which inputs")
    parser.add_argument("--seconds", type=float, help="of processor time, after which a target is left")
    parser.add_argument("--faults", type=Path, default=Path("attack-faults"), help="folder for inputs")
    parser.add_argument("--record", type=Path, help="JSON file that sums are put into")
    parser.add_argument("--resume", action="store_true", help="go on where a run with these faults stopped")
    parser.add_argument("--guided", action="store_true", help="guided by coverage (needs atheris)")
    parser.add_argument("--attack", type=int, metavar="FROM", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    names = list(by_name()) if asked.targets == ["all"] else asked.targets
    if unknown := [name for name in names if name not in by_name()]:
        parser.error(f"no target is called {unknown[0]}")
    if asked.attack is not None:
        attack(by_name()[names[0]], asked.faults, asked.seed, asked.attack, asked.inputs)
        return 0
    asked.faults.mkdir(parents=True, exist_ok=True)
    found = 0
    for name in names:
        if asked.guided:
            found += guided(name, asked)
            continue
        summary = watched(name, asked.faults, asked.seed, asked.inputs, asked.seconds, asked.resume)
        print(json.dumps(summary), flush=True)  # noqa: T201 (the command's output)
        found += len(summary["faults"])
        if asked.record is not None:
            record(asked.record, name, by_name()[name].what, summary)
    return 1 if found else 0


class Current:
    """The input that is tried now, where another process can see it: its number, how many were tried, and its
    bytes."""

    def __init__(self, path: Path) -> None:
        with path.open("ab") as file:
            file.truncate(CURRENT_BYTES)
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), CURRENT_BYTES)

    def put(self, number: int, data: bytes) -> None:
        self._shared[:16] = number.to_bytes(8, "little") + len(data).to_bytes(8, "little")
        self._shared[16 : 16 + len(data)] = data

    def number(self) -> int:
        return int.from_bytes(self._shared[:8], "little")

    def data(self) -> bytes:
        return self._shared[16 : 16 + int.from_bytes(self._shared[8:16], "little")]


def others() -> list[int]:
    """The processes that this one has begun, and that are there."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return []  # told a hundred times sooner, and so of most targets
    found: list[int] = []
    for each in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError):  # of a thread that has ended
            found += map(int, each.read_text().split())
    return found


def peak() -> int:
    """Bytes that this process has had in memory at most, and those that it has begun."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = [re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{pid}/status").read_text()) for pid in others()]
    return 1024 * (
        own + sum(int(each[1]) for each in told if each is not None)
    )  # one that has ended has none


def processor_seconds() -> float:
    """Of this process and of those that it has begun, whether they are there or not."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in others()]
    ticks = sum(int(each[11]) + int(each[12]) for each in fields)
    gone = os.times()
    return time.process_time() + gone.children_user + gone.children_system + ticks / os.sysconf("SC_CLK_TCK")


def bound_memory(room: int) -> None:
    """No more address space than ``room`` beyond what is there, of this process and of those that it has
    begun; others that it begins have no more than it has."""
    for pid in [0, *others()]:
        place = Path("/proc") / (str(pid) if pid else "self") / "statm"
        there = int(place.read_text().split()[0]) * mmap.PAGESIZE
        resource.prlimit(pid, resource.RLIMIT_AS, (there + room, there + room))


def attack(target: Target, folder: Path, seed: int, start: int, end: int) -> None:
    """Try inputs of the numbers ``start`` to ``end``. What comes of them stands in ``folder``."""
    current = Current(folder / f"{target.name}.current")
    if target.compiled is not None:
        target.compiled()
    attempt = target.opened()
    for data in target.seeds:
        if not attempt(data):
            raise AssertionError(f"{target.name}: a sound input is refused: {data[:80]!r}")
    bound_memory(ROOM)
    before = peak()
    taken = refused = ended = 0
    longest = 0.0
    began_all = processor_seconds()
    sums = folder / f"{target.name}.{start}.json"
    for number in range(start, end):
        data = target.input(seed, number)
        current.put(number, data)
        began, there = processor_seconds(), set(others())
        fault = None
        try:
            if attempt(data):
                taken += 1
            else:
                refused += 1
        except Exception as error:
            fault = _told(error)
        took = processor_seconds() - began
        longest = max(longest, took)
        ended += len(there - set(others()))
        grown = peak() - before
        if fault is None and took > target.seconds:
            fault = f"takes {took:.1f} s"
        if fault is None and grown > target.megabytes << 20:
            fault = f"takes {grown >> 20} MB"
            before = peak()
        if fault is not None:
            _keep(folder, target.name, data, fault)
        if number % 256 == 0 or number == end - 1 or fault is not None:
            made = {
                "taken": taken,
                "refused": refused,
                "ended": ended,
                "longest": longest,
                "grown": grown,
                "next": number + 1,
                "spent": processor_seconds() - began_all,
            }
            sums.with_suffix(".new").write_text(json.dumps(made))
            sums.with_suffix(".new").replace(sums)


def _told(error: Exception) -> str:
    """An error and the places that it came through, which tell faults apart."""
    places = [
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "attacks" not in frame.filename
    ]
    return f"{type(error).__name__}: {str(error)[:160]} ({' '.join(places[-4:])})"


def _keep(folder: Path, name: str, data: bytes, fault: str) -> None:
    """A fault's input, of each kind of fault the first few."""
    told = folder / f"{name}.faults"
    known = told.read_text().splitlines() if told.exists() else []
    kind = fault.rpartition("(")[2]
    if sum(kind in line for line in known) < 3 and len(known) < FAULTS_KEPT:
        number = len(known)
        (folder / f"{name}.{number}.bin").write_bytes(data)
        with told.open("a") as file:
            file.write(f"{name}.{number}.bin {fault}\n")


def watched(
    name: str, folder: Path, seed: int, inputs: int, seconds: float | None = None, resume: bool = False
) -> dict[str, Any]:
    """Attack a target in processes of their own, begun anew behind an input that ends one. ``resume``: behind
    the last input of an earlier run of the same seed that left its sums in ``folder``, which are added to."""
    if not resume:
        for old in folder.glob(f"{name}.*"):
            old.unlink()
    before = _sums(folder, name)
    start, spent = before["next"], 0.0
    while start < inputs:
        command = [sys.executable, "-m", "tests.attacks.run", name, "--attack", str(start)]
        command += ["--inputs", str(inputs), "--seed", str(seed), "--faults", str(folder)]
        with (folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        used, ended = _follow(process, Current(folder / f"{name}.current"), seconds and seconds - spent)
        spent += used
        reached = _sums(folder, name)["next"]
        if process.returncode == 0 or ended == "enough":
            break
        current = Current(folder / f"{name}.current")
        if process.returncode == 1 and reached == 0 and current.number() == 0:
            raise SystemExit(f"{name} cannot be attacked; see {folder / f'{name}.log'}")
        why = ended or f"ends the process with {process.returncode}"
        _keep(folder, name, current.data(), why)
        start = current.number() + 1
    found = _sums(folder, name)
    told = folder / f"{name}.faults"
    return {
        "target": name,
        "seed": seed,
        "inputs": found["taken"] + found["refused"],
        "taken": found["taken"],
        "refused": found["refused"],
        "processes_ended": found["ended"],
        "longest_seconds": round(found["longest"], 3),
        "most_megabytes": found["grown"] >> 20,
        "faults": told.read_text().splitlines() if told.exists() else [],
        "processor_seconds": round(before["spent"] + spent, 1),
    }


def _follow(process: subprocess.Popen[bytes], current: Current, seconds: float | None) -> tuple[float, str]:
    """Wait for a process: its processor time, and why it was ended, if it was."""
    last, since = -1, 0.0
    used = 0.0
    why = ""
    while True:
        try:
            process.wait(1)
            return used, why
        except subprocess.TimeoutExpired:
            pass
        try:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        if current.number() != last:
            last, since = current.number(), used
        if used - since > STUCK_SECONDS:
            why = f"takes more than {STUCK_SECONDS} s"
        elif seconds is not None and used > seconds:
            why = "enough"
        if why:
            process.kill()
            process.wait()
            return used, why


def _sums(folder: Path, name: str) -> dict[str, Any]:
    """Those of all processes of a run together."""
    every = [json.loads(path.read_text()) for path in folder.glob(f"{name}.*.json")]
    added = {key: sum(each.get(key, 0) for each in every) for key in ("taken", "refused", "ended", "spent")}
    most = {key: max((each[key] for each in every), default=0) for key in ("longest", "grown", "next")}
    return added | most


def record(path: Path, name: str, what: str, summary: dict[str, Any]) -> None:
    """Put a target's sums into the file of results, in place of those that it has."""
    known = json.loads(path.read_text()) if path.exists() else {"targets": {}}
    known["targets"][name] = {"what": what, **{k: v for k, v in summary.items() if k != "target"}}
    known["targets"] = dict(sorted(known["targets"].items()))
    path.write_text(json.dumps(known, indent=1) + "\n")


def guided(name: str, asked: argparse.Namespace) -> int:
    """One target guided by coverage, in a process of its own: libFuzzer's exit status tells of a fault."""
    command = [sys.executable, "-m", "tests.attacks.guided", name, str(asked.inputs), str(asked.seed)]
    return int(subprocess.run([*command, str(asked.faults)], check=False).returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
