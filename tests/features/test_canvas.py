import io
import json
import math
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dsslic_search.core.errors import UsageError
from dsslic_search.core.vocabulary import default
from dsslic_search.features.canvas import COLOUR_TOLERANCE, read_canvas
from dsslic_search.features.embedding import DIMENSION, embed, mirrored
from dsslic_search.features.shapes import draw_shapes

V = default()
SKY, TREE, GRASS, SEA, BOAT = (V.id_of(name) for name in ("sky", "tree", "grass", "sea", "boat"))


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def painted(*rows: list[str | None]) -> np.ndarray:
    """uint8 [h, w, 4] of class names; None is transparent."""
    return np.array(
        [[(*V.classes[V.id_of(n)].colour, 255) if n else (9, 9, 9, 0) for n in row] for row in rows], np.uint8
    )


def shapes(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_painted_picture() -> None:
    canvas = read_canvas(png(painted(["sky", "tree"], [None, "grass"])), "x.png", V)
    assert canvas.label_map.tolist() == [[SKY, TREE], [0, GRASS]]
    assert canvas.known.tolist() == [[True, True], [False, True]]


def test_white_and_what_is_nearly_transparent_is_left_open() -> None:
    pixels = painted(["sky", "tree", "grass"])
    pixels[0, 1, 3] = 127
    pixels[0, 2, :3] = 252
    assert read_canvas(png(pixels), "x.png", V).known.tolist() == [[True, False, False]]
    assert read_canvas(png(pixels[..., :3]), "x.png", V).known.tolist() == [[True, True, False]]


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_colours_may_be_a_little_off(channel: int) -> None:
    pixels = painted([c.name for c in V.classes]).astype(int)
    for change in (-COLOUR_TOLERANCE, COLOUR_TOLERANCE):
        nearly = pixels.copy()
        nearly[..., channel] = (pixels[..., channel] + change).clip(0, 255)
        assert read_canvas(png(nearly.astype(np.uint8)), "x.png", V).label_map.tolist() == [
            list(range(len(V)))
        ]


def test_every_class_colour_is_its_own_whatever_its_neighbours() -> None:
    colours = np.array([(*c.colour,) for c in V.classes] + [(255, 255, 255)])
    apart = np.abs(colours[:, None] - colours).max(2) + 999 * np.eye(len(colours))
    assert apart.min() > 2 * COLOUR_TOLERANCE


def test_label_maps_as_the_program_writes_them_are_canvases() -> None:
    labels = np.random.default_rng(1).integers(0, len(V), (20, 30)).astype(np.uint8)
    picture = Image.fromarray(labels)
    picture.putpalette(V.palette())
    for options in ({}, {"transparency": SKY}):
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", **options)
        canvas = read_canvas(buffer.getvalue(), "x.png", V)
        assert np.array_equal(canvas.known, labels != SKY if options else np.ones(labels.shape, bool))
        assert np.array_equal(canvas.label_map[canvas.known], labels[canvas.known])


def test_a_strange_colour_is_told_with_its_place() -> None:
    pixels = painted(["sky"] * 5, ["sky"] * 5)
    pixels[1, 2:4] = 95, 160, 235, 255
    with pytest.raises(UsageError) as told:
        read_canvas(png(pixels), "my.png", V)
    text = str(told.value)
    assert text.startswith(
        "my.png: the colour #5fa0eb at column 2, row 1 is no class's (and 1 more pixels are of no class's "
        "colour)"
    )
    assert "nearest is #5ab4f0, sky" in text


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


HUGE = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0))
    + chunk(b"IEND", b"")
)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "neither a PNG nor"),
        (b"GIF89a", "neither a PNG nor"),
        (png(np.random.default_rng(1).integers(0, 255, (30, 30, 3), np.uint8))[:900], "damaged PNG"),
        (b"\x89PNG\r\n\x1a\nrubbish", "damaged PNG; save it again"),
        (HUGE, "more than a canvas may have"),
        (png(np.zeros((3, 3), np.uint8)), "without colours"),
        (png(painted([None, None])), "nothing is painted"),
        (png(np.full((2, 2, 3), 255, np.uint8)), "nothing is painted"),
    ],
)
def test_what_is_no_canvas_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as told:
        read_canvas(data, "x", V)
    assert str(told.value).startswith("x: ")
    assert "\n" not in str(told.value)


def test_later_shapes_lie_on_earlier_ones() -> None:
    canvas = read_canvas(
        b"\xef\xbb\xbf"
        + shapes(
            [{"class": "Skies", "box": [0, 0, 1, 0.5]}, {"class": "yacht", "box": [0.25, 0.25, 0.5, 0.75]}]
        ),
        "x",
        V,
    )
    assert canvas.label_map.shape == (180, 240)
    assert (
        canvas.label_map[10, 0],
        canvas.label_map[60, 90],
        canvas.known[100, 10],
        canvas.known[100, 90],
    ) == (SKY, BOAT, False, True)
    assert canvas.known.mean() == pytest.approx(0.5 + 0.25 * 0.25)


def test_a_background_fills_what_no_shape_covers() -> None:
    canvas = draw_shapes(
        {"canvas": [2, 1], "background": "meadow", "shapes": [{"class": "tree", "circle": [0.5, 0.5, 0.25]}]},
        V,
    )
    assert canvas.label_map.shape == (120, 240)
    assert canvas.known.all()
    assert (canvas.label_map == TREE).mean() == pytest.approx(math.pi * 0.25**2 / 2, rel=0.02)
    assert (canvas.label_map == GRASS).sum() + (canvas.label_map == TREE).sum() == 120 * 240


fractions = st.integers(0, 97).map(lambda n: n / 97)  # never the middle of a pixel
points = st.tuples(fractions, fractions)


def inside_polygon(x: float, y: float, corners: list[tuple[float, float]]) -> bool:
    """The winding is odd: an angle walked around the point, another way than by crossings."""
    turned = 0.0
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        a, b = math.atan2(y0 - y, x0 - x), math.atan2(y1 - y, x1 - x)
        turned += (b - a + math.pi) % (2 * math.pi) - math.pi
    return round(turned / (2 * math.pi)) % 2 == 1


@settings(max_examples=60)
@given(
    st.lists(points, min_size=3, max_size=6),
    st.lists(st.tuples(st.integers(0, 239), st.integers(0, 179)), min_size=30, max_size=30),
)
def test_polygons_cover_what_they_wind_around(
    corners: list[tuple[float, float]], pixels: list[tuple[int, int]]
) -> None:
    try:
        canvas = draw_shapes([{"class": "sea", "polygon": [list(c) for c in corners]}], V)
    except UsageError as e:
        assert "covers nothing" in str(e)
        return
    for column, row in pixels:
        x, y = (column + 0.5) / 240, (row + 0.5) / 180
        lines = zip(corners, [*corners[1:], corners[0]], strict=True)
        if min(abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) for (x0, y0), (x1, y1) in lines) > 1e-9:
            assert canvas.known[row, column] == inside_polygon(x, y, corners)


@settings(max_examples=40)
@given(points, points)
def test_boxes_and_ellipses_cover_what_their_formulas_say(
    corner: tuple[float, float], size: tuple[float, float]
) -> None:
    (left, top), (right, bottom) = (
        corner,
        (min(1, corner[0] + size[0] + 0.02), min(1, corner[1] + size[1] + 0.02)),
    )
    x, y = (np.arange(240)[None] + 0.5) / 240, (np.arange(180)[:, None] + 0.5) / 180
    if left < 0.98 and top < 0.98:
        box = draw_shapes([{"class": "sea", "box": [left, top, right, bottom]}], V)
        assert np.array_equal(box.known, (x >= left) & (x < right) & (y >= top) & (y < bottom))
    radii = size[0] / 2 + 0.02, size[1] / 2 + 0.02
    ellipse = draw_shapes([{"class": "sea", "ellipse": [*corner, *radii]}], V)
    assert np.array_equal(ellipse.known, ((x - left) / radii[0]) ** 2 + ((y - top) / radii[1]) ** 2 <= 1)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (3, "neither a PNG nor a list"),
        ([], "nothing is painted"),
        ({"shapes": 5}, '"shapes" must be a list'),
        ([{"box": [0, 0, 1, 1]}], 'shape 1: "class" is missing'),
        (["sky"], "shape 1: an object"),
        ([{"class": 7, "box": [0, 0, 1, 1]}], "shape 1: a class must be a name"),
        ([{"class": "x" * 500, "box": [0, 0, 1, 1]}], "shape 1: a class must be a name"),
        (
            [{"class": "sky", "box": [0, 0, 1, 1]}, {"class": "huose", "box": [0, 0, 1, 1]}],
            "shape 2: .*huose.*did you mean house",
        ),
        ([{"class": "zzqqy", "box": [0, 0, 1, 1]}], "zzqqy.*Archive.classes"),
        ([{"class": "Vehicles", "box": [0, 0, 1, 1]}], "several classes"),
        ([{"class": "vehicle", "box": [0, 0, 1, 1]}], "several classes; choose one, such as .*car"),
        ([{"class": "sky", "bix": [0, 0, 1, 1]}], r'shape 1 \(sky\): "bix" is not known; did you mean "box"'),
        ([{"class": "sky"}], "exactly one of box, polygon, ellipse, circle is needed, not none"),
        ([{"class": "sky", "box": [0, 0, 1, 1], "circle": [0, 0, 1]}], "not box and circle"),
        ([{"class": "sky", "box": [0, 0, 1]}], r"\[left, top, right, bottom\] is needed"),
        ([{"class": "sky", "box": [0, 0, 1, 1.5]}], "1.5 is no number from 0 to 1"),
        ([{"class": "sky", "box": [0, 0, True, 1]}], "true is no number"),
        ([{"class": "sky", "box": [0, 0, 10**400, 1]}], "is no number from 0 to 1"),
        ([{"class": "sky", "box": [0.6, 0, 0.4, 1]}], "left must be less than right"),
        ([{"class": "sky", "box": [0.5, 0.5, 0.5001, 0.5001]}], "covers nothing"),
        ([{"class": "sky", "circle": [0.5, 0.5, 0]}], "radii must be more than 0"),
        ([{"class": "sky", "ellipse": [0.5, 0.5, 0.1]}], "half of the width"),
        ([{"class": "sky", "polygon": [[0, 0], [1, 1]]}], "3 to 1000 points"),
        ([{"class": "sky", "polygon": [[0, 0], [1, 1], [2, 0]]}], "point 3: 2 is no number"),
        ({"canvas": [0, 3], "shapes": []}, '"canvas" must be'),
        ({"canvas": [1e308, 1e-308], "shapes": []}, '"canvas" must be'),
        ({"canvas": [100, 3], "shapes": []}, "10 times as long"),
        ({"background": "gras", "shapes": []}, "background: .*did you mean grass"),
        ({"shape": []}, '"shape" is not known; did you mean "shapes"'),
    ],
)
def test_shapes_that_are_wrong_are_told(value: Any, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint) as told:
        read_canvas(shapes(value), "s.json", V)
    assert str(told.value).startswith("s.json: ")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "data",
    [b"[", b"[" * 100_000, b'[{"class": "sky", "box": [0, 0, NaN, 1]}]', b"[\xff]", b" " * (1 << 20) + b"[]"],
)
def test_json_that_is_damaged_or_tricky_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"s\.json: "):
        read_canvas(data, "s.json", V)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["sky", "trees"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["class", "box", "circle", "polygon", "ellipse", "shapes", "canvas", "background"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(plain)
def test_any_json_is_a_canvas_or_one_clear_error(value: Any) -> None:
    try:
        canvas = draw_shapes(value, V)
    except UsageError as e:
        assert str(e)
    else:
        assert canvas.known.any()


@settings(max_examples=200)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_a_damaged_picture_is_a_canvas_or_one_clear_error(place: int, junk: bytes) -> None:
    data = bytearray(png(painted(["sky", "tree", None] * 5, ["sea"] * 15)))
    place %= len(data)
    data[place : place + len(junk)] = junk
    try:
        assert read_canvas(bytes(data), "x", V).known.any()
    except UsageError as e:
        assert str(e).startswith("x: ")


def test_queries_find_their_own_layout_and_its_mirror_image() -> None:
    canvas = draw_shapes(
        [{"class": "sky", "box": [0, 0, 1, 0.5]}, {"class": "tree", "box": [0, 0.4, 0.4, 1]}], V
    )
    photo = np.where(canvas.known, canvas.label_map, np.uint8(SEA))
    (asked,) = canvas.queries(V)
    both = canvas.queries(V, with_mirrored=True)
    assert both.shape == (2, DIMENSION)
    assert both.dtype == np.float32
    assert np.array_equal(both, [asked, mirrored(asked)])
    straight, turned = embed(photo, V), embed(photo[:, ::-1], V)
    assert float(asked @ straight) > 0.9 > float(asked @ turned) + 0.1
    assert (both @ turned).max() == pytest.approx((both @ straight).max(), abs=1e-6)
