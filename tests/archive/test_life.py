"""The life of an archive as a state machine: files come, go, move and change, disks are away, runs are
killed; after each step the archive must answer what a small model says."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dsslic_search.api import Archive, IngestReport
from dsslic_search.archive import notes
from dsslic_search.archive.catalog import Catalog
from dsslic_search.archive.check import check
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest import flight
from dsslic_search.archive.ingest.memory import PHOTO_BYTES, PROGRAM_BYTES
from dsslic_search.archive.ingest.run import INGEST
from dsslic_search.archive.ingest.sync import sync
from dsslic_search.archive.ingest.walk import walk
from dsslic_search.archive.ingest.wanted import ALL, Wanted
from dsslic_search.archive.relink import relink
from dsslic_search.archive.store import Store
from dsslic_search.core.errors import QueryError, UsageError
from dsslic_search.core.files import native_name
from dsslic_search.core.settings import Settings
from dsslic_search.core.text import folded_name
from tests.archive.conftest import World

ROOTS = ("one", "two")
NAMES = ("a.jpg", "A.jpg", os.fsdecode(b"caf\xe9.jpg"), "b.png")
FILES = tuple(
    f"{root}/{folder}{name}" for root in ROOTS for folder in ("", "in/", "in/deep/") for name in NAMES
)
CONTENTS = ("red", "green", "blue", "grey")
START_NS, STEP_NS = 978_307_200 * 10**9, 10 * 10**9  # 2001, and what lies between two changes of files

picks = st.integers(0, 1000)  # of the files that are there
files, contents, roots = st.sampled_from(FILES), st.sampled_from(CONTENTS), st.sampled_from(ROOTS)


class Killed(BaseException):
    """As when a process ends at once: nothing catches it."""


@dataclass
class Known:
    """What must be known of some content. ``live``: files at which it lies. ``ends``: those at which it lay,
    with the content that took its place, if it ended so. ``given``: of those, whose tags were given on."""

    live: set[str] = field(default_factory=set)
    ends: dict[str, str | None] = field(default_factory=dict)
    given: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)

    @property
    def state(self) -> str:
        replaced = any(by is not None for by in self.ends.values())
        return "here" if self.live else "replaced" if replaced else "missing"

    def end(self, file: str, by: str | None) -> None:
        self.live.discard(file)
        self.ends[file] = None if self.live else by
        self.given.discard(file)


class Model(dict[str, Known]):
    """By content."""

    def saw(self, file: str, content: str) -> None:
        own = self.setdefault(content, Known())
        own.ends.pop(file, None)
        own.live.add(file)
        own.ends = dict.fromkeys(own.ends)
        for other in self.values():
            if other is not own and file in other.live:
                other.end(file, content)

    def give_tags(self) -> None:
        pairs = [
            (each, file, self[by])
            for each in self.values()
            for file, by in each.ends.items()
            if by is not None and file not in each.given
        ]
        while any(not each.tags <= later.tags for each, _, later in pairs):
            for each, _, later in pairs:
                later.tags |= each.tags
        for each, file, _ in pairs:
            each.given.add(file)


class Life(RuleBasedStateMachine):
    """``disk``: the content of each file that is there."""

    def __init__(self) -> None:
        super().__init__()
        self.top = Path(tempfile.mkdtemp())
        self.away = self.top / "away"
        for root in ROOTS:
            (self.top / root).mkdir()
        self.world = World(self.top, ArchiveFolder(self.top / "archive"))
        self.archive = Archive(self.world.archive.root)
        self.model = Model()
        self.ids: dict[str, int] = {}
        self.changes = 0
        self.turns = 0  # commands that may have changed the archive
        self.asked_at = 0  # the turn after which it was asked last
        self.patched = ExitStack()
        # so that one photo at a time is in flight
        self.patched.enter_context(mock.patch.object(flight, "weight_of", lambda *_: PHOTO_BYTES))

    def teardown(self) -> None:
        self.patched.close()
        self.archive.close()
        shutil.rmtree(self.top)

    # What happens to files

    def path(self, file: str) -> Path:
        return self.top / file

    def some(self, pick: int) -> str | None:
        there = [file for file in FILES if self.is_there(file)]
        return there[pick % len(there)] if there else None

    @initialize(chosen=st.dictionaries(files, contents, min_size=2, max_size=6))
    def begin(self, chosen: dict[str, str]) -> None:
        for file, content in chosen.items():
            self.write(file, content)
        self.run([self.top / root for root in ROOTS], self.ingest)

    def is_there(self, file: str) -> bool:
        return self.path(file).is_file()

    def content(self, file: str) -> str:
        return self.path(file).read_bytes().removeprefix(b"PHOTO").decode()

    def stamp(self, path: Path) -> None:
        self.changes += 1
        os.utime(path, ns=(START_NS, START_NS + self.changes * STEP_NS))

    def write(self, file: str, content: str) -> None:
        path = self.path(file)
        with suppress(FileExistsError):
            path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # another file, should it have more names
        path.write_bytes(b"PHOTO" + content.encode())
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

    # What is done with the archive

    @rule(pick=picks)
    def ingest_file(self, pick: int) -> None:
        if file := self.some(pick):
            self.run([self.path(file)], self.ingest)

    @rule(file=files)
    def ingest_what_may_not_be_there(self, file: str) -> None:
        self.run([self.path(file)], self.ingest)

    @rule()
    def sync_plainly(self) -> None:
        self.sync(None, False, False)

    @rule(root=roots, folder=st.sampled_from(["", "in"]))
    def ingest_folder(self, root: str, folder: str) -> None:
        self.run([self.top / root / folder], self.ingest)

    @rule(kill=st.none() | st.integers(1, 12), even_empty=st.booleans(), but=st.booleans())
    def sync_somehow(self, kill: int | None, even_empty: bool, but: bool) -> None:
        self.sync(kill, even_empty, but)

    def sync(self, kill: int | None, even_empty: bool, but: bool) -> None:
        """``but``: but for PNG files; ``kill``: at that write, and once more."""
        if not self.world.archive.exists:
            return
        wanted = Wanted(exclude=("*.png",)) if but else ALL
        chosen = [self.top / root for root in ROOTS]
        if kill is not None:
            with suppress(Killed), killed_at(kill):
                self.synchronise(chosen, wanted, even_empty)
        self.run(chosen, self.synchronise, wanted, even_empty, again=kill is not None)

    def ingest(self, chosen: list[Path], _wanted: Wanted, _even_empty: bool) -> IngestReport:
        return self.world.ingest(*chosen, rules=INGEST, memory=PROGRAM_BYTES + PHOTO_BYTES)

    def synchronise(self, chosen: list[Path], wanted: Wanted, even_empty: bool) -> IngestReport:
        return sync(
            self.world.archive,
            chosen,
            settings=Settings(),
            wanted=wanted,
            rules=replace(INGEST, even_empty=even_empty),
            memory=PROGRAM_BYTES + PHOTO_BYTES,
            prepare=self.world.prepare,
        )

    @rule(root=roots, to=roots)
    def relink(self, root: str, to: str) -> None:
        """Of a folder that was moved, and of one that was not."""
        before, after = f"{root}/in", f"{to}/in"
        if root == to or not self.world.archive.exists:
            return
        moved = {
            content: sorted(f for f in known.live if f.startswith(f"{before}/"))
            for content, known in self.model.items()
        }
        rows = [(c, f, f.replace(before, after, 1)) for c, fs in moved.items() for f in fs]
        linked = [(c, f, new) for c, f, new in rows if self.is_there(new) and self.content(new) == c]
        if len(linked) == len(rows) and rows and not self.shown_missing_in(before):
            self.turns += 1
            done = relink(self.world.archive, self.top / before, self.top / after)
            assert len(done.linked) == len(rows) and not done.absent and not done.different
            for content, _, new in sorted(linked, key=lambda each: each[1]):
                self.model.saw(new, content)
            for content, file, _ in linked:
                if file in self.model[content].live:
                    self.model[content].end(file, None)

    def shown_missing_in(self, folder: str) -> bool:
        return any(
            not known.live and any(file.startswith(f"{folder}/") for file in known.ends)
            for known in self.model.values()
        )

    @rule(content=contents, name=st.sampled_from(["x", "y"]), take=st.booleans())
    def tag(self, content: str, name: str, take: bool) -> None:
        if content not in self.ids:
            return
        self.turns += 1
        if take and not any(name in each.tags for each in self.model.values()):
            with pytest.raises(UsageError, match="no photo has the tag"):
                self.archive.untag([name], [self.ids[content]])
            return
        change = self.archive.untag if take else self.archive.tag
        change([name], [self.ids[content]])
        known = self.model[content]
        known.tags = known.tags - {name} if take else known.tags | {name}

    def run(
        self,
        chosen: list[Path],
        command: Callable[[list[Path], Wanted, bool], IngestReport],
        wanted: Wanted = ALL,
        even_empty: bool = False,
        again: bool = False,
    ) -> None:
        listed = [
            str(f.path.relative_to(self.top)) for f in walk(chosen, self.world.archive.root, wanted).files
        ]
        if not listed and not self.world.archive.exists:
            return
        before = {content: set(known.live) for content, known in self.model.items()}
        report = command(chosen, wanted, even_empty)
        self.turns += 1
        unseen = self.expect(chosen, listed, even_empty)
        assert report.found == report.added + report.updated + report.present + len(report.failed) - sum(
            not path.exists() for path in chosen
        )
        self.learn_ids()
        if not again:
            self.check_report(report, before, unseen)

    def expect(
        self, chosen: list[Path], listed: list[str], even_empty: bool
    ) -> dict[tuple[str, str], set[str]]:
        """What a run must make of the model; returns the contents that nothing can be told of."""
        pending: list[str] = []  # files of one content that is new

        def settle() -> None:
            for file in pending:
                self.model.saw(file, content_of[pending[0]])
            pending.clear()

        live_before = {content: set(known.live) for content, known in self.model.items()}
        content_of = {file: self.content(file) for file in listed}
        for file in listed:
            content = content_of[file]
            if pending and content_of[pending[0]] == content:
                pending.append(file)
            elif content in self.model:
                self.model.saw(file, content)
            else:
                settle()
                pending.append(file)
        settle()
        unlisted = [
            (content, file)
            for content, known in self.model.items()
            for file in sorted(known.live - set(listed))
            if any(self.path(file).is_relative_to(each) for each in chosen)
        ]
        unseen: dict[tuple[str, str], set[str]] = {}
        for content, file in self.doubtful(unlisted):
            why = self.why_doubtful(file, chosen)
            elsewhere = any(
                self.is_there(f) for f in self.model[content].live if (content, f) not in unlisted
            )
            if why is None or even_empty or elsewhere:
                self.model[content].end(file, None)
            else:
                unseen.setdefault(why, set()).add(content)
        for content, known in self.model.items():
            if known.live - live_before.get(content, known.live):
                apart = {file for each, file in unlisted if each == content}
                for file in sorted(known.live - set(listed) - apart):
                    if not self.is_there(file):
                        known.end(file, None)
        self.model.give_tags()
        return unseen

    def doubtful(self, unlisted: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Those that are not there; decided upon before any of them is ended."""
        return iter([(content, file) for content, file in unlisted if not self.is_there(file)])

    def why_doubtful(self, file: str, chosen: list[Path]) -> tuple[str, str] | None:
        path = self.path(file)
        for root in chosen:
            if root != path and path.is_relative_to(root) and not root.exists():
                return str(root), "not there"
        there = next(folder for folder in path.parents if folder.exists())
        return None if any(there.iterdir()) else (str(there), "empty")

    def learn_ids(self) -> None:
        with self.world.archive.open_catalog() as catalog:
            for content in set(self.model) - set(self.ids):
                known = catalog.known(_hash(content))
                assert known is not None
                self.ids[content] = known[0]

    def check_report(
        self, report: IngestReport, before: dict[str, set[str]], unseen: dict[tuple[str, str], set[str]]
    ) -> None:
        by_id = {photo_id: content for content, photo_id in self.ids.items()}
        after = {content: known.live for content, known in self.model.items()}
        lay = {content for content, live in before.items() if live}
        ended = {content for content in lay if not after[content]}
        assert {by_id[each.id] for each in report.missing} == {
            content for content in ended if self.model[content].state == "missing"
        }
        versions = {(by_id[each.earlier], by_id[each.id]) for each in report.versions}
        assert versions == {
            (content, by) for content in ended for by in self.model[content].ends.values() if by is not None
        }
        assert {by_id[each.id] for each in report.back} == {
            content for content in set(before) - lay if after[content]
        }
        moved = sum(min(len(after[c] - before[c]), len(before[c] - after[c])) for c in lay)
        assert len(report.moved) == moved
        appeared = sum(len(after[c] - before.get(c, set())) for c in after)
        new = sum(c not in before for c in after)
        assert len(report.copies) == appeared - moved - len(report.back) - new
        assert {(u.folder, u.reason): u.photos for u in report.unseen} == {
            (native_name(folder), reason): len(photos) for (folder, reason), photos in unseen.items()
        }

    # What must hold

    @invariant()
    def answers(self) -> None:
        """After all that changed the archive; what changes files alone does not."""
        if not self.world.archive.exists:
            assert not self.model
            return
        if self.asked_at == self.turns:
            return
        self.asked_at = self.turns
        self.rows_and_files()
        ask = self.asked
        states = {content: known.state for content, known in self.model.items()}
        for state in ("here", "missing", "replaced"):
            assert ask(f"is:{state}") == {content for content, each in states.items() if each == state}
        shown = {content for content, each in states.items() if each != "replaced"}
        assert ask("everything") == shown
        for name in ("x", "y"):
            tagged = {c for c, known in self.model.items() if name in known.tags}
            if tagged:
                assert ask(f"is:any and tag:{name}") == tagged
            else:
                with pytest.raises(QueryError, match="no photo has the tag"):
                    ask(f"is:any and tag:{name}")
        for file in {file for known in self.model.values() for file in known.live}:
            found = ask(f'path:"{self.path(file)}"')
            folded = folded_name(file)
            lying = {c for c in shown if any(folded_name(f) == folded for f in self.model[c].live)}
            assert lying <= found
            assert all(states[content] == "missing" for content in found - lying)

    def asked(self, query: str) -> set[str]:
        by_id = {photo_id: content for content, photo_id in self.ids.items()}
        found = self.archive.query(query, limit=None).hits
        for hit in found:
            live = {str(self.path(f)) for f in self.model[by_id[hit.id]].live}
            assert not live or native_name(str(hit.path)) in live
        return {by_id[hit.id] for hit in found}

    def rows_and_files(self) -> None:
        if self.world.archive.exists:
            with self.world.archive.open_catalog() as catalog:
                for content, photo_id in self.ids.items():
                    photo = catalog.photo(photo_id)
                    assert photo is not None
                    live = {native_name(row.path) for row in photo.paths if row.ended_at is None}
                    assert live == {str(self.path(file)) for file in self.model[content].live}
                    assert set(notes.tags_of(catalog, photo_id)) == self.model[content].tags
            assert sorted(self.world.archive.store.hashes()) == sorted(map(_hash, self.model))
            assert check(self.world.archive) == []


def _hash(content: str) -> str:
    return hashlib.sha256(b"PHOTO" + content.encode()).hexdigest()


@contextmanager
def killed_at(number: int) -> Iterator[None]:
    """Ends a run at the so manieth time that it is about to write anything."""
    left = number

    def before(real: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                raise Killed
            return real(*given, **more)

        return counted

    with (
        mock.patch.object(Store, "write", before(Store.write)),
        mock.patch.object(Catalog, "changing", before(Catalog.changing)),
        mock.patch.object(Catalog, "noting", before(Catalog.noting)),
    ):
        yield


TestLife = Life.TestCase
if settings.get_current_profile_name() != "long":
    TestLife.settings = settings(max_examples=15, stateful_step_count=25)
