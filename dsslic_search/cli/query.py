"""Asking: query."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsslic_search.cli.lines import hit_line, width_of
from dsslic_search.cli.options import ArchiveDir, AsJson, Force, among, print_json
from dsslic_search.cli.wording import to_run
from dsslic_search.core.errors import UsageError
from dsslic_search.core.output import STANDARD, Outputs
from dsslic_search.core.text import counted, printable

if TYPE_CHECKING:
    from dsslic_search.api import QueryResult, Statistics

PHOTOS_LISTED = 20  # unless told
EXAMPLES = """
Find photos by what is in them, best first.

\b
dss-search query "images with road and >30% sky"
dss-search query "2 people on grass, no cars, taken:2023" --explain
dss-search query "like beach.jpg and camera:canon" --limit 5
dss-search query "tag:best" --all --format csv --out best.csv
dss-search query "everything" --all --columns all --out photos.parquet
dss-search query "no people, sky > 60%" --all -0 | xargs -0 ls -l

docs/query-language.md tells all that can be asked. Nothing found is no error.
"""


def _formats() -> tuple[str, ...]:
    from dsslic_search.api.export import FORMATS

    return FORMATS


def _engines() -> tuple[str, ...]:
    from dsslic_search.api.answering import ENGINES

    return ENGINES


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(help=EXAMPLES)(query)


def query(
    text: Annotated[
        list[str],
        typer.Argument(metavar="QUERY", help='What to look for, or "@" and the name of a saved query.'),
    ],
    archive: ArchiveDir = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            min=0,
            help=f"Photos to list, {PHOTOS_LISTED} unless told; the total is always exact.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="List all that match.")] = False,
    after: Annotated[
        str | None,
        typer.Option(
            "--page",
            "--after",
            metavar="CURSOR",
            help="Go on after the page that gave this cursor.",
            show_default=False,
        ),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="paths, json, jsonl, csv, parquet or arrow; else lines for people.",
            show_default=False,
            autocompletion=among(_formats),
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            "--columns",
            metavar="LIST",
            help="What a table tells of each photo: all, usual, facts, classes, or names between commas.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="Write there; its ending can tell the format. - is stdout.",
            show_default=False,
        ),
    ] = None,
    null: Annotated[
        bool, typer.Option("-0", "--null", help="Paths that end in a zero byte, for xargs -0.")
    ] = False,
    as_json: AsJson = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show how the query was understood, and what each part matches.")
    ] = False,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="ENGINE",
            help="What finds them: index, or sql, which needs the catalog's database alone and knows "
            "coverages, colours, files, dates, places and tags, and with pgvector what photos are like.",
            autocompletion=among(_engines),
        ),
    ] = "index",
    force: Force = False,
) -> None:
    """Find photos by what is in them, best first."""
    from dsslic_search.api import Archive, export

    if everything and limit is not None:
        raise UsageError("--all and --limit exclude each other; choose one")
    chosen = chosen_format(form, out, null=null, as_json=as_json)
    named = None if columns is None else columns.split(",")
    export.check_columns(named, chosen)
    outputs = Outputs(force)
    if out is not None:
        outputs.check(out, text=chosen not in export.BINARY)
    with Archive(archive) as opened:
        found = opened.find(
            " ".join(text),
            limit=None if everything else PHOTOS_LISTED if limit is None else limit,
            after=after,
            explain=explain,
            engine=engine,
        )
        if explain:
            typer.echo(found.explanation, err=chosen is not None)
        if found.tally is not None and chosen in (None, "json") and out in (None, STANDARD):
            tell_tally(found, partial(opened.statistics, " ".join(text)), as_json=chosen == "json")
            return
        shown = (
            list_hits(found)
            if chosen is None
            else export.write(
                found,
                chosen,
                out or sys.stdout,
                b"\0" if null else b"\n",
                columns=named,
                outputs=outputs,
            )
        )
    if chosen != "json" or out not in (None, STANDARD):
        tell(found, shown, None if out == STANDARD else out)


def chosen_format(named: str | None, out: Path | None, *, null: bool, as_json: bool) -> str | None:
    """The format that options ask for: by name, or by the ending of the file to write; None for lines for
    people. UsageError when options exclude each other, and for Parquet or Arrow that would be written to a
    terminal."""
    from dsslic_search.api.export import BINARY, FORMATS, check_format, format_of

    if named is not None and named not in FORMATS:
        check_format(named)
    asked = list(dict.fromkeys(filter(None, (named, "paths" if null else None, "json" if as_json else None))))
    if len(asked) > 1:
        raise UsageError(
            f"formats {' and '.join(asked)} were asked for at once; choose one of --format, --json and --null"
        )
    if asked:
        found: str | None = asked[0]
    elif out is None:
        return None
    else:
        found = format_of(out)
    if found is None:
        raise UsageError(f"{out}: its ending tells no format; name one of {', '.join(FORMATS)} with --format")
    if found in BINARY and out is None and sys.stdout.isatty():
        raise UsageError(f"{found.title()} is not for terminals; write a file with --out FILE")
    check_format(found)
    return found


def tell(found: QueryResult, shown: int, out: Path | None = None) -> None:
    """On stderr: how many photos match, how many of them were listed, and how to see more."""
    more = f", {shown} shown" if shown < found.total else ""
    where = f"; written to {printable(str(out))}" if out else ""
    typer.echo(f"{counted(found.total, 'photo')}{more}{where}", err=True)
    remark(found)
    if found.cursor and shown:
        typer.echo(f"next page: --page {found.cursor}", err=True)


def remark(found: QueryResult) -> None:
    """On stderr: what is to be known of an answer besides its photos. How the query was read, an explanation
    has told already."""
    if not found.explanation:
        for note in found.notes:
            typer.echo(printable(note), err=True)
        if found.read_as:
            typer.echo(f"read as: {printable(found.read_as)}", err=True)
    if found.unseen:
        typer.echo(
            f"no photo here shows {' or '.join(found.unseen)} at all; what there is: {to_run('classes')}",
            err=True,
        )


def tell_tally(found: QueryResult, of_them: Callable[[], Statistics], *, as_json: bool) -> None:
    """How many photos match, by what the query asks to count them by."""
    counts = {}
    if found.tally:
        from dsslic_search.api.facets import tallied

        counted_up = of_them()
        counts = tallied(found.tally, counted_up.months, counted_up.counts)
    without = found.total - sum(counts.values()) if found.tally else 0
    if as_json:
        answer = {"query": found.query, "read_as": found.read_as, "total": found.total, "counts": counts}
        print_json(answer | ({"without": without} if found.tally else {}))
        return
    for name, count in counts.items():
        typer.echo(f"{printable(name)}  {count}")
    fact = "date" if found.tally in ("year", "month") else found.tally
    missing = f", {without} of them without a {fact}" if without else ""
    typer.echo(f"{counted(found.total, 'photo')}{missing}", err=bool(counts))
    remark(found)


def list_hits(found: QueryResult) -> int:
    """Lines for people; returns how many."""
    width = width_of(sys.stdout)
    shown = 0
    for hit in found:
        shown += 1
        typer.echo(hit_line(hit, width))
    return shown
