"""An archive that follows its folders, edge by edge; random lives are in tests/archive/test_life.py."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dsslic_search.archive import bin
from dsslic_search.archive.catalog import utc_now
from dsslic_search.archive.check import check
from dsslic_search.archive.ingest.remembered import recall
from dsslic_search.archive.ingest.run import INGEST
from dsslic_search.archive.ingest.sync import sync
from dsslic_search.archive.ingest.walk import Scope
from dsslic_search.archive.ingest.wanted import Wanted
from dsslic_search.archive.rating import rate
from dsslic_search.archive.relink import relink
from dsslic_search.archive.repair import repair
from dsslic_search.core.errors import ArchiveError, UsageError
from dsslic_search.core.kinds import Tune
from dsslic_search.core.settings import Settings


def follow(world: Any, *folders: Path, **more: Any) -> Any:
    named = [name for name in ("even_empty", "even_removed", "rehash") if name in more]
    rules = replace(INGEST, **{name: more.pop(name) for name in named})
    return sync(
        world.archive, folders, settings=Settings(), prepare=world.prepare, rules=rules, workers=1, **more
    )


def old(path: Path, seconds: int = 10**9) -> Path:
    os.utime(path, (seconds, seconds))
    return path


def standing(world: Any) -> dict[str, str]:
    """States by the names of the paths shown."""
    with world.archive.open_catalog() as catalog:
        ids = range(1, 20)
        return {Path(photo.path).name: photo.state for photo in catalog.photos(ids)}


@pytest.fixture
def filled(world: Any) -> Any:
    for name in ("a.jpg", "in/b.jpg"):
        old(world.photo(name))
    world.ingest(workers=1)
    return world


def test_nothing_is_read_that_looks_unchanged(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsslic_search.archive.ingest.sources.read_original", lambda *_: pytest.fail())
    report = follow(filled)
    assert (report.found, report.present, report.failed) == (2, 2, [])


def test_an_edit_that_keeps_size_and_time_is_seen_with_rehash_alone(filled: Any) -> None:
    old(filled.photo("a.jpg", "A.jpg"))
    assert follow(filled).added == 0
    report = follow(filled, rehash=True)
    assert (report.added, [(v.earlier, v.id) for v in report.versions]) == (1, [(1, 3)])


def test_moved_copied_edited_deleted_and_back(filled: Any) -> None:
    top = filled.photos
    (top / "a.jpg").rename(top / "in" / "moved.jpg")
    report = follow(filled)
    assert [(m.id, Path(m.before).name, Path(m.path).name) for m in report.moved] == [
        (1, "a.jpg", "moved.jpg")
    ]
    old(filled.photo("copy.jpg", "a.jpg"))
    assert [Path(c.path).name for c in follow(filled).copies] == ["copy.jpg"]
    (top / "in" / "b.jpg").unlink()
    assert [(m.id, Path(m.path).name) for m in follow(filled).missing] == [(2, "b.jpg")]
    old(filled.photo("again.jpg", "in/b.jpg"))
    assert [(b.id, Path(b.path).name) for b in follow(filled).back] == [(2, "again.jpg")]
    old(filled.photo("again.jpg", "another"), 10**9 + 10)
    report = follow(filled)
    assert [(Path(v.path).name, v.earlier, v.id) for v in report.versions] == [("again.jpg", 2, 3)]
    assert standing(filled) == {"moved.jpg": "here", "again.jpg": "here"}  # of two with that path the last


def test_a_disk_that_is_away_marks_nothing(filled: Any) -> None:
    top = filled.photos
    top.rename(top.with_name("away"))
    report = follow(filled)
    assert [(u.folder, u.reason, u.photos) for u in report.unseen] == [(str(top), "not there", 2)]
    top.mkdir()
    report = follow(filled)
    assert [(u.folder, u.reason, u.photos) for u in report.unseen] == [(str(top), "empty", 2)]
    assert set(standing(filled).values()) == {"here"}
    assert len(follow(filled, even_empty=True).missing) == 2
    top.rmdir()
    top.with_name("away").rename(top)
    assert len(follow(filled).back) == 2


def test_stars_go_to_the_edited_version_once(filled: Any) -> None:
    def stars() -> list[float | None]:
        with filled.archive.open_catalog() as catalog:
            return [photo.rating for photo in sorted(catalog.photos(range(1, 9)), key=lambda each: each.id)]

    with filled.archive.open_catalog() as catalog:
        rate(catalog, 4, np.array([1]))
        before = catalog.generation()
    old(filled.photo("a.jpg", "edited"), 10**9 + 10)
    follow(filled)
    assert stars() == [4, None, 4]
    with filled.archive.open_catalog() as catalog:
        assert catalog.generation() > before  # so that indexes are told
        rate(catalog, 0, np.array([3]))
    follow(filled)
    assert stars() == [4, None, None]  # what is taken away later stays away
    old(filled.photo("in/b.jpg", "other"), 10**9 + 20)
    follow(filled)
    assert stars() == [4, None, None, None]


def test_a_rehearsal_tells_the_same_and_writes_nothing(filled: Any) -> None:
    top = filled.photos
    (top / "a.jpg").rename(top / "moved.jpg")
    (top / "in" / "b.jpg").unlink()
    old(filled.photo("in/new.jpg"))
    would = follow(filled, dry_run=True)
    assert set(standing(filled)) == {"a.jpg", "b.jpg"}
    done = follow(filled)
    for name in ("found", "added", "present", "moved", "missing", "unseen"):
        assert getattr(would, name) == getattr(done, name)


def test_hard_links_are_copies_and_a_swap_is_no_edit(filled: Any) -> None:
    top = filled.photos
    (top / "link.jpg").hardlink_to(top / "a.jpg")
    assert len(follow(filled).copies) == 1
    (top / "a.jpg").rename(top / "x")
    (top / "in" / "b.jpg").rename(top / "a.jpg")
    (top / "x").rename(top / "in" / "b.jpg")
    report = follow(filled)
    assert (report.added, report.versions, report.missing) == (0, [], [])
    assert set(standing(filled).values()) == {"here"}


def test_new_photos_are_kept_as_last_time_and_others_stay(filled: Any) -> None:
    assert filled.ingest(keep="reference", workers=1).kept_before == {"layers": 2}
    filled.photo("new.jpg")
    report = follow(filled)
    assert report.notes == ["new photos as reference, previews at quality 60, as last time"]
    assert [keep for keep, _, _ in filled.kept()] == ["reference"] * 3
    assert follow(filled, filled.photos / "in").updated == 0


@pytest.mark.parametrize("tune", Tune)
def test_new_photos_are_tuned_as_last_time(world: Any, tune: Tune) -> None:
    world.photo("a.jpg")
    world.ingest(tune=tune, quality=60, workers=1)
    world.photo("b.jpg")
    follow(world)
    with world.archive.open_catalog() as catalog:
        assert recall(catalog).options.tune == tune


def test_what_sync_does_not_take(world: Any, filled: Any) -> None:
    with pytest.raises(UsageError, match="sync takes folders"):
        follow(filled, filled.photos / "a.jpg")
    with pytest.raises(ArchiveError, match="no archive there"):
        sync(replace(world.archive, root=world.photos / "none"), settings=Settings())


def test_what_is_excluded_stays_as_it_was(filled: Any) -> None:
    report = follow(filled, wanted=Wanted(exclude=("in",)))
    assert (report.found, report.missing, report.passed_over.sentence()) == (1, [], "1 excluded")


def test_relink(filled: Any, tmp_path: Path) -> None:
    top = filled.photos
    top.rename(tmp_path / "moved")
    (tmp_path / "moved" / "in" / "b.jpg").write_bytes(b"PHOTOin/c.jpg")
    done = relink(filled.archive, top, tmp_path / "moved")
    assert [photo_id for photo_id, _ in done.linked] == [1]
    assert [Path(path).name for path in done.different] == ["b.jpg"]
    (tmp_path / "moved" / "in" / "b.jpg").unlink()
    assert [Path(p).name for p in relink(filled.archive, top, tmp_path / "moved").absent] == ["b.jpg"]
    assert len(relink(filled.archive, top, tmp_path / "moved", unchecked=True).linked) == 1
    with pytest.raises(UsageError, match="no photo of the archive lies under"):
        relink(filled.archive, top, tmp_path / "moved")
    with pytest.raises(UsageError, match="is where they lie already"):
        relink(filled.archive, top, top)


def test_relinked_copies_are_shown_where_they_were(world: Any) -> None:
    world.photo("z.jpg", "same")
    world.ingest(world.photos / "z.jpg")
    world.photo("a.jpg", "same")
    world.photo("elsewhere/b.jpg", "same")
    world.ingest()
    top = world.photos
    for name in ("a.jpg", "z.jpg"):
        (top / "moved").mkdir(exist_ok=True)
        (top / name).rename(top / "moved" / name)
    assert len(relink(world.archive, top / "z.jpg", top / "moved" / "z.jpg").linked) == 1
    assert len(relink(world.archive, top / "a.jpg", top / "moved" / "a.jpg").linked) == 1
    assert standing(world) == {"z.jpg": "here"}
    (top / "moved").rename(top / "again")
    assert len(relink(world.archive, top / "moved", top / "again").linked) == 2
    assert standing(world) == {"z.jpg": "here"}


def test_a_copy_may_come_to_lie_where_another_did(world: Any) -> None:
    """A folder that was moved into itself."""
    for name in ("x.jpg", "in/x.jpg"):
        old(world.photo(name, "same"))
    world.ingest()
    top, between = world.photos, world.photos.parent / "between"
    top.rename(between)
    top.mkdir()
    between.rename(top / "in")
    done = relink(world.archive, top, top / "in")
    assert len(done.linked) == 2
    with world.archive.open_catalog() as catalog:
        photo = catalog.photo(1)
        live = {Path(row.path).relative_to(top).as_posix() for row in photo.paths if row.ended_at is None}
    assert live == {"in/x.jpg", "in/in/x.jpg"}
    report = follow(world)
    assert (report.present, report.copies, report.back, report.missing) == (2, [], [], [])


def test_what_was_removed_stays_so_unless_it_is_asked_for(filled: Any) -> None:
    def remove(*ids: int) -> None:
        with filled.archive.open_catalog() as catalog:
            bin.remove(catalog, np.array(ids, np.int64), utc_now())

    remove(1)
    (filled.photos / "a.jpg").rename(filled.photos / "moved.jpg")
    report = follow(filled)
    assert (report.present, report.in_bin, standing(filled)["moved.jpg"]) == (2, 1, "removed")
    report = filled.ingest(rules=replace(INGEST, even_removed=True))
    assert (report.in_bin, standing(filled)["moved.jpg"]) == (0, "here")
    remove(1)
    bin.empty(filled.archive, now=utc_now(), older_than=None, only_copies=True, dry_run=False)
    report = follow(filled)
    assert (report.added, report.present, report.in_bin) == (0, 2, 1)
    assert filled.ingest(rules=replace(INGEST, even_removed=True)).added == 1


def test_a_lost_photo_that_is_taken_out_of_the_bin_is_stored_anew(filled: Any) -> None:
    with filled.archive.open_catalog() as catalog:
        filled.archive.store.remove(catalog.photo(1).content_hash)
        bin.remove(catalog, np.array([1]), utc_now())
    assert len(repair(filled.archive, check(filled.archive))) == 1
    assert follow(filled, even_removed=True).updated == 1
    assert standing(filled) == {"a.jpg": "here", "b.jpg": "here"}
    filled.assert_whole(2)


def test_where_only_what_was_deleted_for_good_lies_now_is_no_new_version(filled: Any) -> None:
    """Nor does its other copy, edited in the same run, make one: the photo lay elsewhere until the end."""
    old(filled.photo("copy.jpg", "a.jpg"))
    follow(filled)
    with filled.archive.open_catalog() as catalog:
        bin.remove(catalog, np.array([2]), utc_now())
    assert bin.empty(filled.archive, now=utc_now(), only_copies=True).deleted == (2,)
    old(filled.photo("a.jpg", "in/b.jpg"), 10**9 + 5)
    old(filled.photo("copy.jpg", "new"))
    report = follow(filled)
    assert (report.versions, [missing.id for missing in report.missing], report.in_bin) == ([], [1], 2)
    with filled.archive.open_catalog() as catalog:
        assert catalog.photo(1).state == "missing"


def test_a_part_of_a_folder_that_is_gone_is_no_failure_but_what_lay_there_is_missing(filled: Any) -> None:
    (filled.photos / "in/b.jpg").unlink()
    (filled.photos / "in").rmdir()
    report = follow(filled, Scope(filled.photos / "in", within=filled.photos))
    assert ([Path(m.path).name for m in report.missing], report.failed, report.unseen) == (["b.jpg"], [], [])
    filled.photo("in", "a file now")
    report = follow(filled, Scope(filled.photos / "in", within=filled.photos))
    assert (report.found, report.failed) == (0, [])


def test_a_part_of_a_folder_that_is_away_tells_nothing(filled: Any, tmp_path: Path) -> None:
    filled.photos.rename(tmp_path / "unmounted")
    report = follow(filled, Scope(filled.photos / "in", within=filled.photos))
    assert ([u.folder for u in report.unseen], report.missing) == ([str(filled.photos)], [])


def test_a_file_that_is_being_written_is_left_out(filled: Any) -> None:
    new = filled.photo("c.jpg")
    (filled.photos / "a.jpg").write_bytes(b"PHOTO half")
    unsettled = frozenset(map(str, (new, filled.photos / "a.jpg")))
    report = follow(filled, wanted=Wanted(unsettled=unsettled))
    assert (report.found, report.added, report.missing) == (1, 0, [])
    report = follow(filled)
    assert (report.found, report.added, len(report.versions)) == (3, 2, 1)
