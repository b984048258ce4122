import math
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsslic_search.core.vocabulary import default
from dsslic_search.features import embedding as e
from dsslic_search.features.embedding import DIMENSION, embed, mirrored, pack, query, unpack

V = default()
PINNED_BYTES = [18, -42, 8, 38, 8, 10, 28, 18]
MAPS = hnp.arrays(
    np.uint8,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=14),
    elements=st.sampled_from([0, 3, 22, 27, 50]),
)


def scene(*stripes: tuple[str, int], upright: bool = False) -> np.ndarray:
    """Stripes of classes from top to bottom (upright: from left to right), 64 x 64."""
    lines = np.concatenate([np.full(height, V.id_of(name), np.uint8) for name, height in stripes])
    picture = np.repeat(lines[:, None], 64, axis=1)
    return picture.T if upright else picture


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float(embed(one, V) @ embed(other, V))


@cache
def overlap(line: int, lines: int, cell: int) -> Fraction:
    """How much of a line lies in one of five cells, as part of the cell."""
    shared = min(Fraction(line + 1, lines), Fraction(cell + 1, 5)) - max(
        Fraction(line, lines), Fraction(cell, 5)
    )
    return max(shared, Fraction(0)) * 5


def exact_shares(label_map: np.ndarray, known: np.ndarray) -> list[dict[int, Fraction]]:
    """The share of each class in the whole and in each of 5 x 5 cells, pixel by pixel in exact arithmetic;
    unknown ones count for none."""
    height, width = label_map.shape
    cells: list[dict[int, Fraction]] = [{} for _ in range(26)]
    for (y, x), label in np.ndenumerate(label_map):
        if known[y, x]:
            cells[0][int(label)] = cells[0].get(int(label), Fraction(0)) + Fraction(1, height * width)
            rows = [(i, share) for i in range(5) if (share := overlap(y, height, i))]
            columns = [(j, share) for j in range(5) if (share := overlap(x, width, j))]
            for (i, down), (j, across) in product(rows, columns):
                cell = cells[1 + 5 * i + j]
                cell[int(label)] = cell.get(int(label), Fraction(0)) + down * across
    return cells


def slow_blocks(label_map: np.ndarray, known: np.ndarray) -> tuple[list[list[int]], list[float]]:
    """The definition in docs/layout.md in Python's own numbers: blocks of whole numbers, and the known share
    of each cell."""
    table = e.code_table()
    cells = exact_shares(label_map, known)
    known_shares = [sum(cell.values(), Fraction(0)) for cell in cells]
    whole = {c: float(share / known_shares[0]) for c, share in cells[0].items()}
    blocks = []
    for number, (cell, area) in enumerate(zip(cells, known_shares, strict=True)):
        row, column = divmod(number - 1, 5)
        first = 26 + 6 * (3 * row + min(column, 4 - column)) if number else 0
        size = 6 if number else 26
        total = [0] * size
        for class_id, share in cell.items():
            root = round(4096 * math.sqrt(float(share / area) / math.sqrt(whole[class_id])))
            code = table[V.classes[class_id].name][first : first + size]
            total = [t + root * n for t, n in zip(total, code, strict=True)]
        length = math.sqrt(sum(t * t for t in total))
        blocks.append([round(t * 127 / max(length, 1)) for t in total])
    return blocks, [float(area) for area in known_shares]


CELL_WEIGHTS = [18] + [2, 3, 4, 3, 2] * 5


@settings(max_examples=25)
@given(MAPS)
def test_embeddings_are_as_defined_to_the_last_bit(label_map: np.ndarray) -> None:
    blocks, _ = slow_blocks(label_map, np.ones(label_map.shape, bool))
    length = math.sqrt(sum(w * n * n for w, block in zip(CELL_WEIGHTS, blocks, strict=True) for n in block))
    expected = [
        n * math.sqrt(w) / length for w, block in zip(CELL_WEIGHTS, blocks, strict=True) for n in block
    ]
    assert embed(label_map, V).tolist() == np.array(expected, np.float32).tolist()


@settings(max_examples=25)
@given(MAPS, st.integers(0, 2**32))
def test_queries_are_the_mean_of_the_specified_cells_cosines(label_map: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = rng.random(label_map.shape) < 0.4
    known.flat[0] = True
    photo = rng.choice(np.array([0, 3, 22, 27, 50], np.uint8), (9, 7))
    asked, shares = slow_blocks(label_map, known)
    have, _ = slow_blocks(photo, np.ones(photo.shape, bool))
    weights = [w * s for w, s in zip(CELL_WEIGHTS, [shares[0] ** 2, *shares[1:]], strict=True)]
    mean = sum(w * float(np.dot(a, b)) / 127**2 for w, a, b in zip(weights, asked, have, strict=True)) / sum(
        weights
    )
    # blocks are about 127 long
    assert float(query(label_map, known, V) @ embed(photo, V)) == pytest.approx(mean, rel=0.006, abs=1e-6)


@given(MAPS)
def test_what_a_query_leaves_open_does_not_matter(label_map: np.ndarray) -> None:
    known = np.zeros(label_map.shape, bool)
    known[: len(known) // 2 + 1] = True
    filled = np.where(known, label_map, np.uint8(200))
    asked = query(label_map, known, V)
    assert np.array_equal(asked, query(filled, known, V))
    others = np.where(known, label_map, np.uint8(5))
    assert float(asked @ embed(label_map, V)) > 0.8
    # the cells at the edge, and the whole
    assert abs(float(asked @ embed(others, V)) - float(asked @ embed(label_map, V))) < 0.35


def test_a_canvas_of_all_is_nearly_the_embedding() -> None:
    photo = scene(("sky", 30), ("tree", 10), ("road", 24))
    assert query(photo, np.ones(photo.shape, bool), V) == pytest.approx(embed(photo, V), rel=0.01, abs=1e-6)


@given(MAPS)
def test_embeddings_have_length_one_and_forget_the_size(label_map: np.ndarray) -> None:
    vector = embed(label_map, V)
    assert vector.shape == (DIMENSION,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector.astype(float)) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(embed(np.kron(label_map, np.ones((3, 2), np.uint8)), V), vector)


@given(MAPS)
def test_a_mirrored_photo_has_the_mirrored_embedding(label_map: np.ndarray) -> None:
    assert np.array_equal(mirrored(embed(label_map, V)), embed(label_map[:, ::-1], V))
    known = label_map > 0
    known[0, 0] = True
    assert np.array_equal(mirrored(query(label_map, known, V)), query(label_map[:, ::-1], known[:, ::-1], V))


@given(st.lists(MAPS, min_size=1, max_size=4))
def test_packing_loses_nothing(maps: list[np.ndarray]) -> None:
    vectors = np.stack([embed(m, V) for m in maps])
    assert pack(vectors).dtype == np.int8
    assert np.array_equal(unpack(pack(vectors)), vectors)


def test_mirrored_layouts_differ() -> None:
    photo = scene(("tree", 32), ("building", 32), upright=True)
    assert likeness(photo, photo[:, ::-1]) < 0.6
    assert likeness(photo, photo) == pytest.approx(1, abs=1e-6)


def test_same_things_elsewhere_are_less_alike_than_same_things_in_their_places() -> None:
    photo = scene(("sky", 24), ("sea", 20), ("earth", 20))
    nearly = scene(("sky", 28), ("sea", 18), ("earth", 18))
    shuffled = scene(("earth", 20), ("sky", 24), ("sea", 20))
    assert likeness(photo, nearly) > 0.9 > likeness(photo, shuffled) + 0.2


@pytest.mark.parametrize(
    ("kind", "related", "unrelated"),
    [("car", "bus", "bed"), ("sea", "water", "wall"), ("cat", "dog", "tv"), ("sofa", "chair", "horse")],
)
def test_related_classes_are_nearer_than_unrelated_ones(kind: str, related: str, unrelated: str) -> None:
    def photo(name: str) -> np.ndarray:
        return scene(("sky", 16), (name, 32), ("road", 16))

    assert likeness(photo(kind), photo(related)) > likeness(photo(kind), photo(unrelated)) + 0.05


def test_the_map_never_changes() -> None:
    """Who changes what an embedding is must count up index.vectors.FORMAT, and tell people to reindex."""
    assert DIMENSION == 176
    assert pack(embed(scene(("sky", 40), ("sea", 24)), V))[:8].tolist() == PINNED_BYTES


def test_every_class_has_its_code() -> None:
    table = e.code_table()
    assert list(table) == [c.name for c in V.classes]
    assert {len(code) for code in table.values()} == {26 + 15 * 6}
    assert {n for code in table.values() for n in code} <= set(range(-127, 128))
    classes = (*V.classes[:-1], replace(V.classes[-1], name="unicorn"))
    with pytest.raises(ValueError, match="no layout code for the class unicorn"):
        e.spread(table, replace(V, classes=classes))


def test_a_class_of_ones_own_has_the_code_of_what_it_means_or_one_of_its_name() -> None:
    def scene_of(**changes: object) -> np.ndarray:
        last = replace(V.classes[-1], **changes)  # type: ignore[arg-type]  # names and synonyms
        labels = np.zeros((8, 8), np.uint8)
        labels[4:] = last.id
        return embed(labels, replace(V, classes=(*V.classes[:-1], last)))

    as_it_is, meant = scene_of(), scene_of(name="unicorn", plural="unicorns", synonyms=(V.classes[-1].name,))
    strange, other = (scene_of(name=name, plural=name, synonyms=()) for name in ("unicorn", "zorb"))
    np.testing.assert_array_equal(meant, as_it_is)
    assert not np.allclose(strange, as_it_is)
    assert not np.allclose(strange, other)
    assert np.linalg.norm(strange) == pytest.approx(1)


@pytest.mark.parametrize(
    "bad", [np.zeros((0, 5), np.uint8), np.full((2, 2), 51, np.uint8), np.zeros(7, np.uint8)]
)
def test_what_is_no_label_map_of_the_vocabulary_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="label map"):
        embed(bad, V)


@pytest.mark.parametrize("known", [np.zeros((2, 3), bool), np.ones((3, 2), bool)])
def test_masks_that_leave_everything_open_or_do_not_fit_are_refused(known: np.ndarray) -> None:
    with pytest.raises(ValueError, match="mask"):
        query(np.zeros((2, 3), np.uint8), known, V)


def test_an_id_that_is_no_class_is_refused_only_where_it_is_asked_for() -> None:
    label_map, known = np.array([[3, 51]], np.uint8), np.array([[True, False]])
    assert query(label_map, known, V).any()
    with pytest.raises(ValueError, match="class id 51"):
        query(label_map, ~known, V)
