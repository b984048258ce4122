"""Indexes belong to one catalog, and to a state that it has been in: whatever is copied, exchanged or lost,
answers are those of indexes that are made from nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.api.indexes import OpenIndexes
from dsslic_search.archive import history
from dsslic_search.index import segment
from dsslic_search.index.source import State
from tests.index.segment_answers import QUERIES, Kept, Killed, ended_at
from tests.query.made import V


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    made.add(8, seed=1)
    yield made
    made.close()


def new(kept: Kept) -> OpenIndexes:
    return OpenIndexes(kept, kept.index, V)


def assert_right(kept: Kept, *others: OpenIndexes) -> None:
    """All that is asked of new indexes, and of others."""
    plain, asked = kept.plainly(), [new(kept), *others]
    for text in QUERIES:
        expected = kept.asked(plain, text)
        assert all(kept.asked(indexes, text) == expected for indexes in asked), text
    assert all(kept.counted(indexes) == kept.counted(plain) for indexes in asked)


def since(kept: Kept, state: State) -> list[int] | None:
    with kept.snapshot() as snapshot:
        changed = snapshot.changed_since(state)
    return None if changed is None else sorted(changed.tolist())


def test_what_changed_is_known_by_each_state_until_it_is_forgotten(kept: Kept) -> None:
    first = kept.state()
    kept.change(3, iso=50)
    second = kept.state()
    kept.catalog.remove([5])
    assert since(kept, first) == [3, 5]
    assert since(kept, second) == [5]
    assert since(kept, kept.state()) == []
    assert since(kept, State(first.generation, "another")) is None
    assert since(kept, State(kept.state().generation + 1, "later")) is None
    with kept.catalog.noting() as session:
        history.forget(session, second)
    assert since(kept, first) is None
    assert since(kept, second) == [5]


def test_another_continuation_of_a_restored_catalog_has_its_own_indexes(kept: Kept) -> None:
    """Few photos change, so that the segment stays; its indexes are made in the continuation that is given
    up."""
    lasting = new(kept)
    kept.asked(lasting, "sky")  # the columns alone
    kept.back_up()
    kept.describe_anew(3, seed=7)
    kept.change(4, camera="Canon EOS", iso=50)
    given_up = kept.state()
    assert_right(kept, lasting)
    kept.restore()
    kept.describe_anew(5, seed=8)
    kept.change(6, iso=800)
    assert kept.state().generation == given_up.generation
    assert kept.state() != given_up
    assert_right(kept, lasting)
    kept.add(2, seed=9)
    assert_right(kept, lasting)


@pytest.mark.parametrize("count", [1, 70])
def test_a_restored_catalog_that_goes_on_elsewhere(kept: Kept, count: int) -> None:
    lasting = new(kept)
    kept.settle(lasting)
    kept.back_up()
    kept.add(count, seed=2)
    kept.settle(lasting)
    assert_right(kept, lasting)
    kept.restore()
    assert_right(kept, lasting)
    kept.number -= count
    kept.add(count, seed=3)  # to the same generation, with other photos of the same ids
    assert_right(kept, lasting)


def test_indexes_of_two_catalogs_exchanged(kept: Kept, tmp_path: Path) -> None:
    other = Kept(tmp_path / "other")
    other.add(8, seed=4)
    for each in (kept, other):
        assert_right(each)
    aside = tmp_path / "exchanged"
    kept.index.rename(aside)
    other.index.rename(kept.index)
    aside.rename(other.index)
    for each in (kept, other):
        assert_right(each)
    other.close()


def test_a_catalog_made_again_after_it_was_lost(kept: Kept, tmp_path: Path) -> None:
    assert_right(kept)
    kept.close()
    for path in tmp_path.glob("catalog.sqlite*"):
        path.unlink()
    again = Kept(tmp_path)
    again.add(8, seed=5)
    assert_right(again)
    again.close()


def test_an_older_folder_of_indexes_put_back(kept: Kept) -> None:
    assert_right(kept)
    kept.keep_index()
    kept.describe_anew(2, seed=6)
    kept.add(70, seed=6)
    kept.settle(new(kept))
    kept.put_index_back()
    assert_right(kept)


def test_files_of_states_that_are_forgotten_are_still_good(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.asked(new(kept), "sky")
    kept.change(2, iso=50)
    assert_right(kept)  # the other indexes are made now, of a later state than the segment
    kept.change(3, iso=50)
    kept.settle(new(kept))
    kept.settle(new(kept))
    built: list[str] = []
    monkeypatch.setattr(segment, "_kept", lambda path, *_: built.append(path))
    indexes = new(kept)
    kept.settle(indexes)
    assert built == []


def test_a_lasting_process_does_not_undo_what_another_has_merged(kept: Kept) -> None:
    lasting = new(kept)
    kept.asked(lasting, "sky")
    for seed in range(3):
        kept.add(64, seed=seed)
        kept.asked(new(kept), "sky")
    kept.settle(new(kept))
    names = {path.name for path in kept.index.iterdir()}
    kept.add(1, seed=9)
    kept.asked(lasting, "sky")
    assert {path.name for path in kept.index.iterdir()} == names


def test_what_a_killed_process_left_is_removed_when_it_is_old(kept: Kept) -> None:
    kept.asked(new(kept), "sky")
    with pytest.raises(Killed), ended_at(2):
        kept.add(64, seed=3)
        kept.asked(new(kept), "sky")
    (left,) = kept.index.glob(".*")
    kept.settle(new(kept))
    assert left.exists()  # another process may be writing it
    os.utime(left, (0, 0))
    kept.settle(new(kept))
    assert not left.exists()
    assert_right(kept)


def test_pages_in_the_order_of_paths_when_photos_are_gone(kept: Kept) -> None:
    lasting = new(kept)
    kept.settle(lasting)
    kept.catalog.remove([2, 5])
    plain = kept.asked(kept.plainly(), "sort:path", page=2)
    assert kept.asked(lasting, "sort:path", page=2) == plain
    assert plain["listed"] == plain["ids"]
    assert len(np.unique(plain["listed"])) == 6
