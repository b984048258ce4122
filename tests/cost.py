"""What the tests cost: processor time of each that both this tree and another one have.

    python -m tests.cost --against TREE [--also FOLDER] [--rounds N] [--out docs/results/suite.json]

A test is the same where its file, name and parameters are, or else its name and parameters, where no other
test of either tree has them. Both trees run theirs at the same time, each in one process, without coverage,
so that what else the machine does slows both. What a test starts and waits for counts as its own, a fixture
counts for the test that asks for it first, and imports while tests are collected for none. Of several rounds
each test counts as in the one in which it took least: other work only ever adds. The first round of a new
checkout has to compile; so let one go ahead. ``--also``: packages that the other tree needs and this one does
not, as ``pip install --target FOLDER`` puts them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve()
LEFT_OUT = ("PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Of the environment, so that each tree's tests run in as many threads as it has them."""
PLAIN = ("-q", *(f"-pno:{plugin}" for plugin in ("cacheprovider", "xdist", "cov", "schemathesis", "anyio")))


def processor_seconds() -> float:
    """What this process, and those that it waited for, took until now, for themselves and in the kernel."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


class Recorder:
    """A plugin of pytest: what each test takes, of those whose names are wanted."""

    def __init__(self, wanted: Collection[str] | None) -> None:
        self.wanted = wanted
        self.names: list[str] = []
        self.took: dict[str, float] = {}
        self.failed: set[str] = set()

    def pytest_configure(self) -> None:
        """No example fails because other work keeps it waiting."""
        from hypothesis import settings  # pytest rewrites it, if it is not there before

        settings.register_profile("any time", parent=settings(), deadline=None)
        settings.load_profile("any time")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        self.names = [item.nodeid for item in items]
        if self.wanted is not None:
            items[:] = [item for item in items if item.nodeid in self.wanted]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        before = processor_seconds()
        try:
            return (yield)
        finally:
            self.took[item.nodeid] = processor_seconds() - before

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)


def record(out: Path, wanted: Path | None) -> None:
    """Run the wanted tests, or only collect all, in the folder that this process is in, and write what they
    took."""
    recorder = Recorder(None if wanted is None else frozenset(json.loads(wanted.read_text())))
    pytest.main([*PLAIN, *([] if wanted else ["--collect-only", "-qq"])], plugins=[recorder])
    found = {"names": recorder.names, "took": recorder.took, "failed": sorted(recorder.failed)}
    out.write_text(json.dumps(found | {"whole": processor_seconds()}))


def started(tree: Path, out: Path, wanted: Path | None, also: Path | None) -> subprocess.Popen[bytes]:
    """A process in which a tree's tests are recorded with the package of that tree."""
    paths = [str(path) for path in (tree, also) if path is not None]
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    environment = {**kept, "PYTHONPATH": os.pathsep.join(paths)}
    words = ["--record", str(out), *(["--wanted", str(wanted)] if wanted else [])]
    with out.with_suffix(".log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-P", str(HERE), *words], cwd=tree, env=environment, stdout=log, stderr=log
        )


def pairs(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The tests that are the same, by their names in either tree."""
    yield from ((name, name) for name in before if name in set(after))
    alone = [_by_short_name(set(these) - set(those)) for these, those in ((before, after), (after, before))]
    for short, names in alone[0].items():
        others = alone[1].get(short, [])
        if len(names) == len(others) == 1:
            yield names[0], others[0]


def _by_short_name(names: Collection[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        found[name.partition("::")[2]].append(name)
    return found


def measure(before: Path, after: Path, also: Path | None = None, rounds: int = 1) -> dict[str, Any]:
    """Both trees' tests that are the same, so many times; see `compare`."""
    with tempfile.TemporaryDirectory() as folder:

        def both(what: str, wanted: Sequence[Path | None]) -> list[dict[str, Any]]:
            outs = [Path(folder) / f"{what}-{side}.json" for side in ("before", "after")]
            running = [
                started(tree, out, names, others)
                for tree, out, names, others in zip((before, after), outs, wanted, (also, None), strict=True)
            ]
            for process, out in zip(running, outs, strict=True):
                if process.wait() or not out.is_file():
                    sys.exit(f"the tests did not end: {out.with_suffix('.log').read_text()[-2000:]}")
            return [json.loads(out.read_text()) for out in outs]

        names = [each["names"] for each in both("names", (None, None))]
        same = list(pairs(names[0], names[1]))
        wanted = [Path(folder) / f"wanted-{side}.json" for side in ("before", "after")]
        for path, side in zip(wanted, zip(*same, strict=True), strict=True):
            path.write_text(json.dumps(side))
        return compare(same, [both(f"round{number}", wanted) for number in range(rounds)])


def compare(same: Sequence[tuple[str, str]], rounds: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """The sums over all tests and by file of this tree, the dearest first; rounds as `record` wrote them of
    (before, after)."""
    ended = [pair for pair in same if all(_ended(pair, each) for each in rounds)]
    files: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0])
    for pair in ended:
        row = files[pair[1].partition("::")[0]]
        row[0] += 1
        for side in range(2):
            row[1 + side] += min(each[side]["took"][pair[side]] for each in rounds)
    sums = [sum(row[1 + side] for row in files.values()) for side in range(2)]
    by_round = [
        [round(sum(each[side]["took"][pair[side]] for pair in ended), 1) for side in range(2)]
        for each in rounds
    ]
    return {
        "tests": len(ended),
        "processor_seconds": {
            "before": round(sums[0], 1),
            "now": round(sums[1], 1),
            "ratio": round(sums[1] / sums[0], 3),
        },
        "rounds": [{"before": first, "now": second} for first, second in by_round],
        "failed": {
            side: sorted({name for each in rounds for name in each[number]["failed"]})
            for number, side in enumerate(("before", "now"))
        },
        "files": {
            file: {"tests": int(row[0]), "before": round(row[1], 2), "now": round(row[2], 2)}
            for file, row in sorted(files.items(), key=lambda item: -item[1][2])
        },
    }


def _ended(pair: tuple[str, str], sides: Sequence[Mapping[str, Any]]) -> bool:
    return all(name in side["took"] for name, side in zip(pair, sides, strict=True))


def table(found: Mapping[str, Any]) -> Iterator[str]:
    """Lines for people: the dearest files, then all."""
    sums = found["processor_seconds"]
    for file, row in [*found["files"].items()][:20]:
        yield f"{row['before']:8.2f}{row['now']:8.2f}  {file}"
    yield f"{sums['before']:8.1f}{sums['now']:8.1f}  all {found['tests']}: {sums['ratio']:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cost",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--against", type=Path, metavar="TREE")
    parser.add_argument("--also", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/results/suite.json"))
    parser.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--wanted", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.record:
        record(told.record, told.wanted)
        return
    if not told.against or not (told.against / "tests").is_dir():
        parser.error("--against: name another checkout of this project")
    found = measure(told.against.resolve(), HERE.parents[1], told.also and told.also.resolve(), told.rounds)
    where = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": f"python -m tests.cost --against TREE --rounds {told.rounds}",
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "versions": {package: version(package) for package in ("pytest", "hypothesis", "numpy", "torch")},
    }
    told.out.write_text(json.dumps(where | found, indent=1) + "\n")
    sys.stdout.writelines(f"{line}\n" for line in table(found))


if __name__ == "__main__":
    main()
