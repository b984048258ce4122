"""Giving names: tags to photos, names to queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from dsslic_search.cli.options import ArchiveDir, AsJson, print_json
from dsslic_search.cli.wording import to_run
from dsslic_search.core.errors import UsageError
from dsslic_search.core.text import counted, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dsslic_search.api import Archive

tag = typer.Typer(
    help='Give photos names of your own; "tag:NAME" in a query finds them.',
    no_args_is_help=True,
    rich_markup_mode=None,
)

Names = Annotated[
    str,
    typer.Argument(
        metavar="TAG[,TAG…]", help='A tag, or several with commas: letters, digits, "-", "_", ".".'
    ),
]
Ids = Annotated[
    list[str] | None, typer.Argument(metavar="ID", help="Photos, as query prints them.", show_default=False)
]
Query = Annotated[
    str | None,
    typer.Option("--query", metavar="QUERY", help="All photos that this asks for.", show_default=False),
]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(tag, name="tag")
    app.command()(save)


@tag.command("add")
def tag_add(names: Names, ids: Ids = None, query: Query = None, archive: ArchiveDir = None) -> None:
    """Tag photos by id, or all that a query asks for."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened:
        chosen = chosen_photos(opened, ids, query)
        for name, new in opened.tag(_names(names), chosen).items():
            had = len(chosen) - new
            typer.echo(
                f"{name}: {counted(new, 'photo')} tagged" + (f", {had} had it already" if had else ""),
                err=True,
            )


@tag.command("remove")
def tag_remove(
    names: Names,
    ids: Ids = None,
    query: Query = None,
    everywhere: Annotated[bool, typer.Option("--all", help="From all photos.")] = False,
    archive: ArchiveDir = None,
) -> None:
    """Take tags from photos by id, from those that a query asks for, or from all."""
    from dsslic_search.api import Archive

    if everywhere and (ids or query is not None):
        raise UsageError("--all means every photo; leave out the ids and --query")
    with Archive(archive) as opened:
        chosen = None if everywhere else chosen_photos(opened, ids, query)
        for name, count in opened.untag(_names(names), chosen).items():
            typer.echo(f"{name}: taken from {counted(count, 'photo')}", err=True)


@tag.command("list")
def tag_list(archive: ArchiveDir = None, as_json: AsJson = False) -> None:
    """List all tags with how many photos have them."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened:
        counts = opened.tags()
    if as_json:
        print_json(counts)
        return
    for name, count in counts.items():
        typer.echo(f"{count:>6}  {printable(name)}")
    if not counts:
        add = to_run('tag add NAME --query "…"')
        typer.echo(f"no tags; give one with: {add}", err=True)


def save(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help='Letters, digits, "-", "_", ".".', show_default=False),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY", help="What the name shall stand for.", show_default=False),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the saved queries.")] = False,
    delete: Annotated[
        str | None, typer.Option("--delete", metavar="NAME", help="Delete a saved query.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a saved query of that name.")] = False,
    archive: ArchiveDir = None,
    as_json: AsJson = False,
) -> None:
    """Keep a query under a name: "@NAME" in a query then stands for it."""
    from dsslic_search.api import Archive

    if (name is not None) + listing + (delete is not None) != 1:
        raise UsageError("say one thing: NAME and QUERY to save, --list, or --delete NAME")
    with Archive(archive) as opened:
        if listing:
            _list_saved(opened.saved_queries(), as_json)
        elif delete is not None:
            opened.forget(delete)
            typer.echo(f"{printable(delete)}: deleted", err=True)
        elif name is not None:
            if not text:
                raise UsageError(f'what shall "{name}" stand for? Write the query after the name')
            opened.save(name, " ".join(text), replace=force)
            query = to_run(f"query @{printable(name.removeprefix('@'))}")
            typer.echo(f"saved; ask it with: {query}", err=True)


def _list_saved(saved: dict[str, str], as_json: bool) -> None:
    if as_json:
        print_json(saved)
        return
    widest = max(map(len, saved), default=0)
    for name, text in saved.items():
        typer.echo(f"@{printable(name):{widest}}  {printable(text)}")
    if not saved:
        save = to_run('save NAME "…"')
        typer.echo(f"no saved queries; keep one with: {save}", err=True)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def chosen_photos(opened: Archive, ids: Sequence[str] | None, query: str | None) -> NDArray[np.int64]:
    """The ids that are named one by one, or by a query."""
    import numpy as np

    from dsslic_search.api.arguments import ids_of

    if bool(ids) == (query is not None):
        raise UsageError("say which photos: their ids, or --query QUERY")
    if query is not None:
        return opened.matching(query)
    try:
        return np.unique(ids_of(ids))
    except UsageError as e:
        raise UsageError(f"{e}; --query QUERY takes all that a query finds") from e
