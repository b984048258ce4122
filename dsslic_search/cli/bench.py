"""Benchmarks: each prints its figures and can write them as JSON. Those of whole runs are here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsslic_search.cli import bench_codec, bench_search
from dsslic_search.cli.bench_options import Against, Images, Maps, Out, finish, may_write
from dsslic_search.cli.options import QUALITY, Force, Quality
from dsslic_search.core.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add all benchmarks."""
    group = typer.Typer(
        help="Measure; results are JSON with date, machine and versions.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for command in (ingest, reindex, speed, cluster, scale, machines, catalog, startup, serve, page):
        group.command()(command)
    bench_codec.register(group)
    bench_search.register(group)
    app.add_typer(group, name="bench")


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
    flat: Annotated[
        int, typer.Option(min=0, help="Megapixels of pictures of one colour; 0 leaves those out.")
    ] = 48,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="What the photos of 24 megapixels may take in all.")
    ] = "2GB",
    workers: Annotated[int, typer.Option(min=1, help="Photos encoded at once.")] = 2,
    out: Out = None,
    force: Force = False,
) -> None:
    """Photos a second and peak memory of whole ingests, beside another build; milliseconds of each step,
    bytes of each layer; and what keep mode reference loses by looking at fewer pixels."""
    from dsslic_search.bench import ingest as bench
    from dsslic_search.bench import reduction, throughput

    outputs = may_write(out, force)
    beside = throughput.run(
        images,
        against,
        rounds=rounds,
        photos=photos,
        large=large,
        flat=flat,
        memory=memory,
        workers=workers,
    )
    typer.echo("\n".join(throughput.table(beside)), err=True)
    steps = bench.run(images, quality)
    finish({**steps, "processes": beside, "reduction": reduction.run(images)}, out, outputs)


def reindex(
    images: Images,
    copies: Annotated[int, typer.Option(min=1, help="Versions of each photo.")] = 10,
    out: Out = None,
    force: Force = False,
) -> None:
    """Photos a second described anew from their label maps alone, and the bytes read for it."""
    from dsslic_search.bench import ingest as bench

    outputs = may_write(out, force)
    finish(bench.run_reindex(images, copies), out, outputs)


def speed(
    maps: Maps,
    photos: Annotated[int, typer.Option(min=1, help="Photos to search among.")] = 1_000_000,
    asked: Annotated[int, typer.Option(min=1, help="Queries of each kind.")] = 60,
    segments: Annotated[
        int, typer.Option(min=1, help="Segments at least; each has at most a million photos.")
    ] = 1,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="INDEX", help="An index to make, and the queries that need no others; may be given again."
        ),
    ] = None,
    ahead: Annotated[
        bool, typer.Option("--ahead", help="Unpack beforehand what many queries need, as serve does.")
    ] = False,
    out: Out = None,
    force: Force = False,
) -> None:
    """Milliseconds of answers, count and first 50, among very many made-up photos with real statistics, and
    the memory that they take; all segments are copies of the first, with ids of their own."""
    from dsslic_search.bench import grown
    from dsslic_search.bench import speed as bench

    outputs = may_write(out, force)
    results = bench.run(maps, photos, asked, only or tuple(grown.KINDS), segments, ahead)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)


def cluster(
    maps: Annotated[
        list[Path] | None,
        typer.Option(
            "--maps",
            metavar="DIR",
            help="Label maps, PNG files of class ids, to make photos for queries from; may be repeated.",
            show_default=False,
        ),
    ] = None,
    photos: Annotated[int, typer.Option(min=1, help="Photos to search among.")] = 1_000_000,
    asked: Annotated[int, typer.Option(min=1, help="Queries of each kind.")] = 20,
    shards: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Processes that share the indexes; may be given again, else 1, 4 and 16."),
    ] = None,
    segments: Annotated[
        int | None, typer.Option(min=1, help="Segments at least, else as many as the most processes.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A folder of photos to ingest on Ray.", show_default=False),
    ] = None,
    workers: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Workers of Ray, and threads; may be given again, else 1, 2 and 4."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Ingests of each sort.")] = 2,
    most: Annotated[
        int | None, typer.Option(min=2, help="Of the images at most so many.", show_default=False)
    ] = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """What several processes cost. With --maps: milliseconds of answers by one process and by several that
    share the indexes, each query asked of both, whether they answer the same, and the memory of each; photos
    as those of bench speed. With --images: photos a second of an ingest on Ray beside threads of one process,
    and whether they store the same."""
    if maps is None and images is None:
        raise UsageError("nothing to measure: give --maps for queries, --images for ingests, or both")
    outputs = may_write(out, force)
    results: dict[str, object] = {}
    if images is not None:
        from dsslic_search.bench import cluster_ingest

        found = cluster_ingest.run(images, workers or (1, 2, 4), rounds, most)
        typer.echo("\n".join(cluster_ingest.table(found)), err=True)
        results["ingest"] = found
    if maps is not None:
        from dsslic_search.bench import cluster as bench

        answers = bench.run(maps, photos, asked, shards or (1, 4, 16), segments)
        typer.echo("\n".join(bench.table(answers)), err=True)
        results |= answers
    finish(results, out, outputs)


def scale(
    maps: Maps,
    photos: Annotated[int, typer.Option(min=100, help="Photos of the archive.")] = 100_000,
    against: Against = None,
    alone: Annotated[bool, typer.Option("--alone", help="Without DuckDB and SQLite beside.")] = False,
    out: Out = None,
    force: Force = False,
) -> None:
    """What one photo more costs an archive with a real catalog, what twelve kinds of question take, and what
    indexes weigh; beside another build, DuckDB and SQLite."""
    from dsslic_search.bench import scale as bench

    outputs = may_write(out, force)
    results = bench.run(maps, photos, against, alone)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)


def machines(
    maps: Maps,
    database: Annotated[
        str,
        typer.Option(
            "--database", metavar="URL", help="An empty database of PostgreSQL, where the photos stay."
        ),
    ],
    photos: Annotated[int, typer.Option(min=100, help="Photos of the archive.")] = 60_000,
    out: Out = None,
    force: Force = False,
) -> None:
    """What the first questions of a machine take that is new to an archive with its catalog in PostgreSQL,
    with the indexes that another machine published and without."""
    from dsslic_search.bench import machines as bench

    outputs = may_write(out, force)
    results = bench.run(maps, photos, database)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)


def catalog(
    maps: Maps,
    photos: Annotated[int, typer.Option(min=100, help="Photos of the archive.")] = 100_000,
    against: Against = None,
    out: Out = None,
    force: Force = False,
) -> None:
    """What the catalog takes for each photo, table by table, and the processor time of making all indexes
    from it; beside another build, to whose revision it goes and back."""
    from dsslic_search.bench import catalog as bench

    outputs = may_write(out, force)
    results = bench.run(maps, photos, against)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)


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

    outputs = may_write(out, force)
    results = bench.run(images, against, rounds=rounds) | shell.run(images, rounds)
    typer.echo("\n".join([*bench.table(results), *shell.table(results)]), err=True)
    finish(results, out, outputs)


def serve(
    maps: Maps,
    images: Images,
    photos: Annotated[int, typer.Option(min=100, help="Photos of the archive.")] = 100_000,
    users: Annotated[int, typer.Option(min=1, help="Users at once.")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="How long they ask.")] = 60,
    turn: Annotated[float, typer.Option(min=0, help="Seconds of a turn of one user.")] = 5,
    out: Out = None,
    force: Force = False,
) -> None:
    """Milliseconds of queries and tiles of the server under many users on this computer, its memory, and
    seconds from its start to the first page."""
    from dsslic_search.bench import serve as bench

    outputs = may_write(out, force)
    results = bench.run(maps, images, photos, users, seconds, turn)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)


def page(
    maps: Maps,
    images: Images,
    photos: Annotated[int, typer.Option(min=120, help="Photos of the archive.")] = 100_000,
    seconds: Annotated[float, typer.Option(min=1, help="That each way to scroll is gone for.")] = 8,
    rounds: Annotated[int, typer.Option(min=1, help="Of queries over a slow line.")] = 2,
    out: Out = None,
    force: Force = False,
) -> None:
    """Milliseconds of the page's frames while it is scrolled, in a Chromium on this computer, and seconds
    until a page of results shows something over a line of 256 kbit/s. Needs the package playwright."""
    from dsslic_search.bench import page as bench

    outputs = may_write(out, force)
    results = bench.run(maps, images, photos, seconds, rounds)
    typer.echo("\n".join(bench.table(results)), err=True)
    finish(results, out, outputs)
