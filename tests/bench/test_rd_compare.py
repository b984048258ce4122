"""BD-rates over ranges, LPIPS at equal bytes, and the curves drawn of them, on made-up results with known
answers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from dsslic_search.bench import compare, plot
from dsslic_search.bench.metrics import ms_ssim_db, quality_at, rate_at
from dsslic_search.core.errors import MissingExtraError

BPP = (0.03, 0.08, 0.2, 0.5, 1.2, 3.0)
PSNR = (23.0, 26.0, 29.0, 33.0, 38.0, 44.0)


def means(factor: float = 1.0, points: slice = slice(None)) -> list[dict]:
    """A codec that needs ``factor`` times the bits."""
    return [
        {
            "setting": i,
            "bpp": factor * rate,
            "psnr_rgb": psnr,
            "ms_ssim_db": psnr / 2 - 5,
            "lpips": 10 ** (-psnr / 20),
        }
        for i, (rate, psnr) in enumerate(zip(BPP, PSNR, strict=True))
    ][points]


def result(factor: float = 1.0, points: slice = slice(None), label: str = "Made up") -> dict:
    mean = means(factor, points)
    rows = [
        {"image": name, **m, "bpp": m["bpp"] * size} for m in mean for name, size in (("a", 0.8), ("b", 1.2))
    ]
    return {"label": label, "mean": mean, "rows": rows}


@pytest.mark.parametrize("measure", compare.MEASURES)
@pytest.mark.parametrize("factor", [0.9, 1.0, 1.25])
def test_a_constant_factor_is_the_rate_over_every_range(measure: str, factor: float):
    found = compare.bd_rates(means(), means(factor), measure)
    assert set(found) == set(compare.RANGES)
    for name, figure in found.items():
        assert figure is not None, name
        assert figure["percent"] == pytest.approx(100 * (factor - 1), abs=0.01), name
        assert figure["whole"]


def test_ranges_are_pieces_of_the_anchors_curve():
    found = compare.bd_rates(means(), means(1.1), "psnr_rgb")
    assert (found["31-42 dB"]["from"], found["31-42 dB"]["to"]) == (31, 42)
    low, high = found["0.1-0.4 bpp"]["from"], found["0.1-0.4 bpp"]["to"]
    assert rate_at(BPP, PSNR, low) == pytest.approx(0.1, rel=1e-4)
    assert rate_at(BPP, PSNR, high) == pytest.approx(0.4, rel=1e-4)
    by_similarity = compare.bd_rates(means(), means(1.1), "ms_ssim_db")
    assert by_similarity["31-42 dB"]["from"] == pytest.approx(31 / 2 - 5, abs=0.01)
    assert by_similarity["0.1-0.4 bpp"]["to"] == pytest.approx(high / 2 - 5, abs=0.01)


def test_a_codec_that_is_worse_only_at_low_rates_is_so_in_that_range_alone():
    other = means()
    other[1]["bpp"] *= 1.3
    other[2]["bpp"] *= 1.3
    found = compare.bd_rates(means(), other, "psnr_rgb")
    assert found["0.1-0.4 bpp"]["percent"] > 15
    assert 0 <= found["31-42 dB"]["percent"] < 6
    assert found["31-42 dB"]["percent"] < found["all"]["percent"] < found["0.1-0.4 bpp"]["percent"]


def test_half_covered_ranges_are_marked_and_less_is_no_figure():
    reaching_38 = compare.bd_rates(means(), means(1.2, slice(0, 5)), "psnr_rgb")
    assert reaching_38["31-42 dB"] == {
        "percent": pytest.approx(20, abs=1),
        "from": 31,
        "to": 38,
        "whole": False,
    }
    assert reaching_38["all"] == {"percent": pytest.approx(20, abs=1), "from": 23, "to": 38, "whole": True}
    reaching_33 = compare.bd_rates(means(), means(1.2, slice(0, 4)), "psnr_rgb")
    assert reaching_33["31-42 dB"] is None
    nowhere_near = [{**m, "psnr_rgb": m["psnr_rgb"] - 40} for m in means()]
    assert compare.bd_rates(means(), nowhere_near, "psnr_rgb") == dict.fromkeys(compare.RANGES)
    short_anchor = compare.bd_rates(means(points=slice(2, 5)), means(1.2), "psnr_rgb")
    assert short_anchor["0.1-0.4 bpp"] is None
    assert short_anchor["31-42 dB"] is None
    assert short_anchor["all"]["percent"] == pytest.approx(20, abs=2)


def test_settings_that_cost_more_and_give_no_more_are_not_in_the_curve():
    made = [
        *means(),
        {"bpp": 0.3, "psnr_rgb": 28.9, "lpips": 0.001},
        {"bpp": 0.2, "psnr_rgb": 27.0, "lpips": 0.5},
    ]
    assert compare.curve(made, "psnr_rgb") == (list(BPP), list(PSNR))
    rates, qualities = compare.curve(means(), "lpips")
    assert rates == list(BPP)
    assert qualities == sorted(qualities)


@given(st.floats(0.03, 3.0))
def test_quality_at_is_the_inverse_of_rate_at(rate: float):
    assert rate_at(BPP, PSNR, quality_at(BPP, PSNR, rate)) == pytest.approx(rate, rel=1e-9)


def test_places_beyond_a_curve_are_refused():
    for beyond in (0.02, 3.1):
        with pytest.raises(ValueError, match="the curve covers rates"):
            quality_at(BPP, PSNR, beyond)
    with pytest.raises(ValueError, match=r"covers 23\.\.44, not 45"):
        rate_at(BPP, PSNR, 45)


def test_ms_ssim_in_decibels():
    assert ms_ssim_db(0.9) == pytest.approx(10)
    assert ms_ssim_db(0.999) == pytest.approx(30)
    assert ms_ssim_db(1) == 100


def test_lpips_at_equal_bytes_is_read_off_each_photos_own_curve():
    coarse = [
        {"image": "a", "setting": 50, "bpp": 0.2, "lpips": 0.30},
        {"image": "b", "setting": 50, "bpp": 0.05, "lpips": 0.20},
        {"image": "a", "setting": 75, "bpp": 0.2, "lpips": 0.30},
        {"image": "b", "setting": 75, "bpp": 0.05, "lpips": 0.20},
        {"image": "a", "setting": 95, "bpp": 0.01, "lpips": 0.5},
        {"image": "b", "setting": 95, "bpp": 0.01, "lpips": 0.5},
    ]
    peer = [
        {"image": "a", "bpp": 0.1, "lpips": 0.45},
        {"image": "a", "bpp": 0.4, "lpips": 0.25},
        {"image": "b", "bpp": 0.1, "lpips": 0.15},
        {"image": "b", "bpp": 0.4, "lpips": 0.05},
    ]
    first, last = compare.at_equal_bytes(coarse, {"peer": peer})
    assert first["setting"] == 50  # 75 is the same again
    assert first["bpp"] == pytest.approx(0.125)
    assert first["others"]["peer"] == {"lpips": pytest.approx(0.35), "ours": 0.3, "photos": 1, "better": 1}
    assert last["others"]["peer"] is None


def results() -> dict[str, dict]:
    return {
        "dsslic": result(0.95, label="DSSLIC"),
        "dsslic-coarse": result(1.5, slice(0, 2), "DSSLIC, coarse stage"),
        "bpg444": result(label="BPG 4:4:4"),
        "webp": result(1.4, slice(1, 5), "WebP"),
    }


def test_the_comparison_and_its_table_say_the_same():
    found = compare.compare(results())
    assert found["bd_rate_percent"]["dsslic"]["psnr_rgb"]["all"]["percent"] == pytest.approx(-5, abs=0.01)
    assert set(found["lpips_at_bytes_of_coarse"][0]["others"]) == {"bpg444", "webp"}
    text = "\n".join(compare.table(found))
    row = next(line for line in text.splitlines() if line.startswith("dsslic "))
    assert row.split()[1:] == ["-5.00"] * 6
    webp = next(line for line in text.splitlines() if line.startswith("webp")).split()[1:]
    assert [figure.endswith("*") for figure in webp] == [False, True, False] * 2  # it ends at 38 dB
    assert [float(figure.rstrip("*")) for figure in webp] == pytest.approx([40] * 6, abs=1.5)
    assert "* over the part" in text
    assert "too large" in text or "ours better in" in text
    json.dumps(found)


def test_ours_is_also_compared_with_the_papers_baseline():
    made = {"dsslic": result(0.9), "bpgrgb": result(2.0), "bpg444": result()}
    found = compare.compare(made)
    assert found["bd_rate_percent_against_papers_baseline"]["dsslic"]["psnr_rgb"]["all"][
        "percent"
    ] == pytest.approx(-55, abs=0.1)
    row = next(line for line in compare.table(found) if line.startswith("dsslic against bpgrgb"))
    assert [float(figure) for figure in row.split()[3:]] == pytest.approx([-55] * 6, abs=1)
    assert [line for line in compare.table(found) if line.startswith("dsslic ")] != [row]


def test_without_the_anchor_there_is_nothing_to_compare_with():
    assert compare.compare({"webp": result()}) == {}
    assert compare.table({}) == []


def test_curves_are_drawn_with_their_names_and_rates(tmp_path: Path):
    pytest.importorskip("matplotlib")
    made = results()
    paths = plot.draw(made, compare.compare(made), tmp_path, "2 photos")
    assert {p.name for p in paths} == {
        f"{m}.{s}" for m in ("psnr", "ms-ssim", "lpips") for s in ("png", "svg")
    }
    for path in paths:
        if path.suffix == ".png":
            with Image.open(path) as shown:
                assert min(shown.size) > 600
                assert (
                    len(np.unique(np.asarray(shown.convert("RGB").resize((300, 200))).reshape(-1, 3), axis=0))
                    > 50
                )
        else:
            text = path.read_text()
            for label in ("DSSLIC  −5.0 %", "DSSLIC, coarse stage", "BPG 4:4:4", "WebP  +40.", "2 photos"):
                assert label in text, (path.name, label)


def test_drawing_without_matplotlib_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"dsslic-search\[bench\].*--no-plots"):
        plot.draw(results(), {}, tmp_path, "")
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_labels_are_kept_apart_in_order_and_near(heights: list[float]):
    heights = sorted(heights, reverse=True)
    found = np.array(plot.spread(heights, 0.05))
    assert (np.diff(found) <= -0.05 + 1e-9).all()
    if len(heights) > 1 and (np.diff(heights) <= -0.05).all():
        assert found == pytest.approx(heights)
    assert np.mean(found) == pytest.approx(np.mean(heights))
