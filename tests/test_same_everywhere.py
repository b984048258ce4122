"""Files are the same to the byte under other threads and instruction sets; stages that networks make are the
same to a grey level (`tests/same.py`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests import same


@pytest.fixture(scope="module")
def first() -> dict[str, Any]:
    """What one thread with all instructions makes."""
    return same.under(same.ENVIRONMENTS["one thread"], ["picos"])


@pytest.mark.parametrize("name", ["AVX2, four threads", "no AVX, two threads"])
def test_other_threads_and_instructions_make_the_same(first: dict[str, Any], name: str) -> None:
    found = same.differences(first, same.under(same.ENVIRONMENTS[name], ["picos"]))
    assert len(first["exact"]) >= 8
    assert found["differ"] == []
    assert all(level["most"] <= 1 for level in found["levels"].values())


def test_what_differs_is_told(first: dict[str, Any]) -> None:
    import base64
    import zlib

    shape, packed = first["pixels"]["full"]
    pixels = np.frombuffer(zlib.decompress(base64.b85decode(packed)), np.uint8).copy()
    pixels[0] ^= 2
    changed = base64.b85encode(zlib.compress(pixels.tobytes())).decode()
    other = {
        "exact": first["exact"] | {"picos SMAP": "0"},
        "pixels": first["pixels"] | {"full": [shape, changed]},
    }
    found = same.differences(first, other)
    assert found["differ"] == ["picos SMAP"]
    assert found["levels"]["full"]["most"] == 2
