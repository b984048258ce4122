"""The program `dss-search`: `cli.main` as a process, which an interrupt ends without a traceback."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

SOON = 0.01  # seconds


def program() -> None:
    """Run the command line, as a process of its own. While nothing is begun yet, and once nothing is left but
    to go, Ctrl-C ends it as it ends other programs, by the signal itself: 130 to a shell."""
    own = (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )  # else whoever began it said otherwise
    sys.unraisablehook = _told_or_again
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _interrupt)
    if own:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from dsslic_search.cli.main import main

    try:
        if own:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        main()
    except KeyboardInterrupt:  # once more, while it told of the first
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    finally:
        if own:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _told_or_again(unraisable: sys.UnraisableHookArgs) -> None:
    """An interrupt that came where nothing can be raised, as amid a finalizer, would be told with a traceback
    and lost; it comes again a moment later."""
    if issubclass(unraisable.exc_type, SystemExit):
        return  # nobody reads; see `cli.streams`
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, SOON)
        return
    sys.__unraisablehook__(unraisable)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)


if __name__ == "__main__":
    program()
