"""Benchmarks: each prints its figures and can write them as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dsslic_search.cli.options import QUALITY, Quality, print_json

app = typer.Typer(help="Measure; results are JSON with date, machine and versions.", no_args_is_help=True, rich_markup_mode=None)

Images = Annotated[Path, typer.Option("--images", metavar="DIR", help="A folder of photos.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the JSON here instead of stdout.", show_default=False)]


def _finish(results: dict[str, Any], out: Path | None) -> None:
    from dsslic_search.bench import record

    if out is None:
        print_json(record.record(results))
        return
    record.write(out, results)
    typer.echo(out, err=True)


@app.command()
def ingest(images: Images, quality: Quality = QUALITY, out: Out = None) -> None:
    """Photos a second into a fresh archive, milliseconds of each step, bytes of each layer."""
    from dsslic_search.bench import ingest as bench

    _finish(bench.run(images, quality), out)


@app.command()
def rd(
    images: Images,
    peers: Annotated[
        Path | None, typer.Option(help="CSV of other codecs: codec, setting, bpp, psnr_rgb, ms_ssim.", show_default=False)
    ] = None,
    out: Out = None,
) -> None:
    """Bytes by layer, PSNR and MS-SSIM over a ladder of qualities, beside other codecs' figures."""
    from dsslic_search.bench import rd as bench

    results = bench.run(images, peers)
    typer.echo(f"{'bpp':>7} {'PSNR':>7} {'MS-SSIM':>8}  bytes: map, compact, residual; coarse PSNR", err=True)
    for row in results["mean_by_quality"]:
        layers = ", ".join(f"{row[k]:.0f}" for k in ("map_bytes", "compact_bytes", "residual_bytes"))
        typer.echo(f"{row['bpp']:7.4f} {row['psnr_rgb']:7.3f} {row['ms_ssim']:8.5f}  {layers}; {row['coarse_psnr_rgb']:.2f}", err=True)
    for name, rate in results.get("bd_rate_psnr_percent_against_bpg444", {}).items():
        typer.echo(f"BD-rate {name:12} {'no overlap' if rate is None else f'{rate:+.1f} %'}", err=True)
    _finish(results, out)


@app.command()
def reindex(
    images: Images,
    copies: Annotated[int, typer.Option(min=1, help="Versions of each photo.")] = 10,
    out: Out = None,
) -> None:
    """Photos a second described anew from their label maps alone, and the bytes read for it."""
    from dsslic_search.bench import reindex as bench

    _finish(bench.run(images, copies), out)


@app.command("label-map")
def label_map(
    table: Annotated[Path, typer.Option(help="CSV of label maps and their bytes under other coders: map, flif_E100, jxl_e7 …")],
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The folder that the table's paths start from.")],
    fuzz: Annotated[int, typer.Option(min=0, help="Also decode this many damaged streams.")] = 0,
    out: Out = None,
) -> None:
    """The label-map coder: bytes beside other coders, speed, first call, damaged streams."""
    from dsslic_search.bench import label_map as bench

    results = bench.run(table, data)
    if fuzz:
        results["fuzz"] = bench.fuzz(fuzz, 1)
    for name, ratio in results["ratio"].items():
        typer.echo(f"{name:14} {ratio:.3f}", err=True)
    _finish(results, out)


@app.command("map-scale")
def map_scale(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/<set>; see docs/training.md.")],
    images: Images,
    out: Out = None,
) -> None:
    """What coding the label map at other scales does to its bytes, to answers, and to the whole file."""
    from dsslic_search.bench import map_scale as bench

    results = bench.run(data, images)
    typer.echo(f"{'scale':8} {'map bytes':>9} {'coverage error':>14} {'presence F1':>11} {'>30% F1':>8} {'BD-rate':>8}", err=True)
    for name, row in results["scales"].items():
        error, presence, third = row["coverage"]["mean_absolute_error"], row["presence"]["f1"], row["over 30%"]["f1"]
        rate = f"{row['bd_rate_percent']:+.2f} %"
        typer.echo(f"{name:8} {row['mean_map_bytes']:>9.0f} {error:>14.4f} {presence:>11.4f} {third:>8.4f} {rate:>8}", err=True)
    _finish(results, out)


@app.command()
def segmentation(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder with scenes/<set>; see docs/training.md.")],
    out: Out = None,
) -> None:
    """Pixel accuracy and mean IoU of SegNet and of the teacher on the validation split."""
    from dsslic_search.bench import segmentation as bench

    results = bench.run(data)
    for name in ("segnet", "teacher"):
        scores = results[name]
        typer.echo(f"{name:8} pixel accuracy {scores['pixel_accuracy']:.4f}, mean IoU {scores['mean_iou']:.4f}", err=True)
    _finish(results, out)
