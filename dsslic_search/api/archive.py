"""``Archive``: photos in, queries, previews. The command line is a thin layer over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

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
from dsslic_search.core import vocabulary
from dsslic_search.core.kinds import Stage

if TYPE_CHECKING:
    from dsslic_search.api.arguments import Ids
    from dsslic_search.api.completion import Completion
    from dsslic_search.api.duplicates import Duplicates
    from dsslic_search.api.exact_duplicates import ExactDuplicates
    from dsslic_search.api.searching import QueryResult
    from dsslic_search.api.showing import Preview
    from dsslic_search.api.statistics import Statistics
    from dsslic_search.archive.schema import Photo
    from dsslic_search.codec.container import Contents
    from dsslic_search.core.dialect import Dialect
    from dsslic_search.features.embedding import Canvas
    from dsslic_search.query.facets import ClassCount
    from dsslic_search.query.run.evaluate import Indexes, Resembled
    from dsslic_search.query.run.execute import Answer

MOST_PHOTOS = 2**62
"""No archive has so many."""


class Archive(Keeping, Following, GettingOut, Browsing):
    """An archive of photos: ``ingest`` puts them in, ``query`` finds them, ``preview`` shows them.

    ``path``: its directory, else $DSS_ARCHIVE, else the platform's data directory for this user. Nothing is
    read or made before it is needed, and indexes stay open between queries. Close it, or use it in a
    ``with``. Every method raises ArchiveError when the archive is missing, damaged, or made by a newer
    version, and UsageError for an argument of another kind than it takes; one name, path or id may stand for
    a list of one.
    """

    # Finding them

    def query(
        self, text: str, *, limit: int | None = 50, after: str | None = None, explain: bool = False
    ) -> QueryResult:
        """The photos that ``text`` asks for, best first; see docs/query-language.md. ``limit``: photos on a
        page, None for all. ``after``: the cursor of the page before. ``explain``: tell in words what was
        understood. QueryError says what is not.

        The page's photos are looked up already: it stays as it is when the archive changes, or is closed.
        """
        result = self.find(text, limit=limit, after=after, explain=explain)
        _ = result.hits
        return result

    def find(
        self,
        text: str,
        *,
        limit: int | None = 50,
        after: str | None = None,
        start: int = 0,
        explain: bool = False,
        resemble: NDArray[np.float32] | Resembled | None = None,
        among: Sequence[str] | str = (),
    ) -> QueryResult:
        """As `query`, but no photo is looked up before it is taken, which suits large pages. ``start``: so
        many photos are passed over first. ``resemble``: what the photos shall be like, by embeddings of
        layouts, float32[m, DIMENSION], or as a `Resembled`; then the text only
        filters, and may be empty. ``among``: queries that this one refines: of the photos that these ask for,
        in the order that they ask for unless the text names another."""
        from dsslic_search.api.searching import QueryResult, cursor_text, read_cursor
        from dsslic_search.query.ast import whole
        from dsslic_search.query.explain import outermost, reading

        check_flags(explain=explain)
        text = text_of(text)
        refining = names_of(among, "a query that is refined")
        limit = None if limit is None else count_of(limit, "limit")
        start = count_of(start, "start")
        asked_for = limit if limit is None or not start or not limit else min(start + limit, MOST_PHOTOS)
        cursor, before = read_cursor(None if after is None else text_of(after, "after, a cursor,"))

        def asked(indexes: Sequence[Indexes]) -> tuple[Answer, str]:
            answer = self._searcher.answer(
                indexes, text, limit=asked_for, after=cursor, resemble=resemble, among=refining
            )
            return answer, answer.explain() if explain else ""

        answer, explanation = self._indexes.ask(asked)
        ids, scores = answer.ids[start:].tolist(), answer.scores[start:].tolist()
        before += start
        return QueryResult(
            query=text,
            total=answer.total,
            classes=tuple(self.vocabulary.classes[c].name for c in answer.classes),
            cursor=cursor_text(answer.cursor, before + len(ids)),
            read_as=reading(answer.query),
            tally=answer.query.tally,
            notes=answer.query.notes,
            explanation=explanation,
            unseen=() if answer.total else answer.unseen(),
            reading=outermost(whole(answer.query)),
            start=before,
            listed=answer.total if answer.query.limit is None else min(answer.total, answer.query.limit),
            look_up=partial(self._searcher.hits, ids, scores, answer.classes, before + 1),
        )

    def sketch(
        self,
        canvas: Canvas | Path | str,
        text: str = "",
        *,
        mirrored: bool = False,
        limit: int | None = 50,
        after: str | None = None,
        explain: bool = False,
    ) -> QueryResult:
        """The photos laid out like a canvas, most alike first: a painted PNG file, a JSON file of shapes (see
        docs/layout.md), or a `features.embedding.Canvas`; of those that ``text`` asks for, if it is given.
        ``mirrored``: left and right may be exchanged. Photos are looked up as they are taken. UsageError says
        what is wrong with a canvas."""
        from dsslic_search.api.coding import read_file
        from dsslic_search.features.canvas import read_canvas
        from dsslic_search.features.embedding import Canvas

        check_flags(mirrored=mirrored, explain=explain)
        if not isinstance(canvas, Canvas):
            file = path_of(canvas, "a sketch")
            canvas = read_canvas(read_file(file), str(file), self.vocabulary)
        resemble = canvas.queries(self.vocabulary, with_mirrored=mirrored)
        return self.find(text, limit=limit, after=after, explain=explain, resemble=resemble)

    def export(self, text: str, path: Path | str, form: str | None = None, *, replace: bool = False) -> int:
        """Write all photos that ``text`` asks for into a file, best first, whole or not at all; returns how
        many. ``form``: "paths", "json", "csv" or "parquet", else by the file's ending: .txt, .json, .csv or
        .parquet. ``replace``: also over a file that is there. UsageError for another form and where nothing
        may be written (see `core.output`), DSSError when it cannot be."""
        from dsslic_search.api import export
        from dsslic_search.core.output import Outputs

        check_flags(replace=replace)
        out = path_of(path)
        form = None if form is None else text_of(form, "form")
        form = form or export.format_of(out) or out.suffix
        export.check_format(form)
        outputs = Outputs(replace)
        outputs.check(out, text=form != "parquet")
        return export.write(self.find(text, limit=None), form, out, outputs=outputs)

    def chosen(self, ids: Ids) -> QueryResult:
        """The photos of some ids as an answer, in this order; those that are not there are left out as they
        are looked up."""
        from dsslic_search.api.searching import QueryResult

        wanted = ids_of(ids).tolist()
        return QueryResult(
            query="",
            total=len(wanted),
            classes=(),
            cursor=None,
            explanation="",
            unseen=(),
            look_up=partial(self._searcher.hits, wanted, [1.0] * len(wanted), (), 1),
            listed=len(wanted),
        )

    def matching(self, text: str) -> NDArray[np.int64]:
        """The ids of all photos that ``text`` asks for, newest first, whatever their rank."""

        text = text_of(text)

        return self._indexes.ask(lambda indexes: self._searcher.answer(indexes, text, limit=0).all_ids)

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
        progress: Callable[[int, int], None] | None = None,
    ) -> Duplicates:
        """Groups of photos that show the same picture: resized, recompressed, brightened or slightly cropped,
        with ``mirrored`` mirrored too. ``threshold``: likeness, 0.5..1, from which two photos count as the
        same."""
        from dsslic_search.api.duplicates import DEFAULT_LIKENESS, find_duplicates

        check_flags(mirrored=mirrored)
        threshold = DEFAULT_LIKENESS if threshold is None else number_of(threshold, "threshold", 0.5, 1)
        return find_duplicates(
            self.folder, self.catalog, threshold, mirrored, self.settings.max_pixels, progress
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

    # Counting them

    def statistics(self, text: str | None = None, *, among: Sequence[str] | str = ()) -> Statistics:
        """Counts and bytes of all photos, or of those that a query asks for; ``among``: queries that it
        refines, see `find`."""
        from dsslic_search.api.statistics import statistics

        return statistics(
            self._indexes,
            self._searcher,
            self._lookup,
            lambda: self.catalog,
            self.vocabulary,
            self.settings,
            None if text is None else text_of(text),
            names_of(among, "a query that is refined"),
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

    def palette(self) -> dict[str, str]:
        """The colour of each class, by name, as sketches are painted with it: "sky": "#5ab4f0"."""
        return {c.name: vocabulary.hex_colour(c.colour) for c in self.vocabulary.classes}
