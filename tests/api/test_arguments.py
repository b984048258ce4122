"""What the methods of `Archive` take: what is meant by an argument, or a sentence about it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search import Archive
from dsslic_search.api.arguments import (
    check_flags,
    count_of,
    id_of,
    ids_of,
    names_of,
    number_of,
    path_of,
    paths_of,
    text_of,
)
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.core.errors import ArchiveError, QueryError, UsageError

TEXT = (None, 5, b"sky", ["sky"])
ID = (None, True, 1.0, "one", b"1", [1])
IDS = (True, 1.5, "one", b"1", [1.0], [None], [True], np.array([1.5]), np.array(["x"]))
PATH = (None, 5, ["a"], "", "a\0b", "a\ud800b")
PATHS = (None, 5, [5], "", ["a\0b"])
NAMES = (None, 5, [5], b"best", [b"best"])
COUNT = (-1, "5", 1.5, True)
FLAG = (None, "no", 2, [], np.array([True]))
NUMBER = ("0.9", True, 2, float("nan"))
Wrong = dict[str, tuple[Any, ...]]

WRONG: dict[str, tuple[tuple[Any, ...], Wrong]] = {
    "query": (("sky",), {"text": TEXT, "limit": COUNT, "after": (5, b"x")}),
    "find": (("sky",), {"text": TEXT, "limit": COUNT, "after": (5, b"x")}),
    "sketch": (("a.png",), {"canvas": (None, 5, "", "a\0b")}),
    "export": (("sky", "a.csv"), {"text": TEXT, "path": PATH, "form": ("doc", 5), "columns": (5, "nothing")}),
    "table": (("sky",), {"text": TEXT, "columns": (None, 5, "nothing", [5])}),
    "dataset": (("sky",), {"text": TEXT, "holds": (None, 5, "nothing", [5], []), "size": ("x", 5)}),
    "fiftyone_importer": (("sky",), {"text": TEXT, "folder": PATH[1:]}),
    "fiftyone_exporter": ((), {"field": (None, 5)}),
    "label_map": ((1,), {"photo_id": ID, "size": ("x", 5)}),
    "matching": (("sky",), {"text": TEXT}),
    "read": (("sky",), {"text": TEXT}),
    "completions": (("sk",), {"before": TEXT}),
    "facets": (("sky",), {"text": TEXT}),
    "canvas": (([[None]],), {"painted": (None, 5, "sky", [5])}),
    "resembled": ((1,), {"like": (None, True, 1.5, [1]), "by": ("colour", 5)}),
    "chosen": (([1],), {"ids": (None, *IDS)}),
    "cards": (([1],), {"ids": (None, *IDS)}),
    "rate": ((3, [1]), {"stars": (*NUMBER[:2], float("nan"), -1, 5.5, 0.2), "ids": (None, *IDS)}),
    "known": (("ab" * 32,), {"content_hash": TEXT}),
    "stored_path": ((1,), {"photo_id": ID}),
    "stored_part": ((1, 0, 9), {"photo_id": ID, "start": COUNT, "end": COUNT}),
    "init": ((), {"objects": (5, "", "/a", "ftp://a", "s3://a b"), "catalog": (5,)}),
    "zip_originals": (([1], "a.zip"), {"ids": (None, *IDS), "path": PATH}),
    "embeddings_of": (("#1",), {"operand": TEXT}),
    "duplicates": ((), {"threshold": NUMBER, "ray": (5,)}),
    "save": (("best", "sky"), {"name": TEXT, "text": TEXT}),
    "forget": (("best",), {"name": TEXT}),
    "tag": (("best", [1]), {"names": NAMES, "ids": (None, *IDS)}),
    "untag": (("best", [1]), {"names": NAMES, "ids": IDS}),
    "tags_of": ((1,), {"photo_id": ID}),
    "photo": ((1,), {"photo_id": ID}),
    "contents": ((1,), {"photo": ID}),
    "dialect": ((1,), {"photo": ID}),
    "info": ((1,), {"photo_id": ID}),
    "original": ((1,), {"photo_id": ID}),
    "preview": ((1,), {"photo_id": ID, "stage": ("best", 5)}),
    "progressive": ((1,), {"photo_id": ID, "stages": ("best", 5, [5])}),
    "ids": ((1,), {"limit": (None, *COUNT)}),
    "statistics": (("sky",), {"text": TEXT[1:]}),
    "ingest": (
        ("a",),
        {
            "paths": PATHS, "frames": (5,), "include": NAMES, "exclude": NAMES, "workers": COUNT,
            "memory": COUNT, "parity": ("5", 2.5, -1, 26), "ray": (5, b"auto"),
        },
    ),
    "sync": (
        ("a",),
        {
            "folders": (5, [5], "", ["a\0b"]), "frames": (5,), "include": NAMES, "exclude": NAMES,
            "workers": COUNT, "memory": COUNT,
        },
    ),
    "watch": (
        ("a",),
        {
            "folders": (5, [5], "", ["a\0b"]), "include": NAMES, "exclude": NAMES,
            "every": (*NUMBER[:2], float("nan"), 0), "workers": COUNT, "memory": COUNT,
        },
    ),
    "relink": (("a", "b"), {"before": PATH, "after": PATH}),
    "reindex": ((), {"workers": COUNT, "ray": (5,)}),
    "describe": ((), {"workers": COUNT, "ray": (5,)}),
    "backup": (("b",), {"folder": PATH}),
    "parity": ((5,), {"percent": (None, "5", 2.5, -1, 26)}),
    "rebuild": ((), {"journal": PATH[1:], "workers": COUNT}),
    "repair": (([],), {"findings": (None, 5, "p1", [None], [1], ["p1"], np.array([1]))}),
    "check": ((), {"sample": (*NUMBER[:2], -1, 101), "ray": (5,)}),
    "remove": (([1],), {"ids": (None, *IDS)}),
    "restore": (([1],), {"ids": IDS}),
    "empty_bin": ((), {"older_than": (5, "30d")}),
    "originals": (([1], "out"), {"ids": (None, *IDS), "folder": PATH, "strip": ("x", 5)}),
    "export_labels": (([1], "out"), {"ids": IDS, "folder": PATH, "form": ("x", 5), "size": ("x", 5)}),
    "import_labels": (("in",), {"source": PATH, "form": ("x", 5)}),
    "reset_labels": (([1],), {"ids": IDS}),
    "previews": (([1], "out"), {"ids": (None, *IDS), "folder": PATH, "stage": ("x", 5), "form": ("x", 5)}),
}  # fmt: skip
"""Of each method that is given something: arguments that fit, and for each argument values that do not."""

OF_NOTHING = {"bin", "classes", "close", "exact_duplicates", "palette", "saved_queries"}
OF_NOTHING |= {"labelled", "overview", "read_so_far", "reader", "states", "tags", "unpack_ahead"}
"""Methods that take nothing, switches, or what another method gave."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    root = tmp_path_factory.mktemp("arguments") / "a"
    with ArchiveFolder(root).writing(create=True):
        pass
    with Archive(root) as opened:
        yield opened


def test_every_method_stands_in_the_table():
    methods = {
        name for name, member in inspect.getmembers(Archive, inspect.isfunction) if not name.startswith("_")
    }
    assert methods == set(WRONG) | OF_NOTHING
    for name, (_right, wrong) in WRONG.items():
        assert set(wrong) <= set(inspect.signature(getattr(Archive, name)).parameters), name


CASES = [
    (method, argument, value)
    for method, (_right, wrong) in WRONG.items()
    for argument, values in wrong.items()
    for value in values
]
CASES += [
    (method, argument, value)
    for method in WRONG
    for argument, parameter in inspect.signature(getattr(Archive, method)).parameters.items()
    if parameter.annotation == "bool"
    for value in FLAG
]


@pytest.mark.parametrize(("method", "argument", "value"), CASES, ids=lambda each: repr(each)[:30])
def test_what_is_not_meant_is_said(archive: Archive, method: str, argument: str, value: Any):
    right = WRONG[method][0] if method in WRONG else ()
    given = inspect.signature(getattr(Archive, method)).bind_partial(archive, *right).arguments
    given = {name: each for name, each in given.items() if name != "self"} | {argument: value}
    with pytest.raises(UsageError) as error:
        getattr(archive, method)(**given)
    assert "\n" not in str(error.value)
    assert len(str(error.value).split()) > 4


def test_one_alone_is_a_list_of_one():
    assert names_of("best") == names_of(["best"]) == names_of(n for n in ["best"]) == ["best"]
    assert paths_of("p1") == paths_of(Path("p1")) == paths_of(["p1"]) == paths_of(b"p1") == [Path("p1")]
    for one in (12, "12", "#12", np.int32(12), [12], ("#12",), {12}, np.array([12]), np.array(12, np.uint8)):
        assert (ids := ids_of(one)).tolist() == [12], one
        assert ids.dtype == np.int64
        assert ids.shape == (1,)


def test_a_name_of_any_bytes_is_looked_for(archive: Archive):
    with pytest.raises(QueryError, match="no photo of that name"):
        archive.query("like caf\udce9.jpg")


def test_flags_are_true_or_false():
    check_flags(a=True, b=False, c=0, d=1, e=np.True_)
    with pytest.raises(UsageError, match='dry_run is True or False, not "no"'):
        check_flags(replace=True, dry_run="no")


def test_more_than_a_database_counts_is_as_much_as_it_does():
    assert count_of(10**30, "limit") == 2**63 - 1


def test_ids_keep_their_order():
    assert ids_of([3, "1", "#2", 3]).tolist() == [3, 1, 2, 3]
    assert ids_of([]).tolist() == ids_of(np.array([])).tolist() == []


def test_paths_that_are_no_text_are_paths():
    assert path_of(b"caf\xe9").name == "caf\udce9"


@pytest.mark.parametrize("value", [2**63, -(2**70)])
@pytest.mark.parametrize("taken", [id_of, ids_of], ids=["one", "several"])
def test_numbers_of_no_photo_are_said_to_be(taken: Callable[[Any], Any], value: int):
    with pytest.raises(ArchiveError, match="no such id"):
        taken(value)


def test_numbers_of_numpy_are_numbers():
    assert count_of(np.uint8(3), "limit") == 3
    assert number_of(np.float32(0.5), "threshold", 0, 1) == 0.5
    assert text_of(np.str_("sky")) == "sky"
    assert type(text_of(np.str_("sky"))) is str


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda a: a.query(None), 'a query is text, not None; for all photos ask "everything"'),
        (lambda a: a.photo("one"), '"one" is no id of a photo; ids are the numbers that a query lists'),
        (lambda a: a.tag(5, [1]), "a tag is text, or several in a list, not 5"),
        (lambda a: a.ingest(5), "a path is text or a Path, or several in a list, not 5"),
        (lambda a: a.query("sky", limit=-1), "limit -1: must be 0 or more"),
        (lambda a: a.duplicates(threshold=2), "threshold 2: must be from 0.5 to 1"),
        (lambda a: a.empty_bin(older_than=30), "older_than is a timedelta, not 30"),
    ],
    ids=["query", "photo", "tag", "ingest", "limit", "threshold", "older_than"],
)
def test_the_sentence_says_what_is_taken(archive: Archive, call: Callable[[Archive], Any], sentence: str):
    with pytest.raises(UsageError) as error:
        call(archive)
    assert str(error.value) == sentence


def test_one_tag_is_not_its_letters(archive: Archive):
    assert archive.tag("best", []) == {"best": 0}


def test_one_path_is_not_its_letters(tmp_path: Path):
    (tmp_path / "p1").mkdir()
    with Archive(tmp_path / "a") as opened:
        report = opened.ingest(str(tmp_path / "p1"))
    assert (report.found, report.failed) == (0, [])


@pytest.mark.parametrize("wait", NUMBER[:2] + (-1, float("nan")))
def test_an_archive_says_what_it_cannot_wait_for(tmp_path: Path, wait: Any):
    with pytest.raises(UsageError, match=r"^wait "):
        Archive(tmp_path, wait=wait)


def test_an_age_is_a_timedelta(archive: Archive):
    assert archive.empty_bin(older_than=timedelta(days=30)).deleted == ()
