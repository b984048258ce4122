"""What it costs, and gains, that several processes share the indexes: queries of each kind asked of one
process and of shards, among the same photos, in turn.

The photos are those of `bench.speed`. Whether both answer the same is counted, not assumed.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dsslic_search.api.shards import Shards, answering
from dsslic_search.bench import grown, record, speed
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.query.run.execute import Answer

if TYPE_CHECKING:
    from dsslic_search.archive.features import MapFeatures
    from dsslic_search.query.run.scatter import Asked, Finding

WARMED = 3  # queries of each kind that are not measured


def run(
    maps: Sequence[Path],
    photos: int,
    asked: int,
    shards: Sequence[int],
    segments: int | None = None,
    kinds: Sequence[str] = tuple(grown.KINDS),
) -> dict[str, Any]:
    """For each of the numbers of ``shards``: milliseconds of queries, ``asked`` of each kind, of one process
    and of so many shards, among ``photos`` in at least so many ``segments`` (None: as many as the most
    shards); by how much the latter take longer, at the median; and how many answers were ``equal``, total,
    order and cursor. UsageError for fewer segments than shards."""
    segments = max(shards) if segments is None else segments
    if segments < max(shards):
        raise UsageError(f"{max(shards)} shards need as many segments, and {segments} are asked for")
    features = speed.described(maps)
    with tempfile.TemporaryDirectory() as name:
        results = {"maps": len(features), "asked": asked}
        results |= grown.grow(Path(name), features, photos, kinds, segments)
        wanted = [
            kind
            for kind in speed.kinds_of(features, results["photos"])
            if set(speed.NEEDS.get(kind, ())) <= set(kinds)
        ]
        told = {}
        for count in shards:
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                measured = process.submit(
                    _beside, Path(name), features, wanted, results["photos"], asked, count
                )
                told[str(count)] = measured.result()
    return results | {"shards": told}


def _beside(
    folder: Path, features: list[MapFeatures], kinds: Sequence[str], photos: int, asked: int, count: int
) -> dict[str, Any]:
    """One process and ``count`` shards, in a process of its own."""
    indexes = grown.opened(folder)
    source = indexes[0].columns.segment.source
    ask = speed.asking(indexes, features)
    command = [sys.executable, "-c", f"from {__name__} import shard; shard()", str(folder), str(count)]
    with closing(Shards(source, count, command)) as processes:
        elsewhere = partial(processes.find, indexes)
        began = time.perf_counter()
        ask("sky", elsewhere=elsewhere)
        result: dict[str, Any] = {"seconds_until_the_first_answer": round(time.perf_counter() - began, 2)}
        makers = speed.kinds_of(features, photos)
        alone: dict[str, list[float]] = {}
        shared: dict[str, list[float]] = {}
        equal = 0
        for kind in kinds:
            rng = random.Random(f"queries/{kind}")
            texts = list(dict.fromkeys(makers[kind](rng) for _ in range(asked + WARMED)))
            for number, text in enumerate(texts):
                one, taken = _timed(ask, text, None)
                other, together = _timed(ask, text, elsewhere)
                if number >= WARMED:
                    alone.setdefault(kind, []).append(taken)
                    shared.setdefault(kind, []).append(together)
                    equal += _same(one, other)
        result["queries"] = sum(map(len, alone.values()))
        result["equal"] = equal
        result["milliseconds"] = {
            kind: {
                "alone": speed.summary(alone[kind]),
                "shared": speed.summary(shared[kind]),
                "longer_p50": round(float(np.percentile(np.subtract(shared[kind], alone[kind]), 50)), 2),
            }
            for kind in alone
        }
        result["memory"] = [speed.memory()] + [speed.memory(pid) for pid in processes.pids]
    return result


def _timed(
    ask: Callable[..., Answer], text: str, elsewhere: Callable[[Asked], Finding] | None
) -> tuple[Answer, float]:
    began = time.perf_counter()
    found = ask(text, elsewhere=elsewhere)
    return found, (time.perf_counter() - began) * 1000


def _same(one: Answer, other: Answer) -> bool:
    ended = [(a.cursor is None) for a in (one, other)]
    return (
        (one.total, one.photos) == (other.total, other.photos)
        and bool(np.array_equal(one.ids, other.ids))
        and bool(np.array_equal(one.scores, other.scores))
        and ended[0] == ended[1]
    )


def shard() -> None:
    """What a process with some of the segments runs."""
    folder, count, number = sys.argv[1:]
    source = grown.opened(Path(folder))[0].columns.segment.source
    answering(int(number), source, Path(folder), vocabulary.default(), int(count))


def table(results: dict[str, Any]) -> list[str]:
    """Medians of each kind, and what shards take more, as lines for people."""
    told = results["shards"]
    rows = []
    for count, found in told.items():
        for kind, each in found["milliseconds"].items():
            rows.append(
                (
                    f"{count}: {kind}",
                    f"{each['alone']['p50']:.2f}",
                    f"{each['shared']['p50']:.2f}",
                    f"{each['longer_p50']:+.2f}",
                )
            )
    return record.table(("shards: milliseconds", "alone", "shared", "longer"), rows)
