"""What a user may ask of the encoder, what effort means, and targets."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import metrics
from dsslic_search.codec import bpg, container
from dsslic_search.codec.bpg.hevc import PRESETS
from dsslic_search.codec.decoder import decode_stage
from dsslic_search.codec.encoder import encode_photo
from dsslic_search.codec.layers import axes, residual
from dsslic_search.codec.layers.terms import Terms
from dsslic_search.codec.options import EncodeOptions, Target
from dsslic_search.codec.picture.open import SourcePhoto
from dsslic_search.codec.quality import EFFORTS, effort, quantisers
from dsslic_search.core.errors import TargetError, UsageError
from dsslic_search.core.kinds import Tune
from dsslic_search.core.settings import LOSSLESS
from tests.pictures import SAMPLES, sample

QUICK = EncodeOptions(effort=2)


@pytest.fixture(scope="module")
def photo() -> SourcePhoto:
    return sample(side=160)


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"quality": 0}, "quality 0"),
        ({"quality": 102}, "nor lossless"),
        ({"effort": 0}, "effort 0 is not a whole number from 1"),
        ({"effort": 10}, "effort 10"),
        ({"keep": "all"}, "layers, exact, reference, coarse"),
        ({"map_scale": 0}, "map scale 0"),
        ({"importance": ((3, 65.0),)}, "importances are numbers from 0.015625 to 64"),
        ({"importance": ((3, 0.0),)}, "importances are numbers"),
        ({"importance": ((3, float("nan")),)}, "importances are numbers"),
        ({"keep": "exact", "quality": LOSSLESS}, 'keep mode "exact" has no residual'),
        ({"keep": "coarse", "importance": ((3, 2.0),)}, 'keep mode "coarse" has no residual'),
        ({"keep": "reference", "target": Target("bpp", 1)}, 'keep mode "reference" has no residual'),
        ({"quality": LOSSLESS, "importance": ((3, 2.0),)}, "every pixel is exact"),
        ({"quality": LOSSLESS, "target": Target("bpp", 1)}, "every pixel is exact"),
        ({"tune": "vmaf"}, 'tune "vmaf" is not one of: psnr, ssim'),
        ({"tune": "ssim", "keep": "coarse"}, 'about a residual, which keep mode "coarse" has not'),
        ({"tune": "ssim", "keep": "exact"}, 'about a residual, which keep mode "exact" has not'),
        ({"tune": "ssim", "quality": LOSSLESS}, "about a residual, which a lossless file has not"),
        ({"tune": "ssim", "importance": ((3, 2.0),)}, "importances say where the bits go"),
        ({"tune": "ssim", "profile": "paper"}, 'profile "paper" says where the bits go'),
    ],
)
def test_impossible_wishes_are_refused(wish, reason):
    with pytest.raises(UsageError, match=reason):
        EncodeOptions(**wish)


@pytest.mark.parametrize(
    ("kind", "value"), [("size", 3), ("bpp", 0), ("bpp", -1), ("psnr", float("nan")), ("bytes", float("inf"))]
)
def test_impossible_targets_are_refused(kind, value):
    with pytest.raises(UsageError):
        Target(kind, value)


def test_an_effort_is_never_easier_than_the_one_below():
    steps = [effort(number) for number in EFFORTS]
    assert len(steps) == 9
    for easier, harder in pairwise(steps):
        assert PRESETS.index(easier.preset) <= PRESETS.index(harder.preset)
        assert len(easier.trusts) <= len(harder.trusts)
        assert easier.fit <= harder.fit
        assert (easier.look.area or np.inf) <= (harder.look.area or np.inf)
        assert easier.look.mirrored_too <= harder.look.mirrored_too
        assert easier.look.alone >= harder.look.alone


def test_segnet_looks_at_three_quarters_of_the_pixels_at_the_least_efforts():
    areas = {n: np.prod(EncodeOptions(effort=n).chosen_segmenter().working_size(480, 640)) for n in EFFORTS}
    assert areas[1] == areas[2] == areas[3]
    assert 0.7 < areas[3] / areas[4] < 0.8
    assert len({areas[n] for n in EFFORTS if n > 3}) == 1


def test_more_effort_gives_smaller_files(photo):
    sizes = {n: len(encode_photo(photo, EncodeOptions(60, effort=n)).data) for n in (1, 4, 6)}
    assert sizes[1] > sizes[4] > sizes[6]


def psnr(data: bytes, photo: SourcePhoto) -> float:
    return float(
        10 * np.log10(255**2 / np.mean((decode_stage(data).pixels.astype(float) - photo.pixels) ** 2))
    )


def meets(data: bytes, photo: SourcePhoto, target: Target) -> bool:
    if target.kind == "psnr":
        return psnr(data, photo) >= target.value
    return len(data) <= (target.value if target.kind == "bytes" else target.value * photo.pixels.size / 3 / 8)


@pytest.mark.parametrize(
    "target",
    [Target("bpp", 0.4), Target("bpp", 2), Target("bytes", 2500), Target("psnr", 30), Target("psnr", 38.5)],
)
def test_targets_are_met_and_the_next_quality_is_not_better(photo, target):
    encoded = encode_photo(photo, replace(QUICK, target=target))
    assert meets(encoded.data, photo, target)
    assert container.read(encoded.data).header.quality == encoded.quality
    at_once = encode_photo(photo, replace(QUICK, quality=encoded.quality))
    assert at_once.data == encoded.data
    further = encoded.quality + (-1 if target.kind == "psnr" else 1)
    assert not meets(encode_photo(photo, replace(QUICK, quality=further)).data, photo, target)


def test_targets_are_met_with_importances_and_in_grey():
    grey = sample(side=160, grey=True)
    options = replace(QUICK, target=Target("bytes", 1500), importance=((0, 4.0),))
    assert 1200 < len(encode_photo(grey, options).data) <= 1500
    encoded = encode_photo(grey, replace(QUICK, target=Target("psnr", 34)))
    assert (
        34
        <= 10
        * np.log10(
            255**2 / np.mean((decode_stage(encoded.data).pixels - grey.pixels[..., 0].astype(float)) ** 2)
        )
        < 35.5
    )


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Target("psnr", 90), 'no quality from 1 to 100 gives this photo 90 dB; try quality="lossless"'),
        (Target("bytes", 100), 'gives this photo 100 bytes; .*"coarse"'),
        (Target("bpp", 0.01), "0.01 bits a pixel"),
    ],
)
def test_targets_that_cannot_be_met_say_so(photo, target, reason):
    with pytest.raises(TargetError, match=reason):
        encode_photo(photo, replace(QUICK, target=target))


def test_a_target_beyond_the_best_quality_takes_the_best(photo):
    assert encode_photo(photo, replace(QUICK, target=Target("bpp", 100))).quality == 100
    assert encode_photo(photo, replace(QUICK, target=Target("psnr", 5))).quality == 1


def test_lossless_is_above_every_quality():
    assert quantisers(LOSSLESS).residual <= quantisers(100).residual


@pytest.mark.parametrize(
    "asked",
    [
        {"effort": 6.0},
        {"effort": True},
        {"quality": True},
        {"importance": ((3, "4"),)},
        {"importance": ((3, None),)},
    ],
)
def test_values_of_other_types_are_refused_in_a_sentence(asked):
    with pytest.raises(UsageError):
        EncodeOptions(**asked)


@pytest.mark.parametrize("value", ["1", None, 0, float("nan")])
def test_a_target_is_a_number_above_zero(value):
    with pytest.raises(UsageError, match="cannot be met"):
        Target("bpp", value)


def test_what_is_tuned_for_ssim_gains_it_and_loses_psnr():
    """In bits at the same quality, of the residual alone."""
    with Image.open(SAMPLES / "picos.jpg") as opened:
        pixels = np.array(opened.convert("RGB").crop((0, 60, 256, 252)))
    terms = Terms(axes=axes.principal(pixels))

    def points(tune: Tune) -> tuple[list[int], list[float], list[float]]:
        coded = [residual.encode_picture(pixels, qp, terms, preset="fast", tune=tune) for qp in (26, 32, 38)]
        shown = [
            residual.reconstruct_whole(bpg.decode(each, max_pixels=pixels.size).planes, terms)
            for each in coded
        ]
        seen = [metrics.ms_ssim_db(metrics.ms_ssim(pixels, each)) for each in shown]
        return [len(each) for each in coded], [metrics.psnr(pixels, each) for each in shown], seen

    (rates, psnr, seen), (tuned_rates, tuned_psnr, tuned_seen) = points(Tune.PSNR), points(Tune.SSIM)
    assert metrics.bd_rate(rates, seen, tuned_rates, tuned_seen) < -3
    assert 0 < metrics.bd_rate(rates, psnr, tuned_rates, tuned_psnr) < 8


def test_a_tuned_file_is_read_by_everybody(photo: SourcePhoto):
    tuned = encode_photo(photo, replace(QUICK, tune="ssim"))
    plain = encode_photo(photo, QUICK)
    assert tuned.data != plain.data
    for stage in ("map", "compact", "coarse"):
        shown, other = (decode_stage(each.data, stage).pixels for each in (tuned, plain))
        assert np.array_equal(shown, other)
    error = decode_stage(tuned.data).pixels.astype(int) - photo.pixels
    assert np.square(error).mean() < 60
