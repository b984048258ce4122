import hashlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dsslic_search.features.embedding import CELLS, DIMENSION, LEVEL_SHARES, blending, embed, layout_histogram, relatedness, signs
from dsslic_search.vocabulary import default

V = default()
PINNED_SIGNS = [1, 1, 1, -1, 1, 1, 1, 1, -1, -1, -1, 1, -1, 1, -1, 1]
PINNED_VECTOR = [0.062834, 0.074641, -0.163055, 0.006096, -0.021685, 0.049687]
MAPS = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.integers(0, 3))


def scene(*stripes: tuple[str, int], mirrored: bool = False, upright: bool = False) -> np.ndarray:
    """Stripes of classes from top to bottom (upright: from left to right), 64 x 64."""
    lines = np.concatenate([np.full(height, V.id_of(name), np.uint8) for name, height in stripes])
    picture = np.repeat(lines[:, None], 64, axis=1)
    picture = picture.T if upright else picture
    return picture[:, ::-1] if mirrored else picture


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float(embed(one, V) @ embed(other, V))


def exact_histogram(label_map: np.ndarray, side: int) -> list[list[Fraction]]:
    """Area of each class in each cell of side x side, pixel by pixel in exact arithmetic, as parts of the whole."""
    height, width = label_map.shape
    cells = [[Fraction(0)] * 4 for _ in range(side * side)]
    for (y, x), label in np.ndenumerate(label_map):
        for i in range(side):
            down = min(Fraction(y + 1, height), Fraction(i + 1, side)) - max(Fraction(y, height), Fraction(i, side))
            for j in range(side):
                along = min(Fraction(x + 1, width), Fraction(j + 1, side)) - max(Fraction(x, width), Fraction(j, side))
                cells[i * side + j][label] += max(down, Fraction(0)) * max(along, Fraction(0))
    return cells


@settings(max_examples=30)
@given(MAPS)
def test_cells_weigh_pixels_by_area(label_map: np.ndarray) -> None:
    expected = [
        [float(part) * share for part in cell]
        for side, share in zip((1, 2, 4), LEVEL_SHARES, strict=True)
        for cell in exact_histogram(label_map, side)
    ]
    found = layout_histogram(label_map, 4)
    assert found.shape == (CELLS, 4)
    assert np.allclose(found, expected, atol=1e-12)


@given(MAPS)
def test_embeddings_have_length_one_and_equal_layouts_are_alike(label_map: np.ndarray) -> None:
    vector = embed(label_map, V)
    assert vector.shape == (DIMENSION,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    larger = np.kron(label_map, np.ones((3, 2), np.uint8))
    assert float(vector @ embed(larger, V)) == pytest.approx(1, abs=1e-6)


def test_mirrored_layouts_differ() -> None:
    photo = scene(("tree", 32), ("building", 32), upright=True)
    turned = scene(("tree", 32), ("building", 32), upright=True, mirrored=True)
    assert likeness(photo, turned) < 0.7
    assert likeness(photo, photo) == pytest.approx(1, abs=1e-6)


def test_same_things_elsewhere_are_less_alike_than_same_things_in_their_places() -> None:
    photo = scene(("sky", 24), ("sea", 20), ("earth", 20))
    nearly = scene(("sky", 28), ("sea", 18), ("earth", 18))
    shuffled = scene(("earth", 20), ("sky", 24), ("sea", 20))
    assert likeness(photo, nearly) > 0.9 > likeness(photo, shuffled) + 0.2


@pytest.mark.parametrize(
    ("kind", "related", "unrelated"), [("car", "bus", "bed"), ("sea", "water", "wall"), ("cat", "dog", "tv"), ("sofa", "chair", "horse")]
)
def test_related_classes_are_nearer_than_unrelated_ones(kind: str, related: str, unrelated: str) -> None:
    def photo(name: str) -> np.ndarray:
        return scene(("sky", 16), (name, 32), ("road", 16))

    assert likeness(photo(kind), photo(related)) > likeness(photo(kind), photo(unrelated)) + 0.1


def test_relatedness_comes_from_the_smallest_common_group() -> None:
    related = relatedness(V)
    assert np.array_equal(related, related.T)
    assert np.all(np.diag(related) == 1)
    assert related[V.id_of("sea"), V.id_of("water")] == pytest.approx(2**-0.5)
    assert related[V.id_of("car"), V.id_of("bus")] == pytest.approx(7**-0.5)
    assert related[V.id_of("car"), V.id_of("bed")] == 0


def test_blending_is_the_root_of_relatedness() -> None:
    assert np.linalg.eigvalsh(relatedness(V)).min() > -0.01
    assert np.allclose(blending(V) @ blending(V), relatedness(V), atol=1e-3)


def test_signs_are_the_bits_of_sha256() -> None:
    second = hashlib.sha256(b"dsslic-search layout" + b"\0\0\0\1").digest()
    expected = [1 if second[i // 8] >> (i % 8) & 1 else -1 for i in range(256)]
    assert signs(600)[256:512].tolist() == expected


def test_the_map_never_changes() -> None:
    assert DIMENSION == 192
    assert signs(16).tolist() == PINNED_SIGNS
    assert embed(scene(("sky", 40), ("sea", 24)), V)[:6] == pytest.approx(PINNED_VECTOR, abs=1e-5)


@pytest.mark.parametrize("bad", [np.zeros((0, 5), np.uint8), np.full((2, 2), 51, np.uint8)])
def test_what_is_no_label_map_of_the_vocabulary_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="label map"):
        embed(bad, V)
