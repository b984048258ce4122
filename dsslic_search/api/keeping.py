"""Looking after photos that an archive has: removing them and taking them back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dsslic_search.api.arguments import age_of, check_flags, ids_of, number_of
from dsslic_search.api.opened import OpenArchive
from dsslic_search.core.errors import UsageError

if TYPE_CHECKING:
    from dsslic_search.api.arguments import Ids
    from dsslic_search.archive.bin import Binned, Emptied, Moved

LEAST_STARS, MOST_STARS = 0.5, 5


class Keeping(OpenArchive):
    """What `api.archive.Archive` does with photos that are there."""

    def states(self) -> dict[str, int]:
        """How many photos stand in each of the states of `core.kinds.PhotoState` that any photo is in."""
        return {state: totals.photos for state, totals in self._lookup.states().items()}

    def rate(self, stars: float, ids: Ids) -> None:
        """Give photos a rating of 0.5 to 5 stars, or with 0 none, where their metadata have theirs. It stays
        when a photo is stored anew, unless its file says another one; files are never changed.
        NotThereError, and nothing done, when there is no photo of an id."""
        from dsslic_search.archive.rating import rate

        given = number_of(stars, "a rating", 0, MOST_STARS)
        if 0 < given < LEAST_STARS:
            raise UsageError(f"a rating of {given:g}: must be 0 for none, or from {LEAST_STARS:g} on")
        rate(self.catalog, given, ids_of(ids))

    # The bin

    def remove(self, ids: Ids, *, dry_run: bool = False) -> Moved:
        """Put photos into the archive's bin: they leave the answers, and keep their tags, until they are
        taken back or the bin is emptied. Files outside the archive are never touched. ArchiveError, and
        nothing done, when there is no photo of an id. ``dry_run``: tell alone what would be done."""
        from dsslic_search.archive import bin
        from dsslic_search.archive.catalog import utc_now

        check_flags(dry_run=dry_run)
        return bin.remove(self.catalog, ids_of(ids), utc_now(), dry_run=dry_run)

    def restore(self, ids: Ids | None) -> Moved:
        """Take photos, or with None all that are there, back out of the bin."""
        from dsslic_search.archive import bin

        return bin.restore(self.catalog, None if ids is None else ids_of(ids))

    def bin(self) -> list[Binned]:
        """What is in the bin, what was removed last first."""
        from dsslic_search.archive import bin

        return bin.binned(self.catalog)

    def empty_bin(
        self,
        *,
        older_than: timedelta | None = None,
        even_only_copies: bool = False,
        dry_run: bool = False,
    ) -> Emptied:
        """Delete what is in the bin, or was put there ``older_than`` ago, for good. Photos stay of whose
        originals no other copy is found where they lay, unless ``even_only_copies``; see
        `archive.bin.empty`. Raises ArchiveError while another writer is at work."""
        from dsslic_search.archive import bin
        from dsslic_search.archive.catalog import utc_now

        check_flags(even_only_copies=even_only_copies, dry_run=dry_run)
        return bin.empty(
            self.folder,
            now=utc_now(),
            older_than=None if older_than is None else age_of(older_than, "older_than"),
            only_copies=even_only_copies,
            dry_run=dry_run,
        )
