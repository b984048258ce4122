"""How far long work has come, on stderr: a bar when a person is watching, else a line a minute."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import typer

from dsslic_search.cli.options import INTERRUPTED
from dsslic_search.core.text import printable

SECONDS_BETWEEN_LINES = 60.0


@dataclass
class Progress:
    """``doing``: what is done, as "ingesting". ``say``: prints a line of its own, as about a file that is
    skipped. ``draw``: shows how many of how many are settled, where there is a bar."""

    doing: str
    say: Callable[[str], None]
    draw: Callable[[int, int], None] | None
    seconds: Callable[[], float]
    _said: float = field(init=False)

    def __post_init__(self) -> None:
        self._said = self.seconds()

    def __call__(self, done: int, total: int, skipped: int = 0) -> None:
        if self.draw is not None:
            self.draw(done, total)
        elif self.seconds() - self._said >= SECONDS_BETWEEN_LINES:
            self._said = self.seconds()
            self.say(f"{self.doing}: {done} of {total}" + (f", {skipped} skipped" if skipped else ""))

    def stop_at_once_when_interrupted(self) -> None:
        """From here until the block of `shown` ends, Ctrl-C ends the process as it stands."""
        signal.signal(signal.SIGINT, _stop_at_once)


def _stop_at_once(*_: object) -> None:
    show_the_cursor = b"\x1b[?25h" if sys.stderr.isatty() else b""  # a bar has hidden it
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
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        _BARS.append(bar)
        try:
            yield Progress(
                doing,
                lambda line: console.print(printable(line)),
                lambda done, total: bar.update(task, completed=done, total=total),
                seconds,
            )
        finally:
            _BARS.remove(bar)
