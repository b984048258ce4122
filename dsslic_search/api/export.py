"""What a query found, in forms that other programs read: paths, JSON, lines of JSON, CSV, Parquet, Arrow.
Photos are written as they are looked up."""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

from dsslic_search.api.tables import Part, Table, arrow_table, chosen, pyarrow
from dsslic_search.core.errors import UsageError
from dsslic_search.core.files import native_name
from dsslic_search.core.output import NEW_FILES, Outputs

if TYPE_CHECKING:
    from dsslic_search.api.answers import Hit, QueryResult

FORMATS = ("paths", "json", "jsonl", "csv", "parquet", "arrow")
BINARY = ("parquet", "arrow")
ROW_GROUP = 50_000  # rows of Parquet and Arrow written at once
BETWEEN_PATHS = "\n"  # of a photo that lies at several, in a cell of CSV
BETWEEN_WORDS = "; "  # of a fact that has several, in a cell of CSV
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with one of these a spreadsheet's formula begins
_BY_SUFFIX = {f".{form}": form for form in FORMATS[1:]} | {
    ".txt": "paths",
    ".ndjson": "jsonl",
    ".feather": "arrow",
}


def format_of(path: Path) -> str | None:
    """The format that a file's ending tells, if it tells one."""
    return _BY_SUFFIX.get(path.suffix.lower())


def check_format(name: str) -> None:
    """UsageError when there is no format of that name, MissingExtraError when a package for it is missing."""
    if name not in FORMATS:
        raise UsageError(f'format "{name}" is not one of: {", ".join(FORMATS)}')
    if name in BINARY:
        pyarrow()


def check_columns(names: Sequence[str] | None, form: str | None) -> None:
    """UsageError for columns that there are not, and where they are named for a list of paths."""
    if names is None:
        return
    chosen(names)
    if form in (None, "paths"):
        raise UsageError(
            f"columns are for tables, not for {'lines for people' if form is None else 'paths'}; "
            f"choose one of the formats {', '.join(FORMATS[1:])}"
        )


def write(
    found: QueryResult,
    form: str,
    out: Path | TextIO,
    end: bytes = b"\n",
    *,
    columns: Sequence[str] | None = None,
    outputs: Outputs = NEW_FILES,
) -> int:
    """Write a page of photos to a file, whole or not at all, or to a text stream that has a ``buffer``;
    returns how many. ``end``: what ends a path. ``columns``: names of `api.tables.PARTS` and
    `api.tables.GROUPS`, the usual ones unless told; UsageError for others."""
    check_columns(columns, form)
    found, table = found.tabular(columns)
    counted = _Counted(found)
    if form == "paths" or form in BINARY:
        with _bytes(out, outputs, text=form == "paths") as raw:
            if form == "paths":
                raw.writelines(os.fsencode(native_name(hit.path)) + end for hit in counted)
            else:
                _WRITERS[form](raw, counted, table)
    else:
        with _text(out, outputs) as stream:
            if form == "json":
                _write_json(stream, found, counted, table.parts)
            elif form == "jsonl":
                stream.writelines(_as_line(hit, table.parts) for hit in counted)
            else:
                _write_csv(stream, counted, table)
    return counted.count


class _Counted:
    """Things, counted as they are taken."""

    def __init__(self, hits: Iterable[Hit]) -> None:
        self.count = 0
        self._hits = hits

    def __iter__(self) -> Iterator[Hit]:
        for hit in self._hits:
            self.count += 1
            yield hit


def _as_plain(hit: Hit, parts: Sequence[Part]) -> dict[str, Any]:
    """For JSON: facts stand beside the other values, dates as ISO 8601 has them."""
    values = ((part.name, part.of(hit)) for part in parts)
    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in values}


def _as_line(hit: Hit, parts: Sequence[Part]) -> str:
    return json.dumps(_as_plain(hit, parts), ensure_ascii=False) + "\n"


def _write_json(stream: TextIO, found: QueryResult, hits: Iterable[Hit], parts: Sequence[Part]) -> None:
    """As ``json.dumps`` of the whole would write it."""
    head = json.dumps(
        {"query": found.query, "read_as": found.read_as, "total": found.total, "cursor": found.cursor},
        indent=2,
        ensure_ascii=False,
    )
    stream.write(head.removesuffix("\n}") + ',\n  "results": [')
    between = "\n"
    for hit in hits:
        shown = json.dumps(_as_plain(hit, parts), indent=2, ensure_ascii=False)
        stream.write(between + "    " + shown.replace("\n", "\n    "))
        between = ",\n"
    stream.write("]\n}\n" if between == "\n" else "\n  ]\n}\n")


def _write_csv(stream: TextIO, hits: Iterable[Hit], table: Table) -> None:
    lines = csv.writer(stream, lineterminator="\n")
    names = table.columns
    lines.writerow(names)
    for hit in hits:
        lines.writerow(map(_cell, names, table.row(hit)))


def _cell(name: str, value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: files may say of themselves what they like, so a text
    that begins like one gets an apostrophe before it. Paths begin with a slash. What has parts of its own is
    JSON."""
    if isinstance(value, tuple):
        value = (BETWEEN_PATHS if name == "paths" else BETWEEN_WORDS).join(map(str, value))
    elif isinstance(value, list):
        value = json.dumps(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _write_parquet(raw: IO[bytes], hits: Iterable[Hit], table: Table) -> None:
    from pyarrow import parquet

    made = table.schema()
    with parquet.ParquetWriter(raw, made) as writer:
        for part in _parts(hits, table):
            writer.write_table(arrow_table(part, made))


def _write_arrow(raw: IO[bytes], hits: Iterable[Hit], table: Table) -> None:
    """As a file of Arrow's interprocess format, which Feather (version 2) is too."""
    from pyarrow import ipc

    made = table.schema()
    with ipc.new_file(raw, made) as writer:
        for part in _parts(hits, table):
            writer.write_table(arrow_table(part, made))


_WRITERS = {"parquet": _write_parquet, "arrow": _write_arrow}


def _parts(hits: Iterable[Hit], table: Table) -> Iterator[list[tuple[Any, ...]]]:
    rows = map(table.row, hits)
    while part := list(itertools.islice(rows, ROW_GROUP)):
        yield part


@contextmanager
def _bytes(out: Path | TextIO, outputs: Outputs, *, text: bool) -> Iterator[IO[bytes]]:
    """Where bytes go: a file that appears when all is written, or what is under a stream of text."""
    if isinstance(out, Path):
        with outputs.stream(out, text=text) as raw:
            yield raw
        return
    out.flush()
    yield out.buffer
    out.buffer.flush()


@contextmanager
def _text(out: Path | TextIO, outputs: Outputs) -> Iterator[TextIO]:
    """Where text goes: a file in UTF-8, or a stream in what it takes."""
    if not isinstance(out, Path):
        yield out
        return
    with _bytes(out, outputs, text=True) as raw:
        stream = TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="")
        yield stream
        stream.detach()
