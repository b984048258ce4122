"""Benchmarks of the codec and its layers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsslic_search.cli.bench_options import Images, Out, Scenes, finish, may_write
from dsslic_search.cli.options import EFFORT, Effort, Force, Quality, print_json
from dsslic_search.cli.progress import shown
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import Outputs


def register(group: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (levers, importance, rd, compare, label_map, flif, bpg, paper, protocols, map_scale):
        group.command(command.__name__.replace("_", "-"))(command)
    group.command("hevc-models")(hevc_models)


def levers(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="The data folder of training; see docs/training.md.")
    ],
    out: Out = None,
    force: Force = False,
) -> None:
    """What each means of the codec gains by itself, on clean photos kept from training."""
    from dsslic_search.bench import levers as bench

    outputs = may_write(out, force)
    finish(bench.run(data), out, outputs)


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

    outputs = may_write(out, force)
    asked = []
    for case in cases:
        folder, _, word = case.rpartition("=")
        if not folder or not word:
            raise UsageError(f'"{case}" is not DIR=WORD, as in photos/portraits=person')
        asked.append(bench.Case(Path(folder), word, value))
    finish(bench.run(asked, photos=photos, quality=quality, effort=effort, workers=workers), out, outputs)


def rd(
    images: Images,
    codecs: Annotated[
        str,
        typer.Option(
            metavar="NAME,…",
            help="Of: dsslic, dsslic-ssim (--tune ssim), dsslic-coarse, bpg444, bpg420, bpgrgb (the paper's "
            "protocol), hevc444-10, avif, avif-psnr, jxl, webp, jpeg, j2k, dsslic-paper, dsslic-paper-444 "
            "(layers as in the paper), webp-planes, jpeg-planes, j2k-planes (three grey pictures, as the "
            "paper has it).",
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
    points: Annotated[
        int | None,
        typer.Option(
            min=2, help="So many settings of each codec, from its least to its most.", show_default=False
        ),
    ] = None,
    qualities: Annotated[
        str | None,
        typer.Option(
            metavar="N,…",
            help="Settings instead of each codec's own; its quality, or QP.",
            show_default=False,
        ),
    ] = None,
    photos: Annotated[
        str | None,
        typer.Option(metavar="NAME,…", help="Of the folder's photos these alone.", show_default=False),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep what was measured of each photo here, and go on from what is there.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        str,
        typer.Option("--format", metavar="own|compressai", help="Of a codec's file, or what goes to stdout."),
    ] = "own",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Photos at once; else one a core.", show_default=False)
    ] = None,
    force: Force = False,
) -> None:
    """Codecs beside each other over ladders of qualities: bits by layer, PSNR, MS-SSIM, LPIPS, CPU seconds,
    BD-rates against BPG 4:4:4."""
    from dsslic_search.bench import compare, exchange, plot, record
    from dsslic_search.bench import rd as bench

    names = _listed(codecs)
    if form not in exchange.FORMATS:
        raise UsageError(f'format "{form}" is not one of: {", ".join(exchange.FORMATS)}')
    if qualities is not None and points is not None:
        raise UsageError("say either with --qualities or with --points at which settings to measure")
    settings = None if qualities is None else [_number(each) for each in _listed(qualities)]
    outputs = Outputs(force)
    if out is not None:  # before the measuring, not after it
        if plots:
            plot.check_installed()
        outputs.folder(out)
        curves = plot.files(out) if plots else []
        for file in [*(out / f"{name}.json" for name in (*names, "comparison")), *curves]:
            outputs.check(file)
    with shown("measuring") as progress:
        results = bench.run(
            images,
            names,
            points=points,
            settings=settings,
            photos=None if photos is None else _listed(photos),
            kept=resume,
            workers=workers,
            progress=progress,
        )
    compared = compare.compare(results)
    typer.echo("\n".join([*bench.table(results), *compare.table(compared)]), err=True)
    theirs = form == "compressai"
    if out is None:
        made = [exchange.compressai(each) for each in results.values()]
        print_json(made if theirs else record.record({"codecs": results, **compared}))
        return
    for name, result in results.items():
        record.write(out / f"{name}.json", exchange.compressai(result) if theirs else result, outputs)
    record.write(out / "comparison.json", compared, outputs)
    if plots:
        count = next(iter(results.values()))["photos"]
        plot.draw(results, compared, out, f"{count} photos of {images.resolve().name}", outputs)
    typer.echo(out, err=True)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as e:
        raise UsageError(f'--qualities takes numbers, as 25,50,75, not "{text}"') from e


def compare(
    first: Annotated[Path, typer.Argument(metavar="A.json", help="What bench rd wrote, or CompressAI.")],
    second: Annotated[Path, typer.Argument(metavar="B.json", help="The same of another run or codec.")],
    out: Out = None,
    force: Force = False,
) -> None:
    """Two results of bench rd beside each other: BD-rates of the second against the first, setting by
    setting, and processor time."""
    from dsslic_search.bench import exchange, two_runs

    outputs = may_write(out, force)
    compared = two_runs.compare(exchange.read_results(first), exchange.read_results(second))
    typer.echo("\n".join(two_runs.table(compared)), err=True)
    finish({"first": str(first), "second": str(second), "codecs": compared}, out, outputs)


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

    outputs = may_write(out, force)
    results = bench.run(table, data)
    if fuzz:
        results["fuzz"] = bench.fuzz(fuzz, 1)
    for name, ratio in results["ratio"].items():
        typer.echo(f"{name:14} {ratio:.3f}", err=True)
    finish(results, out, outputs)


def flif(
    vectors: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="NAME.png with the reference encoder's NAME.N.flif and NAME.I.flif."
        ),
    ],
    maps: Annotated[Path, typer.Option(metavar="DIR", help="Label maps as PNG, for speed at 512 × 512.")],
    fuzz: Annotated[int, typer.Option(min=0, help="Also decode this many damaged files.")] = 0,
    out: Out = None,
    force: Force = False,
) -> None:
    """FLIF: files of the reference encoder read, ours beside them in size, speed, damaged files."""
    from dsslic_search.bench import flif as bench

    outputs = may_write(out, force)
    results = bench.run(vectors, maps)
    if fuzz:
        results["fuzz"] = bench.fuzz(vectors, fuzz, 1)
    finish(results, out, outputs)


def bpg(
    vectors: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="The reference encoder's NAME.bpg with what its decoder shows, NAME.dec.png."
        ),
    ],
    fuzz: Annotated[int, typer.Option(min=0, help="Also decode this many damaged files.")] = 0,
    out: Out = None,
    force: Force = False,
) -> None:
    """BPG: files of the reference encoder shown as its decoder shows them; damaged files."""
    from dsslic_search.bench import bpg as bench

    outputs = may_write(out, force)
    results = bench.run(vectors)
    if fuzz:
        results["fuzz"] = bench.fuzz(vectors, fuzz, 1)
    finish(results, out, outputs)


def paper(
    images: Images,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Photos at once; else one a core.", show_default=False)
    ] = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """From the paper's way of coding to the one that ships, one replacement after the other: bytes, PSNR, CPU
    seconds, BD-rates."""
    from dsslic_search.bench import paper as bench

    outputs = may_write(out, force)
    results = bench.run(images, workers)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)


def protocols(
    results: Annotated[
        list[Path],
        typer.Option(metavar="DIR", help="What bench rd wrote with --out; may be repeated, the last counts."),
    ],
    plots: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Draw curves into DIR/paper and DIR/honest.", show_default=False),
    ] = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """Results of bench rd as the paper counts, and as this project does: points and BD-rates."""
    from dsslic_search.bench import plot
    from dsslic_search.bench import protocols as bench

    outputs = may_write(out, force)
    folders = {} if plots is None else {name: plots / name for name in bench.PROTOCOLS}
    for folder in folders.values():
        plot.check_installed()
        outputs.folder(folder)
        for file in plot.files(folder):
            outputs.check(file)
    found = bench.run(results)
    typer.echo("\n".join(bench.table(found)), err=True)
    known = bench.read(results)
    for name, folder in folders.items():
        protocol = bench.PROTOCOLS[name]
        counting = bench.under(known, protocol)
        title = bench.TITLES[name]
        plot.draw(counting, bench.compared(counting, protocol), folder, title, outputs, protocol.rate)
    finish(found, out, outputs)


def map_scale(
    data: Scenes,
    images: Images,
    out: Out = None,
    force: Force = False,
) -> None:
    """What coding the label map at other scales does to its bytes, to answers, and to the whole file."""
    from dsslic_search.bench import map_scale as bench

    outputs = may_write(out, force)
    results = bench.run(data, images)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)


def hevc_models(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="The data folder of training; see docs/training.md.")
    ],
    photos: Annotated[
        int, typer.Option(min=1, help="So many photos of 512 × 512, of those kept from training.")
    ] = 16,
    large: Annotated[int, typer.Option(min=0, help="And so many large ones.")] = 6,
    learnt: Annotated[int, typer.Option("--learn", min=1, help="Other photos, to learn starts from.")] = 16,
    out: Out = None,
    force: Force = False,
) -> None:
    """What other models of HEVC's syntax elements would save of the residual: two rates a context, mixed
    models from nothing and as learnt from other photos; and how fast their loop is."""
    from dsslic_search.bench import hevc_models as bench

    outputs = may_write(out, force)
    results = bench.run(data, photos, large, learnt)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)
