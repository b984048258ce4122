"""The differences of two records, one by one."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MADE_WITH = "made with"  # the key of what explains differences between machines
SECTIONS = ("codec", "archives", "api", "stored", "commands")
NOTHING = object()
"""In place of a value that only the other record has."""

Place = tuple[str, ...]
"""The keys that lead to a value, numbers of list items among them."""


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every value that is neither a mapping nor a list of mappings or lists, with its place."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*place, key))
    elif isinstance(value, list) and any(isinstance(inner, (dict, list)) for inner in value):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*place, str(number)))
    else:
        yield place, value


@dataclass(frozen=True)
class Difference:
    """A value that two records do not agree on; ``NOTHING`` where only one of them has it."""

    place: Place
    was: Any
    now: Any

    def __str__(self) -> str:
        """Where on the first line, then what was and what is."""
        where = " › ".join(self.place)
        if isinstance(self.was, list) and isinstance(self.now, list):
            items, others = ([str(item) for item in value] for value in (self.was, self.now))
            told = itertools.islice(difflib.unified_diff(items, others, n=0, lineterm=""), 2, None)
            return "\n    ".join([f"{where}:", *(line for line in told if not line.startswith("@@"))])
        was, now = ("nothing" if value is NOTHING else repr(value) for value in (self.was, self.now))
        return f"{where}:\n    -{was}\n    +{now}"


@dataclass(frozen=True)
class Comparison:
    """``before``, ``after``: the values of the sections that both records have, by their places."""

    before: dict[Place, Any]
    after: dict[Place, Any]
    left_out: tuple[str, ...]
    """Sections that only one of the records has."""
    same_versions: bool
    """Whether both were made with the same packages on a machine of the same kind."""

    @property
    def differences(self) -> list[Difference]:
        """In the order of ``before``, then what is new; values of another type differ, as 1 and 1.0."""
        found = []
        for place in dict.fromkeys([*self.before, *self.after]):
            was, now = self.before.get(place, NOTHING), self.after.get(place, NOTHING)
            if repr(was) != repr(now):
                found.append(Difference(place, was, now))
        return found

    @property
    def counts(self) -> str:
        """How many values were compared, and how many differ."""
        both = len(self.before.keys() & self.after.keys())
        differing = self.differences
        changed = sum(each.was is not NOTHING and each.now is not NOTHING for each in differing)
        gone, new = len(self.before) - both, len(self.after) - both
        return (
            f"{len(self.before)} values before, {len(self.after)} after, {both} in both; "
            f"{changed} differ, {gone} gone, {new} new: {len(differing)} differences"
        )


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> Comparison:
    """The comparison of two records."""
    left_out = (before.keys() ^ after.keys()) - {MADE_WITH}
    old, new = (
        dict(leaves({k: v for k, v in each.items() if k != MADE_WITH and k not in left_out}))
        for each in (before, after)
    )
    return Comparison(old, new, tuple(sorted(left_out)), before[MADE_WITH] == after[MADE_WITH])
