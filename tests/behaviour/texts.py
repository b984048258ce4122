"""What is asked: texts listed in files beside this one, and queries put together of parts."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent


def listed(name: str) -> list[str]:
    """The lines of a list beside this file, as in ``listed("calls/reading")``."""
    return (HERE / f"{name}.txt").read_text().split("\n")[:-1]


KINDS = (
    "examples",
    "names",
    "coverage",
    "counts",
    "zones",
    "relations",
    "likeness",
    "dates",
    "facts",
    "orders",
    "combinations",
)
QUERIES = [text for kind in KINDS for text in listed(f"queries/{kind}")]
REFUSED = [*listed("queries/refused"), "sort:- "]  # a space at the end of a line would be cut by editors
OF_TODAY = listed("queries/of_today")
PAGED = listed("queries/paged")
RELATIONS = listed("parts/relations")
ZONES = listed("parts/zones")
AMOUNTS = listed("parts/amounts")
PAIRS = (("person", "grass"), ("vehicle", "road"), ("boats", "body of water"))
THINGS = ("sky", "people", "vehicle", "body of water", "trees")
FACTS = (
    "taken:2019..2023",
    "camera:canon",
    "portrait",
    "keep:layers",
    "tag:best",
    "width:>100",
    "place:unknown",
)
COMBINATIONS = 160  # queries
LONG = {
    "10 000 characters": "sky, " * 2000,
    "10 001 characters": "sky, " * 2000 + "a",
    "60 parentheses": "(" * 60 + "sky" + ")" * 60,
    "40 nots": "not " * 40 + "sky",
    "60 nots": "not " * 60 + "sky",
}


def crossed() -> Iterator[str]:
    """Every relation, zone and amount with a few things each."""
    yield from (f"{a} {relation} {b}" for relation in RELATIONS for a, b in PAIRS)
    yield from (f"{thing} in the {zone}" for zone in ZONES for thing in ("person", "vehicles"))
    yield from (f"{thing} {amount}" for thing in THINGS for amount in AMOUNTS)
    yield from (f"at least 2 {a} {relation} road" for a in ("people", "cars") for relation in RELATIONS[::7])
    yield from (f"no person {relation} tree" for relation in RELATIONS[::5])


def predicate(chosen: random.Random) -> str:
    """One predicate, of a kind that is chosen at random."""
    thing = chosen.choice(THINGS)
    kinds = (
        thing,
        f"no {thing}",
        f"mostly {thing}",
        f"{thing} {chosen.choice(AMOUNTS)}",
        f"{thing} in the {chosen.choice(ZONES)}",
        f"{thing} {chosen.choice(RELATIONS)} {chosen.choice(('road', 'grass', 'tree', 'sea'))}",
        chosen.choice(FACTS),
    )
    return chosen.choice(kinds)


def combination(depth: int, chosen: random.Random) -> str:
    """Predicates put together at random in parentheses, at most ``depth`` deep."""
    if depth == 0 or chosen.random() < 0.2:
        return predicate(chosen)
    parts = [combination(depth - 1, chosen) for _ in range(chosen.randrange(2, 4))]
    whole = "(" + chosen.choice((" and ", " or ", ", ", " but ", " | ")).join(parts) + ")"
    return f"not {whole}" if chosen.random() < 0.25 else whole


def combinations() -> Iterator[str]:
    """Predicates put together at random, always the same ones; every sixth is sorted."""
    chosen = random.Random(7)
    for number in range(COMBINATIONS):
        text = combination(1 + number % 3, chosen)
        if number % 6 == 0:
            text += f", sort:{chosen.choice(('-', ''))}{chosen.choice(('sky', 'taken', 'size'))}"
        yield text


def each_word(words: Mapping[str, Sequence[str]]) -> list[str]:
    """Names and synonyms with their plurals, where adding an s makes one."""
    names = [word for name, others in words.items() for word in (name, *others)]
    return list(dict.fromkeys([*names, *(f"{name}s" for name in names)]))
