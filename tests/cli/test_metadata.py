"""What photos' metadata tell, from their files to answers, counts, exports and what people read."""

from __future__ import annotations

import csv
import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from dsslic_search import Archive
from dsslic_search.api.export import _cell
from dsslic_search.cli.facts import exposure_text, lines

CASES = Path(__file__).parents[1] / "data" / "metadata"


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of files that went wrong once, one of them under a name that tells a date."""
    folder = tmp_path_factory.mktemp("metadata")
    for path in CASES.iterdir():
        shutil.copy(path, folder)
    with Archive(folder / "archive") as archive:
        assert archive.ingest([folder], keep="layers", effort=1).added == len(list(CASES.iterdir()))
    return folder / "archive"


def found(run: Any, archive: Path, query: str) -> list[str]:
    hits = json.loads(run("query", query, "--json", "--archive", archive).out)["results"]
    return sorted(Path(hit["path"]).name for hit in hits)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("camera:小米", ["c_utf8.jpg", "meta_utf8.jpg"]),
        ("camera:modèle", ["meta_utf8.jpg"]),
        ("rating:>=4", ["meta_utf8.jpg"]),
        ("keyword:küste", ["meta_utf8.jpg"]),
        ("keyword:coast", ["meta_utf8.jpg"]),
        ("title:über*", ["meta_utf8.jpg"]),
        ("text:海", ["meta_utf8.jpg"]),
        ("text:nosec", ["d_nosec.jpg"]),
        ("taken:2021-06-05", ["d_nosec.jpg", "meta_utf8.jpg", "xres_str.jpg"]),
        ("taken:2018-07-08 taken_from:datetime", ["d_ifd0_only.jpg"]),
        ("taken:2015-03-04 taken_from:xmp*", ["x_date.jpg"]),
        ("near 48.8583,2.35 100m", ["g_one.jpg"]),
        ("camera:acme", ["d_nosec.jpg", "xres_str.jpg"]),
    ],
)
def test_photos_are_found_by_what_their_metadata_tell(
    run: Any, photos: Path, query: str, names: list[str]
) -> None:
    assert found(run, photos, query) == names


def test_they_are_counted_and_exported(run: Any, photos: Path, tmp_path: Path) -> None:
    counts = json.loads(run("stats", "--json", "--archive", photos).out)
    assert counts["keywords"] == {"Küste": 1, "coast": 1}
    assert counts["ratings"] == {"4": 1}
    assert "keywords: Küste (1), coast (1)" in run("stats", "--archive", photos).out
    held = {"title": 1, "description": 1, "place": 1}
    assert counts["held"] == held
    assert "photos with: title (1), description (1), place (1)" in run("stats", "--archive", photos).out
    (hit,) = json.loads(run("query", "rating:4", "--json", "--archive", photos).out)["results"]
    told = {"keyword": ["Küste", "coast"], "title": "Überschrift", "description": "海と空", "rating": 4.0}
    assert told.items() <= hit.items()
    assert run("query", "rating:4", "--out", tmp_path / "t.csv", "--archive", photos).code == 0
    (row,) = csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8-sig").splitlines())
    assert (row["keyword"], row["title"], row["iso"]) == ("Küste; coast", "Überschrift", "")
    pandas = pytest.importorskip("pyarrow.parquet")
    assert run("query", "everything", "--out", tmp_path / "t.parquet", "--archive", photos).code == 0
    table = pandas.read_table(tmp_path / "t.parquet").to_pylist()
    assert [row["keyword"] for row in table if row["keyword"]] == [["Küste", "coast"]]
    assert {row["iso"] for row in table} == {None}
    places = {(row["latitude"], row["longitude"]) for row in table}
    assert places == {(None, None), (48.858333, 2.35)}


def test_places_are_exported_in_degrees(run: Any, photos: Path, tmp_path: Path) -> None:
    """As numbers, also west and south, which no spreadsheet takes for a formula."""
    asked = ("query", "near 48.8583,2.35 100m", "--archive", photos)
    (hit,) = json.loads(run(*asked, "--json").out)["results"]
    assert (hit["latitude"], hit["longitude"]) == (48.858333, 2.35)
    assert run(*asked, "--out", tmp_path / "t.csv").code == 0
    (row,) = csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8-sig").splitlines())
    assert (row["latitude"], row["longitude"]) == ("48.858333", "2.35")
    assert _cell("name", -33.5) == -33.5
    with Archive(photos) as archive:
        assert [hit.facts["latitude"] for hit in archive.query("place:unknown", limit=1)] == [None]


@pytest.mark.parametrize("option", ["--strip-location", "--strip-metadata"])
def test_a_place_that_was_left_out_is_in_no_export(
    run: Any, placed: Path, tmp_path: Path, option: str
) -> None:
    archive = tmp_path / "archive"
    assert run("ingest", placed, "--effort", 1, option, "--archive", archive).code == 0
    told = run("query", "everything", "--json", "--archive", archive).out
    (hit,) = json.loads(told)["results"]
    assert (hit["latitude"], hit["longitude"]) == (None, None)
    assert "48.858" not in told
    assert json.loads(run("stats", "--json", "--archive", archive).out)["held"]["place"] == 0
    assert run("query", "everything", "--out", tmp_path / "t.csv", "--archive", archive).code == 0
    (row,) = csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8-sig").splitlines())
    assert (row["latitude"], row["longitude"]) == ("", "")


def test_numbers_that_cameras_choose_are_counted_by_stops(run: Any, tmp_path: Path) -> None:
    folder, archive = tmp_path / "photos", tmp_path / "archive"
    folder.mkdir()
    for number, (iso, exposure) in enumerate([(100, 1 / 4000), (125, 1 / 125), (400, 1 / 100), (400, 2.5)]):
        exif = Image.Exif()
        tags = {0x8827: iso, 0x829A: IFDRational(exposure).limit_rational(10**6), 0x829D: IFDRational(28, 10)}
        exif[0x8769] = {tag: IFDRational(*v) if isinstance(v, tuple) else v for tag, v in tags.items()}
        exif[0x0112] = 1
        Image.new("RGB", (32 + number, 32), (9 * number, 80, 160)).save(folder / f"{number}.jpg", exif=exif)
    assert run("ingest", folder, "--keep", "reference", "--archive", archive).code == 0
    counts = json.loads(run("stats", "--json", "--archive", archive).out)
    assert counts["iso"] == {
        "photos": 4,
        "least": 100,  # whole, as in the file
        "median": 125,
        "greatest": 400,
        "stops": [
            {"start": 100, "end": 200, "photos": 2},
            {"start": 200, "end": 400, "photos": 0},
            {"start": 400, "end": 800, "photos": 2},
        ],
    }
    assert isinstance(counts["iso"]["median"], int)
    assert counts["focal_length"] is None
    assert counts["turns"] == {"1": 4}
    assert counts["orientations"] == {"landscape": 3, "square": 1}
    for stop in counts["exposure"]["stops"]:
        start, end = (Fraction(stop[side]).limit_denominator(8000) for side in ("start", "end"))
        asked = f"exposure:>={start} and exposure:<{end}"
        assert json.loads(run("query", asked, "--json", "--archive", archive).out)["total"] == stop["photos"]
    lines = run("stats", "iso:>=125", "--archive", archive).out.splitlines()
    at = lines.index("number       photos     least    median  greatest  by stops")
    assert lines[at + 1 : at + 4] == [
        "iso               3   ISO 125   ISO 400   ISO 400  ▄·█",
        "exposure          3   1/125 s   1/100 s     2.5 s  █·······▄",
        "f_number          3     f/2.8     f/2.8     f/2.8  █",
    ]


def test_they_are_shown(run: Any, photos: Path) -> None:
    (hit,) = json.loads(run("query", "rating:4", "--json", "--archive", photos).out)["results"]
    shown = run("show", hit["id"], "--archive", photos).out
    for text in (
        "taken 2021-06-05 14:30:15 (EXIF DateTimeOriginal), 小米 Modèle 1, added ",
        "rated 4 of 5",
        "title: Überschrift",
        "description: 海と空",
        "keywords: Küste, coast",
    ):
        assert text in shown
    info = json.loads(run("show", hit["id"], "--json", "--archive", photos).out)
    assert (info["keywords"], info["people"], info["taken_from"]) == (
        ["Küste", "coast"],
        [],
        "EXIF DateTimeOriginal",
    )
    (file,) = (photos / "objects").glob(f"*/{info['content_hash']}.dsslic")
    said = json.loads(run("info", file, "--json").out)["facts"]
    assert said == {
        "taken_at": "2021-06-05T14:30:15",
        "taken_from": "EXIF DateTimeOriginal",
        "camera": "小米 Modèle 1",
        "rating": 4.0,
        "keywords": ["Küste", "coast"],
        "title": "Überschrift",
        "description": "海と空",
    }
    assert "keywords: Küste, coast" in run("info", file).out


def test_an_ingest_tells_of_sidecars(run: Any, tmp_path: Path) -> None:
    shutil.copy(CASES / "d_nosec.jpg", tmp_path / "a.jpg")
    (tmp_path / "a.jpg.json").write_text('{"title": "a.jpg", "description": "A birthday"}')
    done = run("ingest", tmp_path, "--keep", "reference", "--json", "--archive", tmp_path / "archive")
    assert json.loads(done.out)["sidecars"] == 1
    assert "0 skipped, 1 sidecar read" in done.err
    assert found(run, tmp_path / "archive", "text:birthday taken_from:exif*") == ["a.jpg"]


@pytest.fixture
def placed(tmp_path: Path) -> Path:
    """A photo that says where it was taken, under a name that tells a date."""
    (tmp_path / "photos").mkdir()
    return Path(shutil.copy(CASES / "g_one.jpg", tmp_path / "photos" / "IMG-20210605-WA0001.jpg"))


def told(archive: Path) -> tuple[Any, ...]:
    with Archive(archive) as opened:
        photo = opened.photo(1)
        return photo.latitude, photo.longitude, str(photo.taken_at), photo.taken_from


def kept_in(archive: Path, tmp_path: Path, *options: str, run: Any) -> bytes:
    """EXIF data of a picture decoded from the photo's file."""
    (file,) = (archive / "objects").glob("*/*.dsslic")
    assert run("decode", file, tmp_path / "a.png", "--force", *options).code == 0
    with Image.open(tmp_path / "a.png") as picture:
        return bytes(picture.info.get("exif", b""))


PLACE = bytes.fromhex("dd84e90240420f00")  # the latitude's rational


def test_location_and_metadata_are_left_out_of_an_archive(run: Any, placed: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    ingest = ("ingest", placed, "--effort", 1, "--archive", archive)
    assert run(*ingest).code == 0
    assert told(archive) == (48.858333, 2.35, "2022-01-01 00:00:00", "EXIF DateTimeOriginal")
    assert PLACE in kept_in(archive, tmp_path, run=run)
    for option in ("--strip-location", "--strip-metadata"):  # of a decoded picture alone
        assert PLACE not in kept_in(archive, tmp_path, option, run=run)
    assert b"2022:01:01" in kept_in(archive, tmp_path, "--strip-location", run=run)
    assert kept_in(archive, tmp_path, "--strip-metadata", run=run) == b""
    assert "1 stored anew" in run(*ingest, "--strip-location").err
    assert told(archive) == (None, None, "2022-01-01 00:00:00", "EXIF DateTimeOriginal")
    assert PLACE not in b"".join(file.read_bytes() for file in archive.rglob("*") if file.suffix == ".dsslic")
    found = kept_in(archive, tmp_path, run=run)
    assert PLACE not in found
    assert b"2022:01:01" in found
    assert "1 already there" in run(*ingest, "--strip-location").err
    assert "1 stored anew" in run(*ingest, "--strip-metadata").err
    assert told(archive) == (None, None, "2021-06-05 00:00:00", "file name")
    assert kept_in(archive, tmp_path, run=run) == b""
    assert "1 already there" in run(*ingest, "--strip-metadata").err


@pytest.mark.parametrize("keep", ["exact", "reference"])
@pytest.mark.parametrize("option", ["--strip-location", "--strip-metadata"])
def test_an_original_that_is_kept_as_it_is_cannot_be_stripped(
    run: Any, placed: Path, tmp_path: Path, keep: str, option: str
) -> None:
    ran = run("ingest", placed, "--keep", keep, option, "--archive", tmp_path / "archive")
    assert ran.code == 2
    assert (
        f'keep mode "{keep}" is about the original file as it is, so no metadata can be left out of it'
        in ran.err
    )
    assert run("ingest", placed, "--keep", "exact", "--archive", tmp_path / "archive").code == 0
    ran = run("ingest", placed, option, "--archive", tmp_path / "archive")
    assert "it is kept exactly, so none of its metadata can be left out" in ran.err


def test_originals_are_written_without(run: Any, placed: Path, tmp_path: Path) -> None:
    archive, out = tmp_path / "archive", tmp_path / "out.jpg"
    assert run("ingest", placed, "--keep", "exact", "--archive", archive).code == 0
    assert run("original", 1, "--out", out, "--archive", archive).code == 0
    assert out.read_bytes() == placed.read_bytes()
    (file,) = (archive / "objects").glob("*/*.dsslic")
    for command in (("original", 1, "--out", out, "--archive", archive), ("decode", file, out, "--original")):
        for option, dated in (("--strip-location", True), ("--strip-metadata", False)):
            assert run(*command, option, "--force").code == 0
            assert PLACE not in out.read_bytes()
            assert (b"2022:01:01" in out.read_bytes()) == dated
            with Image.open(out) as without, Image.open(placed) as before:
                assert without.tobytes() == before.tobytes()


def test_exposures_as_cameras_write_them() -> None:
    told = [exposure_text(seconds) for seconds in (0.000125, 0.004, 0.0166667, 0.3333333, 0.5, 2.5, 30.0)]
    assert told == ["1/8000 s", "1/250 s", "1/60 s", "1/3 s", "0.5 s", "2.5 s", "30 s"]
    facts = {
        "iso": 400,
        "focal_length": 50.0,
        "exposure": 0.004,
        "f_number": 2.8,
        "turn": 6,
        "people": ["Anna"],
    }
    assert lines(facts) == ["ISO 400, 50 mm, 1/250 s, f/2.8, EXIF orientation 6", "people: Anna"]
    assert lines({}) == []
