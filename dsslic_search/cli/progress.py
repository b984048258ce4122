"""How far long work has come, on stderr: a bar when a person is watching, after two seconds, else a line a
minute; both with the time that is left."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import typer

from dsslic_search.cli.options import INTERRUPTED
from dsslic_search.core.text import printable

SECONDS_BETWEEN_LINES = 60.0
SECONDS_BEFORE_A_BAR = 2.0
SECONDS_BEFORE_AN_ESTIMATE = 15.0  # since the first piece: two processes end theirs at the same time


@dataclass
class Progress:
    """``doing``: what is done, as "ingesting". ``say``: prints a line of its own, as about a file that is
    skipped. ``draw``: shows how many of how many are settled, where there is a bar."""

    doing: str
    say: Callable[[str], None]
    draw: Callable[[int, int], None] | None
    seconds: Callable[[], float]
    _began: float = field(init=False)
    _said: float = field(init=False)
    _first: tuple[int, float] | None = field(
        init=False, default=None
    )  # how many were settled first, and when

    def __post_init__(self) -> None:
        self._began = self._said = self.seconds()

    def __call__(self, done: int, total: int, skipped: int = 0) -> None:
        now = self.seconds()
        if self.draw is not None:
            if now - self._began >= SECONDS_BEFORE_A_BAR:
                self.draw(done, total)
        elif now - self._said >= SECONDS_BETWEEN_LINES:
            self._said = now
            line = f"{self.doing}: {done} of {total}" + (f", {skipped} skipped" if skipped else "")
            self.say(line + self._left(done, total, now))
        if done and self._first is None:
            self._first = done, now

    def _left(self, done: int, total: int, now: float) -> str:
        """What is told of the time that is left: by what came after the first piece, which took the
        start of everything, or was there from an earlier run."""
        first, when = self._first or (done, now)
        if not first < done < total or now - when < SECONDS_BEFORE_AN_ESTIMATE:
            return ""
        return f", about {time_text((now - when) * (total - done) / (done - first))} left"

    def stop_at_once_when_interrupted(self) -> None:
        """From here until the block of `shown` ends, Ctrl-C ends the process as it stands."""
        signal.signal(signal.SIGINT, _stop_at_once)


def time_text(seconds: float) -> str:
    """A stretch of time as a person would say it: "40 s", "12 min", "3 h 20 min"."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _stop_at_once(*_: object) -> None:
    show_the_cursor = b"\x1b[?25h" if sys.stderr.isatty() else b""  # a bar has hidden it
    with suppress(OSError):  # nobody reads it any more
        os.write(2, show_the_cursor + b"dss-search: interrupted\n")
    os._exit(INTERRUPTED)


@contextmanager
def shown(doing: str, seconds: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
    """How far work has come, until the block ends."""
    at_ctrl_c = signal.getsignal(signal.SIGINT)
    try:
        with _bar(doing, seconds) if sys.stderr.isatty() else _lines(doing, seconds) as progress:
            yield progress
    finally:
        if signal.getsignal(signal.SIGINT) is _stop_at_once:
            signal.signal(signal.SIGINT, at_ctrl_c)


@contextmanager
def shown_beside(doing: str, seconds: Callable[[], float] = time.monotonic) -> Iterator[Progress]:
    """As `shown`, for what may begin while something else shows a bar: lines where that is so."""
    with shown(doing, seconds) if not _BARS else _lines(doing, seconds) as progress:
        yield progress


_BARS: list[object] = []  # that are shown


@contextmanager
def _lines(doing: str, seconds: Callable[[], float]) -> Iterator[Progress]:
    yield Progress(doing, lambda line: typer.echo(printable(line), err=True), None, seconds)


@contextmanager
def _bar(doing: str, seconds: Callable[[], float]) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    columns = TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    bar = Bar(*columns, console=console, transient=True)
    task = bar.add_task("", total=None)

    def draw(done: int, total: int) -> None:
        bar.start()  # which does nothing where it is there
        bar.update(task, completed=done, total=total)

    later = threading.Timer(SECONDS_BEFORE_A_BAR, bar.start)  # for work whose first step takes long
    later.daemon = True
    later.start()
    _BARS.append(bar)
    try:
        yield Progress(doing, lambda line: console.print(printable(line)), draw, seconds)
    finally:
        later.cancel()
        later.join()
        if bar.live.is_started:
            bar.stop()
        _BARS.remove(bar)
