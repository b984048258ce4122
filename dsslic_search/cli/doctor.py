"""What this installation is made of, and whether an archive is well: doctor."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from dsslic_search.cli.options import ERROR, ArchiveDir, AsJson, print_json
from dsslic_search.cli.wording import in_commands
from dsslic_search.core.kinds import PhotoState
from dsslic_search.core.text import counted, printable, size_text

if TYPE_CHECKING:
    from dsslic_search.api import Diagnosis, Health

MEANT = {
    PhotoState.HERE: "here",
    PhotoState.MISSING: "missing",
    PhotoState.REPLACED: "replaced by later versions",
    PhotoState.REMOVED: "in the bin",
    PhotoState.LOST: "lost",
}


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(doctor)


def doctor(archive: ArchiveDir = None, as_json: AsJson = False) -> None:
    """Tell versions, what the processor can do, optional parts and how to get them, and how the archive is.

    Nothing is changed. Exit code 1 when something is missing or wrong."""
    from dsslic_search.api import diagnose

    found = diagnose(archive)
    if as_json:
        print_json(_as_plain(found))
    else:
        for line in lines(found):
            typer.echo(printable(line))
    for trouble in found.troubles:
        typer.echo(printable(in_commands(trouble)), err=True)
    typer.echo(
        "nothing is wrong" if not found.troubles else counted(len(found.troubles), "trouble"), err=True
    )
    if found.troubles:
        raise typer.Exit(ERROR)


def _as_plain(found: Diagnosis) -> dict[str, Any]:
    plain = asdict(found)
    plain["parts"] = [{**part._asdict(), "missing": list(part.missing)} for part in found.parts]
    plain["archive"] = None if found.archive is None else found.archive._asdict()
    plain["troubles"] = [in_commands(trouble) for trouble in found.troubles]
    return plain


def lines(found: Diagnosis) -> list[str]:
    """A diagnosis for people."""
    does = found.processor
    system = f" on {does['system']}, {does['machine']}" if "machine" in does else ""
    told = [f"dsslic-search {found.versions['dsslic-search']}, Python {found.versions['python']}{system}"]
    told.append(f"processor: {counted(does['cores'], 'core')}")
    if "torch" in does:
        told[-1] += f", {', '.join(does['instructions'])}; torch uses {does['torch']}"
        told[-1] += ", a GPU is there" if does["gpu"] else ""
        encoder = "with x265" if does["x265"] else "without x265: photos cannot be encoded"
        told.append(f"codecs: libavcodec {does['ffmpeg']} {encoder}; loops as {does['loops']}")
    packages = [f"{name} {version or 'missing'}" for name, version in list(found.versions.items())[2:]]
    told.append(f"packages: {', '.join(packages)}")
    forms = found.formats
    told.append(
        f"formats: file {forms['file']}, archive {forms['archive']}, catalog {forms['catalog']}, index "
        f"{forms['index']}, vocabulary {forms['vocabulary']}"
    )
    told.append(f"weights: {', '.join(f'{name} {identity}' for name, identity in found.weights.items())}")
    for part in found.parts:
        how = "here" if not part.missing else f"not here; get it with: {part.get}"
        told.append(f"{part.name} ({part.purpose}): {how}")
    return [*told, "", *_of_archive(found.archive)]


def _of_archive(health: Health | None) -> list[str]:
    """How an archive is, in at most ten lines."""
    if health is None:
        return ["no archive"]
    newest = health.revision == health.newest_revision
    told = [
        f"archive {health.path}",
        f"  version {health.version}, catalog revision {health.revision or 'not known'}"
        + ("" if newest else f" (the newest is {health.newest_revision})"),
    ]
    if health.note:
        told.append(f"  {health.note}")
    if health.photos is not None and health.stored_bytes is not None:
        counts = [f"{count} {MEANT.get(PhotoState(state), state)}" for state, count in health.photos.items()]
        told.append(f"  photos: {', '.join(counts) or 'none'}; {size_text(health.stored_bytes)}")
    told.append(f"  indexes: {counted(health.index_files, 'file')}, {size_text(health.index_bytes)}")
    if health.free_bytes is not None:
        told.append(f"  free on its disk: {size_text(health.free_bytes)}")
    told.append(f"  {'can' if health.writable else 'cannot'} be written by this user")
    if health.problems is not None:
        found = [f"{count} {kind}" for kind, count in health.problems.items()]
        told.append(f"  a quick check found {', '.join(found) or 'no problems'}")
    return told
