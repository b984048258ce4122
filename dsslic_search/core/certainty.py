"""How sure it is that a photo shows a class: the mean probability of its labels, kept as a byte."""

from __future__ import annotations

CERTAIN = 255
"""The byte that stands for a probability of 1."""
UNKNOWN_CERTAINTY = 190
"""What a class counts as in photos whose files do not say how sure the segmenter was: about the mean of those
that do (189 over 1 616 classes that validation photos show), so that neither come first for that."""


def probability(certainty: int | None) -> float | None:
    """0..1; None where it is not known."""
    return None if certainty is None else round(certainty / CERTAIN, 4)
