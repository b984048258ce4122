"""How sure the segmenter was of each class: a byte each, in a chunk that is optional."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.codec import container
from dsslic_search.codec.decoder import decode_stage, read_certainty, read_label_map
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layers import certainty
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core import dialect
from dsslic_search.core.errors import FormatError


def test_a_class_has_the_mean_of_its_labels_probabilities():
    label_map = np.array([[7, 2, 2], [7, 40, 2]], np.uint8)
    probabilities = np.array([[0.5, 0.1, 0.2], [1.0, 1.0, 0.3]], np.float32)
    chunk = certainty.encode(label_map, probabilities)
    assert (chunk.kind, chunk.data) == ("sure", bytes([51, 191, 255]))  # of 2, 7 and 40
    assert certainty.decode(chunk, label_map).tolist() == [51, 191, 255]
    with pytest.raises(FormatError, match="3 bytes for a label map of 2 classes"):
        certainty.decode(chunk, label_map % 2)


class Segmenter:
    identity = "12" * 8
    dialect = dialect.shipped()

    def segment(self, pixels: np.ndarray, map_size: tuple[int, int]) -> np.ndarray:
        return np.full(map_size, 3, np.uint8)


class Sure(Segmenter):
    def segment_with_certainty(
        self, pixels: np.ndarray, map_size: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        return self.segment(pixels, map_size), np.full(map_size, 0.6, np.float32)


def test_a_file_has_it_where_the_segmenter_tells_it():
    photo = SourcePhoto(np.full((16, 24, 3), 90, np.uint8))
    told, untold = (
        encode_photo(photo, EncodeOptions(30, keep="coarse", segmenter=each)).data
        for each in (Sure(), Segmenter())
    )
    prefix = told[: container.read_contents(told).base_bytes]
    found = read_certainty(prefix)
    assert found == {"sky": 0.6}
    assert read_certainty(untold) is None
    kinds = [[entry.kind for entry in container.read_contents(data).entries] for data in (told, untold)]
    assert kinds == [["SMAP", "sure", "word", "COMP"], ["SMAP", "word", "COMP"]]
    # who does not know the chunk has everything else
    assert (read_label_map(told) == read_label_map(untold)).all()
    assert (decode_stage(told, "coarse").pixels == decode_stage(untold, "coarse").pixels).all()


def test_what_the_segmenter_does_not_know_has_no_certainty():
    label_map = np.array([[0, 0, 3]], np.uint8)
    shipped = dialect.shipped()
    assert certainty.by_meaning(label_map, np.array([4, 200], np.uint8), shipped) == {3: 200}

    class Unsure(Sure):
        def segment(self, pixels: np.ndarray, map_size: tuple[int, int]) -> np.ndarray:
            return np.repeat(np.array([[0, 3]], np.uint8), [map_size[1] - 1, 1], 1).repeat(map_size[0], 0)

    photo = SourcePhoto(np.full((16, 24, 3), 90, np.uint8))
    data = encode_photo(photo, EncodeOptions(30, keep="coarse", segmenter=Unsure())).data
    assert read_certainty(data) == {"sky": 0.6}
