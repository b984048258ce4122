"""Orders on random archives against the plain definition: a number of each photo, those without it last,
equal ones newest first, then by id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from math import ceil

import numpy as np
import pytest

from dsslic_search.core.fields import SORTED_BY
from dsslic_search.index.quanta import QUANTA
from dsslic_search.query.ast import Presence, Sort
from dsslic_search.query.plan import plan
from dsslic_search.query.run.evaluate import Evaluation, Operands
from dsslic_search.query.run.order import Order, order_of
from tests.query.made import NOON, MadeArchive, MadePhoto
from tests.query.test_exactness import THINGS, made_archive

NUMBERS: dict[str, Callable[[MadePhoto], object]] = {
    "megapixels": lambda photo: photo.width * photo.height,
    "path": lambda photo: (photo.path.lower(), photo.path),
    "name": lambda photo: (photo.path.rpartition("/")[2].lower(), photo.path.rpartition("/")[2]),
}
"""What photos are ordered by, where they have no attribute of that name."""


def walked(order: Order, mask: np.ndarray, limit: int | None) -> list[int]:
    """The rows of all pages of so many, one after another."""
    found: list[int] = []
    after, more = None, True
    while more:
        best, more = order.page(mask, limit, after)
        assert limit is None or best.rows.size == limit or not more
        found += best.rows.tolist()
        after = (order.number(order.kept(best)[-1]), found[-1] + 1) if found else None
    return found


def expected(photos: list[MadePhoto], number: Callable[[MadePhoto], object], descending: bool) -> list[int]:
    numbers = [number(photo) for photo in photos]
    known = [row for row, of_row in enumerate(numbers) if of_row is not None]
    rank = {of_row: at for at, of_row in enumerate(sorted({numbers[row] for row in known}))}  # type: ignore[type-var]
    known.sort(key=lambda row: rank[numbers[row]] * (-1 if descending else 1))
    return known + [row for row, of_row in enumerate(numbers) if of_row is None]


def evaluation_of(archive: MadeArchive) -> Evaluation:
    (indexes,) = archive.indexes()
    return Evaluation(indexes, Operands(lambda operand, mirrored: np.empty(0), {}))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("key", SORTED_BY)
def test_facts(key: str, descending: bool) -> None:
    for seed in range(8):
        rng = np.random.default_rng(seed)
        archive = made_archive(rng)
        photos, mask = archive.in_order, rng.random(len(archive.photos)) < 0.8
        number = NUMBERS.get(key, lambda photo: getattr(photo, key))
        order = order_of(Sort(key, None, descending), plan(None, 1), evaluation_of(archive))
        rows = [row for row in expected(photos, number, descending) if mask[row]]
        assert [walked(order, mask, limit) for limit in (None, 1, 3)] == [rows] * 3


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.name)
def test_things_and_groups(thing: object, descending: bool) -> None:
    """By what they cover, of each class rounded up to 1/65000."""

    def number(photo: MadePhoto) -> int:
        of_each = [photo.pixels[c] for c in thing.classes]  # type: ignore[attr-defined]
        return min(sum(ceil(pixels * QUANTA / photo.label_map.size) for pixels in of_each), QUANTA)

    for seed in range(8):
        archive = made_archive(np.random.default_rng(seed))
        photos, mask = archive.in_order, np.ones(len(archive.photos), bool)
        sort = Sort("thing", thing, descending)  # type: ignore[arg-type]
        order = order_of(sort, plan(None, 1), evaluation_of(archive))
        assert walked(order, mask, 3) == expected(photos, number, descending)


def test_photos_that_show_equally_much_come_by_certainty_then_by_date_then_by_id() -> None:
    rng = np.random.default_rng(3)
    [sky] = [thing for thing in THINGS if thing.name == "sky"]
    half = np.array([[sky.classes[0], 0]], np.uint8)
    photos = [
        MadePhoto(
            id=photo_id,
            label_map=half,
            taken=NOON + int(rng.integers(3)) * timedelta(days=1),
            certainties={sky.classes[0]: int(rng.choice([60, 150, 254]))},
        )
        for photo_id in rng.permutation(40).tolist()
    ]
    best = replace(photos[0], id=1000, label_map=np.full((1, 1), sky.classes[0], np.uint8))
    archive = MadeArchive([*photos, best])
    step, evaluation = plan(Presence(sky), 1), evaluation_of(archive)
    mask = step.mask(evaluation)
    plainly = sorted(photos, key=lambda p: (-p.certainty(sky.classes[0]), NOON - p.moment, p.id))
    sureness = best.certainty(sky.classes[0]) / 255
    ahead = [p for p in plainly if p.certainty(sky.classes[0]) / 255 / 2 > sureness]
    wanted = [p.id for p in [*ahead, best, *plainly[len(ahead) :]]]
    for limit in (None, 1, 7):
        rows = walked(order_of(None, step, evaluation), mask, limit)
        assert [archive.in_order[row].id for row in rows] == wanted
