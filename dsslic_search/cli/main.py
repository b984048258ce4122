"""The command ``dss-search``: the commands gathered, and errors turned into one line and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import copy_context
from copy import copy
from functools import lru_cache
from importlib import import_module
from typing import Any

import typer
from typer.main import get_command
from typer.models import CommandInfo

from dsslic_search import __version__
from dsslic_search.api import Watcher, watched
from dsslic_search.cli import metavars, streams
from dsslic_search.cli.options import ERROR, INTERRUPTED, OK, USAGE
from dsslic_search.cli.progress import shown_beside
from dsslic_search.cli.wording import trouble_sentence
from dsslic_search.core.errors import DSSError, UsageError
from dsslic_search.core.text import printable

COMMANDS = {
    "init": ("init",),
    "ingest": ("ingest", "sync", "relink"),
    "watch": ("watch",),
    "parity": ("parity",),
    "archive": ("check", "rebuild", "reindex", "describe", "show"),
    "query": ("query",),
    "shell": ("shell",),
    "sketch": ("sketch", "palette"),
    "statistics": ("stats", "classes"),
    "naming": ("tag", "save"),
    "duplicates": ("duplicates",),
    "backup": ("backup", "restore-backup"),
    "bin": ("remove", "restore", "bin", "empty-bin"),
    "preview": ("preview", "sheet", "original"),
    "getting_out": ("originals", "previews"),
    "codec": ("encode", "decode", "info", "segment"),
    "layers": ("export-layers", "export-stages", "import-layers", "encode-layer", "decode-layer"),
    "labels": ("labels",),
    "segmenter": ("segmenter",),
    "doctor": ("doctor",),
    "train": ("train",),
    "serve": ("serve",),
    "bench": ("bench",),
}
"""Module of this package → the commands that it registers."""


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"dss-search {__version__}")
        raise typer.Exit


def root(
    _version_asked: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
    _archive: str | None = typer.Option(
        None, "--archive", metavar="DIR", help="As after a command that takes it.", show_default=False
    ),
) -> None:
    """Store photos small, and ask exactly what is in them."""


def program(first: str = "") -> typer.Typer:
    """The program, with all commands; or, where ``first`` names one, with that one alone: to make them all
    takes longer than what many of them do."""
    app = typer.Typer(
        name="dss-search",
        help="Store photos small, and ask exactly what is in them.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    found = [module for module, names in COMMANDS.items() if first in names]
    for module in found or COMMANDS:
        import_module(f"dsslic_search.cli.{module}").register(app)
    if found:
        app.registered_commands = [c for c in app.registered_commands if command_name(c) == first]
        app.registered_groups = [g for g in app.registered_groups if g.name == first]
    return app


def archive_last(arguments: list[str]) -> list[str]:
    """``arguments`` with an ``--archive`` that stands before the command put behind its words."""
    taken = 1 if arguments[0:1] and arguments[0].startswith("--archive=") else 2
    if taken == 2 and arguments[0:1] != ["--archive"]:
        return arguments
    option, (first, *others) = arguments[:taken], arguments[taken:] or [""]
    if not any(first in names for names in COMMANDS.values()):
        return arguments
    of_group = others and others[0] in _within(first)
    return [first, *others[: int(bool(of_group))], *option, *others[int(bool(of_group)) :]]


def command(first: str = "", second: str = "") -> Callable[..., object]:
    """`program` ready to be called with arguments, which begin with these two: of a group, too, the command
    that is named is made alone. A process makes each once."""
    first = first if any(first in names for names in COMMANDS.values()) else ""
    return _made(first, second if first and second in _within(first) else "")


def _within(first: str) -> set[str]:
    """The commands of a group."""
    return {command_name(c) for group in _groups(program(first)) for c in group.registered_commands}


@lru_cache
def _made(first: str, second: str) -> Callable[..., object]:
    app = program(first)
    if second:
        (group,) = app.registered_groups
        narrow = group.typer_instance = copy(group.typer_instance)
        assert narrow is not None
        narrow.registered_commands = [c for c in narrow.registered_commands if command_name(c) == second]
    made = get_command(app)
    metavars.put_into(made)
    return made


def _groups(app: typer.Typer) -> list[typer.Typer]:
    return [group.typer_instance for group in app.registered_groups if group.typer_instance is not None]


def command_name(command: CommandInfo) -> str:
    """What a registered command is called by."""
    return str(command.name or getattr(command.callback, "__name__", "").replace("_", "-"))


def say(message: str) -> None:
    """One message on stderr; only query errors, which point at a word, have more than one line."""
    print(message, file=sys.stderr)  # noqa: T201 (this is the program's output)


_NUMBERS = {
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number that has fewer digits",
    "float_parsing": "a number",
    "greater_than_equal": "{ge:g} or more",
    "less_than_equal": "{le:g} or less",
}
"""What a number should have been, by what Pydantic, which typer asks, calls its fault."""


def _told(trouble: typer.TyperException) -> str:
    """What is wrong with options and arguments; of numbers in words of ours, since Pydantic's are about its
    input and parsing, and leave out what was typed."""
    parameter = getattr(trouble, "param", None)
    faults: list[Any] = getattr(trouble.__cause__, "errors", list)()
    if parameter is None or not faults or faults[0]["type"] not in _NUMBERS:
        return trouble.format_message()
    option = max(parameter.opts, key=len)
    name = option if option.startswith("-") else parameter.metavar or option.upper()
    wanted = _NUMBERS[faults[0]["type"]].format(**faults[0].get("ctx") or {})
    return printable(f'{name} "{faults[0]["input"]}": must be {wanted}')


def _advised(text: str, arguments: list[str]) -> str:
    """What to tell about options and arguments that do not fit; ``text`` of several lines is a command's
    help."""
    if "\n" in text:
        return text
    hint = "See dss-search --help, and --help after a command."
    if text.startswith("No such command") and (meant := CALLED_ELSEWHERE.get(arguments[0])):
        text = text.partition(". ")[0]  # without the command that is only spelt alike
        hint = f"Did you mean dss-search {meant}? {hint}"
    if text.startswith("No such option") and arguments[:1] in (["query"], ["stats"], ["save"]):
        hint = 'Put "--" before a query that begins with "-". ' + hint
    return f"dss-search: {text.rstrip('.')}{'' if text.endswith('?') else '.'} {hint}"


CALLED_ELSEWHERE = {
    "search": "query", "find": "query", "ask": "query", "add": "ingest", "import": "ingest",
    "index": "ingest", "scan": "sync", "update": "sync", "delete": "remove", "rm": "remove", "trash": "bin",
    "dedupe": "duplicates", "dupes": "duplicates", "view": "show", "open": "preview",
    "export": "originals", "verify": "check", "compress": "encode", "decompress": "decode",
    "statistics": "stats", "list": "query", "ls": "query", "grep": "query", "help": "--help",
    "version": "--version",
}  # fmt: skip
"""What other programs call a command of ours."""


def main() -> None:
    """Run the command line. Exit codes: 0 all, 1 error, 2 usage, 3 partial, 130 interrupted, 141 nobody reads
    what it tells."""
    with streams.prepared():
        code = copy_context().run(_run)
    sys.exit(code if isinstance(code, int) else OK)


def _run() -> object:
    """The exit code of the command that was typed."""
    code: object
    try:
        with watched(Watcher(lambda: shown_beside("bringing the catalog up to date"), say)):
            arguments = archive_last(sys.argv[1:])
            code = command(*arguments[:2])(arguments, standalone_mode=False)
            if sys.stdout is not None:
                sys.stdout.flush()
    except SystemExit as e:  # which typer makes of any broken pipe, without a word
        if isinstance(e, streams.Unread) or not isinstance(e.__context__, BrokenPipeError):
            raise
        say(f"dss-search: {trouble_sentence(e.__context__)}")
        code = ERROR
    except DSSError as e:
        say(f"dss-search: {trouble_sentence(e)}")
        code = USAGE if isinstance(e, UsageError) else ERROR
    except typer.Abort:
        code = INTERRUPTED
    except typer.TyperException as e:
        say(_advised(_told(e), sys.argv[1:]))
        code = e.exit_code
    except KeyboardInterrupt:
        say("dss-search: interrupted")
        code = INTERRUPTED
    except (OSError, MemoryError) as e:
        say(f"dss-search: {trouble_sentence(e)}")
        code = ERROR
    return code


if __name__ == "__main__":
    main()
