"""What items of AVIF and HEIF files are said to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dsslic_search.codec.picture.formats import items
from dsslic_search.codec.picture.formats.items import Crop, Mirror, Turn, transformed, transformed_size
from dsslic_search.codec.picture.open import open_photo
from dsslic_search.codec.picture.raster import Coded
from dsslic_search.core.errors import PhotoError
from tests.heif import Heif, Property, crop, mirror, quarters, size

PICTURES = Path(__file__).parents[3] / "data" / "pictures"


@pytest.mark.parametrize(
    ("name", "bits", "space"),
    [
        ("p3.avif", 8, Coded(12, 13)),
        ("bt2020.avif", 10, Coded(9, 14)),
        ("linear.avif", 12, Coded(1, 8)),
        ("pq.avif", 10, Coded(9, 16)),
    ],
)
def test_colours_and_bits_of_an_item(name: str, bits: int, space: Coded) -> None:
    found = items.read((PICTURES / name).read_bytes())
    assert found is not None
    item = found.described(found.primary)
    assert (item.width, item.height, item.bits, item.space, item.transforms) == (24, 16, bits, space, ())


@pytest.mark.parametrize(
    ("transforms", "shown"),
    [
        ((), [[0, 1, 2], [3, 4, 5]]),
        ((Turn(1),), [[2, 5], [1, 4], [0, 3]]),
        ((Turn(2),), [[5, 4, 3], [2, 1, 0]]),
        ((Turn(3),), [[3, 0], [4, 1], [5, 2]]),
        ((Mirror(True),), [[2, 1, 0], [5, 4, 3]]),
        ((Mirror(False),), [[3, 4, 5], [0, 1, 2]]),
        ((Turn(1), Mirror(True)), [[5, 2], [4, 1], [3, 0]]),
        ((Crop(2, 1, 0, 0),), [[0, 1]]),
    ],
)
def test_transforms_as_pixels(transforms: tuple[items.Transform, ...], shown: list[list[int]]) -> None:
    """ISO/IEC 23008-12, 6.5.9, 6.5.10 and 6.5.12, by hand."""
    chart = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert transformed(chart, transforms).tolist() == shown
    assert transformed_size((2, 3), transforms) == np.array(shown).shape


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ((), lambda a: a),
        ((crop(10, 8),), lambda a: a[4:12, 7:17]),
        ((crop(16, 12), quarters(1)), lambda a: np.rot90(a[2:14, 4:20])),
        ((crop(16, 12), quarters(1), mirror(1)), lambda a: np.rot90(a[2:14, 4:20])[:, ::-1]),
    ],
)
def test_avif_is_cropped_and_turned(
    more: tuple[Property, ...], shown: Callable[[np.ndarray], np.ndarray]
) -> None:
    """The picture of a file of avifenc, in a file made box by box."""
    data = (PICTURES / "rgb8.avif").read_bytes()
    found = items.read(data)
    assert found is not None
    own = [(kind, found.property(found.primary, kind)) for kind in (b"av1C", b"ispe", b"pixi", b"colr")]
    made = Heif()
    item = made.add(b"av01", found.body(found.primary), *(each for each in own if each[1]), *more)
    photo = open_photo(made.file(item, brand=b"avif"), "x", 10_000)
    assert photo.format == "AVIF"
    assert np.array_equal(photo.pixels, shown(open_photo(data, "x", 10_000).pixels))
    assert (photo.height, photo.width) == photo.pixels.shape[:2]


@pytest.mark.parametrize("name", ["narrow_709.avif", "narrow_2020.avif"])
def test_narrow_avif_is_cropped_and_turned_by_what_its_stream_says(name: str) -> None:
    data = (PICTURES / name).read_bytes()
    found = items.read(data)
    assert found is not None
    own = [(kind, found.property(found.primary, kind)) for kind in (b"av1C", b"ispe")]
    made = Heif()
    item = made.add(b"av01", found.body(found.primary), *own, crop(90, 60), quarters(1), mirror(1))
    photo = open_photo(made.file(item, brand=b"avif"), "x", 10_000)
    whole = open_photo(data, "x", 10_000).pixels
    assert np.array_equal(photo.pixels, np.rot90(whole[2:62, 3:93])[:, ::-1])


def test_a_gain_map_of_avif_is_said() -> None:
    data = (PICTURES / "rgb8.avif").read_bytes()
    found = items.read(data)
    assert found is not None
    made = Heif()
    own = [(kind, found.property(found.primary, kind)) for kind in (b"av1C", b"ispe")]
    primary = made.add(b"av01", found.body(found.primary), *own)
    made.refer(b"dimg", made.add(b"tmap", bytes(62)), primary)
    photo = open_photo(made.file(primary, brand=b"avif"), "x", 10_000)
    assert photo.remarks == ("primary picture of a gain-map AVIF (HDR part not used)",)


def test_a_small_part_of_a_huge_avif_is_refused() -> None:
    data = (PICTURES / "rgb8.avif").read_bytes()
    found = items.read(data)
    assert found is not None
    made = Heif()
    coded = b"av1C", found.property(found.primary, b"av1C")
    item = made.add(b"av01", found.body(found.primary), coded, size(50000, 60000), crop(10, 8))
    with pytest.raises(PhotoError):
        open_photo(made.file(item, brand=b"avif"), "x", 10_000)
