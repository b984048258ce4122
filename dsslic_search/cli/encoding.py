"""The options that describe an encoding, defined once: `encode` and `ingest` take them as one value."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from dsslic_search.cli.options import (
    EFFORT,
    ClassesFile,
    Effort,
    OwnClasses,
    SegmenterName,
    among,
    segmenter_of,
)
from dsslic_search.core.errors import UsageError
from dsslic_search.core.kinds import KeepMode, Profile, Tune
from dsslic_search.core.settings import DEFAULT_QUALITY
from dsslic_search.core.text import parse_size

if TYPE_CHECKING:
    from dsslic_search.api import EncodeOptions

QualityName = Annotated[
    str | None,
    typer.Option(
        "--quality",
        "-q",
        metavar="1…100|lossless",
        help="1 (smallest files) to 100 (best picture), or lossless: every pixel exact; else "
        f"{DEFAULT_QUALITY}.",
        show_default=False,
    ),
]
KeptStage = Annotated[
    str | None,
    typer.Option(
        "--stage",
        help="coarse: no residual, as --keep coarse; or full.",
        show_default=False,
        autocompletion=among(lambda: ("coarse", "full")),
    ),
]
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
        metavar="WORD=N,…",
        help="How much the error of classes counts, by words as in queries: person=4,sky=0.25.",
        show_default=False,
    ),
]


ProfileName = Annotated[
    str,
    typer.Option(
        "--profile",
        help="default; or as DSSLIC's paper codes layers, in FLIF and BPG files: paper; paper-444 with all "
        "chroma.",
        autocompletion=among(lambda: Profile),
    ),
]
TuneName = Annotated[
    str,
    typer.Option(
        "--tune",
        help="What bits are spent on: psnr, the least error; or ssim, finer where errors show more.",
        autocompletion=among(lambda: Tune),
    ),
]
StripMetadata = Annotated[
    bool, typer.Option("--strip-metadata", help="Leave all metadata out: EXIF, XMP and IPTC.")
]
StripLocation = Annotated[
    bool,
    typer.Option("--strip-location", help="Leave out where photos were taken: positions, names of places."),
]


def strip_of(metadata: bool, location: bool) -> str:
    """What the two options ask for."""
    return "metadata" if metadata else "location" if location else "nothing"


def asked_of_encoder(
    quality: QualityName = None,
    keep: Annotated[str, typer.Option()] = "layers",
    stage: KeptStage = None,
    effort: Effort = EFFORT,
    bpp: Bpp = None,
    psnr: Psnr = None,
    max_bytes: MaxBytes = None,
    importance: ImportanceWords = None,
    segmenter: SegmenterName = None,
    classes: ClassesFile = None,
    own_classes: OwnClasses = False,
    profile: ProfileName = "default",
    tune: TuneName = "psnr",
    strip_metadata: StripMetadata = False,
    strip_location: StripLocation = False,
) -> EncodeOptions:
    """What the options of these names ask for; UsageError for what is none."""
    from dsslic_search.api.coding import encode_options

    if stage not in (None, "coarse", "full") or (stage == "coarse" and keep not in ("layers", "coarse")):
        raise UsageError(
            f"--stage {stage} does not go with --keep {keep}: coarse is a way to keep photos of its own"
            if stage == "coarse"
            else f'--stage "{stage}" is not one of: coarse, full'
        )
    return encode_options(
        quality=_quality(quality),
        keep="coarse" if stage == "coarse" else keep,
        effort=effort,
        importance=importance,
        bpp=bpp,
        psnr=psnr,
        max_bytes=None if max_bytes is None else size_option("--max-bytes", max_bytes),
        segmenter=segmenter_of(segmenter, classes, own_classes),
        strip=strip_of(strip_metadata, strip_location),
        profile=profile,
        tune=tune,
    )


def with_encoder_options(keep: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Of a command whose parameter ``options`` is an `EncodeOptions`, one that has the options of
    `asked_of_encoder` in its place. ``keep``: what the help says of the keep modes."""

    def changed(command: Callable[..., None]) -> Callable[..., None]:
        group = _parameters(asked_of_encoder)
        group["keep"] = group["keep"].replace(
            annotation=Annotated[str, typer.Option(help=keep, autocompletion=among(KeepMode.offered))]
        )
        parameters: list[inspect.Parameter] = []
        for name, parameter in _parameters(command).items():
            in_place = group.values() if name == "options" else [parameter]
            parameters += [each.replace(kind=parameter.kind) for each in in_place]

        @functools.wraps(command)
        def asked(**given: Any) -> None:
            options = asked_of_encoder(**{name: given.pop(name) for name in group})
            command(options=options, **given)

        asked.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
        asked.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return asked

    return changed


def _parameters(function: Callable[..., object]) -> dict[str, inspect.Parameter]:
    """A function's parameters by name, their annotations evaluated."""
    hints = get_type_hints(function, localns={"EncodeOptions": Any}, include_extras=True)
    found = inspect.signature(function).parameters
    return {name: parameter.replace(annotation=hints[name]) for name, parameter in found.items()}


def _quality(text: str | None) -> int | str | None:
    if text is None or text.casefold() == "lossless":
        return None if text is None else "lossless"
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100:
        raise UsageError(
            f'quality "{text}" is not a whole number from 1 (smallest files) to 100 (best picture), nor '
            "lossless"
        )
    return int(text)


def size_option(name: str, text: str) -> int:
    """Bytes from what was given to the option of that name."""
    try:
        return parse_size(text)
    except ValueError as e:
        raise UsageError(f"{name} {e}") from None
