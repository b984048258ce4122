"""How much of a likeness is layout: the measures, on photos whose figures are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import layout, likeness
from dsslic_search.core.output import Outputs
from dsslic_search.core.vocabulary import default
from dsslic_search.features.resemblance import Mixture

V = default()
THINGS = [V.id_of(name) for name in ("sky", "road", "tree", "car")]


def test_neighbours_are_not_the_photo_itself() -> None:
    alike = np.array([[9, 8, 1, 0], [8, 9, 0, 1], [1, 0, 9, 8], [0, 1, 8, 9]], np.float32)
    kinds = np.array([0, 0, 1, 1])
    assert likeness.precision(alike, kinds) == pytest.approx(
        0.5
    )  # a photo's own place comes last of the four
    many = np.full((22, 22), 0.1, np.float32)
    many[:11, :11] = many[11:, 11:] = 0.5
    assert likeness.precision(many, np.repeat([0, 1], 11)) == 1


def test_the_greatest_share_that_is_nearly_the_best_is_chosen() -> None:
    scores = [0.8, 0.85, 0.9, 0.8985, 0.8979, *[0.7] * 16]
    assert likeness.chosen_share(scores) == likeness.SHARES[3]
    assert likeness.chosen_share([0.9, *[0.5] * 20]) == 0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Photos of four sets, with the teacher's and people's maps; those of one colour are of one layout."""
    rng = np.random.default_rng(2)
    for name, count in (("scenes/msrc_v2", 60), ("photos/corel1k", 12)):
        for folder in ("images", "teacher", "labels", "confidence"):
            (tmp_path / name / folder).mkdir(parents=True)
        for number in range(count):
            stem = f"{number // 6 * 100 + number % 6}" if "corel" in name else f"s{number}"
            label_map = np.repeat(rng.choice(np.array(THINGS, np.uint8), (6, 6)), 5, 0).repeat(5, 1)
            Image.fromarray(np.repeat(label_map[..., None] * 4, 3, 2)).save(
                tmp_path / name / "images" / f"{stem}.jpg"
            )
            for folder in ("teacher", "labels"):
                Image.fromarray(label_map).save(tmp_path / name / folder / f"{stem}.png")
    return tmp_path


def test_the_figures_of_a_fit(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MIN_SET_PHOTOS", 1)
    seen: list[str] = []

    class Seen:
        embedding = (1,) * 48

    def look(pixels: np.ndarray) -> tuple[Seen, None]:
        seen.append("photo")
        made = Seen()
        made.embedding = tuple(np.random.default_rng(int(pixels.sum())).integers(-90, 91, 48).tolist())
        return made, None

    monkeypatch.setattr(likeness.words, "look", look)
    out = tmp_path / "resemblance.json"
    kept = tmp_path / "kept"
    found = likeness.run(data, kept, (out, Outputs()), teacher=True)
    mixed = Mixture(**json.loads(out.read_text()))
    assert found["mixture"] == vars(mixed)
    assert mixed.share in likeness.SHARES and 0 < mixed.enough < 1
    for split in ("training", "validation"):
        assert len(found[split]["ndcg@10"]["all"]) == len(likeness.SHARES)
    # layouts of people and of the teacher are the same here
    assert found["validation"]["ndcg@10"]["all"][0] > found["validation"]["ndcg@10"]["all"][-1]
    shipped = found["corel1k"]["as shipped"]
    assert shipped["none with one"] == found["corel1k"]["precision@10"][0]
    looked = len(seen)
    again = likeness.run(data, kept, teacher=True)
    assert len(seen) == looked, "embeddings are kept"
    assert "training" not in again
    lines = likeness.table(found)
    assert len(lines) >= len(likeness.SHARES) + 4
