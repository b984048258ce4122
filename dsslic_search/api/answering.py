"""From the text of a query, or a sketch, to photos, files and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dsslic_search.api.arguments import check_flags, count_of, ids_of, names_of, path_of, text_of
from dsslic_search.api.opened import OpenArchive
from dsslic_search.core.errors import Remedy, UsageError

if TYPE_CHECKING:
    from dsslic_search.api.answers import QueryResult
    from dsslic_search.api.arguments import Ids
    from dsslic_search.api.photo_dataset import PhotoDataset
    from dsslic_search.features.embedding import Canvas
    from dsslic_search.query.run.evaluate import Indexes, Resembled
    from dsslic_search.query.run.execute import Answer

MOST_PHOTOS = 2**62
"""No archive has so many."""
ENGINES = ("index", "sql")
"""What finds photos: the indexes, which tell all that can be asked and are made where they are missing, or
the catalog's database."""


class Answering(OpenArchive):
    """The part of `Archive` that answers."""

    def query(
        self,
        text: str,
        *,
        limit: int | None = 50,
        after: str | None = None,
        explain: bool = False,
        engine: str = "index",
    ) -> QueryResult:
        """The photos that ``text`` asks for, best first; see docs/query-language.md. ``limit``: photos on a
        page, None for all. ``after``: the cursor of the page before. ``explain``: tell in words what was
        understood. QueryError says what is not. ``engine``: "sql" to ask the catalog's database alone, which
        needs no indexes and makes none; UsageError for what that cannot tell.

        The page's photos are looked up already: it stays as it is when the archive changes, or is closed.
        """
        result = self.find(text, limit=limit, after=after, explain=explain, engine=engine)
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
        engine: str = "index",
    ) -> QueryResult:
        """As `query`, but no photo is looked up before it is taken, which suits large pages. ``start``: so
        many photos are passed over first. ``resemble``: what the photos shall be like, by embeddings of
        layouts, float32[m, DIMENSION], or as a `Resembled`; then the text only
        filters, and may be empty. ``among``: queries that this one refines: of the photos that these ask for,
        in the order that they ask for unless the text names another. ``engine="sql"`` explains
        nothing."""
        from dsslic_search.api.answers import QueryResult, cursor_text, read_cursor
        from dsslic_search.query.ast import whole
        from dsslic_search.query.explain import outermost, reading

        check_flags(explain=explain)
        if engine not in ENGINES:
            raise UsageError(f'engine "{engine}" is not one of: {", ".join(ENGINES)}')
        text = text_of(text)
        refining = names_of(among, "a query that is refined")
        limit = None if limit is None else count_of(limit, "limit")
        start = count_of(start, "start")
        asked_for = limit if limit is None or not start or not limit else min(start + limit, MOST_PHOTOS)
        cursor, before = read_cursor(None if after is None else text_of(after, "after, a cursor,"))

        def asked(indexes: Sequence[Indexes]) -> tuple[Answer, str, tuple[str, ...]]:
            answer = self._searcher.answer(
                indexes, text, limit=asked_for, after=cursor, resemble=resemble, among=refining
            )
            unseen = () if answer.total else answer.unseen()
            return answer, answer.explain() if explain else "", unseen

        if engine == "sql":
            if explain:
                told = "what each part of a query matches"
                raise UsageError(f"SQL alone cannot tell {told}; ask the indexes, with {Remedy.INDEXES}")
            answer, unseen = self._searcher.answer_in_sql(
                text, limit=asked_for, after=cursor, resemble=resemble, among=refining
            )
            explanation = ""
            if answer.query.tally:
                counted = f"how many photos there are of each {answer.query.tally}"
                raise UsageError(f"SQL alone does not tell {counted}; ask the indexes, with {Remedy.INDEXES}")
        else:
            answer, explanation, unseen = self._indexes.ask(asked)
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
            unseen=unseen,
            reading=outermost(whole(answer.query)),
            start=before,
            listed=answer.total if answer.query.limit is None else min(answer.total, answer.query.limit),
            look_up=partial(self._searcher.hits, ids, scores, answer.classes, before + 1),
            look_up_wide=partial(self._searcher.wide_hits, ids, scores, before + 1),
            all_classes=tuple(c.name for c in self.vocabulary.classes),
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

    def export(
        self,
        text: str,
        path: Path | str,
        form: str | None = None,
        *,
        columns: Sequence[str] | str | None = None,
        replace: bool = False,
    ) -> int:
        """Write all photos that ``text`` asks for into a file, best first, whole or not at all; returns how
        many. ``form``: one of `api.export.FORMATS`, else by the file's ending: .txt (paths), .json, .jsonl,
        .csv, .parquet or .arrow. ``columns``: see `table`; the usual ones unless told. ``replace``: also over
        a file that is there. UsageError for another form or column and where nothing may be written (see
        `core.output`), DSSError when it cannot be."""
        from dsslic_search.api import export
        from dsslic_search.core.output import Outputs

        check_flags(replace=replace)
        out = path_of(path)
        form = None if form is None else text_of(form, "form")
        form = form or export.format_of(out) or out.suffix
        export.check_format(form)
        named = None if columns is None else names_of(columns, "a column")
        export.check_columns(named, form)
        outputs = Outputs(replace)
        outputs.check(out, text=form not in export.BINARY)
        return export.write(self.find(text, limit=None), form, out, columns=named, outputs=outputs)

    def table(self, text: str, columns: Sequence[str] | str = "all") -> Any:
        """All photos that ``text`` asks for, best first, as a pyarrow.Table. ``columns``: names of
        `api.tables.PARTS` ("path", "taken", "coverage", "regions" …) and of `api.tables.GROUPS` ("all",
        "usual", "facts", "classes"); what is told by class has a column for each class. UsageError for other
        names, MissingExtraError without pyarrow."""
        named = names_of(columns, "a column")
        return self.find(text, limit=None).to_arrow(named)

    def chosen(self, ids: Ids) -> QueryResult:
        """The photos of some ids as an answer, in this order; those that are not there are left out as they
        are looked up."""
        from dsslic_search.api.answers import QueryResult

        wanted = ids_of(ids).tolist()
        return QueryResult(
            query="",
            total=len(wanted),
            classes=(),
            cursor=None,
            explanation="",
            unseen=(),
            look_up=partial(self._searcher.hits, wanted, [1.0] * len(wanted), (), 1),
            look_up_wide=partial(self._searcher.wide_hits, wanted, [1.0] * len(wanted), 1),
            all_classes=tuple(c.name for c in self.vocabulary.classes),
            listed=len(wanted),
        )

    def dataset(
        self,
        text: str,
        holds: Sequence[str] | str = ("id", "full"),
        *,
        size: str = "map",
        transform: Callable[[dict[str, Any]], Any] | None = None,
    ) -> PhotoDataset:
        """All photos that ``text`` asks for now, best first, as a torch.utils.data.Dataset whose items are
        dicts of what ``holds`` names; see `api.photo_dataset.PhotoDataset`. ``size``: of label maps, "map" or
        "photo". UsageError for what no item can hold."""
        from dsslic_search.api.labels import check_size
        from dsslic_search.api.photo_dataset import PhotoDataset, holdings

        text, wanted, size = text_of(text), holdings(names_of(holds, "what items hold")), check_size(size)
        ids = self._indexes.ask(lambda indexes: self._searcher.answer(indexes, text, limit=None).ids)
        opened: Any = partial(type(self), self.folder.root, self.settings)  # an Archive, which is more
        return PhotoDataset(opened, ids.tolist(), wanted, size=size, transform=transform)

    def matching(self, text: str) -> NDArray[np.int64]:
        """The ids of all photos that ``text`` asks for, newest first, whatever their rank."""

        text = text_of(text)

        return self._indexes.ask(lambda indexes: self._searcher.answer(indexes, text, limit=0).all_ids)
