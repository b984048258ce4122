from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.core.files import absolute, in_bucket, native_name, native_part, path_to_text, text_to_path

names = st.binary(min_size=1, max_size=20).filter(
    lambda b: b"/" not in b and b"\0" not in b and b not in (b".", b"..")
)


@pytest.mark.skipif(os.name != "posix", reason="file names are bytes on POSIX only")
@given(st.lists(names, min_size=1, max_size=4))
def test_every_file_name_survives_as_text(parts: list[bytes]) -> None:
    path = Path("/" + "/".join(os.fsdecode(p) for p in parts))
    text = path_to_text(path)
    text.encode("utf-8")
    assert text_to_path(text) == path


@given(st.lists(names, min_size=1, max_size=3), st.lists(names, min_size=1, max_size=3))
def test_different_names_differ_as_text(a: list[bytes], b: list[bytes]) -> None:
    first, second = (Path("/" + "/".join(os.fsdecode(p) for p in parts)) for parts in (a, b))
    assert (path_to_text(first) == path_to_text(second)) == (first == second)


def test_a_plain_path_is_its_own_text() -> None:
    assert path_to_text("/été/猫 🐈/udcff.jpg") == "/été/猫 🐈/udcff.jpg"


def test_clean_is_absolute_and_without_parent_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "inner")
    assert absolute("link/x.jpg") == tmp_path / "link" / "x.jpg"
    assert absolute("link/../x.jpg") == (tmp_path / "real" / "x.jpg").resolve()


@given(st.lists(names, min_size=1, max_size=4), st.integers(0, 40))
def test_any_part_of_a_name_is_told_natively(parts: list[bytes], start: int) -> None:
    """Texts as the catalog has them and patterns, which may begin in a name's midst."""
    path = "/" + "/".join(os.fsdecode(p) for p in parts)
    assert native_name(path_to_text(path)) == path
    assert native_part(path_to_text(path[start:])) == path[start:]


def test_paths_in_buckets_as_text() -> None:
    for text in "s3://b/a b/\u00fc.jpg", "gs://b", "az://udcff/x":
        path = absolute(Path(text))
        assert in_bucket(path)
        assert in_bucket(text)
        assert path_to_text(path) == path_to_text(text) == text
        assert text_to_path(text) == path
    assert path_to_text(absolute(Path("s3://b/x/../y//z/"))) == "s3://b/y/z"
    assert path_to_text(absolute(Path("s3://"))) == "s3://"
    assert not in_bucket("/s3:/b")
    assert not in_bucket("a/s3:/b")
