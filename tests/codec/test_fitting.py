"""What the encoder finds out by trying: the price of a bit, and how strongly a decoded photo is restored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.codec import container, fitting, reduction
from dsslic_search.codec.bpg.x265 import Search
from dsslic_search.codec.chunk import Chunk
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.fitting import (
    WINDOW_SIDE,
    bit_price,
    rate_distortion_cost,
    restoration_strength,
    search_for,
    windows,
)
from dsslic_search.codec.layers import axes, compact, residual
from dsslic_search.codec.layers.planes import read_planes
from dsslic_search.codec.layers.terms import Terms, read_terms
from dsslic_search.codec.options import EncodeOptions
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.codec.quality import quantisers
from dsslic_search.networks import runtime
from dsslic_search.networks.grid import LABEL_SCALE, SCALE

SAMPLE = Path(__file__).parents[2] / "samples" / "wine.jpg"


def sample(side: int) -> np.ndarray:
    with Image.open(SAMPLE) as opened:
        opened.thumbnail((side, side))
        return np.array(opened.convert("RGB"))


@pytest.fixture
def corrections_by_label(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restoration network that adds to each pixel as many grey levels as its label says, less 10."""

    def corrections(
        decoded: np.ndarray, labels: np.ndarray, _qp: int
    ) -> Iterator[tuple[slice, slice, np.ndarray]]:
        height, width = decoded.shape
        wanted = np.repeat(np.repeat(labels, LABEL_SCALE, 0), LABEL_SCALE, 1)[:height, :width]
        yield slice(0, height), slice(0, width), (wanted - 10).astype(np.float32)

    monkeypatch.setattr(runtime, "corrections", corrections)


def lacking(height: int, width: int, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A grey photo, its decoded plane in quarters of a grey level, which lacks a share of what the network
    above would add, and the labels that the network looks at."""
    marks = np.random.default_rng(3).integers(2, 19, (-(-height // 8) * 2, -(-width // 8) * 2))
    more = np.repeat(np.repeat(marks - 10, LABEL_SCALE, 0), LABEL_SCALE, 1)[:height, :width]
    photo = np.full((height, width), 120, np.uint8)
    return photo, (4 * (photo - share * more)).astype(np.uint16), marks


@pytest.mark.parametrize("size", [(96, 120), (3 * WINDOW_SIDE, 4 * WINDOW_SIDE - 20), (40, 6000)])
@pytest.mark.parametrize("share", [0.25, 0.5, 1.0, 2.0])
def test_the_strength_is_the_share_of_the_correction_that_is_lacking(corrections_by_label, size, share):
    """In every window by the labels under it: others would have nothing to do with what is lacking."""
    photo, plane, marks = lacking(*size, share)
    assert restoration_strength(photo, (plane,), Terms(), None, marks, 30) == 64 * share


def test_no_strength_below_nothing_or_above_a_byte(corrections_by_label, monkeypatch):
    photo, plane, marks = lacking(64, 64, -1.0)
    assert restoration_strength(photo, (plane,), Terms(), None, marks, 30) == 0
    photo, plane, marks = lacking(64, 64, 8.0)
    assert restoration_strength(photo, (plane,), Terms(), None, marks, 30) == 255
    flat = np.full_like(marks, 10)
    assert restoration_strength(photo, (plane,), Terms(), None, flat, 30) == 0


def with_strength(data: bytes, strength: int) -> bytes:
    """The file with another strength of the restoration."""
    contents = container.read(data)
    chunks = [container.read_chunk(data, contents, entry.kind) for entry in contents.entries]
    changed = []
    for chunk in chunks:
        if chunk.kind == residual.LAYER.kind:
            terms, picture = read_terms(chunk.data, contents.header.grey)
            chunk = Chunk(chunk.kind, chunk.codec, replace(terms, strength=strength).to_bytes() + picture)
        changed.append(chunk)
    return container.pack(contents.header, changed)


def test_a_file_says_the_strength_that_leaves_the_least_error():
    """With the network that ships, over the photo as it is decoded."""
    photo = SourcePhoto(sample(160))
    data = encode_photo(photo, EncodeOptions(40, effort=4)).data
    contents = container.read(data)
    chunk = container.read_chunk(data, contents, residual.LAYER.kind)
    said = read_terms(chunk.data, False)[0].strength

    def error(strength: int) -> float:
        shown = decode_stage(with_strength(data, strength)).pixels
        return float(np.square(shown.astype(float) - photo.pixels).sum())

    assert 16 <= said <= 160
    tried = {strength: error(strength) for strength in (said // 2, said - 12, said, said + 12, said * 3 // 2)}
    assert min(tried, key=tried.__getitem__) == said


@pytest.mark.parametrize("size", [(1000, 1504), (333, 4001), (150, 3000)])
def test_windows_stand_around_the_middle(size):
    """A quarter and three quarters of the way that there is, to a compact pixel; once where there is none."""
    for axis, length in enumerate(size):
        side = min(length, WINDOW_SIDE)
        starts = {part[axis].start for part in windows(*size)}
        assert {part[axis].stop - part[axis].start for part in windows(*size)} == {side}
        assert all(start % SCALE == 0 for start in starts)
        assert len(starts) == (1 if length == side else 2)
        assert abs(min(starts) - (length - side) / 4) < SCALE
        assert abs(max(starts) - (length - side) * 3 / 4) < SCALE
    assert len(set(map(str, windows(*size)))) == len(windows(*size)) == (2 if size[0] < WINDOW_SIDE else 4)


def test_a_small_photo_is_looked_at_whole():
    assert windows(100, 300) == [(slice(0, 100), slice(0, 300))]


@pytest.mark.parametrize("file_bytes", [10_000, 60_000, 10**7])
def test_a_finer_compact_image_takes_half_a_percent_of_the_file_at_most(file_bytes):
    image = sample(64)
    coded = compact.encode(image, 44)
    finer, qp = fitting.finer_compact(image, coded, 44, file_bytes)
    assert 44 - fitting.FINER_MOST_QPS <= qp < 44
    assert finer == compact.encode(image, qp)
    assert len(finer.data) <= len(coded.data) + file_bytes / 200


@pytest.mark.parametrize("file_bytes", [1, 599, 2_000])
def test_where_no_finer_compact_image_fits_it_stays_as_it_is(file_bytes):
    image = sample(64)
    coded = compact.encode(image, 44)
    assert fitting.finer_compact(image, coded, 44, file_bytes) == (coded, 44)


@pytest.mark.parametrize(("quality", "effort", "is_finer"), [(50, 4, True), (51, 4, False), (50, 3, False)])
def test_files_of_low_quality_have_a_finer_compact_image_that_they_tell_of(quality, effort, is_finer):
    data = encode_photo(SourcePhoto(sample(480)), EncodeOptions(quality, effort=effort)).data
    contents = container.read(data)
    header = contents.header
    usual = quantisers(quality).compact
    assert (header.compact_qp < usual) == is_finer
    made = reduction.compact_image(sample(480))
    coded = compact.encode(made, header.compact_qp, quickly=effort < 4)
    assert container.read_chunk(data, contents, "COMP") == coded


def drawing() -> np.ndarray:
    """Dark letters of a kind on white: bars of two pixels every seven, in half of the rows."""
    made = np.full((120, 210, 3), 255, np.uint8)
    made[30:90, ::7] = made[30:90, 1::7] = 20
    return made


def test_everything_is_tried_on_graphics_where_photos_get_what_pays_on_them():
    assert search_for(drawing(), Search.PHOTO) is Search.EVERYTHING
    assert search_for(drawing()[..., 0], Search.PHOTO) is Search.EVERYTHING
    for photo in (sample(200), np.full((64, 64, 3), 77, np.uint8)):
        assert search_for(photo, Search.PHOTO) is Search.PHOTO
    assert search_for(drawing(), Search.PLAIN) is Search.PLAIN


def test_the_price_of_a_bit_is_the_one_of_hevc():
    assert bit_price(12) == pytest.approx(0.57)
    assert bit_price(33) == pytest.approx(0.57 * 128)


@pytest.mark.parametrize("qp", [24, 33])
def test_the_price_of_a_bit_is_what_the_next_one_buys(qp):
    """The slope of the curve of distortion over bits where the coder stands at that QP, within a factor of
    two and a half: the coder chooses by this price itself."""
    photo = sample(200)[..., 1]
    points = []
    for near in (qp - 2, qp + 2):
        picture = residual.encode_picture(photo, near, Terms(), preset="veryfast")
        shown = residual.reconstruct(read_planes(picture, True, 10, photo.shape), Terms())
        points.append((8 * len(picture), fitting.squared_error(shown, photo, 4)))
    (many, little), (few, much) = points
    assert 0.4 < (much - little) / (many - few) / bit_price(qp) < 2.5


@pytest.mark.parametrize("grey", [False, True])
def test_the_cost_is_the_error_and_the_bits_at_their_price(grey):
    """The error is that of the mean channel, so that a photo of three channels does not count thrice."""
    rng = np.random.default_rng(5)
    photo = rng.integers(0, 250, (30, 40) if grey else (30, 40, 3)).astype(np.uint8)
    shown = photo + rng.integers(0, 5, photo.shape).astype(np.uint8)
    terms = Terms() if grey else Terms(axes=axes.principal(photo))
    planes = (shown.astype(np.uint16) * 4,) if terms.axes is None else terms.axes.planes(shown)
    decoded = residual.reconstruct(planes, terms) / 4
    error = np.square(decoded - photo).reshape(30 * 40, -1).sum(0).mean()
    cost = rate_distortion_cost(photo, b"x" * 25, planes, terms, None, 18)
    assert cost == pytest.approx(error + 25 * 8 * 0.57 * 4)
