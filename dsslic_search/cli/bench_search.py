"""Benchmarks of what is known of photos, and of how they are found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsslic_search.cli.bench_options import SCENES, Out, Scenes, ScenesAndCorel, finish, may_write
from dsslic_search.cli.options import Force, LabelledArchive, check_either


def register(group: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (
        image_words,
        segmentation,
        objections,
        search,
        colours,
        retrieval,
        likeness,
        vectors,
        duplicates,
    ):
        group.command(command.__name__.replace("_", "-"))(command)


def image_words(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/ and photos/.")],
    out: Out = None,
    force: Force = False,
) -> None:
    """Image words beside what people say of photos, and likeness by their vectors."""
    from dsslic_search.bench import image_words as bench

    outputs = may_write(out, force)
    finish(bench.run(data), out, outputs)


def segmentation(
    data: Scenes,
    settings: Annotated[
        bool,
        typer.Option("--settings", help="Instead: other resolutions and mirroring, on the calibration part."),
    ] = False,
    beside: Annotated[
        Path | None,
        typer.Option("--beside", metavar="FILE", help="Other weights, in the same run.", show_default=False),
    ] = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """Pixel accuracy and mean IoU of SegNet and of the teacher on the validation split, and how honest
    SegNet's confidence is."""
    from dsslic_search.bench import segmentation as bench

    outputs = may_write(out, force)
    if settings:
        results = bench.test_time(data)
        for row in results["settings"]:
            typer.echo("  ".join(f"{name} {value}" for name, value in row.items()), err=True)
    else:
        results = bench.run(data, beside)
        for name in ("segnet", "teacher", "beside")[: 2 if beside is None else 3]:
            scores = results[name]
            typer.echo(
                f"{name:8} pixel accuracy {scores['pixel_accuracy']:.4f}, mean IoU {scores['mean_iou']:.4f}",
                err=True,
            )
    finish(results, out, outputs)


def objections(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/ and photos/ sets.")
    ],
    out: Out = None,
    force: Force = False,
) -> None:
    """What it gains that image words speak against regions of label maps."""
    from dsslic_search.bench import objections as bench

    outputs = may_write(out, force)
    finish(bench.run(data), out, outputs)


def search(
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help=SCENES, show_default=False),
    ] = None,
    archive: LabelledArchive = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """How good answers are: precision, recall and F1 of queries of every kind, judged by what people labelled
    on the validation split or in an archive; with --data then all that bench retrieval measures."""
    from dsslic_search.bench import retrieval, search

    outputs = may_write(out, force)
    check_either(data, archive, "by whose labels to judge")
    if archive is not None:
        from dsslic_search.api import Archive

        with Archive(archive) as opened:
            answers = search.run_archive(opened)
        typer.echo("\n".join(search.table(answers)), err=True)
        finish({"predicates": answers}, out, outputs)
        return
    assert data is not None
    answers = search.run(data)
    typer.echo("\n".join(search.table(answers)), err=True)
    found = retrieval.run(data)
    typer.echo("\n".join(retrieval.table(found)), err=True)
    finish({"predicates": answers, "retrieval": found}, out, outputs)


def colours(
    data: Scenes,
    one_in: Annotated[
        int, typer.Option("--one-in", min=1, help="One photo in so many, to be done sooner.")
    ] = 1,
    out: Out = None,
    force: Force = False,
) -> None:
    """How rightly colours are told: of things, by the names that people gave in a survey, of photos without
    colours, and of dark ones."""
    from dsslic_search.bench import colours as bench

    outputs = may_write(out, force)
    results = bench.run(data, one_in)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)


def retrieval(
    data: ScenesAndCorel,
    ablation: Annotated[
        bool,
        typer.Option(
            "--ablation",
            help="Instead: the embedding with one thing changed at a time, on the training split.",
        ),
    ] = False,
    maps: Annotated[
        Path | None,
        typer.Option(
            "--maps",
            metavar="DIR",
            help="Keep SegNet's label maps here for the next run.",
            show_default=False,
        ),
    ] = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """Layout nDCG@10 and class precision@10/20, beside random order, colour histograms and class
    histograms."""
    from dsslic_search.bench import layout_ablation
    from dsslic_search.bench import retrieval as bench

    outputs = may_write(out, force)
    results = layout_ablation.run(data, maps) if ablation else bench.run(data, folder=maps)
    typer.echo("\n".join(layout_ablation.table(results) if ablation else bench.table(results)), err=True)
    finish(results, out, outputs)


def likeness(
    data: ScenesAndCorel,
    fit: Annotated[
        Path | None,
        typer.Option(
            "--fit",
            metavar="FILE",
            help="First fit the shares on the training split, and write them here: "
            "dsslic_search/features/resemblance.json.",
            show_default=False,
        ),
    ] = None,
    teacher: Annotated[
        bool, typer.Option("--teacher", help="By the teacher's label maps instead of SegNet's.")
    ] = False,
    maps: Annotated[
        Path | None,
        typer.Option(
            "--maps",
            metavar="DIR",
            help="Keep label maps and image embeddings here for the next run.",
            show_default=False,
        ),
    ] = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """How well likeness orders photos, for every share of what a photo shows as a whole beside its layout."""
    from dsslic_search.bench import likeness as bench

    outputs = may_write(out, force)
    fitted = None if fit is None else (fit, may_write(fit, force))
    results = bench.run(data, maps, fitted, teacher)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)


def vectors(
    data: Scenes,
    photos: Annotated[int, typer.Option(min=1, help="Photos to search among.")] = 1_000_000,
    out: Out = None,
    force: Force = False,
) -> None:
    """Milliseconds, recall and bytes of layout queries among very many made-up photos."""
    from dsslic_search.bench import vectors as bench

    outputs = may_write(out, force)
    results = bench.run(data, photos)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)


def duplicates(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder with photos/<set> and scenes/<set>.")
    ],
    photos: Annotated[int, typer.Option(min=1, help="Photos of each set, in either part.")] = 8,
    at: Annotated[
        int, typer.Option(min=0, help="Made-up photos for time and memory; 0 leaves these out.")
    ] = 100_000,
    out: Out = None,
    force: Force = False,
) -> None:
    """How many altered copies of photos are found, and how many pairs are taken for the same picture wrongly:
    frames of a drive, screenshots and papers with one frame; beside fingerprints alone."""
    from dsslic_search.bench import duplicates as bench

    outputs = may_write(out, force)
    results = bench.run(data, photos, at)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)
