"""Sound .dsslic files that lack layers: whatever is asked of them, what comes out is it, or a FormatError."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np
import pytest

from dsslic_search.codec import container, decoder
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.core.errors import FormatError
from dsslic_search.core.kinds import KeepMode, Stage

ASKED: list[Callable[[bytes], object]] = [
    *(partial(decoder.decode_stage, stage=stage) for stage in Stage),
    decoder.read_base,
    decoder.read_original,
    lambda data: decoder.network_marks(data, container.read_contents(data)),
]


@pytest.mark.parametrize("quality", [60, 101])
def test_any_layers_may_be_missing(quality: int) -> None:
    y, x = np.mgrid[:16, :16]
    photo = SourcePhoto(np.stack([x * 3, y * 5, (x + y) * 2], -1).astype(np.uint8))
    whole = encode_photo(photo, EncodeOptions(quality, effort=1)).data
    contents = container.read(whole)
    chunks = [container.read_chunk(whole, contents, entry.kind) for entry in contents.entries]
    refused = 0
    for count in range(len(chunks)):
        for kept in combinations([chunk for chunk in chunks if chunk], count):
            for keep in KeepMode:
                data = container.pack(replace(contents.header, keep=keep), kept)
                for ask in ASKED:
                    try:
                        ask(data)
                    except FormatError:
                        refused += 1
    assert refused
