"""One ingest, one sync, a merge, somebody who tags and removes, a server and readers at once: is every answer
that of one committed state of the catalog?

    python -m tests.reliability.together --seconds 60 --out docs/results/together.json
    python -m tests.reliability.together --catalog file --catalog postgresql    # one after the other

Each is a process. Whoever writes changes two photos at once, in one transaction, or adds one. So photos that
are tagged, or removed, together are so in every answer or in none of it; and where the state is the same
before and after a question, what the database says in that state is compared with the answer, photo by photo.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

READERS = 10
ADDED = 12
"""Photos that are added one after another, by the ingest and by the sync each."""
REST_SECONDS = 0.5
"""Between changes of a catalog that is asked over a socket: questions take longer there, and are compared
only where nothing changes meanwhile."""
IN_SQL = {
    "everything": "state NOT IN ('removed', 'replaced', 'lost')",
    "is:removed": "state = 'removed'",
    "is:any": "1 = 1",
    "path:*/added/*": "path LIKE '%/added/%' AND state NOT IN ('removed', 'replaced', 'lost')",
    "width > 60": "width > 60 AND state NOT IN ('removed', 'replaced', 'lost')",
    "keep:layers and not path:*/synced/*": (
        "keep = 'layers' AND path NOT LIKE '%/synced/%' AND state NOT IN ('removed', 'replaced', 'lost')"
    ),
    "tag:pair": "id IN (SELECT photo_id FROM tag WHERE name = 'pair') "
    "AND state NOT IN ('removed', 'replaced', 'lost')",
}
"""What queries ask for, in the catalog's columns."""


def encode_once(scratch: Path) -> Path:
    """The folder of the photos that are added; each is encoded, so that all processes that are forked have
    it."""
    from tests.reliability import world

    world.keep_what_is_alike()
    other = world.World(scratch / "warm")
    for number in range(6, 6 + 2 * ADDED):
        world.picture(number, other.photos / f"{number:03}.jpg")
    other.ingest()
    return other.photos


class Together:
    """Processes that share an archive under a scratch folder, with its catalog at a URL or in its folder."""

    def __init__(self, scratch: Path, kept: Path, catalog: str | None = None) -> None:
        from tests.reliability import world

        self.scratch, self.kept, self.catalog = scratch, kept, catalog
        self.world = world.World(scratch / "world")
        if catalog is not None:
            with self.opened() as archive:
                archive.init(catalog=catalog)
        self.world.begin()
        (self.world.root / "added").mkdir()
        (self.world.root / "synced").mkdir()
        world.picture(90, self.world.root / "synced" / "first.jpg")
        with self.opened() as archive:
            archive.ingest([self.world.root / "synced"], quality=60, effort=1, workers=1)
            self.pair = sorted(self.world.id_of(name) for name in ("a.jpg", "b.jpg"))
            archive.tag("pair", self.pair)
        gc.collect()
        gc.freeze()

    def opened(self, **more: Any) -> Any:
        from dsslic_search.api import Archive

        return Archive(self.world.archive, wait=600, **more)

    # Who writes

    def ingest(self, turn: int) -> None:
        number = 6 + turn
        if turn < ADDED:
            shutil.copy2(self.kept / f"{number:03}.jpg", self.world.root / "added" / f"{number:03}.jpg")
        with self.opened() as archive:
            archive.ingest([self.world.root / "added"], quality=60, effort=1, workers=1)

    def sync(self, turn: int) -> None:
        folder, number = self.world.root / "synced", 6 + ADDED + turn
        if turn < ADDED:
            shutil.copy2(self.kept / f"{number:03}.jpg", folder / f"{number:03}.jpg")
            if turn % 3 == 2:
                (folder / f"{number - 1:03}.jpg").rename(folder / f"moved {number - 1:03}.jpg")
            if turn % 4 == 3:
                (folder / f"{number - 3:03}.jpg").unlink(missing_ok=True)
        with self.opened() as archive:
            archive.sync([folder], workers=1)

    def merge(self, _turn: int) -> None:
        with self.opened() as archive:
            archive._settle()

    def keep(self, turn: int) -> None:
        with self.opened() as archive:
            match turn % 4:
                case 0:
                    archive.remove(self.pair)
                case 1:
                    archive.restore(self.pair)
                case 2:
                    archive.untag("pair", self.pair)
                case _:
                    archive.tag("pair", self.pair)
        if self.catalog is not None:
            time.sleep(REST_SECONDS)

    # Who reads

    def reader(self, number: int) -> Callable[[int], list[str]]:
        """A reader that keeps the archive open, or, each second one, opens it for each question."""
        kept = self.opened() if number % 2 else None

        def read(turn: int) -> list[str]:
            query = list(IN_SQL)[(turn + number) % len(IN_SQL)]
            if kept is not None:
                return self.judged(query, lambda: self.found(kept, query))
            with self.opened() as archive:
                return self.judged(query, lambda: self.found(archive, query))

        return read

    @staticmethod
    def found(archive: Any, query: str) -> list[int]:
        from dsslic_search.core.errors import QueryError

        try:
            return [hit.id for hit in archive.query(query, limit=None).hits]
        except QueryError as e:  # no photo has the tag now
            assert "no photo has the tag" in str(e)
            return []

    def asked_of_server(self, address: str, number: int) -> Callable[[int], list[str]]:
        def read(turn: int) -> list[str]:
            query = list(IN_SQL)[(turn + number) % len(IN_SQL)]

            def ask() -> list[int]:
                try:
                    with urlopen(f"{address}/api/query?limit=1000&q={quote(query)}") as answer:
                        return [photo["id"] for photo in json.load(answer)["objects"]]
                except HTTPError as e:
                    assert b"no photo has the tag" in e.read()
                    return []

            return self.judged(query, ask)

        return read

    def judged(self, query: str, ask: Callable[[], list[int]]) -> list[str]:
        """What is wrong with an answer; "compared" where it was compared photo by photo."""
        before, _, changes = self.in_sql(query)
        found = ask()
        after, wanted, later = self.in_sql(query)
        wrong = []
        if len(set(found)) != len(found):
            wrong.append(f"{query}: a photo twice")
        if len(set(self.pair) & set(found)) == 1:
            wrong.append(f"{query}: one of two that are changed together")
        if (before, changes) == (after, later):
            if sorted(found) != wanted:
                wrong.append(f"{query}: {sorted(found)} instead of {wanted} at {after}")
            return wrong or ["compared"]
        return wrong

    def in_sql(self, query: str) -> tuple[str, list[int], list[Any]]:
        """The state of the catalog, what the database says that a query asks for, and who is tagged, all of
        one moment. What was undone and done again in between is another state: the journal's place tells it
        apart in SQLite, in PostgreSQL the transaction that wrote each row."""
        written = "" if self.catalog is None else ", xmin::text"
        with self.one_moment() as execute:
            state = str(execute("SELECT name, value FROM setting ORDER BY name").fetchall())
            ids = [row[0] for row in execute(f"SELECT id FROM photo WHERE {IN_SQL[query]}").fetchall()]
            tags = execute(f"SELECT photo_id, name{written} FROM tag ORDER BY 1, 2").fetchall()
            photos = execute(f"SELECT id{written} FROM photo ORDER BY 1").fetchall()
        return state, sorted(ids), [tags, photos]

    @contextmanager
    def one_moment(self) -> Iterator[Callable[[str], Any]]:
        """A transaction that sees one state, by the databases' own modules."""
        if self.catalog is None:
            path = self.world.archive / "catalog.sqlite"
            with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
                connection.execute("BEGIN")
                yield connection.execute
            return
        import psycopg

        with psycopg.connect(re.sub(r"\+\w+", "", self.catalog, count=1)) as session:
            session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield lambda statement: session.execute(statement.replace("%", "%%"), ())

    def run(self, seconds: float, readers: int, server: str | None = None) -> dict[str, Any]:
        """Let all of them work for so long; how often each did, and what was wrong."""
        until = time.monotonic() + seconds
        writers: dict[str, Callable[[int], Any]] = {
            "ingest": self.ingest,
            "sync": self.sync,
            "merge": self.merge,
            "keep": self.keep,
        }
        children = {self.forked(name, work, until): name for name, work in writers.items()}
        for number in range(readers):
            children[self.forked(f"reader {number}", self.reader(number), until)] = f"reader {number}"
        if server is not None:
            for number in range(2):
                work = self.asked_of_server(server, number)
                children[self.forked(f"page {number}", work, until)] = f"page {number}"
        turns: Counter[str] = Counter()
        compared, wrong = 0, []
        for child, name in children.items():
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            told = self.scratch / f"{name}.json"
            if code or not told.exists():
                wrong.append(f"{name} ended with {code}")
                continue
            said = json.loads(told.read_text())
            turns[name.partition(" ")[0]] += said["turns"]
            compared += said["compared"]
            wrong += [f"{name}: {each}" for each in said["wrong"]]
        with self.opened() as archive:
            wrong += [f"check finds: {f.kind} {f.where} {f.detail}" for f in archive.check(read_data=True)]
            photos = len(archive)
        return {
            "seconds": seconds,
            "photos": photos,
            "turns": dict(turns),
            "compared": compared,
            "wrong": wrong,
        }

    def forked(self, name: str, work: Callable[[int], Any], until: float) -> int:
        """A process that does its work again and again; what came of it stands in a file."""
        child = os.fork()
        if child:
            return child
        signal.alarm(int(until - time.monotonic()) + 300)
        turn, compared, wrong = 0, 0, []
        while time.monotonic() < until or turn == 0:
            try:
                found = work(turn) or []
            except BaseException:
                found = [traceback.format_exc()[-1500:]]
            turn += 1
            compared += found.count("compared")
            wrong += [each for each in found if each != "compared"]
        result = {"turns": turn, "compared": compared, "wrong": wrong[:20]}
        (self.scratch / f"{name}.json").write_text(json.dumps(result))
        os._exit(0)


def tried(scratch: Path, catalog: str, given: argparse.Namespace) -> dict[str, Any]:
    """What came of all at once, with the catalog in the archive's "file", in a "postgresql" that is begun for
    it, or at a URL."""
    from tests.web.served import serving

    scratch.mkdir()
    if catalog == "postgresql":
        from tests.archive import postgres

        with postgres.running() as socket:
            return tried(scratch / "in", postgres.new_database(socket), given)
    together = Together(scratch, given.kept, None if catalog == "file" else catalog)
    if given.no_server:
        return together.run(given.seconds, given.readers)
    with serving(together.world.archive) as address:
        return together.run(given.seconds, given.readers, address)


def main() -> None:
    """Run the command."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--seconds", type=float, default=60)
    reader.add_argument("--readers", type=int, default=READERS)
    reader.add_argument("--no-server", action="store_true")
    reader.add_argument("--catalog", action="append", help="file, postgresql, or a URL; several in turn")
    reader.add_argument("--out", type=Path)
    given = reader.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as name:
        given.kept = encode_once(Path(name))
        for number, catalog in enumerate(given.catalog or ["file"]):
            kind = catalog.partition(":")[0]
            results[kind] = tried(Path(name) / str(number), catalog, given)
    if given.out:
        given.out.write_text(json.dumps(results, indent=1) + "\n")
    sys.stdout.write(json.dumps(results, indent=1) + "\n")
    sys.exit(any(result["wrong"] for result in results.values()))


if __name__ == "__main__":
    main()
