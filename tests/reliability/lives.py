"""Archives that lead random lives and lose their catalogs, over and over: the long form of
tests/archive/test_rebuild.py.

    python -m tests.reliability.lives --lives N --steps M [--seed S] --record RESULT.json

Each life is some steps of ingests, copies, moves, edits, losses of files, tags, ratings, saved queries, the
bin and repairs. After every few of them the catalog, what lies beside it and the indexes are deleted, or
overwritten in part, and made anew; or a backup is brought up to date, compared, and restored. Every row of
every table and every answer has to be what it was.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

import numpy as np

from dsslic_search.archive.backup import backup
from dsslic_search.archive.check import check
from dsslic_search.archive.findings import Problem
from dsslic_search.archive.folder import ArchiveFolder
from dsslic_search.archive.rebuild import rebuild
from dsslic_search.archive.restoring import restore
from dsslic_search.bench import record
from dsslic_search.codec import container
from dsslic_search.codec.decoder import Base
from dsslic_search.codec.layers import label_map
from dsslic_search.core.errors import DSSError
from tests.archive.conftest import World
from tests.archive.test_rebuild import STEPS, Life, answers, facts, lose
from tests.reliability.world import share_statements

STEPS_BETWEEN = 4


def read_base(prefix: bytes) -> Base:
    """The label map of a file of the tests' encoder."""
    chunk = container.read_chunk(prefix, container.read_contents(prefix), label_map.LAYER.kind)
    assert chunk is not None
    return Base(np.frombuffer(chunk.data, np.uint8).reshape(6, 8), {}, None)


def live(seed: int, steps: int, told: Counter[str]) -> None:
    """One life; AssertionError where anything is not what it was."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "photos").mkdir()
        world = World(folder / "photos", ArchiveFolder(folder / "archive"))
        life = Life(world, seed)
        life.step("add")
        for number in range(1, steps + 1):
            life.step(chance.choice(STEPS))
            told["steps"] += 1
            if number % STEPS_BETWEEN == 0:
                chance.choice((_lost, _lost, _damaged, _backed_up))(world, folder, chance, told)


def _lost(world: World, _folder: Path, _chance: random.Random, told: Counter[str]) -> None:
    before = facts(world.archive), answers(world.archive)
    lose(world.archive)
    report = rebuild(world.archive)
    assert (report.unread, report.failed) == (0, [])
    assert (facts(world.archive), answers(world.archive)) == before
    told["catalogs lost and made anew"] += 1
    told["rows compared"] += sum(len(rows) for rows in before[0].values())


def _damaged(world: World, _folder: Path, chance: random.Random, told: Counter[str]) -> None:
    before = facts(world.archive), answers(world.archive)
    file = world.archive.root / "catalog.sqlite"
    data = bytearray(file.read_bytes())
    start = chance.randrange(len(data))
    data[start : start + 4096] = chance.randbytes(min(4096, len(data) - start))
    file.write_bytes(data)
    rebuild(world.archive)
    assert (facts(world.archive), answers(world.archive)) == before
    told["catalogs damaged and made anew"] += 1
    told["rows compared"] += sum(len(rows) for rows in before[0].values())


def _backed_up(world: World, folder: Path, _chance: random.Random, told: Counter[str]) -> None:
    place, back = folder / "backup", folder / "back"
    backup(world.archive, place)
    before = facts(world.archive), answers(world.archive)
    copy = ArchiveFolder(place)
    assert (facts(copy), answers(copy)) == before
    assert {each.what for each in check(copy, read_data=True)} <= {Problem.RETURNED}
    report = restore(copy, back)
    assert (report.failed, report.unlisted, report.is_complete) == ([], 0, True)
    assert (facts(ArchiveFolder(back)), answers(ArchiveFolder(back))) == before
    shutil.rmtree(back)
    told["backups compared and restored"] += 1
    told["rows compared"] += sum(len(rows) for rows in before[0].values())


def main() -> None:
    """Run the lives that are asked for, and write what they came to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lives", type=int, default=20)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path)
    asked = parser.parse_args()
    share_statements()
    told: Counter[str] = Counter()
    differing = []
    with mock.patch("dsslic_search.codec.decoder.read_base", read_base):
        for seed in range(asked.seed, asked.seed + asked.lives):
            try:
                live(seed, asked.steps, told)
            except (AssertionError, DSSError) as e:
                differing.append({"seed": seed, "difference": str(e)[:2000]})
            told["lives"] += 1
    command = "python -m tests.reliability.lives " + " ".join(sys.argv[1:])
    results = {
        "command": command,
        "first seed": asked.seed,
        "steps of a life": asked.steps,
        **told,
        "differences": differing,
    }
    print(json.dumps(results, indent=1))  # noqa: T201 (this is the program's output)
    if asked.record is not None:
        record.write(asked.record, results)


if __name__ == "__main__":
    main()
