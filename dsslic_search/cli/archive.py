"""Looking after an archive: check, reindex, describe, show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dsslic_search.cli import facts, progress
from dsslic_search.cli.lines import path_for_people, shown_path
from dsslic_search.cli.options import (
    ERROR,
    PARTIAL,
    ArchiveDir,
    AsJson,
    PhotoId,
    Ray,
    Wait,
    kept_text,
    print_json,
    say_waiting,
)
from dsslic_search.cli.parity import percent_option
from dsslic_search.cli.wording import finding_sentence, in_commands, mended_sentence, to_run
from dsslic_search.core.files import path_to_text
from dsslic_search.core.kinds import PhotoState
from dsslic_search.core.text import counted, printable, size_text

if TYPE_CHECKING:
    from dsslic_search.api import Archive, Finding


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (check, rebuild, reindex, describe, show):
        app.command()(command)


def check(
    archive: ArchiveDir = None,
    wait: Wait = None,
    read_data: Annotated[
        bool, typer.Option("--read-data", help="Read every file and verify its checksums.")
    ] = False,
    sample: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT", help="Read so many of the files, drawn anew each time.", show_default=False
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Read files again that a check has read which was stopped.")
    ] = False,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Mend what can be mended without losing a photo."),
    ] = False,
    ray: Ray = None,
    as_json: AsJson = False,
) -> None:
    """Check that the archive is whole. Exit code 1 when something is wrong and was not mended.

    With --read-data, one that was stopped goes on where it was."""
    from dsslic_search.api import Archive

    with Archive(archive, wait=wait, waiting=say_waiting) as opened:
        read = 0 if restart or not read_data or sample is not None else opened.read_so_far()
        if read:
            typer.echo(f"going on behind {counted(read, 'file')} read before; --restart reads all", err=True)
        with progress.shown("checking") as settled:
            findings = opened.check(
                read_data=read_data or sample is not None,
                sample=100 if sample is None else percent_option(sample),
                restart=restart,
                ray=ray,
                progress=settled,
            )
        mended = opened.repair(findings) if repair and findings else []
        lost = 0 if any(f.kind == "catalog" for f in findings) else opened.states().get(PhotoState.LOST, 0)
    own_catalog = opened.folder.has_own_catalog
    by = {finding: finding for finding in mended}  # which tell how, too
    findings = [by.get(finding, finding) for finding in findings]
    if as_json:
        print_json([_finding_as_plain(finding, finding in mended, own_catalog) for finding in findings])
    for finding in findings:
        if finding in mended:
            typer.echo(printable(f"mended: {mended_sentence(finding)}"), err=True)
        else:
            typer.echo(printable(f"{finding.kind}: {finding_sentence(finding, own_catalog)}"), err=True)
    if lost:
        are, them = ("photo is", "it") if lost == 1 else ("photos are", "them")
        typer.echo(f"{lost} {are} set apart; list {them} with: {to_run('query is:lost')}", err=True)
    if opened.folder.is_backup and len(findings) > len(mended):
        typer.echo(
            "this is a backup: the next dss-search backup to it mends it from its archive; what --repair "
            "changes here makes it an archive of its own, which no backup is written over",
            err=True,
        )
    found = f"{counted(len(findings), 'problem')}, {len(mended)} mended" if findings else "no problems"
    typer.echo(found, err=True)
    if any(finding not in mended for finding in findings):
        raise typer.Exit(ERROR)


def _finding_as_plain(finding: Finding, mended: bool, own_catalog: bool) -> dict[str, Any]:
    subject = (
        finding.where
        if finding.kind in ("leftover", "original", "index", "journal")
        else finding.content_hash
    )
    return {
        "kind": finding.kind,
        "subject": subject,
        "message": mended_sentence(finding) if mended else finding_sentence(finding, own_catalog),
        "mended": mended,
    }


def rebuild(
    archive: ArchiveDir = None,
    wait: Wait = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            metavar="FILE",
            help="From this journal, one that was kept aside; else from the archive's.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Photos described at once; else one a core.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a lost or damaged catalog anew, from the photos' files and the journal.

    The catalog that is there is kept aside. May be stopped and run again."""
    from dsslic_search.api import Archive

    with (
        Archive(archive, wait=wait, waiting=say_waiting) as opened,
        progress.shown("rebuilding") as settled,
    ):
        report = opened.rebuild(journal=journal, workers=workers, progress=settled)
    for photo_id, reason in report.failed:
        typer.echo(printable(f"not described: photo {photo_id}: {in_commands(reason)}"), err=True)
    if as_json:
        print_json(
            {
                "photos": report.photos,
                "from_files": report.from_files,
                "lost": report.lost,
                "unread_lines": report.unread,
                "aside": None if report.aside is None else path_to_text(report.aside),
                "seconds": round(report.seconds, 3),
                "failed": [{"id": i, "reason": in_commands(reason)} for i, reason in report.failed],
            }
        )
    said = [counted(report.photos, "photo")]
    said += [f"{report.from_files} from their files alone"] if report.from_files else []
    said += [f"{report.lost} without a file and set apart"] if report.lost else []
    typer.echo(f"{', '.join(said)}, in {report.seconds:.1f} s", err=True)
    if report.aside is not None:
        typer.echo(f"the earlier catalog is kept as {printable(path_to_text(report.aside))}", err=True)
    if report.unread:
        typer.echo(
            f"{counted(report.unread, 'line')} of the journal cannot be read; what they said is lost",
            err=True,
        )
    if report.failed or report.unread:
        raise typer.Exit(PARTIAL)


def reindex(
    archive: ArchiveDir = None,
    wait: Wait = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Label maps read at once; else one a core.", show_default=False)
    ] = None,
    ray: Ray = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild what the catalog and the indexes know of the photos, from their label maps alone."""
    from dsslic_search.api import Archive

    with (
        Archive(archive, wait=wait, waiting=say_waiting) as opened,
        progress.shown("reindexing") as settled,
    ):
        report = opened.reindex(workers=workers, ray=ray, progress=settled)
    for photo_id, reason in report.failed:
        typer.echo(printable(f"skipped: photo {photo_id}: {in_commands(reason)}"), err=True)
    if as_json:
        failed = [{"id": photo_id, "reason": in_commands(reason)} for photo_id, reason in report.failed]
        plain = {
            "photos": report.photos,
            "bytes_read": report.bytes_read,
            "seconds": round(report.seconds, 3),
            "failed": failed,
        }
        print_json(plain)
    typer.echo(
        f"{report.photos} photos from {size_text(report.bytes_read)} in {report.seconds:.1f} s", err=True
    )
    if report.failed:
        raise typer.Exit(PARTIAL if report.photos else ERROR)


def describe(
    archive: ArchiveDir = None,
    wait: Wait = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Photos decoded at once; else one a core.", show_default=False)
    ] = None,
    ray: Ray = None,
    as_json: AsJson = False,
) -> None:
    """Add image words to photos that were stored without, seen in the best stage that is kept of each."""
    from dsslic_search.api import Archive

    with (
        Archive(archive, wait=wait, waiting=say_waiting) as opened,
        progress.shown("describing") as settled,
    ):
        report = opened.describe(workers=workers, ray=ray, progress=settled)
    for photo_id, reason in report.failed:
        typer.echo(printable(f"skipped: photo {photo_id}: {in_commands(reason)}"), err=True)
    if as_json:
        print_json(
            {
                "photos": report.photos,
                "bytes_added": report.bytes_added,
                "seconds": round(report.seconds, 3),
                "failed": [{"id": i, "reason": in_commands(reason)} for i, reason in report.failed],
            }
        )
    added = size_text(report.bytes_added)
    typer.echo(f"{counted(report.photos, 'photo')} described, {added} added", err=True)
    if report.failed:
        raise typer.Exit(PARTIAL if report.photos else ERROR)


def show(
    photo_id: PhotoId,
    archive: ArchiveDir = None,
    as_json: AsJson = False,
) -> None:
    """Show what the catalog knows of a photo: file facts, layers, coverage, regions, certainty, colours."""
    from dsslic_search.api import Archive

    with Archive(archive) as opened:
        if as_json:
            print_json(opened.info(photo_id))
        else:
            print_photo(opened, photo_id)


def print_photo(opened: Archive, photo_id: int) -> None:
    """What is known of a photo, for people."""
    photo = opened.photo(photo_id)
    info = opened.info(photo_id)
    contents = opened.contents(photo)
    typer.echo(f"#{photo.id} {path_for_people(photo.path)}")
    if photo.state != PhotoState.HERE:
        typer.echo(f"state: {photo.state}")
    for path in info["paths"]:
        if path != photo.path:
            typer.echo(f"also at: {path_for_people(path)}")
    for earlier in info["earlier_paths"]:
        by = "" if earlier["replaced_by"] is None else f", replaced by #{earlier['replaced_by']}"
        typer.echo(f"earlier: {shown_path(earlier['path'])} (until {earlier['until'][:10]}{by})")
    if info["earlier_versions"]:
        versions = ", ".join(f"#{photo_id}" for photo_id in info["earlier_versions"])
        typer.echo(f"earlier version{'s' if len(info['earlier_versions']) > 1 else ''}: {versions}")
    for clip in info["live_photo_clips"]:
        typer.echo(f"Live Photo clip: {path_for_people(clip)}")
    typer.echo(
        f"{f'{photo.width}×{photo.height} ' if photo.width else ''}{photo.format}, "
        f"{size_text(photo.file_size)}; stored {size_text(photo.stored_bytes)}",
        nl=False,
    )
    if contents.header.keep.is_seen:
        bpp = round(contents.total * (8 / (contents.header.width * contents.header.height)), 6)
        typer.echo(f" ({bpp:.3f} bpp)", nl=False)
    typer.echo(f", {kept_text(photo.keep, photo.quality)}")
    for line in facts.lines(info):
        typer.echo(line)
    for remark in info["source_remarks"]:
        typer.echo(f"source: {printable(in_commands(remark))}")
    if info["tags"]:
        typer.echo(f"tags: {printable(', '.join(info['tags']))}")
    if info["vocabulary_name"] is not None:
        spoken = printable(info["vocabulary_name"])
        typer.echo(f"label map in vocabulary {spoken}, by segmenter {photo.segmenter}")
    for layer in info["layers"]:
        per_pixel = f"  {layer['bpp']:.4f} bpp" if photo.width else ""
        typer.echo(f"  {layer['name']:10} {layer['bytes']:>9} bytes{per_pixel}")
    for word, probability in (info["words"] or {}).items():
        typer.echo(f"  shows {word}: {probability:.0%}")
    counts = None if info["regions"] is None else Counter(r["class"] for r in info["regions"])
    for name, fraction in info["coverage"].items():
        regions = "" if counts is None else f"  {counted(counts[name], 'region')}"
        sure = info["certainty"][name]
        told = "" if sure is None else f"  {sure:>4.0%} sure"
        colours = "".join(f"  {', '.join(c)}" for c in [info["class_colours"][name]] if c)
        typer.echo(f"  {name:12} {fraction:>7.2%}{regions}{told}{colours}")
