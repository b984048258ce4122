"""The benchmark of colours: the survey's names, and what counts as found and as right."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsslic_search.bench import colours as bench
from dsslic_search.core.colour_terms import TERMS, bit_of
from dsslic_search.core.errors import MissingExtraError
from dsslic_search.core.vocabulary import default
from dsslic_search.training.dataset import in_validation

V = default()
CAR, GRASS, SKY = (V.id_of(name) for name in ("car", "grass", "sky"))
SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.jpg"))


def mask(*terms: str) -> int:
    return sum(bit_of(term) for term in terms)


def test_cielab_of_known_colours() -> None:
    """Red, green and white of sRGB, by Lindbloom's calculator."""
    found = bench.cielab(np.array([[255, 0, 0], [0, 255, 0], [255, 255, 255]]))
    assert np.allclose(found, [[53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [100, 0, 0]], atol=0.02)


def test_pixels_have_the_terms_that_people_gave() -> None:
    pytest.importorskip("matplotlib")
    asked = {
        "black": (3, 3, 3), "white": (252, 252, 252), "red": (220, 10, 10), "green": (30, 160, 30),
        "yellow": (250, 240, 20), "blue": (10, 60, 220), "brown": (100, 60, 10), "purple": (120, 30, 150),
        "pink": (250, 130, 190), "orange": (250, 120, 10), "grey": (128, 128, 128),
    }  # fmt: skip
    found = bench.terms_of(np.array([list(asked.values())], np.uint8))[0]
    assert [TERMS[i] for i in found] == list(asked)


def test_greys_are_told_apart_by_the_lightness_of_the_plain_ones() -> None:
    plain = {"black": (0, 0, 0), "grey": (0x92, 0x95, 0x91), "white": (255, 255, 255)}
    lightness = bench.cielab(np.array(list(plain.values())))[:, 0]
    assert dict(zip(plain, lightness.round(2).tolist(), strict=True)) == bench.PLAIN_LIGHTNESS


def test_without_the_survey_an_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.colors", None)
    with pytest.raises(MissingExtraError, match=r"dsslic-search\[bench\]"):
        bench.surveyed.__wrapped__()


def test_shares_of_things_are_of_what_people_labelled() -> None:
    pytest.importorskip("matplotlib")
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:20] = 10, 60, 220
    pixels[20:, :10] = 220, 10, 10
    labels = np.full((40, 40), 255, np.uint8)
    labels[10:30] = CAR
    labels[0, 0] = GRASS  # too small
    labels[30:35] = 0
    found = bench.true_shares(pixels, labels)
    assert list(found) == [CAR]
    told = {TERMS[i]: share for i, share in enumerate(found[CAR].tolist()) if share}
    assert told == {"blue": 0.5, "red": 0.125, "black": 0.375}


def test_terms_told_are_found_right_or_wrong() -> None:
    truth = np.zeros(len(TERMS))
    truth[[TERMS.index("red"), TERMS.index("black"), TERMS.index("white")]] = 0.6, 0.32, 0.08
    tally = bench.Tally()
    tally.add({CAR: truth, SKY: truth}, {CAR: mask("red", "white", "green")})
    tally.add({CAR: truth}, {CAR: mask("black")})
    found = tally.figures()
    assert (found["classes"], found["not_told"]) == (3, 1)
    rows = found["by_term"]
    assert (rows["red"]["main"], rows["red"]["recall"], rows["red"]["precision"]) == (2, 0.5, 1)
    assert (rows["white"]["told"], rows["white"]["precision"], rows["white"]["recall"]) == (1, 0, None)
    assert rows["black"] == {
        "main": 0, "found": 0, "told": 1, "right": 1, "recall": None, "precision": 1,
    }  # fmt: skip
    assert rows[bench.ACHROMATIC]["told"] == rows[bench.ACHROMATIC]["right"] == 2
    assert (rows[bench.HUES]["told"], rows[bench.HUES]["right"]) == (2, 1)


def test_a_stop_is_half_the_light() -> None:
    pixels = np.array([[[255, 188, 0]]], np.uint8)
    assert bench.exposed(pixels, 0).tolist() == pixels.tolist()
    assert bench.exposed(pixels, 1).tolist() == [[[188, 137, 0]]]  # 0.5 and 0.25 of the light are 188, 137
    darker = bench.exposed(pixels, 2)
    assert np.allclose(bench.linear(darker), bench.linear(pixels) / 4, atol=0.002)


def test_light_is_counted_on_both_sides_of_the_borders() -> None:
    found = bench.light_figures([(0, 100, 101.0), (0, 171, 169.5), (1, 59, 59.5), (1, 61, 59.0)])
    assert found["by_stops"]["0"] == {"dark": 0, "bright": 1}
    assert found["by_stops"]["1"] == {"dark": 1, "bright": 0}
    assert (found["on_the_other_side"], found["greatest_difference"]) == (2, 2)


def test_the_figures_of_photos(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for part in ("images", "labels"):
        (tmp_path / "scenes" / "msrc_v2" / part).mkdir(parents=True)
    stem = next(name for name in map(str, range(200)) if in_validation("msrc_v2", name))
    photo = Image.open(SAMPLES[0]).convert("RGB").resize((160, 120))
    photo.save(tmp_path / "scenes" / "msrc_v2" / "images" / f"{stem}.jpg", quality=95)
    labels = np.full((120, 160), SKY, np.uint8)
    Image.fromarray(labels).save(tmp_path / "scenes" / "msrc_v2" / "labels" / f"{stem}.png")
    found = bench.run(tmp_path)
    assert found["photos"] == 1
    assert found["things"]["people's"]["classes"] == 1
    assert found["called_black_and_white"]["without colours"] == 1
    assert found["light"]["asked"] == len(bench.STOPS)
    assert found["light"]["greatest_difference"] < 3
    assert len(bench.table(found)) == len(TERMS) + 3
