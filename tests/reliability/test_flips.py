"""Some flips and cuts of each file of an archive; all of them: `tests.reliability.flips`."""

from __future__ import annotations

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
    assert sort == "catalog" or not told["made anew"]
    assert told["detected"]


@pytest.fixture(scope="module")
def whole() -> Iterator[Place]:
    with place() as there:
        yield there


@pytest.mark.parametrize("column", ["coverages", "regions", "embedding"])
def test_what_follows_from_a_label_map_and_flips_is_made_anew(whole: Place, column: str) -> None:
    path = whole.archive.root / "catalog.sqlite"
    with closing(sqlite3.connect(path)) as plain:
        (value,) = plain.execute(f"SELECT {column} FROM photo WHERE id = 2").fetchone()
        flipped = value[:-1] + bytes([value[-1] ^ 1])
        plain.execute(f"UPDATE photo SET {column} = ? WHERE id = 2", (flipped,))
        plain.commit()
        plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert whole.damaged("catalog", path, path.read_bytes()) == "made anew"
    whole.put()
