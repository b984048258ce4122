"""What a query found, in forms that other programs read: paths, JSON, CSV, Parquet. Photos are written as
they are looked up."""

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

from dsslic_search.api.tables import arrow_table, columns, pyarrow, row, schema
from dsslic_search.core.errors import UsageError
from dsslic_search.core.files import text_to_path
from dsslic_search.core.output import NEW_FILES, Outputs

if TYPE_CHECKING:
    from dsslic_search.api.searching import Hit, QueryResult

FORMATS = ("paths", "json", "csv", "parquet")
ROW_GROUP = 50_000  # rows of Parquet written at once
BETWEEN_PATHS = "\n"  # of a photo that lies at several, in a cell of CSV
BETWEEN_WORDS = "; "  # of a fact that has several, in a cell of CSV
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with one of these a spreadsheet's formula begins
_BY_SUFFIX = {".txt": "paths", ".json": "json", ".csv": "csv", ".parquet": "parquet"}


def format_of(path: Path) -> str | None:
    """The format that a file's ending tells, if it tells one."""
    return _BY_SUFFIX.get(path.suffix.lower())


def check_format(name: str) -> None:
    """UsageError when there is no format of that name, MissingExtraError when a package for it is missing."""
    if name not in FORMATS:
        raise UsageError(f'format "{name}" is not one of: {", ".join(FORMATS)}')
    if name == "parquet":
        pyarrow()


def write(
    found: QueryResult, form: str, out: Path | TextIO, end: bytes = b"\n", *, outputs: Outputs = NEW_FILES
) -> int:
    """Write a page of photos to a file, whole or not at all, or to a text stream that has a ``buffer``;
    returns how many. ``end``: what ends a path."""
    counted = _Counted(found)
    if form in ("paths", "parquet"):
        with _bytes(out, outputs, text=form == "paths") as raw:
            if form == "paths":
                raw.writelines(os.fsencode(text_to_path(hit.path)) + end for hit in counted)
            else:
                _write_parquet(raw, counted, found.classes)
    else:
        with _text(out, outputs) as stream:
            if form == "json":
                _write_json(stream, found, counted)
            else:
                _write_csv(stream, counted, found.classes)
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


def _as_plain(hit: Hit) -> dict[str, Any]:
    """For JSON: facts stand beside the other values, dates as ISO 8601 has them."""
    facts = {name: v.isoformat() if isinstance(v, datetime) else v for name, v in hit.facts.items()}
    return {
        "rank": hit.rank,
        "id": hit.id,
        "path": hit.path,
        "paths": hit.paths,
        "score": hit.score,
        **facts,
        "words": hit.words,
        "coverage": hit.coverage,
        "certainty": hit.certainty,
        "class_colours": hit.class_colours,
    }


def _write_json(stream: TextIO, found: QueryResult, hits: Iterable[Hit]) -> None:
    """As ``json.dumps`` of the whole would write it."""
    head = json.dumps(
        {"query": found.query, "read_as": found.read_as, "total": found.total, "cursor": found.cursor},
        indent=2,
        ensure_ascii=False,
    )
    stream.write(head.removesuffix("\n}") + ',\n  "results": [')
    between = "\n"
    for hit in hits:
        stream.write(
            between
            + "    "
            + json.dumps(_as_plain(hit), indent=2, ensure_ascii=False).replace("\n", "\n    ")
        )
        between = ",\n"
    stream.write("]\n}\n" if between == "\n" else "\n  ]\n}\n")


def _write_csv(stream: TextIO, hits: Iterable[Hit], classes: Sequence[str]) -> None:
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(columns(classes))
    for hit in hits:
        rank, photo_id, path, paths, *others = row(hit)
        table.writerow(map(_cell, (rank, photo_id, path, BETWEEN_PATHS.join(paths), *others)))


def _cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: files may say of themselves what they like, so a text
    that begins like one gets an apostrophe before it. Paths begin with a slash."""
    if isinstance(value, tuple):
        value = BETWEEN_WORDS.join(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _write_parquet(raw: IO[bytes], hits: Iterable[Hit], classes: Sequence[str]) -> None:
    from pyarrow import parquet

    made = schema(classes)
    with parquet.ParquetWriter(raw, made) as writer:
        rows = map(row, hits)
        while part := list(itertools.islice(rows, ROW_GROUP)):
            writer.write_table(arrow_table(part, made))


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
