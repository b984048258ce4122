"""Training SegNet: what it learns from in one file, the training, and its calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsslic_search.cli.options import Force, LabelledArchive, check_either
from dsslic_search.cli.train_options import Data, Run, Threads, set_threads
from dsslic_search.cli.trained_files import may_write
from dsslic_search.core.errors import UsageError

FOLDER_BYTES = 200_000_000  # that a data folder is packed into when nobody asked for a pack


def register(group: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (pack, segnet, ensemble, calibrate):
        group.command()(command)


def pack(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")],
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="A folder of photos, with --labels; or one with scenes/, photos/ and codec/ sets.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels", metavar="DIR|FILE", help="Label maps of the photos in --data.", show_default=False
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="Of --labels, as labels import takes them.")
    ] = "png",
    classes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A class list of your own (docs/segmenters.md), else that of the package.",
            show_default=False,
        ),
    ] = None,
    teacher: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|DIR",
            help="Who says what people left blank: segnet, or another segmenter; with a class list of "
            "your own, nobody unless told.",
            show_default=False,
        ),
    ] = None,
    archive: LabelledArchive = None,
    megabytes: Annotated[float, typer.Option(min=1, help="How large it may be.")] = 45,
    force: Force = False,
) -> None:
    """Put SegNet's training set into one file: photos as small as SegNet sees them, and their labels."""
    from dsslic_search.training import own_pack
    from dsslic_search.training import pack as training
    from dsslic_search.training.teacher import teacher_named

    check_either(data, archive, "where the photos are")
    if labels is None and (classes is not None or teacher is not None):
        raise UsageError("--classes and --teacher go with --data and --labels: say where the label maps are")
    outputs, budget = may_write(force, out), round(megabytes * 1e6)
    if archive is not None:
        if labels is not None:
            raise UsageError("an archive has its label maps itself: leave --labels out")
        from dsslic_search.api import Archive

        with Archive(archive) as opened:
            told = own_pack.pack_archive(opened, out, budget, outputs=outputs)
    elif labels is not None:
        assert data is not None
        told = own_pack.pack_folder(
            data,
            own_pack.read_labels(labels, form),
            own_pack.read_classes(classes),
            out,
            budget,
            teacher=teacher_named(teacher or ("none" if classes else "segnet")),
            outputs=outputs,
        )
    else:
        assert data is not None
        told = training.pack(data, out, budget, outputs)
    typer.echo(f"{out}: {told}")


def segnet(
    data: Annotated[
        Path,
        typer.Option("--data", metavar="FILE|DIR", help="What train pack wrote, or the data folder itself."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The weight file to write.")] = Path(
        "weights/segnet.safetensors"
    ),
    run: Run = Path("runs"),
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.1, help="Wall time of the whole training, which its schedule fits.", show_default=False
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Steps of the whole training, instead of --minutes.", show_default=False),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            help="Begin with the weights of a trained SegNet, for this or another class list, or with "
            "MOSAIC's in a folder, instead of ImageNet's.",
            show_default=False,
        ),
    ] = None,
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Train SegNet on people's and the teacher's labels, from ImageNet's weights, MOSAIC's or a SegNet's."""
    if (minutes is None) == (steps is None):
        raise UsageError("say how long to train: either --minutes N or --steps N")
    from dsslic_search.training import pack as packing
    from dsslic_search.training import segnet as training
    from dsslic_search.training.checkpoint import Budget

    may_write(force, out)
    set_threads(threads)
    if data.is_dir():
        packed = run / "segnet-pack.zip"
        if not packed.exists():
            run.mkdir(parents=True, exist_ok=True)
            typer.echo(f"{packed}: {packing.pack(data, packed, FOLDER_BYTES)}")
        data = packed
    photos, classes = packing.read_whole(data)
    identity = training.train(
        photos, run, out, Budget(steps, minutes), config=training.config_for(classes), start=start
    )
    typer.echo(f"{out}: {identity}")


def ensemble(
    weights: Annotated[list[Path], typer.Argument(metavar="FILE", help="Weight files to join.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The weight file to write.")] = Path(
        "weights/segnet.safetensors"
    ),
    force: Force = False,
) -> None:
    """Make one SegNet of several, whose mean counts: one from ImageNet's weights and one from MOSAIC's."""
    from dsslic_search.training import ensemble as training

    may_write(force, out)
    typer.echo(f"{out}: {training.join(weights, out)}")


def calibrate(
    data: Data,
    weights: Annotated[
        Path, typer.Argument(metavar="FILE", help="SegNet's weight file; it is written anew.")
    ] = Path("weights/segnet.safetensors"),
    threads: Threads = None,
) -> None:
    """Choose, on photos kept from training, when SegNet says other instead of a class."""
    from dsslic_search.training import calibrate as training

    may_write(True, weights)
    set_threads(threads)
    typer.echo(f"{weights}: {training.calibrate(data, weights)}")
