"""All targets by name."""

from __future__ import annotations

from functools import cache

from tests.attacks import codec, kept, served, texts
from tests.attacks.target import Target


@cache
def by_name() -> dict[str, Target]:
    return {
        target.name: target for target in (*codec.TARGETS, *texts.TARGETS, *kept.TARGETS, *served.TARGETS)
    }
