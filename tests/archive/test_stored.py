"""Object files that do not begin as .dsslic files do."""

from __future__ import annotations

from typing import Any

import pytest

from dsslic_search.archive.stored import RECORD_NAMES, Examination, Fault, ObjectRecord, examine
from dsslic_search.codec.container import MAGIC, PREAMBLE, VERSION


def examined(world: Any, begin: bytes, keep_rest: bool) -> Examination:
    """What is found out about a stored file that begins otherwise."""
    world.photo("a.jpg")
    world.ingest()
    with world.archive.open_catalog() as catalog:
        photo = catalog.photo(1)
    path = world.archive.store.path_of(photo.content_hash)
    path.write_bytes(begin + path.read_bytes()[len(begin) :] * keep_rest)
    row = ObjectRecord(**{name: getattr(photo, name) for name in RECORD_NAMES})
    return examine(world.archive.store, photo.content_hash, row)


@pytest.mark.parametrize("length", range(PREAMBLE))
def test_a_file_too_short_to_tell_its_version_is_damaged(world: Any, length: int) -> None:
    found = examined(world, (MAGIC + bytes((VERSION + 1, 20, 0)))[:length], keep_rest=False)
    assert (found.fault, found.actual_bytes) == (Fault.WRONG_LENGTH, length)


def test_a_newer_version_is_one_of_this_format(world: Any) -> None:
    newer = MAGIC + bytes((VERSION + 1,))
    assert examined(world, newer, keep_rest=True).fault is Fault.UNREADABLE


def test_what_is_of_no_such_format_is_of_no_newer_version(world: Any) -> None:
    other = b"\0" * len(MAGIC) + bytes((VERSION + 1,))
    found = examined(world, other, keep_rest=True)
    assert (found.fault, found.damaged) == (Fault.INVALID, True)
