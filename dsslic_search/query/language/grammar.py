"""The grammar of one predicate, over the types of its tokens.

Predicates are joined by "or", "and" and the comma, and "not" and parentheses stand before and around them:
"or" binds loosest, "not" tightest (`parse`). Within a predicate nothing repeats and nothing nests. So its
grammar has few sentences, all of them are written out once, and to parse is to look up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product

MAX_PREDICATE_TOKENS = 10
"""The longest is "between 2 and 4 red cars between houses and trees", though no photo is known to show it."""

RULES = {
    "present": ("THING where?",),
    "coloured": ("COLOUR THING where?",),
    "uncounted": ("count COLOUR THING where?",),
    "tinted": ("COLOUR",),
    "counted": ("count THING where?", "THING bounds where?"),
    "compared": ("COMPARE AMOUNT THING", "THING COMPARE AMOUNT"),
    "ranged": ("BETWEEN AMOUNT MID AMOUNT THING", "THING BETWEEN AMOUNT MID AMOUNT"),
    "about": ("AMOUNT THING", "THING AMOUNT", "ABOUT AMOUNT THING", "THING ABOUT AMOUNT"),
    "mostly": ("MOSTLY THING", "THING MOSTLY"),
    "only": ("ONLY THING", "ONLY THING MID THING", "ONLY THING MID THING MID THING"),
    "barely": ("BARELY THING",),
    "more": ("MORE THING THAN THING", "THING COMPARE THING"),
    "times": (
        "TIMES THING AS THING",
        "COMPARE TIMES THING AS THING",
        "ABOUT TIMES THING AS THING",
        "THING TIMES THING",
        "THING COMPARE TIMES THING",
        "THING ABOUT TIMES THING",
    ),
    "lots": ("LOTS THING where?",),
    "large": ("LARGE THING where?", "LARGE COLOUR THING where?"),
    "small": ("SMALL THING where?", "SMALL COLOUR THING where?"),
    "little": ("LITTLE THING",),
    "like": ("LIKE OPERAND", "LIKE OPERAND MIRRORED"),
    "filter": ("FILTER",),
    "everything": ("EVERYTHING",),
}
"""Rule → its forms, in token types (upper case) and parts (lower case; with "?" where it may be absent)."""

_BOUNDS = ("COMPARE WHOLE", "BETWEEN WHOLE MID WHOLE")
PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "count": {"exactly": ("WHOLE",), "many": ("MANY",), "bounds": _BOUNDS},
    "bounds": {"bounds": _BOUNDS},
    "where": {
        "where": (
            "ZONE",
            "RELATION THING",
            "RELATION COLOUR THING",
            "BETWEEN THING",
            "BETWEEN THING MID THING",
        )
    },
}
"""Part → the rules that it may be, and their forms."""


@dataclass(frozen=True)
class Reading:
    """How the grammar reads a row of token types: the rule, and the indexes of the tokens in their roles.

    ``own`` are those of the rule itself, ``things`` and ``amounts`` some of them; ``number``: the rule that
    says how many regions."""

    rule: str
    own: tuple[int, ...]
    things: tuple[int, ...]
    amounts: tuple[int, ...]
    number: str
    counts: tuple[int, ...]
    where: tuple[int, ...]


def reading_of(types: tuple[str, ...]) -> Reading | int:
    """What the grammar makes of the types of a predicate's tokens; or the index of the first that does not
    fit, their number where the end comes too early."""
    types = types[: MAX_PREDICATE_TOKENS + 1]
    readings, beginnings = _sentences()
    if types in readings:
        return readings[types]
    fitting = 0
    while fitting < len(types) and types[: fitting + 1] in beginnings:
        fitting += 1
    return fitting


@cache
def _sentences() -> tuple[dict[tuple[str, ...], Reading], frozenset[tuple[str, ...]]]:
    """All rows of token types that are a predicate, with their reading, and all that begin one."""
    readings = {}
    for rule, forms in RULES.items():
        for form in forms:
            for chosen in product(*map(_options, form.split())):
                types = tuple(type_ for _, row in chosen for type_ in row)
                readings[types] = _reading(rule, chosen)
    return readings, frozenset(types[:n] for types in readings for n in range(1, len(types) + 1))


_Option = tuple[str, tuple[str, ...]]  # the rule of a part, "" for a token by itself; its token types


def _options(word: str) -> Iterator[_Option]:
    """What a word of a form may stand for."""
    part = word.removesuffix("?")
    if part not in PARTS:
        yield "", (word,)
        return
    if part != word:
        yield part, ()
    for rule, forms in PARTS[part].items():
        for form in forms:
            yield rule, tuple(form.split())


def _reading(rule: str, chosen: tuple[_Option, ...]) -> Reading:
    own: list[tuple[int, str]] = []
    number, at = "", 0
    counts: tuple[int, ...] = ()
    where: tuple[int, ...] = ()
    for part, row in chosen:
        indexes = tuple(range(at, at + len(row)))
        at += len(row)
        match part:
            case "":
                own += zip(indexes, row, strict=True)
            case "where":
                where = indexes
            case _:
                number, counts = part, indexes
    things, amounts = (tuple(i for i, type_ in own if type_ == wanted) for wanted in ("THING", "AMOUNT"))
    return Reading(rule, tuple(i for i, _ in own), things, amounts, number, counts, where)
