"""Counting: stats, classes."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsslic_search.cli.facts import number_text
from dsslic_search.cli.lines import width_of
from dsslic_search.cli.options import ArchiveDir, AsJson, print_json
from dsslic_search.core.kinds import KeepMode, PhotoState
from dsslic_search.core.text import counted, printable, size_text

if TYPE_CHECKING:
    from dsslic_search.api import Spread, Statistics

BAR_CHARACTERS = 24  # of the longest bar
BEFORE_BARS = 39  # characters of a class before its bar
LEVELS = "▁▂▃▄▅▆▇█"  # of a bin of a histogram, by its height
EMPTY_BIN = "·"
NAMES_ON_A_LINE = 10  # of formats, cameras, tags
STATES = {
    PhotoState.MISSING: "missing",
    PhotoState.REPLACED: "replaced by later versions",
    PhotoState.REMOVED: "in the bin",
    PhotoState.LOST: "lost",
}
SHOWN_MONTHS = 24  # with more, years are shown


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(stats)
    app.command()(classes)


def stats(
    text: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUERY", help="Only photos that this asks for; else all.", show_default=False),
    ] = None,
    archive: ArchiveDir = None,
    as_json: AsJson = False,
) -> None:
    """Count photos, all or those that a query asks for: bytes, classes, months, cameras, formats, tags."""
    from dsslic_search.api import Archive

    query = " ".join(text) if text is not None else None
    with Archive(archive) as opened:
        found = opened.statistics(query, facts=as_json)
        root = opened.folder.root
    if as_json:
        print_json({"archive": str(root), "query": query, **_as_plain(found)})
    else:
        print_statistics(found, str(root), query)


def print_statistics(found: Statistics, root: str, query: str | None) -> None:
    """Counts for people: of the archive at ``root``, or of what a query found there."""
    typer.echo(
        printable(
            f"{root}: {counted(found.photos, 'photo')}" + (f" of: {query}" if query is not None else "")
        )
    )
    _show_states(found)
    if found.photos:
        _show_sizes(found)
        for title, counts in (*found.counts.items(), ("tags", found.tags), ("words", found.words)):
            _show_names(title, counts)
        _show_names("photos with", {name: n for name, n in found.held.items() if n})
        _show_spreads(found.spreads)
        _show_months(found.months, found.undated)
        _show_classes(found)


def _as_plain(found: Statistics) -> dict[str, Any]:
    """The counts and the spread of each fact stand beside the other figures; "facts" has every one."""
    plain: dict[str, Any] = {}
    for name, value in asdict(found).items():
        plain |= value if name in ("counts", "spreads") else {name: value}
    return plain | {"facts": {name: count.plain() for name, count in found.facts.items()}}


def _show_sizes(found: Statistics) -> None:
    share = found.stored_bytes / found.original_bytes
    bpp = 8 * found.stored_bytes / (found.pixels or 1)
    sizes = (
        f"originals {size_text(found.original_bytes)}, stored {size_text(found.stored_bytes)} ({share:.0%})"
    )
    say_within(f"{sizes}, {bpp:.3f} bpp; label maps {size_text(found.map_bytes)}", 2)
    if found.undecoded:
        typer.echo(f"{found.undecoded} kept undecoded: keep:{KeepMode.UNDECODED} finds them")


def _show_states(found: Statistics) -> None:
    """Photos that are not as they should be, or that answers are not of."""
    for state, title in STATES.items():
        if totals := found.states.get(state):
            typer.echo(
                f"{title}: {counted(totals.photos, 'photo')}, {size_text(totals.stored_bytes)} stored: "
                f"is:{state} finds {'it' if totals.photos == 1 else 'them'}"
            )


def _show_names(title: str, counts: Mapping[str, int]) -> None:
    if counts:
        # in parentheses, as cameras' names end in numbers, and ratings and depths are numbers
        named = ", ".join(f"{printable(name)} ({n})" for name, n in list(counts.items())[:NAMES_ON_A_LINE])
        more = len(counts) - NAMES_ON_A_LINE
        say_within(f"{title.replace('_', ' ')}: {named}" + (f" and {more} more" if more > 0 else ""), 2)


def _show_spreads(spreads: Mapping[str, Spread | None]) -> None:
    told = {name: spread for name, spread in spreads.items() if spread is not None}
    if not told:
        return
    typer.echo(f"{'number':12} {'photos':>6} {'least':>9} {'median':>9} {'greatest':>9}  by stops")
    for name, spread in told.items():
        ends = (number_text(name, each) for each in (spread.least, spread.median, spread.greatest))
        shown = " ".join(f"{each:>9}" for each in ends)
        bars = sparkline([stop.photos for stop in spread.stops])
        typer.echo(f"{name:12} {spread.photos:>6} {shown}  {bars}")


def _show_months(months: Mapping[str, int], undated: int) -> None:
    if not months:
        return
    if len(months) > SHOWN_MONTHS:
        years: dict[str, int] = {}
        for month, count in months.items():
            years[month[:-3]] = years.get(month[:-3], 0) + count
        months = years
    typer.echo("taken")
    widest = max(months.values())
    for when, count in months.items():
        typer.echo(f"  {when:10} {count:>6}  {bar(count, widest)}")
    if undated:
        typer.echo(f"  {'no date':10} {undated:>6}")


def _show_classes(found: Statistics) -> None:
    shown = [c for c in found.classes if c.photos]
    if not shown:
        return
    typer.echo(f"{'class':12} {'photos':>6} {'mean':>7}  0…100%")
    room = bar_room(BEFORE_BARS)
    for c in shown:
        typer.echo(
            f"{c.name:12} {c.photos:>6} {c.mean_coverage:>7.1%}  {sparkline(c.histogram)}  "
            f"{bar(c.photos, shown[0].photos, room)}"
        )


def bar_room(before: int) -> int:
    """Characters of the longest bar behind ``before`` others, so that it fits the terminal."""
    width = width_of(sys.stdout)
    return BAR_CHARACTERS if width is None else max(1, min(BAR_CHARACTERS, width - before))


def bar(count: int, widest: int, room: int = BAR_CHARACTERS) -> str:
    """A bar as long as ``count`` is of ``widest``, which takes ``room``, but never none for some."""
    return "█" * max(1, round(room * count / widest))


def say_within(line: str, indent: int) -> None:
    """A line, in a terminal broken where it is too long, what goes on ``indent`` characters to the right."""
    width = width_of(sys.stdout)
    if width is not None and len(line) > width:
        line = textwrap.fill(line, max(width, indent + 12), subsequent_indent=" " * indent)
    typer.echo(line)


def sparkline(counts: Sequence[int]) -> str:
    """One character for each count, as high as it is of the highest; a dot for 0."""
    highest = max(counts)
    return "".join(LEVELS[-(-count * len(LEVELS) // highest) - 1] if count else EMPTY_BIN for count in counts)


def classes(archive: ArchiveDir = None, as_json: AsJson = False) -> None:
    """List the classes that queries can speak of: their words, groups, and how many photos show them. Words
    that are mostly wrong are marked."""
    from dsslic_search.api import Archive
    from dsslic_search.core.trust import of_class
    from dsslic_search.core.vocabulary import default

    with Archive(archive) as opened:
        listed = opened.classes()
        groups = {
            g.name: [opened.vocabulary.classes[m].name for m in g.members] for g in opened.vocabulary.groups
        }
    if as_json:
        print_json({"classes": [asdict(c) for c in listed], "groups": groups})
        return
    typer.echo(f"{'class':12} {'photos':>6} {'from':>6}  also")
    for c in listed:
        trust = of_class(c.name) if opened.vocabulary.identity == default().identity else None
        doubted = "(mostly wrong) " if trust is not None and trust.mostly_wrong else ""
        line = f"{c.name:12} {c.photos:>6} {c.presence:>6.2%}  {doubted}{', '.join(c.synonyms)}"
        say_within(line.rstrip(), 28)
    typer.echo("\ngroups")
    for name, members in groups.items():
        say_within(f"{name:14} {', '.join(members)}", 15)
