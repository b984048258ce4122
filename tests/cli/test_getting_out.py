from __future__ import annotations

from pathlib import Path

from dsslic_search import Archive
from tests.cli.conftest import Run


def test_originals_and_previews_of_a_query_and_of_ids(run: Run, photos: Path, tmp_path: Path) -> None:
    first, second = sorted(photos.rglob("*.jpg"))[:2]
    with Archive(tmp_path / "archive") as archive:
        archive.ingest([first], keep="exact", effort=1)
        archive.ingest([second], keep="coarse")
    place = "--archive", tmp_path / "archive"
    ran = run("originals", "--query", f"name:{first.name}", "--out", tmp_path / "out", *place)
    assert (ran.code, ran.out) == (0, f"{tmp_path / 'out' / first.name}\n")
    assert ran.message.startswith("1 original written (")
    assert (tmp_path / "out" / first.name).read_bytes() == first.read_bytes()
    ran = run("originals", "1", "#2", "--flat", "--out", tmp_path / "out", *place, "--json")
    assert ran.code == 3
    assert ran.json["written"] == []
    assert ran.json["present"] == [{"id": 1, "file": str(tmp_path / "out" / first.name)}]
    assert [f["id"] for f in ran.json["failed"]] == [2]
    assert "skipped: photo 2" in ran.err
    assert "0 originals written (0 B), 1 already there, 1 skipped" in ran.message
    assert run("originals", "2", "--out", tmp_path / "out", *place).code == 1
    ran = run("previews", "1", "2", "--flat", "--stage", "map", "--out", tmp_path / "maps", *place)
    assert ran.code == 0
    assert {path.name for path in (tmp_path / "maps").iterdir()} == {
        f"{first.stem}.png",
        f"{second.stem}.png",
    }
    for wrong in ((), ("1", "--query", "sky"), ("x",)):
        assert run("originals", *wrong, "--out", tmp_path / "no", *place).code == 2
    assert not (tmp_path / "no").exists()


def test_a_file_of_many_label_maps_is_told_once(run: Run, archive: Path, tmp_path: Path) -> None:
    place = "--archive", archive
    ran = run("labels", "export", 1, 2, "--format", "coco", "--out", tmp_path / "coco", *place)
    assert (ran.code, ran.out) == (0, f"{tmp_path / 'coco' / 'instances.json'}\n")
    assert ran.message.startswith("2 label maps written (")
    ran = run("labels", "export", 1, 2, "--format", "yolo", "--out", tmp_path / "yolo", *place)
    assert [Path(line).parent for line in ran.out.splitlines()] == [tmp_path / "yolo" / "labels"] * 2
