"""How far words can be trusted: of the photos that answered to one, how many people say that they show it.

``trust.json`` beside this module has the classes, `training.trust` writes it; image words have theirs beside
their thresholds (`core.wordnet`). Of a word that is in neither, nothing was measured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("trust.json")
MIN_PRECISION = 0.5  # a word of less is right less often than wrong
MIN_PHOTOS = 5  # showing a word: of fewer the figures say little


@dataclass(frozen=True)
class Trust:
    """Precision and recall, 0..1, where ``photos`` showed the word."""

    precision: float
    recall: float
    photos: int

    @property
    def mostly_wrong(self) -> bool:
        """Whether most answers are wrong, as far as that was measured."""
        return self.photos >= MIN_PHOTOS and self.precision < MIN_PRECISION


def of_class(name: str) -> Trust | None:
    """That of a class of the shipped vocabulary; None where nothing was measured."""
    return _classes().get(name)


@cache
def _classes() -> dict[str, Trust]:
    stored = json.loads(TABLE.read_text("utf-8"))
    return {name: Trust(**row) for name, row in stored["classes"].items()}


def in_words(trust: Trust | None) -> str:
    """A trust as part of a line for people."""
    if trust is None:
        return "not measured"
    few = ", of few photos" if trust.photos < MIN_PHOTOS else ""
    return f"{trust.precision:.0%} of answers right, {trust.recall:.0%} found{few}"
