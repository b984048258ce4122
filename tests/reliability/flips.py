"""A bit flipped, or the end cut off, in each file of an archive: is it detected, or harmless?

    python -m tests.reliability.flips --flips 2000 --cuts 200 --out docs/results/flips.json

An archive of the tests' encoder with tags, ratings, a saved query, a bin and indexes is damaged at one place,
looked at, and made whole again. Detected: `check --read-data` finds something, or it cannot be opened, in a
sentence. Harmless: it finds nothing, and every row of the catalog and every answer is what it was. All else
is silent, and wrong; and answers must be what they were, or be refused in a sentence, whatever was damaged
but the catalog itself.
"""

from __future__ import annotations

import argparse
import json
import random
import shlex
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from dsslic_search.archive import bin, notes, rating
from dsslic_search.archive.check import check
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.core.errors import DSSError
from dsslic_search.index import segments
from dsslic_search.web.pictures import Cache
from tests.archive.conftest import World
from tests.archive.test_rebuild import NOW, answers, facts
from tests.reliability.lives import read_base
from tests.reliability.world import share_statements

SORTS = (
    "objects",
    "catalog",
    "journal",
    "second journal",
    "segments",
    "manifest",
    "archive.json",
    "previews",
)
PREVIEW = "ab.png"
SOUND = "detected", "harmless"
"""What may come of damage."""


class Place:
    """The archive, and how it is when it is whole."""

    def __init__(self, folder: Path) -> None:
        (folder / "photos").mkdir()
        world = World(folder / "photos", ArchiveFolder(folder / "archive"))
        self.archive = world.archive
        for name in ("a.jpg", "b.jpg", "in/c.jpg"):
            world.photo(name)
        world.ingest()
        with self.archive.open_catalog() as catalog:
            notes.add_tags(catalog, ["best"], np.array([1, 3]))
            rating.rate(catalog, 4, np.array([2]))
            notes.save_query(catalog, "mine", "tag:best")
            bin.remove(catalog, np.array([3]), NOW)
        answers(self.archive)
        self.cache = Cache(folder / "previews", 1 << 20)
        self.cache.put(PREVIEW, b"a picture of some bytes" * 9)
        with closing(sqlite3.connect(self.archive.root / "catalog.sqlite")) as plain:
            plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._whole = folder / "whole"
        shutil.copytree(self.archive.root, self._whole)
        self.facts, self.answers = facts(self.archive), answers(self.archive)
        self.put()

    def put(self) -> None:
        """Make it whole."""
        shutil.rmtree(self.archive.root)
        shutil.copytree(self._whole, self.archive.root)

    def files(self) -> Iterator[tuple[str, Path]]:
        """What is damaged, by its sort."""
        root = self.archive.root
        for path in sorted(path for path in root.rglob("*") if path.is_file() and path.stat().st_size):
            name = path.relative_to(root).as_posix()
            if name.endswith(".dsslic"):
                yield "objects", path
            elif name.startswith("index/"):
                yield "manifest" if path.name == segments.MANIFEST else "segments", path
            elif name in ("catalog.sqlite", "journal.jsonl", "objects/journal.jsonl", "archive.json"):
                sorts = {"catalog.sqlite": "catalog", "journal.jsonl": "journal"}
                yield sorts.get(name, "second journal" if "/" in name else name), path
        yield "previews", next(self.cache.folder.rglob(PREVIEW))

    def damaged(self, sort: str, path: Path, data: bytes) -> str:
        """One of `SOUND`, or what is wrong, where a file has other bytes."""
        before = path.read_bytes()
        path.write_bytes(data)
        try:
            if sort == "previews":
                return self._preview(before)
            return self._archive(sort)
        except Exception as e:
            return f"{type(e).__name__}: {e}"
        finally:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(before)
            if sort != "previews":
                self.put()

    def _preview(self, before: bytes) -> str:
        kept = self.cache.get(PREVIEW)
        if kept is None:
            return "detected"
        return "harmless" if before.startswith(kept) else "silent: another picture"

    def _archive(self, sort: str) -> str:
        try:
            found = bool(check(self.archive, read_data=True))
            said = answers(self.archive)
            same = self._rows_are_as_before(found) and said == self.answers
        except DSSError as e:
            return "detected" if str(e) else "no sentence"
        if sort != "catalog" and not same:
            return "silent: other answers"
        if found:
            return "detected"
        return "harmless" if same else self._what_differs()

    def _rows_are_as_before(self, found: bool) -> bool:
        """``found``: whether something is known to be damaged, so that rows may be past reading."""
        try:
            return facts(self.archive) == self.facts
        except (sqlite3.Error, UnicodeDecodeError):
            if found:
                return False
            raise

    def _what_differs(self) -> str:
        """Of rows and answers that nothing says are other ones."""
        rows, said = facts(self.archive), answers(self.archive)
        different = [f"rows of {table}" for table in self.facts if rows[table] != self.facts[table]]
        different += ["answers"] if said != self.answers else []
        return f"silent: other {', '.join(different)}"


def flips(
    data: bytes, most: int | None, chance: random.Random, nonzero: bool = False
) -> Iterator[tuple[str, bytes]]:
    """The bytes with one bit flipped: all of them, or ``most``; ``nonzero``: of bytes that are not 0."""
    bits: Sequence[int] = range(len(data) * 8)
    if nonzero:
        bits = [8 * place + bit for place, value in enumerate(data) if value for bit in range(8)]
    for bit in bits if most is None or most >= len(bits) else chance.sample(bits, most):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit}", bytes(changed)


def cuts(data: bytes, most: int | None, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """The bytes without their end: of all lengths, or ``most``."""
    lengths = range(len(data))
    for length in lengths if most is None or most >= len(lengths) else chance.sample(lengths, most):
        yield f"cut to {length}", data[:length]


@contextmanager
def place() -> Iterator[Place]:
    """One in a temporary folder; indexes are files of their own from the first photo on."""
    with (
        tempfile.TemporaryDirectory() as name,
        mock.patch("dsslic_search.codec.decoder.read_base", read_base),
        mock.patch.object(segments, "WRITTEN_FROM", 1),
    ):
        yield Place(Path(name))


def tried(
    sorts: tuple[str, ...] = SORTS,
    most_flips: int | None = None,
    most_cuts: int | None = None,
    seed: int = 1,
    nonzero: bool = False,
    told_so_far: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """What comes of damage, by sort of file. ``most_flips``, ``most_cuts``: of each file; ``nonzero``: flips
    of bytes that are not 0 alone; ``told_so_far`` has it after each of them."""
    chance = random.Random(seed)
    results: dict[str, Any] = {}
    with place() as there:
        for sort, path in there.files():
            if sort not in sorts:
                continue
            told = results.setdefault(
                sort,
                {"files": 0, "bytes": 0, "flips": 0, "cuts": 0} | dict.fromkeys(SOUND, 0) | {"wrong": []},
            )
            data = path.read_bytes()
            told["files"] += 1
            told["bytes"] += len(data)
            for kind, cases in (
                ("flips", flips(data, most_flips, chance, nonzero)),
                ("cuts", cuts(data, most_cuts, chance)),
            ):
                for what, changed in cases:
                    told[kind] += 1
                    outcome = there.damaged(sort, path, changed)
                    if outcome in SOUND:
                        told[outcome] += 1
                    else:
                        told["wrong"].append(f"{path.name}, {what}: {outcome}"[:300])
            told_so_far(results)
    return results


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    reader.add_argument("sorts", nargs="*", help=", ".join(SORTS))
    reader.add_argument("--flips", type=int, help="so many of each file; else all")
    reader.add_argument("--cuts", type=int, help="so many of each file; else all")
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--nonzero", action="store_true", help="flip bytes alone that are not 0")
    reader.add_argument("--out", type=Path)
    asked = reader.parse_args()
    share_statements()

    def keep(results: dict[str, Any]) -> None:
        told = {"command": "python -m tests.reliability.flips " + shlex.join(sys.argv[1:]), "sorts": results}
        if asked.out:
            asked.out.write_text(json.dumps(told, indent=1) + "\n")

    results = tried(tuple(asked.sorts) or SORTS, asked.flips, asked.cuts, asked.seed, asked.nonzero, keep)
    sys.stdout.write(json.dumps(results, indent=1) + "\n")
    return any(each["wrong"] for each in results.values())


if __name__ == "__main__":
    sys.exit(main())
