from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.archive.ingest.walk import Scope, walk
from dsslic_search.archive.ingest.wanted import Wanted
from dsslic_search.core.files import path_to_text, text_to_path


def fill(top: Path, *names: str) -> None:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()


def names(top: Path, *chosen: Path) -> list[str]:
    found = walk(chosen or [top], top / "archive")
    assert found.failures == []
    return [str(f.path.relative_to(top)) for f in found.files]


def test_folders_in_order_without_hidden_and_other_files(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "b.JPG",
        "a.png",
        "notes.txt",
        ".hidden.jpg",
        ".git/x.jpg",
        "B/z.webp",
        "A/c.tiff",
        "A/b/d.jpeg",
        "archive/objects/x.jpg",
    )
    assert names(tmp_path) == ["a.png", "b.JPG", "A/c.tiff", "A/b/d.jpeg", "B/z.webp"]


def test_a_named_file_is_tried_whatever_its_name_and_once(tmp_path: Path) -> None:
    fill(tmp_path, "odd.xyz", ".hidden", "in/a.jpg")
    chosen = [
        tmp_path / "odd.xyz",
        tmp_path / ".hidden",
        tmp_path / "odd.xyz",
        tmp_path / "in" / "a.jpg",
        tmp_path / "in",
    ]
    assert names(tmp_path, *chosen) == ["odd.xyz", ".hidden", "in/a.jpg"]


def test_a_hidden_folder_that_is_named_is_walked(tmp_path: Path) -> None:
    fill(tmp_path, ".photos/a.jpg")
    assert names(tmp_path, tmp_path / ".photos") == [".photos/a.jpg"]


def test_links(tmp_path: Path) -> None:
    fill(tmp_path, "real/a.jpg", "real/deep/b.jpg", "outside/c.jpg")
    (tmp_path / "real" / "deep" / "up").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "self").symlink_to(tmp_path / "real" / "self")
    (tmp_path / "real" / "more").symlink_to(tmp_path / "outside")
    (tmp_path / "real" / "z.jpg").symlink_to(tmp_path / "outside" / "c.jpg")
    assert names(tmp_path, tmp_path / "real") == [
        "real/a.jpg",
        "real/z.jpg",
        "real/deep/b.jpg",
        "real/more/c.jpg",
    ]


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg")
    (tmp_path / "broken.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    os.mkfifo(tmp_path / "pipe")
    found = walk(
        [
            tmp_path,
            tmp_path / "gone",
            tmp_path / "pipe",
            tmp_path / "loop.jpg",
            Path("nul\0"),
            Path("x" * 300),
        ],
        tmp_path / "archive",
    )
    assert [f.path.name for f in found.files] == ["a.jpg"]
    reasons = [(Path(f.path).name, f.reason) for f in found.failures]
    assert reasons[:4] == [
        ("broken.jpg", "a link that leads nowhere"),
        ("loop.jpg", "a link that leads nowhere"),
        ("gone", "no such file or directory"),
        ("pipe", "not a regular file"),
    ]
    assert [name for name, _ in reasons[4:]] == ["loop.jpg", "nul\0", "x" * 300]
    assert reasons[5][1] == "not a path that can exist"


def test_an_empty_folder_is_noted(tmp_path: Path) -> None:
    fill(tmp_path, "none/readme.txt", "some/a.jpg")
    found = walk([tmp_path / "none", tmp_path / "some", tmp_path / "some"], tmp_path / "archive")
    assert len(found.files) == 1
    assert found.notes == [
        f"{tmp_path / 'none'}: no photos in this folder (files named .jpg, .png, .webp, .tif …)"
    ]


def test_an_unreadable_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a/a.jpg", "b/b.jpg")
    real = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = walk([tmp_path], tmp_path / "archive")
    assert [f.path.name for f in found.files] == ["b.jpg"]
    assert found.failures == [(str(tmp_path / "a"), "cannot be read (Permission denied)")]
    assert found.notes == []


def test_names_that_are_not_text(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).mkdir()
    fill(tmp_path / os.fsdecode(b"caf\xe9"), os.fsdecode(b"\xff.jpg"), "猫\n.jpg")
    found = walk([tmp_path], tmp_path / "archive")
    assert len(found.files) == 2
    for path, *_ in found.files:
        assert text_to_path(path_to_text(path)) == path
        assert path.exists()


def test_what_is_passed_over_is_counted_by_kind(tmp_path: Path) -> None:
    fill(
        tmp_path,
        "a.jpg",
        "A.xmp",
        "lone.xmp",
        "clip.mp4",
        "song.mp3",
        "notes.txt",
        "more.txt",
        "README",
        ".x",
    )
    fill(
        tmp_path, "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "#recycle/old.jpg", "Thumbs.db", "in/.git/config.jpg"
    )
    fill(tmp_path, "other/objects/x.jpg")
    (tmp_path / "other" / "archive.json").write_text('{"format": "dsslic-search archive", "version": 1}')
    found = walk([tmp_path], tmp_path / "archive")
    assert [f.path.name for f in found.files] == ["a.jpg"]
    assert found.passed_over.sentence() == (
        "1 video, 1 audio file, 1 sidecar used, 1 sidecar without a photo, 1 in #recycle, 1 in @eaDir, "
        "1 in Thumbs.db, 2 hidden, 1 archive, 3 others (2 .txt, 1 without ending)"
    )
    assert found.passed_over.by_kind()["bin"] == [str(tmp_path / "#recycle" / "old.jpg")]


@pytest.mark.parametrize(
    ("include", "exclude", "tried"),
    [
        ((), ("raw",), ["a.jpg", "b.png"]),  # the folder, with all that is in it
        ((), ("*.png", "raw/**"), ["a.jpg"]),
        (("*.jpg",), (), ["a.jpg", "raw/c.jpg"]),  # not the thumbnails, which merely fit
        (("*.txt",), (), ["notes.txt"]),
        (("@eaDir/*",), (), ["@eaDir/t.jpg"]),
        (("*.jpg",), ("*/raw/*",), ["a.jpg", "raw/c.jpg"]),  # of the path below the folder named
    ],
)
def test_globs_choose(
    tmp_path: Path, include: tuple[str, ...], exclude: tuple[str, ...], tried: list[str]
) -> None:
    fill(tmp_path, "a.jpg", "b.png", "notes.txt", "raw/c.jpg", "@eaDir/t.jpg", ".hidden.jpg")
    found = walk([tmp_path], tmp_path / "archive", Wanted(include, exclude))
    assert [str(f.path.relative_to(tmp_path)) for f in found.files] == tried


def test_real_folders_come_before_links_to_folders(tmp_path: Path) -> None:
    fill(tmp_path, "real/a.jpg")
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    assert names(tmp_path) == ["real/a.jpg"]
    fill(tmp_path, "above/b.jpg")
    (tmp_path / "above" / "alias").symlink_to(tmp_path / "real")
    assert names(tmp_path) == ["above/b.jpg", "real/a.jpg"]
    found = names(tmp_path, tmp_path / "above", tmp_path / "real")
    assert found == ["above/b.jpg", "real/a.jpg"]
    assert names(tmp_path, tmp_path / "above") == ["above/b.jpg", "above/alias/a.jpg"]


def test_a_folder_within_another_is_met_as_from_there(tmp_path: Path) -> None:
    fill(tmp_path, "in/deep/a.jpg", "in/b.jpg", ".hidden/c.jpg")
    scopes = [
        Scope(tmp_path / "in", recursive=False, within=tmp_path),
        Scope(tmp_path / ".hidden", within=tmp_path),
    ]
    assert [f.path.name for f in walk(scopes, tmp_path / "archive").files] == ["b.jpg"]


FOLDER_NAMES = ("in", "Out", "@eaDir", "#Recycle", ".git")
FILE_NAMES = ("a.jpg", "A.JPG", "b.cr2", os.fsdecode(b"caf\xe9.png"), ".b.jpg", "Thumbs.db", "c.mp4", "d.txt")
PASSED_OVER = ("@eadir", "#recycle", ".git")  # folders, case-folded
PHOTO_ENDINGS = (".jpg", ".cr2", ".png")

folders = st.lists(st.sampled_from(FOLDER_NAMES), max_size=3)
trees = st.lists(st.tuples(folders, st.sampled_from(FILE_NAMES)), max_size=12)
links = st.lists(st.tuples(folders, st.sampled_from(["to", "zu"]), folders), max_size=3)


@given(trees, links, st.none() | folders)
def test_any_tree_is_walked_as_its_rules_say(
    tree: list[tuple[list[str], str]],
    linked: list[tuple[list[str], str, list[str]]],
    archive: list[str] | None,
) -> None:
    """Against `os.walk`: each real folder that no name and no manifest closes, and in it the photos by name;
    what links show of closed folders, too, once."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name) / "top"
        top.mkdir()
        for below, file in tree:
            fill(top, "/".join([*below, file]))
        if archive is not None and (inside := top.joinpath(*archive)).is_dir() and archive:
            (inside / "archive.json").write_text('{"format": "dsslic-search archive", "version": 1}')
        for below, link, to in linked:
            if top.joinpath(*below).is_dir() and not top.joinpath(*below, link).is_symlink():
                top.joinpath(*below, link).symlink_to(top.joinpath(*to))
        found = walk([top], Path(name) / "archive")
        paths = [each.path for each in found.files]
        real = [path for path in paths if path == path.resolve()]
        assert real == by_os_walk(top)
        # a link shows a folder that the walk had not come to, and never one twice
        assert len({path.resolve() for path in paths}) == len(paths)
        for path in paths:
            below = path.relative_to(top).parts
            assert is_photo(path.name) and not any(each.casefold() in PASSED_OVER for each in below[:-1])
            assert not any((above / "archive.json").exists() for above in path.parents)
        assert found.failures == [] or any(not top.joinpath(*to).exists() for _, _, to in linked)
        told = {path for some in found.passed_over.by_kind().values() for path in some}
        assert told.isdisjoint({path_to_text(path) for path in paths})


def by_os_walk(top: Path) -> list[Path]:
    found = []
    for folder, inner, names_in in os.walk(top):
        if "archive.json" in names_in:
            inner.clear()
            continue
        inner[:] = sorted(each for each in inner if each.casefold() not in PASSED_OVER)
        found += [Path(folder, each) for each in sorted(names_in) if is_photo(each)]
    return found


def is_photo(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(PHOTO_ENDINGS)
