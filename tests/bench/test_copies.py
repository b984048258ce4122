"""The pictures that bench duplicates asks about: families of altered copies, in two parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import copies


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four photos and a drive of three frames; one set of two screens of each kind."""
    monkeypatch.setattr(copies, "FOLDERS", ("photos/some",))
    monkeypatch.setattr(copies, "SETS", 1)
    monkeypatch.setattr(copies, "OF_EACH_SET", 2)
    rng = np.random.default_rng(5)
    names = [f"photos/some/images/{i}.jpg" for i in range(4)]
    names += [f"{copies.DRIVE}/images/0001TP_{i}.jpg" for i in range(3)]
    for name in names:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        cells = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(np.kron(cells, np.ones((16, 16, 1), np.uint8))).save(file)
    return tmp_path


def test_a_family_is_a_picture_with_its_copies_and_no_photo_is_in_both_parts(data: Path):
    parts = [copies.known(data, held_out, 10) for held_out in (False, True)]
    photos = [[p for p in part if p.kind == "photos"] for part in parts]
    assert sum(len(part) for part in photos) == 4 * (1 + len(copies.ALTERED))
    assert sorted(sum(p.kind == "frames" for p in part) for part in parts) == [0, 3]
    for part in parts:
        families: dict[int, set[str]] = {}
        for picture in part:
            assert picture.compact.dtype == np.uint8
            assert picture.compact.shape[2] == 3
            families.setdefault(picture.family, set()).add(picture.how)
        assert all(copies.ORIGINAL in hows for hows in families.values())
    originals = [{p.compact.tobytes() for p in part if p.how == copies.ORIGINAL} for part in photos]
    assert not originals[0] & originals[1]


def test_copies_are_what_their_names_say():
    picture = Image.fromarray(
        np.kron(np.arange(48, dtype=np.uint8).reshape(6, 8), np.ones((16, 16), np.uint8))
    )
    picture = picture.convert("RGB")
    made = {how: alter(picture) for how, alter in copies.ALTERED.items()}
    assert made["half the size"].size == (64, 64)
    assert made["cropped by 8 %"].size == (117, 88)
    assert made["border"].size == (132, 100)
    assert np.array_equal(np.asarray(made["mirrored"])[:, ::-1], np.asarray(picture))
    assert (
        np.asarray(made["darker"]).mean() < np.asarray(picture).mean() < np.asarray(made["brighter"]).mean()
    )
    assert np.asarray(made["logo"]).max() == 255
