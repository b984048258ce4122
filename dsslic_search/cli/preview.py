"""Looking: preview, and contact sheets."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsslic_search.cli import progress
from dsslic_search.cli.encoding import StripLocation, StripMetadata, strip_of
from dsslic_search.cli.options import ERROR, PARTIAL, ArchiveDir, Force, PhotoId, any_stage
from dsslic_search.cli.wording import in_commands
from dsslic_search.core.errors import DSSError, FormatError, StageError, UsageError
from dsslic_search.core.output import STANDARD, Outputs
from dsslic_search.core.text import counted, printable, size_text

if TYPE_CHECKING:
    from dsslic_search.api import Archive


SHEET_HEIGHT = 240  # pixels of a picture on a contact sheet


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(preview)
    app.command()(sheet)
    app.command()(original)


def preview(
    photo_id: PhotoId,
    archive: ArchiveDir = None,
    stage: Annotated[
        str | None,
        typer.Option(
            help="map, compact, coarse or full; else the best there is.",
            show_default=False,
            autocompletion=any_stage,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Where to write it.", show_default=False),
    ] = None,
    progressive: Annotated[
        bool, typer.Option("--progressive", help="All stages: an animated PNG or GIF, and what each cost.")
    ] = False,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="The label map laid over the photo, with class names.")
    ] = False,
    force: Force = False,
) -> None:
    """Show a photo as far as a stage, reading only the bytes of that stage. What is written has no metadata.

    The milliseconds printed are of reading and decoding, and of loading what that needs: libraries, networks.
    They leave out the start of the program, opening the archive, and writing the picture.
    """
    from dsslic_search.api import Archive, render
    from dsslic_search.cli import terminal

    capability = terminal.capability()
    if out is None and capability is None:
        raise UsageError("this terminal cannot show pictures; write a file with -o FILE.png")
    if progressive and overlay:
        raise UsageError("--progressive and --overlay exclude each other; choose one")
    if out is not None:
        render.check_name(
            out, *([".png", ".gif"] if progressive else [".png"] if stage == "map" and not overlay else [])
        )
        Outputs(force).check(out)
    with Archive(archive) as opened:
        if progressive:
            _progressive(opened, photo_id, out, force)
        else:
            show_stage(opened, photo_id, stage, out, overlay=overlay, force=force)


def show_stage(
    opened: Archive,
    photo_id: int,
    stage: str | None,
    out: Path | None,
    *,
    overlay: bool = False,
    force: bool = False,
) -> None:
    """One stage of a photo, else its best, into a file or else into the terminal, and what it cost."""
    import numpy as np

    from dsslic_search.api import render
    from dsslic_search.api.showing import best_of
    from dsslic_search.cli import terminal

    if overlay:
        laid_over = (
            best_of(opened.photo(photo_id)) if stage is None else "coarse" if stage == "map" else stage
        )
        shown = {p.stage: p for p in opened.progressive(photo_id, ("map", laid_over))}
        parsed = shown.pop("map")
        found = next(iter(shown.values()))
        waited = parsed.milliseconds + found.milliseconds
        spoken = parsed.vocabulary or opened.vocabulary
        image = render.overlay(
            np.asarray(found.image.convert("RGB")),
            np.asarray(parsed.image),
            spoken,
            map_scale=opened.contents(photo_id).header.map_scale,
        )
    else:
        found = opened.preview(photo_id, stage)
        waited = found.milliseconds
        image = np.asarray(found.image.convert("RGB"))
    if out is None:
        sys.stdout.write(terminal.inline(image, terminal.capability()) + "\n")
    elif overlay:
        render.save_picture(image, out, outputs=Outputs(force, found.inputs))
    else:
        found.save(out, replace=force)
    share = found.bytes_read / found.bytes_total
    typer.echo(
        f"{found.stage}: {found.bytes_read} of {found.bytes_total} bytes read ({share:.1%}), {waited:.0f} ms",
        err=True,
    )


def _progressive(opened: Archive, photo_id: int, out: Path | None, force: bool) -> None:
    import numpy as np

    from dsslic_search.api import render
    from dsslic_search.cli import terminal

    stages = []
    missing: StageError | None = None
    beside = out == STANDARD  # the picture, that is
    typer.echo(f"{'stage':8} {'bytes read':>11} {'of file':>8} {'ms':>8}", err=beside)
    inputs: tuple[Path, ...] = ()
    try:
        for shown in opened.progressive(photo_id):
            stages.append((shown.stage, np.asarray(shown.image.convert("RGB"))))
            share = shown.bytes_read / shown.bytes_total
            inputs = shown.inputs
            typer.echo(
                f"{shown.stage:8} {shown.bytes_read:>11} {share:>8.1%} {shown.milliseconds:>8.1f}", err=beside
            )
            if out is None:
                sys.stdout.write(terminal.inline(stages[-1][1], terminal.capability()) + "\n")
    except StageError as e:  # what could be shown is worth having
        missing = e
    if out is not None and stages:
        size = render.save_animation(stages, out, outputs=Outputs(force, inputs))
        typer.echo(f"{out}: {len(stages)} stages, {size_text(size)}", err=True)
    if missing is not None:
        typer.echo(printable(f"dss-search: {in_commands(missing)}"), err=True)
        raise typer.Exit(PARTIAL if stages else ERROR)


def original(
    photo_id: PhotoId,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Where to write it.")],
    archive: ArchiveDir = None,
    strip_metadata: StripMetadata = False,
    strip_location: StripLocation = False,
    force: Force = False,
) -> None:
    """Write a photo's original file, bit for bit (keep modes exact and reference); of JPEG, PNG and WebP
    metadata can be left out, the pixels untouched."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened:
        write_original(opened, photo_id, out, strip_of(strip_metadata, strip_location), force=force)


def write_original(
    opened: Archive, photo_id: int, out: Path, strip: str = "nothing", *, force: bool = False
) -> None:
    """A photo's original into a file, without what ``strip`` names."""
    from dsslic_search.api import coding
    from dsslic_search.api.showing import left_outside

    Outputs(force).check(out)
    photo = opened.photo(photo_id)
    data = coding.without(opened.original(photo_id), strip)
    Outputs(force, left_outside(photo)).write(out, data)
    typer.echo(f"{out}: {size_text(len(data))}", err=True)


def sheet(
    out: Annotated[Path, typer.Argument(metavar="OUT.png", help="Where to write the contact sheet.")],
    archive: ArchiveDir = None,
    query: Annotated[
        str | None, typer.Option(help="Only photos that answer this query, best first.", show_default=False)
    ] = None,
    stage: Annotated[
        str, typer.Option(help="map, compact, coarse or full.", autocompletion=any_stage)
    ] = "coarse",
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Lay the label maps over the photos, with class names.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=400, help="Photos on the sheet.")] = 50,
    columns: Annotated[int, typer.Option(min=1, max=20, help="Pictures in a row.")] = 4,
    force: Force = False,
) -> None:
    """Write a contact sheet of the archive, or of a query's answer, from the stages named alone."""
    import numpy as np

    from dsslic_search.api import Archive, render

    render.check_name(out)
    Outputs(force).check(out)
    stages = ["map", stage] if overlay and stage != "map" else [stage]
    pictures = []
    skipped = 0
    with Archive(archive) as opened, progress.shown("reading previews") as settled:
        chosen = (
            opened.ids(limit) if query is None else [hit.id for hit in opened.query(query, limit=limit).hits]
        )
        for done, photo_id in enumerate(chosen):
            settled(done, len(chosen), skipped)
            try:
                shown = {p.stage: p for p in opened.progressive(photo_id, stages)}
            except FormatError as e:
                skipped += 1
                settled.say(f"skipped: {in_commands(e)}")
                continue
            small = shown[stage].image.convert("RGB")
            if overlay:
                # before the legend is written, so that it can be read
                small.thumbnail((2 * SHEET_HEIGHT, SHEET_HEIGHT))
            image = np.asarray(small)
            if overlay:
                image = render.overlay(
                    image,
                    np.asarray(shown["map"].image),
                    shown["map"].vocabulary or opened.vocabulary,
                    map_scale=opened.contents(photo_id).header.map_scale,
                )
            pictures.append((printable(f"#{photo_id} {Path(opened.photo(photo_id).path).name}"), image))
    if not pictures:
        raise DSSError("no photo to put on the sheet; ingest some, or ask another query")
    render.save_picture(
        render.contact_sheet(pictures, columns=columns, height=SHEET_HEIGHT), out, outputs=Outputs(force)
    )
    typer.echo(f"{out}: {counted(len(pictures), 'photo')}", err=True)
    if skipped:
        raise typer.Exit(PARTIAL)
