"""How many photos segments have: none too many, and few segments."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from unittest import mock

import pytest

from dsslic_search.index import segments
from dsslic_search.index.segments import Segments, merged, open_segments
from tests.index.segment_answers import Kept
from tests.query.made import V

WRITTEN_FROM = 2
MAX_PHOTOS = 10


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with mock.patch.multiple(segments, WRITTEN_FROM=WRITTEN_FROM, MAX_PHOTOS=MAX_PHOTOS):
        kept = Kept(tmp_path)
        yield kept
        kept.close()


def sizes(found: Segments) -> list[int]:
    return sorted(part.live for part in found.parts)


def test_many_photos_at_once_become_several_segments(kept: Kept) -> None:
    kept.add(25, 1)
    found = open_segments(kept, kept.index, V)
    assert sizes(found) == [5, 10, 10]
    assert sorted(i for part in found.parts for i in part.ids.tolist()) == kept.ids
    moments = [part.moments for part in found.parts]
    assert all(newer[-1] >= older[0] for newer, older in pairwise(moments))


def test_full_segments_stay_when_small_ones_are_joined(kept: Kept) -> None:
    kept.add(25, 1)
    full = {part.name for part in open_segments(kept, kept.index, V).parts if len(part) == MAX_PHOTOS}
    kept.add(4, 2)
    found = merged(kept, kept.index, V)
    assert sizes(found) == [9, 10, 10]
    assert full < {part.name for part in found.parts}
    kept.add(4, 3)
    assert sizes(merged(kept, kept.index, V)) == [4, 9, 10, 10]  # together they would be too many


def test_full_segments_of_which_much_is_gone_are_made_anew(kept: Kept) -> None:
    kept.add(20, 1)
    newest = open_segments(kept, kept.index, V).parts[0]
    kept.catalog.remove(newest.ids[:3].tolist())
    kept.add(4, 2)
    found = merged(kept, kept.index, V)
    assert sizes(found) == [1, 10, 10]
    assert sorted(i for part in found.parts for i in part.ids.tolist()) == kept.ids
