"""A process ended at every change of a file: is the archive whole, and does the next run heal what is left?

    python -m tests.reliability.kills --out docs/results/kills.json [--random 1000]

Each operation of `tests.reliability.world` is done once, unharmed, and the changes that it makes are counted;
then once for each of them, ended there, and again for each write, ended in its midst. After each, before
anything else runs, `check` may find only what the next run takes away, whatever was told to be done is there,
and queries answer; then the same operation runs again, and the archive must be what it is after the unharmed
run.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from tests.reliability.faults import STOP, STOPPED, TEAR, Ended, Faults, Point, compiler, forked, preloaded

if TYPE_CHECKING:
    from tests.reliability.world import Operation, World

HEALS = {"leftover", "orphan", "outdated", "returned"}
"""What `check` may find where something was stopped, as the next run takes it away."""
ACKNOWLEDGED = ("added", "updated")


class Stage:
    """Where operations are done: copies of a world, always at the same place."""

    def __init__(self, scratch: Path) -> None:
        from dsslic_search.archive import database
        from tests import once
        from tests.reliability import world

        world.keep_what_is_alike(apart=True)
        self._at = scratch / "world"
        self.world = world.World(self._at)
        self._kept = scratch / "kept"
        self.faults = Faults()
        self.world.begin()
        self.keep("begun")
        self._begun = {row[0] for row in world.told(self.world)["photos"]}
        self._upgrade = once.copying(scratch / "empty.sqlite")
        self._upgrade(database.make_engine(database.url_of(scratch / "new.sqlite"), foreign_keys=False))

    def keep(self, name: str) -> None:
        shutil.copytree(self._at, self._kept / name)

    def put(self, name: str) -> None:
        """Make the place what was kept under a name."""
        shutil.rmtree(self._at, ignore_errors=True)
        shutil.copytree(self._kept / name, self._at)

    def prepare(self, name: str) -> tuple[list[Point], dict[str, Any], set[str]]:
        """Of an operation: its points, the archive as it is to be afterwards, and the hashes of the photos
        that it begins with."""
        from tests.reliability.world import OPERATIONS, told

        operation = OPERATIONS[name]
        self.put("begun")
        operation.prepare(self.world)
        shutil.rmtree(self._kept / name, ignore_errors=True)
        self.keep(name)
        before = set() if operation.begins else self._begun
        operation.act(self.world)  # what is loaded and encoded by it, all forks have
        wanted = told(self.made(operation))
        if wrong := self.left(set(), operation):
            raise RuntimeError(f"{name}, unharmed: {wrong}")
        self.put(name)
        gc.collect()
        gc.freeze()

        def watched() -> list[Point]:
            self.faults.arm(self.made(operation).archive)
            operation.act(self.world)
            return self.faults.disarm()

        points = [Point(*each) for each in _succeeded(forked(watched))]
        return points, wanted, before

    def stopped(self, name: str, at: int, how: int, wanted: dict[str, Any], before: set[str]) -> list[str]:
        """What is wrong after an operation was stopped at a point, and after it was done again."""
        from tests.reliability.world import OPERATIONS

        operation = OPERATIONS[name]
        self.put(name)

        def act() -> None:
            self.faults.arm(self.made(operation).archive, how, at)
            operation.act(self.world)

        ended = forked(act)
        if ended.code != STOPPED:
            return [f"was not stopped (exit {ended.code}) {ended.raised[-300:]}"]
        later = forked(lambda: self.left(before, operation) + self.again(name, wanted))
        return (
            [f"after it (exit {later.code}): {later.raised[-900:]}"] if later.value is None else later.value
        )

    def made(self, operation: Operation) -> World:
        """The world with the archive that an operation writes to."""
        return replace(self.world, name=operation.made)

    def left(self, before: set[str], operation: Operation) -> list[str]:
        """What is wrong before anything else runs."""
        from dsslic_search.api import Archive
        from dsslic_search.core.errors import ArchiveError
        from tests.reliability.world import answers, sound

        archive = self.made(operation).archive
        wrong = [] if sound(archive / "catalog.sqlite") else ["the database is damaged"]
        try:
            with Archive(archive) as opened:
                kinds = {finding.kind for finding in opened.check(read_data=True)}
                answers(opened)
                with opened.catalog.session() as session:
                    from sqlalchemy import select

                    from dsslic_search.archive.schema import Photo

                    there = set(session.scalars(select(Photo.content_hash)).all())
        except ArchiveError as e:
            if not any(each in str(e) for each in operation.said):
                wrong.append(f"before the next run: {e}")
            return wrong
        wrong += [f"check finds: {kind}" for kind in sorted(kinds - HEALS - operation.finds)]
        if before - there and not operation.deletes:
            wrong.append("photos are lost")
        return wrong

    def again(self, name: str, wanted: dict[str, Any]) -> list[str]:
        """What is wrong after the operation was done again. Of a catalog that it makes the tables are copied:
        what is stopped, and what all is compared with, makes them by the migrations."""
        from dsslic_search.api import Archive
        from dsslic_search.archive import database
        from tests.reliability.world import OPERATIONS, told

        with mock.patch.object(database, "upgrade", self._upgrade):
            OPERATIONS[name].act(self.world)
        made = self.made(OPERATIONS[name])
        found = told(made)
        wrong = [f"{key} differ: {found[key]!r:.300}" for key in wanted if found[key] != wanted[key]]
        with Archive(made.archive) as opened:
            wrong += [f"check finds: {f.kind} {f.where}" for f in opened.check(read_data=True)]
        objects = made.archive / "objects"
        wrong += [f"left over: {path.name}" for path in objects.rglob("*.tmp")]
        return wrong


def _succeeded(ended: Ended) -> Any:
    if ended.code or ended.raised or ended.value is None:
        raise RuntimeError(f"exit {ended.code} {ended.raised}")
    return ended.value


def sample(points: list[Point], seen: set[str]) -> list[tuple[int, int]]:
    """Of the points that change something the middle one, and one of each sort that is not in ``seen`` yet,
    which it comes into, with one way each: writes are ended in their midst."""
    changing = [number for number, point in enumerate(points) if point.kind != "o"]
    chosen = {changing[len(changing) // 2]}
    for number in changing:
        if points[number].sort not in seen:
            seen.add(points[number].sort)
            chosen.add(number)
    return [(number, TEAR if points[number].kind == "w" else STOP) for number in sorted(chosen)]


def cases(points: list[Point]) -> Iterator[tuple[int, int]]:
    """All points and ways; where a file is only opened nothing changes."""
    for number, point in enumerate(points):
        if point.kind != "o":
            yield number, STOP
        if point.kind == "w":
            yield number, TEAR


def kill(
    scratch: Path,
    names: Iterable[str],
    short: bool,
    at_random: int,
    told: Callable[[dict[str, Any]], None],
    seed: int = 1,
) -> dict[str, Any]:
    """Everything that there is to tell, by operation; ``told`` has it after each of them."""
    stage = Stage(scratch)
    chance = random.Random(seed)
    results: dict[str, Any] = {}
    seen: set[str] = set()
    prepared = {name: stage.prepare(name) for name in names}
    for name, (points, wanted, before) in prepared.items():
        chosen = sample(points, seen) if short else list(cases(points))
        wrong = _tried(stage, name, points, chosen, wanted, before)
        results[name] = {
            "points": len(points),
            "kinds": dict(Counter(point.kind for point in points)),
            "stopped": len(chosen),
            "wrong": wrong,
        }
        told(results)
        say(f"{name}: {len(points)} points, stopped {len(chosen)} times, {len(wrong)} wrong")
    drawn: dict[str, list[tuple[int, int]]] = {}
    for _ in range(at_random):
        name = chance.choice(list(prepared))
        drawn.setdefault(name, []).append(chance.choice(list(cases(prepared[name][0]))))
    for name, chosen in drawn.items():
        points, wanted, before = prepared[name]
        results[name]["random"] = len(chosen)
        results[name]["wrong"] += _tried(stage, name, points, chosen, wanted, before)
        told(results)
    return results


def _tried(
    stage: Stage,
    name: str,
    points: list[Point],
    chosen: list[tuple[int, int]],
    wanted: dict[str, Any],
    before: set[str],
) -> list[str]:
    wrong = []
    for number, how in chosen:
        for each in stage.stopped(name, number, how, wanted, before):
            torn = ", torn" if how == TEAR else ""
            wrong.append(f"{name}, point {number} ({points[number].sort}{torn}): {each}")
            say(wrong[-1])
    return wrong


def say(line: str) -> None:
    """A line of progress."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run(
    about: str, work: Callable[[Path, argparse.Namespace, Callable[[dict[str, Any]], None]], dict[str, Any]]
) -> None:
    """A command of this folder: ``work`` in a scratch folder, in a process that has faults in front."""
    reader = argparse.ArgumentParser(description=about)
    reader.add_argument("operations", nargs="*")
    reader.add_argument("--out", type=Path, help="JSON file; what it has of other operations stays")
    reader.add_argument("--short", action="store_true", help="a point of each sort, and few more")
    reader.add_argument("--random", type=int, default=0, metavar="N", help="so many more, drawn")
    given = reader.parse_args()
    if compiler() is None:
        sys.exit("this needs Linux and a C compiler")
    scratch = Path(os.environ.get("DSS_SCRATCH") or tempfile.mkdtemp())
    os.environ["DSS_SCRATCH"] = str(scratch)
    preloaded(scratch)
    from tests.reliability.world import OPERATIONS

    given.operations = given.operations or list(OPERATIONS)
    others = json.loads(given.out.read_bytes()) if given.out and given.out.exists() else {}

    def keep(results: dict[str, Any]) -> None:
        if given.out:
            given.out.write_text(json.dumps(others | results, indent=1) + "\n")

    try:
        results = work(scratch, given, keep)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(any(result["wrong"] for result in results.values()))


if __name__ == "__main__":
    run(
        __doc__ or "",
        lambda scratch, given, told: kill(scratch, given.operations, given.short, given.random, told),
    )
