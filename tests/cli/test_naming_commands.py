"""save and tag: names for queries and for photos."""

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


def ids(ask: Callable, query: str) -> set[int]:
    return {r["id"] for r in ask("query", query, "--all", "--json").json["results"]}


def test_tags_by_id_and_by_query(ask):
    assert ask("tag", "add", "best", 1, "#3", 1).message == "best: 2 photos tagged"
    sky = ids(ask, "sky")
    ran = ask("tag", "add", "Best,Été-2023", "--query", "sky")
    both = len({1, 3} & sky)
    assert ran.err.splitlines() == [
        f"best: {len(sky) - both} photos tagged" + (f", {both} had it already" if both else ""),
        f"été-2023: {len(sky)} photos tagged",
    ]
    assert ids(ask, "tag:best") == sky | {1, 3}
    assert ids(ask, "tag:ÉTÉ-2023 and not tag:best") == set()
    assert ask("tag", "list", "--json").json == {"best": len(sky | {1, 3}), "été-2023": len(sky)}
    assert ask("tag", "list").out.splitlines() == [
        f"{len(sky | {1, 3}):>6}  best",
        f"{len(sky):>6}  été-2023",
    ]
    assert ask("tag", "remove", "best", 1).message == "best: taken from 1 photo"
    assert ids(ask, "tag:best") == (sky | {3}) - {1}
    assert ask("tag", "remove", "best", "--query", "not sky").code == 0
    assert ids(ask, "tag:best") == sky - {1}
    assert ask("tag", "remove", "best,été-2023", "--all").code == 0
    assert ask("tag", "list", "--json").json == {}
    assert "dss-search tag add" in ask("tag", "list").message


def test_tags_show_with_their_photo(ask):
    assert ask("show", 2, "--json").json["tags"] == []
    ask("tag", "add", "sea,best", 2)
    assert ask("show", 2, "--json").json["tags"] == ["best", "sea"]
    assert "tags: best, sea" in ask("show", 2).out


def test_no_match_is_no_error_but_no_such_tag_is(ask):
    assert ask("tag", "add", "best", "--query", "bus").message == "best: 0 photos tagged"
    ran = ask("query", "tag:nothing")
    assert (ran.code, ran.out) == (2, "")
    assert (
        'no photo has the tag "nothing": there are no tags yet; give one with: dss-search tag add' in ran.err
    )


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["add", "best"], 2, "--query"),
        (["add", "best", "1", "--query", "sky"], 2, "--query"),
        (["add", "a b", "1"], 2, '"a b"'),
        (["add", "best,,x", "1"], 2, "tag"),
        (
            ["add", "best", "x"],
            2,
            '"x" is no id of a photo; ids are the numbers that a query lists; --query QUERY takes',
        ),
        (["add", "best", "999"], 1, "photo 999"),
        (["add", "best", "9" * 30], 2, "is no id"),
        (["add", "best", "--query", "skyy"], 2, "skyy"),
        (["remove", "best"], 2, "--query"),
        (["remove", "best", "1", "--all"], 2, "--all"),
        (["remove", "best", "999"], 1, "photo 999"),
        (["add"], 2, "TAG"),
        (["frobnicate"], 2, "frobnicate"),
    ],
)
def test_bad_input_to_tag(ask, arguments: list[str], code: int, word: str):
    ran = ask("tag", *arguments)
    assert ran.code == code
    assert "Traceback" not in ran.err
    assert word in ran.err
    assert ran.out == ""
    assert ask("tag", "list", "--json").json == {}


def test_a_saved_query_is_part_of_any_query(ask, tmp_path: Path):
    saved = f"saved; ask it with: dss-search query @Air --archive {tmp_path / 'copy'}"
    assert ask("save", "Air", "sky", "and", "no dog").message == saved
    assert ids(ask, "@air") == ids(ask, "sky and no dog")
    assert ids(ask, "not @AIR and tree") == ids(ask, "not (sky and no dog) and tree")
    assert ask("save", "--list").out == "@air  sky and no dog\n"
    assert ask("save", "--list", "--json").json == {"air": "sky and no dog"}
    assert ask("save", "air", "tree", "--force").code == 0
    assert ids(ask, "@air") == ids(ask, "tree")
    assert ask("save", "--delete", "@air").code == 0
    assert ask("save", "--list", "--json").json == {}
    assert "dss-search save" in ask("save", "--list").message


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["air", "tree"], 1, "--force"),
        (["new"], 2, "after the name"),
        ([], 2, "--list"),
        (["--list", "--delete", "air"], 2, "one thing"),
        (["new", "skyy"], 2, "skyy"),
        (["new", "@new"], 2, "new"),
        (["new", "@nothing"], 2, "nothing"),
        (["a b", "sky"], 2, '"a b"'),
        (["--delete", "nothing"], 1, "nothing"),
        (["new", "   "], 2, ""),
    ],
)
def test_bad_input_to_save(ask, arguments: list[str], code: int, word: str):
    ask("save", "air", "sky")
    ran = ask("save", *arguments)
    assert ran.code == code
    assert "Traceback" not in ran.err
    assert word in ran.err
    assert ran.out == ""
    assert ask("save", "--list", "--json").json == {"air": "sky"}


def test_an_unknown_name_gets_the_closest(ask):
    ask("save", "mountains", "mountain")
    ran = ask("query", "@mountain")
    assert ran.code == 2
    assert "@mountains" in ran.err
    assert ask("query", "@").code == 2


def test_without_an_archive(run, tmp_path: Path):
    for command in (
        ("tag", "list"),
        ("tag", "add", "x", 1),
        ("save", "--list"),
        ("save", "x", "sky"),
        ("stats", "sky"),
    ):
        ran = run(*command, "--archive", tmp_path / "nowhere")
        assert ran.code == 1
        assert "dss-search ingest" in ran.message
