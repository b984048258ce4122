"""ingest, check, stats, classes, show: what they print, and what they do with bad input."""

from __future__ import annotations

import shlex
import shutil
import struct
import zlib
from pathlib import Path

import pytest

from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.lock import locked
from dsslic_search.cli.main import CALLED_ELSEWHERE, COMMANDS
from dsslic_search.codec.picture.apart import Apart
from dsslic_search.codec.picture.formats import tiff
from dsslic_search.core import vocabulary
from tests.codec.picture import misbehaving


def bad_files(folder: Path) -> dict[str, str]:
    """Files that are no photos, and a word of the reason each must get."""
    folder.mkdir()
    good = next((Path(__file__).parents[2] / "samples").glob("*.jpg")).read_bytes()
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("not a picture")
    (folder / "cut.jpg").write_bytes(good[: len(good) // 2])
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [b"IHDR" + header, b"IDAT" + zlib.compress(bytes(1000))]
    bomb = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks]
    (folder / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(bomb))
    return {
        "empty.jpg": "empty",
        "text.jpg": "not a picture",
        "cut.jpg": "damaged",
        "bomb.png": "DSS_MAX_PIXELS",
    }


def test_ingest_skips_bad_files_with_their_reason_and_goes_on(run, photos: Path, tmp_path: Path):
    reasons = bad_files(tmp_path / "bad")
    good = sorted(photos.glob("*.jpg"))[0]
    ran = run("ingest", tmp_path / "bad", good, "--archive", tmp_path / "a", "--json")
    assert ran.code == 3
    assert ran.json["added"] == 1
    assert {Path(f["path"]).name for f in ran.json["failed"]} == set(reasons)
    for failure in ran.json["failed"]:
        assert reasons[Path(failure["path"]).name] in failure["reason"]
        assert "\n" not in failure["reason"]
        assert ran.err.count(f"skipped: {failure['path']}") == 1
    assert run("check", "--read-data", "--archive", tmp_path / "a").code == 0
    again = run("ingest", tmp_path / "bad", good, "--archive", tmp_path / "a", "--json")
    assert (again.code, again.json["added"], again.json["present"]) == (3, 0, 1)


def test_ingest_goes_on_behind_a_photo_that_ends_what_decodes_it(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """And so does the next one, which meets it again."""
    monkeypatch.setattr(tiff, "_APART", Apart(misbehaving.__name__))
    folder = tmp_path / "photos"
    folder.mkdir()
    data = (Path(__file__).parents[1] / "data" / "pictures" / "rgb16_tiled.tif").read_bytes()
    (folder / "a.tif").write_bytes(data + misbehaving.ENDS)
    (folder / "b.tif").write_bytes(data)
    for counts in ({"added": 1, "present": 0}, {"added": 0, "present": 1}):
        ran = run("ingest", folder, "--archive", tmp_path / "a", "--json")
        assert ran.code == 3
        assert {name: ran.json[name] for name in counts} == counts
        assert [failure["reason"] for failure in ran.json["failed"]] == [
            "the TIFF data is damaged or cut short (the library that decodes it stopped at it)"
        ]
        assert ran.err.count(f"skipped: {folder / 'a.tif'}") == 1
    assert run("check", "--read-data", "--archive", tmp_path / "a").code == 0


def test_nothing_but_bad_files_is_an_error_and_leaves_no_photo(run, tmp_path: Path):
    bad_files(tmp_path / "bad")
    assert run("ingest", tmp_path / "bad", "--archive", tmp_path / "a").code == 1


def test_dry_run_writes_nothing(run, photos: Path, tmp_path: Path):
    ran = run("ingest", photos, "--archive", tmp_path / "a", "--dry-run", "--json")
    assert ran.code == 0
    assert ran.json["added"] == ran.json["found"] > 5
    assert not (tmp_path / "a").exists()


def test_a_folder_without_photos_says_so(run, tmp_path: Path):
    (tmp_path / "none").mkdir()
    ran = run("ingest", tmp_path / "none", "--archive", tmp_path / "a")
    assert ran.code == 1
    assert "no photos" in ran.message
    assert not (tmp_path / "a").exists()


def test_a_path_that_is_not_there_is_named(run, tmp_path: Path):
    ran = run("ingest", tmp_path / "gone.jpg", "--archive", tmp_path / "a")
    assert ran.code == 1
    assert "gone.jpg" in ran.err


def test_two_ingests_at_once_are_refused(run, photos: Path, archive: Path):
    with ArchiveFolder(archive).writing():
        ran = run("ingest", photos, "--archive", archive)
    assert ran.code == 1
    assert "is writing to it since" in ran.message


def test_an_archive_of_a_newer_version_is_left_alone(run, photos: Path, archive: Path, tmp_path: Path):
    newer = tmp_path / "newer"
    shutil.copytree(archive, newer)
    manifest = newer / "archive.json"
    manifest.write_text(manifest.read_text().replace('"version": 1', '"version": 99'))
    for command in (("ingest", photos), ("query", "sky"), ("stats",), ("show", "1")):
        ran = run(*command, "--archive", newer)
        assert ran.code == 1
        assert "newer" in ran.message


@pytest.mark.parametrize(
    "command", [("query", "sky"), ("stats",), ("show", "1"), ("check",), ("preview", "1", "-o", "x.png")]
)
def test_a_missing_archive_says_how_to_make_one(run, tmp_path: Path, command):
    ran = run(*command, "--archive", tmp_path / "nowhere")
    assert ran.code == 1
    assert "dss-search ingest" in ran.message


def test_the_archive_is_chosen_by_option_then_environment(run, archive: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("DSS_ARCHIVE", str(archive))
    assert run("stats", "--json").json["archive"] == str(archive)
    assert run("stats", "--archive", tmp_path / "other").code == 1


def test_stats_classes_and_show_agree(run, archive: Path):
    stats = run("stats", "--archive", archive, "--json").json
    classes = {c["name"]: c["photos"] for c in run("classes", "--archive", archive, "--json").json["classes"]}
    assert set(classes) == {c.name for c in vocabulary.default().classes}
    assert classes == {c["name"]: c["photos"] for c in stats["classes"]}
    shown = [run("show", i, "--archive", archive, "--json").json for i in range(1, stats["photos"] + 1)]
    assert sum(s["stored_bytes"] for s in shown) == stats["stored_bytes"]
    for photo in shown:
        assert sum(photo["coverage"].values()) == pytest.approx(1)
        assert sum(layer["bytes"] for layer in photo["layers"]) == photo["stored_bytes"]
        for region in photo["regions"]:
            assert 0 <= region["left"] <= region["x"] <= region["right"] <= 1
            assert 0 < region["area"] <= photo["coverage"][region["class"]] + 1e-5
            assert sum(touched["border"] for touched in region["touches"]) <= 1
            assert all(
                0 <= touched["under"] <= 1 and touched["class"] in photo["coverage"]
                for touched in region["touches"]
            )
        assert sum(len(region["touches"]) for region in photo["regions"]) >= len(photo["regions"]) > 1
    for name, count in classes.items():
        least = vocabulary.default().classes[vocabulary.default().id_of(name)].presence
        assert count == sum(s["coverage"].get(name, 0) >= least for s in shown)
    for command in (("stats",), ("classes",), ("show", 1)):
        assert run(*command, "--archive", archive).code == 0


def test_show_of_an_unknown_id_is_an_error(run, archive: Path):
    ran = run("show", 999, "--archive", archive)
    assert ran.code == 1
    assert "999" in ran.message


def test_ids_are_taken_as_query_prints_them(run, archive: Path, tmp_path: Path):
    at = ("--archive", archive)
    assert " #1 " in run("query", "id:1", *at).out
    assert run("show", "#1", *at).out == run("show", 1, *at).out != ""
    for command, out in (("preview", "-o"), ("export-layers", "--out"), ("export-stages", "--out")):
        assert run(command, "#1", out, tmp_path / f"{command}.png", *at).code == 0, command
    assert "keep mode" in run("original", "#1", "-o", tmp_path / "o.jpg", *at).message  # layers has none
    for command in ("show", "preview", "original"):
        ran = run(command, "one", *(() if command == "show" else ("-o", tmp_path / "x.png")), *at)
        assert (ran.code, ran.message.partition(";")[0]) == (2, 'dss-search: "one" is no id of a photo')


def test_check_finds_and_repairs_a_missing_file(run, archive: Path, tmp_path: Path, photos: Path):
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy)
    victim = next(copy.glob("objects/*/*.dsslic"))
    victim.unlink()
    ran = run("check", "--archive", copy)
    assert ran.code == 1
    assert "missing" in ran.err
    ran = run("check", "--repair", "--archive", copy)
    apart = f"1 photo is set apart; list it with: dss-search query is:lost --archive {copy}"
    assert (ran.code, ran.err.splitlines()[1:]) == (0, [apart, "1 problem, 1 mended"])
    assert run("query", "is:lost", "--json", "--archive", copy).json["total"] == 1
    assert run("check", "--archive", copy).err.splitlines() == [apart, "no problems"]
    assert run("ingest", photos, "--archive", copy, "--json").json["updated"] == 1
    assert run("check", "--read-data", "--archive", copy).err.splitlines() == ["no problems"]


def test_check_read_data_finds_one_flipped_bit(run, archive: Path, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy)
    victim = next(copy.glob("objects/*/*.dsslic"))
    data = bytearray(victim.read_bytes())
    data[-1] ^= 1
    victim.write_bytes(data)
    assert run("check", "--archive", copy).code == 0
    ran = run("check", "--read-data", "--archive", copy)
    assert ran.code == 1
    assert "checksum" in ran.err


def test_check_read_data_goes_on_where_it_was_stopped(run, archive: Path, tmp_path: Path, monkeypatch):
    from dsslic_search.archive import check, reading

    copy = tmp_path / "copy"
    shutil.copytree(archive, copy)
    monkeypatch.setattr(reading, "STEP_BYTES", 1)
    plain = check.damaged_files

    def stopped(_index: Path) -> list[Path]:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "damaged_files", stopped)
    for _ in range(2):
        assert run("check", "--read-data", "--archive", copy).code == 130
    monkeypatch.setattr(check, "damaged_files", plain)
    photos = len(list(copy.glob("objects/*/*.dsslic")))
    went_on = f"going on behind {photos} files read before; --restart reads all"
    assert run("check", "--archive", copy).err.splitlines() == ["no problems"]
    assert run("check", "--read-data", "--archive", copy).err.splitlines() == [went_on, "no problems"]
    assert run("check", "--read-data", "--archive", copy).err.splitlines() == ["no problems"]


def test_impossible_options_are_usage_errors(run, photos: Path, tmp_path: Path, monkeypatch):
    for arguments in (
        ("--quality", 0),
        ("--quality", 101),
        ("--quality", "high"),
        ("--effort", 0),
        ("--effort", 10),
        ("--keep", "all"),
        ("--workers", 0),
        ("--memory", "much"),
        ("--memory", "200MB"),
        ("--bogus",),
    ):
        ran = run("ingest", photos, "--archive", tmp_path / "a", *arguments)
        assert ran.code == 2
        assert not (tmp_path / "a").exists()
    monkeypatch.setenv("DSS_MAX_PIXELS", "many")
    assert run("ingest", photos, "--archive", tmp_path / "a").code == 2


def test_what_does_not_fit_a_command_is_told_in_sentences(run):
    ran = run("query", "sky", "--limit", "many")
    assert ran.code == 2
    assert ran.message.startswith('dss-search: --limit "many": must be a whole number. See dss-search --help')
    for arguments, wanted in (
        (("query", "sky", "-n", "1.5"), '--limit "1.5": must be a whole number'),
        (("query", "sky", "--limit", "-3"), '--limit "-3": must be 0 or more'),
        (("sheet", "sheet.png", "--columns", "21"), '--columns "21": must be 20 or less'),
        (("ingest", "photos", "--bpp", "few"), '--bpp "few": must be a number'),
        (("ingest", "photos", "--wait", "-0.5"), '--wait "-0.5": must be 0 or more'),
    ):
        ran = run(*arguments)
        assert (ran.code, ran.message.partition(". See")[0]) == (2, f"dss-search: {wanted}")
    ran = run("query", "-sky")
    assert ran.code == 2
    assert 'Put "--" before a query that begins with "-".' in ran.message
    assert "Put" not in run("check", "-sky").message


def test_a_command_of_other_programs_is_told_by_its_name_here(run):
    assert "Did you mean dss-search query?" in run("find", "sky").message
    assert "'search'. Did you mean dss-search query? See" in run("search", "sky").message
    assert "'quer'. Did you mean 'query'? See" in run("quer", "sky").message
    assert "Did you mean dss-search ingest?" in run("import", "photos").message
    assert "'help'. Did you mean dss-search --help? See" in run("help").message
    assert "Did you mean" not in run("qqqqqq").message
    ours = {name for names in COMMANDS.values() for name in names}
    assert set(CALLED_ELSEWHERE.values()) <= ours | {"--help", "--version"}
    assert all(run(option).code == 0 for option in ("--help", "--version"))


@pytest.mark.parametrize(
    "command",
    [
        ["reindex"],
        ["empty-bin"],
        ["ingest", "PHOTOS"],
        ["sync", "PHOTOS"],
        ["relink", "PHOTOS", "/x"],
    ],
    ids=lambda command: command[0],
)
def test_writers_wait_as_long_as_they_are_told(run, archive: Path, photos: Path, command: list[str]):
    arguments = [photos if each == "PHOTOS" else each for each in command]
    with locked(archive):
        refused = run(*arguments, "--archive", archive)
        waited = run(*arguments, "--archive", archive, "--wait", 0.01)
    assert (refused.code, waited.code) == (1, 1)
    assert "wait for it with --wait SECONDS, or" in refused.err
    assert "waiting for it, 0.01 seconds at most" in waited.err.splitlines()[0]
    assert "waiting" not in refused.err


def test_a_backup_there_and_back(run, archive: Path, tmp_path: Path):
    place, back = tmp_path / "backup", tmp_path / "back"
    ran = run("backup", place, "--json", "--archive", archive)
    photos = run("query", "is:any", "--json", "--archive", archive).json["total"]
    assert (ran.code, ran.json["photos"], ran.json["copied"], ran.json["failed"]) == (0, photos, photos, [])
    again = run("backup", place, "--read-data", "--archive", archive)
    assert (again.code, f"0 copied (0 B), {photos} unchanged" in again.err) == (0, True)
    assert run("check", "--read-data", "--archive", place).code == 0
    ran = run("restore-backup", place, back, "--json")
    assert (ran.code, ran.json["files"], ran.json["unlisted"], ran.json["complete"]) == (0, photos, 0, True)
    told = [run("query", "sky", "--json", "--archive", where).json["results"] for where in (archive, back)]
    assert told[0] == told[1]
    refused = run("restore-backup", place, back)
    assert (refused.code, "is not empty" in refused.message) == (2, True)
    refused = run("backup", archive, "--archive", archive)
    assert (refused.code, "lies within the archive, or around it" in refused.message) == (2, True)
    none = run("restore-backup", tmp_path / "nothing", tmp_path / "x")
    assert (none.code, "no backup there" in none.message) == (1, True)


def test_a_backup_with_a_damaged_file_is_partial(run, archive: Path, tmp_path: Path):
    place = tmp_path / "backup"
    assert run("backup", place, "--archive", archive).code == 0
    damaged = next((place / "objects").rglob("*.dsslic"))
    damaged.write_bytes(damaged.read_bytes() + b"x")
    ran = run("restore-backup", place, tmp_path / "back")
    assert ran.code == 3
    assert f"not copied: {damaged}: it is damaged" in ran.err
    checked = run("check", "--archive", place)
    assert checked.code == 1
    assert "this is a backup: the next dss-search backup to it mends it from its archive" in checked.err
    assert run("backup", place, "--read-data", "--archive", archive).code == 0
    assert "this is a backup" not in run("check", "--archive", place).err
    assert "this is a backup" not in run("check", "--archive", archive).err


def test_what_is_no_backup_is_told_as_that(run, archive: Path, tmp_path: Path):
    ran = run("restore-backup", tmp_path / "none", tmp_path / "made")
    assert (ran.code, ran.message) == (
        1,
        f"dss-search: {tmp_path / 'none'}: no backup there; name the folder in which one was made",
    )
    copy = tmp_path / "a copy"  # as other programs make one
    shutil.copytree(archive, copy)
    ran = run("restore-backup", copy, tmp_path / "made")
    photos, unlisted, advice = ran.err.splitlines()
    count = run("stats", "--json", "--archive", archive).json["photos"]
    assert (ran.code, photos) == (3, f"{count} photos, 0 files compared")
    assert unlisted == f"{count} files have no hash in the backup, and could not be compared"
    assert advice.startswith("the backup was stopped before its end, or is an archive and no backup; ")
    words = shlex.split(advice.partition(": dss-search ")[2])
    assert words == ["check", "--archive", str(tmp_path / "made")]
    assert run(*words).code == 0
    (copy / "catalog.sqlite").unlink()
    ran = run("restore-backup", copy, tmp_path / "again")
    words = shlex.split(ran.message.partition(": dss-search ")[2])
    assert words == ["rebuild", "--archive", str(copy)]
    assert (ran.code, run(*words).code) == (1, 0)
    assert run("restore-backup", copy, tmp_path / "again").code == 3  # as before: no hashes


def test_a_lost_catalog_is_told_of_and_made_anew(run, archive: Path, tmp_path: Path):
    own = tmp_path / "my own"
    shutil.copytree(archive, own)
    run("tag", "add", "best", "1", "--archive", own)
    before = run("query", "everything", "--json", "--archive", own).json["results"]
    (own / "catalog.sqlite").unlink()
    for command in ("query", "sky"), ("check",), ("ingest", tmp_path):
        told = run(*command, "--archive", own)
        assert told.code == 1
        advice, _, words = told.message.partition("dss-search: ")[2].rpartition(": dss-search ")
        assert advice.endswith("make it anew from the photos' files and the journal with")
        assert shlex.split(words) == ["rebuild", "--archive", str(own)]
    ran = run(*shlex.split(words), "--json")
    assert (ran.code, ran.json["photos"], ran.json["unread_lines"]) == (0, len(before), 0)
    assert ran.json["aside"] is None
    assert run("query", "everything", "--json", "--archive", own).json["results"] == before
    assert run("query", "tag:best", "--json", "--archive", own).json["total"] == 1
    again = run("rebuild", "--archive", own)
    assert again.code == 0
    assert "the earlier catalog is kept as" in again.err


def test_a_journal_with_a_damaged_line_is_told_of(run, archive: Path, tmp_path: Path):
    own = tmp_path / "own"
    shutil.copytree(archive, own)
    run("save", "mine", "sky > 0.2", "--archive", own)
    (own / "catalog.sqlite").unlink()
    for journal in own.rglob("journal.jsonl"):
        journal.write_bytes(journal.read_bytes().replace(b"sky > 0.2", b"sky > 0.3"))
    ran = run("rebuild", "--archive", own)
    assert ran.code == 3
    assert "1 line of the journal cannot be read" in ran.err
