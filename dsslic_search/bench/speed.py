"""How long answers take among very many photos: count and first page, in one process, indexes open.

The photos are made from the statistics of real label maps (bench.synthetic). Each kind of query is asked many
times, with other classes, bounds and dates each time, so that nothing can be remembered from one to the
next.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dsslic_search.archive.features import MapFeatures, features_of
from dsslic_search.bench import record
from dsslic_search.bench.synthetic import Synthetic, SyntheticSource
from dsslic_search.core import vocabulary
from dsslic_search.core.errors import UsageError
from dsslic_search.core.settings import DEFAULT_PRESENCE
from dsslic_search.index.columns import open_columns
from dsslic_search.index.files import open_files
from dsslic_search.index.regions.table import open_regions
from dsslic_search.index.segments import Segment, open_segments
from dsslic_search.index.vectors.image import open_image_vectors
from dsslic_search.index.vectors.table import open_vectors
from dsslic_search.index.words import open_words
from dsslic_search.query.run.execute import Indexes, answer

PAGE_PHOTOS = 50
MAX_MAP_SIDE = 256  # pixels of a label map; larger ones are thinned out
MIN_PHOTOS_SHARE = 0.02  # of the photos must have a class that is asked about
# the kinds of query that have three predicates each
THREE_PREDICATES = ("presence", "coverage", "negation", "group", "file", "count", "position", "relation")

Made = Callable[[random.Random], str]


def run(maps: Sequence[Path], photos: int, asked: int) -> dict[str, Any]:
    """Milliseconds (median, 95th percentile, most) for each kind of query, ``asked`` times each, among
    ``photos`` photos made from the label maps (PNG files of class ids) under the folders ``maps``; and the
    time and bytes that the indexes take."""
    classes = vocabulary.default()
    features = described(maps)
    source = SyntheticSource(Synthetic(features, photos))
    results: dict[str, Any] = {"photos": photos, "maps": len(features), "asked": asked}
    with tempfile.TemporaryDirectory() as name:
        openers: dict[str, Callable[[Segment], object]] = {
            "coverage": open_columns,
            "files": open_files,
            "regions": open_regions,
            "layout": open_vectors,
            "words": open_words,
            "image": open_image_vectors,
        }
        timed = []
        for _ in range(2):  # built, and opened
            (segment,) = open_segments(source, Path(name), classes).parts
            timed.append({kind: _seconds(partial(opener, segment)) for kind, opener in openers.items()})
        building, opening = timed
        sizes = {
            path.suffix[1:]: round(path.stat().st_size / photos, 1) for path in sorted(Path(name).iterdir())
        }
        results |= {"seconds_to_build": building, "seconds_to_open": opening, "bytes_a_photo": sizes}
        indexes = [Indexes.of(segment)]

        def embeddings_of(operand: str, _mirrored: bool) -> NDArray[np.float32]:
            real = features[int(operand[1:]) % len(features)]
            return np.frombuffer(real.embedding, "<f4")[None]

        def ask(text: str) -> float:
            began = time.perf_counter()
            answer(
                text,
                indexes=indexes,
                vocabulary=classes,
                presence=DEFAULT_PRESENCE,
                embeddings_of=embeddings_of,
                limit=PAGE_PHOTOS,
            )
            return (time.perf_counter() - began) * 1000

        kinds = _kinds(features, photos)
        spent: dict[str, list[float]] = {}
        for kind, made in kinds.items():
            rng = random.Random(f"queries/{kind}")
            texts = list(dict.fromkeys(made(rng) for _ in range(asked + 3)))
            for text in texts[:3]:
                ask(text)
            spent[kind] = [ask(text) for text in texts[3:]]
    results["milliseconds"] = {kind: _summary(times) for kind, times in spent.items()}
    results["milliseconds"]["three predicates"] = _summary(
        [t for kind in THREE_PREDICATES for t in spent[kind]]
    )
    return results


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


def _kinds(features: list[MapFeatures], photos: int) -> dict[str, Made]:
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


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return round(time.perf_counter() - began, 2)


def _summary(times: list[float]) -> dict[str, float]:
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
