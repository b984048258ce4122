from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from dsslic_search.api import Hit
from dsslic_search.cli.lines import hit_line, linked, shown_path
from dsslic_search.core.files import path_to_text
from tests.cli.test_terminal import Stream


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/photos/2023/beach.jpg", "beach.jpg"),
        ("/photos/2023/a/b.jpg", "a/b.jpg"),
        ("/photos/c.jpg", "../c.jpg"),
        ("/d.jpg", "/d.jpg"),  # shorter than ../../d.jpg
        ("/photos/2023/clip.mp4#t=12.0", "clip.mp4#t=12.0"),
        ("/photos/2023/a\nb.jpg", "a b.jpg"),
        ("/photos/2023/a//udcffb.jpg", "a//udcffb.jpg"),
    ],
)
def test_paths_are_shown_from_here_where_that_is_shorter(
    path: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getcwd", lambda: "/photos/2023")
    assert shown_path(path) == shown


def test_paths_are_shown_where_the_current_folder_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(os, "getcwd", gone)
    assert shown_path("/photos/a.jpg") == "/photos/a.jpg"


@pytest.mark.parametrize("name", [b"beach day.jpg", "küste.jpg".encode(), b"a\xffb.jpg", b"50%.jpg"])
def test_links_lead_to_the_file(name: bytes) -> None:
    path = Path("/photos") / os.fsdecode(name)
    text = linked("shown", path_to_text(path), Stream(tty=True))
    begin, _, rest = text.partition("\x1b\\")
    assert rest == "shown\x1b]8;;\x1b\\"
    assert begin.isascii()
    host, _, address = begin.removeprefix("\x1b]8;;file://").partition("/")
    assert host == os.uname().nodename
    assert unquote_to_bytes("/" + address) == b"/photos/" + name


def test_photos_in_a_bucket_are_shown_as_urls_without_a_link() -> None:
    assert shown_path("s3://bucket/a/b.jpg") == "s3://bucket/a/b.jpg"
    assert linked("b.jpg", "s3://bucket/a/b.jpg", Stream(True)) == "b.jpg"


def test_frames_lead_to_their_video() -> None:
    assert "/a.mp4\x1b" in linked("x", "/a.mp4#t=2.0", Stream(tty=True))


def test_no_links_where_nothing_follows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert linked("shown", "/a.jpg", Stream(tty=False)) == "shown"
    monkeypatch.setenv("TERM", "dumb")
    assert linked("shown", "/a.jpg", Stream(tty=True)) == "shown"


def test_the_link_of_a_result_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    hit = Hit(1, 2, "/photos/of a long name/beach.jpg", 0.5, {}, {"sky": 0.25})
    plain, short = hit_line(hit, 40), "…ong name/beach.jpg"
    assert plain.endswith(short)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", Stream(tty=True))
    assert hit_line(hit, 40) == plain.replace(short, linked(short, hit.path))
