from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dsslic_search.codec.flif import machine, ranges
from dsslic_search.codec.flif.buckets import Bucket, ColourBuckets
from dsslic_search.codec.flif.palette import Palette
from dsslic_search.codec.flif.ranges import Ranges
from dsslic_search.codec.flif.stream import Stream
from dsslic_search.codec.flif.transforms import Bounds, CompactChannels, PermutePlanes, ToYCoCg
from dsslic_search.core.errors import FormatError

WHOLE = {count: Ranges(count * (0,), count * (255,)) for count in (1, 3, 4)}
PLANES = st.sampled_from([1, 3, 4]).flatmap(
    lambda count: arrays.arrays(
        np.int32,
        st.tuples(st.just(count), st.integers(1, 6), st.integers(1, 6)),
        elements=st.integers(0, 255),
    )
)


def there_and_back(kind, chosen, before: Ranges, **options):
    """What is read of a transform that was written."""
    stream = Stream(np.zeros(100_000, np.uint8), machine.ENCODING)
    assert kind.code(stream, before, chosen, **options) == chosen
    reader = Stream(np.frombuffer(bytearray(stream.finish()), np.uint8), machine.DECODING)
    back = kind.code(reader, before, **options)
    assert not reader.has_ended()
    return back


@settings(deadline=None)
@given(PLANES)
def test_transforms_are_read_as_they_were_written_and_undone(planes: np.ndarray) -> None:
    before = WHOLE[len(planes)]
    chosen = [CompactChannels.choose(planes, before), Bounds.choose(planes, before, skips_invisible=False)]
    if len(planes) > 1:
        chosen += [ToYCoCg(before.highs[:3]), PermutePlanes.choose(before)]
        order = (2, 1, 0, 3)[: len(planes)]
        chosen.append(PermutePlanes(order, False, len(planes) * ((0, 255),)))
    for transform in chosen:
        if transform is None:
            continue
        assert there_and_back(type(transform), transform, before) == transform
        after, coded = transform.ranges(before), transform.apply(planes)
        for plane, low, high in zip(coded, after.lows, after.highs, strict=True):
            assert low <= plane.min() and plane.max() <= high
        assert np.array_equal(transform.undo(coded.copy()), planes)


@settings(deadline=None)
@given(PLANES.filter(lambda planes: len(planes) > 1), st.booleans(), st.booleans())
def test_palettes_are_read_as_they_were_written_and_undone(planes, in_order: bool, is_luma: bool) -> None:
    planes = np.repeat(np.repeat(planes // 64 * 64, 3, 1), 3, 2)  # enough pixels for their colours
    before = WHOLE[len(planes)]
    if is_luma:
        transform = ToYCoCg(before.highs[:3])
        planes, before = transform.apply(planes), transform.ranges(before)
    for has_alpha in {False, len(planes) > 3}:
        palette = Palette.choose(planes, before, has_alpha=has_alpha, skips_invisible=False)
        assert palette is not None
        if not in_order:
            palette = Palette(palette.colours[::-1], False, has_alpha)
        options = {"has_alpha": has_alpha, "skips_invisible": False}
        assert there_and_back(Palette, palette, before, **options) == palette
        assert np.array_equal(palette.undo(palette.apply(planes)), planes)


def test_no_palette_is_chosen_of_many_colours_or_none() -> None:
    many = np.random.default_rng(1).integers(0, 256, (3, 60, 60)).astype(np.int32)
    assert Palette.choose(many, WHOLE[3], has_alpha=False, skips_invisible=False) is None
    assert Palette.choose(many, WHOLE[3], has_alpha=True, skips_invisible=False) is None
    grey = Ranges((0, 5, 5), (255, 5, 5))
    assert Palette.choose(many, grey, has_alpha=False, skips_invisible=False) is None


def test_what_no_picture_needs_is_refused() -> None:
    stream = Stream(np.frombuffer(bytearray(b"\xaa" * 90), np.uint8), machine.DECODING)
    for code in (ToYCoCg.code, PermutePlanes.code, ColourBuckets.code):
        with pytest.raises(FormatError, match=r"declares|permutes"):
            code(stream, WHOLE[1])
    with pytest.raises(FormatError, match="palette"):
        Palette.code(stream, WHOLE[3], has_alpha=True, skips_invisible=False)


def test_bounds_do_not_count_invisible_pixels() -> None:
    planes = np.array([[[9, 200]], [[7, 200]], [[5, 200]], [[255, 0]]], np.int32)
    bounds = Bounds.choose(planes, WHOLE[4], skips_invisible=True)
    assert bounds is not None
    assert bounds.limits == ((9, 9), (7, 7), (5, 5), (0, 255))


VALUES = st.lists(st.integers(-20, 40), min_size=1, max_size=9, unique=True).map(sorted)


@given(VALUES, st.integers(-25, 45))
def test_a_bucket_loses_a_value(values: list[int], gone: int) -> None:
    listed = values if len(values) < values[-1] - values[0] + 1 else []
    bucket = Bucket(values[0], values[-1], list(listed))
    bucket.remove(gone)
    left = [value for value in values if value != gone]
    assert [value for value in range(-30, 50) if bucket.has(value)] == left
    assert bucket.low > bucket.high if not left else (bucket.low, bucket.high) == (left[0], left[-1])


@given(VALUES.filter(lambda values: len(values) > 1), st.integers(-30, 50))
def test_guesses_snap_to_the_nearest_value_of_a_bucket(values: list[int], guess: int) -> None:
    listed = values if len(values) < values[-1] - values[0] + 1 else []
    buckets = ColourBuckets(
        Bucket(0, 3), Bucket(), [Bucket(values[0], values[-1], list(listed)), Bucket()], []
    )
    cells = memoryview(np.zeros(machine.CELL_COUNT, np.int64))
    Ranges((0, -40, 0), (1, 60, 0)).fill(cells)
    cells[machine.HAS_BUCKETS], cells[machine.BUCKET_ROWS] = 1, 2
    table = memoryview(buckets.table())
    nearest = min(values, key=lambda value: (abs(value - guess), value))
    assert ranges.snap(table, cells, 1, 0, 0, guess) == nearest
    assert (cells[machine.SMALLEST], cells[machine.LARGEST]) == (values[0], values[-1])
    assert ranges.snap(table, cells, 1, 1, 0, guess) == -40  # an empty bucket: anything may come
    assert (cells[machine.SMALLEST], cells[machine.LARGEST]) == (-40, 60)
