"""`functools.cached_property` without a lock.

That of Python 3.11 holds one lock for all objects of a class while a value is computed, so that threads with
objects of their own wait for each other; from 3.12 on it has none. Threads that first ask one object at once
may compute a value each; of what must not be had twice there is `opened_property`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

__all__ = ["cached_property", "opened_property"]

if TYPE_CHECKING:
    from functools import cached_property
    from functools import cached_property as opened_property
else:

    class _Property:
        def __init__(self, compute: Callable[[Any], Any]) -> None:
            self._compute = compute
            self.__doc__ = compute.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self._name = name

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            """Asked for once: from then on the value in the object's own dictionary comes first."""
            return self if instance is None else self._of(instance)

    class cached_property(_Property):
        def _of(self, instance: Any) -> Any:
            value = self._compute(instance)
            return instance.__dict__.setdefault(self._name, value)

    class opened_property(_Property):
        """The same with a lock of the object's own, its `turn`: of what holds files or processes."""

        def _of(self, instance: Any) -> Any:
            with instance.turn:
                if self._name not in instance.__dict__:
                    instance.__dict__[self._name] = self._compute(instance)
                return instance.__dict__[self._name]
