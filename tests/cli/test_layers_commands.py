from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from dsslic_search import Archive, encode
from tests.cli.conftest import Run


@pytest.fixture(scope="module")
def made(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .dsslic file of a small photo, and an archive with it."""
    folder = tmp_path_factory.mktemp("layers")
    with Image.open(sorted(photos.glob("*.jpg"))[0]) as photo:
        photo.resize((96, 64)).save(folder / "photo.jpg", quality=90)
    (folder / "file.dsslic").write_bytes(encode(folder / "photo.jpg", effort=1))
    with Archive(folder / "archive") as opened:
        opened.ingest([folder / "photo.jpg"], effort=1)
    return folder


def test_a_file_of_the_archive_goes_out_and_comes_back(made: Path, tmp_path: Path, run: Run) -> None:
    ran = run("export-layers", 1, "--archive", made / "archive", "--out", tmp_path / "one", "--json")
    assert ran.code == 0, ran.err
    assert set(ran.json["files"]) == {"s.map", "c.bpg", "r.bpg", "layers.json"}
    assert {path.name: path.stat().st_size for path in (tmp_path / "one").iterdir()} == ran.json["files"]
    ran = run("import-layers", tmp_path / "one", tmp_path / "back.dsslic")
    assert ran.code == 0, ran.err
    ran = run("export-layers", made / "file.dsslic", "--out", tmp_path / "two")
    assert ran.code == 0
    assert f"{tmp_path / 'two' / 's.map'}: " in ran.out
    assert (tmp_path / "back.dsslic").read_bytes() == (made / "file.dsslic").read_bytes()
    for name in ("s.map", "c.bpg", "r.bpg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_what_is_missing_is_said_in_one_line(made: Path, tmp_path: Path, run: Run) -> None:
    ran = run("import-layers", tmp_path, tmp_path / "x.dsslic")
    assert ran.code == 1
    assert "layers.json: cannot be read" in ran.message
    assert run("export-layers", made / "file.dsslic", "--out", tmp_path).code == 0
    (tmp_path / "r.bpg").unlink()
    ran = run("import-layers", tmp_path, tmp_path / "x.dsslic")
    assert ran.code == 1
    assert "r.bpg: cannot be read" in ran.message
    (tmp_path / "layers.json").write_text(json.dumps({"format": "dsslic layers", "version": 7}))
    ran = run("import-layers", tmp_path / "layers.json", tmp_path / "x.dsslic")
    assert (ran.code, "another version" in ran.message) == (1, True)
    assert not (tmp_path / "x.dsslic").exists()
    ran = run("export-layers", 7, "--archive", made / "archive", "--out", tmp_path / "none")
    assert ran.code in (1, 2)
    assert not (tmp_path / "none").exists()
