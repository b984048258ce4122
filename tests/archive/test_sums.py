"""The checksum over what a row says of a photo's label map: any change of a value is another one, and the way
in which values reach the database makes none."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.features import MapFeatures
from dsslic_search.archive.journaling import PHOTO, everything
from dsslic_search.archive.schema import Photo
from dsslic_search.archive.sums import COLUMNS, SUM, differing, sum_of, sum_of_stored
from dsslic_search.features.embedding import to_stored

some_bytes = st.none() | st.binary(max_size=40)
numbers = st.none() | st.integers(0, 1 << 14)
values = st.tuples(some_bytes, some_bytes, numbers, numbers, some_bytes, some_bytes)


@given(values, values)
def test_other_values_have_another_sum_and_the_same_ones_the_same(
    some: tuple[Any, ...], others: tuple[Any, ...]
) -> None:
    assert -(1 << 31) <= sum_of_stored(*some) < 1 << 31
    assert (sum_of_stored(*some) == sum_of_stored(*others)) == (some == others)


@given(values, st.data())
def test_any_flipped_bit_makes_another(some: tuple[Any, ...], data: st.DataObject) -> None:
    places = [place for place, value in enumerate(some) if value]
    if not places:
        return
    place = data.draw(st.sampled_from(places))
    value = some[place]
    if isinstance(value, int):
        flipped: Any = value ^ 1 << data.draw(st.integers(0, 62))
    else:
        bit = data.draw(st.integers(0, 8 * len(value) - 1))
        flipped = bytes(each ^ (1 << bit % 8) * (at == bit // 8) for at, each in enumerate(value))
    assert sum_of_stored(*some) != sum_of_stored(*some[:place], flipped, *some[place + 1 :])


def test_lengths_and_what_is_not_there_count() -> None:
    assert sum_of_stored(b"ab", b"c", 1, 2, b"", b"") != sum_of_stored(b"a", b"bc", 1, 2, b"", b"")
    assert sum_of_stored(b"", None, 0, 0, b"", b"") != sum_of_stored(b"", b"", 0, 0, b"", b"")
    assert sum_of_stored(b"", b"", None, 0, b"", b"") != sum_of_stored(b"", b"", 0, 0, b"", b"")


def test_an_embedding_has_one_sum_packed_or_not(features: Callable[[int], MapFeatures]) -> None:
    made = features(3).embedding
    rest = None, None, None, None, b""
    assert len(to_stored(made)) < len(made)
    assert sum_of(made, *rest) == sum_of(to_stored(made), *rest) == sum_of_stored(to_stored(made), *rest)


def test_rows_are_told_that_hold_other_values_or_kinds(
    tmp_path: Path, photo_row: Callable[..., Photo], features: Callable[[int], MapFeatures]
) -> None:
    path = tmp_path / "c.sqlite"
    with Catalog.open(path, create=True) as catalog:
        for number in range(1, 10):
            catalog.add(photo_row(f"{number}"), features(number))
        catalog.replace_features({2: features(20), 3: features(30)})
        catalog.update(4, {"quality": 1}, features(40))
        with catalog.session() as session:
            assert list(differing(session.connection())) == []
    with closing(sqlite3.connect(path)) as plain:
        for number, column in enumerate((*COLUMNS, SUM), 1):
            plain.execute(f"UPDATE photo SET {column} = x'00' WHERE id = ?", (number,))
        plain.execute("UPDATE photo SET words = '' WHERE id = 8")
        plain.commit()
    with Catalog.open(path) as catalog, catalog.session() as session:
        assert list(differing(session.connection())) == [*range(1, 9)]


def test_what_flipped_before_its_file_was_lost_is_not_taken_for_what_was_written(
    tmp_path: Path, photo_row: Callable[..., Photo], features: Callable[[int], MapFeatures]
) -> None:
    path = tmp_path / "c.sqlite"
    with Catalog.open(path, create=True) as catalog:
        for number in (1, 2, 3):
            catalog.add(photo_row(f"{number}"), features(number))
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("UPDATE photo SET lost_at = added_at WHERE id > 1")
        plain.execute("UPDATE photo SET brightness = coalesce(brightness, 0) + 1 WHERE id = 3")
        plain.commit()
    with Catalog.open(path) as catalog, catalog.session() as session:
        said = [
            value
            for changes in everything(session.connection())
            for kind, _, value in changes
            if kind == PHOTO
        ]
    assert [set(COLUMNS) & set(each) for each in said] == [set(), set(COLUMNS) & set(said[1]), set()]
    assert {"embedding", "coverages"} <= set(said[1])
