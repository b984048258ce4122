"""Answers of a large archive, recorded, so that a build whose indexes are stored otherwise can be compared.

    python -m tests.behaviour.large record OUT.json --maps DIR [--source DIR] [--archive DIR] [--photos N]
    python -m tests.behaviour.large compare BEFORE.json AFTER.json [--out RESULT.json]

``record`` fills a catalog with photos made from the label maps in DIR (`bench.synthetic`), asks the questions
of :func:`questions` of it, and of the archive of real photos given, if any: how many match, which, in which
order, with which scores, to the last bit. Bounds from which on large archives do otherwise than small ones
are lowered, so that what only a million photos would see is asked too. ``compare`` tells which of these
differ, and the processor time of both.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tests.behaviour.large
from tests.behaviour import environment
from tests.behaviour.comparison import MADE_WITH, compared

PAGE_PHOTOS = 50
TOLD_PHOTOS = 4  # of the first of an answer, told in clear; the others as a digest
PAGES_OF_ONE_IN = 8  # questions that are also asked for their second page
LOWERED = {
    ("dsslic_search.index.regions.frequent", "KEPT_FROM"): 5000,
    ("dsslic_search.index.compiling", "PATIENCE.photos"): 0,
    ("dsslic_search.index.packing", "PACKED_FROM"): 1000,
}
"""Bounds that an archive of some thousand photos is to pass, by module and name, in builds that have them."""
RELATIONS = (
    "left of", "right of", "above", "below", "on", "in", "surrounded by", "next to", "in front of", "behind",
)  # fmt: skip
ZONES = (
    "on the left", "on the right", "at the top", "at the bottom", "in the centre", "in the top left",
    "in the bottom right", "in the left third", "in the middle third", "in the bottom third",
)  # fmt: skip
ANSWERS, SECONDS = "answers", "seconds"

Maker = Callable[[random.Random], str]


def questions(things: Sequence[str], groups: Sequence[str], photos: int, each: int) -> dict[str, list[str]]:
    """About ``each`` different questions of every kind, always the same. ``things``: names of classes, those
    that are seen most often first; ``groups``: names of groups; ``photos``: ids go up to there."""
    often = [1 / (1 + place) ** 0.5 for place in range(len(things))]

    def some(rng: random.Random, number: int) -> list[str]:
        chosen: list[str] = []
        while len(chosen) < number:
            [name] = rng.choices(things, often)
            if name not in chosen:
                chosen.append(name)
        return chosen

    def either(rng: random.Random) -> str:
        """A group, or seldom a class."""
        return rng.choice(groups) if rng.random() < 0.7 else some(rng, 1)[0]

    def percent(rng: random.Random) -> str:
        return f"{rng.uniform(0.1, 60):.1f}%"

    def month(rng: random.Random) -> str:
        return f"{rng.randint(2010, 2024)}-{rng.randint(1, 12):02}"

    def period(rng: random.Random) -> str:
        return "..".join(sorted((month(rng), month(rng))))

    def file(rng: random.Random) -> str:
        megapixels = rng.choice(("1", "8", "12", "24"))
        return rng.choice(
            (
                f"taken:{period(rng)}", f"added:{period(rng)}", "camera:canon", "camera:sony*", "no camera",
                f"near {rng.uniform(40, 50):.2f},{rng.uniform(0, 10):.2f} {rng.randint(5, 300)}km",
                "portrait", "square", "panorama", f"megapixels:>{megapixels}", "width:4000..6000",
                f"size:<{rng.randint(1, 9)}MB", f"path:*{rng.randint(2010, 2024)}/trip*", "name:IMG_0000*",
                f'path:"trip {rng.randint(0, 1999):04}"', "place:unknown", "iso:>100", "weekend", "in summer",
            )
        )  # fmt: skip

    def sort(rng: random.Random) -> str:
        key = rng.choice(("taken", "added", "size", "megapixels", "path", "name", "width", some(rng, 1)[0]))
        return f"sort:{rng.choice(('', '-'))}{key}"

    def count(rng: random.Random) -> str:
        amounts = ("at least 2", "exactly 1", "2 to 4", "at most 3", "more than 2", "5", "no more than 1")
        return rng.choice(amounts)

    def near(rng: random.Random) -> str:
        return rng.choice(RELATIONS)

    def like(rng: random.Random) -> str:
        return f"like #{rng.randint(1, photos)}{rng.choice(('', ' or mirrored'))}"

    kinds: dict[str, Maker] = {
        "things": lambda rng: " and ".join(some(rng, rng.randint(1, 4))),
        "coverage": lambda rng: ">{} {}, {} <{}, {}".format(
            percent(rng), *some(rng, 2), percent(rng), *some(rng, 1)
        ),
        "range": lambda rng: "{} {} to {}%, no {}".format(
            *some(rng, 1), rng.randint(1, 30), rng.randint(30, 90), *some(rng, 1)
        ),
        "groups": lambda rng: f">{percent(rng)} {rng.choice(groups)}, {either(rng)}, no {either(rng)}",
        "or": lambda rng: "({} or {}) and not ({} or {} > {})".format(*some(rng, 4), percent(rng)),
        "counts": lambda rng: f"{count(rng)} {either(rng)}, {some(rng, 1)[0]}",
        "zones": lambda rng: f"{either(rng)} {rng.choice(ZONES)}",
        "zones and things": lambda rng: "{} {}, {}, {} <{}".format(
            some(rng, 1)[0], rng.choice(ZONES), *some(rng, 2), percent(rng)
        ),
        "counted in zones": lambda rng: f"{count(rng)} {either(rng)} {rng.choice(ZONES)}",
        "relations": lambda rng: "{} {} {}".format(some(rng, 1)[0], near(rng), *some(rng, 1)),
        "relations and things": lambda rng: "{} {} {}, {} <{}, no {}".format(
            some(rng, 1)[0], near(rng), *some(rng, 2), percent(rng), either(rng)
        ),
        "relations of groups": lambda rng: f"{either(rng)} {near(rng)} {either(rng)}",
        "counted relations": lambda rng: f"{count(rng)} {either(rng)} {near(rng)} {either(rng)}",
        "no relation": lambda rng: "no {} {} {}, {}".format(
            some(rng, 1)[0], near(rng), either(rng), *some(rng, 1)
        ),
        "between": lambda rng: "{} between {} and {}".format(*some(rng, 1), either(rng), *some(rng, 1)),
        "around": lambda rng: f"{either(rng)} around {some(rng, 1)[0]}",
        "files": lambda rng: f"{file(rng)}, {file(rng)}",
        "files and things": lambda rng: "{} and >{} {} and {}".format(
            some(rng, 1)[0], percent(rng), *some(rng, 1), file(rng)
        ),
        "sorted": lambda rng: f"{either(rng)}, {sort(rng)}",
        "colours": lambda rng: (
            f"{rng.choice(('red', 'blue', 'green', 'white', 'black'))} {some(rng, 1)[0]}, {either(rng)}"
        ),
        "likeness": like,
        "likeness and things": lambda rng: f"{like(rng)}, {either(rng)}, no {some(rng, 1)[0]}",
        "likeness and files": lambda rng: f"{like(rng)}, {file(rng)}",
        "more than": lambda rng: "more {} than {}, {}".format(*some(rng, 2), either(rng)),
    }
    return {
        kind: list(dict.fromkeys(make(rng) for rng in [random.Random(kind)] for _ in range(each)))
        for kind, make in kinds.items()
    }


def answered(archive: Any, text: str, number: int) -> Iterator[Any]:
    """What is answered: total and all photos in order with their scores; a page of them, and each
    ``PAGES_OF_ONE_IN``-th time the next."""
    from tests.behaviour.plain import digest

    def told(found: Any) -> str:
        ids, scores, *_ = found.look_up.args  # photos that are looked up have rounded scores
        pairs = [f"#{i} {score!r}" for i, score in zip(ids, scores, strict=True)]
        start = " ".join(pairs[:TOLD_PHOTOS])
        return f"{found.total}: {start} … {len(pairs)} {digest(' '.join(pairs).encode())[:24]}"

    page = archive.find(text, limit=PAGE_PHOTOS)
    yield told(page)
    if page.cursor and number % PAGES_OF_ONE_IN == 0:
        yield told(archive.find(text, limit=PAGE_PHOTOS, after=page.cursor))
    yield told(archive.find(text, limit=None))


def ask(archive: Any, asked: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Answers by question, and the processor time of each kind."""
    from tests.behaviour.plain import attempt

    answers: dict[str, Any] = {}
    seconds = {}
    for kind, texts in asked.items():
        began = time.process_time()
        for number, text in enumerate(texts):
            answers[text] = attempt(lambda *given: list(answered(*given)), archive, text, number)
        seconds[kind] = round(time.process_time() - began, 3)
    return {ANSWERS: answers, SECONDS: seconds}


def lower() -> None:
    """Lower the bounds of LOWERED in the build that is recorded."""
    for (module, names), value in LOWERED.items():
        try:
            owner = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        *path, name = names.split(".")
        for each in path:
            owner = getattr(owner, each)
        if hasattr(owner, name):
            setattr(owner, name, value)


def record(given: argparse.Namespace) -> dict[str, Any]:
    """Everything that is recorded, of the build that was chosen."""
    from dsslic_search import Archive
    from dsslic_search.bench.scale import fill
    from dsslic_search.bench.speed import described
    from dsslic_search.bench.synthetic import Synthetic
    from dsslic_search.core import vocabulary

    lower()
    classes = vocabulary.default()
    features = described(given.maps)
    seen = [0] * len(classes)
    for each in features:
        for class_id, _ in each.coverages:
            seen[class_id] += 1
    things = [classes.classes[c].name for c in sorted(range(1, len(classes)), key=lambda c: -seen[c])]
    groups = [group.name for group in classes.groups]
    found: dict[str, Any] = {MADE_WITH: {"photos": str(given.photos), "maps": str(len(features))}}
    with tempfile.TemporaryDirectory(prefix="behaviour-") as place:
        made, real = Path(place) / "made", Path(place) / "real"
        fill(made, Synthetic(features, given.photos))
        asked = questions(things, groups, given.photos, given.each)
        with Archive(made) as archive:
            found["made"] = ask(archive, asked)
        if given.archive is not None:
            shutil.copytree(given.archive, real)
            with Archive(real) as archive:
                count = archive.find("is:any", limit=0).total
                found["real"] = ask(archive, questions(things, groups, count, given.each))
    return found


def verdict(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """How many answers were compared and which differ; and how long both took."""
    only = {name: {"before": before[name], "after": after[name]} for name in before.keys() & after.keys()}
    told: dict[str, Any] = {"synthetic photos": int(after[MADE_WITH]["photos"]), "archives": {}}
    for name in sorted(only.keys() - {MADE_WITH}):
        both = [{MADE_WITH: {}, name: only[name][when][ANSWERS]} for when in ("before", "after")]
        differing = sorted({each.place[1] for each in compared(*both).differences})
        answers = both[1][name]
        spent = {when: sum(only[name][when][SECONDS].values()) for when in ("before", "after")}
        told["archives"][name] = {
            "questions": len(answers),
            "of these errors": sum("error" in each for each in answers.values()),
            "of these with photos": sum(
                isinstance(each, list) and each[0][:2] != "0:" for each in answers.values()
            ),
            "differing": len(differing),
            "which": differing,
            "processor seconds before": round(spent["before"], 1),
            "processor seconds after": round(spent["after"], 1),
        }
    told["questions"] = sum(each["questions"] for each in told["archives"].values())
    told["differing"] = sum(each["differing"] for each in told["archives"].values())
    return told


def main() -> None:
    """Record or compare, as the arguments ask."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.behaviour.large",
        description=tests.behaviour.large.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    doing = parser.add_subparsers(dest="doing", required=True)
    recording = doing.add_parser("record", help="write what the archives answer")
    recording.add_argument("out", type=Path, metavar="OUT.json")
    recording.add_argument("--maps", type=Path, metavar="DIR", action="append", required=True)
    recording.add_argument("--source", type=Path, metavar="DIR", default=environment.TREE)
    recording.add_argument("--archive", type=Path, metavar="DIR", help="an archive of real photos")
    recording.add_argument("--photos", type=int, metavar="N", default=20_000)
    recording.add_argument("--each", type=int, metavar="N", default=100, help="questions of each kind")
    comparing = doing.add_parser("compare", help="print which answers differ; 1 if any does")
    comparing.add_argument("before", type=Path, metavar="BEFORE.json")
    comparing.add_argument("after", type=Path, metavar="AFTER.json")
    comparing.add_argument("--out", type=Path, metavar="RESULT.json")
    given = parser.parse_args()
    if given.doing == "record":
        environment.settle("tests.behaviour.large")
        environment.choose(given.source.resolve())
        given.out.write_text(json.dumps(record(given), indent=1))
        return
    told = verdict(*(json.loads(path.read_text()) for path in (given.before, given.after)))
    sys.stdout.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    if given.out is not None:
        from dsslic_search.bench.record import record as headed

        command = "python -m tests.behaviour.large " + " ".join(sys.argv[1:])
        text = json.dumps(headed(told) | {"command": command}, indent=1, ensure_ascii=False)
        given.out.write_text(text + "\n")
    sys.exit(1 if told["differing"] else 0)


if __name__ == "__main__":
    main()
