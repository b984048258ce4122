"""All targets by name."""

from __future__ import annotations

from functools import cache

from tests.attacks import codec, kept, labelled, served, texts
from tests.attacks.target import Target


@cache
def by_name() -> dict[str, Target]:
    return {
        target.name: target for module in (codec, texts, kept, served, labelled) for target in module.TARGETS
    }
