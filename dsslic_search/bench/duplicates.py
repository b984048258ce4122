"""How rightly the same picture is found twice, on pictures of which it is known (`bench.copies`), and what
finding takes among very many.

Numbers of `features.agreement` and the threshold were chosen on the deciding part; the held-out part has
other photos, other drives and other screenshots. Beside it fingerprints alone, as builds before did.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dsslic_search.api.duplicates import DEFAULT_LIKENESS, Links, alike_pairs, likenesses, that_agree
from dsslic_search.bench import record
from dsslic_search.bench.copies import ORIGINAL, Known, known
from dsslic_search.features.agreement import portrait
from dsslic_search.features.fingerprint import fingerprint
from dsslic_search.index.fingerprints import candidates

Made = TypeVar("Made")

BEFORE, NOW = "fingerprints alone", "and every part"
LIKENESS_BEFORE = 0.78  # that was the default with fingerprints alone
MIRRORED = "mirrored"
COPIES_ONE_IN = 20  # made-up photos that are copies of another
COPY_NOISE = 2.0  # standard deviation in a copy's fingerprint
BLOCK = 10_000  # made-up photos at once


def run(data: Path, photos: int, at: int) -> dict[str, Any]:
    """``photos`` of each set under ``data`` for either part; ``at``: made-up photos for time and memory."""
    parts = {name: known(data, name == "held_out", photos) for name in ("deciding", "held_out")}
    results: dict[str, Any] = {name: judged(pictures) for name, pictures in parts.items()}
    if at:
        every = [each for part in parts.values() for each in part]
        prints = np.array([fingerprint(each.compact) for each in every])
        of_originals = prints[[each.how == ORIGINAL for each in every]]
        # a pool of multiprocessing would start a process that dies again and again
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
            results["large"] = alone.submit(large, of_originals, at, prints).result()
    return results


def judged(pictures: Sequence[Known]) -> dict[str, Any]:
    """Both ways on these pictures: copies found and pairs linked, right and wrong, by kind."""
    prints = np.array([fingerprint(each.compact) for each in pictures])
    portraits = {i: portrait(each.compact) for i, each in enumerate(pictures)}
    found = {
        BEFORE: alike_pairs(prints, LIKENESS_BEFORE, True),
        NOW: that_agree(alike_pairs(prints, DEFAULT_LIKENESS, True), portraits),
    }
    return {
        "pictures": len(pictures),
        "thresholds": {BEFORE: LIKENESS_BEFORE, NOW: DEFAULT_LIKENESS},
        "copies_found": _recall(pictures, found),
        "pairs": {name: _precision(pictures, links) for name, links in found.items()},
    }


def _recall(pictures: Sequence[Known], found: dict[str, Links]) -> dict[str, dict[str, Any]]:
    """By kind and alteration: how many copies there are, and the share that is linked with the original."""
    original = {each.family: i for i, each in enumerate(pictures) if each.how == ORIGINAL}
    linked = {name: {frozenset(pair) for pair in links.pairs.tolist()} for name, links in found.items()}
    rows: dict[str, dict[str, Any]] = {}
    for kind, how in sorted({(each.kind, each.how) for each in pictures if each.how != ORIGINAL}):
        copies = [i for i, each in enumerate(pictures) if (each.kind, each.how) == (kind, how)]
        pairs = [frozenset((i, original[pictures[i].family])) for i in copies]
        shares = {
            name: round(sum(p in there for p in pairs) / len(pairs), 4) for name, there in linked.items()
        }
        rows[f"{kind}, {how}"] = {"copies": len(copies), **shares}
    return rows


def _precision(pictures: Sequence[Known], links: Links) -> dict[str, dict[str, Any]]:
    """By kind of the two pictures ("across" kinds): pairs linked, and the share that is the same picture."""
    counts: dict[str, list[bool]] = {}
    for one, other in ((pictures[a], pictures[b]) for a, b in links.pairs.tolist()):
        kind = one.kind if one.kind == other.kind else "across"
        counts.setdefault(kind, []).append(one.family == other.family)
    return {
        kind: {
            "linked": len(right),
            "wrong": right.count(False),
            "precision": round(sum(right) / len(right), 4),
        }
        for kind, right in sorted(counts.items())
    }


def large(prints: NDArray[np.uint8], count: int, real: NDArray[np.uint8] | None = None) -> dict[str, Any]:
    """What finding takes among ``count`` made-up fingerprints with the mean and the covariance of real ones,
    ``prints``, one in COPIES_ONE_IN a copy: seconds of the processor and of the clock, and the most memory of
    the process in bytes. ``real``: fingerprints that take the place of some; which pairs of them are alike
    when they are alone, and how many of these are found among all."""
    rng = np.random.default_rng(1)
    made, copied = _made_up(prints, count, rng)
    first = count // COPIES_ONE_IN  # of those that are neither copies nor copied
    alone: set[tuple[int, int]] = set()
    if real is not None and len(real) <= count - 2 * first:
        made[first : first + len(real)] = real
        alone = {(a + first, b + first) for a, b in alike_pairs(real, DEFAULT_LIKENESS, False).pairs.tolist()}
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clock = time.perf_counter()
    near, searching = _timed(lambda: candidates(made))
    alike, comparing = _timed(lambda: likenesses(made, near, False))
    clock = time.perf_counter() - clock
    there = {tuple(pair) for pair in near[alike >= DEFAULT_LIKENESS].tolist()}
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    return {
        "photos": count,
        "copies": len(copied),
        "copies_found": round(sum((int(a), int(b)) in there for a, b in copied) / len(copied), 4),
        "real_pairs": len(alone),
        "real_pairs_found": round(len(alone & there) / max(len(alone), 1), 4),
        "pairs_compared": len(near),
        "pairs_alike": len(there),
        "processor_seconds": {"candidates": searching, "likeness": comparing},
        "seconds": round(clock, 1),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        "bytes_before": began * unit,
    }


def _made_up(
    prints: NDArray[np.uint8], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], list[tuple[int, int]]]:
    """Fingerprints, uint8[count, …], and the pairs of originals and copies among them."""
    centre = prints.mean(0)
    _, spread, axes = np.linalg.svd(prints - centre, full_matrices=False)
    scaled = (axes * (spread / np.sqrt(len(prints)))[:, None]).astype(np.float32)
    made = np.empty((count, prints.shape[1]), np.uint8)
    for start in range(0, count, BLOCK):
        part = made[start : start + BLOCK]
        part[:] = (rng.standard_normal((len(part), len(scaled)), np.float32) @ scaled + centre).clip(0, 255)
    pairs = [(i, count - 1 - i) for i in range(count // COPIES_ONE_IN)]
    for original, copy in pairs:
        noise = rng.normal(0, COPY_NOISE, prints.shape[1])
        made[copy] = np.rint(made[original] + noise).clip(0, 255)
    return made, pairs


def _timed(call: Callable[[], Made]) -> tuple[Made, float]:
    began = time.process_time()
    made = call()
    return made, round(time.process_time() - began, 2)


def table(results: dict[str, Any]) -> list[str]:
    """The figures of the held-out part as lines for people."""
    part = results["held_out"]
    lines = record.table(
        ("copies found", "copies", BEFORE, NOW),
        [
            (name, str(row["copies"]), f"{row[BEFORE]:.3f}", f"{row[NOW]:.3f}")
            for name, row in part["copies_found"].items()
        ],
    )
    kinds = sorted({kind for rows in part["pairs"].values() for kind in rows})
    nothing = {"linked": 0, "wrong": 0}
    told = [(kind, *(rows.get(kind, nothing) for rows in part["pairs"].values())) for kind in kinds]
    return lines + record.table(
        ("pairs linked, of them wrong", *part["pairs"]),
        [(kind, *(f"{row['linked']}, {row['wrong']}" for row in rows)) for kind, *rows in told],
    )
