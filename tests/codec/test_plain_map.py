"""Label maps for programs that read our own coding alone."""

from __future__ import annotations

import numpy as np
import pytest

from dsslic_search.codec import container, plain_map
from dsslic_search.codec.decoder import read_dialect, read_label_map
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layers import label_map, people
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core.errors import FormatError


@pytest.mark.parametrize("profile", ["default", "paper"])
@pytest.mark.parametrize("corrected", [False, True])
def test_a_plain_map_has_the_labels_that_are_shown(profile: str, corrected: bool) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    data = encode_photo(SourcePhoto(pixels), EncodeOptions(20, effort=1, profile=profile)).data
    if corrected:
        labels = np.arange(40 * 60, dtype=np.uint8).reshape(40, 60) % 50
        data = container.with_chunk(data, people.encode(labels))
    contents = container.read_contents(data)
    prefix = data[: contents.stage_bytes("map")]
    assert plain_map.is_plain(container.read_contents(prefix)) == (profile == "default" and not corrected)
    plain = plain_map.plain(prefix)
    read = container.read(plain)
    assert [(e.kind, e.codec) for e in read.entries] == [("SMAP", label_map.CONTEXT_MIXING)]
    np.testing.assert_array_equal(read_label_map(plain), read_label_map(data))
    assert read_dialect(plain) == read_dialect(data)
    if corrected:
        np.testing.assert_array_equal(read_label_map(plain), labels)


def test_the_vocabulary_is_told_without_decoding_the_labels() -> None:
    """So that a photo is described quickly, and one of a damaged map at all."""
    pixels = np.random.default_rng(3).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    data = encode_photo(SourcePhoto(pixels), EncodeOptions(20, effort=1)).data
    wanted = read_dialect(data)
    strange = container.with_chunk(data, label_map.LAYER.chunk(label_map.CONTEXT_MIXING, b"\xff"))
    with pytest.raises(FormatError):
        read_label_map(strange)
    assert read_dialect(strange) == wanted
