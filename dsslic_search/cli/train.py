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
    steps: Steps = None,
    threads: Threads = None,
) -> None:
    """Train SegNet from ImageNet weights on people's and the teacher's labels."""
    from dsslic_search.training import segnet as training

    _threads(threads)
    settings = training.SegNetTraining() if steps is None else training.SegNetTraining(steps=steps)
    typer.echo(f"{out}: {training.train(data, run, out, settings)}")


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
