"""Which photos show which words, against sums over what each photo has."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.core.vocabulary import default
from dsslic_search.index.words import open_words
from tests.query.made import NOWHERE, MadeArchive, MadePhoto
from tests.segments import whole

MAP = np.zeros((1, 1), np.uint8)
said = st.dictionaries(st.sampled_from([0, 1, 7, 999]), st.integers(1, 255)).map(
    lambda found: tuple(sorted(found.items(), key=lambda word: (-word[1], word[0])))
)


@given(st.lists(st.none() | said, max_size=8), st.sets(st.sampled_from([0, 1, 2, 7, 999])))
def test_sums_are_those_of_each_photo(photos: list, leaves: set[int]) -> None:
    archive = MadeArchive([MadePhoto(i + 1, MAP, words=words) for i, words in enumerate(photos)])
    index = open_words(whole(archive, NOWHERE, default()))
    assert index.ids.tolist() == [p.id for p in archive.photos]
    wanted = [min(sum(n for leaf, n in words or () if leaf in leaves), 255) for words in photos]
    assert index.parts(sorted(leaves)).tolist() == wanted
    assert index.without().tolist() == [words is None for words in photos]


def test_photos_are_counted_by_word_from_its_threshold_on() -> None:
    words = [((1, 200),), ((1, 100), (2, 50)), None, ((2, 51),)]
    archive = MadeArchive([MadePhoto(i + 1, MAP, words=each) for i, each in enumerate(words)])
    index = open_words(whole(archive, NOWHERE, default()))
    thresholds = [101 if leaf == 1 else 50 for leaf in range(1000)]
    assert index.counts(thresholds)[:3].tolist() == [0, 1, 2]
    assert index.counts(thresholds, np.array([0, 3]))[:3].tolist() == [0, 1, 1]
