"""A fact that came by its entry alone, the lens: from a photo's EXIF data to answers, counts and exports."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from dsslic_search import Archive
from dsslic_search.core.fields import EXPORTED

SIGMA = "SIGMA 35mm F1.4 DG HSM | Art 012"
FORMULA = "=HYPERLINK(1)"
LENSES = {"a.jpg": SIGMA, "b.jpg": "EF50mm f/1.8 STM\0 ", "c.jpg": None, "d.jpg": FORMULA}


@pytest.fixture(scope="module")
def lenses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of four photos: one with each lens, one without."""
    folder = tmp_path_factory.mktemp("lenses")
    for number, (name, lens) in enumerate(LENSES.items()):
        exif = Image.Exif()
        exif[ExifTags.IFD.Exif] = {} if lens is None else {ExifTags.Base.LensModel: lens}
        Image.new("RGB", (48, 32), (40 * number, 90, 160)).save(folder / name, exif=exif)
    with Archive(folder / "archive") as archive:
        assert archive.ingest([folder], keep="reference").added == len(LENSES)
    return folder / "archive"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("lens:sigma*", ["a.jpg"]),
        ("lens:SIGMA", ["a.jpg"]),
        ("lens:ef50mm*", ["b.jpg"]),
        ("lens:unknown", ["c.jpg"]),
        ("not lens:sigma*", ["b.jpg", "c.jpg", "d.jpg"]),
        ("lens:*", ["a.jpg", "b.jpg", "d.jpg"]),
    ],
)
def test_photos_are_found_by_their_lens(run, lenses: Path, query: str, found: list[str]) -> None:
    hits = json.loads(run("query", query, "--json", "--archive", lenses).out)["results"]
    assert sorted(Path(hit["path"]).name for hit in hits) == found
    for hit in hits:
        cleaned = (LENSES[Path(hit["path"]).name] or "").rstrip("\0 ")
        assert (hit["lens"] or "") == cleaned


def test_lenses_are_counted(run, lenses: Path) -> None:
    said = json.loads(run("stats", "--json", "--archive", lenses).out)
    assert said["lenses"] == {FORMULA: 1, "EF50mm f/1.8 STM": 1, SIGMA: 1}
    assert f"lenses: {FORMULA} (1), EF50mm f/1.8 STM (1), SIGMA 35mm" in run("stats", "--archive", lenses).out


def test_tables_have_the_lens(run, lenses: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    assert run("query", "lens:sigma*", "--out", table, "--archive", lenses).code == 0
    (row,) = csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines())
    assert row["lens"] == SIGMA
    everything = json.loads(run("query", "everything", "--json", "--archive", lenses).out)["results"]
    assert [list(hit) for hit in everything] == [
        ["rank", "id", "path", "paths", "score", *EXPORTED, "words", "coverage", "certainty", "class_colours"]
    ] * 4


def test_a_lens_is_no_formula_of_a_table(run, lenses: Path) -> None:
    (row,) = csv.DictReader(run("query", "lens:=*", "--format", "csv", "--archive", lenses).out.splitlines())
    assert row["lens"] == f"'{FORMULA}"


def test_parquet_tells_no_lens_from_an_empty_text(run, lenses: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert run("query", "everything", "--out", tmp_path / "t.parquet", "--archive", lenses).code == 0
    rows = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    found = {Path(row["path"]).name: row["lens"] for row in rows}
    assert found == LENSES | {"b.jpg": "EF50mm f/1.8 STM"}


def test_a_photo_is_shown_with_its_lens(run, lenses: Path) -> None:
    (hit,) = json.loads(run("query", "lens:sigma*", "--json", "--archive", lenses).out)["results"]
    assert SIGMA in run("show", hit["id"], "--archive", lenses).out
    assert run("show", hit["id"], "--json", "--archive", lenses).json["lens"] == SIGMA
