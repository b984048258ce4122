"""Finding the same picture twice: duplicates."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsslic_search.cli.lines import path_for_people
from dsslic_search.cli.options import PARTIAL, ArchiveDir, AsJson, Ray, print_json
from dsslic_search.cli.progress import shown
from dsslic_search.cli.wording import in_commands, to_run
from dsslic_search.core.errors import UsageError
from dsslic_search.core.text import counted, printable, size_text

if TYPE_CHECKING:
    from dsslic_search.api import ExactCopy, ExactDuplicates, ExactGroup


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(duplicates)


def duplicates(
    archive: ArchiveDir = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="How sure it must be, 0.5 to 1; 0.65 unless told.", show_default=False),
    ] = None,
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="Mirror images count as the same picture, too.")
    ] = False,
    exact: Annotated[
        bool, typer.Option("--exact", help="Byte-identical copies, and the bytes that they take.")
    ] = False,
    ray: Ray = None,
    as_json: AsJson = False,
) -> None:
    """Find photos that show the same picture: resized, recompressed, brightened or slightly cropped.

    Prints groups, the surest first, in each the largest picture first. Reads no original, and of each stored
    file only the bytes up to the compact image; changes nothing. With --exact the paths at which one
    file lies several times; names of the very same file, links, take no bytes.
    """
    from dsslic_search.api import Archive

    if exact:
        if threshold is not None or mirrored or ray is not None:
            raise UsageError("--exact is about identical bytes; leave out --threshold, --mirrored and --ray")
        with Archive(archive) as opened:
            _show_exact(opened.exact_duplicates(), as_json)
        return
    with Archive(archive) as opened, shown("looking at photos") as settled:
        found = opened.duplicates(threshold=threshold, mirrored=mirrored, ray=ray, progress=settled)
        identical = opened.exact_duplicates().files_beside_the_first
    if as_json:
        groups = [[asdict(copy) for copy in group] for group in found.groups]
        failed = [{"id": photo_id, "reason": in_commands(reason)} for photo_id, reason in found.failed]
        print_json({"photos": found.photos, "groups": groups, "failed": failed})
    else:
        for number, group in enumerate(found.groups):
            if number:
                typer.echo()
            for copy in group:
                size = f"{copy.width}×{copy.height}"
                turned = "  (mirrored)" if copy.mirrored else ""
                typer.echo(
                    f"#{copy.id:<6} {copy.likeness:.3f} {size:>11} {size_text(copy.bytes):>8}  "
                    f"{path_for_people(copy.path)}{turned}"
                )
    for photo_id, reason in found.failed:
        typer.echo(printable(f"skipped: photo {photo_id}: {in_commands(reason)}"), err=True)
    _tell(len(found.groups), [copy.bytes for group in found.groups for copy in group[1:]])
    if identical:
        copies = "1 byte-identical copy" if identical == 1 else f"{identical} byte-identical copies"
        typer.echo(f"{copies} beside these: {to_run('duplicates --exact')}", err=True)
    if found.failed:
        raise typer.Exit(PARTIAL)


def _tell(groups: int, others: list[int]) -> None:
    if not groups:
        typer.echo("no duplicates", err=True)
        return
    photos = counted(len(others), "photo")
    typer.echo(
        f"{counted(groups, 'group')}; beside the first of each, {photos} ({size_text(sum(others))})",
        err=True,
    )


def _show_exact(found: ExactDuplicates, as_json: bool) -> None:
    if as_json:
        groups = [_group_as_plain(group) for group in found.groups]
        print_json({"groups": groups, "to_be_had": found.to_be_had})
    else:
        for number, group in enumerate(found.groups):
            if number:
                typer.echo()
            typer.echo(f"#{group.id:<6} {len(group.copies)} copies of {size_text(group.bytes)}")
            for copy in group.copies:
                typer.echo(f"  {path_for_people(copy.path)}{_mark(copy)}")
    if not found.groups:
        typer.echo("no byte-identical copies", err=True)
        return
    n = found.files_beside_the_first
    copies, take = ("1 copy", "takes") if n == 1 else (f"{n} copies", "take")
    typer.echo(
        f"{counted(len(found.groups), 'group')}; {copies} {take} {size_text(found.to_be_had)} beside the "
        "first of each",
        err=True,
    )


def _mark(copy: ExactCopy) -> str:
    """What is to be said of a path, but that a file of its own is there."""
    if copy.found == "changed":
        return "  (changed since: dss-search sync)"
    if copy.found == "not there":
        return "  (not there)"
    return "" if copy.same_file_as is None else "  (link)"


def _group_as_plain(group: ExactGroup) -> dict[str, Any]:
    paths = [
        {
            "path": copy.path,
            "same_file_as": copy.same_file_as,
            "there": copy.found == "there",
            "changed": copy.found == "changed",
        }
        for copy in group.copies
    ]
    return {"id": group.id, "bytes": group.bytes, "paths": paths, "to_be_had": group.to_be_had}
