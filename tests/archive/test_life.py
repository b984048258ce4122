"""The life of an archive as a state machine: files come, go, move and change, disks are away, photos are
removed, files of the archive are lost and damaged, commands are killed; after each step the archive must
answer what a small model says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from dsslic_search.api import IngestReport
from dsslic_search.archive import bin
from dsslic_search.archive.catalog import utc_now
from dsslic_search.archive.check import check
from dsslic_search.archive.findings import Finding
from dsslic_search.archive.ingest.memory import PHOTO_BYTES, PROGRAM_BYTES
from dsslic_search.archive.ingest.run import INGEST, SYNC
from dsslic_search.archive.ingest.sync import sync
from dsslic_search.archive.ingest.taking import Rules
from dsslic_search.archive.ingest.walk import walk
from dsslic_search.archive.ingest.wanted import ALL, Wanted
from dsslic_search.archive.relink import relink
from dsslic_search.archive.repair import repair
from dsslic_search.core.errors import UsageError
from dsslic_search.core.files import native_name
from dsslic_search.core.settings import Settings
from tests.archive.life import Killed, damage, hash_of, killed_at, put_back
from tests.archive.life_answers import Answers
from tests.archive.life_files import ROOTS, contents, files, picks, roots

IS_LONG = settings().max_examples == settings.get_profile("long").max_examples
LONG_STEPS = 5_000  # that the long run has at least
kills = st.none() | st.integers(1, 12)
T = TypeVar("T")


@dataclass
class Expected:
    """What a run must tell, beside what can be seen in the model. ``unseen``: contents of which nothing can
    be told, by folder and reason; ``anew``: those that are stored anew; ``in_bin``: files whose photo was
    removed."""

    unseen: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    anew: set[str] = field(default_factory=set)
    in_bin: int = 0


class Life(Answers):
    """What people do with an archive."""

    def do(self, command: Callable[[], T], kill: int | None = None) -> T:
        """A command that may change the archive; killed in its midst, and once more."""
        if kill is not None:
            with suppress(Killed), killed_at(kill):
                command()
        self.turns += 1
        return command()

    @initialize(chosen=st.dictionaries(files, contents, min_size=2, max_size=6))
    def begin(self, chosen: dict[str, str]) -> None:
        for file, content in chosen.items():
            self.write(file, content)
        self.run([self.top / root for root in ROOTS])

    # Following files

    @rule(pick=picks)
    def ingest_file(self, pick: int) -> None:
        if file := self.some(pick):
            self.run([self.path(file)])

    @rule(file=files)
    def ingest_what_may_not_be_there(self, file: str) -> None:
        self.run([self.path(file)])

    @rule(root=roots, folder=st.sampled_from(["", "in"]), kill=kills)
    def ingest_folder(self, root: str, folder: str, kill: int | None) -> None:
        self.run([self.top / root / folder], kill=kill)

    @rule()
    def sync_plainly(self) -> None:
        self.sync(None, SYNC, ALL)

    @rule(kill=kills, even_empty=st.booleans(), even_removed=st.booleans(), but=st.booleans())
    def sync_somehow(self, kill: int | None, even_empty: bool, even_removed: bool, but: bool) -> None:
        """``but``: but for PNG files."""
        rules = replace(SYNC, even_empty=even_empty, even_removed=even_removed)
        self.sync(kill, rules, Wanted(exclude=("*.png",)) if but else ALL)

    def sync(self, kill: int | None, rules: Rules, wanted: Wanted) -> None:
        if self.world.archive.exists:
            self.run([self.top / root for root in ROOTS], rules, wanted, kill)

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
                self.model.saw(new, content, self.time(new))
            for content, file, _ in linked:
                if file in self.model[content].live:
                    self.model[content].end(file, None)

    def shown_missing_in(self, folder: str) -> bool:
        return any(
            not known.live and any(file.startswith(f"{folder}/") for file in known.ends)
            for known in self.model.values()
        )

    # Removing, and taking back

    @rule(content=contents, kill=kills)
    def remove(self, content: str, kill: int | None) -> None:
        self.put(content, True, kill)

    @rule(content=contents, kill=kills)
    def restore(self, content: str, kill: int | None) -> None:
        self.put(content, False, kill)

    def put(self, content: str, into_bin: bool, kill: int | None) -> None:
        if content not in self.ids:
            return
        photo_id, known = self.ids[content], self.model[content]
        told = self.do(lambda: (self.archive.remove if into_bin else self.archive.restore)([photo_id]), kill)
        if kill is None:
            assert (told.ids if known.removed != into_bin else told.others) == (photo_id,)
        known.removed = into_bin

    @rule(only_copies=st.booleans(), kill=kills)
    def empty_bin(self, only_copies: bool, kill: int | None) -> None:
        if not self.world.archive.exists:
            return
        inside = self.model.with_state("removed")
        deleted = {c for c in inside if only_copies or self.lies_as_it_was(c)}
        told = self.do(lambda: bin.empty(self.world.archive, now=utc_now(), only_copies=only_copies), kill)
        assert set(told.kept) == {self.ids[c] for c in inside - deleted}
        if kill is None:
            assert set(told.deleted) == {self.ids[c] for c in deleted}
        for content in deleted:
            self.model.purge(content)
            del self.ids[content]

    def lies_as_it_was(self, content: str) -> bool:
        live = self.model[content].live
        return any(self.is_there(file) and self.time(file) == time for file, time in live.items())

    # Losing files of the archive, and mending

    @rule(content=contents, how=st.sampled_from(["damaged", "away"]))
    def lose_object(self, content: str, how: Literal["damaged", "away"]) -> None:
        if content in self.model and self.model[content].stored == "sound":
            self.turns += 1
            self.model[content].stored = how
            if how == "away":
                self.world.archive.store.path_of(hash_of(content)).unlink()
            else:
                damage(self.world.archive.store, content)

    @rule(content=contents)
    def return_object(self, content: str) -> None:
        if content in self.model and self.model[content].stored != "sound":
            self.turns += 1
            self.model[content].stored = "sound"
            put_back(self.world.archive.store, content)

    @rule(kill=kills)
    def repair(self, kill: int | None) -> None:
        if not self.world.archive.exists:
            return

        def mend() -> list[Finding]:
            return repair(self.world.archive, check(self.world.archive))

        mended = self.do(mend, kill)
        if kill is None:
            assert {(each.photo_id, each.kind.value) for each in mended} == self.faults()
        self.model.repair()

    @rule(content=contents, name=st.sampled_from(["x", "y"]), take=st.booleans())
    def tag(self, content: str, name: str, take: bool) -> None:
        if content not in self.ids:
            return
        if take and not any(name in each.tags for each in self.model.values()):
            with pytest.raises(UsageError, match="no photo has the tag"):
                self.archive.untag([name], [self.ids[content]])
            return
        change = self.archive.untag if take else self.archive.tag
        self.do(lambda: change([name], [self.ids[content]]))
        known = self.model[content]
        known.tags = known.tags - {name} if take else known.tags | {name}

    # What a run is, and what must come of it

    def run(
        self, chosen: list[Path], rules: Rules = INGEST, wanted: Wanted = ALL, kill: int | None = None
    ) -> None:
        archive = self.world.archive
        listed = [str(f.path.relative_to(self.top)) for f in walk(chosen, archive.root, wanted).files]
        if not listed and not archive.exists:
            return
        memory = PROGRAM_BYTES + PHOTO_BYTES

        def command() -> IngestReport:
            if rules.anew:
                return self.world.ingest(*chosen, rules=rules, memory=memory)
            return sync(
                archive,
                chosen,
                settings=Settings(),
                wanted=wanted,
                rules=rules,
                memory=memory,
                prepare=self.world.prepare,
            )

        report = self.do(command, kill)
        self.model.take_back()
        before = {content: set(known.live) for content, known in self.model.items()}
        told = {c for c in before if before[c] and self.model[c].state == "here"}
        expected = self.expect(chosen, listed, rules)
        assert report.found == report.added + report.updated + report.present + len(report.failed) - sum(
            not path.exists() for path in chosen
        )
        self.learn_ids()
        if kill is None:
            self.check_report(report, before, told, expected)

    def expect(self, chosen: list[Path], listed: list[str], rules: Rules) -> Expected:
        """Make of the model what a run must."""
        live_before = {content: set(known.live) for content, known in self.model.items()}
        expected = self.expect_listed(listed, rules)
        unlisted = [
            (content, file)
            for content, known in self.model.items()
            for file in sorted(set(known.live) - set(listed))
            if any(self.path(file).is_relative_to(each) for each in chosen)
        ]
        for content, file in self.doubtful(unlisted):
            why = self.why_doubtful(file, chosen)
            elsewhere = any(
                self.is_there(f) for f in self.model[content].live if (content, f) not in unlisted
            )
            if why is None or rules.even_empty or elsewhere:
                self.model[content].end(file, None)
            else:
                expected.unseen.setdefault(why, set()).add(content)
        for content, known in self.model.items():
            if set(known.live) - live_before.get(content, set(known.live)):
                apart = {file for each, file in unlisted if each == content}
                for file in sorted(set(known.live) - set(listed) - apart):
                    if not self.is_there(file):
                        known.end(file, None)
        self.model.give_tags()
        return expected

    def expect_listed(self, listed: list[str], rules: Rules) -> Expected:
        """Of the files that are there, in their order."""
        expected = Expected()
        pending: list[str] = []  # files of one content that is stored
        refused: list[str] = []  # of contents that are not taken again
        content_of = {file: self.content(file) for file in listed}

        def settle() -> None:
            for file in pending:
                self.model.store(content_of[file])
                self.model.saw(file, content_of[file], self.time(file))
            pending.clear()

        for file in listed:
            content = content_of[file]
            known = self.model.get(content)
            if known is not None and rules.even_removed:
                known.removed = False
            if pending and content_of[pending[0]] == content:
                pending.append(file)
            elif known is None and content in self.model.purged and not rules.even_removed:
                refused.append(file)
            elif known is None or (
                not known.removed and known.stored != "sound" and (rules.anew or known.lost)
            ):
                settle()
                pending.append(file)
                if known is not None:
                    expected.anew.add(content)
            else:
                self.model.saw(file, content, self.time(file))
                expected.in_bin += known.removed
        settle()
        for file in refused:
            for known in self.model.values():
                if file in known.live:
                    known.end(file, None)
        expected.in_bin += len(refused)
        return expected

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
                known = catalog.known(hash_of(content))
                assert known is not None
                self.ids[content] = known[0]

    def check_report(
        self, report: IngestReport, before: dict[str, set[str]], told: set[str], expected: Expected
    ) -> None:
        by_id = {photo_id: content for content, photo_id in self.ids.items()}
        after = {content: set(known.live) for content, known in self.model.items()}
        lay = {content for content, live in before.items() if live}
        ended = {content for content in told if not after[content]}
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
            (native_name(folder), reason): len(photos) for (folder, reason), photos in expected.unseen.items()
        }
        assert (report.updated, report.in_bin) == (len(expected.anew), expected.in_bin)


class TestLife(Life.TestCase):  # type: ignore[misc,name-defined] # made by Hypothesis
    def runTest(self) -> None:
        super().runTest()
        sys.stderr.write(f"{Life.steps} steps\n")
        if IS_LONG:
            assert Life.steps >= LONG_STEPS


if not IS_LONG:
    TestLife.settings = settings(max_examples=15, stateful_step_count=25)
