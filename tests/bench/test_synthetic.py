"""Made-up catalogs are such that indexes can be built of them, always the same, and like what they are made
from."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.archive.features import MapFeatures, features_of
from dsslic_search.bench.synthetic import Synthetic, SyntheticSource
from dsslic_search.core.fields import INDEXED
from dsslic_search.core.vocabulary import default
from dsslic_search.features.coverage import unpack_shown
from dsslic_search.features.embedding import DIMENSION
from dsslic_search.index.known_files import NOTHING
from dsslic_search.index.segments import open_segments
from dsslic_search.query.run.execute import Indexes, answer

V = default()
SKY, ROAD, CAR = (V.id_of(n) for n in ("sky", "road", "car"))


@cache
def models() -> list[MapFeatures]:
    rng = np.random.default_rng(0)
    maps = []
    for _ in range(12):
        label_map = np.full((20, 30), ROAD, np.uint8)
        label_map[: int(rng.integers(1, 12))] = SKY
        label_map[15:18, : int(rng.integers(0, 9))] = CAR
        maps.append(label_map)
    return [features_of(label_map, V) for label_map in maps]


def test_the_same_seed_makes_the_same_catalog() -> None:
    one, same, other = (Synthetic(models(), 300, seed) for seed in (1, 1, 2))
    assert (
        one.newest_first().moments.tolist()
        == same.newest_first().moments.tolist()
        != other.newest_first().moments.tolist()
    )
    assert one.covering(SKY)[1].tolist() == same.covering(SKY)[1].tolist() != other.covering(SKY)[1].tolist()
    for parts in (Synthetic.embeddings, Synthetic.coverages):
        first, second = ([part.pairs() for part in parts(each)] for each in (one, same))
        assert first == second != []
    with pytest.raises(ValueError, match="no photo"):
        Synthetic([], 10)


def test_photos_are_like_what_they_are_made_from() -> None:
    made = Synthetic(models(), 400)
    ids = made.photo_ids()
    assert sorted(ids.tolist()) == list(range(1, 401))
    assert np.all(np.diff(made.newest_first().moments) <= 0)
    sums = np.zeros(401)
    for class_id in range(len(V)):
        photos, fractions = made.covering(class_id)
        has = {
            i for i, model in enumerate(made.model.tolist(), 1) if class_id in dict(models()[model].coverages)
        }
        assert set(photos.tolist()) == has
        assert np.all(fractions > 0)
        sums[photos] += fractions
    assert np.all(np.abs(sums[1:] - 1) < 1e-3)
    assert np.all(sums <= 1 + 1e-9)
    both = made.covered(ids, (SKY, CAR))
    single = np.zeros((2, 401))
    for row, class_id in zip(single, (SKY, CAR), strict=True):
        photos, fractions = made.covering(class_id)
        row[photos] = fractions
    assert both.tolist() == single.sum(axis=0)[ids].tolist()
    for part in made.embeddings():
        for photo_id, embedding in part.pairs():
            assert embedding is not None
            vector = np.frombuffer(embedding, "<f4")
            assert vector.size == DIMENSION
            assert vector @ np.frombuffer(models()[made.model[photo_id - 1]].embedding, "<f4") > 0.7
    names = [column.name for column in INDEXED]
    parts = list(made.files())
    known = [dict(zip(names, part.columns, strict=True)) for part in parts]
    ids, taken, added = (np.concatenate([each[n] for each in known]) for n in ("id", "taken_at", "added_at"))
    assert ids.tolist() == made.photo_ids().tolist() == [int(i) for part in parts for i in part.ids]
    assert np.where(taken == NOTHING, added, taken).tolist() == made.newest_first().moments.tolist()
    paths = dict(pair for part in made.paths() for pair in part)
    assert [path for part in parts for path in part.paths] == [paths[i] for i in ids.tolist()]


def test_stored_coverages_are_those_of_the_photos() -> None:
    made = Synthetic(models(), 50)
    stored = [pair for part in made.coverages() for pair in part.pairs()]
    assert [photo_id for photo_id, _ in stored] == made.photo_ids().tolist()
    for photo_id, each in stored:
        assert each is not None
        shown = unpack_shown(each)
        assert tuple((c.class_id, c.fraction) for c in shown) == made.features_of(photo_id, b"").coverages
        assert all(c.certainty is not None and c.certainty >= 128 and c.colours for c in shown)


def test_queries_are_answered() -> None:
    source = SyntheticSource(Synthetic(models(), 500))
    indexes = [Indexes.of(segment) for segment in open_segments(source, Path("/dev/null/index"), V).parts]
    by_id = dict(enumerate(source.moment.model.tolist(), 1))
    shows_cars = {i for i, model in by_id.items() if CAR in dict(models()[model].coverages)}
    found = {}
    for text in (
        "1 car",
        "taken:2015.. and portrait",
        "near 45,5 500km and sky",
        "path:trip*1/** or tag:best",
        "camera:canon",
    ):
        found[text] = answer(
            text,
            indexes=indexes,
            vocabulary=V,
            presence=0.005,
            embeddings_of=lambda operand, mirrored: np.empty((0, 0)),
            limit=5,
        )
        assert 0 < found[text].total < 500
    assert set(found["1 car"].all_ids.tolist()) == shows_cars
