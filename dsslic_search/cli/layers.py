"""The layers of a file in files of their own: export-layers, import-layers; and one by itself: encode-layer,
decode-layer."""

from __future__ import annotations

from collections.abc import Sequence
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
    app.command("encode-layer")(encode_layer)
    app.command("decode-layer")(decode_layer)


Source = Annotated[
    str, typer.Argument(metavar="ID|FILE.dsslic", help="A photo's id, as query prints it, or a file.")
]


def _photo_of(source: str) -> int | None:
    """The photo that is meant, "12" or "#12"; None where a file is."""
    number = source.removeprefix("#")
    if number.isascii() and number.isdigit() and not Path(source).exists():
        return int(number)
    return None


def _size_of(name: str, shape: Sequence[int]) -> str:
    """Of an array its shape, of a picture width and height, as everywhere else."""
    return " × ".join(map(str, shape)) if name.lower().endswith(".npy") else f"{shape[1]}×{shape[0]}"


def export_layers(
    source: Source,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to write them.")],
    archive: ArchiveDir = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write the layers of a photo's file as files that other programs read: label map, compact image,
    residual; layers.json beside them holds what a decoder needs besides."""
    from dsslic_search.api import Archive, layer_files

    if (photo_id := _photo_of(source)) is not None:
        with Archive(archive) as opened:
            written = layer_files.export_photo_layers(opened, photo_id, out, replace=force)
    else:
        written = layer_files.export_layers(Path(source), out, replace=force)
    if as_json:
        print_json({"folder": str(out), "files": written})
        return
    for name, size in written.items():
        typer.echo(f"{printable(str(out / name))}: {size_text(size)}")


def export_stages(
    source: Source,
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

    if (photo_id := _photo_of(source)) is not None:
        with Archive(archive) as opened:
            written = stage_files.export_photo_stages(opened, photo_id, out, form, replace=force)
    else:
        written = stage_files.export_stages(Path(source), out, form, replace=force)
    if as_json:
        print_json({"folder": str(out), "files": written})
        return
    for name, shape in written.items():
        typer.echo(f"{printable(str(out / name))}: {_size_of(name, shape)}")


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


Layer = Annotated[str, typer.Argument(metavar="map|compact|residual", help="Which layer.")]


def encode_layer(
    layer: Layer,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IN", help="An array (.npy), a PNG of class ids, or a picture for a compact image."
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help=".map or .flif a label map, .bpg or .flif a compact image, .bpg a residual."
        ),
    ],
    qp: Annotated[
        int | None,
        typer.Option("--qp", metavar="0…51", help="Of .bpg; else as at quality 75.", show_default=False),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option(
            "--mapping",
            metavar="min-max|fixed|LEAST,GREATEST",
            help="How a residual's differences become samples, if no layers.json beside OUT tells; else "
            "min-max.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Code one layer by itself, as export-layers writes it: a label map, a compact image, a residual."""
    from dsslic_search.api import layer_coding

    said = layer_coding.encode_layer(layer, source, target, qp=qp, mapping=mapping, replace=force)
    if as_json:
        print_json({"file": str(target), **said})
        return
    told = f", mapping {said['mapping']}" if "mapping" in said else ""
    typer.echo(printable(f"{target}: {size_text(said['bytes'])}{told}"))


def decode_layer(
    layer: Layer,
    source: Annotated[Path, typer.Argument(metavar="IN", help="A layer's file.")],
    target: Annotated[
        Path, typer.Argument(metavar="OUT", help="Where to write it: an array (.npy) or a picture (.png).")
    ],
    mapping: Annotated[
        str | None,
        typer.Option(
            "--mapping",
            metavar="fixed|LEAST,GREATEST",
            help="Of a residual, if no layers.json beside IN tells.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Decode one layer by itself, of those that export-layers or encode-layer wrote."""
    from dsslic_search.api import layer_coding

    shape = layer_coding.decode_layer(layer, source, target, mapping=mapping, replace=force)
    if as_json:
        print_json({"file": str(target), "shape": list(shape)})
        return
    typer.echo(f"{printable(str(target))}: {_size_of(target.name, shape)}")
