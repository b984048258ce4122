"""Options that several commands share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsslic_search.cli.wording import tell_of
from dsslic_search.core.errors import UsageError
from dsslic_search.core.kinds import KeepMode, Stage
from dsslic_search.core.settings import DEFAULT_EFFORT, DEFAULT_QUALITY, LOSSLESS
from dsslic_search.core.text import printable

if TYPE_CHECKING:
    from dsslic_search.api import Segmenter


def _in_its_classes(path: Path | None) -> Path | None:
    """An archive's own class list is in use before weights or other options are understood by it."""
    from dsslic_search.api.opened import speak

    tell_of(path)
    return speak(path)


def among(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Has the shell complete an option that takes one of ``names``, which are asked for then alone."""

    def complete(incomplete: str) -> list[str]:
        return [str(name) for name in names() if name.startswith(incomplete)]

    return complete


any_stage = among(lambda: Stage)


def _photo_id(text: str) -> int:
    from dsslic_search.api.arguments import id_of

    return id_of(text)


PhotoId = Annotated[
    int, typer.Argument(metavar="ID", parser=_photo_id, help="A photo's id, as query prints it.")
]

ArchiveDir = Annotated[
    Path | None,
    typer.Option(
        "--archive",
        metavar="DIR",
        help="The archive; else $DSS_ARCHIVE, else the user's data directory.",
        show_default=False,
        callback=_in_its_classes,
    ),
]
LabelledArchive = Annotated[
    Path | None,
    typer.Option(
        "--archive",
        metavar="DIR",
        help="Instead of --data: the photos of an archive that people labelled.",
        show_default=False,
        callback=_in_its_classes,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Quality = Annotated[int, typer.Option("--quality", "-q", help="1 (smallest files) to 100 (best picture).")]
QUALITY = DEFAULT_QUALITY
Effort = Annotated[int, typer.Option("--effort", "-e", help="1 (fastest) to 9 (smallest files).")]
EFFORT = DEFAULT_EFFORT
SegmenterName = Annotated[
    str | None,
    typer.Option(
        "--segmenter",
        metavar="NAME|DIR",
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

Wait = Annotated[
    float | None,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        help="Wait so long for another process that writes to the archive; else $DSS_WAIT, else not at all.",
        show_default=False,
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Do the work on the Ray cluster there: HOST:PORT, auto, or ray://HOST:PORT from outside it.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]

OK, ERROR, USAGE, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 130  # exit codes


def segmenter_of(name: str | None, classes: Path | None, own_classes: bool) -> Segmenter | None:
    """What --segmenter, --classes and --own-classes ask for; None where nothing is asked for."""
    if name is not None:
        from dsslic_search.api.segmenters import open_segmenter

        return open_segmenter(name, classes=classes, own_classes=own_classes)
    if classes is not None or own_classes:
        raise UsageError(
            "--classes and --own-classes are about a segmenter; name it with --segmenter NAME|DIR"
        )
    return None


def kept_text(keep: str, quality: int) -> str:
    """What is kept of a photo, for people; a quality with what it is the quality of."""
    said = "lossless" if quality == LOSSLESS else f"quality {quality}"
    of = {
        KeepMode.LAYERS: f", {said}",
        KeepMode.EXACT: f": the original, bit for bit; previews at {said}",
        KeepMode.REFERENCE: f": the original where it lies; previews at {said}",
        KeepMode.COARSE: f": previews alone, at {said}",
        KeepMode.UNDECODED: ": the original as it is, which could not be decoded",
    }
    return f"keep mode {keep}{of[KeepMode(keep)]}"


def say_waiting(sentence: str) -> None:
    """Tell on stderr whom a command waits for."""
    typer.echo(printable(sentence), err=True)


def check_either(data: Path | None, archive: Path | None, what: str) -> None:
    """UsageError unless one of the two is given; ``what`` they say."""
    if (data is None) == (archive is None):
        raise UsageError(f"say {what}: either --data DIR or --archive DIR")


def print_json(value: Any) -> None:
    """JSON on stdout, indented, with every character that JSON can hold written as it is."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
