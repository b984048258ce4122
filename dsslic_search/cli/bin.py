"""The archive's bin: remove, restore, bin, empty-bin."""

from __future__ import annotations

from typing import Annotated

import typer

from dsslic_search.cli.lines import path_for_people
from dsslic_search.cli.naming import Ids, Query, chosen_photos
from dsslic_search.cli.options import ERROR, PARTIAL, ArchiveDir, AsJson, Wait, print_json, say_waiting
from dsslic_search.cli.wording import to_run
from dsslic_search.core.errors import UsageError
from dsslic_search.core.text import counted, parse_age, size_text

NAMED_IDS = 12  # in a command that is told to be copied; of more, the whole bin is named


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (remove, restore, bin, empty_bin):
        app.command()(command)


def remove(
    ids: Ids = None,
    query: Query = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell alone what would be removed.")] = False,
    archive: ArchiveDir = None,
) -> None:
    """Put photos into the archive's bin; files outside the archive are never touched.

    Removed photos leave the answers and keep their tags; is:removed finds them."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened:
        moved = opened.remove(chosen_photos(opened, ids, query), dry_run=dry_run)
    if moved.others:
        typer.echo(f"{counted(len(moved.others), 'photo')} in the bin already", err=True)
    if dry_run:
        typer.echo(f"{counted(len(moved.ids), 'photo')} would be removed", err=True)
    elif moved.ids:
        back = " ".join(map(str, moved.ids)) if len(moved.ids) <= NAMED_IDS else "--all"
        are = "photo is" if len(moved.ids) == 1 else "photos are"
        undo = to_run(f"restore {back}")
        typer.echo(f"{len(moved.ids)} {are} in the bin; take back with: {undo}", err=True)
    elif not moved.others:
        typer.echo("no photo to remove", err=True)


def restore(
    ids: Ids = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query",
            metavar="QUERY",
            help="All photos of the bin that a query asks for.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is in the bin.")] = False,
    archive: ArchiveDir = None,
) -> None:
    """Take photos back out of the archive's bin."""
    from dsslic_search.api import Archive

    if everything and (ids or query is not None):
        raise UsageError("--all means the whole bin; leave out the ids and --query")
    with Archive(archive) as opened:
        asked = None if query is None else f"is:removed and ({query})"
        moved = opened.restore(None if everything else chosen_photos(opened, ids, asked))
    typer.echo(f"{counted(len(moved.ids), 'photo')} taken back", err=True)
    if moved.others:
        named = ", ".join(f"#{i}" for i in moved.others[:NAMED_IDS])
        typer.echo(f"not in the bin: {named}{' …' if len(moved.others) > NAMED_IDS else ''}", err=True)
        raise typer.Exit(PARTIAL if moved.ids else ERROR)


def bin(archive: ArchiveDir = None, as_json: AsJson = False) -> None:
    """List what is in the archive's bin, what was removed last first."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened:
        binned = opened.bin()
    if as_json:
        print_json(
            [
                {
                    "id": each.id,
                    "path": each.path,
                    "removed_at": each.removed_at.isoformat(),
                    "bytes": each.bytes,
                }
                for each in binned
            ]
        )
        return
    for each in binned:
        since = f"{each.removed_at:%Y-%m-%d %H:%M} UTC"
        typer.echo(f"{f'#{each.id}':>8}  {since}  {size_text(each.bytes):>8}  {path_for_people(each.path)}")
    if not binned:
        typer.echo("the bin is empty", err=True)


def empty_bin(
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="AGE",
            help="Only what was removed so long ago: 12h, 30d, 8w, 2y.",
            show_default=False,
        ),
    ] = None,
    even_only_copies: Annotated[
        bool,
        typer.Option(
            "--even-only-copies",
            help="Photos, too, of whose originals no other copy is found where they lay.",
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell alone what would be deleted.")] = False,
    archive: ArchiveDir = None,
    wait: Wait = None,
    as_json: AsJson = False,
) -> None:
    """Delete what is in the archive's bin for good; files outside the archive are never touched."""
    from dsslic_search.api import Archive

    try:
        age = None if older_than is None else parse_age(older_than)
    except ValueError as e:
        raise UsageError(f"--older-than: {e}") from None
    with Archive(archive, wait=wait, waiting=say_waiting) as opened:
        emptied = opened.empty_bin(older_than=age, even_only_copies=even_only_copies, dry_run=dry_run)
    if as_json:
        print_json(
            {
                "deleted": list(emptied.deleted),
                "bytes": emptied.bytes,
                "kept": list(emptied.kept),
                "dry_run": dry_run,
            }
        )
    stay = "1 stays" if len(emptied.kept) == 1 else f"{len(emptied.kept)} stay"
    if emptied.kept:
        originals, those = ("its original", "it") if len(emptied.kept) == 1 else ("their originals", "them")
        typer.echo(
            f"{stay}: no other copy of {originals} was found; to delete {those} nevertheless: "
            "--even-only-copies",
            err=True,
        )
    done, freed = ("would be deleted", "to be freed") if dry_run else ("deleted", "freed")
    photos = counted(len(emptied.deleted), "photo")
    typer.echo(f"{photos} {done}, {size_text(emptied.bytes)} {freed}, {stay}", err=True)
