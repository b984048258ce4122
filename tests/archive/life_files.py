"""Files that come, go, move and change, and disks that are away: what happens to the photos of
`tests.archive.test_life` outside the archive."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.archive.life import original_of

ROOTS = ("one", "two")
NAMES = ("a.jpg", "A.jpg", os.fsdecode(b"caf\xe9.jpg"), "b.png")
FILES = tuple(
    f"{root}/{folder}{name}" for root in ROOTS for folder in ("", "in/", "in/deep/") for name in NAMES
)
CONTENTS = ("red", "green", "blue", "grey")
START_NS, STEP_NS = 978_307_200 * 10**9, 10 * 10**9  # 2001, and what lies between two changes of files

picks = st.integers(0, 1000)  # of the files that are there
files, contents, roots = st.sampled_from(FILES), st.sampled_from(CONTENTS), st.sampled_from(ROOTS)


class Files(RuleBasedStateMachine):
    """A few files in two folders, of which each may be away. No two files have the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp())
        self.away = self.top / "away"
        for root in ROOTS:
            (self.top / root).mkdir()
        self.changes = 0

    def teardown(self) -> None:
        shutil.rmtree(self.top)

    def path(self, file: str) -> Path:
        return self.top / file

    def some(self, pick: int) -> str | None:
        there = [file for file in FILES if self.is_there(file)]
        return there[pick % len(there)] if there else None

    def is_there(self, file: str) -> bool:
        return self.path(file).is_file()

    def content(self, file: str) -> str:
        return self.path(file).read_bytes().removeprefix(b"PHOTO").decode()

    def time(self, file: str) -> int:
        return self.path(file).stat().st_mtime_ns

    def stamp(self, path: Path) -> None:
        self.changes += 1
        os.utime(path, ns=(START_NS, START_NS + self.changes * STEP_NS))

    def write(self, file: str, content: str) -> None:
        path = self.path(file)
        with suppress(FileExistsError):
            path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # another file, should it have more names
        path.write_bytes(original_of(content))
        self.stamp(path)

    def is_mounted(self, file: str) -> bool:
        return not (self.away / file.partition("/")[0]).exists()

    @rule(file=files, content=contents)
    def add(self, file: str, content: str) -> None:
        if self.is_mounted(file):
            self.write(file, content)

    @rule(pick=picks, content=contents)
    def edit(self, pick: int, content: str) -> None:
        if file := self.some(pick):
            self.write(file, content)

    @rule(pick=picks, to=files, how=st.sampled_from(["copy", "link", "move"]))
    def copy_or_move(self, pick: int, to: str, how: str) -> None:
        file = self.some(pick)
        if file is None or file == to or not self.is_mounted(to):
            return
        if how == "copy":
            self.write(to, self.content(file))
            return
        self.path(to).parent.mkdir(parents=True, exist_ok=True)
        if how == "link":
            self.path(to).unlink(missing_ok=True)
            self.path(to).hardlink_to(self.path(file))
        elif not (self.is_there(to) and self.path(to).samefile(self.path(file))):
            self.path(file).rename(self.path(to))

    @rule(pick=picks, and_pick=picks)
    def swap(self, pick: int, and_pick: int) -> None:
        one, other = self.some(pick), self.some(and_pick)
        if one is not None and other is not None and one != other:
            between = self.top / "between"
            self.path(one).rename(between)
            self.path(other).rename(self.path(one))
            between.rename(self.path(other))

    @rule(pick=picks)
    def delete(self, pick: int) -> None:
        if file := self.some(pick):
            self.path(file).unlink()

    @rule(pick=picks)
    def touch(self, pick: int) -> None:
        if file := self.some(pick):
            self.stamp(self.path(file))

    @rule(root=roots, folder=st.sampled_from(["in", "in/deep"]), to=roots)
    def move_folder(self, root: str, folder: str, to: str) -> None:
        there = self.top / to / folder
        if (self.top / root / folder).is_dir() and self.is_mounted(f"{to}/") and not there.exists():
            there.parent.mkdir(exist_ok=True)
            (self.top / root / folder).rename(there)

    @rule(root=roots, leave=st.booleans())
    def unmount(self, root: str, leave: bool) -> None:
        if self.is_mounted(f"{root}/"):
            self.away.mkdir(exist_ok=True)
            (self.top / root).rename(self.away / root)
            if leave:
                (self.top / root).mkdir()

    @rule(root=roots)
    def mount(self, root: str) -> None:
        if not self.is_mounted(f"{root}/"):
            with suppress(FileNotFoundError):
                (self.top / root).rmdir()
            (self.away / root).rename(self.top / root)
