"""Finding the same picture twice: duplicates."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from dsslic_search.cli.options import PARTIAL, ArchiveDir, AsJson, print_json
from dsslic_search.cli.wording import in_commands
from dsslic_search.core.text import counted, printable, size_text


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(duplicates)


def duplicates(
    archive: ArchiveDir = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="How sure it must be, 0.5 to 1; 0.78 unless told.", show_default=False),
    ] = None,
    mirrored: Annotated[
        bool, typer.Option("--mirrored", help="Mirror images count as the same picture, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find photos that show the same picture: resized, recompressed, brightened or slightly cropped.

    Prints groups, the surest first, in each the largest picture first. Reads no original, and of each stored
    file only the bytes up to the compact image, once; changes nothing.
    """
    from dsslic_search.api import Archive

    with Archive(archive) as opened, _progress() as progress:
        found = opened.duplicates(threshold=threshold, mirrored=mirrored, progress=progress)
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
                    f"{printable(copy.path)}{turned}"
                )
    for photo_id, reason in found.failed:
        typer.echo(printable(f"skipped: photo {photo_id}: {in_commands(reason)}"), err=True)
    _tell(len(found.groups), [copy.bytes for group in found.groups for copy in group[1:]])
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


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr when a person is watching."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("looking at photos", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
