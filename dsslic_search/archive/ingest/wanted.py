"""Which files of the folders that are walked shall be tried: by globs, and by their endings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate

from dsslic_search.archive.ingest.file_names import PHOTO_EXTENSIONS
from dsslic_search.core.cached import cached_property
from dsslic_search.core.text import folded_name
from dsslic_search.index.patterns import PathTest, path_test

_ANY = ("*", "?")


@dataclass(frozen=True)
class Wanted:
    """``exclude``, ``include``: globs and parts of paths, as "path:" of queries reads them, of the path below
    the folder named; one that begins with a slash, of the whole path. What is excluded is not tried, a folder
    with all that is in it; with ``include`` only what it matches is, whatever its ending. ``endings``: of
    files that are tried otherwise, in small letters, with the dot. ``clips``: whether those that belong to
    photos are tried as other videos are. ``unsettled``: paths, as the system has them, of files that are left
    out since somebody is writing them."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    endings: frozenset[str] = PHOTO_EXTENSIONS
    clips: bool = False
    unsettled: frozenset[str] = frozenset()

    def excludes(self, path: str, below: str) -> bool:
        """Whether a file or folder is left out. ``path``: the whole, as the system has it; ``below``: behind
        the folder named."""
        return path in self.unsettled or _any_matches(self._excluding, path, below)

    def includes(self, path: str, below: str) -> bool:
        """Whether a file is among those that shall be tried, if others shall not."""
        return _any_matches(self._including, path, below)

    def names(self, name: str) -> bool:
        """Whether a glob says the name of a file or folder that else is passed over, as ".thumbs/*.jpg" or
        "@eaDir" do; one that merely fits, as "*.jpg" does, is not enough."""
        folded = folded_name(name)
        return any(part.match(folded) is not None for part in self._parts)

    def asks_for_ending(self, ending: str) -> bool:
        """Whether a glob of what shall be tried ends in this, as "*.mov" does; in small letters."""
        return any(pattern.casefold().endswith(ending) for pattern in self.include)

    @cached_property
    def _excluding(self) -> list[tuple[bool, PathTest]]:
        return [_test(pattern) for pattern in self.exclude]

    @cached_property
    def _including(self) -> list[tuple[bool, PathTest]]:
        return [_test(pattern) for pattern in self.include]

    @cached_property
    def _parts(self) -> list[re.Pattern[str]]:
        parts = {folded_name(part) for pattern in self.include for part in pattern.split("/")}
        return [re.compile(translate(part)) for part in parts if part and not part.startswith(_ANY)]


ALL = Wanted()


def _test(pattern: str) -> tuple[bool, PathTest]:
    return pattern.startswith("/"), path_test(pattern)


def _any_matches(tests: Sequence[tuple[bool, PathTest]], path: str, below: str) -> bool:
    if not tests:
        return False
    whole, part = folded_name(path), folded_name(below)
    return any(test.path(whole if is_whole else part) for is_whole, test in tests)
