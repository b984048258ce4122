"""The archive in a browser: serve."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from dsslic_search.cli import streams
from dsslic_search.cli.options import ArchiveDir
from dsslic_search.cli.wording import in_commands

HELP = """
Show the archive in a browser, and answer programs over HTTP.

\b
dss-search serve                       # opens the page; Ctrl-C ends
dss-search serve --port 0 --no-browser # any free port, told on stdout
dss-search serve --host 0.0.0.0        # for others, too: with a token

Only this computer is answered unless --host says otherwise; then the address that is told holds a token,
which the browser keeps in a cookie. docs/http-api.md has every address and limit. Nothing is asked of any
other server.
"""


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(help=HELP)(serve)


def serve(
    archive: ArchiveDir = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for any that is free.")] = 8765,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no page.")] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Another name that the server is called by.", show_default=False),
    ] = None,
    incoming: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where dropped files go; else beside the archive.", show_default=False
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow the archive's folders meanwhile, as watch does.")
    ] = False,
    read_only: Annotated[bool, typer.Option("--read-only", help="Change nothing.")] = False,
    cache: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where pictures are kept; else the user's cache.", show_default=False
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Ask for the token in it, which is made where there is none; else each start makes its own.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show the archive in a browser."""
    from dsslic_search.web.server import Settings, require
    from dsslic_search.web.server import serve as run

    require()
    from dsslic_search.api import Archive
    from dsslic_search.cli.watch import Says
    from dsslic_search.core.settings import Settings as Library
    from dsslic_search.web.limits import limits_of

    limits = limits_of()

    def ready(address: str) -> None:
        typer.echo(address)
        sys.stdout.flush()
        if sys.stderr.isatty():
            typer.echo("Ctrl-C ends", err=True)
        if not no_browser:
            threading.Thread(target=_open, args=(address,), daemon=True).start()

    streams.outlive_readers()  # who began it may close what it tells, and use it all the same
    with Archive(archive, Library(outside=False, shards=limits.shards)) as opened:
        run(
            opened,
            Settings(host, port, tuple(name or ()), incoming, read_only, watch, cache, token_file),
            limits,
            worded=in_commands,
            ready=ready,
            says=Says(opened.folder.root, "following the folders"),
        )


def _open(address: str) -> None:
    """Open the page where there is a desktop; elsewhere the address that was told has to do."""
    import os
    import webbrowser

    if sys.platform in ("darwin", "win32") or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(address)
