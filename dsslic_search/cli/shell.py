"""Asking again and again: shell."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from dsslic_search.cli.options import PARTIAL, ArchiveDir
from dsslic_search.cli.query import PHOTOS_LISTED
from dsslic_search.cli.wording import trouble_sentence
from dsslic_search.core.errors import DSSError
from dsslic_search.core.text import counted, printable

if TYPE_CHECKING:
    from dsslic_search.api import Archive
    from dsslic_search.api.completion import Completion
    from dsslic_search.cli.shell_commands import Shell

PROMPT = "dss> "
EXAMPLES = """
Ask again and again: an archive stays open, and an answer can be refined.

\b
dss> dogs on grass
dss> without people
dss> show 3
dss> like 3 and 8, not like 5
dss> help

In a terminal lines have completion by Tab and a history; docs/shell.md tells all. Otherwise standard input is
carried out line by line, "# " being a comment: exit code 0 when every line was done, 3 when some were not.
"""


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(help=EXAMPLES)(shell)


def shell(
    archive: ArchiveDir = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Photos on a page.")] = PHOTOS_LISTED,
) -> None:
    """Ask again and again: an archive stays open, and an answer can be refined."""
    from dsslic_search.api import Archive
    from dsslic_search.api.session import Session
    from dsslic_search.cli.shell_commands import Shell

    interactive = sys.stdin.isatty() and sys.stdout.isatty()
    with Archive(archive) as opened:
        photos = opened.query("everything", limit=0).total
        session = Session(opened, limit)
        if interactive:
            typer.echo(
                f"{printable(str(opened.folder.root))}: {counted(photos, 'photo')}; help tells what to type, "
                "Ctrl-D ends"
            )
            _converse(Shell(session, lambda: shutil.get_terminal_size().columns), _reader(opened))
        elif not _carry_out(Shell(session, lambda: None), _lines_of_stdin()):
            raise typer.Exit(PARTIAL)


def _converse(shell: Shell, read: Callable[[], str]) -> None:
    """Until the end of the input; Ctrl-C gives up a line, or what one has begun."""
    going = True
    while going:
        try:
            going = shell.take(read())
        except EOFError:
            typer.echo()
            return
        except KeyboardInterrupt:
            typer.echo(err=True)
        except (DSSError, OSError, MemoryError) as error:
            typer.echo(trouble_sentence(error), err=True)


def _carry_out(shell: Shell, lines: Iterable[str]) -> bool:
    """Every line, whatever became of those before; whether all went well."""
    well = True
    for number, line in enumerate(lines, 1):
        if line.startswith("# ") or not line.strip():
            continue
        try:
            if not shell.take(line):
                break
        except (DSSError, OSError, MemoryError) as error:
            typer.echo(f"line {number}: {trouble_sentence(error)}", err=True)
            well = False
    return well


def _lines_of_stdin() -> Iterable[str]:
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    return (line.rstrip("\r\n") for line in sys.stdin)


def _reader(opened: Archive) -> Callable[[], str]:
    """What reads a line in this terminal."""
    from dsslic_search.core.settings import history_path

    try:
        from dsslic_search.cli.line_editor import LineEditor
    except ImportError:
        typer.echo(
            "lines have no completion and no history here; pip install 'dsslic-search[shell]' brings them",
            err=True,
        )
        return lambda: input(PROMPT)
    return LineEditor(PROMPT, _offers(opened), history_path()).read


def _offers(opened: Archive) -> Callable[[str], list[Completion]]:
    """Completions of a line: commands, and those of a query."""
    from dsslic_search.api.completion import Completer, Completion, files_beginning
    from dsslic_search.cli.shell_commands import COMMANDS

    completer = Completer(opened)

    def offer(before: str) -> list[Completion]:
        first, space, rest = before.partition(" ")
        if not space:
            named = [
                Completion(name, 0, command.help)
                for name, command in COMMANDS.items()
                if name.startswith(first.casefold())
            ]
            return [*named, *completer.completions(before)]
        typed = rest.rpartition(" ")[2]
        start = len(before) - len(typed)
        if first in ("preview", "original") and " " in rest:
            return list(files_beginning(typed, start))
        if first in ("tag", "untag") and rest:
            return [
                Completion(name, start, counted(count, "photo"))
                for name, count in opened.tags().items()
                if name.startswith(typed) and not typed[:1].isdecimal()
            ]
        return completer.completions(before)

    return offer
