"""What a walk means, given what is known; no disk, no catalog."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsslic_search.archive.ingest.compare import compare, endings
from dsslic_search.archive.ingest.look import Absent, Here, Look, Unknown
from dsslic_search.archive.ingest.walk import Found
from dsslic_search.archive.known_paths import Known


def known(path: str, photo: int = 1, **more: object) -> Known:
    values = {"part": "", "size": 10, "modified_ns": 5, "live": True, "state": "here"} | more
    return Known(row=photo * 10, photo_id=photo, content_hash=f"{photo:064}", path=path, **values)  # type: ignore[arg-type]  # of these names


def found(path: str, size: int = 10, modified_ns: int = 5, inode: int = 1) -> Found:
    return Found(Path(path), size, modified_ns, (1, inode))


@pytest.mark.parametrize(
    ("file", "rows", "unchanged"),
    [
        (found("/p/a"), [known("/p/a")], 1),
        (found("/p/a", size=11), [known("/p/a")], 0),
        (found("/p/a", modified_ns=6), [known("/p/a")], 0),
        (found("/p/a"), [known("/p/a", modified_ns=None)], 0),
        (found("/p/a"), [known("/p/a", live=False)], 1),  # back as it was
        (
            found("/p/a"),
            [known("/p/a", modified_ns=4), known("/p/a", 2, live=False)],
            0,
        ),  # another lies on
        (found("/p/a"), [known("/p/a", live=False), known("/p/a", 2, live=False)], 0),  # which of them?
        (found("/p/a"), [known("/p/a", part="#t=0.0"), known("/p/a", 2, part="#t=2.0")], 2),
        (found("/p/a"), [known("/p/a", part="#t=0.0"), known("/p/a", 2, part="#t=2.0", size=9)], 0),
        (found("/p/a"), [], 0),
    ],
)
def test_what_need_not_be_read(file: Found, rows: list[Known], unchanged: int) -> None:
    result = compare([file], {"/p/a": rows})
    assert len(result.unchanged.get(file.path, [])) == unchanged
    assert result.unlisted == []


def test_live_rows_of_other_files_are_unlisted() -> None:
    rows = [known("/p/b"), known("/p/b", 2, live=False)]
    assert compare([found("/p/a")], {"/p/b": rows}).unlisted == rows[:1]


@pytest.mark.parametrize(
    ("look", "elsewhere", "even_empty", "gone", "unseen"),
    [
        (Here(10, 5, (1, 9)), False, False, False, None),
        (Here(10, 5, (1, 1)), False, False, True, None),  # the file that is listed as /p/a, spelt otherwise
        (Unknown("Permission denied"), True, True, False, ("/p", "Permission denied")),
        (Absent("/p/A", False), False, False, True, None),
        (Absent("/p/A", True), False, False, False, ("/p", "empty")),
        (Absent("/p/A", True), True, False, True, None),
        (Absent("/p/A", True), False, True, True, None),
        (Absent("/p", False), False, False, False, ("/p", "not there")),
        (Absent("/p", False), True, False, True, None),
        (Absent("/p", False), False, True, True, None),
    ],
)
def test_what_became_of_a_file_that_is_not_listed(
    look: Look, elsewhere: bool, even_empty: bool, gone: bool, unseen: tuple[str, str] | None
) -> None:
    row = known("/p/A")
    result = endings([row], ["/p"], [found("/p/a")], lambda _: look, lambda _: elsewhere, even_empty)
    assert result.gone == ([row] if gone else [])
    assert dict(result.unseen) == ({} if unseen is None else {unseen: {1}})


def test_a_file_that_was_named_itself_is_gone_when_it_is_not_there() -> None:
    row = known("/p/a")
    result = endings([row], ["/p/a"], [], lambda _: Absent("/p/a", False), lambda _: False, False)
    assert result.gone == [row]
