"""Options that several commands share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsslic_search.core.errors import UsageError
from dsslic_search.core.settings import DEFAULT_EFFORT, DEFAULT_QUALITY, LOSSLESS
from dsslic_search.core.text import parse_size

if TYPE_CHECKING:
    from dsslic_search.networks.segmenter import Segmenter

ArchiveDir = Annotated[
    Path | None,
    typer.Option(
        "--archive",
        metavar="DIR",
        help="The archive; else $DSS_ARCHIVE, else the user's data directory.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Quality = Annotated[int, typer.Option("--quality", "-q", help="1 (smallest files) to 100 (best picture).")]
QUALITY = DEFAULT_QUALITY
QualityName = Annotated[
    str | None,
    typer.Option(
        "--quality",
        "-q",
        metavar="1..100|lossless",
        help="1 (smallest files) to 100 (best picture), or lossless: every pixel exact; else "
        f"{DEFAULT_QUALITY}.",
        show_default=False,
    ),
]
Effort = Annotated[int, typer.Option("--effort", "-e", help="1 (fastest) to 9 (smallest files).")]
EFFORT = DEFAULT_EFFORT
Bpp = Annotated[
    float | None,
    typer.Option(
        "--bpp",
        help="Instead of a quality: the best one of at most so many bits a pixel.",
        show_default=False,
    ),
]
Psnr = Annotated[
    float | None,
    typer.Option(
        "--psnr", help="Instead of a quality: the smallest file of at least so many dB.", show_default=False
    ),
]
MaxBytes = Annotated[
    str | None,
    typer.Option(
        "--max-bytes",
        metavar="SIZE",
        help="Instead of a quality: the best one of at most so many bytes: 5000, 200k, 1.5MB or 2MiB.",
        show_default=False,
    ),
]
ImportanceWords = Annotated[
    str | None,
    typer.Option(
        "--importance",
        metavar="WORD=N,...",
        help="How much the error of classes counts, by words as in queries: person=4,sky=0.25.",
        show_default=False,
    ),
]
KeptStage = Annotated[
    str | None,
    typer.Option("--stage", help="coarse: no residual, as --keep coarse; or full.", show_default=False),
]
SegmenterName = Annotated[
    str | None,
    typer.Option(
        "--segmenter",
        metavar="NAME_OR_DIR",
        help="What makes the label maps: segnet, or a transformers model.",
        show_default=False,
    ),
]
ClassesFile = Annotated[
    Path | None,
    typer.Option(
        "--classes",
        metavar="FILE",
        help="What the model's labels mean, as JSON: {label: class}.",
        show_default=False,
    ),
]
OwnClasses = Annotated[
    bool, typer.Option("--own-classes", help="Keep the model's own classes in the label maps.")
]

OK, ERROR, USAGE, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 130  # exit codes


def segmenter_of(name: str | None, classes: Path | None, own_classes: bool) -> Segmenter | None:
    """What --segmenter, --classes and --own-classes ask for; None where nothing is asked for."""
    if name is not None:
        from dsslic_search.networks.segmenter import open_segmenter

        return open_segmenter(name, classes=classes, own_classes=own_classes)
    if classes is not None or own_classes:
        raise UsageError(
            "--classes and --own-classes are about a segmenter; name it with --segmenter NAME_OR_DIR"
        )
    return None


def asked_of_encoder(
    *,
    quality: str | None,
    keep: str,
    stage: str | None,
    effort: int,
    importance: str | None,
    bpp: float | None,
    psnr: float | None,
    max_bytes: str | None,
) -> dict[str, Any]:
    """The keyword arguments of `coding.encode` and `Archive.ingest` that options of that name ask for;
    UsageError for what is none."""
    from dsslic_search.query.language.weights import read_importances

    if stage not in (None, "coarse", "full") or (stage == "coarse" and keep not in ("layers", "coarse")):
        raise UsageError(
            f"--stage {stage} does not go with --keep {keep}: coarse is a way to keep photos of its own"
            if stage == "coarse"
            else f'--stage "{stage}" is not one of: coarse, full'
        )
    return {
        "quality": _quality(quality),
        "keep": "coarse" if stage == "coarse" else keep,
        "effort": effort,
        "importance": None if importance is None else read_importances(importance),
        "bpp": bpp,
        "psnr": psnr,
        "max_bytes": None if max_bytes is None else _bytes(max_bytes),
    }


def _quality(text: str | None) -> int | str | None:
    if text is None or text.casefold() == "lossless":
        return None if text is None else "lossless"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100:
        raise UsageError(
            f'quality "{text}" is not a whole number from 1 (smallest files) to 100 (best picture), nor '
            "lossless"
        )
    return int(text)


def _bytes(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as e:
        raise UsageError(f"--max-bytes {e}") from None


def quality_text(quality: int) -> str:
    """A quality for people, as a noun."""
    return "lossless" if quality == LOSSLESS else f"quality {quality}"


def print_json(value: Any) -> None:
    """JSON on stdout, indented, with every character that JSON can hold written as it is."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
