"""The codec without an archive: encode, decode, info, segment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsslic_search.cli import facts
from dsslic_search.cli.encoding import StripLocation, StripMetadata, strip_of, with_encoder_options
from dsslic_search.cli.options import (
    ERROR,
    PARTIAL,
    AsJson,
    ClassesFile,
    OwnClasses,
    SegmenterName,
    print_json,
    quality_text,
    segmenter_of,
)
from dsslic_search.cli.wording import in_commands
from dsslic_search.core.errors import (
    DSSError,
    MissingExtraError,
    UsageError,
    WeightsError,
)
from dsslic_search.core.text import printable, size_text

if TYPE_CHECKING:
    from dsslic_search.api import EncodeOptions


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(encode)
    app.command()(decode)
    app.command()(info)
    app.command()(segment)


@with_encoder_options(
    keep="layers, exact (the file itself, bit-exact), reference or coarse (both without a residual)."
)
def encode(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A photo.")],
    target: Annotated[Path, typer.Argument(metavar="OUT.dsslic", help="Where to write.")],
    *,
    options: EncodeOptions,
) -> None:
    """Encode one photo as a .dsslic file."""
    from dsslic_search.api import coding

    size = coding.encode_file(source, target, options)
    typer.echo(f"{target}: {size_text(size)}, the original has {size_text(source.stat().st_size)}", err=True)


def decode(
    source: Annotated[
        Path, typer.Argument(metavar="IN.dsslic", help="A .dsslic file, or the first bytes of one.")
    ],
    target: Annotated[
        Path, typer.Argument(metavar="OUT.png", help="Where to write; the suffix chooses the format.")
    ],
    stage: Annotated[
        str | None,
        typer.Option(help="map, compact, coarse or full; else the best there is.", show_default=False),
    ] = None,
    original: Annotated[
        bool, typer.Option("--original", help="The original file, bit for bit (keep mode exact).")
    ] = False,
    strip_metadata: StripMetadata = False,
    strip_location: StripLocation = False,
) -> None:
    """Decode a stage of a .dsslic file to a picture."""
    from dsslic_search.api import coding

    strip = strip_of(strip_metadata, strip_location)
    if original:
        coding.unpack_file(source, target, strip)
    else:
        coding.decode_file(source, target, stage, strip)


def info(
    source: Annotated[Path, typer.Argument(metavar="FILE.dsslic", help="A .dsslic file.")],
    as_json: AsJson = False,
) -> None:
    """Show the layers of a .dsslic file, their bytes and bits per pixel, and its parameters."""
    from dsslic_search.api import file_info

    said = file_info(source)
    if as_json:
        print_json({"file": str(source), **said})
        return
    typer.echo(
        f"{source}: {said['width']}×{said['height']}{' grey' if said['grey'] else ''}, keep mode "
        f"{said['keep']}, {quality_text(said['quality'])}"
    )
    for line in facts.lines(said["facts"]):
        typer.echo(line)
    typer.echo(f"{'layer':10} {'bytes':>10} {'bpp':>9}")
    for layer in said["layers"]:
        typer.echo(f"{layer['name']:10} {layer['bytes']:>10} {layer['bpp']:>9.4f}")
    typer.echo(f"{'total':10} {said['bytes']:>10} {said['bpp']:>9.4f}")
    stages = ", ".join(f"{stage} {n}" for stage, n in said["stages"].items())
    typer.echo(f"bytes to read for each stage: {stages}")
    typer.echo(
        f"label map 1/{said['map_scale']}, compact 1/{said['compact_scale']} (QP {said['compact_qp']})"
    )
    for remark in said["source_remarks"]:
        typer.echo(f"source: {printable(remark)}")
    for line in _residual_lines(said["residual"], said["residual_qp"]):
        typer.echo(line)
    typer.echo(f"vocabulary {said['vocabulary']} ({printable(said['vocabulary_name'])})", nl=False)
    typer.echo(f", segmenter {said['segmenter']}")
    network = f"FineNet {said['finenet']}" if int(said["finenet"], 16) else "no FineNet"
    typer.echo(f"the picture depends on {network}")


def _residual_lines(said: dict[str, Any] | None, qp: int) -> list[str]:
    """What `api.file_info` says of a residual, in words."""
    if said is None:
        return []
    if said["lossless"]:
        return ["lossless: the photo itself as JPEG XL, every pixel exact"]
    if said["kind"] == "unknown":
        return [f"residual of a kind not known here ({said['codec']})"]
    planes = (
        "along the photo's own colour axes"
        if said["colour_axes"]
        else "BT.601"
        if said["kind"] == "bpg-first"
        else "grey"
    )
    lines = [
        f"residual: BPG (codec {said['codec']}), QP {qp}, planes {planes}, trust in the coarse image "
        f"{said['trust']:.2f}"
    ]
    if said["gains"]:
        lines.append(
            "importance: residual of "
            + ", ".join(f"{name} ×{gain:.2f}" for name, gain in said["gains"].items())
        )
    if said["restoration"]:
        lines.append(
            f"restoration: strength {said['restoration']['strength']:.2f}, weights "
            f"{said['restoration']['weights']}"
        )
    return lines


def segment(
    sources: Annotated[list[Path], typer.Argument(metavar="IN", help="Photos.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where NAME.png goes for photo NAME.")],
    segmenter: SegmenterName = None,
    classes: ClassesFile = None,
    own_classes: OwnClasses = False,
) -> None:
    """Write photos' label maps alone, as palette PNGs whose pixel values are class ids."""
    from dsslic_search.api.segmenters import segment_file

    targets: dict[Path, Path] = {}
    for source in sources:
        target = out / f"{source.stem}.png"
        if target in targets.values():
            raise UsageError(
                f"{source}: another photo named {source.stem} would write {target} too; give them other "
                "names or folders"
            )
        targets[source] = target
    chosen = segmenter_of(segmenter, classes, own_classes)
    out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for source, target in targets.items():
        try:
            segment_file(source, target, chosen)
        except (WeightsError, MissingExtraError):
            raise  # not this photo's fault: the next would fail as well
        except DSSError as e:
            failed += 1
            typer.echo(printable(f"skipped: {in_commands(e)}"), err=True)
        else:
            typer.echo(printable(str(target)))
    if failed:
        raise typer.Exit(PARTIAL if failed < len(targets) else ERROR)
