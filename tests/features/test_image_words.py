"""What is stored of what a whole photo shows comes back, and nothing else is taken for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.core.errors import FormatError
from dsslic_search.features.image_words import (
    LEAST_PARTS,
    LEAVES,
    MAX_NUMBERS,
    MAX_WORDS,
    MIN_NUMBERS,
    PARTS,
    ImageWords,
    named,
    read_words,
)

makers = st.binary(min_size=8, max_size=8).map(bytes.hex)
embeddings = st.lists(st.integers(-128, 127), min_size=MIN_NUMBERS, max_size=MAX_NUMBERS).map(tuple)
words = (
    st.dictionaries(st.integers(0, LEAVES - 1), st.integers(1, PARTS), max_size=MAX_WORDS)
    .map(lambda found: sorted(found.items(), key=lambda word: (-word[1], word[0])))
    .map(tuple)
)


@given(makers, embeddings, words)
def test_what_was_stored_comes_back(maker: str, embedding: tuple[int, ...], said: tuple) -> None:
    stored = ImageWords(maker, embedding, said).to_bytes()
    assert ImageWords.from_bytes(stored) == ImageWords(maker, embedding, said)


@given(st.binary(max_size=120))
def test_any_bytes_are_words_or_refused(data: bytes) -> None:
    try:
        read = ImageWords.from_bytes(data)
    except FormatError:
        with pytest.raises(FormatError):
            read_words([data])
        return
    assert read.to_bytes() == data


@given(st.lists(st.tuples(makers, embeddings, words), max_size=4))
def test_many_photos_are_read_as_one_by_one(photos: list[tuple]) -> None:
    read = read_words([ImageWords(*photo).to_bytes() for photo in photos])
    assert [maker.tobytes().hex() for maker in read.makers] == [maker for maker, *_ in photos]
    assert read.sizes.tolist() == [len(embedding) for _, embedding, _ in photos]
    assert read.numbers.tolist() == [number for _, embedding, _ in photos for number in embedding]
    assert read.counts.tolist() == [len(said) for *_, said in photos]
    assert read.words.tolist() == [word for *_, said in photos for word in said]


def test_the_likeliest_words_are_kept_in_order_and_noise_is_not() -> None:
    probabilities = np.zeros(LEAVES, np.float32)
    probabilities[:20] = 0.02  # fourteen of these are kept, the first
    probabilities[700], probabilities[3] = 0.5, 0.005
    made = ImageWords.of("ab" * 8, probabilities, np.full(48, -3, np.int8))
    assert made.words[:3] == ((700, 128), (0, 5), (1, 5))
    assert len(made.words) == MAX_WORDS
    assert made.embedding == (-3,) * 48
    assert 60 <= len(made.to_bytes()) <= 100
    sure = np.eye(1, LEAVES, 5, dtype=np.float32)[0]
    assert ImageWords.of("ab" * 8, sure, np.zeros(48, np.int8)).words == ((5, PARTS),)
    flat = np.full(LEAVES, (LEAST_PARTS - 1) / PARTS, np.float32)
    assert ImageWords.of("ab" * 8, flat, np.zeros(48, np.int8)).words == ()


@pytest.mark.parametrize(
    "said",
    [((1, 9), (1, 8)), ((1, 8), (2, 9)), ((2, 9), (1, 9)), ((1000, 9),), ((1, 0),)],
    ids=["twice", "rising", "equal ones out of order", "no such word", "never"],
)
def test_words_that_no_writer_writes_are_refused(said: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(FormatError, match="damaged image words"):
        ImageWords.from_bytes(ImageWords("00" * 8, (0,) * 32, said).to_bytes())
    sound, damaged = (ImageWords("00" * 8, (0,) * 32, each).to_bytes() for each in (((1, 9),), said))
    with pytest.raises(FormatError, match="damaged image words"):
        read_words([sound, damaged, sound])


def test_words_have_names() -> None:
    assert named(None) == {}
    assert named(ImageWords("00" * 8, (0,) * 32, ((963, 204), (937, 51))).to_bytes()) == {
        "pizza": 0.8,
        "broccoli": 0.2,
    }
