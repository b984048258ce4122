"""Made-up bytes from sound ones: a few changes each, of the kinds that parsers stumble over."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

MOST_CHANGES = 6
LARGEST = 1 << 16  # bytes of an input
MOST_VALUES = 1000  # of a JSON text that is changed again

_SIDES = [1 << n for n in (7, 8, 15, 16, 20, 24, 31, 32, 63, 64)]
NUMBERS = sorted({0, 1, 2, 3, *(side + by for side in _SIDES for by in (-1, 0, 1))})
"""What a number is replaced with: the ends of what types can hold, and their neighbours."""

Words = Sequence[bytes]


def mutated(sound: Sequence[bytes], words: Words, random_: random.Random) -> bytes:
    """One of the ``sound`` inputs with one change or a few; some of them put in one of ``words``."""
    data = bytearray(random_.choice(sound))
    for _ in range(1 + int(random_.random() ** 2 * MOST_CHANGES)):
        _change(data, sound, words, random_)
    return bytes(data[:LARGEST])


def _change(data: bytearray, sound: Sequence[bytes], words: Words, random_: random.Random) -> None:
    at = random_.randrange(len(data) + 1)
    way = random_.randrange(10)
    if way == 0 and at < len(data):
        data[at] ^= 1 << random_.randrange(8)
    elif way == 1 and at < len(data):
        data[at] = random_.randrange(256)
    elif way == 2 and at < len(data):
        data[at] = random_.choice((0, 1, 127, 128, 254, 255))
    elif way == 3:  # a number of two, four or eight bytes, in either order
        wide = random_.choice((2, 4, 8))
        value = random_.choice(NUMBERS) & (1 << 8 * wide) - 1
        data[at : at + wide] = value.to_bytes(wide, random_.choice(("little", "big")))
    elif way == 4:
        del data[at : at + _length(random_, len(data))]
    elif way == 5:
        part = data[at : at + _length(random_, len(data))]
        to = random_.randrange(len(data) + 1)
        data[to:to] = part * (1 if random_.random() < 0.9 else random_.randrange(2, 40))
    elif way == 6:
        data[at:at] = random_.randbytes(random_.randrange(1, 9))
    elif way == 7 and words:
        word = random_.choice(words)
        data[at : at + (len(word) if random_.random() < 0.5 else 0)] = word
    elif way == 8:  # what another one has there
        other = random_.choice(sound)
        start = at if random_.random() < 0.5 else random_.randrange(len(other) + 1)
        data[at : at + _length(random_, len(data))] = other[start : start + _length(random_, len(other))]
    else:
        del data[at:]
    del data[LARGEST:]


def _length(random_: random.Random, size: int) -> int:
    """Mostly a few bytes, sometimes much."""
    return random_.randrange(1, 9) if random_.random() < 0.7 else random_.randrange(size + 1)


ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, 1e308, -1e308, 2**31, 2**63, 2**64, -(2**63), 10**400, "", "a", "0",
    "\0", "\ud800", "é" * 200, "#ff0000", [], {}, [[]], [None], {"": 0}, [0] * 300, float("nan"),
    float("inf"),
)  # fmt: skip


def changed_json(text: bytes, random_: random.Random) -> bytes:
    """A JSON text with some of its values replaced by odd ones, left out, doubled or exchanged."""
    value = json.loads(text)
    for _ in range(random_.randrange(1, 4)):
        every = _within(value)
        holders = [each for each in every if isinstance(each, dict | list) and each]
        if not holders or len(every) == MOST_VALUES:
            break
        holder = random_.choice(holders)
        key = random_.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        way = random_.randrange(6)
        if way == 0:
            del holder[key]
        elif way == 1:
            holder[key] = deepcopy(random_.choice(every))
        elif way == 2 and isinstance(holder, dict):
            holder[random_.choice(("", "a", "classes", "shape", "0", "\ud800"))] = holder.pop(key)
        elif way == 3 and isinstance(holder, list):
            holder.extend([holder[key]] * random_.choice((1, 2, 300)))
        elif way == 4 and isinstance(holder[key], int | float) and not isinstance(holder[key], bool):
            holder[key] = random_.choice(
                (holder[key] + 1, -holder[key], holder[key] * 1000, holder[key] // 3)
            )
        else:
            holder[key] = deepcopy(random_.choice(ODD))
    return json.dumps(value).encode()[:LARGEST]


def _within(value: Any) -> list[Any]:
    """A value and all that is in it, each before what is in it; no more than are changed again."""
    found, ahead = [], [value]
    while ahead and len(found) < MOST_VALUES:
        each = ahead.pop()
        found.append(each)
        if isinstance(each, dict):
            ahead += reversed(each.values())
        elif isinstance(each, list):
            ahead += reversed(each)
    return found


def json_or_bytes(words: Words) -> Callable[[random.Random, Sequence[bytes]], bytes]:
    """Makes inputs of JSON texts: their values changed, or their bytes."""

    def made(random_: random.Random, sound: Sequence[bytes]) -> bytes:
        text = random_.choice(sound)
        start = next((at for at in (0, 1) if text[at : at + 1] in (b"{", b"[")), 2)
        if start > 1 or random_.random() < 0.3:
            return mutated([text], words, random_)
        return text[:start] + changed_json(text[start:], random_)

    return made
