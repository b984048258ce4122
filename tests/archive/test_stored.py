"""Object files that do not begin as .dsslic files do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dsslic_search.archive.check import check
from dsslic_search.archive.repair import repair
from dsslic_search.archive.stored import RECORD_NAMES, Examination, Fault, ObjectRecord, examine
from dsslic_search.codec import container
from dsslic_search.codec.container import MAGIC, PREAMBLE, VERSION
from dsslic_search.core.kinds import KeepMode


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


@pytest.mark.parametrize("keep", list(KeepMode))
@pytest.mark.parametrize("left_out", ["SMAP", "ORIG"])
def test_a_file_without_what_its_keep_mode_is_about_is_damaged(
    world: Any, keep: KeepMode, left_out: str
) -> None:
    """Nothing that this program wrote lacks it, but somebody may have put such a file there."""
    world.photo("a.jpg")
    world.ingest(keep="exact")
    with world.archive.open_catalog() as catalog:
        photo = catalog.photo(1)
    path = world.archive.store.path_of(photo.content_hash)
    data = path.read_bytes()
    contents = container.read(data)
    kinds = [entry.kind for entry in contents.entries if entry.kind != left_out]
    chunks = [chunk for kind in kinds if (chunk := container.read_chunk(data, contents, kind))]
    crafted = container.pack(replace(contents.header, keep=keep), chunks)
    path.write_bytes(crafted)
    (found,) = check(world.archive)
    needed = keep.is_seen if left_out == "SMAP" else keep.holds_original
    assert (found.what is Fault.INVALID) == needed
    assert found.only_copy == needed  # by the row's word
    if needed:
        assert repair(world.archive, [found]) == []
        assert path.read_bytes() == crafted
