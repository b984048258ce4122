"""Some flips and cuts of each file of an archive; all of them: `tests.reliability.flips`."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.reliability.flips import SORTS, SOUND, Place, place, tried


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return tried(most_flips=12, most_cuts=3)


@pytest.mark.parametrize("sort", SORTS)
def test_damage_is_detected_or_harmless(results: dict[str, Any], sort: str) -> None:
    told = results[sort]
    assert told["wrong"] == []
    assert sum(told[each] for each in SOUND) == told["flips"] + told["cuts"] >= 15
    assert told["detected"]


@pytest.fixture(scope="module")
def whole() -> Iterator[Place]:
    with place() as there:
        yield there


@pytest.mark.parametrize("column", ["coverages", "regions", "embedding", "description_sum", "last_seen"])
def test_a_bit_that_flips_where_a_value_stands_in_the_file_is_detected(whole: Place, column: str) -> None:
    """SQLite itself notices nothing of it."""
    path = whole.archive.root / "catalog.sqlite"
    with closing(sqlite3.connect(path)) as plain:
        table = "path" if column == "last_seen" else "photo"
        (value,) = plain.execute(f"SELECT {column} FROM {table} WHERE id = 2").fetchone()
    stored = (
        value if isinstance(value, bytes) else value.to_bytes(8 if value >> 47 else 4, "big", signed=True)
    )
    data = path.read_bytes()
    ends = [
        found.end() - 1 for found in re.finditer(re.escape(stored), data)
    ]  # and what an earlier page left
    flipped = (data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in ends)
    assert "detected" in {whole.damaged("catalog", path, each) for each in flipped} <= set(SOUND)
