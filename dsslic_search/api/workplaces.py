"""Where the work of a call is done: in this process, or on the machines of a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypedDict

from dsslic_search.api.arguments import count_of, text_of

if TYPE_CHECKING:
    from typing import NotRequired

    from dsslic_search.archive.ingest.encode import Prepare
    from dsslic_search.archive.ingest.memory import Weigh
    from dsslic_search.core.workplace import Workplace


class Encoders(TypedDict):
    """How an ingest has photos encoded, as keywords of `archive.ingest.run.ingest`."""

    workers: int
    prepare: NotRequired[Prepare]
    weigh: NotRequired[Weigh]


def workers_of(number: int | None) -> int | None:
    """How much goes on at once; UsageError for what cannot be."""
    return None if number is None else count_of(number, "workers", 1)


@contextmanager
def workplace(ray: str | None, workers: int | None) -> Iterator[Workplace]:
    """The Ray cluster at an address, see `core.ray_cluster.connected`, or without one this process."""
    at_once = workers_of(workers)
    if ray is None:
        from dsslic_search.core.workplace import here

        yield here(at_once)
        return
    from dsslic_search.core.ray_cluster import connected

    with connected(text_of(ray, "ray"), at_once) as cluster:
        yield cluster


@contextmanager
def encoders(ray: str | None, workers: int | None) -> Iterator[Encoders]:
    """Those of the Ray cluster at an address, or without one threads of this process."""
    at_once = workers_of(workers)
    if ray is None:
        yield {"workers": at_once or os.cpu_count() or 1}
        return
    from dsslic_search.archive.ingest.away import Away, weight_while_away
    from dsslic_search.core.ray_cluster import connected

    with connected(text_of(ray, "ray"), at_once) as cluster:
        yield {
            "workers": cluster.at_once,
            "prepare": Away(cluster).prepare,
            "weigh": weight_while_away,
        }
