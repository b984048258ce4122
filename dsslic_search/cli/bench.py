"""Benchmarks: each prints its figures and can write them as JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from dsslic_search.cli.options import EFFORT, QUALITY, Effort, Force, Quality, print_json
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import Outputs

group = typer.Typer(
    help="Measure; results are JSON with date, machine and versions.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(group, name="bench")


Images = Annotated[Path, typer.Option("--images", metavar="DIR", help="A folder of photos.")]
Against = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="DIR",
        help="The source of another build, to measure beside this one.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the JSON here instead of stdout.", show_default=False),
]


def _may_write(out: Path | None, force: bool) -> Outputs:
    """How results are written; UsageError before the measuring, not after it."""
    outputs = Outputs(force)
    if out is not None:
        outputs.check(out, text=True)
    return outputs


def _finish(results: dict[str, Any], out: Path | None, outputs: Outputs) -> None:
    from dsslic_search.bench import record

    if out is None:
        print_json(record.record(results))
        return
    record.write(out, results, outputs)
    typer.echo(out, err=True)


@group.command()
def ingest(
    images: Images,
    quality: Quality = QUALITY,
    against: Against = None,
    rounds: Annotated[int, typer.Option(min=1, help="Processes of each case.")] = 3,
    photos: Annotated[
        int, typer.Option(min=2, help="Photos of 12 megapixels, for keep mode reference.")
    ] = 24,
    large: Annotated[
        int, typer.Option(min=0, help="Photos of 24 megapixels; 0 leaves those cases out.")
    ] = 60,
    memory: Annotated[str, typer.Option(metavar="SIZE", help="What those may take in all.")] = "2GB",
    workers: Annotated[int, typer.Option(min=1, help="Photos encoded at once.")] = 2,
    out: Out = None,
    force: Force = False,
) -> None:
    """Photos a second and peak memory of whole ingests, beside another build; milliseconds of each step,
    bytes of each layer; and what keep mode reference loses by looking at fewer pixels."""
    from dsslic_search.bench import ingest as bench
    from dsslic_search.bench import reduction, throughput

    outputs = _may_write(out, force)
    beside = throughput.run(
        images, against, rounds=rounds, photos=photos, large=large, memory=memory, workers=workers
    )
    typer.echo("\n".join(throughput.table(beside)), err=True)
    steps = bench.run(images, quality)
    _finish({**steps, "processes": beside, "reduction": reduction.run(images)}, out, outputs)


@group.command()
def levers(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="The data folder of training; see docs/training.md.")
    ],
    out: Out = None,
    force: Force = False,
) -> None:
    """What each means of the codec gains by itself, on clean photos kept from training."""
    from dsslic_search.bench import levers as bench

    outputs = _may_write(out, force)
    _finish(bench.run(data), out, outputs)


@group.command()
def importance(
    cases: Annotated[
        list[str], typer.Argument(metavar="DIR=WORD", help="Folders of photos, and what matters on them.")
    ],
    value: Annotated[float, typer.Option(help="How much it matters.")] = 4.0,
    photos: Annotated[
        int, typer.Option(min=1, help="Photos of each folder, those that show it on 3 % or more.")
    ] = 12,
    quality: Quality = 50,
    effort: Effort = EFFORT,
    workers: Annotated[int, typer.Option(min=1, help="Photos at once.")] = 1,
    out: Out = None,
    force: Force = False,
) -> None:
    """PSNR on a class of pixels and elsewhere, coded plainly and with --importance, at equal bytes."""
    from dsslic_search.bench import importance as bench

    outputs = _may_write(out, force)
    asked = []
    for case in cases:
        folder, _, word = case.rpartition("=")
        if not folder or not word:
            raise UsageError(f'"{case}" is not DIR=WORD, as in photos/portraits=person')
        asked.append(bench.Case(Path(folder), word, value))
    _finish(bench.run(asked, photos=photos, quality=quality, effort=effort, workers=workers), out, outputs)


@group.command()
def rd(
    images: Images,
    codecs: Annotated[
        str,
        typer.Option(
            metavar="NAME,…",
            help="Of: dsslic, dsslic-coarse, bpg444, bpg420, bpgrgb (the paper's protocol), hevc444-10, "
            "avif, avif-psnr, jxl, webp, jpeg.",
        ),
    ] = "dsslic,dsslic-coarse,bpg444,avif,jxl,webp,jpeg",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Write one JSON a codec, comparison.json and curves here; else all on stdout.",
            show_default=False,
        ),
    ] = None,
    plots: Annotated[
        bool, typer.Option("--plots/--no-plots", help="Draw curves into --out, as PNG and SVG.")
    ] = True,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Photos at once; else one a core.", show_default=False)
    ] = None,
    force: Force = False,
) -> None:
    """Codecs beside each other over ladders of qualities: bits by layer, PSNR, MS-SSIM, LPIPS, CPU seconds,
    BD-rates against BPG 4:4:4."""
    from rich.console import Console
    from rich.progress import Progress

    from dsslic_search.bench import compare, plot, record
    from dsslic_search.bench import rd as bench

    names = [name.strip() for name in codecs.split(",") if name.strip()]
    outputs = Outputs(force)
    if out is not None:  # before the measuring, not after it
        if plots:
            plot.check_installed()
        outputs.folder(out)
        curves = plot.files(out) if plots else []
        for file in [*(out / f"{name}.json" for name in (*names, "comparison")), *curves]:
            outputs.check(file)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("photos × codecs", total=None)
        results = bench.run(
            images,
            names,
            workers=workers,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    compared = compare.compare(results)
    typer.echo("\n".join([*bench.table(results), *compare.table(compared)]), err=True)
    if out is None:
        print_json(record.record({"codecs": results, **compared}))
        return
    for name, result in results.items():
        record.write(out / f"{name}.json", result, outputs)
    record.write(out / "comparison.json", compared, outputs)
    if plots:
        photos = next(iter(results.values()))["photos"]
        plot.draw(results, compared, out, f"{photos} photos of {images.resolve().name}", outputs)
    typer.echo(out, err=True)


@group.command()
def reindex(
    images: Images,
    copies: Annotated[int, typer.Option(min=1, help="Versions of each photo.")] = 10,
    out: Out = None,
    force: Force = False,
) -> None:
    """Photos a second described anew from their label maps alone, and the bytes read for it."""
    from dsslic_search.bench import ingest as bench

    outputs = _may_write(out, force)
    _finish(bench.run_reindex(images, copies), out, outputs)


@group.command("label-map")
def label_map(
    table: Annotated[
        Path,
        typer.Option(help="CSV of label maps and their bytes under other coders: map, flif_E100, jxl_e7 …"),
    ],
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="The folder that the table's paths start from.")
    ],
    fuzz: Annotated[int, typer.Option(min=0, help="Also decode this many damaged streams.")] = 0,
    out: Out = None,
    force: Force = False,
) -> None:
    """The label-map coder: bytes beside other coders, speed, first call, damaged streams."""
    from dsslic_search.bench import label_map as bench

    outputs = _may_write(out, force)
    results = bench.run(table, data)
    if fuzz:
        results["fuzz"] = bench.fuzz(fuzz, 1)
    for name, ratio in results["ratio"].items():
        typer.echo(f"{name:14} {ratio:.3f}", err=True)
    _finish(results, out, outputs)


@group.command("image-words")
def image_words(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/ and photos/.")],
    out: Out = None,
    force: Force = False,
) -> None:
    """Image words beside what people say of photos, and likeness by their vectors."""
    from dsslic_search.bench import image_words as bench

    outputs = _may_write(out, force)
    _finish(bench.run(data), out, outputs)


@group.command("map-scale")
def map_scale(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/<set>; see docs/training.md.")
    ],
    images: Images,
    out: Out = None,
    force: Force = False,
) -> None:
    """What coding the label map at other scales does to its bytes, to answers, and to the whole file."""
    from dsslic_search.bench import map_scale as bench

    outputs = _may_write(out, force)
    results = bench.run(data, images)
    typer.echo("\n".join(bench.table(results)), err=True)
    _finish(results, out, outputs)


@group.command()
def segmentation(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/<set>; see docs/training.md.")
    ],
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

    outputs = _may_write(out, force)
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
    _finish(results, out, outputs)


@group.command()
def speed(
    maps: Annotated[
        list[Path],
        typer.Option(
            "--maps",
            metavar="DIR",
            help="Label maps, PNG files of class ids, to make photos from; may be repeated.",
        ),
    ],
    photos: Annotated[int, typer.Option(min=1, help="Photos to search among.")] = 1_000_000,
    asked: Annotated[int, typer.Option(min=1, help="Queries of each kind.")] = 60,
    out: Out = None,
    force: Force = False,
) -> None:
    """Milliseconds of answers, count and first 50, among very many made-up photos with real statistics."""
    from dsslic_search.bench import speed as bench

    outputs = _may_write(out, force)
    results = bench.run(maps, photos, asked)
    typer.echo("\n".join(bench.table(results)), err=True)
    _finish(results, out, outputs)


@group.command()
def search(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/<set>; see docs/training.md.")
    ],
    out: Out = None,
    force: Force = False,
) -> None:
    """How good answers are: precision, recall and F1 of queries of every kind, judged by what people labelled
    on the validation split, then all that bench retrieval measures."""
    from dsslic_search.bench import retrieval, search

    outputs = _may_write(out, force)
    answers = search.run(data)
    typer.echo("\n".join(search.table(answers)), err=True)
    found = retrieval.run(data)
    typer.echo("\n".join(retrieval.table(found)), err=True)
    _finish({"predicates": answers, "retrieval": found}, out, outputs)


@group.command()
def retrieval(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/<set> and photos/corel1k.")
    ],
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

    outputs = _may_write(out, force)
    results = layout_ablation.run(data, maps) if ablation else bench.run(data, folder=maps)
    typer.echo("\n".join(layout_ablation.table(results) if ablation else bench.table(results)), err=True)
    _finish(results, out, outputs)


@group.command()
def vectors(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/<set>; see docs/training.md.")
    ],
    photos: Annotated[int, typer.Option(min=1, help="Photos to search among.")] = 1_000_000,
    out: Out = None,
    force: Force = False,
) -> None:
    """Milliseconds, recall and bytes of layout queries among very many made-up photos."""
    from dsslic_search.bench import vectors as bench

    outputs = _may_write(out, force)
    results = bench.run(data, photos)
    typer.echo("\n".join(bench.table(results)), err=True)
    _finish(results, out, outputs)


@group.command()
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

    outputs = _may_write(out, force)
    results = bench.run(data, photos, at)
    typer.echo("\n".join(bench.table(results)), err=True)
    _finish(results, out, outputs)


@group.command()
def startup(
    images: Images,
    against: Against = None,
    rounds: Annotated[int, typer.Option(min=1, help="Processes of each command, one more to warm up.")] = 5,
    out: Out = None,
    force: Force = False,
) -> None:
    """Processor seconds of commands on a small archive, each in a process of its own: what starting costs;
    and milliseconds of lines of a shell, which starts once."""
    from dsslic_search.bench import shell
    from dsslic_search.bench import startup as bench

    outputs = _may_write(out, force)
    results = bench.run(images, against, rounds=rounds) | shell.run(images, rounds)
    typer.echo("\n".join([*bench.table(results), *shell.table(results)]), err=True)
    _finish(results, out, outputs)
