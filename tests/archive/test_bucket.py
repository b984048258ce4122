"""Object files in a bucket, against a server that speaks S3 (moto's), with the faults of networks and
services."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from dsslic_search.archive.bucket import Patience, checked_url, open_bucket
from dsslic_search.archive.objects import Folder, Objects
from dsslic_search.archive.store import Store
from dsslic_search.core.errors import ArchiveError, UsageError
from tests.archive.bucket_server import Proxy

A, B = "a" * 64, "0b" * 32


@pytest.fixture(params=["folder", "bucket"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    return Folder(tmp_path) if request.param == "folder" else open_bucket(request.getfixturevalue("bucket"))


def test_a_bucket_is_as_a_folder(objects: Objects) -> None:
    assert list(objects.names()) == []
    assert objects.looks("aa/x") is None
    assert objects.remove("aa/x") == 0
    objects.set_aside("aa/x")
    data = bytes(range(256)) * 400
    objects.write("aa/x", data)
    objects.write("0b/y", b"first")
    assert objects.read("0b/y") == objects.read("0b/y", 0, 9) == b"first"
    objects.write("0b/y", b"other")
    assert objects.read("0b/y") == objects.read("0b/y", 0, 9) == b"other"
    for start, end in (
        (0, 9),
        (5, 70_000),
        (70_000, 10**6),
        (90_000, None),
        (len(data), 10**6),
        (10**6, None),
        (9, 9),
    ):
        assert objects.read("aa/x", start, end) == data[start:end], (start, end)
    looks = objects.looks("aa/x")
    assert looks is not None
    assert looks.size == len(data)
    assert list(objects.names()) == ["0b/y", "aa/x"]
    objects.set_aside("0b/y")
    assert list(objects.names()) == ["0b/y.damaged", "aa/x"]
    assert objects.remove("aa/x") == len(data)
    assert list(objects.names()) == ["0b/y.damaged"]
    with pytest.raises(ArchiveError, match=r"cannot be read .* see what else is missing with: Archive.check"):
        objects.read("aa/x")


def test_a_store_in_a_bucket_is_one(bucket: str) -> None:
    store = Store(bucket)
    store.write(A, b"first")
    store.write(B, b"other")
    store.write_parity(A, b"parity")
    assert (store.read(A), store.size_of(B), store.read_parity(A), store.read_parity(B)) == (
        b"first", 5, b"parity", None,
    )  # fmt: skip
    assert store.where(A) == f"{bucket}/aa/{A}.dsslic"
    assert list(store.hashes()) == [B, A]
    assert list(store.leftovers()) == []
    assert list(store.each([A, B, A] * 30, store.read)) == [b"first", b"other", b"first"] * 30
    assert store.remove(A) == 5
    assert list(store.objects.names()) == [f"0b/{B}.dsslic"]
    with pytest.raises(ValueError, match="no file of this machine"):
        store.path_of(B)


@pytest.mark.parametrize("fault", ["503", "cut", "late"])
def test_what_a_service_cannot_do_now_is_asked_again(
    bucket: str, s3: Proxy, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "late":
        monkeypatch.setattr("dsslic_search.archive.bucket.PATIENCE", Patience(0.5, 3, 0.01, 0.05))
    objects = open_bucket(bucket)
    data = hashlib.sha256(b"x").digest() * 3000
    s3.faults = lambda number, _: fault if number % 2 else ""
    objects.write("aa/x", data)
    assert objects.read("aa/x") == data
    assert objects.read("aa/x", 7, 90_000) == data[7:90_000]
    assert list(objects.names()) == ["aa/x"]
    assert sum(method == "GET" for method, *_ in s3.requests) >= 5
    s3.faults = lambda *_: fault
    with pytest.raises(
        ArchiveError, match=rf"{bucket}/aa/x: cannot be read \(.*check the connection"
    ) as caught:
        objects.read("aa/x")
    assert "\n" not in str(caught.value)
    s3.faults = lambda *_: ""
    assert objects.read("aa/x") == data


def test_what_is_stored_is_what_was_given(bucket: str, s3: Proxy) -> None:
    objects = open_bucket(bucket)
    s3.faults = lambda number, request: "other" if request[0] == "PUT" and number < 3 else ""
    objects.write("aa/x", b"the bytes of a photo")
    assert [method for method, *_ in s3.requests].count("PUT") == 2
    assert objects.read("aa/x") == b"the bytes of a photo"
    s3.faults = lambda _, request: "other" if request[0] == "PUT" else ""
    with pytest.raises(ArchiveError, match="keeps other bytes than it was given, 3 times"):
        objects.write("aa/y", b"the bytes of a photo")


def test_one_request_shows_the_start_of_an_object(bucket: str, s3: Proxy) -> None:
    objects = open_bucket(bucket)
    objects.write("aa/x", bytes(100_000))
    s3.forget()
    for end in (objects.ahead, 15, 3000):
        assert objects.read("aa/x", 0, end) == bytes(end)
    assert [(method, asked) for method, _, asked in s3.requests] == [("GET", f"bytes=0-{objects.ahead - 1}")]
    other = type(objects)(bucket, objects.patience)  # another machine's
    other.write("aa/x", b"\1" * 9)
    assert objects.looks("aa/x").size == 9
    assert objects.read("aa/x", 0, 15) == b"\1" * 9


@pytest.mark.parametrize(
    "url", ["", "/a", "ftp://a/b", "s3:/a", "s3://", "s3://a b", "s3://u:p@a/b", "s3://a/../b", "s3://a?b=c"]
)
def test_only_places_in_buckets_are_taken(url: str) -> None:
    with pytest.raises(UsageError, match=re.escape(url) + ".*write it like s3://bucket/prefix"):
        checked_url(url)


def test_a_bucket_that_is_not_there_or_not_ours_is_said(s3: Proxy, bucket: str) -> None:
    with pytest.raises(ArchiveError, match="no such bucket"):
        list(open_bucket("s3://nothing-of-that-name").names())
