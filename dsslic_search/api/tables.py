"""Photos of an answer as the rows of a table: for files, for Arrow and for pandas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dsslic_search.core.errors import MissingExtraError
from dsslic_search.core.fields import EXPORTED

if TYPE_CHECKING:
    from datetime import datetime

_OF_CLASSES = ("coverage", "certainty", "colours")  # what is told of each class


def columns(classes: Sequence[str]) -> list[str]:
    """The columns of a table of photos: what a `Hit` has, with a column for each fact and for the coverage,
    certainty and colours of each class."""
    known = (f"{what}_{name.replace(' ', '_')}" for what in _OF_CLASSES for name in classes)
    return ["rank", "id", "path", "paths", "score", *EXPORTED, "words", *known]


def row(hit: Any) -> tuple[Any, ...]:
    """The values of a `Hit` in the order of `columns`; of words their names alone, the likeliest first."""
    known = (*hit.coverage.values(), *hit.certainty.values(), *hit.class_colours.values())
    words = tuple(hit.words)
    return hit.rank, hit.id, hit.path, hit.paths, hit.score, *hit.facts.values(), words, *known


def schema(classes: Sequence[str]) -> Any:
    """The names and types of the columns, as a pyarrow.Schema. MissingExtraError without pyarrow."""
    arrow = pyarrow()
    kinds = {"whole": arrow.int64(), "pixels": arrow.int64(), "degrees": arrow.float64()}
    kinds |= {"whole or none": arrow.int64(), "number or none": arrow.float64()}
    kinds |= {name: arrow.string() for name in ("text", "prose", "path")}
    kinds |= {"words": arrow.list_(arrow.string()), "colours": arrow.list_(arrow.string())}
    kinds |= {"date": arrow.timestamp("us")}
    types = [arrow.int64(), arrow.int64(), arrow.string(), arrow.list_(arrow.string()), arrow.float64()]
    types += [kinds[column.values] for column in EXPORTED.values()]
    types += [kinds["words"], *(arrow.float64() for _ in (*classes, *classes))]
    types += [arrow.list_(arrow.string()) for _ in classes]
    return arrow.schema(list(zip(columns(classes), types, strict=True)))


def arrow_table(rows: Sequence[tuple[Any, ...]], made: Any) -> Any:
    """Rows as a pyarrow.Table of a schema."""
    arrow = pyarrow()
    by_column = zip(*rows, strict=True) if rows else ((),) * len(made)
    arrays = [arrow.array(column, kind) for column, kind in zip(by_column, made.types, strict=True)]
    return arrow.table(arrays, schema=made)


def frame(hits: Iterable[Any], classes: Sequence[str]) -> Any:
    """A pandas.DataFrame of `Hit`s, dates as datetime64, numbers that are not known as NaN. MissingExtraError
    without pandas."""
    try:
        import pandas
    except ImportError as e:
        raise MissingExtraError(
            'a data frame needs the package pandas; install it with: pip install "dsslic-search[notebook]"'
        ) from e
    names = columns(classes)
    made = pandas.DataFrame.from_records([row(hit) for hit in hits], columns=names)
    for name, column in EXPORTED.items():
        match column.values:
            case "date":
                moments: list[datetime | None] = made[name].tolist()
                made[name] = pandas.to_datetime(pandas.Series(moments, index=made.index, dtype="object"))
            case "degrees" | "whole or none" | "number or none":
                made[name] = made[name].astype("float64")
            case "whole" | "pixels":
                made[name] = made[name].astype("int64")
    return made


def pyarrow() -> Any:
    """The package; MissingExtraError without it."""
    try:
        import pyarrow
    except ImportError as e:
        raise MissingExtraError(
            'Parquet needs the package pyarrow; install it with: pip install "dsslic-search[parquet]"'
        ) from e
    return pyarrow
