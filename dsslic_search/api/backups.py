"""Archives out of backups; `api.archive.Archive.backup` makes these."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dsslic_search.api.arguments import path_of

if TYPE_CHECKING:
    from dsslic_search.archive.restoring import RestoreReport


def restore_backup(
    folder: Path | str, to: Path | str, *, progress: Callable[[int, int], None] | None = None
) -> RestoreReport:
    """Make the new or empty folder ``to`` an archive as the backup in ``folder`` has it, each file compared
    with its hash; see `archive.restoring.restore`. ``progress`` is called with files done and in all."""
    from dsslic_search.archive.folder import ArchiveFolder
    from dsslic_search.archive.restoring import restore
    from dsslic_search.core.files import absolute

    return restore(ArchiveFolder(absolute(path_of(folder))), path_of(to), progress=progress)
