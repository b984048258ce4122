"""The first questions of a machine that is new to an archive whose catalog is in PostgreSQL: with indexes
that another machine published (`archive.published`), and with its own, made of the catalog.

The photos are those of `bench.synthetic`. The machines are folders, and what they share besides the catalog
is another one, so no network takes part. Each question is asked in a process of its own, first of the machine
that published, so that all modules are loaded and all loops compiled, and then of one that is new. What goes
between the processes and the database is counted on its way.
"""

from __future__ import annotations

import os
import select
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from dsslic_search.archive.database import reach, url_of
from dsslic_search.archive.manifest import Manifest
from dsslic_search.bench import record
from dsslic_search.bench.processes import THIS, builds_beside, told_by
from dsslic_search.bench.scale import fill
from dsslic_search.bench.speed import described
from dsslic_search.bench.synthetic import Synthetic
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import DSSError, UsageError

PUBLISHED, MADE = "published", "made of the catalog"
EVERYTHING = "all indexes"
ROUNDS = 3
PORT = 5432
_PIECE = 1 << 16

_CHILD = """
import json, sys, time
from pathlib import Path
from dsslic_search.api.archive import Archive
from dsslic_search.archive.published import publishing
from dsslic_search.query.run.evaluate import Indexes
def asked(archive, question):
    if question != "all indexes":
        return archive.query(question, limit=50).total
    parts = archive._indexes.ask(lambda current: [each.columns.segment for each in current])
    return sum(len(Indexes.all_of(part).columns) for part in parts)
def published(archive):
    with publishing(archive.folder.published(archive.catalog.settings), archive.catalog):
        archive._indexes.settle()
*roots, question = sys.argv[1:]
found = []
for root in roots:
    with Archive(Path(root)) as archive:
        began = time.process_time()
        found.append(published(archive) if question == "publish" else asked(archive, question))
        seconds = time.process_time() - began
print(json.dumps({"found": found, "processor_seconds": round(seconds, 3)}))
"""


def run(maps: Sequence[Path], photos: int, database: str) -> dict[str, Any]:
    """Medians of `ROUNDS` processes. ``maps``: folders of label maps, PNG files of class ids. ``database``:
    the URL of an empty one in PostgreSQL, where the photos stay. UsageError where it is another one, or where
    there are no maps; DSSError when a process fails."""
    made = Synthetic(described(maps), photos, noise=0)
    if url_of(database).get_backend_name() != "postgresql" or reach(database):
        raise UsageError("the photos are put into an empty database of PostgreSQL; name the URL of one")
    results: dict[str, Any] = {"photos": photos, "maps": len(made.features), "first": {}}
    with tempfile.TemporaryDirectory() as name, _counted(database) as way:
        place = Path(name)
        shared = place / "shared"
        shared.mkdir()
        first = _machine(place / "first", way, shared)
        fill(first, made)
        told = _child([first], "publish")
        results["publishing"] = {
            "processor_seconds": told["processor_seconds"],
            "bytes_a_photo": round(_bytes(shared / "index") / photos, 1),
        }
        for question in _commonest(made), EVERYTHING:
            taken: dict[str, list[dict[str, float]]] = {PUBLISHED: [], MADE: []}
            for number in range(ROUNDS):
                for how, objects in ((PUBLISHED, shared), (MADE, None)):
                    new = _machine(place / f"{how} {number} {question}", way, objects)
                    taken[how].append(_first(first, new, question, photos, way, objects is not None))
            results["first"][question] = {
                how: {key: sorted(each[key] for each in rounds)[ROUNDS // 2] for key in rounds[0]}
                for how, rounds in taken.items()
            }
    return results


def _commonest(made: Synthetic) -> str:
    """The class that most photos show."""
    classes = vocabulary.default()
    shown = np.bincount([c for each in made.features for c, _ in each.coverages], minlength=len(classes))
    shown[classes.id_of("other")] = 0
    return classes.classes[int(np.argmax(shown))].name


def _first(known: Path, new: Path, question: str, photos: int, way: _Way, takes: bool) -> dict[str, float]:
    """What a question takes on a ``new`` machine; ``takes``: it takes what the ``known`` one published."""
    way.bytes = 0
    told = _child([known, new], question)
    if told["found"][0] != told["found"][1]:
        raise DSSError(
            f"{told['found'][1]} photos, where the machine that published finds {told['found'][0]}"
        )
    return {
        "processor_seconds": told["processor_seconds"],
        "bytes_a_photo_from_the_database": round(way.bytes / photos, 1),
        "bytes_a_photo_of_files": round(_bytes(new / "index") / photos, 1) if takes else 0.0,
    }


def _machine(root: Path, way: _Way, shared: Path | None) -> Path:
    """The folder of one. ``shared``: where the photos' files would be, and the indexes are; None for a
    machine that has none of that."""
    root.mkdir()
    Manifest(catalog=way.url).write(root)
    if shared is not None:
        (root / "objects").symlink_to(shared)
    return root


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _child(roots: Sequence[Path], question: str) -> dict[str, Any]:
    words = [*map(str, roots), question]
    told: dict[str, Any] = told_by(builds_beside(None)[THIS], _CHILD, words, roots[0].parent)
    return told


class _Way:
    """To a database, for as long as its ``with``: ``url``, by which processes reach it; ``bytes``: those that
    came from it."""

    def __init__(self, database: str) -> None:
        url = url_of(database)
        host = url.query.get("host", url.host) or os.environ.get("PGHOST") or "localhost"
        self._to = (str(host), url.port or int(os.environ.get("PGPORT") or PORT))
        self._front = socket.create_server(("127.0.0.1", 0))
        query = {name: value for name, value in url.query.items() if name != "host"}
        here = url.set(host="127.0.0.1", port=self._front.getsockname()[1], query=query)
        self.url = here.render_as_string(hide_password=False)
        self.bytes = 0

    def _reach(self) -> socket.socket:
        host, port = self._to
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        reached = socket.socket(socket.AF_UNIX)
        reached.connect(f"{host}/.s.PGSQL.{port}")
        return reached

    def serve(self) -> None:
        """Until it is closed."""
        with suppress(OSError):
            while True:
                near, _ = self._front.accept()
                pair = near, self._reach()
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        with near, far, suppress(OSError):
            while True:
                for source in select.select([near, far], [], [])[0]:
                    piece = source.recv(_PIECE)
                    if not piece:
                        return
                    self.bytes += len(piece) if source is far else 0
                    (near if source is far else far).sendall(piece)

    def close(self) -> None:
        with suppress(OSError):
            self._front.shutdown(socket.SHUT_RDWR)  # so that nobody waits for another
        self._front.close()


@contextmanager
def _counted(database: str) -> Iterator[_Way]:
    way = _Way(database)
    threading.Thread(target=way.serve, daemon=True).start()
    try:
        yield way
    finally:
        way.close()


def table(results: Mapping[str, Any]) -> list[str]:
    """By question, for people."""
    rows = [
        (question, how, *(f"{value:g}" for value in told.values()))
        for question, each in results["first"].items()
        for how, told in each.items()
    ]
    head = "first question", "indexes", "processor seconds", "bytes a photo: database", "files"
    return record.table(head, rows)
