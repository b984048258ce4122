"""query, preview and sheet on an archive of real photos."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search import Archive
from dsslic_search.core import vocabulary
from dsslic_search.core.fields import EXPORTED
from dsslic_search.core.kinds import KeepMode, Stage


def matching(archive: Path, wanted) -> set[int]:
    """Ids of photos whose catalog coverages satisfy ``wanted``: the slow way to answer."""
    with Archive(archive) as opened:
        names = [c.name for c in opened.vocabulary.classes]
        found = set()
        for photo_id in range(1, opened.catalog.count() + 1):
            coverage = {names[c.class_id]: c.fraction for c in opened.photo(photo_id).coverages}
            if wanted(lambda name, coverage=coverage: coverage.get(name, 0.0)):
                found.add(photo_id)
    return found


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of four photos, of which one has no date and two no camera."""
    place = tmp_path_factory.mktemp("dated")
    (place / "photos").mkdir()
    for name, taken, camera in [
        ("a", "2021:06:05 12:00:00", "Canon"),
        ("b", "2021:08:01 09:00:00", None),
        ("c", "2022:01:01 00:00:00", "Canon"),
        ("d", None, None),
    ]:
        exif = Image.Exif()
        if taken:
            exif[306] = taken  # DateTime
        if camera:
            exif[272] = camera  # Model
        Image.new("RGB", (40, 30), (len(name) * 50, 90, ord(name))).save(
            place / "photos" / f"{name}.png", exif=exif
        )
    with Archive(place / "archive") as opened:
        assert opened.ingest([place / "photos"]).added == 4
    return place / "archive"


def test_how_many_a_year_says_how_many_have_no_date(run, dated: Path) -> None:
    ran = run("query", "how many photos per year", "--archive", dated)
    assert ran.out.splitlines() == ["2021  2", "2022  1"]
    assert ran.err.splitlines() == ["4 photos, 1 of them without a date"]
    ran = run("query", "how many photos per year", "--archive", dated, "--json")
    assert ran.json == {
        "query": "how many photos per year",
        "read_as": None,
        "total": 4,
        "counts": {"2021": 2, "2022": 1},
        "without": 1,
    }


def test_how_many_a_month_and_by_camera(run, dated: Path) -> None:
    ran = run("query", "everything count:month", "--archive", dated)
    assert ran.out.splitlines() == ["2021-06  1", "2021-08  1", "2022-01  1"]
    ran = run("query", "how many different cameras", "--archive", dated)
    assert ran.out.splitlines() == ["Canon  2"]
    assert ran.err.splitlines() == ["4 photos, 2 of them without a camera"]


def test_the_database_alone_lists_the_same(run, dated: Path) -> None:
    asked = "query", "taken:2021 sort:-taken", "--archive", dated
    alone, usual = run(*asked, "--engine", "sql"), run(*asked)
    assert (alone.out, alone.err) == (usual.out, usual.err)
    assert "2 photos" in alone.err
    counted = run("query", "how many in 2021", *asked[2:], "--engine", "sql")
    assert "2 photos" in counted.out
    refused = run("query", "name:a", *asked[2:], "--engine", "sql")
    assert refused.code == 2
    assert "name:a; ask the indexes, with --engine index" in refused.err


def test_how_many_together(run, dated: Path) -> None:
    ran = run("query", "how many photos in 2021", "--archive", dated)
    assert (ran.out.splitlines(), ran.err) == (["2 photos"], "")
    ran = run("query", "how many photos in 2021", "--archive", dated, "--json")
    assert (ran.json["total"], ran.json["counts"]) == (2, {})
    assert "without" not in ran.json
    assert "write per month" in run("query", "how many photos per week", "--archive", dated).err


@pytest.mark.parametrize(("hemisphere", "summer"), [(None, 2), ("north", 2), ("South", 1)])
def test_summer_is_when_the_setting_says(
    run, dated: Path, monkeypatch: pytest.MonkeyPatch, hemisphere: str | None, summer: int
) -> None:
    if hemisphere is None:
        monkeypatch.delenv("DSS_HEMISPHERE", raising=False)
    else:
        monkeypatch.setenv("DSS_HEMISPHERE", hemisphere)
    assert run("query", "summer", "--archive", dated, "--json").json["total"] == summer


def test_no_other_hemisphere_is_known(run, dated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSS_HEMISPHERE", "east")
    ran = run("query", "summer", "--archive", dated)
    assert ran.code == 2
    assert "DSS_HEMISPHERE=east: must be north or south" in ran.err


SHOWN = ("words", "coverage", "certainty", "class_colours")  # what a hit tells of the photo's content


def shows(coverage, name: str) -> bool:
    ours = vocabulary.default()
    return coverage(name) >= ours.classes[ours.id_of(name)].presence


QUERIES = {
    "images with sky": lambda c: shows(c, "sky"),
    "photos of trees and >10% sky": lambda c: shows(c, "tree") and c("sky") > 0.1,
    "no sky": lambda c: not shows(c, "sky"),
    "(mountain or water) and not person": lambda c: (
        (shows(c, "mountain") or shows(c, "water")) and not shows(c, "person")
    ),
    "less than 50% sky, at least 1% tree": lambda c: c("sky") < 0.5 and c("tree") >= 0.01,
    "dog": lambda c: shows(c, "dog"),
}


@pytest.mark.parametrize("text", QUERIES)
def test_query_answers_what_the_catalog_says(run, archive: Path, text: str):
    ran = run("query", text, "--archive", archive, "--json")
    assert ran.code == 0
    answer = ran.json
    assert answer["query"] == text
    assert {r["id"] for r in answer["results"]} == matching(archive, QUERIES[text])
    assert answer["total"] == len(answer["results"])
    assert [r["rank"] for r in answer["results"]] == list(range(1, answer["total"] + 1))
    scores = [r["score"] for r in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    for result in answer["results"]:
        assert set(result) == {"rank", "id", "path", "paths", "score", *EXPORTED, *SHOWN}
        assert Path(result["path"]).is_file()


def test_the_total_is_exact_whatever_the_limit(run, archive: Path):
    everything = run("query", "no bus", "--archive", archive, "--json").json
    one = run("query", "no bus", "--limit", 1, "--archive", archive, "--json").json
    assert one["total"] == everything["total"] > 1
    assert one["results"] == everything["results"][:1]
    assert run("query", "no bus", "--limit", 0, "--archive", archive, "--json").json["results"] == []


def test_like_finds_the_photo_itself_first(run, archive: Path, photos: Path, tmp_path: Path, picture):
    target = photos / sorted(p.name for p in photos.glob("*.jpg"))[0]
    by_path = run("query", "like", target, "--archive", archive, "--json").json["results"]
    assert by_path[0]["path"] == str(target)
    assert by_path[0]["score"] == pytest.approx(1, abs=1e-3)
    assert (
        run("query", f"like #{by_path[0]['id']}", "--archive", archive, "--json").json["results"] == by_path
    )
    assert run("query", f"like {target.name}", "--archive", archive, "--json").json["results"] == by_path
    stranger = tmp_path / "stranger.png"
    picture(target).save(stranger)
    seen_anew = run("query", f"like {stranger}", "--archive", archive, "--json").json["results"]
    assert seen_anew[0]["id"] == by_path[0]["id"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "names nothing"),
        ("unicorns", "unicorns"),
        ("(sky and tree", ")"),
        ("sky > 130%", "130"),
        ("sky and", "and"),
        ("like /nowhere/at/all.jpg", "no such file"),
        ("like #9999", "9999"),
        ("like #12345678901234567890123", "like #12345678901234567890123: no photo has that id"),
    ],
)
def test_queries_that_make_no_sense_are_explained(run, archive: Path, text: str, word: str):
    ran = run("query", text, "--archive", archive)
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert word in ran.err
    assert not ran.out


def test_an_unknown_word_gets_suggestions(run, archive: Path):
    assert "tree" in run("query", "treee", "--archive", archive).err


def test_explain_says_what_each_part_matches(run, archive: Path):
    ran = run("query", "woods and >10% sky", "--explain", "--archive", archive)
    assert "tree" in ran.out
    assert str(len(matching(archive, lambda c: c("sky") > 0.1))) in ran.out


def test_each_stage_is_shown_from_its_own_bytes(run, archive: Path, tmp_path: Path, monkeypatch, picture):
    from dsslic_search.archive.store import Store

    furthest: list[int] = []
    read_prefix = Store.read_prefix

    def watched(self: Store, content_hash: str, n: int, *, start: int = 0) -> bytes:
        furthest.append(n)
        return read_prefix(self, content_hash, n, start=start)

    monkeypatch.setattr(Store, "read_prefix", watched)
    monkeypatch.setattr(Store, "read", None)
    with Archive(archive) as opened:
        contents = opened.contents(opened.photo(1))
    for stage in Stage:
        furthest.clear()
        out = tmp_path / f"{stage}.png"
        ran = run("preview", 1, "--stage", stage, "-o", out, "--archive", archive)
        assert ran.code == 0
        assert max(furthest) == contents.stage_bytes(stage)
        assert f"{contents.stage_bytes(stage)} of {contents.total} bytes" in ran.err
    shown = picture(tmp_path / "map.png")
    assert shown.mode == "P"
    assert (
        shown.size == picture(tmp_path / "full.png").size == (contents.header.width, contents.header.height)
    )


def test_progressive_writes_an_animation_of_four_stages(run, archive: Path, tmp_path: Path):
    for name in ("stages.png", "stages.gif"):
        ran = run("preview", 2, "--progressive", "-o", tmp_path / name, "--archive", archive)
        assert ran.code == 0
        assert [line.split()[0] for line in ran.out.splitlines()[1:]] == list(Stage)
        with Image.open(tmp_path / name) as shown:
            assert shown.n_frames == 4


def test_overlay_and_sheet_are_pictures(run, archive: Path, tmp_path: Path, picture):
    assert run("preview", 1, "--overlay", "-o", tmp_path / "o.png", "--archive", archive).code == 0
    assert np.asarray(picture(tmp_path / "o.png")).std() > 10
    assert (
        run("sheet", tmp_path / "s.png", "--overlay", "--limit", 4, "--columns", 2, "--archive", archive).code
        == 0
    )
    assert picture(tmp_path / "s.png").width > 400
    assert (
        run(
            "sheet",
            tmp_path / "q.png",
            "--query",
            "sky",
            "--stage",
            "compact",
            "--limit",
            3,
            "--archive",
            archive,
        ).code
        == 0
    )


def test_preview_without_a_terminal_wants_a_file(run, archive: Path):
    ran = run("preview", 1, "--archive", archive)
    assert ran.code == 2
    assert "-o" in ran.message


CHOSEN = [mode for mode in KeepMode if mode.is_seen]


@pytest.fixture(scope="module")
def modes(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """For each keep mode, an archive of one photo, and that photo."""
    made = {}
    for keep in CHOSEN:
        place = tmp_path_factory.mktemp(keep)
        source = place / "photo.jpg"
        source.write_bytes(next(photos.glob("*.jpg")).read_bytes())
        with Archive(place / "archive") as opened:
            assert opened.ingest([source], keep=keep).added == 1
        made[keep] = place / "archive", source
    return made


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ("layers", "layers, quality 75"),
        ("exact", "exact: the original, bit for bit; previews at quality 75"),
        ("reference", "reference: the original where it lies; previews at quality 75"),
        ("coarse", "coarse: previews alone, at quality 75"),
    ],
)
def test_show_and_info_tell_what_is_kept(run, modes, keep: str, kept: str):
    archive, _ = modes[keep]
    (stored,) = (archive / "objects").rglob("*.dsslic")
    assert run("show", 1, "--archive", archive).out.splitlines()[1].endswith(f" bpp), keep mode {kept}")
    assert run("info", stored).out.splitlines()[0].endswith(f", keep mode {kept}")


@pytest.mark.parametrize("keep", CHOSEN)
def test_every_stage_shows_in_every_keep_mode(run, modes, keep: str, tmp_path: Path):
    archive, source = modes[keep]
    for stage in Stage:
        ran = run("preview", 1, "--stage", stage, "-o", tmp_path / f"{stage}.png", "--archive", archive)
        assert ran.code == (1 if (keep, stage) == ("coarse", "full") else 0)
        assert ran.code == 0 or "made without a residual" in ran.message
    ran = run("preview", 1, "-o", tmp_path / "p.png", "--archive", archive)
    assert ran.err.startswith("coarse: " if keep == "coarse" else "full: ")
    assert run("preview", 1, "--overlay", "-o", tmp_path / "o.png", "--archive", archive).code == 0
    assert run("preview", 1, "--progressive", "-o", tmp_path / "a.png", "--archive", archive).code == 0
    ran = run("original", 1, "-o", tmp_path / "o.jpg", "--archive", archive)
    if keep in ("layers", "coarse"):
        assert ran.code == 1
        assert "does not hold the original" in ran.message
    else:
        assert (tmp_path / "o.jpg").read_bytes() == source.read_bytes()


def test_a_referenced_original_that_changed_is_not_shown(run, modes, tmp_path: Path):
    archive, source = modes["reference"]
    kept = source.read_bytes()
    source.write_bytes(kept + b"x")
    ran = run("preview", 1, "--progressive", "-o", tmp_path / "p.png", "--archive", archive)
    assert ran.code == 3
    assert "has changed" in ran.message
    with Image.open(tmp_path / "p.png") as shown:
        assert shown.n_frames == 3
    source.unlink()
    assert "is gone" in run("original", 1, "-o", tmp_path / "o.jpg", "--archive", archive).message
    source.write_bytes(kept)


def test_a_damaged_file_is_named_and_spoils_no_sheet(run, archive: Path, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy)
    with Archive(copy) as opened:
        victim = opened.folder.store.path_of(opened.photo(2).content_hash)
    victim.write_bytes(b"damage" * 20)
    ran = run("preview", 2, "-o", tmp_path / "p.png", "--archive", copy)
    assert ran.code == 1
    assert "photo 2" in ran.message
    assert str(victim) in ran.message
    assert "dss-search check" in ran.message
    ran = run("sheet", tmp_path / "s.png", "--limit", 3, "--archive", copy)
    assert ran.code == 3
    assert "2 photos" in ran.message


@pytest.mark.parametrize("huge", ["99999999999999999999", "9" * 5000])
def test_ids_beyond_all_numbers_are_unknown(run, archive: Path, huge: str):
    for command in (("show", huge), ("query", f"like #{huge}")):
        ran = run(*command, "--archive", archive)
        assert ran.code in (1, 2)
        assert "Traceback" not in ran.err


def test_names_cannot_write_to_the_terminal(run, photos: Path, tmp_path: Path):
    odd = tmp_path / "a\x1b[31mb\nc.jpg"
    odd.write_bytes(next(photos.glob("*.jpg")).read_bytes())
    (tmp_path / "bad\x1b.jpg").write_bytes(b"")
    ran = run("ingest", odd, tmp_path / "bad\x1b.jpg", "--archive", tmp_path / "a")
    assert "\x1b" not in ran.err
    out = run("query", "no bus", "--archive", tmp_path / "a").out
    assert "\x1b" not in out
    assert len(out.splitlines()) == 1


def test_a_reader_that_has_enough_ends_it_quietly(archive: Path):
    command = f"{sys.executable} -m dsslic_search.cli.main classes --archive {archive}"
    ran = subprocess.run(f"{command} | head -1", shell=True, capture_output=True, text=True, timeout=600)
    assert ran.stdout.startswith("class")
    assert ran.stderr == ""


def test_a_terminal_that_cannot_show_it_gets_escapes(archive: Path):
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    command = [sys.executable, "-m", "dsslic_search.cli.main", "stats", "--archive", str(archive)]
    ran = subprocess.run(command, capture_output=True, env=environment, timeout=600)
    assert ran.returncode == 0
    assert b"\\u2588" in ran.stdout
