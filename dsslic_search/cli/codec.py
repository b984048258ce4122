"""The codec without an archive: encode, decode, info, segment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsslic_search.cli.describing import UNKNOWN_VOCABULARY, describe, describe_residual, residual_lines
from dsslic_search.cli.encoding import with_encoder_options
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
    FormatError,
    MissingExtraError,
    StageError,
    UsageError,
    WeightsError,
)
from dsslic_search.core.text import printable, size_text

if TYPE_CHECKING:
    from dsslic_search.codec.options import EncodeOptions


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
    from dsslic_search.codec.picture.save import write_file

    data = coding.encode(source, options)
    write_file(target, data)
    typer.echo(
        f"{target}: {size_text(len(data))}, the original has {size_text(source.stat().st_size)}", err=True
    )


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
) -> None:
    """Decode a stage of a .dsslic file to a picture."""
    from dsslic_search.api import coding
    from dsslic_search.codec import container, decoder
    from dsslic_search.codec.layers import metadata
    from dsslic_search.codec.picture import save
    from dsslic_search.core.settings import Settings

    data = coding.read_file(source)
    if original:
        with _named(source):
            restored = decoder.read_original(data)
        save.write_file(target, restored)
        return
    save.check_name(target, *([".png"] if stage == "map" else []))
    with _named(source):
        if stage is None:
            stage = "coarse" if container.read_contents(data).header.keep == "coarse" else "full"
        decoded = decoder.decode_stage(data, stage, max_pixels=Settings().max_pixels)
        exif = decoder.read_metadata(data, metadata.EXIF) if stage == "full" else b""
    if stage == "map":
        save.save_label_map(decoded.pixels, target, decoded.vocabulary)
    else:
        save.save_picture(decoded.pixels, target, alpha=decoded.alpha, exif=exif)


class _named:
    """Puts the file's name in front of what is wrong with its bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, FormatError):
            raise type(error)(f"{self.path}: {error}") from error


def info(
    source: Annotated[Path, typer.Argument(metavar="FILE.dsslic", help="A .dsslic file.")],
    as_json: AsJson = False,
) -> None:
    """Show the layers of a .dsslic file, their bytes and bits per pixel, and its parameters."""
    from dsslic_search.api import coding
    from dsslic_search.codec import container, decoder

    data = coding.read_file(source)
    with _named(source):
        contents = container.read(data)
        try:
            spoken = decoder.read_dialect(data, contents).vocabulary.name
        except StageError:
            spoken = UNKNOWN_VOCABULARY
        residual = describe_residual(data)
    described = {**describe(contents), "vocabulary_name": spoken, "residual": residual}
    if as_json:
        print_json({"file": str(source), **described})
        return
    header = contents.header
    typer.echo(
        f"{source}: {header.width}×{header.height}{' grey' if header.grey else ''}, keep mode {header.keep}, "
        f"{quality_text(header.quality)}"
    )
    typer.echo(f"{'layer':10} {'bytes':>10} {'bpp':>9}")
    for layer in described["layers"]:
        typer.echo(f"{layer['name']:10} {layer['bytes']:>10} {layer['bpp']:>9.4f}")
    typer.echo(f"{'total':10} {contents.total:>10} {described['bpp']:>9.4f}")
    stages = ", ".join(f"{stage} {n}" for stage, n in described["stages"].items())
    typer.echo(f"bytes to read for each stage: {stages}")
    typer.echo(f"label map 1/{header.map_scale}, compact 1/{header.compact_scale} (QP {header.compact_qp})")
    for line in residual_lines(residual, header.residual_qp):
        typer.echo(line)
    typer.echo(f"vocabulary {header.vocabulary} ({printable(spoken)})", nl=False)
    typer.echo(f", segmenter {header.segmenter}")
    depends = int(header.finenet, 16) > 0
    typer.echo(
        f"the picture depends on FineNet {header.finenet}" if depends else "the picture depends on no FineNet"
    )


def segment(
    sources: Annotated[list[Path], typer.Argument(metavar="IN", help="Photos.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where NAME.png goes for photo NAME.")],
    segmenter: SegmenterName = None,
    classes: ClassesFile = None,
    own_classes: OwnClasses = False,
) -> None:
    """Write photos' label maps alone, as palette PNGs whose pixel values are class ids."""
    from dsslic_search.api import coding
    from dsslic_search.codec import encoder
    from dsslic_search.codec.layers import label_map
    from dsslic_search.codec.picture import save
    from dsslic_search.codec.picture.open import open_photo
    from dsslic_search.core.settings import Settings

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
    spoken = None if chosen is None else chosen.dialect.vocabulary
    out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for source, target in targets.items():
        try:
            photo = open_photo(coding.read_file(source), str(source), Settings().max_pixels)
            labels, scale = encoder.segment_photo(photo, segmenter=chosen)
            save.save_label_map(label_map.enlarge(labels, scale, photo.height, photo.width), target, spoken)
        except (WeightsError, MissingExtraError):
            raise  # not this photo's fault: the next would fail as well
        except DSSError as e:
            failed += 1
            typer.echo(printable(f"skipped: {in_commands(e)}"), err=True)
        else:
            typer.echo(printable(str(target)))
    if failed:
        raise typer.Exit(PARTIAL if failed < len(targets) else ERROR)
