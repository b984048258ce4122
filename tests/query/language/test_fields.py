"""Filters of file, camera and place, and the order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsslic_search.core.errors import QueryError
from dsslic_search.core.vocabulary import default
from dsslic_search.query.ast import (
    Near,
    Node,
    Number,
    Orientation,
    Sort,
    Text,
    Unknown,
    Within,
    whole,
    written,
)
from dsslic_search.query.language import fields
from dsslic_search.query.language.parse import parse

V = default()


def tree(text: str) -> Node:
    found = parse(text, V).tree
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "field", "pattern"),
    [
        ("camera:canon", "camera", "canon"),
        ('camera:"Canon EOS"', "camera", "canon eos"),
        ("camera: canon", "camera", "canon"),
        ("lens:Sigma*", "lens", "sigma*"),
        ('lens:"EF50mm f/1.8 STM"', "lens", "ef50mm f/1.8 stm"),
        ("CAMERA:Canon", "camera", "canon"),
        ("camera：canon", "camera", "canon"),
        ("camera:«Canon (EOS)»", "camera", "canon (eos)"),
        ("path:holiday/**", "path", "holiday/**"),
        ("(path:Holiday/x(1).jpg)", "path", "holiday/x(1).jpg"),
        ("path:Été/**", "path", "été/**"),
        ("name:IMG_*", "name", "img_*"),
        ("name:IMG_?", "name", "img_?"),
        ("filename:a-b.jpg", "name", "a-b.jpg"),
        ("format:JPEG", "format", "jpeg"),
        ("format:jpg", "format", "jpeg"),
        ("format:tif", "format", "tiff"),
        ("tag:Best", "tag", "best"),
        ("tag:ＢＥＳＴ", "tag", "best"),
        ("keyword:Beach", "keyword", "beach"),
        ('keywords:"sandy beach"', "keyword", "sandy beach"),
        ("people:Anna", "people", "anna"),
        ("title:birthday", "title", "birthday"),
        ("caption:birthday", "description", "birthday"),
        ("text:birthday", "text", "birthday"),
        ("profile:p3", "profile", "p3"),
        ('taken_from:"file name"', "taken_from", "file name"),
        ("taken-from:xmp*", "taken_from", "xmp*"),
        ("Taken_From:EXIF", "taken_from", "exif"),
        ("keep:exact", "keep", "exact"),
        ("keep:coarse", "keep", "coarse"),
        ("is:missing", "is", "missing"),
        ("is:Removed", "is", "removed"),
        ("is:any", "is", "any"),
    ],
)
def test_texts(text: str, field: str, pattern: str) -> None:
    found = tree(text)
    assert isinstance(found, Text)
    assert (found.field, found.pattern) == (field, pattern)
    assert tree(written(found)) == found


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("width:4000", 4000, 4000),
        ("width:>4000", 4001, None),
        ("width:>=4000", 4000, None),
        ("width:≥4000px", 4000, None),
        ("width:<4000", None, 3999),
        ("width:<=4000", None, 4000),
        ("width:=4000", 4000, 4000),
        ("height:1000..2000", 1000, 2000),
        ("height:1000..", 1000, None),
        ("height:..2000", None, 2000),
        ("height:>1000.5", 1001.5, None),
        ("megapixels:>=12", 12, None),
        ("megapixels:>12", 12.000001, None),
        ("megapixels:12", 11.5, 12.499999),
        ("megapixels:12.0", 11.95, 12.049999),
        ("mp:8..16MP", 8, 16),
        ("size:>2MB", 2_000_001, None),
        ("size:>=2MiB", 2_097_152, None),
        ("size:2MB", 1_500_000, 2_499_999),
        ("size:1500", 1500, 1500),
        ("size:1.5kB", 1450, 1549),
        ("size:1..3MB", 1_000_000, 3_000_000),
        ("size:500kB..2GB", 500_000, 2_000_000_000),
        ('size:"> 2 MB"', 2_000_001, None),
        ("iso:>=1600", 1600, None),
        ("iso:400", 400, 400),
        ("focal_length:>=200", 200, None),
        ("focal-length:24..70mm", 24, 70),
        ("focal:50", 49.5, 50.49),
        ("exposure:<1/250", None, 0.0039999),
        ("exposure:>1/250", 0.0040001, None),
        ("exposure:<=1/60", None, 0.0166667),
        ("exposure:1/250", 0.0039921, 0.004008),
        ("exposure:1/1", 0.6666667, 1.9999999),
        ("exposure:1/500..1/60", 0.002, 0.0166667),
        ("exposure:2s", 1.5, 2.4999999),
        ("exposure:500ms..1s", 0.5, 1),
        ("f:<=2.8", None, 2.8),
        ("f_number:f/2.8", 2.75, 2.84),
        ("aperture:5.6..11", 5.6, 11),
        ("rating:>=4", 4, None),
        ("stars:5", 4.5, 5.4),
        ("bit_depth:>8", 9, None),
        ("bits:16bit", 16, 16),
        ("turn:6", 6, 6),
        ("id:12", 12, 12),
        ("id:#12", 12, 12),
        ("id:3..90", 3, 90),
    ],
)
def test_numbers(text: str, low: float | None, high: float | None) -> None:
    found = tree(text)
    assert isinstance(found, Number)
    assert (found.low, found.high) == (low, high)
    assert tree(written(found)) == found


@given(
    st.integers(1, 30_000),
    st.integers(1, 30_000),
    st.sampled_from([">", ">=", "<", "<=", ""]),
    st.integers(0, 900_000_000),
)
def test_megapixels_are_compared_exactly(width: int, height: int, sign: str, bound: int) -> None:
    amount = f"{bound / 10**6:.6f}"
    found = tree(f"megapixels:{sign}{amount}")
    assert isinstance(found, Number)
    pixels = width * height
    inside = (found.low is None or found.low <= pixels / 10**6) and (
        found.high is None or pixels / 10**6 <= found.high
    )
    wanted = {
        ">": pixels > bound,
        ">=": pixels >= bound,
        "<": pixels < bound,
        "<=": pixels <= bound,
        "": pixels == bound,
    }
    assert inside == wanted[sign]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("portrait", "portrait"),
        ("portraits", "portrait"),
        ("landscape format", "landscape"),
        ("landscape orientation", "landscape"),
        ("orientation:landscape", "landscape"),
        ("orientation:Square", "square"),
        ("square", "square"),
        ("square photos", "square"),
        ("panorama", "panorama"),
        ("panoramic", "panorama"),
    ],
)
def test_shapes(text: str, name: str) -> None:
    assert tree(text) == Orientation(name)  # type: ignore[arg-type]  # one of the four
    assert tree(written(tree(text))) == tree(text)


def test_landscape_alone_is_the_group() -> None:
    assert written(tree("landscape")) == "nature"


@pytest.mark.parametrize(
    "column", ["taken", "camera", "lens", "place", "iso", "keyword", "title", "bit_depth"]
)
def test_what_is_not_known(column: str) -> None:
    assert tree(f"{column}:unknown") == Unknown(column)
    assert written(tree(f"not {column}:Unknown")) == f"not {column}:unknown"


@pytest.mark.parametrize(
    ("text", "latitude", "longitude", "metres"),
    [
        ("near 48.85,2.35 5km", 48.85, 2.35, 5000),
        ("near 48.85, 2.35", 48.85, 2.35, 1000),
        ("near 48.85 2.35 500 m", 48.85, 2.35, 500),
        ("near -33.86,151.2, 2 miles", -33.86, 151.2, 3218.688),
        ("near −33.86,−70.5 1mi", -33.86, -70.5, 1609.344),
        ("near 48.85°N, 2.35°W 5 kilometres", 48.85, -2.35, 5000),
        ("near 33.86S 151.2E", -33.86, 151.2, 1000),
        ("within 5 km of 48.85,2.35", 48.85, 2.35, 5000),
        ("within 500 metres of 48.85,2.35", 48.85, 2.35, 500),
        ("taken near 48.85,2.35", 48.85, 2.35, 1000),
        ("near 0,0 20000km", 0, 0, 20_000_000),
    ],
)
def test_places(text: str, latitude: float, longitude: float, metres: float) -> None:
    found = tree(text)
    assert isinstance(found, Near)
    assert (found.latitude, found.longitude) == (latitude, longitude)
    assert math.isclose(found.metres, metres)
    assert tree(written(found)) == found


@pytest.mark.parametrize(
    ("text", "corners"),
    [
        ("within 48.8,2.2..48.9,2.5", (48.8, 2.2, 48.9, 2.5)),
        ("within -10,170 .. 10,-170", (-10, 170, 10, -170)),
        ("taken within 1,2..3,4", (1, 2, 3, 4)),
        ("within 48.8°N 2.2°W..48.9°N 2.5°E", (48.8, -2.2, 48.9, 2.5)),
        ("within 1,2..1,2", (1, 2, 1, 2)),
    ],
)
def test_corners(text: str, corners: tuple[float, ...]) -> None:
    assert tree(text) == Within(*corners)
    assert tree(written(tree(text))) == tree(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dogs camera:canon taken:2020", "(dog and camera:canon and taken:2020)"),
        ("camera:canon, dogs", "(camera:canon and dog)"),
        ("camera:canon >30% sky", "(camera:canon and sky > 30%)"),
        ("camera:canon with dogs", "(camera:canon and dog)"),
        ("(sky or sea) taken:2023 (car or bus)", "((sky or sea) and taken:2023 and (car or bus))"),
        ("sky or sea taken:2023", "((sky or sea) and taken:2023)"),
        ("no cars taken:2023", "(not car and taken:2023)"),
        ("-tag:best", "not tag:best"),
        ("not tag:best", "not tag:best"),
        ("sky -tag:best", "(sky and not tag:best)"),
        ("not (tag:best or camera:canon)", "not (tag:best or camera:canon)"),
        ("portrait of a person near a house", "(person >= 20% and person next to house)"),
        ("person near house near 48.85,2.35 5km", "(person next to house and near 48.85,2.35 5000m)"),
        ("like #12 keep:exact", "(like #12 and keep:exact)"),
        ("car in the left half in 2020", "(car in left and taken:2020)"),
    ],
)
def test_filters_join_with_the_rest(text: str, expected: str) -> None:
    assert written(tree(text)) == expected


@pytest.mark.parametrize("key", fields.ORDERS)
def test_orders(key: str) -> None:
    downward = key == "relevance"
    assert parse(f"sort:{key}", V).sort == Sort(key, None, downward)
    assert parse(f"sort:-{key}", V).sort == Sort(key, None, not downward)
    assert whole(parse(f"sky order:{key}", V)) == f"sky sort:{key}"


def test_fields_of_several_words() -> None:
    assert parse("sort:-focal-length", V).sort == parse("sort:-focal_length", V).sort
    for text in ("sky-iso:400", "focal length:50", "bit-dept:8"):
        with pytest.raises(QueryError):
            parse(text, V)
    for text, complaint in (
        ("width:1/250", "a number belongs here"),
        ("exposure:1/0", "a number belongs here"),
    ):
        with pytest.raises(QueryError, match=complaint):
            parse(text, V)


def test_order_by_a_thing() -> None:
    most, least = parse("sort:skies", V).sort, parse('sky and sort:"-body of water"', V).sort
    assert most is not None and most.thing is not None and least is not None and least.thing is not None
    assert (most.key, most.descending, most.thing.name, most.thing.written, most.thing.position) == (
        "thing",
        True,
        "sky",
        "skies",
        5,
    )
    assert (least.key, least.descending, least.thing.name) == ("thing", False, "body of water")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sort:taken", "everything sort:taken"),
        ("everything sort:taken", "everything sort:taken"),
        ("sort:taken, sky", "sky sort:taken"),
        ("sky, sort:taken", "sky sort:taken"),
        ("sky and sort:taken and sea", "(sky and sea) sort:taken"),
        ("sky or sea sort:-taken", "(sky or sea) sort:-taken"),
        ("(sky or sea) sort:taken no cars", "((sky or sea) and not car) sort:taken"),
        ("sky newest first", "sky sort:-taken"),
        ("oldest first", "everything sort:taken"),
    ],
)
def test_an_order_stands_anywhere(text: str, expected: str) -> None:
    assert whole(parse(text, V)) == expected


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("tken:2020", 0, 'did you mean "taken:"?'.replace('"', "")),
        ("sky foo:bar", 4, "the fields are taken, added"),
        ("near:48.85,2.35", 0, "write near 48.85,2.35 5km"),
        ("sky:30%", 0, "there is no field"),
        ("camera:", 0, "needs a value after it, as in camera:canon"),
        ("camera: , sky", 0, "needs a value"),
        ('camera:"Canon', 7, "never closed"),
        ("path:a\0b", 5, "control characters"),
        ("keep:exakt", 5, "layers, exact, reference, coarse or undecoded"),
        ("is:gone", 3, "a photo is here, missing, replaced, removed, lost or any"),
        ("orientation:round", 12, "portrait, landscape, square or panorama"),
        ("place:paris", 6, "place:unknown"),
        ("width:wide", 6, "a number belongs here"),
        ("width:>4k", 6, '"k" is no unit of this; there are px, pixels'),
        ("size:2XB", 5, "there are B, kB, MB, GB or TB, or of 1024 KiB, MiB, GiB or TiB (at "),
        ("id:3km", 3, "write the number alone"),
        ("width:..", 6, "one side at least"),
        ("width:20..10", 6, "wrong way round"),
        ("size:-3", 5, "a number belongs here"),
        ("megapixels:" + "9" * 40, 11, "a number belongs here"),
        ("near 48.85", 0, "as in near 48.85,2.35 5km"),
        ("near 5 cars", 0, "as in near 48.85,2.35 5km"),
        ("within 5km of paris", 0, "as in near 48.85,2.35 5km"),
        ("near 95,2", 0, "from -90 to 90"),
        ("within 5,20..95,30", 0, "from -90 to 90"),
        ("within 5,20..4,30", 0, "from the south-western one"),
        ("within 5,20..", 0, "no place is given here"),
        ("near 5,200", 0, "from -180 to 180"),
        ("near 5,20 0km", 0, "more than 0"),
        ("near 5,20 30000km", 0, "at most 20 040 km"),
        ("sort:foo", 5, "by a thing, as in sort:sky"),
        ("sort:", 0, "as in sort:-taken"),
        ("sort:sky sort:taken", 9, "one order only"),
        ("(sky sort:taken)", 5, "for the whole query"),
        ("not sort:taken", 4, "for the whole query"),
        ("sky or sort:taken", 7, "for the whole query"),
        ("sort:taken or sky", 0, "for the whole query"),
    ],
)
def test_errors_say_where_and_what_to_do(text: str, position: int, says: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text, V)
    assert says in str(caught.value).split("\n")[0]
    assert caught.value.position == position


def test_the_closest_field_is_a_suggestion() -> None:
    with pytest.raises(QueryError) as caught:
        parse("sky, camra:canon", V)
    assert caught.value.suggestions == ("camera:",)


@given(
    st.sampled_from(["camera", "path", "name", "tag"]),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1),
)
def test_any_value_in_quotes_comes_through(column: str, value: str) -> None:
    quotes = next((pair for pair in ('""', "''", "«»") if pair[1] not in value), None)
    if quotes is None or not value.strip():
        return
    found = tree(f"{column}:{quotes[0]}{value}{quotes[1]}")
    assert isinstance(found, Text | Unknown)
    assert tree(written(found)) == found
    assert written(tree(f"{written(found)} sky")) == f"({written(found)} and sky)"


@pytest.mark.parametrize("name", fields.FIELDS)
def test_every_field_has_an_example_that_works(name: str) -> None:
    found = parse(fields.EXAMPLES[name], V)
    assert (found.sort is None) == (name != "sort")
