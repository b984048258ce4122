"""The chunk of image words: it goes with every photo, in the base layer, and can be put into a file later."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.codec import container, decoder
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.header import Header
from dsslic_search.codec.layers import words
from dsslic_search.core.errors import FormatError
from dsslic_search.core.kinds import KeepMode, Stage
from dsslic_search.features.image_words import LEAVES, ImageWords

SAID = ImageWords("ab" * 8, (1,) * 32, ((3, 200),))
HEADER = Header(8, 8, False, KeepMode.EXACT, 1, 8, 75, 20, 30, "11" * 8, "22" * 8, "00" * 8)
OTHERS = [Chunk("SMAP", 1, b"map"), Chunk("COMP", 1, b"compact"), Chunk("ORIG", 0, b"original")]


def test_a_chunk_comes_back() -> None:
    assert words.decode(words.encode(SAID)) == SAID
    with pytest.raises(FormatError, match="image words is coded in a way"):
        words.decode(Chunk("word", 9, SAID.to_bytes()))
    with pytest.raises(FormatError, match="damaged image words"):
        words.decode(Chunk("word", words.PLAIN, SAID.to_bytes()[:-1]))


def test_it_is_put_behind_the_label_map_and_nothing_else_changes() -> None:
    before = container.pack(HEADER, OTHERS)
    after = container.with_chunk(before, words.encode(SAID))
    assert after == container.pack(HEADER, [OTHERS[0], words.encode(SAID), *OTHERS[1:]])
    contents = container.read(after)
    assert contents.header == HEADER
    assert decoder.read_words(after[: contents.base_bytes]) == SAID
    assert contents.base_bytes == contents.stage_bytes(Stage.MAP) + len(SAID.to_bytes())
    assert decoder.read_words(before) is None
    assert container.read(before).base_bytes == container.read(before).stage_bytes(Stage.MAP)


def test_it_takes_the_place_of_an_earlier_one() -> None:
    other = ImageWords("cd" * 8, (2,) * 40, ())
    first = container.with_chunk(container.pack(HEADER, OTHERS), words.encode(SAID))
    assert decoder.read_words(container.with_chunk(first, words.encode(other))) == other
    again = container.with_chunk(container.with_chunk(first, words.encode(other)), words.encode(SAID))
    assert again == first


def test_chunks_that_are_not_known_here_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    new = Chunk("newx", 5, b"of a later version")
    monkeypatch.setattr(container, "ORDER", ("SMAP", "newx", "word", "COMP", "ORIG"))
    before = container.pack(HEADER, [OTHERS[0], new, *OTHERS[1:]])
    wanted = container.pack(HEADER, [OTHERS[0], new, words.encode(SAID), *OTHERS[1:]])
    monkeypatch.undo()
    after = container.with_chunk(before, words.encode(SAID))
    assert {e.kind for e in container.read(after).entries} == {"SMAP", "word", "newx", "COMP", "ORIG"}
    assert len(after) == len(wanted)
    assert container.read_chunk(after, container.read(after), "newx") == new


def test_damage_elsewhere_is_not_written_on() -> None:
    data = bytearray(container.pack(HEADER, OTHERS))
    data[-1] ^= 1
    with pytest.raises(FormatError, match="checksum of chunk ORIG"):
        container.with_chunk(bytes(data), words.encode(SAID))


def test_a_photo_is_looked_at_the_same_whatever_its_size() -> None:
    pixels = np.kron(np.array([[40, 200], [90, 10]], np.uint8), np.ones((5, 9), np.uint8))[..., None].repeat(
        3, 2
    )
    for shown in (pixels, pixels[:1, :1], pixels.repeat(3, 0)):
        seen, probabilities = words.look(shown)
        assert probabilities.shape == (LEAVES,) and probabilities.sum() == pytest.approx(1, abs=1e-4)
        assert 60 <= len(seen.to_bytes()) <= 100
        assert seen == words.look(shown.copy())[0]
