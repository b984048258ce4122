"""What the command line says where the library speaks Python: a command or an option for each remedy, and a
sentence for each finding of a check."""

from __future__ import annotations

import shlex
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.core.errors import DSSError, QueryError, Remedy, in_words
from dsslic_search.core.text import counted, printable

if TYPE_CHECKING:
    from dsslic_search.api import Finding

COMMANDS: dict[Remedy, str] = {
    Remedy.REINDEX: "reindex",
    Remedy.CHECK: "check",
    Remedy.REBUILD: "rebuild",
    Remedy.READ_DATA: "check --read-data",
    Remedy.SAVED_QUERIES: "save --list",
    Remedy.TAG: "tag add NAME ID…",
    Remedy.TAGS: "tag list",
    Remedy.CLASSES: "classes",
}
"""Those about an archive."""
OTHERS: dict[Remedy, str] = {
    Remedy.INGEST: "dss-search ingest PATH… --archive DIR",
    Remedy.JOURNAL: "--journal FILE",
    Remedy.PALETTE: "dss-search palette",
    Remedy.OTHER_ARCHIVE: "--archive",
    Remedy.WAIT: "--wait SECONDS",
    Remedy.REPLACE: "--force",
    Remedy.LOSSLESS: "--quality lossless",
    Remedy.CLASSES_FILE: "--classes FILE",
    Remedy.OWN_CLASSES: "--own-classes",
    Remedy.MEMORY: "--memory SIZE",
    Remedy.FRAMES: "--frames 2s",
    Remedy.SEGMENTER: "--segmenter NAME",
    Remedy.EVEN_UNDECODED: "--keep exact --even-undecoded",
    Remedy.POLL: "--poll",
    Remedy.INDEXES: "--engine index",
    Remedy.INIT: "dss-search init",
}


_ARCHIVE: ContextVar[Path | None] = ContextVar("archive that a command was told of", default=None)


def in_commands(sentence: object) -> str:
    """A sentence of the library, or an error's, with its remedies as commands."""
    return in_words(sentence, OTHERS | {remedy: to_run(words) for remedy, words in COMMANDS.items()})


def to_run(words: str) -> str:
    """A command that is told, about the archive that the running command was told of."""
    archive = _ARCHIVE.get()
    return f"dss-search {words}" + ("" if archive is None else f" --archive {shlex.quote(str(archive))}")


def tell_of(archive: Path | None) -> None:
    """Commands told from now on are about that archive; None: about the one that needs no name."""
    _ARCHIVE.set(archive)


def trouble_sentence(error: DSSError | OSError | MemoryError) -> str:
    """What went wrong and what to do; only of a query, whose trouble is marked below it, on more than one
    line."""
    match error:
        case QueryError():
            return in_commands(error)
        case ConnectionError():
            return printable(
                f"what this was connected to ended that ({error.strerror or error}); see that it runs, and "
                "run this again"
            )
        case OSError():
            return printable(
                f"{error.filename or 'system'}: {error.strerror or error}; check the path, its permissions "
                "and the free space"
            )
        case MemoryError():
            return "not enough memory for this; close other programs or lower DSS_MAX_PIXELS"
    return printable(in_commands(error))


def finding_sentence(finding: Finding, own_catalog: bool = True) -> str:
    """What is wrong, and what mends it. ``own_catalog``: the archive's catalog is the file of its folder,
    which alone can be made anew."""
    from dsslic_search.api import Fault, Problem

    anew = (
        f"make it anew with: {to_run('rebuild')}" if own_catalog else "restore that database from its backup"
    )
    match finding.what:
        case Problem.NO_PHOTO if not own_catalog:
            return (
                f"{finding.where}: no photo of the catalog; ingest its original again to use it, or restore "
                "a state of the database that knows the photo"
            )
        case Problem.NO_PHOTO:
            return (
                f"{finding.where}: no photo of the catalog; ingest its original again to use it, or take it "
                f"up from the file alone with: {to_run('rebuild')}"
            )
        case Problem.LEFTOVER if finding.content_hash:
            return (
                f"{finding.where}: left by an interrupted emptying of the bin; delete it with: "
                f"{to_run('empty-bin')}, or: {to_run('check --repair')}"
            )
        case Problem.LEFTOVER:
            return (
                f"{finding.where}: left by an interrupted write; the next ingest removes it, or: "
                f"{to_run('check --repair')}"
            )
        case Problem.DATABASE:
            return f"{finding.where}: database damaged: {finding.detail}; {anew}"
        case Problem.OTHERWISE:
            differ = f"{counted(finding.photos, 'thing')} otherwise"
            return (
                f"{finding.where}: says {differ} than the journal, whose lines are sound; make it anew from "
                f"that with: {to_run('rebuild')}"
            )
        case Problem.DESCRIBED_OTHERWISE:
            return (
                f"{_photo(finding)}: what the catalog says of its label map or colours is not what was "
                f"written; make it anew from its file with: {to_run('check --repair')}"
            )
        case Problem.ROWS_OF_NO_PHOTO:
            return f"{finding.where}: paths or tags of photos that are not there; {anew}"
        case Problem.EARLIER_DESCRIPTIONS:
            said = "1 photo was" if finding.photos == 1 else f"{finding.photos} photos were"
            return (
                f"{finding.where}: {said} described by an older version; describe all anew with: "
                f"{to_run('reindex')}"
            )
        case Problem.JOURNAL:
            return (
                f"{finding.where}: {finding.detail}; begin it anew from the catalog with: "
                f"{to_run('check --repair')}"
            )
        case Problem.INDEX_DAMAGED:
            return (
                f"{finding.where}: damaged; it is made anew from the catalog when it is needed, or delete it "
                f"with: {to_run('check --repair')}"
            )
        case Problem.PARITY_LACKING:
            return (
                f"{_photo(finding)}: its parity is missing, damaged or of an earlier file; write it anew "
                f"with: {to_run('check --read-data --repair')}"
            )
        case Problem.RETURNED:
            return f"{_photo(finding)}: its file is back; take it up again with: {to_run('check --repair')}"
        case Problem.ORIGINALS_AWAY:
            lie = "1 original lies" if finding.photos == 1 else f"{finding.photos} originals lie"
            return (
                f"{finding.where}: not there; {lie} under it, by reference; attach it, or tell where it is "
                f"now with: {to_run('relink FROM TO')}"
            )
        case Problem.ORIGINAL_AWAY:
            return (
                f"{_photo(finding)}: its original, kept by reference, is at none of its paths; if it was "
                f"moved, find it again with: {to_run('sync')}, else put it back from a backup"
            )
        case Problem.ORIGINAL_CHANGED:
            return (
                f"{_photo(finding)}: its original, kept by reference, has changed; take the later version "
                f"with: {to_run('sync')}"
            )
        case Fault.UNREADABLE:
            advice = ""
        case Fault.MISSING:
            advice = (
                "; restore the file from a backup, or set the photo apart until its file or its original is "
                f"back with: {to_run('check --repair')}"
            )
        case Fault.OUTDATED_ROW:
            advice = f"; mend it with: {to_run('check --repair')}"
        case _ if finding.only_copy:
            advice = (
                f"; restore {finding.where} from a backup; it is kept exactly, so repair leaves it, unless "
                f"its parity gives it back: {to_run('check --read-data --repair')}. If you have the photo "
                "still, delete that file and ingest the photo again with --keep exact"
            )
        case _:
            advice = (
                f"; restore {finding.where} from a backup, or if you have the photo: "
                f"{to_run('check --repair')} sets file and photo apart, then ingest the photo again"
            )
    return f"{_photo(finding)}: {_fault(finding)}{advice}"


def mended_sentence(finding: Finding) -> str:
    """What was wrong, and what was done about it."""
    from dsslic_search.api import Fault, Problem

    apart = "the photo is set apart with its tags until the file or the original is back"
    if finding.by_parity:
        return f"{_photo(finding)}: {_fault(finding)}; made again from its parity"
    match finding.what:
        case Problem.LEFTOVER if finding.content_hash:
            return f"{finding.where}: left by an interrupted emptying of the bin; deleted"
        case Problem.LEFTOVER:
            return f"{finding.where}: left by an interrupted write; deleted"
        case Problem.JOURNAL:
            return f"{finding.where}: {finding.detail}; begun anew from the catalog"
        case Problem.INDEX_DAMAGED:
            return f"{finding.where}: damaged; deleted, as it is made anew from the catalog"
        case Problem.PARITY_LACKING:
            return f"{_photo(finding)}: its parity was missing, damaged or of an earlier file; written anew"
        case Problem.RETURNED:
            return f"{_photo(finding)}: its file is back; taken up again"
        case Problem.DESCRIBED_OTHERWISE:
            return (
                f"{_photo(finding)}: what the catalog said of its label map or colours was not what was "
                "written; made anew from its file"
            )
        case Fault.MISSING:
            return f"{_photo(finding)}: its file was missing; {apart}"
        case Fault.OUTDATED_ROW:
            return f"{_photo(finding)}: its row described an earlier file; written anew from the file"
    return f"{_photo(finding)}: its file was damaged and is set aside as {finding.where}.damaged; {apart}"


def _photo(finding: Finding) -> str:
    return f"photo {finding.photo_id} ({finding.photo_path})"


def _fault(finding: Finding) -> str:
    from dsslic_search.api import Fault

    match finding.what:
        case Fault.MISSING:
            return "its file is missing"
        case Fault.WRONG_LENGTH:
            return f"its file has {finding.actual_bytes} bytes instead of {finding.expected_bytes}"
        case Fault.OTHER_PHOTO:
            return "its file is that of another photo"
        case Fault.OUTDATED_ROW:
            return "the catalog describes an earlier file of it, since an ingest was interrupted there"
    return in_commands(finding.detail)
