"""The layers of a file in files of their own: export-layers, import-layers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsslic_search.cli.options import ArchiveDir, AsJson, Force, print_json
from dsslic_search.core.text import printable, size_text


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("export-layers")(export_layers)
    app.command("export-stages")(export_stages)
    app.command("import-layers")(import_layers)


def export_layers(
    source: Annotated[
        str, typer.Argument(metavar="ID|FILE.dsslic", help="A photo's id, as query prints it, or a file.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write them.")],
    archive: ArchiveDir = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write the layers of a photo's file as files that other programs read: label map, compact image,
    residual; layers.json beside them holds what a decoder needs besides."""
    from dsslic_search.api import Archive, layer_files

    if source.isascii() and source.isdigit() and not Path(source).exists():
        with Archive(archive) as opened:
            written = layer_files.export_photo_layers(opened, int(source), out, replace=force)
    else:
        written = layer_files.export_layers(Path(source), out, replace=force)
    if as_json:
        print_json({"folder": str(out), "files": written})
        return
    for name, size in written.items():
        typer.echo(f"{printable(str(out / name))}: {size_text(size)}")


def export_stages(
    source: Annotated[
        str, typer.Argument(metavar="ID|FILE.dsslic", help="A photo's id, as query prints it, or a file.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write them.")],
    form: Annotated[
        str, typer.Option("--format", metavar="png|npy", help="Pictures, or NumPy's arrays of the numbers.")
    ] = "png",
    archive: ArchiveDir = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write every stage of a photo's file, and the residual: what the full stage is beside the coarse one."""
    from dsslic_search.api import Archive, stage_files

    if source.isascii() and source.isdigit() and not Path(source).exists():
        with Archive(archive) as opened:
            written = stage_files.export_photo_stages(opened, int(source), out, form, replace=force)
    else:
        written = stage_files.export_stages(Path(source), out, form, replace=force)
    if as_json:
        print_json({"folder": str(out), "files": written})
        return
    for name, shape in written.items():
        typer.echo(f"{printable(str(out / name))}: {' × '.join(map(str, shape))}")


def import_layers(
    source: Annotated[
        Path, typer.Argument(metavar="DIR|layers.json", help="What export-layers wrote, coded anew or not.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.dsslic", help="The file to put together.")],
    force: Force = False,
) -> None:
    """Put layers together again: to the same file, where they are as export-layers wrote them."""
    from dsslic_search.api import layer_files

    size = layer_files.import_layers(source, target, replace=force)
    typer.echo(f"{printable(str(target))}: {size_text(size)}", err=True)
