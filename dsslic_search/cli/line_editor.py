"""Lines as they are typed in a terminal: completion, history, editing. Needs the extra `shell`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.history import InMemoryHistory

from dsslic_search.api.completion import Completion as Offered
from dsslic_search.core.text import printable

LINES_REMEMBERED = 2_000
MEANING_CHARACTERS = 40  # of what stands beside a completion


class LineEditor:
    """Reads lines with `read`, each of which is remembered in a file where there is one."""

    def __init__(self, prompt: str, offer: Callable[[str], Iterable[Offered]], history: Path | None) -> None:
        """``offer``: what the text before the cursor may go on with. ``history``: the file, made when the
        first line is remembered."""
        self._prompt = prompt
        self._history = history
        self._session: PromptSession[str] = PromptSession(
            history=InMemoryHistory(remembered(history)),
            completer=_Completer(offer),
            complete_while_typing=False,
            reserve_space_for_menu=6,
        )

    def read(self) -> str:
        """The next line. EOFError at the end, KeyboardInterrupt where the line was given up."""
        line: str = self._session.prompt(self._prompt)
        if line.strip():
            remember(self._history, line)
        return line


class _Completer(Completer):
    def __init__(self, offer: Callable[[str], Iterable[Offered]]) -> None:
        self._offer = offer

    def get_completions(self, document: Any, complete_event: Any) -> Iterable[Any]:
        """Those of the line up to the cursor."""
        before = document.text_before_cursor
        for offered in self._offer(before):
            meaning = printable(offered.meaning)
            if len(meaning) > MEANING_CHARACTERS:
                meaning = meaning[: MEANING_CHARACTERS - 1] + "…"
            yield Completion(offered.text, offered.start - len(before), display_meta=meaning)


def remembered(history: Path | None) -> list[str]:
    """The lines that a file remembers, oldest first; none where it cannot be read. A file of many more than
    are kept is shortened."""
    if history is None:
        return []
    try:
        lines = history.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    kept = lines[-LINES_REMEMBERED:]
    if len(lines) > 2 * LINES_REMEMBERED:
        with suppress(OSError):
            history.write_text("".join(f"{line}\n" for line in kept), "utf-8")
    return kept


def remember(history: Path | None, line: str) -> None:
    """Add a line to a file that only its owner can read; what cannot be written is forgotten."""
    if history is None:
        return
    with suppress(OSError):
        history.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        history.touch(mode=0o600)
        with history.open("a", encoding="utf-8", errors="replace") as file:
            file.write(f"{printable(line)}\n")
