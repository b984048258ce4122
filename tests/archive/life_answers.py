"""What an archive must answer at each step of `tests.archive.test_life`, by the model."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from typing import ClassVar
from unittest import mock

import pytest
from hypothesis.stateful import invariant

from dsslic_search.api import Archive
from dsslic_search.archive import notes
from dsslic_search.archive.check import check
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.ingest.memory import Budget
from dsslic_search.cli.archive import show
from dsslic_search.cli.lines import shown_path
from dsslic_search.core.errors import QueryError
from dsslic_search.core.files import native_name, path_to_text
from dsslic_search.core.text import folded_name
from tests.archive.conftest import World
from tests.archive.life import DELETED, Model, hash_of
from tests.archive.life_files import CONTENTS, NAMES, Files

IN_ANSWERS = ("here", "missing")  # states; of the others photos are found where they are asked for


class Answers(Files):
    """Files, the archive that follows them, and the model of it. ``steps``: of all machines so far."""

    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.top, ArchiveFolder(self.top / "archive"))
        self.archive = Archive(self.world.archive.root)
        self.model = Model()
        self.ids: dict[str, int] = {}
        self.turns = 0  # commands that may have changed the archive
        self.asked_at = 0  # the turn after which it was asked last
        self.patched = ExitStack()
        # so that one photo at a time is in flight
        self.patched.enter_context(mock.patch.object(Budget, "has_room_for", lambda *_: False))

    def teardown(self) -> None:
        self.patched.close()
        self.archive.close()
        super().teardown()

    @invariant()
    def answers(self) -> None:
        """After all that changed the archive; what changes files alone does not."""
        Answers.steps += 1
        if not self.world.archive.exists:
            assert not self.model
        elif self.asked_at != self.turns:
            self.asked_at = self.turns
            self.rows_and_files()
            self.states_and_tags()
            self.paths_and_names()
            one = CONTENTS[self.turns % len(CONTENTS)]
            if one in self.model and self.model[one].stored == "sound":
                self.what_is_shown(one)

    def rows_and_files(self) -> None:
        with self.world.archive.open_catalog() as catalog:
            for content, photo_id in self.ids.items():
                photo, known = catalog.photo(photo_id), self.model[content]
                assert photo is not None
                live = {native_name(row.path) for row in photo.paths if row.ended_at is None}
                assert live == {str(self.path(file)) for file in known.live}
                assert set(notes.tags_of(catalog, photo_id)) == known.tags
        stored = {hash_of(content) for content, known in self.model.items() if known.stored != "away"}
        assert list(self.world.archive.store.hashes()) == sorted(stored)
        found = check(self.world.archive)
        assert {(each.photo_id, each.kind.value) for each in found} == self.faults()
        assert len(found) == len(self.faults())

    def faults(self) -> set[tuple[int, str]]:
        faults = {self.ids[content]: known.fault for content, known in self.model.items()}
        return {(photo_id, fault) for photo_id, fault in faults.items() if fault is not None}

    def states_and_tags(self) -> None:
        for state in ("here", "missing", "replaced", "removed", "lost"):
            assert self.asked(f"is:{state}") == self.model.with_state(state)
        assert self.asked("everything") == self.model.with_state(*IN_ANSWERS)
        for name in ("x", "y"):
            tagged = {content for content, known in self.model.items() if name in known.tags}
            if tagged:
                assert self.asked(f"is:any and tag:{name}") == tagged
            else:
                with pytest.raises(QueryError, match="no photo has the tag"):
                    self.asked(f"is:any and tag:{name}")

    def paths_and_names(self) -> None:
        """Where a photo lies, or, of one that lies nowhere, where it lay."""
        for file in {file for known in self.model.values() for file in known.live}:
            self.lies(
                f'path:"{self.path(file)}"', lambda each, file=file: folded_name(each) == folded_name(file)
            )
        for name in NAMES:
            self.lies(
                f'name:"{name}"',
                lambda each, name=name: folded_name(each.rpartition("/")[2]) == folded_name(name),
            )

    def lies(self, query: str, fits: Callable[[str], bool]) -> None:
        found = self.asked(f"is:any and {query}")
        assert self.asked(query) == found & self.model.with_state(*IN_ANSWERS)
        for content, known in self.model.items():
            if known.live:
                assert (content in found) == any(map(fits, known.live))
            else:
                assert content not in found or any(map(fits, known.ends))

    def asked(self, query: str) -> set[str]:
        by_id = {photo_id: content for content, photo_id in self.ids.items()}
        found = self.archive.query(query, limit=None).hits
        for hit in found:
            live = {str(self.path(f)) for f in self.model[by_id[hit.id]].live}
            assert not live or native_name(str(hit.path)) in live
            assert {native_name(path) for path in hit.paths} == live
        return {by_id[hit.id] for hit in found}

    def what_is_shown(self, content: str) -> None:
        known, photo_id = self.model[content], self.ids[content]
        printed = io.StringIO()
        with redirect_stdout(printed):
            show(photo_id, self.world.archive.root, False)
        head, *lines = printed.getvalue().splitlines()
        live, ended = ({self.printed(file) for file in some} for some in (known.live, known.ends))
        shown = head.removeprefix(f"#{photo_id} ")
        assert shown in (live or ended)
        told = dict.fromkeys(lines)
        assert {line.removeprefix("state: ") for line in told if line.startswith("state: ")} == (
            {known.state} - {"here"}
        )
        assert {line.removeprefix("also at: ") for line in told if line.startswith("also at: ")} == (
            live - {shown}
        )
        earlier = [line.removeprefix("earlier: ") for line in lines if line.startswith("earlier: ")]
        assert {line.rpartition(" (until ")[0] for line in earlier} == ended
        by = {line.rpartition(", replaced by ")[2] for line in earlier if ", replaced by " in line}
        assert by == {f"#{self.ids[by]})" for by in known.ends.values() if by not in (None, DELETED)}
        tags = {line.removeprefix("tags: ") for line in lines if line.startswith("tags: ")}
        assert tags == ({", ".join(sorted(known.tags))} if known.tags else set())

    def printed(self, file: str) -> str:
        return shown_path(path_to_text(self.path(file)))
