"""The benchmark of duplicates: what counts as found and as wrong, and made-up fingerprints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from dsslic_search.bench import duplicates as bench
from dsslic_search.bench.copies import ALTERED, Known, as_stored, part_of
from dsslic_search.bench.screens import screens
from dsslic_search.features.fingerprint import FINGERPRINT_BYTES, fingerprint

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.jpg"))[:2]


def pictures() -> list[Known]:
    """Two photos, each with two copies, and three chats of one frame."""
    made = []
    for family, path in enumerate(SAMPLES):
        photo = Image.open(path).convert("RGB").reduce(2)
        made.append(as_stored(np.asarray(photo), family, "photos", "original"))
        for how in ("compressed again", "mirrored"):
            made.append(as_stored(np.asarray(ALTERED[how](photo)), family, "photos", how))
    return made + [
        as_stored(p, 9 + i, "chats", "original") for i, p in enumerate(screens("chats", 1, 3, seed=2))
    ]


def test_copies_and_wrong_pairs_are_counted():
    found = bench.judged(pictures())
    assert found["pictures"] == 9
    assert found["copies_found"] == {
        f"photos, {how}": {"copies": 2, bench.BEFORE: 1, bench.NOW: 1}
        for how in ("compressed again", "mirrored")
    }
    photos = found["pairs"][bench.NOW]["photos"]
    assert (photos["wrong"], photos["precision"]) == (0, 1)
    assert photos["linked"] >= 4
    assert "chats" not in found["pairs"][bench.NOW]
    assert any("compressed again" in line for line in bench.table({"held_out": found}))


def test_wrong_pairs_are_wrong():
    """One photo under two families."""
    one = pictures()[0]
    found = bench.judged([one, Known(one.compact, 1, "photos", "original")])
    assert found["pairs"][bench.NOW] == {"photos": {"linked": 1, "wrong": 1, "precision": 0}}


def test_made_up_fingerprints_have_copies_that_are_found():
    prints = np.array(
        [fingerprint(p) for p in np.random.default_rng(1).integers(0, 256, (40, 9, 9, 3), np.uint8)]
    )
    assert prints.shape == (40, FINGERPRINT_BYTES)
    found = bench.large(prints, 200, prints[[0, 0, 1]])
    assert (found["real_pairs"], found["real_pairs_found"]) == (1, 1)
    assert (found["photos"], found["copies"]) == (200, 10)
    assert found["copies_found"] > 0.5
    assert found["pairs_compared"] >= found["pairs_alike"] >= 5
    assert found["peak_bytes"] >= found["bytes_before"] > 0


def test_photos_are_in_one_part_by_their_names():
    parts = [part_of(f"set/{n}.jpg") for n in range(400)]
    assert 150 < sum(parts) < 250
    assert parts == [part_of(f"set/{n}.jpg") for n in range(400)]
