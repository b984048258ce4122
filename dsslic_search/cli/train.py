"""Training: the commands that made the shipped weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Train the networks.", no_args_is_help=True, rich_markup_mode=None)

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/, photos/ and codec/ sets; see docs/training.md.")]
Run = Annotated[Path, typer.Option("--run", metavar="DIR", help="Where checkpoints go; an unfinished run there is resumed.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Steps in all; else as in the model cards.", show_default=False)]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; else one a core.", show_default=False)]


def _threads(count: int | None) -> None:
    import torch

    if count is not None:
        torch.set_num_threads(count)


@app.command()
def segnet(
    data: Data,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The weight file to write.")] = Path("weights/segnet.safetensors"),
    run: Run = Path("runs"),
    soft: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The teacher's probabilities, made by train soften.", show_default=False)
    ] = None,
    steps: Steps = None,
    threads: Threads = None,
) -> None:
    """Train SegNet from ImageNet weights on people's and the teacher's labels."""
    from dsslic_search.training import segnet as training

    _threads(threads)
    settings = training.SegNetTraining() if steps is None else training.SegNetTraining(steps=steps)
    typer.echo(f"{out}: {training.train(data, run, out, settings, soft=soft)}")


@app.command()
def soften(
    data: Data,
    teacher: Annotated[Path, typer.Option("--teacher", metavar="DIR", help="The folder of the teacher's fused_teacher.py.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the probabilities go; those that are there stay.")] = Path(
        "runs/soft"
    ),
    threads: Threads = None,
) -> None:
    """Keep the teacher's probabilities for every training photo, for train segnet --soft."""
    from dsslic_search.training import soften as training

    _threads(threads)
    typer.echo(f"{out}: {training.soften(data, training.load_teacher(teacher), out)} photos added")


@app.command()
def calibrate(
    data: Data,
    weights: Annotated[Path, typer.Argument(metavar="FILE", help="SegNet's weight file; it is written anew.")] = Path(
        "weights/segnet.safetensors"
    ),
    threads: Threads = None,
) -> None:
    """Choose, on photos kept from training, when SegNet says other instead of a class."""
    from dsslic_search.training import calibrate as training

    _threads(threads)
    typer.echo(f"{weights}: {training.calibrate(data, weights)}")


@app.command()
def codec(
    data: Data,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the two weight files go.")] = Path("weights"),
    run: Run = Path("runs"),
    steps: Steps = None,
    threads: Threads = None,
    bfloat16: Annotated[bool, typer.Option("--bfloat16", help="Faster on processors with AMX and on recent GPUs.")] = False,
) -> None:
    """Train CompNet and FineNet together, against the discriminator."""
    from dsslic_search.training import codec as training

    _threads(threads)
    settings = training.CodecTraining(bfloat16=bfloat16)
    settings = settings if steps is None else replace(settings, steps=steps)
    compnet, finenet = training.train(data, run, out, settings)
    typer.echo(f"{out}/compnet.safetensors: {compnet}\n{out}/finenet.safetensors: {finenet}")


@app.command()
def layout(
    data: Data,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file of class codes to write.")] = Path(
        "dsslic_search/layout_codes.json"
    ),
    steps: Annotated[int, typer.Option(min=1, help="Steps in all.")] = 1000,
    threads: Threads = None,
) -> None:
    """Learn the class codes of the layout embedding. Archives made before need: dss-search reindex."""
    from dsslic_search.training import layout as training

    _threads(threads)
    typer.echo(f"{out}: {training.train(data, out, steps)} label maps")
