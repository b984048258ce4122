"""Mutants: small faults put into the code one by one, to see whether the narrow tests notice them.

::

    python tests/mutants.py --seed 1 --count 240

First the tests run once under coverage, which tells the tests that pass each line. Then each fault of a
sample, as many from every package, is put into a copy of the tree, and a fresh process runs the tests of the
package that the fault is in: those that pass its line, nearest file and shortest first, until one fails; all
where coverage sees none. The fault is *noticed* when a test fails, *endless* when the tests take
several times as long as they should, which counts as noticed, and *survives* when all succeed.

A fault changes one comparison, operator, number, truth value, condition, call for its effect, or returned
value inside a function. Error sentences, annotations, decorators and ``__repr__`` are left alone.

The results are kept as each is known: a run that was stopped goes on where it was. Survivors are tried once
more with ``--again`` and the files of new tests. A survivor that nobody can notice is given the reason by
hand, as its "equivalent" in the results, and then counts as undecided.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "dsslic_search"
MUTATED = ("codec", "archive", "index", "query")
UNSEEN = tuple(
    f"{PACKAGE}/codec/{folder}/{name}.py"
    for folder, names in (
        ("layers/label_map", ("machine", "model", "start", "walk")),
        ("flif", ("machine", "learning", "chances", "ranges", "tree", "scanlines", "interlaced", "run")),
    )
    for name in names
)
"""Modules that mostly run as machine code, or once for all tests of a process: coverage sees too little."""
UNSEEN_TESTS = ["tests/codec/layers/label_map/", "tests/codec/flif/", "tests/codec/test_golden.py"]
ENDLESS_SECONDS = 60.0
"""How long tests may take, beside ``ENDLESS_TIMES`` what they take without a fault."""
ENDLESS_TIMES = 4.0
SHOWN_CHARACTERS = 100
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.Add, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd, ast.Pow: ast.Mult,
}  # fmt: skip
UNSHRUNK = """
from hypothesis import Phase
settings.register_profile("unshrunk", settings(), phases=(Phase.explicit, Phase.generate))
settings.load_profile("unshrunk")
"""
"""Stands at the end of conftest.py in the copy: a failure is enough, and need not be the smallest."""
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0")


@dataclass(frozen=True, order=True)
class Mutant:
    """A fault: what stands instead of the bytes from ``start`` to ``end`` of a module, counted from 0."""

    module: str
    start: int
    end: int
    line: int
    before: str
    after: str

    @property
    def tests(self) -> str:
        """The folder of its package's tests."""
        return f"tests/{self.module.split('/')[1]}/"


@dataclass
class Verdict:
    """What became of a fault ("noticed", "endless" or "survived") and by which test, at first and when it was
    tried again; and why it is as good as none."""

    mutant: Mutant
    outcome: str
    by: str
    later: str = ""
    later_by: str = ""
    equivalent: str = ""

    @property
    def now(self) -> str:
        return self.later or self.outcome


def faults(node: ast.AST, inside: bool = False) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """What can be replaced in and below a node, if it is ``inside`` a function, with what."""
    match node:
        case ast.Raise() | ast.Assert() | ast.JoinedStr() | ast.Expr(value=ast.Constant()):
            return
        case ast.FunctionDef(name="__repr__"):
            return
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body):
            children, inside = list[ast.AST](body), True
        case ast.AnnAssign(value=value):
            children = [] if value is None else [value]
        case _:
            children = list(ast.iter_child_nodes(node))
            if inside:
                yield from fault(node)
    for child in children:
        yield from faults(child, inside)


def fault(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """What is replaced to make a fault of this very node, with what; nothing for most."""
    match node:
        case ast.Compare(left=left, ops=[op, *ops], comparators=others) if type(op) in COMPARISONS:
            yield node, _text(ast.Compare(left, [COMPARISONS[type(op)](), *ops], others))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS and not _makes_text(node):
            yield node, _text(ast.BinOp(left, OPERATORS[type(op)](), right))
        case ast.BoolOp(op=op, values=values):
            yield node, _text(ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, _text(operand)
        case ast.Constant(value=bool(truth)):
            yield node, str(not truth)
        case ast.Constant(value=int(number)):
            yield node, str(number + 1)
        case ast.Constant(value=float(number)):
            yield node, str(number * 2 if number else 1.0)
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            if not isinstance(test, (ast.Compare, ast.Constant, ast.UnaryOp)):  # which have their own
                yield test, _text(ast.UnaryOp(ast.Not(), test))
        case ast.Expr(value=ast.Call()):
            yield node, "pass"
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield value, "None"


def _text(node: ast.expr) -> str:
    return f"({ast.unparse(node)})"


def _makes_text(node: ast.BinOp) -> bool:
    """Whether an operator joins texts or fills them in."""
    sides = (node.left, node.right)
    return any(isinstance(s, ast.JoinedStr | ast.Constant) and not _is_number(s) for s in sides)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float))


def mutants_of(path: Path) -> list[Mutant]:
    """All faults of a module, in the order of its tree."""
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node, after in faults(ast.parse(source)):
        assert node.end_lineno is not None and node.end_col_offset is not None
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        before = " ".join(source[start:end].decode().split())
        found.append(Mutant(path.relative_to(ROOT).as_posix(), start, end, node.lineno, before, after))
    return found


def sampled(count: int, seed: int) -> list[Mutant]:
    """About ``count`` faults at random, as many of each package."""
    draw = random.Random(seed)
    chosen: list[Mutant] = []
    for package in MUTATED:
        modules = sorted((ROOT / PACKAGE / package).rglob("*.py"))
        chosen += draw.sample([m for path in modules for m in mutants_of(path)], -(-count // len(MUTATED)))
    draw.shuffle(chosen)
    return chosen


@dataclass(frozen=True)
class Narrow:
    """The tests that pass each line of each module, and how many seconds each test takes."""

    lines: dict[str, dict[str, list[str]]]
    seconds: dict[str, float]

    def tests(self, mutant: Mutant) -> list[str]:
        """The tests of the mutant's package that pass its line, nearest file and shortest first; all where
        coverage sees none."""
        mirror = Path(mutant.module.replace(PACKAGE, "tests", 1))
        near = (f"{mirror.with_name('test_' + mirror.name)}::", f"{mirror.parent}/", mutant.tests)

        def order(test: str) -> tuple[int, float]:
            return [test.startswith(place) for place in near].index(True), self.seconds[test]

        passing = self.lines.get(mutant.module, {}).get(str(mutant.line), [])
        own = sorted((test for test in passing if test.startswith(mutant.tests)), key=order)
        return UNSEEN_TESTS if mutant.module in UNSEEN else own or [mutant.tests]

    def limit(self, tests: list[str]) -> float:
        """Seconds after which tests, or all those in a folder, are endless."""
        prefixes = tuple(tests)
        return ENDLESS_SECONDS + ENDLESS_TIMES * sum(
            seconds for test, seconds in self.seconds.items() if test.startswith(prefixes)
        )


def measured(jobs: int) -> Narrow:
    """Run the tests of the mutated packages once under coverage, in so many processes, in a copy as mutants
    are."""
    import coverage

    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder))
        data, report = coverage.CoverageData(f"{folder}/coverage"), Path(folder, "junit.xml")
        command = [
            *PYTEST, "-n", str(jobs), f"--cov={PACKAGE}", "--cov-context=test", "--cov-report=",
            "--cov-fail-under=0", f"--junitxml={report}", "-o", "junit_family=xunit1",
            *(f"tests/{package}" for package in MUTATED),
        ]  # fmt: skip
        environment = workshop.environment | {"COVERAGE_FILE": data.data_filename()}
        subprocess.run(command, cwd=folder, env=environment, check=True)
        data.read()
        lines = {
            Path(file).relative_to(Path(folder).resolve()).as_posix(): {
                str(line): sorted({context.rpartition("|")[0] for context in contexts} - {""})
                for line, contexts in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        cases = ElementTree.parse(report).getroot().iter("testcase")
        seconds = {_name(case): float(case.get("time") or 0) for case in cases}
        tests = {test for of_line in lines.values() for passing in of_line.values() for test in passing}
        return Narrow(lines, dict.fromkeys(tests, 0.1) | seconds)


def _name(case: ElementTree.Element) -> str:
    """As pytest is asked for a test that its report names by file, dotted class and name."""
    file = case.get("file", "")
    classes = case.get("classname", "").removeprefix(file.removesuffix(".py").replace("/", "."))
    return "::".join([file, *filter(None, classes.split(".")), case.get("name", "")])


class Workshop:
    """A copy of the tree in which one fault after another is made, tried and undone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"PYTHONPATH": str(folder)}
        self._changes = 0
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        with (folder / "tests" / "conftest.py").open("a") as conftest:
            conftest.write(UNSHRUNK)

    def tried(self, mutant: Mutant, tests: list[str], limit: float) -> tuple[str, str]:
        """What tests say of a fault within a limit of seconds, and which of them."""
        path = self.folder / mutant.module
        source = path.read_bytes()
        self._write(path, source[: mutant.start] + mutant.after.encode() + source[mutant.end :])
        try:
            return self._run(tests, limit)
        finally:
            self._write(path, source)

    def _write(self, path: Path, source: bytes) -> None:
        """With a time of its own to the second, by which Python and numba know what they compiled."""
        path.write_bytes(source)
        self._changes += 1
        os.utime(path, (self._changes, self._changes))

    def _run(self, tests: list[str], limit: float) -> tuple[str, str]:
        process = subprocess.Popen(
            [*PYTEST, "-x", *tests], cwd=self.folder, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True,
        )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return "endless", ""
        if process.returncode == 0:
            return "survived", ""
        failed = [
            line.split(" - ")[0]
            for line in said.splitlines()
            if line.startswith(("FAILED tests/", "ERROR tests/"))
        ]
        if process.returncode > 0 and not failed:
            raise RuntimeError(f"pytest could not run {tests}:\n{said}")
        return "noticed", failed[0].partition(" ")[2] if failed else f"signal {-process.returncode}"


class Results:
    """The verdicts on samples by their seed, in a file that is written anew with each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        kept: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        self._samples = {
            seed: {
                Mutant(**each["mutant"]): Verdict(Mutant(**each.pop("mutant")), **each)
                for each in sample["verdicts"]
            }
            for seed, sample in kept.items()
        }

    def of(self, seed: int) -> dict[Mutant, Verdict]:
        return self._samples.setdefault(str(seed), {})

    def add(self, seed: int, verdict: Verdict) -> None:
        with self._lock:
            self.of(seed)[verdict.mutant] = verdict
            kept = {
                each: {
                    **figures(list(verdicts.values())),
                    "verdicts": [asdict(verdicts[mutant]) for mutant in sorted(verdicts)],
                }
                for each, verdicts in self._samples.items()
            }
            self._path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def figures(verdicts: list[Verdict]) -> dict[str, Any]:
    """How many were decided and noticed, at first and by now, in all and by package."""
    decided = [verdict for verdict in verdicts if not verdict.equivalent]
    by_package = Counter(verdict.mutant.module.split("/")[1] for verdict in decided)
    missed = Counter(v.mutant.module.split("/")[1] for v in decided if v.now == "survived")
    return {
        "mutants": len(verdicts),
        "decided": len(decided),
        "noticed at first": sum(verdict.outcome != "survived" for verdict in decided),
        "noticed": sum(verdict.now != "survived" for verdict in decided),
        "endless": sum(verdict.now == "endless" for verdict in decided),
        "of each package": {p: f"{by_package[p] - missed[p]} of {by_package[p]}" for p in MUTATED},
    }


def run(
    seed: int, mutants: list[Mutant], results: Results, narrow: Narrow, again: list[str], jobs: int
) -> None:
    """Try mutants of a sample, so many at a time; ``again``: these files of tests are to notice survivors."""
    waiting: SimpleQueue[Mutant | None] = SimpleQueue()
    for mutant in [*mutants, *[None] * jobs]:
        waiting.put(mutant)

    def work(folder: Path) -> None:
        workshop = Workshop(folder)
        while (mutant := waiting.get()) is not None:
            tests = [test for test in again if test.startswith(mutant.tests)] or narrow.tests(mutant)
            outcome, by = workshop.tried(mutant, tests, narrow.limit(tests))
            if again:
                results.add(seed, replace(results.of(seed)[mutant], later=outcome, later_by=by))
            else:
                results.add(seed, Verdict(mutant, outcome, by))
            change = f"{mutant.before[:SHOWN_CHARACTERS]} → {mutant.after[:SHOWN_CHARACTERS]}"
            sys.stdout.write(f"{outcome:8} {mutant.module}:{mutant.line} {change}\n")
            sys.stdout.flush()

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, (Path(folder, str(number)) for number in range(jobs))))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--count", type=int, default=240, help="how many faults to draw")
    parser.add_argument("--jobs", type=int, default=2, help="how many to try at a time")
    parser.add_argument("--again", nargs="+", metavar="TESTS", help="try its survivors once more, with these")
    parser.add_argument(
        "--coverage", type=Path, default=ROOT / ".mutants-coverage.json", help="kept between runs"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "results" / "mutants.json")
    chosen = parser.parse_args()
    if not chosen.coverage.is_file():
        chosen.coverage.write_text(json.dumps(asdict(measured(chosen.jobs))))
    results, narrow = Results(chosen.out), Narrow(**json.loads(chosen.coverage.read_text()))
    known = results.of(chosen.seed)
    mutants = [mutant for mutant in sampled(chosen.count, chosen.seed) if mutant not in known]
    if chosen.again:
        mutants = [mutant for mutant, v in known.items() if v.now == "survived" and not v.equivalent]
    run(chosen.seed, mutants, results, narrow, chosen.again or [], chosen.jobs)
    sys.stdout.write(json.dumps(figures(list(results.of(chosen.seed).values())), indent=1) + "\n")


if __name__ == "__main__":
    main()
