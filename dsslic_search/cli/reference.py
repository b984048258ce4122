"""The command reference, docs/cli.md, from the commands' own help: ``python -m dsslic_search.cli.reference >
docs/cli.md``."""

from __future__ import annotations

import contextlib
import io
import os

import typer

from dsslic_search.cli.main import command, command_name, program

WIDTH = "100"


def help_of(words: tuple[str, ...]) -> str:
    """What ``dss-search COMMAND --help`` prints in a terminal of 100 columns."""
    out = io.StringIO()
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        with contextlib.redirect_stdout(out), contextlib.suppress(typer.Exit):
            command(*words)([*words, "--help"], prog_name="dss-search", standalone_mode=False)
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())


def commands() -> list[tuple[str, ...]]:
    """Every command's words, the whole program first."""
    app = program()
    found: list[tuple[str, ...]] = [()]
    found += [(command_name(single),) for single in app.registered_commands]
    for group in app.registered_groups:
        inner = group.typer_instance
        assert inner is not None
        assert group.name is not None
        found += [(group.name, command_name(single)) for single in inner.registered_commands]
    return found


def reference() -> str:
    """The whole of docs/cli.md."""
    parts = ["# Commands\n\nMade by `make docs` from the program's own help.\n"]
    for words in commands():
        parts.append(f"## {' '.join(('dss-search', *words))}\n\n```\n{help_of(words)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    typer.echo(reference(), nl=False)
