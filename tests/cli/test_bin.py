"""remove, restore, bin and empty-bin as a user has them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def ask(run, archive: Path, tmp_path: Path) -> Callable:
    """Runs commands on a copy of the archive."""
    copy = tmp_path / "copy"
    shutil.copytree(archive, copy)
    return lambda *arguments: run(*arguments, "--archive", copy)


def ids(ask: Callable, query: str) -> list[int]:
    return sorted(r["id"] for r in ask("query", query, "--all", "--json").json["results"])


def test_photos_go_into_the_bin_and_out_of_it(ask, tmp_path: Path):
    everyone = ids(ask, "everything")
    ask("tag", "add", "best", 1)
    stats = ask("stats", "--json").json
    assert ask("remove", 1, "#3", "--dry-run").message == "2 photos would be removed"
    assert ids(ask, "everything") == everyone
    assert ask("remove", 1, "#3").message == (
        f"2 photos are in the bin; take back with: dss-search restore 1 3 --archive {tmp_path / 'copy'}"
    )
    ran = ask("remove", 1)
    assert (ran.code, ran.message) == (0, "1 photo in the bin already")
    assert ids(ask, "everything") == sorted({*everyone} - {1, 3})
    assert ids(ask, "is:removed") == [1, 3]
    assert ask("stats", "--json").json["photos"] == stats["photos"] - 2
    assert ask("tag", "list", "--json").json == {}
    assert [each["id"] for each in ask("bin", "--json").json] == [1, 3]
    listed = [line.split() for line in ask("bin").out.splitlines()]
    assert [(words[0], words[3]) for words in listed] == [("#1", "UTC"), ("#3", "UTC")]
    assert ask("restore", "--query", "tag:best").message == "1 photo taken back"
    ran = ask("restore", 1, 3)
    assert (ran.code, ran.err.splitlines()) == (3, ["1 photo taken back", "not in the bin: #1"])
    assert ask("restore", 1).code == 1
    assert ids(ask, "everything") == everyone
    assert ask("tag", "list", "--json").json == {"best": 1}
    assert ask("bin").message == "the bin is empty"


def test_a_query_empties_the_archive_into_the_bin(ask):
    everyone = ids(ask, "everything")
    assert "restore" in ask("remove", "--query", "everything").message
    assert ids(ask, "everything") == []
    assert ids(ask, "is:any") == everyone
    ran = ask("empty-bin", "--older-than", "12h", "--json")
    assert ran.json == {"deleted": [], "bytes": 0, "kept": [], "dry_run": False}
    rehearsed = ask("empty-bin", "--dry-run", "--json").json
    assert sorted(rehearsed["deleted"] + rehearsed["kept"]) == everyone
    assert ask("restore", "--all").message == f"{len(everyone)} photos taken back"
    assert ids(ask, "everything") == everyone


def test_emptying_frees_what_the_files_take(ask, tmp_path: Path):
    size = ask("bin", "--json").json
    assert size == []
    ask("remove", 2)
    (binned,) = ask("bin", "--json").json
    before = sum(path.stat().st_size for path in (tmp_path / "copy" / "objects").rglob("*.dsslic"))
    ran = ask("empty-bin", "--even-only-copies", "--json")
    assert ran.json == {"deleted": [2], "bytes": binned["bytes"], "kept": [], "dry_run": False}
    after = sum(path.stat().st_size for path in (tmp_path / "copy" / "objects").rglob("*.dsslic"))
    assert before - after == binned["bytes"]
    assert ask("check", "--read-data").message == "no problems"
    assert ask("show", 2).code == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["remove"], "say which photos"),
        (["remove", "1", "--query", "sky"], "say which photos"),
        (["remove", "x"], "is no id"),
        (["restore", "1", "--all"], "the whole bin"),
        (["empty-bin", "--older-than", "soon"], '"soon" is not an age, as in 12h, 30d, 8w or 2y'),
    ],
)
def test_what_cannot_be_meant_is_said(ask, words: list[str], says: str):
    ran = ask(*words)
    assert ran.code == 2
    assert says in ran.message


def test_an_unknown_id_is_an_error(ask):
    ran = ask("remove", 1, 999)
    assert (ran.code, ran.message) == (
        1,
        "dss-search: photo 999: no such id in the archive; a query lists ids",
    )
    assert 1 in ids(ask, "everything")


def test_show_tells_where_a_photo_lies_and_lay(ask, tmp_path: Path):
    from datetime import datetime

    from dsslic_search import Archive
    from dsslic_search.archive.paths import FileThere, seen
    from dsslic_search.cli.lines import shown_path

    with Archive(tmp_path / "copy") as opened:
        shown = opened.photo(1).path
        with opened.catalog.changing() as session:
            for photo_id, name in ((1, "copy"), (1, "edited"), (2, "edited")):
                seen(session, photo_id, FileThere(Path(f"/{name}.jpg"), 1, 1), datetime(2100, 5, 1))
    info = ask("show", 1, "--json").json
    assert (info["state"], info["path"], info["paths"]) == ("here", shown, [shown, "/copy.jpg"])
    assert info["earlier_paths"] == [
        {"path": "/edited.jpg", "until": "2100-05-01T00:00:00", "replaced_by": None}
    ]
    assert ask("show", 1).out.splitlines()[:3] == [
        f"#1 {shown_path(shown)}",
        "also at: /copy.jpg",
        "earlier: /edited.jpg (until 2100-05-01)",
    ]
    ask("remove", 1)
    assert ask("show", 1).out.splitlines()[1] == "state: removed"
    (hit,) = ask("query", "is:removed", "--json").json["results"]
    assert hit["paths"] == [shown, "/copy.jpg"]
    assert [r["id"] for r in ask("query", "name:copy.jpg is:any", "--json").json["results"]] == [1]
