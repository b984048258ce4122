"""The codec without an archive: encode, decode, info, segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsslic_search.cli import facts
from dsslic_search.cli.encoding import StripLocation, StripMetadata, strip_of, with_encoder_options
from dsslic_search.cli.options import (
    ERROR,
    INTERRUPTED,
    PARTIAL,
    AsJson,
    ClassesFile,
    Force,
    OwnClasses,
    SegmenterName,
    among,
    any_stage,
    kept_text,
    print_json,
    segmenter_of,
)
from dsslic_search.cli.progress import shown
from dsslic_search.cli.wording import in_commands
from dsslic_search.core.errors import (
    DSSError,
    MissingExtraError,
    UsageError,
    WeightsError,
)
from dsslic_search.core.files import path_to_text
from dsslic_search.core.kinds import KeepMode
from dsslic_search.core.output import STANDARD, Outputs
from dsslic_search.core.text import printable, size_text

if TYPE_CHECKING:
    from dsslic_search.api import CodedFiles, EncodeOptions


ENDING = ".dsslic"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(encode)
    app.command()(decode)
    app.command()(info)
    app.command()(segment)


OutFolder = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write files of the same names in there.", show_default=False),
]


@with_encoder_options(
    keep="layers, exact (the file itself, bit-exact), reference or coarse (both without a residual)."
)
def encode(
    names: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN [OUT.dsslic] | IN…",
            help="A photo and where to write, or with --out photos and folders; - is stdin, stdout.",
        ),
    ],
    out: OutFolder = None,
    *,
    options: EncodeOptions,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Encode a photo as a .dsslic file, or many in one start."""
    from dsslic_search.api import coding_files

    if out is not None:
        with shown("encoding") as progress:
            report = coding_files.encode_files(names, out, options, replace=force, progress=progress)
        _tell(report, "encoded", as_json)
        return
    source, target = _one_file(
        names, "encode IN OUT.dsslic, or encode IN… --out DIR", lambda name: name.suffix.lower() == ENDING
    )
    _not_both(target, as_json)
    size = coding_files.encode_file(source, target, options, replace=force)
    if as_json:
        _print_report([(source, target, size)], [])
    said = f"{target}: {size_text(size)}"
    if source != STANDARD:
        said += f", the original has {size_text(source.stat().st_size)}"
    typer.echo(printable(path_to_text(said)), err=True)


def decode(
    names: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN.dsslic [OUT.png] | IN…",
            help="A .dsslic file, or its first bytes, and where to write, the suffix choosing the "
            "format; or with --out files and folders; - is stdin, stdout.",
        ),
    ],
    out: OutFolder = None,
    stage: Annotated[
        str | None,
        typer.Option(
            help="map, compact, coarse or full; else the best there is.",
            show_default=False,
            autocompletion=any_stage,
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="png|jpg|webp",
            help="Of pictures; else by OUT, or png.",
            show_default=False,
            autocompletion=among(lambda: ("png", "jpg", "webp")),
        ),
    ] = None,
    original: Annotated[
        bool, typer.Option("--original", help="The original file, bit for bit (keep mode exact).")
    ] = False,
    strip_metadata: StripMetadata = False,
    strip_location: StripLocation = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Decode a stage of a .dsslic file to a picture, or of many in one start."""
    from dsslic_search.api import coding_files

    strip = strip_of(strip_metadata, strip_location)
    if original and (stage is not None or form is not None):
        raise UsageError("--original writes the file that was kept; leave out --stage and --format")
    if out is not None:
        with shown("decoding") as progress:
            report = coding_files.decode_files(
                names,
                out,
                stage,
                strip,
                form=form or "png",
                original=original,
                replace=force,
                progress=progress,
            )
        _tell(report, "decoded", as_json)
        return
    source, target = _one_file(
        names, "decode IN.dsslic OUT.png, or decode IN… --out DIR", lambda name: name.suffix.lower() != ENDING
    )
    _not_both(target, as_json)
    if original:
        size = coding_files.unpack_file(source, target, strip, replace=force)
    else:
        size = coding_files.decode_file(source, target, stage, strip, form=form, replace=force)
    if as_json:
        _print_report([(source, target, size)], [])


def _one_file(names: list[Path], usage: str, fits: Callable[[Path], bool]) -> tuple[Path, Path]:
    """What to read, and where to write, of the arguments of a command without --out."""
    if len(names) == 2 and (names[1] == STANDARD or fits(names[1])):
        return names[0], names[1]
    raise UsageError(f"say where to write: {usage}")


def _not_both(target: Path, as_json: bool) -> None:
    if as_json and target == STANDARD:
        raise UsageError("--json and the file cannot both go to standard output; name a file to write")


def _tell(report: CodedFiles, done: str, as_json: bool) -> None:
    """What became of many files, and the exit code."""
    for source, reason in report.failed:
        told = reason if path_to_text(source) in reason else f"{path_to_text(source)}: {reason}"
        typer.echo(printable(f"skipped: {in_commands(told)}"), err=True)
    if as_json:
        _print_report(report.written, report.failed, report.passed_over.by_kind())
    else:
        for each in report.written:
            typer.echo(printable(path_to_text(each.target)))
    if passed_over := report.passed_over.sentence():
        typer.echo(printable(f"passed over: {passed_over}"), err=True)
    written = size_text(sum(each.bytes for each in report.written))
    line = f"{len(report.written)} {done}, {len(report.failed)} skipped; {written} written"
    typer.echo(line + ("; interrupted" if report.interrupted else ""), err=True)
    if report.interrupted:
        raise typer.Exit(INTERRUPTED)
    if report.failed:
        raise typer.Exit(PARTIAL if report.written else ERROR)


def _print_report(
    written: Sequence[tuple[Path, Path, int]],
    failed: Sequence[tuple[Path, str]],
    ignored: Mapping[str, Sequence[str]] | None = None,
) -> None:
    print_json(
        {
            "written": [
                {"source": path_to_text(source), "file": path_to_text(target), "bytes": size}
                for source, target, size in written
            ],
            "failed": [
                {"source": path_to_text(source), "reason": in_commands(why)} for source, why in failed
            ],
            "ignored": ignored or {},
        }
    )


def info(
    source: Annotated[Path, typer.Argument(metavar="FILE.dsslic", help="A .dsslic file.")],
    as_json: AsJson = False,
    elements: Annotated[
        bool,
        typer.Option("--elements", help="Also what each syntax element of HEVC takes in its layers."),
    ] = False,
) -> None:
    """Show the layers of a .dsslic file, their bytes and bits per pixel, and its parameters."""
    from dsslic_search.api import file_info

    said = file_info(source, elements=elements)
    if as_json:
        print_json({"file": str(source), **said})
        return
    is_seen, sides = KeepMode(said["keep"]).is_seen, ""
    if said["width"]:
        sides = f"{said['width']}×{said['height']}{' grey' if said['grey'] else ''}, "
    typer.echo(f"{source}: {sides}{kept_text(said['keep'], said['quality'])}")
    for line in facts.lines(said["facts"]):
        typer.echo(line)
    for line in _layer_lines(said):
        typer.echo(line)
    if is_seen:
        stages = ", ".join(f"{stage} {n}" for stage, n in said["stages"].items())
        typer.echo(f"bytes to read for each stage: {stages}")
        coded = {layer["kind"]: layer["codec"] for layer in said["layers"]}
        of_compact = "FLIF" if coded.get("COMP") == 2 else f"QP {said['compact_qp']}"
        typer.echo(f"label map 1/{said['map_scale']}, compact 1/{said['compact_scale']} ({of_compact})")
    if said["certainty"] is not None:
        told = (f"{printable(name)} {sure:.0%}" for name, sure in said["certainty"].items())
        typer.echo(f"how sure the segmenter was: {', '.join(told)}")
    if said["words"]:
        told = (f"{name} {probability:.0%}" for name, probability in said["words"].items())
        typer.echo(f"what the whole photo shows: {', '.join(told)}")
    for remark in said["source_remarks"]:
        typer.echo(f"source: {printable(in_commands(remark))}")
    for line in _residual_lines(said["residual"], said["residual_qp"]):
        typer.echo(line)
    if is_seen:
        typer.echo(f"vocabulary {said['vocabulary']} ({printable(said['vocabulary_name'])})", nl=False)
        typer.echo(f", segmenter {said['segmenter']}")
        network = f"FineNet {said['finenet']}" if int(said["finenet"], 16) else "no FineNet"
        typer.echo(f"the picture depends on {network}")
    for line in _element_lines(said.get("elements", [])):
        typer.echo(line)


def _layer_lines(said: Mapping[str, Any]) -> Iterator[str]:
    """A table of layers, with bits per pixel where it is known how many pixels there are."""
    head, rows = "bpp", [*said["layers"], {**said, "name": "total"}]
    per_pixel = [f"{row['bpp']:.4f}" for row in rows]
    if not said["width"]:
        head, per_pixel = "", [""] * len(rows)
    yield f"{'layer':10} {'bytes':>10} {head:>9}".rstrip()
    for row, told in zip(rows, per_pixel, strict=True):
        yield f"{row['name']:10} {row['bytes']:>10} {told:>9}".rstrip()


def _element_lines(told: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A table for each layer, dearest first: bits of luma, of both chroma planes and in all, and their
    share."""
    for layer in dict.fromkeys(each["layer"] for each in told):
        own = [each for each in told if each["layer"] == layer]
        rows: dict[str, list[float]] = {}
        for each in own:
            row = rows.setdefault(each["element"], [0.0, 0.0, 0.0])
            row[2] += each["bits"]
            if each["component"]:
                row[int(each["component"] != "luma")] += each["bits"]
        whole = sum(row[2] for row in rows.values())
        yield f"{layer + ' by element':32} {'luma':>11} {'chroma':>11} {'bits':>11} {'share':>7}"
        for name, (luma, chroma, bits) in sorted(rows.items(), key=lambda row: -row[1][2]):
            yield f"{name:32} {luma:>11.1f} {chroma:>11.1f} {bits:>11.1f} {bits / whole:>7.2%}"


def _residual_lines(said: dict[str, Any] | None, qp: int) -> list[str]:
    """What `api.file_info` says of a residual, in words."""
    if said is None:
        return []
    if said["lossless"]:
        return ["lossless: the photo itself as JPEG XL, every pixel exact"]
    if said["kind"] == "unknown":
        return [f"residual of a kind not known here ({said['codec']})"]
    if said["kind"] == "bpg-normalised":
        return [
            f"residual: BPG (codec {said['codec']}), QP {qp}, {said['mapping']} mapping of "
            f"{said['least']}…{said['greatest']}"
        ]
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
    force: Force = False,
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
    outputs = Outputs(force, (*sources, *([] if classes is None else [classes])))
    outputs.folder(out)
    for target in targets.values():
        outputs.check(target)
    chosen = segmenter_of(segmenter, classes, own_classes)
    failed = 0
    for source, target in targets.items():
        try:
            segment_file(source, target, chosen, replace=force)
        except (WeightsError, MissingExtraError):
            raise  # not this photo's fault: the next would fail as well
        except DSSError as e:
            failed += 1
            typer.echo(printable(f"skipped: {in_commands(e)}"), err=True)
        else:
            typer.echo(printable(str(target)))
    if failed:
        raise typer.Exit(PARTIAL if failed < len(targets) else ERROR)
