"""Which files have settled, by a clock and looks that are given."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.archive.ingest.walk import Scope
from dsslic_search.archive.settling import MAX_ABSENT_PATHS_OF_A_FOLDER, Seen, Settling, joined, look_at

ROOT = Path("/watched")
FILE, FOLDER = Seen(False, 10, 1), Seen(True, 0, 1)
NAMES = ("a.jpg", "in/b.jpg", "in/deep/c.jpg", "d")


def settling(quiet: float = 2.0) -> Settling:
    return Settling([ROOT], ROOT / "archive", quiet)


def flat(*names: str) -> list[Scope]:
    return [Scope(ROOT / name, recursive=False, within=ROOT) for name in names]


def deep(*names: str) -> list[Scope]:
    return [Scope(ROOT / name, within=ROOT) for name in names]


def due_of(seen: dict[str, Seen | None], *roots: Path, quiet: float = 2.0) -> list[Scope]:
    """What is due of paths that do not change any more."""
    touched = Settling(roots or [ROOT], ROOT / "archive", quiet)
    for path in seen:
        touched.touched(path)
    assert touched.due(0, seen.__getitem__) == []
    return touched.due(quiet, seen.__getitem__)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("touch", "write", "delete", "look")), st.sampled_from(NAMES), st.integers(0, 3)
    ),
    max_size=30,
)


@given(STEPS)
def test_a_path_is_due_when_nothing_happened_to_it_for_long_enough(steps: list[tuple[str, str, int]]) -> None:
    """Whatever happens, a path is due at a look if and only if it was looked at before at least two seconds
    ago, with the same seen ever since and no touch between."""
    tried = settling()
    now, size = 0, 0
    disk: dict[str, Seen | None] = {}
    waiting: dict[str, tuple[int, Seen | None] | None] = {}  # since when it was seen as it is
    for what, name, later in steps:
        path = str(ROOT / name)
        now += later
        if what == "touch":
            tried.touched(path)
            waiting[path] = None
        elif what == "write":
            size += 1
            disk[path] = Seen(False, size, now)
        elif what == "delete":
            disk[path] = None
        else:
            settled = set()
            for each, since in list(waiting.items()):
                if since is None or since[1] != disk.get(each):
                    waiting[each] = now, disk.get(each)
                elif now - since[0] >= 2:
                    settled.add(each)
                    del waiting[each]
            scopes = tried.due(now, disk.get)
            assert bool(scopes) == bool(settled)
            for each in settled:  # every path that has settled is in a folder that is walked
                path_due = Path(each)
                assert any(
                    path_due.is_relative_to(scope.folder)
                    if scope.recursive
                    else path_due.parent == scope.folder
                    for scope in scopes
                )
            assert tried.unsettled == {each for each in waiting if disk.get(each) is not None}


def test_a_file_that_is_still_written_is_left_out_of_its_folder() -> None:
    tried = settling()
    sizes = {"/watched/a.jpg": 1, "/watched/b.jpg": 1}

    def look(path: str) -> Seen:
        return Seen(False, sizes[path], 1)

    for path in sizes:
        tried.touched(path)
    assert tried.due(0, look) == []
    sizes["/watched/b.jpg"] = 2
    assert tried.due(2, look) == flat("")
    assert tried.unsettled == {"/watched/b.jpg"}
    assert tried.due(3, look) == []
    assert tried.due(4, look) == flat("")
    assert not tried.unsettled


def test_what_was_touched_and_not_looked_at_is_left_out() -> None:
    tried = settling()
    tried.touched("/watched/a.jpg")
    assert tried.unsettled == {"/watched/a.jpg"}


def test_files_are_found_in_their_folder_and_folders_with_all_below() -> None:
    assert due_of({"/watched/in/a.jpg": FILE, "/watched/in/b.jpg": FILE}) == flat("in")
    assert due_of({"/watched/new": FOLDER, "/watched/new/deep/a.jpg": FILE}) == deep("new")
    assert due_of({"/watched/a.jpg": FILE, "/watched/new": FOLDER}) == deep("new") + flat("")


def test_what_is_not_there_may_have_been_a_folder() -> None:
    assert due_of({"/watched/in/a.jpg": None}) == deep("in/a.jpg")
    many = {f"/watched/in/{i}.jpg": None for i in range(MAX_ABSENT_PATHS_OF_A_FOLDER + 1)}
    assert due_of(many) == deep("in")
    assert due_of({str(ROOT): None}) == deep("")


def test_the_innermost_folder_that_is_watched_counts() -> None:
    hidden = ROOT / ".hidden"
    assert due_of({"/watched/.hidden/a.jpg": FILE}, ROOT, hidden) == [Scope(hidden, False, hidden)]


def test_the_archive_and_what_is_watched_by_nobody_are_ignored(tmp_path: Path) -> None:
    archive, link = tmp_path / "archive", tmp_path / "link"
    archive.mkdir()
    link.symlink_to(archive)
    for left_out in (archive, link):
        tried = Settling([tmp_path], left_out)
        for path in (archive, archive / "lock", link / "catalog.sqlite", tmp_path.parent / "a.jpg"):
            tried.touched(str(path))
        assert not tried.unsettled
        tried.touched(str(tmp_path / "archive.jpg"))
        assert tried.unsettled == {str(tmp_path / "archive.jpg")}


@given(st.lists(st.tuples(st.sampled_from(("", "in", "in/deep", "out", "inner")), st.booleans())))
def test_joined_folders_are_walked_once_and_none_is_left_out(chosen: list[tuple[str, bool]]) -> None:
    scopes = [Scope(ROOT / name, recursive, ROOT) for name, recursive in chosen]
    result = joined(scopes)
    for name in ("", "in", "in/deep", "in/deep/er", "out", "out/er", "inner", "inner/most"):
        folder = ROOT / name

        def walks(scope: Scope, folder: Path = folder) -> bool:
            return folder.is_relative_to(scope.folder) if scope.recursive else folder == scope.folder

        assert sum(map(walks, result)) == any(map(walks, scopes))
    assert sorted(result, key=lambda scope: not scope.recursive) == result


def test_looking_at_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    found = look_at(str(tmp_path / "a"))
    assert found is not None
    assert (found.is_folder, found.size) == (False, 5)
    assert found.modified_ns == (tmp_path / "a").stat().st_mtime_ns
    assert (look_at(str(tmp_path)) or FILE).is_folder
    assert look_at(str(tmp_path / "b")) is None
    assert look_at("a\0b") is None
