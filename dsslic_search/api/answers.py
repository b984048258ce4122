"""What a query answers: photos with their facts, and a page of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dsslic_search.api import notebook, tables
from dsslic_search.core.cached import cached_property
from dsslic_search.core.fact import FactValue

if TYPE_CHECKING:
    from dsslic_search.api.notebook import Thumbnail


@dataclass(frozen=True)
class HitDetails:
    """Of a photo what most who look hits up do without: the hash of its original (SHA-256, hexadecimal), its
    keep mode and state, when it was added (UTC), its tags by name; ``counts``: how many regions it has of
    each class; ``regions``: as `Archive.info` has them, largest first, or None where an older version
    described it."""

    content_hash: str
    keep: str
    state: str
    added: datetime
    tags: tuple[str, ...]
    counts: dict[str, int | None]
    regions: list[dict[str, Any]] | None


@dataclass(frozen=True)
class Hit:
    """One photo that answers a query. ``rank`` from 1, going on from page to page; ``score`` 0..1; ``facts``:
    those of `core.fields.EXPORTED` by name, several words as a tuple, None where not known; ``coverage``:
    class name → fraction of the photo, for the classes the query speaks of; ``paths``: all at which the photo
    lies, of which ``path`` is the first, or none. ``certainty``: of the same classes how sure the segmenter
    was, 0..1, None where that is not known; ``class_colours``: which colours they show there. ``words``: what
    the whole photo is likely to show. ``known``: see `details`."""

    rank: int
    id: int
    path: str
    score: float
    facts: dict[str, FactValue | tuple[str, ...]]
    coverage: dict[str, float]
    paths: tuple[str, ...] = ()
    certainty: dict[str, float | None] = field(default_factory=dict)
    class_colours: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stored_words: bytes | None = field(default=None, repr=False)
    thumbnail: Thumbnail | None = field(default=None, repr=False, compare=False)
    known: HitDetails | None = field(default=None, repr=False)

    @property
    def details(self) -> HitDetails:
        """Of hits of a `QueryResult.widened`; the others have none."""
        assert self.known is not None
        return self.known

    def _repr_html_(self) -> str:
        """For notebooks."""
        told = notebook.coverage_text(self.coverage) or f"score {self.score:.3f}"
        return notebook.card(self.id, self.path, told, self.thumbnail)

    @property
    def words(self) -> dict[str, float]:
        """The probability of each word, the likeliest first; empty where its file does not say."""
        from dsslic_search.features.image_words import named as named_words

        return named_words(self.stored_words)


@dataclass(frozen=True)
class QueryResult:
    """A page of what a query or a sketch found, best first: ``for hit in result`` looks hits up as they are
    taken, which suits large pages; `hits` has them all at once.

    ``total``: photos that match, exactly. ``classes``: the keys of the hits' ``coverage``. ``cursor`` leads
    to the next page, None at the end. ``explanation``: text for people, if it was asked for. ``unseen``:
    where nothing matches, the things asked about that no photo here shows at all. ``look_up`` goes through
    the page's hits, for as long as the archive is open; photos that are gone since are left out. ``read_as``:
    how the query is grouped, where it mixes "and", "or" and "not"; else None. ``listed``: ``total``, or the
    number of photos that the query itself names, if that is less. ``reading``: the query in its normal form.
    ``start``: how many photos come before the page. ``tally``: what the query
    asks to count photos by, "" for all together; None where it asks for photos. ``notes``: how words were
    read that are none of the vocabulary.
    """

    query: str
    total: int
    classes: tuple[str, ...]
    cursor: str | None
    explanation: str
    unseen: tuple[str, ...]
    look_up: Callable[[], Iterator[Hit]] = field(repr=False, compare=False)
    look_up_wide: Callable[[], Iterator[Hit]] | None = field(default=None, repr=False, compare=False)
    all_classes: tuple[str, ...] = field(default=(), repr=False, compare=False)
    read_as: str | None = None
    listed: int = 0
    reading: str = ""
    start: int = 0
    tally: str | None = None
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.__dict__["hits"]) if "hits" in self.__dict__ else self.look_up()

    @cached_property
    def hits(self) -> tuple[Hit, ...]:
        """All of the page, looked up once."""
        return tuple(self.look_up())

    def __len__(self) -> int:
        """Photos of the page; `total` has those of all pages."""
        return len(self.hits)

    def __bool__(self) -> bool:
        """An answer is one, whatever it found."""
        return True

    def widened(self) -> QueryResult:
        """The same page, whose hits tell of every class, and have `Hit.details`."""
        assert self.look_up_wide is not None
        return replace(self, look_up=self.look_up_wide, classes=self.all_classes)

    def tabular(self, columns: Sequence[str] | None) -> tuple[QueryResult, tables.Table]:
        """The page's table with some columns, see `api.tables.chosen`, and the page with hits that have them.
        None: the usual ones, with the classes that the query speaks of; columns that are named tell of all
        classes."""
        if columns is None:
            return self, tables.Table(tables.USUAL, self.classes)
        parts = tables.chosen(columns)
        found = self.widened() if any(part.by_class or part.wide for part in parts) else self
        return found, tables.Table(parts, found.classes)

    def to_arrow(self, columns: Sequence[str] | None = None) -> Any:
        """The page as a pyarrow.Table, with the columns of a Parquet file of it: the usual ones, or those of
        some names (see `api.tables.PARTS`) and groups of names ("all", "facts", "classes", "usual").
        UsageError for another name, MissingExtraError without pyarrow."""
        found, table = self.tabular(columns)
        return table.arrow(found)

    def to_pandas(self, columns: Sequence[str] | None = None) -> Any:
        """The page as a pandas.DataFrame, with the same columns. MissingExtraError without pandas."""
        found, table = self.tabular(columns)
        return table.frame(found)

    def to_polars(self, columns: Sequence[str] | None = None) -> Any:
        """The page as a polars.DataFrame, with the same columns. MissingExtraError without polars and
        pyarrow."""
        return tables.polars_of(self.to_arrow(columns))

    def _repr_html_(self) -> str:
        """For notebooks."""
        cards = [hit._repr_html_() for hit in self.hits[: notebook.PHOTOS_SHOWN]]
        return notebook.answer(self.query, self.reading, self.total, cards, len(self.hits))


def read_cursor(after: str | None) -> tuple[str | None, int]:
    """The cursor of an answer, and how many photos the pages before have shown, from a cursor that users
    see."""
    cursor, dot, shown = (after or "").rpartition(".")
    if dot and shown.isdecimal() and len(shown) < 16:
        return cursor, int(shown)
    return after, 0  # what is no cursor is for the query to tell


def cursor_text(cursor: str | None, shown: int) -> str | None:
    """A cursor that users see."""
    return None if cursor is None else f"{cursor}.{shown}"
