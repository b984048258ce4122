"""Label maps of other programs, in each format that is read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache

import numpy as np

from dsslic_search.core.errors import FormatError, PhotoError
from tests.attacks.codec import labels, refuses
from tests.attacks.mutate import changed_json, mutated
from tests.attacks.target import Attack, Target
from tests.attacks.texts import JSON_WORDS, XML_WORDS, folder

MOST_PIXELS = 1 << 16
WORDS = (*JSON_WORDS, *XML_WORDS, b"nan", b"inf", b"1e400", b",", b":", b"0 ", b"width=", b"\n- ", b"rle")


@cache
def sets() -> list[list[tuple[str, bytes]]]:
    """The files of one map in each format, by name."""
    from dsslic_search.core.vocabulary import default
    from dsslic_search.labels.formats import FORMATS, writer
    from dsslic_search.labels.scene import LabelledImage, Legend

    found = []
    for name in FORMATS:
        to = writer(name, Legend.of(default()))
        image = LabelledImage("photo", "/photos/photo.jpg", labels())
        found.append([*to.image(image), *to.end()])
    return found


def attack() -> Attack:
    """One file of such a set is another one: the first two bytes say which."""
    from dsslic_search.labels import scene
    from dsslic_search.labels.formats import FORMATS, reader

    root = folder() / "labelled"
    for form, files in zip(FORMATS, sets(), strict=True):
        for name, data in files:
            (root / form / name).parent.mkdir(parents=True, exist_ok=True)
            (root / form / name).write_bytes(data)

    def read(data: bytes) -> None:
        which, at = (data[:2] + b"\0\0")[:2]
        form = which % len(FORMATS)
        name, sound = sets()[form][at % len(sets()[form])]
        path = root / FORMATS[form] / name
        try:
            path.write_bytes(data[2:])
            found = reader(FORMATS[form], MOST_PIXELS)(root / FORMATS[form])
            for image in found.images:
                assert image.labels.dtype == np.uint8 and image.labels.size <= MOST_PIXELS
                assert isinstance(image.picture, str)
                named = np.unique(image.labels)
                assert all(number < len(found.names) or number == scene.UNKNOWN for number in named.tolist())
        finally:
            path.write_bytes(sound)

    return refuses(read, FormatError, PhotoError)


def every() -> list[bytes]:
    return [
        bytes([form, at]) + data for form, files in enumerate(sets()) for at, (_, data) in enumerate(files)
    ]


def made(random_: random.Random, sound: Sequence[bytes]) -> bytes:
    whole = random_.choice(sound)
    which, data = whole[:2], whole[2:]
    if data[:1] in (b"{", b"[") and random_.random() < 0.7:
        return which + changed_json(data, random_)
    return which + mutated([data], WORDS, random_)


TARGETS = (Target("labels", "label maps of other programs", attack, every, made=made, short=200),)
