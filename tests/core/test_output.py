from __future__ import annotations

import errno
import io
import json
import os
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.core.errors import DSSError, UsageError
from dsslic_search.core.output import STANDARD, Outputs, is_archive
from dsslic_search.core.output_names import apart
from dsslic_search.core.text import folded_name


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.png"
    path.write_bytes(b"old")
    return path


def temporary(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if p.name.endswith(".tmp")]


def test_a_new_file_is_written_whole_with_the_mode_that_others_get(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        Outputs().write(tmp_path / "new", b"data")
    finally:
        os.umask(before)
    assert (tmp_path / "new").read_bytes() == b"data"
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert not temporary(tmp_path)


def test_a_file_that_is_there_is_replaced_only_when_told_and_keeps_its_mode(old: Path) -> None:
    old.chmod(0o604)
    with pytest.raises(UsageError, match=r"old\.png: is there already; replace it with replace=True"):
        Outputs().write(old, b"new")
    assert old.read_bytes() == b"old"
    Outputs(replace=True).write(old, b"new")
    assert old.read_bytes() == b"new"
    assert stat.S_IMODE(old.stat().st_mode) == 0o604


def test_a_link_stays_and_leads_to_the_new_file(tmp_path: Path, old: Path) -> None:
    (tmp_path / "link").symlink_to(old)
    (tmp_path / "dangling").symlink_to(tmp_path / "later")
    with pytest.raises(UsageError, match="is there already"):
        Outputs().write(tmp_path / "link", b"new")
    Outputs(replace=True).write(tmp_path / "link", b"new")
    Outputs().write(tmp_path / "dangling", b"later")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "dangling").is_symlink()
    assert (old.read_bytes(), (tmp_path / "later").read_bytes()) == (b"new", b"later")


def never(tmp_path: Path, old: Path) -> dict[str, Path]:
    """What is written under no circumstances, by what the sentence says of it."""
    os.mkfifo(tmp_path / "fifo")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket"))
    listening.close()
    os.link(old, tmp_path / "hard")
    (tmp_path / "soft").symlink_to(old)
    (tmp_path / "folder").mkdir()
    (tmp_path / "sub").mkdir()
    archive = tmp_path / "archive"
    (archive / "objects").mkdir(parents=True)
    (archive / "archive.json").write_text(json.dumps({"format": "dsslic-search archive", "version": 1}))
    (tmp_path / "way").symlink_to(archive)
    return {
        "is a folder": tmp_path / "folder",
        "is a device": Path("/dev/null"),
        "or a pipe": tmp_path / "fifo",
        "no file to write": tmp_path / "socket",
        "is what is read": old,
        r"hard: is what": tmp_path / "hard",
        r"soft: is what": tmp_path / "soft",
        r"sub.*\.png: is what": tmp_path / "sub" / ".." / "old.png",
        "lies inside the archive": archive / "new.png",
        "inside the archive .*json|json: lies": archive / "archive.json",
        "way/objects/new": tmp_path / "way" / "objects" / "new",
        "there is no folder": tmp_path / "missing" / "new.png",
        "not a path": tmp_path / "zero\0byte",
    }


@pytest.mark.parametrize("replace", [False, True])
def test_what_is_never_written(tmp_path: Path, old: Path, replace: bool) -> None:
    outputs = Outputs(replace, (old, tmp_path / "input that is gone", STANDARD))
    for said, path in never(tmp_path, old).items():
        for attempt in (lambda p: outputs.check(p), lambda p: outputs.write(p, b"new")):
            with pytest.raises(UsageError, match=said):
                attempt(path)
    assert old.read_bytes() == b"old"
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)
    assert not temporary(tmp_path)


def test_a_folder_of_outputs_is_made(tmp_path: Path, old: Path) -> None:
    assert Outputs().folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert Outputs().folder(tmp_path / "a" / "b").is_dir()
    with pytest.raises(UsageError, match="is a file; name a folder"):
        Outputs().folder(old)
    with pytest.raises(UsageError, match="name a folder"):
        Outputs().folder(STANDARD)
    (tmp_path / "a" / "archive.json").write_text('{"format": "dsslic-search archive"}')
    with pytest.raises(UsageError, match="lies inside the archive"):
        Outputs().folder(tmp_path / "a" / "c")
    assert not (tmp_path / "a" / "c").exists()


@pytest.mark.parametrize(
    ("content", "objects", "ours"),
    [
        ('{"format": "dsslic-search archive", "version": 9}', False, True),
        ('{"format": "of another program"}', True, False),
        ("[]", True, False),
        ("damaged", True, True),
        ("damaged", False, False),
    ],
)
def test_what_is_an_archive(tmp_path: Path, content: str, objects: bool, ours: bool) -> None:
    assert not is_archive(tmp_path)
    (tmp_path / "archive.json").write_text(content)
    if objects:
        (tmp_path / "objects").mkdir()
    assert is_archive(tmp_path) is ours
    assert not is_archive(tmp_path / "archive.json")


def appears(path: Path) -> Callable[..., None]:
    """As `os.link`, but another program is faster."""
    really = os.link

    def link(source: Path, target: Path) -> None:
        path.write_bytes(b"of another program")
        really(source, target)

    return link


def test_a_file_that_appears_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", appears(tmp_path / "new"))
    with pytest.raises(UsageError, match="is there by now"):
        Outputs().write(tmp_path / "new", b"data")
    assert (tmp_path / "new").read_bytes() == b"of another program"
    assert not temporary(tmp_path)


def no_links(_source: Path, _target: Path) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_on_a_disk_without_links_it_is_the_same(
    tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    Outputs().write(tmp_path / "new", b"data")
    assert (tmp_path / "new").read_bytes() == b"data"
    monkeypatch.setattr(Outputs, "_checked", lambda _self, path: path)
    with pytest.raises(UsageError, match="is there by now"):
        Outputs().write(old, b"new")
    assert old.read_bytes() == b"old"
    assert not temporary(tmp_path)


def test_trouble_with_the_disk_is_said_of_the_file_that_was_asked_for(
    tmp_path: Path, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DSSError, match=r"old\.png: cannot be written \(No space left") as trouble:
        Outputs(replace=True).write(old, b"new")
    assert not isinstance(trouble.value, UsageError)
    assert old.read_bytes() == b"old"
    with pytest.raises(DSSError, match="cannot be written"):
        Outputs().write(tmp_path / ("n" * 300), b"data")
    assert sorted(tmp_path.iterdir()) == [old]


def test_a_folder_that_may_not_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, *_arguments: object, **_more: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(DSSError, match=r"new: cannot be written \(Permission denied\)"):
        Outputs().write(tmp_path / "new", b"data")


def test_nothing_is_left_of_what_was_interrupted(tmp_path: Path, old: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Outputs(replace=True).stream(old) as f:
        f.write(b"half")
        raise KeyboardInterrupt
    with pytest.raises(FileNotFoundError), Outputs().stream(tmp_path / "new"):
        (tmp_path / "another's").read_bytes()  # trouble of the block, not of this file
    assert (old.read_bytes(), sorted(tmp_path.iterdir())) == (b"old", [old])


class Out(io.TextIOWrapper):
    """Standard output that is a terminal, or not."""

    def __init__(self, terminal: bool) -> None:
        super().__init__(io.BytesIO())
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def test_standard_output_takes_bytes_unless_a_person_would_see_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", piped := Out(terminal=False))
    Outputs().write(STANDARD, b"\x89PNG")
    assert piped.buffer.getvalue() == b"\x89PNG"  # type: ignore[attr-defined]  # a BytesIO
    monkeypatch.setattr(sys, "stdout", Out(terminal=True))
    with pytest.raises(UsageError, match="a terminal cannot show"):
        Outputs().check(STANDARD)
    Outputs().check(STANDARD, text=True)


paths = st.lists(
    st.lists(
        st.sampled_from(["a", "A", "é", "é", "a (2)", "b.jpg", "B.JPG", "b (2).jpg"]), min_size=1, max_size=3
    ),
    max_size=12,
).map(lambda lists: [PurePath(*parts) for parts in lists])


@given(paths)
def test_names_are_made_different(wanted: list[PurePath]) -> None:
    given_names = apart(wanted)
    keys = [folded_name(str(path)) for path in given_names]
    assert len(set(keys)) == len(wanted)
    folders = {folded_name(str(parent)) for path in given_names for parent in path.parents}
    assert not folders & set(keys)
    assert [path.parent for path in given_names] == [path.parent for path in wanted]
    assert apart(given_names) == given_names
    first: set[str] = set()
    inner = {folded_name(str(parent)) for path in wanted for parent in path.parents}
    for path, name in zip(wanted, given_names, strict=True):
        key = folded_name(str(path))
        if key not in first and key not in inner:
            assert name == path
        first.add(key)


def test_numbers_stand_before_the_ending() -> None:
    wanted = [PurePath("a/x.jpg"), PurePath("a/X.JPG"), PurePath("x.jpg"), PurePath("a/x.jpg")]
    assert [str(p) for p in apart(wanted)] == ["a/x.jpg", "a/X (2).JPG", "x.jpg", "a/x (3).jpg"]
