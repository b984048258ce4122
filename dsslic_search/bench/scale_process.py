"""A process of a build that answers the questions of `bench.scale`, and tells how long it took."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsslic_search.bench.processes import told_by

ROUNDS = 20
"""How often each question is asked when all is open."""


@dataclass(frozen=True)
class Question:
    """``text``: as people ask. ``where``, ``rank``: the same of a wide table in SQL, "" where that cannot say
    it."""

    kind: str
    text: str
    where: str = ""
    rank: str = "1"


_CHILD = """
import json, os, resource, sys, time
from pathlib import Path
from sqlalchemy import text
root, mode, questions, started = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), float(sys.argv[4])
began = time.perf_counter()
from dsslic_search.api.archive import Archive
def add(archive):
    with archive.catalog.changing() as session:
        names = [row[1] for row in session.execute(text("PRAGMA table_info(photo)"))]
        new = session.execute(text("SELECT max(id) FROM photo")).scalar() + 1
        put = {"id": str(new), "content_hash": repr(f"{new:064x}"), "path": f"'/new/{new}.jpg'"}
        kept = ", ".join(put.get(name, name) for name in names)
        session.execute(text(f"INSERT INTO photo ({', '.join(names)}) SELECT {kept} FROM photo WHERE id = 1"))
        tables = [r[0] for r in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))]
        if "coverage" in tables:
            names = [row[1] for row in session.execute(text("PRAGMA table_info(coverage)"))]
            kept = ", ".join(str(new) if name == "photo_id" else name for name in names)
            session.execute(text(f"INSERT INTO coverage SELECT {kept} FROM coverage WHERE photo_id = 1"))
def took(archive, question):
    start = time.perf_counter()
    found = archive.find(question, limit=50)
    return round((time.perf_counter() - start) * 1000, 2), found.total
if mode == "add":
    with Archive(root) as archive:
        add(archive)
    print("{}")
    sys.exit()
if mode == "make":
    with Archive(root) as archive:
        start = time.perf_counter()
        settle = getattr(archive, "_settle", None)
        if settle is not None:
            settle()
        for kind, question in questions if settle is None else ():
            took(archive, question)
        print(json.dumps({"seconds to make all indexes": round(time.perf_counter() - start, 2)}))
    sys.exit()
with Archive(root) as archive:
    (kind, question), *others = questions
    told = {"first": {kind: took(archive, question)[0]}}
    told["seconds from the start of the process to one answer"] = round(time.time() - started, 2)
    told["first"] |= {kind: took(archive, q)[0] for kind, q in others}
    told["seconds until the first answer"] = round(time.perf_counter() - began, 2)
    if mode == "open":
        told["totals"] = {kind: took(archive, q)[1] for kind, q in questions}
        again = {kind: sorted(took(archive, q)[0] for _ in range(ROUNDS)) for kind, q in questions}
        told["open"] = {k: {"p50": t[len(t) // 2], "p95": t[int(len(t) * 0.95)]} for k, t in again.items()}
        add(archive)
        told["after one photo more"] = {kind: took(archive, q)[0] for kind, q in questions}
told["peak_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
kept = Path("/proc/self/smaps_rollup")
if kept.exists():
    rows = [line.split() for line in kept.read_text().splitlines()]
    told["private_bytes"] = sum(int(r[1]) * 1024 for r in rows if r[0] == "Anonymous:")
print(json.dumps(told))
"""


def asked_of(source: Path, root: Path, asked: Sequence[Question], mode: str) -> dict[str, Any]:
    """What a process of a build tells."""
    texts = json.dumps([(each.kind, each.text) for each in asked])
    script = _CHILD.replace("ROUNDS", str(ROUNDS))
    words = [str(root), mode, texts, str(time.time())]
    told: dict[str, Any] = told_by(source, script, words, root.parent)
    if "first" not in told:
        return told
    told["first answers, seconds in all"] = round(sum(told["first"].values()) / 1000, 2)
    if "after one photo more" in told:
        told["after one photo more, seconds in all"] = round(
            sum(told["after one photo more"].values()) / 1000, 3
        )
    return told
