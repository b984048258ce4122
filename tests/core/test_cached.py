from __future__ import annotations

import threading
from functools import partial

from dsslic_search.core.cached import cached_property, opened_property


class Slow:
    def __init__(self, started: threading.Barrier | None = None) -> None:
        self.turn = threading.RLock()
        self.started = started
        self.computed = 0

    def _met(self) -> object:
        self.computed += 1
        if self.started is not None:
            self.started.wait(30)
        return object()

    @cached_property
    def value(self) -> object:
        """What is asked for."""
        return self._met()

    @opened_property
    def opened(self) -> object:
        return self._met()


def test_a_value_is_computed_once_and_can_be_forgotten() -> None:
    for name in ("value", "opened"):
        one = Slow()
        assert getattr(one, name) is getattr(one, name)
        assert one.computed == 1
        first = one.__dict__.pop(name)
        assert getattr(one, name) is not first
    assert Slow.value.__doc__ == "What is asked for."


def test_objects_do_not_wait_for_each_other() -> None:
    """Each computes until the other does, too."""
    for name in ("value", "opened"):
        barrier = threading.Barrier(2)
        others = [Slow(barrier), Slow(barrier)]
        threads = [threading.Thread(target=partial(getattr, each, name)) for each in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [name in each.__dict__ for each in others] == [True, True], name


def test_what_must_not_be_had_twice_is_not() -> None:
    one = Slow()
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(one.opened)) for _ in range(8)]
    with one.turn:  # so that all of them ask before any has it
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert (one.computed, len(set(map(id, found)))) == (1, 1)
