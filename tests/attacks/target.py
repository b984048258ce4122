"""What is attacked: a place where bytes from elsewhere come in."""

from __future__ import annotations

import atexit
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property

from tests.attacks.mutate import Words, mutated

Attack = Callable[[bytes], bool]
"""Takes made-up bytes: True where they were taken, False where they were refused as they should be. Whatever
else comes out is a fault."""

_OPEN = ExitStack()


def keep_open(*closes: Callable[[], object]) -> None:
    """What an attack keeps open is closed by these, the last one first, when `close_all` is called, or else
    when the process ends; not by the garbage collector, which may run in a thread that may not close it."""
    for close in closes:
        _OPEN.callback(close)
    atexit.register(close_all)


def close_all() -> None:
    """Attacks that are open are of no use from now on."""
    _OPEN.close()


@dataclass
class Target:
    """``opened`` makes what is attacked ready and returns the attack; ``sound`` makes inputs that are taken,
    which others are made up from. ``mend`` makes a made-up input pass the first checks, such as checksums.
    ``seconds`` of processor time, and ``megabytes`` beyond what the sound inputs took, that one may cost."""

    name: str
    what: str
    opened: Callable[[], Attack]
    sound: Callable[[], Sequence[bytes]]
    words: Words = ()
    mend: Callable[[bytes], bytes] | None = None
    seconds: float = 1.0
    megabytes: int = 64
    short: int = 300
    """Inputs in the short form."""
    made: Callable[[random.Random, Sequence[bytes]], bytes] | None = field(default=None)
    """Makes an input up, in place of changing bytes."""
    compiled: Callable[[], object] | None = None
    """Compiles what the long run tries as machine code, which the short form tries as plain Python."""

    @cached_property
    def seeds(self) -> tuple[bytes, ...]:
        return tuple(self.sound())

    def input(self, seed: int, number: int) -> bytes:
        """The input of a number: the same whenever it is asked for."""
        random_ = random.Random(f"{self.name} {seed} {number}")
        if self.made is not None:
            return self.made(random_, self.seeds)
        data = mutated(self.seeds, self.words, random_)
        return data if self.mend is None or random_.random() < 0.1 else self.mend(data)
