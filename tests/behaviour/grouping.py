"""Differences that are alike, told together: one group for each pattern of what was and what is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.behaviour.comparison import NOTHING, Comparison, Difference, Place

PLACES_TOLD = 3  # of each group
CHARACTERS_TOLD = 300  # of each pattern
SHARE_OF_ONE_TEXT = 0.5  # of words that two texts have in common, below which they are told whole
WORDS = re.compile(r"[\w.]*\w|\s+|.", re.DOTALL)
# One digit is told as it is: exit codes, and whether something is there at all.
NUMBERS = ((re.compile(r"\b[0-9a-f]{64}\b"), "<hash>"), (re.compile(r"\b\d[\d.]*\d\b"), "<n>"))


@dataclass(frozen=True)
class Group:
    """Differences of one pattern."""

    pattern: str
    differences: list[Difference]

    def __str__(self) -> str:
        """How many, the pattern, and the first places."""
        places = [" › ".join(each.place) for each in self.differences]
        shown = [
            *places[:PLACES_TOLD],
            *([f"and {len(places) - PLACES_TOLD} more"] * (len(places) > PLACES_TOLD)),
        ]
        cut = "…" if len(self.pattern) > CHARACTERS_TOLD else ""
        return "\n      ".join([f"{len(places)} × {self.pattern[:CHARACTERS_TOLD]}{cut}", *shown])


def grouped(comparison: Comparison) -> list[Group]:
    """The differences in groups, the largest first.

    Values that both records have are alike if the same words of them were changed for the same, long numbers
    aside. Values that one of them has are alike if keys of the same names are gone and new side by side."""
    before, after = beginnings(comparison.before), beginnings(comparison.after)
    groups: dict[str, list[Difference]] = {}
    one_sided: dict[Place, list[tuple[str, Difference]]] = {}
    for difference in comparison.differences:
        if difference.was is NOTHING or difference.now is NOTHING:
            others = before if difference.was is NOTHING else after
            parent, key = parting(difference.place, others)
            one_sided.setdefault(parent, []).append((key, difference))
        else:
            groups.setdefault(changed(difference), []).append(difference)
    for found in one_sided.values():
        groups.setdefault(replaced(found), []).extend(difference for _, difference in found)
    return sorted((Group(*each) for each in groups.items()), key=lambda group: -len(group.differences))


def beginnings(places: Iterable[Place]) -> set[Place]:
    """The places, and every place on the way to them."""
    return {place[:depth] for place in places for depth in range(len(place) + 1)}


def parting(place: Place, others: set[Place]) -> tuple[Place, str]:
    """The deepest place above ``place`` that the other record has too, and the key by which they part."""
    depth = next(depth for depth in reversed(range(len(place))) if place[:depth] in others)
    return place[:depth], place[depth]


def replaced(found: Sequence[tuple[str, Difference]]) -> str:
    """The keys that are gone from a place and those that are new there."""
    gone = sorted({key for key, difference in found if difference.now is NOTHING})
    new = sorted({key for key, difference in found if difference.was is NOTHING})
    return f"keys {', '.join(gone) or 'nothing'} → {', '.join(new) or 'nothing'}"


def changed(difference: Difference) -> str:
    """The key of a value, and the words of it that were changed for others, each pair of them once."""
    pairs = dict.fromkeys(fragments(lines(difference.was), lines(difference.now)))
    key = next((key for key in reversed(difference.place) if not key.isdecimal()), "")
    return f"{key}: " + "; ".join(f"{was or 'nothing'} → {now or 'nothing'}" for was, now in pairs)


def lines(value: Any) -> list[str]:
    """The items of a list as texts, or anything else as one."""
    return [str(item) for item in value] if isinstance(value, list) else [repr(value)]


def fragments(was: Sequence[str], now: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What was replaced by what, word by word in lines that stand for one another, line by line elsewhere."""
    for kind, i, j, k, m in difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes():
        if kind == "replace" and j - i == m - k:
            for old, new in zip(was[i:j], now[k:m], strict=True):
                yield from word_by_word(old, new)
        elif kind != "equal":
            yield generalised(" ⏎ ".join(was[i:j])), generalised(" ⏎ ".join(now[k:m]))


def word_by_word(was: str, now: str) -> Iterator[tuple[str, str]]:
    """The runs of words, spaces and signs that differ in two texts; both texts if they share little."""
    old, new = WORDS.findall(was), WORDS.findall(now)
    matching = difflib.SequenceMatcher(None, old, new, autojunk=False)
    if matching.ratio() < SHARE_OF_ONE_TEXT:
        yield generalised(was), generalised(now)
        return
    for kind, i, j, k, m in matching.get_opcodes():
        if kind != "equal":
            yield generalised("".join(old[i:j])), generalised("".join(new[k:m]))


def generalised(text: str) -> str:
    """A text in which all long numbers, and all hashes, are the same."""
    for pattern, shown in NUMBERS:
        text = pattern.sub(shown, text)
    return text
