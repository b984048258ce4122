"""``Archive``: photos in, queries, previews. The command line is a thin layer over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.api.answering import Answering
from dsslic_search.api.arguments import (
    check_flags,
    count_of,
    id_of,
    ids_of,
    names_of,
    number_of,
    path_of,
    text_of,
)
from dsslic_search.api.browsing import Browsing
from dsslic_search.api.following import Following
from dsslic_search.api.getting_out import GettingOut
from dsslic_search.api.keeping import Keeping
from dsslic_search.api.labels import Labelling
from dsslic_search.api.workplaces import workplace
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import QueryError
from dsslic_search.core.kinds import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from dsslic_search.api.arguments import Ids
    from dsslic_search.api.completion import Completion
    from dsslic_search.api.duplicates import Duplicates
    from dsslic_search.api.exact_duplicates import ExactDuplicates
    from dsslic_search.api.showing import Preview
    from dsslic_search.api.statistics import Statistics
    from dsslic_search.archive.schema import Photo
    from dsslic_search.codec.container import Contents
    from dsslic_search.core.dialect import Dialect
    from dsslic_search.query.facets import ClassCount


class Archive(Keeping, Following, GettingOut, Labelling, Answering, Browsing):
    """An archive of photos: ``ingest`` puts them in, ``query`` finds them, ``preview`` shows them.

    ``path``: its directory, else $DSS_ARCHIVE, else the platform's data directory for this user. Nothing is
    read or made before it is needed, and indexes stay open between queries. Close it, or use it in a
    ``with``. Every method raises ArchiveError when the archive is missing, damaged, or made by a newer
    version, and UsageError for an argument of another kind than it takes; one name, path or id may stand for
    a list of one.
    """

    # Finding them: see `api.answering`

    def completions(self, before: str) -> list[Completion]:
        """What a query may go on with behind its text ``before`` the cursor, likely ones first; often
        nothing."""
        from dsslic_search.api.completion import Completer

        state, kept = self._lookup.state(), self.__dict__.get("_completer")
        if kept is None or kept[0] != state:
            kept = self.__dict__["_completer"] = state, Completer(self)
        found: list[Completion] = kept[1].completions(text_of(before))
        return found

    def embeddings_of(self, operand: str, mirrored: bool = False) -> NDArray[np.float32]:
        """The embeddings, float32[m, DIMENSION], that ``like OPERAND`` means: of a photo by
        id, path or file name, or of a file."""
        check_flags(mirrored=mirrored)
        return self._searcher.embeddings_of(text_of(operand, "what photos are compared with"), mirrored)

    def duplicates(
        self,
        *,
        threshold: float | None = None,
        mirrored: bool = False,
        ray: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Duplicates:
        """Groups of photos that show the same picture: resized, recompressed, brightened or slightly cropped,
        with ``mirrored`` mirrored too. ``threshold``: likeness, 0.5..1, from which two photos count as the
        same. ``ray``: photos are looked at on the Ray cluster there, whose machines have to see them."""
        from dsslic_search.api.duplicates import DEFAULT_LIKENESS, find_duplicates

        check_flags(mirrored=mirrored)
        threshold = DEFAULT_LIKENESS if threshold is None else number_of(threshold, "threshold", 0.5, 1)
        with workplace(ray, None) as place:
            return find_duplicates(
                self.folder, self.catalog, threshold, mirrored, self.settings.max_pixels, progress, place
            )

    def exact_duplicates(self) -> ExactDuplicates:
        """Groups of byte-identical copies, by the paths at which photos lie, with the bytes that they take.
        Looks at each file, and reads none."""
        from dsslic_search.api.exact_duplicates import find_exact_duplicates

        return find_exact_duplicates(self.catalog)

    # Naming them

    def save(self, name: str, text: str, *, replace: bool = False) -> None:
        """Keep a query under a name, for "@name". QueryError when it is none, ArchiveError when the name is
        taken and it is not to be replaced, UsageError for an impossible name."""
        from dsslic_search.archive import notes

        check_flags(replace=replace)
        name = text_of(name, "the name of a saved query")
        self._searcher.check(text_of(text), name, lambda: self._indexes.ask(lambda indexes: indexes))
        notes.save_query(self.catalog, name, text, replace=replace)

    def saved_queries(self) -> dict[str, str]:
        """The texts of all saved queries by name."""
        return self._lookup.saved_queries()

    def forget(self, name: str) -> None:
        """Delete a saved query; ArchiveError when there is none of that name."""
        from dsslic_search.archive import notes

        notes.forget_query(self.catalog, text_of(name, "the name of a saved query"))

    def tag(self, names: Sequence[str] | str, ids: Ids) -> dict[str, int]:
        """Give photos tags; returns for each tag how many of them did not have it. UsageError for an
        impossible name, ArchiveError when there is no photo of an id; then nothing is changed."""
        from dsslic_search.archive import notes

        return notes.add_tags(self.catalog, names_of(names), ids_of(ids))

    def untag(self, names: Sequence[str] | str, ids: Ids | None) -> dict[str, int]:
        """Take tags from photos, or with None from all photos; returns for each tag how many of them had
        it."""
        from dsslic_search.archive import notes

        return notes.remove_tags(self.catalog, names_of(names), None if ids is None else ids_of(ids))

    def tags(self) -> dict[str, int]:
        """All tags with how many photos have them, most frequent first."""
        return self._lookup.tag_counts()

    def tags_of(self, photo_id: int) -> list[str]:
        """The tags of a photo."""
        from dsslic_search.archive import notes

        return notes.tags_of(self.catalog, self.photo(photo_id).id)

    # Showing them

    def photo(self, photo_id: int) -> Photo:
        """A photo's catalog row with its coverages; ArchiveError when there is no such id."""
        return self._searcher.photo(id_of(photo_id))

    def contents(self, photo: Photo | int) -> Contents:
        """Header and chunk table of a stored photo, reading nothing else."""
        from dsslic_search.api.showing import read_contents

        return read_contents(self.folder.store, self._row(photo))

    def info(self, photo_id: int) -> dict[str, Any]:
        """What is known of a photo, as plain values: file facts, coverage, regions, tags, the layers of its
        stored file (see `api.info.photo_info`), the ids of the photos that it replaced, and the clips beside
        it whose still it is."""
        from dsslic_search.api.info import photo_info
        from dsslic_search.api.showing import live_clips
        from dsslic_search.archive.known_paths import earlier_versions

        photo = self.photo(photo_id)
        return {
            **photo_info(self.folder.store, photo, self.vocabulary, self.tags_of(photo.id)),
            "earlier_versions": earlier_versions(self.catalog, photo.id),
            "live_photo_clips": live_clips(photo),
        }

    def dialect(self, photo: Photo | int) -> Dialect:
        """The vocabulary that a stored photo's label map speaks in, and what its classes mean in the
        archive's."""
        from dsslic_search.api.showing import read_dialect

        return read_dialect(self.folder.store, self._row(photo))

    def _row(self, photo: Photo | int) -> Photo:
        from dsslic_search.archive.schema import Photo

        return photo if isinstance(photo, Photo) else self.photo(photo)

    def original(self, photo_id: int) -> bytes:
        """The original file, bit for bit: from the archive in keep mode "exact", from its place in
        "reference".

        StageError in mode "layers", and when the place holds something else by now.
        """
        from dsslic_search.api.showing import original_of

        return original_of(self.folder.store, self.photo(photo_id))

    def ids(self, limit: int) -> list[int]:
        """The first ``limit`` photos that answers are of, by id."""
        from sqlalchemy import select

        from dsslic_search.archive.schema import Photo
        from dsslic_search.core.kinds import HIDDEN

        first = count_of(limit, "limit")
        chosen = select(Photo.id).where(Photo.state.not_in(HIDDEN)).order_by(Photo.id).limit(first)
        with self.catalog.session() as session:
            return list(session.scalars(chosen))

    def preview(self, photo_id: int, stage: str | None = None) -> Preview:
        """One stage of a photo, by default the best it has, reading only the bytes up to its end. StageError
        when the photo has no such stage."""
        from dsslic_search.api.showing import best_of

        wanted = best_of(self.photo(photo_id)) if stage is None else Stage.named(text_of(stage, "stage"))
        return next(self.progressive(photo_id, (wanted,)))

    def progressive(self, photo_id: int, stages: Sequence[str] | str | None = None) -> Iterator[Preview]:
        """Stages of a photo, by default all it has, as a slow link would show them: each reads on where the
        one before ended."""
        from dsslic_search.api.showing import best_of, held, stages_of

        named = None if stages is None else [Stage.named(stage) for stage in names_of(stages, "a stage")]
        photo = self.photo(photo_id)
        wanted = (held(photo) or (best_of(photo),)) if named is None else named
        return stages_of(self.folder.store, photo, wanted, self.settings.max_pixels)

    def fiftyone_importer(self, text: str, folder: Path | str | None = None) -> Any:
        """The photos that ``text`` asks for as samples, for ``fiftyone.Dataset.from_importer``; see
        `api.fiftyone_exchange.Importer`. ``folder``: where pictures go of photos whose originals are not
        there any more. MissingExtraError without FiftyOne."""
        found, to = self.find(text, limit=None), None if folder is None else path_of(folder)
        from dsslic_search.api.fiftyone_exchange import Importer

        return Importer(found.widened(), self.label_map, self.preview, self.vocabulary, to)

    # Counting them

    def statistics(
        self, text: str | None = None, *, among: Sequence[str] | str = (), facts: bool = False
    ) -> Statistics:
        """Counts and bytes of all photos, or of those that a query asks for; ``among``: queries that it
        refines, see `find`; ``facts``: with every fact of a photo that there is."""
        from dsslic_search.api.statistics import statistics

        check_flags(facts=facts)
        return statistics(
            self._indexes,
            self._searcher,
            self._lookup,
            lambda: self.catalog,
            self.vocabulary,
            self.settings,
            None if text is None else text_of(text),
            names_of(among, "a query that is refined"),
            facts,
        )

    def classes(self) -> tuple[ClassCount, ...]:
        """Every class of the vocabulary with how many photos show it, most frequent first; without an
        archive, zeros."""
        from dsslic_search.query.facets import count_classes

        if not self.folder.exists:
            return count_classes((), self.vocabulary, self.settings.presence)
        return self._indexes.ask(
            lambda indexes: count_classes(
                [(each.columns, each.columns.shown_rows()) for each in indexes],
                self.vocabulary,
                self.settings.presence,
            )
        )

    def unpack_ahead(self) -> None:
        """Unpack what questions of a large archive need first, as far as there is room, and load the compiled
        loops of questions about regions, so that none has to wait for it: for processes that answer many, in
        a thread of their own. Returns when it is done; at once for a small archive."""
        from dsslic_search.query.run.evaluate import LOOPS_AHEAD_FROM, unpack_ahead

        if not self.folder.exists:
            return
        if self._shards is not None:
            self._indexes.ask(self._shards.unpack_ahead)
            return
        self._indexes.ask(unpack_ahead)
        if len(self) >= LOOPS_AHEAD_FROM:
            other = self.vocabulary.classes[0].name  # what is of no class
            commonest = next(c.name for c in self.classes() if c.name != other)
            with suppress(QueryError):  # a name of somebody's own that is read otherwise
                for text in f"{commonest} above {commonest}", f"{commonest} in the left half":
                    self.find(text, limit=1)

    def palette(self) -> dict[str, str]:
        """The colour of each class, by name, as sketches are painted with it: "sky": "#5ab4f0"."""
        return {c.name: vocabulary.hex_colour(c.colour) for c in self.vocabulary.classes}
