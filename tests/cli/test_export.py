"""Answers as paths, JSON, CSV and Parquet, page by page, to stdout and to files."""

from __future__ import annotations

import builtins
import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dsslic_search import Archive
from dsslic_search.cli.main import main
from dsslic_search.core.fields import EXPORTED
from dsslic_search.core.vocabulary import default
from tests.forks import forked


@pytest.fixture
def everyone(run, archive: Path) -> list[dict]:
    """All photos that "no bus" finds."""
    return run("query", "no bus", "--all", "--archive", archive, "--json").json["results"]


def raw(archive: Path, *arguments: object) -> bytes:
    """What a command writes into a pipe, in a process of its own."""
    reader, writer = os.pipe()

    def command(_say: object) -> None:
        os.dup2(writer, 1)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.argv = ["dss-search", *map(str, arguments), "--archive", str(archive)]
        try:
            main()
        except SystemExit as stopped:
            sys.stdout.flush()
            assert not stopped.code

    with forked(command, archive) as fork:
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            written = pipe.read()
        assert fork.wait() == 0
    return written


def test_paths_are_bytes_as_they_are(run, photos: Path, tmp_path: Path):
    odd = [
        b"a b.jpg",
        b"new\nline.jpg",
        b"quote'\".jpg",
        b"bad\xff\xfe.jpg",
        "été 休暇.jpg".encode(),
        b" .jpg",
        b"a//b.jpg",
    ]
    folder = tmp_path / "odd"
    folder.mkdir()
    sources = sorted(photos.rglob("*.jpg"))
    for name, source in zip(odd, sources, strict=False):
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(source.read_bytes())
    assert run("ingest", folder, "--archive", tmp_path / "a", "--keep", "reference").code == 0
    written = raw(tmp_path / "a", "query", "no bus", "-0")
    assert written.endswith(b"\0")
    paths = written[:-1].split(b"\0")
    assert sorted(paths) == sorted(os.path.normpath(os.fsencode(folder) + b"/" + name) for name in odd)
    assert all(Path(os.fsdecode(path)).is_file() for path in paths)
    counted = subprocess.run(["xargs", "-0", "ls", "-d"], input=written, capture_output=True, check=True)
    assert counted.stderr == b""
    assert run("query", "no bus", "-o", tmp_path / "list.txt", "--archive", tmp_path / "a").code == 0
    assert (tmp_path / "list.txt").read_bytes() == written.replace(b"\0", b"\n")
    assert run("query", "no bus", "-o", tmp_path / "list.csv", "--archive", tmp_path / "a").code == 0
    with (tmp_path / "list.csv").open(newline="") as table:
        assert [row["path"].count("\n") for row in csv.DictReader(table)].count(1) == 1


def test_json_is_as_it_always_was_and_has_a_cursor(run, archive: Path):
    ran = run("query", "sky", "--limit", 3, "--archive", archive, "--json")
    assert list(ran.json) == ["query", "read_as", "total", "cursor", "results"]
    assert ran.out == json.dumps(ran.json, indent=2, ensure_ascii=False) + "\n"
    assert ran.err == ""
    nothing = run("query", "bus", "--archive", archive, "--json")
    assert nothing.json == {"query": "bus", "read_as": None, "total": 0, "cursor": None, "results": []}
    assert nothing.out == json.dumps(nothing.json, indent=2) + "\n"
    assert nothing.code == 0


def test_pages_follow_each_other(run, archive: Path, everyone: list[dict]):
    seen, cursor = [], None
    for _ in range(10):
        more = ["--page", cursor] if cursor else []
        page = run("query", "no bus", "-n", 4, *more, "--archive", archive, "--json").json
        assert page["total"] == len(everyone)
        seen += page["results"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert seen == everyone


def test_the_next_page_is_told_on_stderr(run, archive: Path, everyone: list[dict]):
    first = run("query", "no bus", "--format", "paths", "-n", 2, "--archive", archive)
    assert first.out.splitlines() == [r["path"] for r in everyone[:2]]
    told = first.message
    assert told.startswith("next page: --page ")
    second = run(
        "query", "no bus", "--format", "paths", "--after", told.split()[-1], "-n", 100, "--archive", archive
    )
    assert second.out.splitlines() == [r["path"] for r in everyone[2:]]
    assert f"{len(everyone)} photos, {len(everyone) - 2} shown" in second.err
    assert "next page" not in second.err
    shown = run("query", "no bus", "-n", 2, "--archive", archive)
    assert "next page: --page " in shown.err
    assert "next page" not in shown.out


def test_csv_is_a_table(run, archive: Path):
    expected = run("query", "sky or dining table", "--all", "--archive", archive, "--json").json["results"]
    rows = list(
        csv.reader(
            io.StringIO(
                run("query", "sky or dining table", "--all", "--format", "csv", "--archive", archive).out
            )
        )
    )
    facts = ["rank", "id", "path", "paths", "score", *EXPORTED, "words"]
    names = [name.replace(" ", "_") for name in expected[0]["coverage"]]
    of_classes = [f"{what}_{name}" for what in ("coverage", "certainty", "colours") for name in names]
    assert rows[0] == facts + of_classes
    for row, result in zip(rows[1:], expected, strict=True):
        assert (int(row[0]), int(row[1]), row[2], float(row[4])) == tuple(
            result[k] for k in ("rank", "id", "path", "score")
        )
        assert row[3] == "\n".join(result["paths"]) != ""
        assert row[len(facts) - 1] == "; ".join(result["words"])
        coverages = row[len(facts) : len(facts) + len(names)]
        assert list(map(float, coverages)) == list(result["coverage"].values())


def test_parquet_is_the_same_table(run, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    from dsslic_search.api import export

    monkeypatch.setattr(export, "ROW_GROUP", 4)
    expected = run("query", "sky", "--all", "--archive", archive, "--json").json["results"]
    ran = run("query", "sky", "--all", "-o", tmp_path / "t.parquet", "--archive", archive)
    assert ran.code == 0
    assert "written to" in ran.message
    table = parquet.read_table(tmp_path / "t.parquet").to_pylist()
    assert table == [
        {k: r[k] for k in ("rank", "id", "path", "paths", "score", *EXPORTED)}
        | {"words": list(r["words"])}
        | {"coverage_sky": r["coverage"]["sky"], "certainty_sky": r["certainty"]["sky"]}
        | {"colours_sky": r["class_colours"]["sky"]}
        for r in expected
    ]
    assert list(tmp_path.iterdir()) == [tmp_path / "t.parquet"]
    piped = raw(archive, "query", "sky", "--all", "--format", "parquet")
    assert parquet.read_table(io.BytesIO(piped)).num_rows == len(expected)
    assert run("query", "bus", "-o", tmp_path / "none.parquet", "--archive", archive).code == 0
    assert parquet.read_table(tmp_path / "none.parquet").num_rows == 0


def test_all_columns_tell_all_that_is_known(run, archive: Path, tmp_path: Path):
    parquet = pytest.importorskip("pyarrow.parquet")
    classes = [c.name for c in default().classes]
    with Archive(archive) as opened:
        opened.tag(["best", "été"], [2])
        known = {photo.id: photo.info for photo in opened}
    try:
        results = run(
            "query", "everything", "--all", "--columns", "all", "--archive", archive, "--json"
        ).json["results"]
        lines = run(
            "query", "everything", "--all", "--columns", "ALL", "--format", "jsonl", "--archive", archive
        ).out
        written = tmp_path / "t.parquet"
        run("query", "everything", "--all", "--columns", "all", "-o", written, "--archive", archive)
    finally:
        with Archive(archive) as opened:
            opened.untag(["best", "été"], [2])
    assert [json.loads(line) for line in lines.splitlines()] == results
    assert sorted(result["id"] for result in results) == sorted(known)
    rows = parquet.read_table(written).to_pylist()
    for result, row in zip(results, rows, strict=True):
        info = known[result["id"]]
        assert list(result["coverage"]) == list(result["counts"]) == classes
        assert {name: share for name, share in result["coverage"].items() if share} == info["coverage"]
        assert {n: v for n, v in result["certainty"].items() if n in info["certainty"]} == info["certainty"]
        assert result["regions"] == row["regions"] == info["regions"] != []
        regions = [region["class"] for region in info["regions"]]
        assert result["counts"] == {name: regions.count(name) for name in classes}
        assert result["tags"] == row["tags"] == (["best", "été"] if result["id"] == 2 else [])
        assert (result["hash"], result["keep"]) == (info["content_hash"], info["keep"])
        assert (row["hash"], row["keep"], row["state"]) == (info["content_hash"], info["keep"], "here")
        assert result["added"] == row["added"].isoformat() == info["added_at"]
        assert dict(zip(row["words"], row["word_probabilities"], strict=True)) == result["words"]
        flat = {name: row[f"coverage_{name.replace(' ', '_')}"] for name in classes}
        assert flat == result["coverage"]
        assert row["count_sky"] == result["counts"]["sky"]


def test_columns_are_chosen_by_name(run, archive: Path, tmp_path: Path):
    out = run(
        "query", "sky", "--all", "--columns", "path, hash,regions", "--format", "csv", "--archive", archive
    ).out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["path", "hash", "regions"]
    with Archive(archive) as opened:
        found = opened.query("sky", limit=None)
        assert [row["path"] for row in rows] == [hit.path for hit in found]
        for row, hit in zip(rows, found, strict=True):
            info = opened.info(hit.id)
            assert (row["hash"], json.loads(row["regions"])) == (info["content_hash"], info["regions"])
    arrow = pytest.importorskip("pyarrow.ipc")
    written = tmp_path / "t.arrow"
    assert run("query", "sky", "--columns", "id,coverage", "-o", written, "--archive", archive).code == 0
    with arrow.open_file(written) as reader:
        names = reader.read_all().column_names
    assert names == ["id", *(f"coverage_{c.name.replace(' ', '_')}" for c in default().classes)]
    assert run("query", "sky", "--columns", "id,coverage", "-o", written, "--archive", archive).code == 2


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--columns", "all"], "formats json"),
        (["--columns", "all", "-0"], "not for paths"),
        (["--columns", "coverag", "--json"], "coverage"),
        (["--columns", "", "--json"], "no column is called"),
        (["--columns", "zzzz", "--json"], "usual"),
    ],
)
def test_columns_that_cannot_be(run, archive: Path, arguments: list[str], word: str):
    ran = run("query", "sky", *arguments, "--archive", archive)
    assert ran.code == 2
    assert word in ran.message
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv", "a.txt", "a.CSV"])
def test_the_ending_tells_the_format(run, archive: Path, tmp_path: Path, name: str):
    form = {"txt": "paths"}.get(name[2:].lower(), name[2:].lower())
    expected = run("query", "sky", "--format", form, "--archive", archive).out
    ran = run("query", "sky", "-o", tmp_path / name, "--archive", archive)
    assert (ran.code, ran.out) == (0, "")
    assert (tmp_path / name).read_text() == expected


def test_a_file_is_written_whole_or_not_at_all(
    run, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from dsslic_search.api.searching import Searcher

    out = tmp_path / "a.csv"
    out.write_text("before")

    def breaks(*_: object):
        raise OSError(28, "No space left on device")
        yield

    monkeypatch.setattr(Searcher, "hits", breaks)
    ran = run("query", "sky", "-o", out, "--force", "--archive", archive)
    assert ran.code == 1
    assert "No space left" in ran.message
    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_that_is_not_there(run, archive: Path, tmp_path: Path):
    ran = run("query", "sky", "-o", tmp_path / "none" / "a.csv", "--archive", archive)
    assert ran.code == 2
    assert "none" in ran.message
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--format", "xml"], "paths, json, jsonl, csv, parquet, arrow"),
        (["--format", "csv", "--json"], "csv and json"),
        (["--json", "-0"], "choose one"),
        (["--all", "--limit", "3"], "exclude each other"),
        (["-o", "photos.doc"], "--format"),
        (["-o", "photos"], "--format"),
        (["--limit", "-1"], "limit"),
        (["--page", "nonsense"], "cursor"),
        (["--page", ""], "cursor"),
    ],
)
def test_impossible_options(run, archive: Path, arguments: list[str], word: str):
    ran = run("query", "sky", *arguments, "--archive", archive)
    assert ran.code == 2
    assert word in ran.message
    assert len(ran.err.splitlines()) == 1
    assert ran.out == ""


def test_parquet_is_not_for_terminals(run, archive: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("pyarrow")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    ran = run("query", "sky", "--format", "parquet", "--archive", archive)
    assert ran.code == 2
    assert "--out FILE" in ran.message


def test_without_pyarrow_the_extra_is_named(
    run, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real = builtins.__import__

    def without(name: str, *rest: object):
        if name.startswith("pyarrow"):
            raise ModuleNotFoundError("No module named 'pyarrow'")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    ran = run("query", "sky", "-o", tmp_path / "a.parquet", "--archive", archive)
    assert ran.code == 1
    assert 'pip install "dsslic-search[parquet]"' in ran.message
    assert not (tmp_path / "a.parquet").exists()


def test_a_bare_query_and_nothing_found(run, archive: Path):
    bare = run("query", "--archive", archive)
    assert bare.code == 2
    assert "QUERY" in bare.message
    none = run("query", "bus", "--archive", archive)
    assert (none.code, none.out) == (0, "")
    assert (
        none.err.strip()
        == f"0 photos\nno photo here shows bus at all; what there is: dss-search classes --archive {archive}"
    )
    assert run("query", "sky, no sky", "--archive", archive).err.strip() == "0 photos"
    for arguments in (("--format", "paths"), ("-0",)):
        assert run("query", "bus", *arguments, "--archive", archive).out == ""


def test_explanations_stay_out_of_what_programs_read(run, archive: Path):
    ran = run("query", "sky", "--explain", "--format", "csv", "--archive", archive)
    assert ran.out.startswith("rank,id,path")
    assert "read as" in ran.err
    assert "read as" in run("query", "sky", "--explain", "--archive", archive).out


def test_an_explained_query_says_once_how_it_was_read(run, archive: Path):
    for more, where in ((), "out"), (("--format", "paths"), "err"):
        ran = run("query", "no dogs, sky", "--explain", *more, "--archive", archive)
        assert (ran.out + ran.err).count("read as:") == 1
        assert "read as: (not dog) and sky\n" in getattr(ran, where)
    assert "read as: (not dog) and sky" in run("query", "no dogs, sky", "--archive", archive).err


def test_help_has_examples(run):
    ran = run("query", "--help")
    assert ran.code == 0
    assert ran.out.count("dss-search query ") >= 5


def test_cursors_work_from_python_as_well(archive: Path, everyone: list[dict]):
    with Archive(archive) as opened:
        first = opened.query("no bus", limit=5)
        second = opened.query("no bus", limit=None, after=first.cursor)
    assert [hit.id for hit in (*first.hits, *second.hits)] == [r["id"] for r in everyone]


@pytest.mark.parametrize(
    ("name", "why"), [("missing/a.csv", "there is no folder"), ("folder", "is a folder")]
)
def test_what_cannot_be_written_is_named_as_it_was_asked_for(
    run, archive: Path, tmp_path: Path, name: str, why: str
):
    (tmp_path / "folder").mkdir()
    ran = run("query", "sky", "--format", "csv", "-o", tmp_path / name, "--archive", archive)
    assert ran.code == 2
    assert f"{tmp_path / name}: {why}" in ran.message
    assert ".tmp" not in ran.message
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]
