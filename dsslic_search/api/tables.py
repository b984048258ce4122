"""Photos of an answer as the rows of a table: for files, for Arrow, pandas and Polars.

A table is made of parts, chosen by name (`chosen`). In JSON each part is one value, so that what is told of
classes is an object by class; in flat tables such a part is one column for each class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dsslic_search.core.errors import MissingExtraError, UsageError
from dsslic_search.core.fields import EXPORTED
from dsslic_search.core.text import closest, did_you_mean, quoted

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Part:
    """``name``: by which it is chosen, and its key in JSON. ``values``: kind of its values, as
    `core.fact.Column.values` names them, or "number", "texts", "numbers", "regions". ``of``: its value of an
    `api.answers.Hit`; where it is told ``by_class``, a mapping from class names. ``column``: what the names
    of columns begin with that tell it by class. ``flat``: makes what a cell of a flat table
    holds of the value.
    ``wide``: whether hits must be looked up with all their details."""

    name: str
    values: str
    of: Callable[[Any], Any]
    by_class: bool = False
    column: str = ""
    flat: Callable[[Any], Any] | None = None
    wide: bool = False


def _fact(name: str) -> Part:
    return Part(name, EXPORTED[name].values, lambda hit: hit.facts[name])


_PLACE = (
    Part("rank", "whole", lambda hit: hit.rank),
    Part("id", "whole", lambda hit: hit.id),
    Part("path", "path", lambda hit: hit.path),
    Part("paths", "texts", lambda hit: hit.paths),
    Part("score", "number", lambda hit: hit.score),
)
_FACTS = tuple(map(_fact, EXPORTED))
_WORDS = Part("words", "texts", lambda hit: hit.words, flat=tuple)
_OF_CLASSES = (
    Part("coverage", "number", lambda hit: hit.coverage, by_class=True, column="coverage"),
    Part("certainty", "number", lambda hit: hit.certainty, by_class=True, column="certainty"),
    Part("class_colours", "texts", lambda hit: hit.class_colours, by_class=True, column="colours"),
)
_WIDE = (
    Part("word_probabilities", "numbers", lambda hit: tuple(hit.words.values())),
    Part("counts", "whole", lambda hit: hit.details.counts, by_class=True, column="count", wide=True),
    Part("regions", "regions", lambda hit: hit.details.regions, wide=True),
    Part("tags", "texts", lambda hit: hit.details.tags, wide=True),
    Part("added", "date", lambda hit: hit.details.added, wide=True),
    Part("keep", "text", lambda hit: hit.details.keep, wide=True),
    Part("state", "text", lambda hit: hit.details.state, wide=True),
    Part("hash", "text", lambda hit: hit.details.content_hash, wide=True),
)
USUAL = (*_PLACE, *_FACTS, _WORDS, *_OF_CLASSES)
"""What tables have unless told."""
PARTS: Mapping[str, Part] = {part.name: part for part in (*USUAL, *_WIDE)}
GROUPS: Mapping[str, tuple[Part, ...]] = {
    "usual": USUAL,
    "facts": _FACTS,
    "classes": (*_OF_CLASSES, PARTS["counts"]),
    "all": tuple(PARTS.values()),
}


def chosen(names: Sequence[str]) -> tuple[Part, ...]:
    """The parts of some names and `GROUPS`, each once, in this order. UsageError for one that there is
    not."""
    found: dict[str, Part] = {}
    for name in names:
        wanted = name.strip().casefold()
        if wanted not in GROUPS and wanted not in PARTS:
            close = closest(wanted, (*GROUPS, *PARTS))
            more = did_you_mean(close) if close else f"there are {', '.join((*GROUPS, *PARTS))}"
            raise UsageError(f"no column is called {quoted(name)}: {more}")
        parts = GROUPS.get(wanted) or (PARTS[wanted],)
        found |= {part.name: part for part in parts}
    if not found:
        raise UsageError(f"no columns were named; there are {', '.join((*GROUPS, *PARTS))}")
    return tuple(found.values())


@dataclass(frozen=True)
class Table:
    """The columns of a flat table of photos: ``parts``, those by class with a column for each of
    ``classes``."""

    parts: tuple[Part, ...]
    classes: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """Their names."""
        return [name for part in self.parts for name in self._columns(part)]

    def _columns(self, part: Part) -> list[str]:
        if not part.by_class:
            return [part.name]
        return [f"{part.column}_{name.replace(' ', '_')}" for name in self.classes]

    def row(self, hit: Any) -> tuple[Any, ...]:
        """The values of a hit in the order of `columns`; of words their names alone, the likeliest first."""
        cells: list[Any] = []
        for part in self.parts:
            value = part.of(hit)
            if part.by_class:
                cells += [value[name] for name in self.classes]
            else:
                cells.append(value if part.flat is None else part.flat(value))
        return tuple(cells)

    def schema(self) -> Any:
        """The names and types of the columns, as a pyarrow.Schema. MissingExtraError without pyarrow."""
        arrow = pyarrow()
        texts = arrow.list_(arrow.string())
        share = arrow.float64()
        touches = arrow.struct([("class", arrow.string()), ("under", share), ("border", share)])
        places = [(name, share) for name in ("area", "left", "top", "right", "bottom", "x", "y")]
        region = arrow.struct([("class", arrow.string()), *places, ("touches", arrow.list_(touches))])
        kinds = {"whole": arrow.int64(), "pixels": arrow.int64(), "whole or none": arrow.int64()}
        kinds |= dict.fromkeys(("degrees", "number", "number or none"), arrow.float64())
        kinds |= dict.fromkeys(("text", "prose", "path"), arrow.string())
        kinds |= dict.fromkeys(("words", "colours", "texts"), texts)
        kinds |= {"date": arrow.timestamp("us"), "numbers": arrow.list_(share)}
        kinds |= {"regions": arrow.list_(region)}
        return arrow.schema(
            [(name, kinds[part.values]) for part in self.parts for name in self._columns(part)]
        )

    def arrow(self, hits: Iterable[Any]) -> Any:
        """Hits as a pyarrow.Table."""
        return arrow_table([self.row(hit) for hit in hits], self.schema())

    def frame(self, hits: Iterable[Any]) -> Any:
        """A pandas.DataFrame of hits, dates as datetime64, numbers that are not known as NaN.
        MissingExtraError without pandas."""
        try:
            import pandas
        except ImportError as e:
            raise MissingExtraError(
                "a data frame needs the package pandas; install it with: "
                'pip install "dsslic-search[notebook]"'
            ) from e
        made = pandas.DataFrame.from_records([self.row(hit) for hit in hits], columns=self.columns)
        for part in self.parts:
            if part.by_class:
                continue
            match part.values:
                case "date":
                    moments: list[datetime | None] = made[part.name].tolist()
                    made[part.name] = pandas.to_datetime(
                        pandas.Series(moments, index=made.index, dtype="object")
                    )
                case "degrees" | "whole or none" | "number or none":
                    made[part.name] = made[part.name].astype("float64")
                case "whole" | "pixels":
                    made[part.name] = made[part.name].astype("int64")
        return made


def arrow_table(rows: Sequence[tuple[Any, ...]], made: Any) -> Any:
    """Rows as a pyarrow.Table of a schema."""
    arrow = pyarrow()
    by_column = zip(*rows, strict=True) if rows else ((),) * len(made)
    arrays = [arrow.array(column, kind) for column, kind in zip(by_column, made.types, strict=True)]
    return arrow.table(arrays, schema=made)


def polars_of(table: Any) -> Any:
    """A pyarrow.Table as a polars.DataFrame. MissingExtraError without polars."""
    try:
        import polars
    except ImportError as e:
        raise MissingExtraError(
            'a Polars frame needs the package polars; install it with: pip install "dsslic-search[polars]"'
        ) from e
    return polars.from_arrow(table)


def pyarrow() -> Any:
    """The package; MissingExtraError without it."""
    try:
        import pyarrow
    except ImportError as e:
        raise MissingExtraError(
            "Parquet and Arrow need the package pyarrow; install it with: "
            'pip install "dsslic-search[parquet]"'
        ) from e
    return pyarrow
