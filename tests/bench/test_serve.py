"""The benchmark of the server, small: every kind of request is asked and measured, of a server of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from dsslic_search import Archive
from dsslic_search.api import encode
from dsslic_search.bench import serve
from dsslic_search.core.vocabulary import default

SAMPLES = Path(__file__).parents[2] / "samples"


def test_many_users_ask_and_are_measured(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "images").mkdir()
    names = ("sky", "tree", "grass", "person")
    for number in range(6):
        labels = np.full((32, 48), default().id_of(names[number % 4]), np.uint8)
        labels[: 8 + number] = default().id_of("sky")
        labels[-6:, :20] = default().id_of("building")
        labels[-6:, 20:] = default().id_of("road")
        Image.fromarray(labels).save(tmp_path / "maps" / f"{number}.png")
    photo = Image.open(SAMPLES / "picos.jpg")
    photo.thumbnail((120, 120))
    photo.save(tmp_path / "images" / "a.jpg")
    results = serve.run([tmp_path / "maps"], tmp_path / "images", 120, 3, 1.0, 0.2)
    assert (results["photos"], results["users"]) == (120, 3)
    assert results["seconds_from_start_to_first_page"] > 0
    assert set(results["milliseconds"]) == {"query", "reading", "tile from the cache"}
    for row in results["milliseconds"].values():
        assert 0 < row["median"] <= row["p95"] <= row["most"]
    lines = list(serve.table(results))
    assert lines[0].startswith("120 photos, 3 users; first page ")
    assert [line.split("  ")[0] for line in lines[-3:]] == list(results["milliseconds"])


def test_every_photo_has_a_file(tmp_path: Path) -> None:
    photo = Image.open(SAMPLES / "bridge.jpg")
    photo.thumbnail((80, 80))
    objects = [encode(photo, quality=quality) for quality in (10, 90)]
    serve.link_objects(tmp_path, objects, 5)
    store = Archive(tmp_path).folder.store
    held = [store.read(f"{number:064x}") for number in range(1, 6)]
    assert held == [objects[number % 2] for number in range(1, 6)]
