"""How long answers take among very many photos: count and first page, in one process, indexes open; and the
memory of that process.

The photos are made from the statistics of real label maps (bench.synthetic), in segments (bench.grown). Each
kind of query is asked many times, with other classes, bounds and dates each time, so that nothing can be
remembered from one to the next.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.archive.features import MapFeatures, features_of
from dsslic_search.bench import grown, record
from dsslic_search.bench.synthetic import FIRST_DAY, SPAN_SECONDS
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.core.settings import DEFAULT_PRESENCE
from dsslic_search.query.run.evaluate import Indexes, unpack_ahead
from dsslic_search.query.run.execute import Answer, answer
from dsslic_search.query.run.scatter import Asked, Finding

PAGE_PHOTOS = 50
MAX_MAP_SIDE = 256  # pixels of a label map; larger ones are thinned out
NEAREST = 10  # photos whose recall is measured, of so many queries:
RECALLED = 20
MIN_PHOTOS_SHARE = 0.02  # of the photos must have a class that is asked about
# the kinds of query that have three predicates each
THREE_PREDICATES = ("presence", "coverage", "negation", "group", "file", "count", "position", "relation")

NEEDS = {
    "count": ["regions"],
    "position": ["regions"],
    "relation": ["regions"],
    "relation alone": ["regions"],
    "layout": ["layout"],
    "layout and class": ["layout"],
}
"""The indexes that kinds of query need beside coverage and files."""

Made = Callable[[random.Random], str]


def run(
    maps: Sequence[Path],
    photos: int,
    asked: int,
    kinds: Sequence[str] = tuple(grown.KINDS),
    segments: int = 1,
    ahead: bool = False,
) -> dict[str, Any]:
    """Milliseconds (median, 95th percentile, most) for each kind of query that indexes of ``kinds`` can
    answer, ``asked`` times each, among ``photos`` photos made from the label maps (PNG files of class ids)
    under the folders ``maps``, in at least so many ``segments``, with ``ahead`` after what
    many queries need was unpacked, as a server does; time and bytes that the indexes take; and the memory of
    the process that answers. UsageError for kinds that there are not, without coverage and files, which any
    query may need, and for ``ahead`` without regions."""
    for kind in kinds:
        if kind not in grown.KINDS:
            raise UsageError(f"there is no index called {kind}; there are: {', '.join(grown.KINDS)}")
    if not {"coverage", "files"} <= set(kinds):
        raise UsageError("queries may need coverage and files, whatever they ask; name these too")
    if ahead and "regions" not in kinds:
        raise UsageError("what is unpacked ahead is mostly of regions; name these too")
    features = described(maps)
    with tempfile.TemporaryDirectory() as name:
        results = {"maps": len(features), "asked": asked}
        results |= grown.grow(Path(name), features, photos, kinds, segments)
        wanted = [kind for kind in kinds_of(features, photos) if set(NEEDS.get(kind, ())) <= set(kinds)]
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            told = process.submit(_answers, Path(name), features, wanted, results["photos"], asked, ahead)
            return results | told.result()


def _answers(
    folder: Path, features: list[MapFeatures], kinds: Sequence[str], photos: int, asked: int, ahead: bool
) -> dict[str, Any]:
    """What a process tells that opens the indexes in ``folder`` and answers."""
    began = time.perf_counter()
    indexes = grown.opened(folder)
    ask = asking(indexes, features)

    def milliseconds(text: str) -> float:
        began = time.perf_counter()
        ask(text)
        return (time.perf_counter() - began) * 1000

    ask("sky")
    results: dict[str, Any] = {"seconds_until_the_first_answer": round(time.perf_counter() - began, 2)}
    if ahead:
        began = time.perf_counter()
        unpack_ahead(indexes)
        results["seconds_to_unpack_ahead"] = round(time.perf_counter() - began, 2)
    makers = kinds_of(features, photos)
    spent: dict[str, list[float]] = {}
    for kind in kinds:
        rng = random.Random(f"queries/{kind}")
        texts = list(dict.fromkeys(makers[kind](rng) for _ in range(asked + 3)))
        for text in texts[:3]:
            ask(text)
        spent[kind] = [milliseconds(text) for text in texts[3:]]
    results["milliseconds"] = {kind: summary(times) for kind, times in spent.items()}
    results["milliseconds"]["three predicates"] = summary(
        [t for kind in THREE_PREDICATES for t in spent.get(kind, ())]
    )
    results["memory"] = memory()
    if "layout" in kinds:
        results["likeness with a filter"] = {
            f"{100 * share:g}%": _filtered(share, photos, asked, ask, milliseconds)
            for share in (1.0, 0.5, 0.05, 0.005, 0.0005)
        }
    return results


def asking(indexes: Sequence[Indexes], features: list[MapFeatures]) -> Callable[..., Answer]:
    """Answers a text: with a ``limit``, else a page, and by ``elsewhere`` as `query.run.execute.answer`
    does."""
    classes = vocabulary.default()

    def embeddings_of(operand: str, _mirrored: bool) -> NDArray[np.float32]:
        real = features[int(operand[1:]) % len(features)]
        return np.frombuffer(real.embedding, "<f4")[None]

    def ask(
        text: str,
        limit: int | None = PAGE_PHOTOS,
        elsewhere: Callable[[Asked], Finding] | None = None,
    ) -> Answer:
        return answer(
            text,
            indexes=indexes,
            vocabulary=classes,
            presence=DEFAULT_PRESENCE,
            embeddings_of=embeddings_of,
            limit=limit,
            elsewhere=elsewhere,
        )

    return ask


def _filtered(
    share: float,
    photos: int,
    asked: int,
    ask: Callable[..., Answer],
    milliseconds: Callable[[str], float],
) -> dict[str, float]:
    """Of likeness where a share of all photos, 0..1, passes a filter by date: milliseconds, and which part of
    the ten nearest by a look at all are among the first ten."""
    rng = random.Random(f"filters/{share}")
    days = round(share * SPAN_SECONDS / 86_400)
    texts, found, passing = [], [], []
    for _ in range(asked):
        first = FIRST_DAY + timedelta(days=rng.randint(0, SPAN_SECONDS // 86_400 - days))
        within = f" and taken:{first:%Y-%m-%d}..{first + timedelta(days=days - 1):%Y-%m-%d}"
        texts.append(f"like #{rng.randint(1, photos)}{within if share < 1 else ''}")
    ask(texts[0], PAGE_PHOTOS)
    spent = [milliseconds(text) for text in texts]
    for text in texts[:RECALLED]:
        chosen, every = ask(text, PAGE_PHOTOS), ask(text, None)  # all in order: nothing is left out
        best = set(every.ids[:NEAREST].tolist())
        found.append(len(best & set(chosen.ids[:NEAREST].tolist())) / len(best) if best else 1)
        passing.append(every.total / photos)
    told = summary(spent)
    return told | {"passing": round(float(np.mean(passing)), 6), "recall": round(float(np.mean(found)), 4)}


def memory(pid: int | None = None) -> dict[str, int]:
    """Bytes that a process takes, this one unless told: ``mapped`` in all, files as far as they were read,
    and ``private`` of its own; nothing where the system does not tell.

    Pages of a file that nobody wrote to the disk yet are no memory of its own, though Linux counts them as
    Private_Dirty."""
    kept = Path(f"/proc/{pid or 'self'}/smaps_rollup")
    if not kept.exists():
        return {}
    told = dict(line.split(":") for line in kept.read_text().splitlines() if line.endswith("kB"))
    kilobytes = {name: int(told[name].split()[0]) for name in ("Rss", "Anonymous")}
    return {"mapped": 1024 * kilobytes["Rss"], "private": 1024 * kilobytes["Anonymous"]}


def described(folders: Sequence[Path]) -> list[MapFeatures]:
    """What a catalog would know of the label maps, PNG files of class ids, under some folders. UsageError
    where there are none."""
    classes = vocabulary.default()

    def describe(path: Path) -> MapFeatures | None:
        image = Image.open(path)
        scale = -(-max(image.size) // MAX_MAP_SIDE)
        label_map = np.asarray(image, np.uint8)[::scale, ::scale]
        return features_of(label_map, classes) if label_map.max() < len(classes) else None

    paths = sorted(path for folder in folders for path in folder.rglob("*.png"))
    with ThreadPoolExecutor() as pool:
        found = [features for features in pool.map(describe, paths) if features is not None]
    if not found:
        raise UsageError(
            f"{', '.join(map(str, folders))}: no label maps here; name a folder of PNG files that hold class "
            "ids"
        )
    return found


def kinds_of(features: list[MapFeatures], photos: int) -> dict[str, Made]:
    """Makers of queries, by kind. Classes are drawn as often as photos have them."""
    classes = vocabulary.default()
    counts = np.bincount([c for each in features for c, _ in each.coverages], minlength=len(classes))
    common = [c for c in range(1, len(classes)) if counts[c] >= MIN_PHOTOS_SHARE * len(features)]

    def things(rng: random.Random, number: int) -> Iterator[str]:
        chosen: list[int] = []
        while len(chosen) < number:
            [class_id] = rng.choices(common, [int(counts[c]) for c in common])
            if class_id not in chosen:
                chosen.append(class_id)
        return (classes.classes[c].name for c in chosen)

    def group(rng: random.Random) -> str:
        return rng.choice([g.name for g in classes.groups])

    def percent(rng: random.Random) -> str:
        return f"{rng.uniform(1, 45):.1f}%"

    def month(rng: random.Random) -> str:
        return f"{rng.randint(2010, 2024)}-{rng.randint(1, 12):02}"

    def presence(rng: random.Random) -> str:
        return " and ".join(things(rng, 3))

    def coverage(rng: random.Random) -> str:
        a, b, c = things(rng, 3)
        return f">{percent(rng)} {a}, {b} <{percent(rng)}, {c}"

    def negation(rng: random.Random) -> str:
        a, b, c = things(rng, 3)
        return f"{a}, no {b}, no {c}"

    def of_group(rng: random.Random) -> str:
        a, b = things(rng, 2)
        return f">{percent(rng)} {group(rng)}, {a}, no {b}"

    def file(rng: random.Random) -> str:
        a, b = things(rng, 2)
        first, last = sorted((month(rng), month(rng)))
        test = rng.choice(
            [
                f"taken:{first}..{last}",
                "camera:canon",
                f"near {rng.uniform(40, 50):.2f},{rng.uniform(0, 10):.2f} 90km",
                "portrait",
            ]
        )
        return f"{a} and >{percent(rng)} {b} and {test}"

    def count(rng: random.Random) -> str:
        a, b, c = things(rng, 3)
        return f"at least {rng.randint(2, 4)} {a}, {b}, {c} <{percent(rng)}"

    def position(rng: random.Random) -> str:
        a, b, c = things(rng, 3)
        zone = rng.choice(["left half", "right half", "bottom left", "top third", "centre", "bottom half"])
        return f"{a} in the {zone}, {b}, {c} <{percent(rng)}"

    def relation(rng: random.Random) -> str:
        a, b, c = things(rng, 3)
        between = rng.choice(["left of", "above", "on", "next to", "in front of", "surrounded by"])
        return f"{a} {between} {b}, {c} <{percent(rng)}, no {group(rng) if rng.random() < 0.2 else 'boat'}"

    return {
        "presence": presence,
        "coverage": coverage,
        "negation": negation,
        "group": of_group,
        "file": file,
        "count": count,
        "position": position,
        "relation": relation,
        "relation alone": lambda rng: (
            f"{' {} '.join(things(rng, 2)).format(rng.choice(['left of', 'above', 'on', 'next to']))}"
        ),
        "sorted": lambda rng: "{}, {} sort:-taken".format(*things(rng, 2)),
        "layout": lambda rng: f"like #{rng.randint(1, photos)}",
        "layout and class": lambda rng: "like #{} and no {}".format(rng.randint(1, photos), *things(rng, 1)),
    }


def summary(times: list[float]) -> dict[str, float]:
    return {
        "queries": len(times),
        "p50": round(float(np.percentile(times, 50)), 2),
        "p95": round(float(np.percentile(times, 95)), 2),
        "most": round(max(times), 2),
    }


def table(results: dict[str, Any]) -> list[str]:
    """Milliseconds of each kind as lines for people."""
    columns = ("p50", "p95", "most")
    return record.table(
        ("milliseconds", *columns),
        [(kind, *(f"{row[c]:.2f}" for c in columns)) for kind, row in results["milliseconds"].items()],
    )
