"""sketch and palette on an archive of real photos."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.picture.save import save_label_map
from dsslic_search.core.vocabulary import default
from dsslic_search.features.canvas import read_canvas
from dsslic_search.features.embedding import Canvas

V = default()
PHOTOS = len(list((Path(__file__).parents[2] / "samples").glob("*.jpg")))


@pytest.fixture
def sketched(tmp_path: Path):
    def write(value: object, name: str = "s.json") -> Path:
        (tmp_path / name).write_text(json.dumps(value))
        return tmp_path / name

    return write


def label_map(opened: Archive, photo_id: int) -> np.ndarray:
    photo = opened.photo(photo_id)
    return decode_stage(opened.folder.store.read(photo.content_hash), "map").pixels


def test_a_photos_own_label_map_finds_it(archive, run, tmp_path):
    with Archive(archive) as opened:
        labels = label_map(opened, 2)
    save_label_map(labels, tmp_path / "own.png")
    found = run("sketch", tmp_path / "own.png", "--archive", archive, "--limit", 3)
    assert found.code == 0
    assert len(found.out.splitlines()) == 3
    assert found.out.split()[:2] == ["1", "#2"]
    assert f"{PHOTOS} photos, 3 shown" in found.err
    mirrored = tmp_path / "mirrored.png"
    save_label_map(np.ascontiguousarray(labels[:, ::-1]), mirrored)
    straight = run("sketch", mirrored, "--archive", archive, "--json").json["results"]
    either = run("sketch", mirrored, "--mirrored", "--archive", archive, "--json").json["results"]
    assert either[0]["id"] == 2
    assert either[0]["score"] == pytest.approx(1, abs=0.01)
    assert next(hit["score"] for hit in straight if hit["id"] == 2) < 0.99
    best = {hit["id"]: hit["score"] for hit in straight}
    assert all(hit["score"] >= best[hit["id"]] for hit in either)


def test_the_order_is_by_likeness_and_pages_go_on(archive, run, sketched):
    file = sketched([{"class": "sky", "box": [0, 0, 1, 0.4]}, {"class": "woods", "box": [0, 0.4, 1, 0.7]}])
    whole = run("sketch", file, "--archive", archive, "--json", "--limit", 20).json
    assert whole["total"] == len(whole["results"]) == PHOTOS
    with Archive(archive) as opened:
        canvas = read_canvas(file.read_bytes(), "s", V)
        (asked,) = canvas.queries(V)
        vectors = {i: opened.embeddings_of(f"#{i}")[0] for i in range(1, PHOTOS + 1)}
    likeness = {i: max(0.0, min(1.0, float(asked @ v))) for i, v in vectors.items()}
    assert [likeness[hit["id"]] for hit in whole["results"]] == pytest.approx(
        sorted(likeness.values(), reverse=True), abs=1e-4
    )
    assert {hit["id"]: hit["score"] for hit in whole["results"]} == pytest.approx(likeness, abs=1e-4)
    first = run("sketch", file, "--archive", archive, "--json", "--limit", 7).json
    rest = run("sketch", file, "--archive", archive, "--json", "--limit", 7, "--page", first["cursor"]).json
    assert [h["id"] for h in first["results"] + rest["results"]] == [h["id"] for h in whole["results"]]
    assert rest["cursor"] is None


def test_a_query_filters_and_is_explained(archive, run, sketched):
    file = sketched({"background": "grass"})
    all_of_them = run("query", "grass", "--archive", archive, "--json", "--all").json
    found = run(
        "sketch", file, "--query", "grass", "--archive", archive, "--json", "--explain", "--limit", 20
    )
    assert found.json["total"] == all_of_them["total"] < PHOTOS
    assert {h["id"] for h in found.json["results"]} == {h["id"] for h in all_of_them["results"]}
    assert "grass" in found.err
    assert run("sketch", file, "--query", "grsas", "--archive", archive).code == 2


def test_the_library_takes_files_and_canvases(archive, sketched):
    file = sketched([{"class": "tree", "box": [0, 0, 1, 1]}])
    canvas = Canvas(np.full((5, 5), V.id_of("tree"), np.uint8), np.ones((5, 5), bool))
    with Archive(archive) as opened:
        by_file = [(h.id, h.score) for h in opened.sketch(file).hits]
        by_canvas = [(h.id, h.score) for h in opened.sketch(canvas, limit=None).hits]
    assert len(by_file) == PHOTOS
    assert by_file == by_canvas


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ([{"class": "tres", "box": [0, 0, 1, 1]}], 'shape 1: no class is called "tres"; did you mean tree'),
        ([{"class": "tree", "box": [0, 0, 1, 2]}], 'shape 1 (tree), "box": 2 is no number from 0 to 1'),
        ({"shapes": []}, "nothing is painted"),
    ],
)
def test_a_wrong_sketch_is_one_line(archive, run, sketched, value, complaint):
    ran = run("sketch", sketched(value), "--archive", archive)
    assert ran.code == 2
    assert ran.out == ""
    assert complaint in ran.message
    assert "s.json" in ran.message


def test_other_files_are_one_line(archive, run, tmp_path):
    assert run("sketch", tmp_path / "none.png", "--archive", archive).code in (1, 2)
    (tmp_path / "x.txt").write_text("sky\n")
    ran = run("sketch", tmp_path / "x.txt", "--archive", archive)
    assert (ran.code, "neither a PNG nor" in ran.message) == (2, True)


def test_the_palette_can_be_painted_with(run, tmp_path, picture):
    rows = dict(reversed(line.split("  ", 1)) for line in run("palette").out.splitlines())
    assert rows == run("palette", "--json").json == {c.name: "#" + bytes(c.colour).hex() for c in V.classes}
    assert run("palette", tmp_path / "p.png").code == 0
    shown = picture(tmp_path / "p.png")
    counts = {colour: n for n, colour in shown.getcolors(1 << 20)}
    assert all(counts[c.colour] > 1000 for c in V.classes)
    assert run("palette", tmp_path / "p.gpl").code == 0
    lines = (tmp_path / "p.gpl").read_text().splitlines()
    assert lines[0] == "GIMP Palette"
    numbers = [(*map(int, line.split("\t")[0].split()), line.split("\t")[1]) for line in lines[4:]]
    assert numbers == [(*c.colour, c.name) for c in V.classes]
    ran = run("palette", tmp_path / "p.jpg")
    assert (ran.code, "end the name in .png or .gpl" in ran.message) == (2, True)


def test_the_palettes_picture_is_itself_a_sketch_once_its_paper_is_gone(run, tmp_path, picture):
    run("palette", tmp_path / "p.png")
    pixels = np.array(picture(tmp_path / "p.png").convert("RGBA"))
    colours = np.array([c.colour for c in V.classes]) @ [65536, 256, 1]
    pixels[..., 3] = 255 * np.isin(pixels[..., :3].astype(int) @ [65536, 256, 1], colours)
    Image.fromarray(pixels).save(tmp_path / "q.png")
    canvas = read_canvas((tmp_path / "q.png").read_bytes(), "q", V)
    assert set(np.unique(canvas.label_map[canvas.known])) == set(range(len(V)))
