"""A full disk, a failing one, permissions lost and a read-only disk, from every change of a file on.

    python -m tests.reliability.troubles --out docs/results/troubles.json

As `tests.reliability.kills`, but calls fail with an error of the system, from one of them on. What comes out
is one sentence with advice; the archive is whole at once, without what was not done; and once the trouble is
over the same operation ends as it does unharmed. Questions are answered all the while.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.reliability.faults import FAIL, TROUBLES, Point, Trouble, forked
from tests.reliability.kills import Stage, run, say


class Troubled(Stage):
    """Operations under trouble."""

    def troubled(self, name: str, at: int, trouble: Trouble, wanted: dict[str, Any], before: set[str]) -> str:
        """What is wrong with how an operation ends that meets trouble from a point on; "" for nothing."""
        from tests.reliability.world import OPERATIONS

        operation = OPERATIONS[name]
        self.put(name)

        def act() -> str:
            self.faults.arm(self.made(operation).archive, FAIL, at, trouble)
            return self._said(lambda: operation.act(self.world))

        ended = forked(act)
        if ended.value is None:
            return f"exit {ended.code}: {ended.raised[-700:]}"
        said = ended.value
        if said.startswith("!") or "a backup" in said or (said and "; " not in said):
            return f"it says: {said}"
        later = forked(lambda: self.left(before, operation) + self.again(name, wanted))
        if later.value is None:
            return f"after it (exit {later.code}): {later.raised[-900:]}"
        return "; ".join(later.value)

    @staticmethod
    def _said(work: Callable[[], None]) -> str:
        """What trouble is told, "" where there is none; "!" in front of what is no sentence for people."""
        from dsslic_search.core.errors import DSSError

        try:
            work()
        except DSSError as e:
            return str(e)
        except Exception as e:
            return f"!{type(e).__name__}: {e}"
        return ""

    def asked(self, name: str, trouble: Trouble) -> str:
        """What is wrong with answers on a disk that has trouble all the time."""
        from dsslic_search.api import Archive
        from tests.reliability.world import answers

        self.put(name)

        def ask() -> dict[str, Any]:
            with Archive(self.world.archive) as opened:
                return answers(opened)

        wanted = forked(ask).value
        self.put(name)

        def ask_in_trouble() -> dict[str, Any]:
            self.faults.arm(self.world.archive, FAIL, 0, trouble)
            return ask()

        found = forked(ask_in_trouble)
        if found.value is None:
            return f"exit {found.code}: {found.raised[-900:]}"
        return "" if found.value == wanted else f"other answers: {found.value}"


def trouble(
    scratch: Path, names: Iterable[str], short: bool, told: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Everything that there is to tell, by operation, and of "questions"; ``told`` has it after each."""
    stage = Troubled(scratch)
    results: dict[str, Any] = {}
    seen: set[str] = set()
    for name in names:
        points, wanted, before = stage.prepare(name)
        wrong = []
        tried: Counter[str] = Counter()
        for each in TROUBLES:
            for number in chosen(points, each, seen if short else None):
                tried[each.name] += 1
                if found := stage.troubled(name, number, each, wanted, before):
                    wrong.append(
                        f"{name}, {each.name} from point {number} ({points[number].sort}) on: {found}"
                    )
                    say(wrong[-1])
        results[name] = {"points": len(points), "tried": dict(tried), "wrong": wrong}
        told(results)
        say(f"{name}: {len(points)} points, {sum(tried.values())} troubles, {len(wrong)} wrong")
    shutil.rmtree(stage.world.archive / "index", ignore_errors=True)
    wrong = []
    tried = Counter()
    for name in ("begun", "no index"):
        stage.put("begun")
        if name == "no index":
            shutil.rmtree(stage.world.archive / "index")
            stage.keep(name)
        for each in TROUBLES:
            tried[each.name] += 1
            if found := stage.asked(name, each):
                wrong.append(f"questions, {name}, {each.name}: {found}")
                say(wrong[-1])
    results["questions"] = {"points": 0, "tried": dict(tried), "wrong": wrong}
    told(results)
    return results


def chosen(points: list[Point], trouble: Trouble, seen: set[str] | None) -> list[int]:
    """The points at which a trouble begins: all at which it lets something fail, or with ``seen`` one of each
    sort that is not among them yet, which troubles take in turn."""
    numbers = [number for number, point in enumerate(points) if point.kind in trouble.kinds]
    if seen is None:
        return numbers
    first: dict[str, int] = {}
    for number, point in enumerate(points):
        first.setdefault(point.sort, number)
    new = []
    for turn, (sort, number) in enumerate(first.items()):
        takers = [each for each in TROUBLES if points[number].kind in each.kinds]
        if sort not in seen and takers and takers[turn % len(takers)] is trouble:
            seen.add(sort)
            new.append(number)
    return new


if __name__ == "__main__":
    run(__doc__ or "", lambda scratch, given, told: trouble(scratch, given.operations, given.short, told))
