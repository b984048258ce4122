"""The residual layer: its terms, the arithmetic around its planes, and residuals as version 0.1 wrote
them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsslic_search.codec import bpg
from dsslic_search.codec.layers import axes, residual
from dsslic_search.codec.layers.terms import NO_NETWORK, SIXTY_FOURTHS, Gains, Terms, read_terms
from dsslic_search.core.errors import FormatError

RNG = np.random.default_rng(3)
PHOTO = RNG.integers(0, 256, (24, 40, 3)).astype(np.uint8)
COARSE = (PHOTO + RNG.normal(0, 20, PHOTO.shape)).clip(0, 255).astype(np.uint8)
LABELS = np.repeat(np.array([[1] * 24 + [2] * 16], np.uint8), 24, 0)
AXES = axes.principal(PHOTO)

gains_of_terms = st.builds(
    lambda others, of: Gains(others, tuple(of.items())),
    st.integers(1, SIXTY_FOURTHS),
    st.dictionaries(st.integers(0, 255), st.integers(1, SIXTY_FOURTHS), min_size=1, max_size=9),
)


@given(
    st.integers(0, SIXTY_FOURTHS),
    st.integers(0, 255),
    st.none() | gains_of_terms,
    st.booleans(),
    st.binary(max_size=20),
)
def test_terms_are_read_as_they_were_written(trust, strength, gains, grey, picture):
    terms = Terms(
        trust,
        strength,
        "0123456789abcdef" if strength else NO_NETWORK,
        gains if trust else None,
        None if grey else AXES,
    )
    written = terms.to_bytes()
    assert read_terms(written + picture, grey) == (terms, picture)
    for length in range(len(written)):
        with pytest.raises(FormatError, match="cut short"):
            read_terms(written[:length], grey)


@given(st.binary(max_size=60), st.booleans())
@settings(max_examples=500)
def test_hostile_terms_are_format_errors_or_terms(data, grey):
    try:
        terms, picture = read_terms(data, grey)
    except FormatError:
        return
    assert terms.to_bytes() + picture == data
    assert terms.trust <= SIXTY_FOURTHS
    assert (terms.axes is None) == grey


def chunk(*start: int) -> bytes:
    return bytes(start) + AXES.to_bytes()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cut short"),
        (chunk(65, 0, 0), "impossible trust"),
        (chunk(64, 0, 1, 0, 7, 64), "impossible gains"),  # of 0: cannot be divided by
        (chunk(64, 0, 1, 65, 7, 64), "impossible gains"),
        (chunk(64, 0, 2, 64, 7, 64, 7, 32), "impossible gains"),  # one class twice
        (chunk(0, 0, 1, 64, 7, 32), "impossible gains"),  # of a residual that is the photo itself
        (bytes((64, 0, 255)), "cut short"),
        (bytes((0, 1, 9, 9)), "cut short"),
        (bytes(3), "cut short"),
        (bytes(12), "not three axes"),
    ],
)
def test_impossible_terms_are_refused(data, reason):
    with pytest.raises(FormatError, match=reason):
        read_terms(data, grey=False)


def coded(terms: Terms, qp: int, grey: bool = False) -> np.ndarray:
    """A photo through the encoder and back, in quarters of a grey level."""
    photo, coarse = (PHOTO[..., 1], COARSE[..., 1]) if grey else (PHOTO, COARSE)
    shown = bpg.decode(
        residual.encode_picture(photo, qp, terms, coarse=coarse, labels=LABELS, preset="ultrafast"),
        max_pixels=10**4,
    )
    return residual.reconstruct(
        tuple(plane.astype(np.uint16) for plane in shown.planes), terms, coarse=coarse, labels=LABELS
    )


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("trust", [0, 1, 17, 32, 64])
def test_every_trust_comes_back_at_fine_quantisers_and_gets_worse_at_coarse_ones(trust, grey):
    terms = Terms(trust, axes=None if grey else AXES)
    wanted = 4 * (PHOTO[..., 1] if grey else PHOTO).astype(int)
    errors = [float(np.sqrt(np.mean((coded(terms, qp, grey) - wanted) ** 2.0))) for qp in (4, 16, 28)]
    assert errors[0] < 4
    assert errors == sorted(errors)
    assert coded(terms, 4, grey).dtype == np.int16


def test_the_same_distortion_whatever_the_trust():
    """Differences are coded at half the scale and a QP 6 lower: a quality looks alike with and without the
    coarse image."""
    errors = [
        float(np.sqrt(np.mean((coded(Terms(trust, axes=AXES), 28) - 4.0 * PHOTO) ** 2))) for trust in (0, 64)
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.15)


def test_gains_move_errors_between_classes():
    terms = Terms(SIXTY_FOURTHS, gains=Gains(16, ((2, 64),)), axes=AXES)
    error = np.square(coded(terms, 24) - 4.0 * PHOTO).mean(2)
    plain = np.square(coded(Terms(SIXTY_FOURTHS, axes=AXES), 24) - 4.0 * PHOTO).mean(2)
    assert error[LABELS == 2].mean() < 1.3 * plain[LABELS == 2].mean()
    assert error[LABELS != 2].mean() > 4 * error[LABELS == 2].mean()


@given(st.integers(1, SIXTY_FOURTHS), st.integers(-1020, 1020))
def test_scaling_back_is_to_the_nearest(gain, value):
    terms = Terms(SIXTY_FOURTHS, gains=Gains(gain, ((1, gain),)))
    planes = (np.array([[512 + value // 2]], np.uint16),)
    found = residual.reconstruct(
        planes, terms, coarse=np.array([[128]], np.uint8), labels=np.ones((1, 1), np.uint8)
    )
    exact = 512 + (value // 2) * 2 * SIXTY_FOURTHS / gain
    assert abs(int(found[0, 0]) - min(max(exact, 0), 1020)) <= 0.5


@pytest.mark.parametrize("trust", range(0, SIXTY_FOURTHS + 1, 8))
def test_what_is_predicted_goes_from_middle_grey_to_the_coarse_image(trust):
    levels = np.arange(256, dtype=np.uint8)[None]
    found = residual.predicted(levels, trust)
    assert np.abs(found - (128 + (levels.astype(float) - 128) * trust / SIXTY_FOURTHS)).max() <= 0.5
    assert found.min() >= 0
    assert found.max() <= 255


def test_quarters_become_whole_grey_levels():
    quarters = np.arange(0, 1021, dtype=np.int16)
    assert np.abs(4 * residual.whole(quarters).astype(int) - quarters).max() <= 2


def test_every_pair_of_grey_levels_of_a_first_residual_comes_back():
    """Version 0.1: samples are 512 + 2·(x − x′); an error of one sample costs at most one level."""
    photo, coarse = (a.astype(np.uint8) for a in np.meshgrid(np.arange(256), np.arange(256)))
    samples = (512 + 2 * (photo.astype(int) - coarse)).astype(np.uint16)
    assert np.array_equal(residual.apply_first(coarse, samples), photo)
    for error in (-1, 1):
        seen = residual.apply_first(coarse, (samples.astype(int) + error).astype(np.uint16))
        assert np.abs(seen.astype(int) - photo).max() <= 1
