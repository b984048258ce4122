"""What lines of a shell take, one after the other in one process with the archive open, beside what opening
it takes: time of the processor and of the clock."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from dsslic_search.api.archive import Archive
from dsslic_search.api.completion import Completer
from dsslic_search.api.session import Session
from dsslic_search.bench.photos import photos_in

QUESTION = "sky"  # that the others follow
PAGE_PHOTOS = 5


def run(images: Path, rounds: int) -> dict[str, Any]:
    """Milliseconds of each kind of line, medians of ``rounds``, on an archive of photos under ``images``."""
    with tempfile.TemporaryDirectory() as place:
        with Archive(Path(place) / "archive") as archive:
            archive.ingest(photos_in(images.absolute()))
            archive.query(QUESTION)  # makes the indexes
        with Archive(Path(place) / "archive") as archive:
            return {"line_milliseconds": line_milliseconds(archive, rounds)}


def line_milliseconds(archive: Archive, rounds: int) -> dict[str, dict[str, float]]:
    """Processor's and clock's milliseconds of opening an archive with the first question, and the medians of
    each kind of line after it."""
    session, completer = Session(archive, PAGE_PHOTOS), Completer(archive)
    taken = {"first question": [_taken(lambda: session.ask(QUESTION))]}
    lines: dict[str, Callable[[], object]] = {
        "question": lambda: session.say(QUESTION),
        "refinement": lambda: session.say("without people"),
        "more": session.more,
        "back": session.back,
        "like": lambda: session.say("like 1"),
        "like several": lambda: session.say("like 1 and 2, not like 3"),
        "stats": session.statistics,
        "completion": lambda: completer.completions("no people, tr"),
    }
    for number in range(rounds + 1):
        session.ask(QUESTION)
        for kind, do in lines.items():
            spent = _taken(do)
            if number:  # the first time of each imports, and opens more indexes
                taken.setdefault(kind, []).append(spent)
    return {
        kind: {
            "processor": round(median(processor for processor, _ in spent), 2),
            "clock": round(median(clock for _, clock in spent), 2),
        }
        for kind, spent in taken.items()
    }


def _taken(do: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of the processor and of the clock."""
    processor, clock = time.process_time(), time.perf_counter()
    do()
    return (time.process_time() - processor) * 1000, (time.perf_counter() - clock) * 1000


def table(results: dict[str, Any]) -> Iterator[str]:
    """Lines for people."""
    yield f"{'a line of the shell, ms':24}{'processor':>10}{'clock':>10}"
    for kind, row in results["line_milliseconds"].items():
        yield f"{kind:24}{row['processor']:>10.2f}{row['clock']:>10.2f}"
